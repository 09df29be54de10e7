"""Loops as JAX writes `scan` and `fori_loop`: results and derivatives of what the importer makes of them."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import numpy as np
import pytest
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches

jax: Any = pytest.importorskip("jax", reason="JAX is in the extra `test`")
jnp, lax = jax.numpy, jax.lax
RNG = np.random.default_rng(0)
X, C = RNG.uniform(0.5, 1.5, (5, 3)).astype(np.float32), RNG.uniform(0.5, 1.5, 3).astype(np.float32)


def stacked(x: Any, c: Any) -> Any:
    c, y = lax.scan(lambda c, a: (c * 0.9 + a, c * 2), c, x)
    return c.sum() + (y * y).sum()


def backwards(x: Any, c: Any) -> Any:
    c, y = lax.scan(lambda c, a: (c + a, c * a), c, x, reverse=True)
    return c.sum() + (y * y).sum()


def started_at_two(x: Any, c: Any) -> Any:
    return lax.fori_loop(2, 5, lambda i, a: a * c + i, c).sum() + x.sum()


def sliced(x: Any, c: Any) -> Any:
    return lax.fori_loop(0, 5, lambda i, a: a + x[i] * jnp.sin(a), c).sum()


def nothing(x: Any, c: Any) -> Any:
    return lax.scan(lambda c, a: (c * a, a), c, x[:0])[0].sum() + x.sum()


@pytest.mark.parametrize("fn", [stacked, backwards, started_at_two, sliced, nothing])
def test_gradient(fn: Callable[..., Any]) -> None:
    f: Any = mlc.from_jax(fn, X, C)
    got = mlc.jit(mlc.grad(lambda x, c: f(x, c), (0, 1)))(X, C)  # noqa: PLW0108
    for a, b in zip(got, jax.grad(fn, (0, 1))(X, C), strict=True):
        assert_matches(Tolerance(ulp=16, sums=16), np.asarray(a), np.asarray(b))


def test_loop_that_does_not_count() -> None:
    """Forwards it runs; reverse mode, which would have to know the number of trips, says so."""
    f: Any = mlc.from_jax(lambda c: lax.while_loop(lambda a: a.sum() < 100, lambda a: a + a, c), C)
    want = C.copy()
    while want.sum() < 100:
        want = want + want
    assert_matches(Tolerance(), np.asarray(f(C)), want)
    with pytest.raises(CompileError, match="while"):
        mlc.jit(mlc.grad(lambda c: mlc.numpy.sum(f(c))))(C)
