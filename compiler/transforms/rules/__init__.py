"""Rules as data: one object that prints as `graph.rule`, rewrites programs, and tests itself."""
