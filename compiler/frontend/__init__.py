"""Tracing of user functions, and what they are written with."""
