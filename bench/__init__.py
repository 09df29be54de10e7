"""Benchmarks: timings against pinned peers, interleaved, and the bars they must meet (`python -m bench --help`)."""
