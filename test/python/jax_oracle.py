"""Running StableHLO text by JAX; tests that import this are skipped without it."""

from __future__ import annotations

import pytest

jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")

from bench.suite.xla import caller, compiled, run  # noqa: E402

__all__ = ["caller", "compiled", "run"]
