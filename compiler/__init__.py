"""Passes of one level, the front end, and the driver that runs them."""
