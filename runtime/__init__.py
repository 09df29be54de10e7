"""Interpreters of the levels, and what a compiled program needs while it runs."""
