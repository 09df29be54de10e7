"""Distributions of several numbers each by their moments; and, of those that JAX draws alike, JAX's numbers."""

from __future__ import annotations

from typing import Any

import mlc
import numpy as np
import pytest
from mlc import random as R
from mlc.runtime.matching import Tolerance, assert_matches

N = 8192


def test_moments() -> None:
    def program(key: Any) -> Any:
        keys = [R.fold_in(key, k) for k in range(8)]
        a = mlc.numpy.asarray(np.array([0.4, 1.0, 7.5], np.float64))
        return [R.gamma(keys[0], a, (N, 3)), R.beta(keys[1], 2.0, a, (N, 3)), R.rademacher(keys[2], (N,))]

    g, b, r = map(np.asarray, mlc.jit(program)(R.key(3)))
    a = np.array([0.4, 1.0, 7.5])
    assert np.abs(g.mean(0) / a - 1).max() < 0.08 and np.abs(g.var(0) / a - 1).max() < 0.2 and (g > 0).all()
    mean, total = 2 / (2 + a), 2 + a
    assert np.abs(b.mean(0) - mean).max() < 0.02
    assert np.abs(b.var(0) / (2 * a / (total**2 * (total + 1))) - 1).max() < 0.15
    assert set(r.tolist()) == {-1, 1} and abs(r.mean()) < 0.06


def test_choice() -> None:
    x = np.arange(10.0)
    drawn = np.asarray(R.choice(R.key(1), x, 500))
    assert set(drawn.tolist()) == set(x.tolist())
    assert sorted(np.asarray(R.choice(R.key(1), x, 10, replace=False)).tolist()) == x.tolist()
    with pytest.raises(mlc.CompileError, match="expected an array of at least 11 parts"):
        R.choice(R.key(1), x, 11, replace=False)


def test_wrong_parameters_give_nan() -> None:
    assert np.isnan(R.gamma(R.key(0), np.array([0.0, -1.0, np.nan]))).all()


@pytest.mark.parametrize("name", ["laplace", "logistic", "cauchy", "truncated_normal"])
def test_the_numbers_are_those_of_jax(name: str) -> None:
    jax = pytest.importorskip("jax", reason="jax is an extra")
    bounds = (-1.5, 0.5) if name == "truncated_normal" else ()
    want = getattr(jax.random, name)(jax.random.key(7), *bounds, (50,), np.float32)
    got = getattr(R, name)(R.key(7), *bounds, (50,), "float32")
    assert_matches(Tolerance(ulp=64, sums=16, scale=4), np.asarray(got), np.asarray(want))
