"""mlc: a multi-level compiler for tensor programs."""
