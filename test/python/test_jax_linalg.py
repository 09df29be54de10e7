"""Linear algebra of JAX, whose text calls LAPACK by name: values and gradients are JAX's own, from one program."""

from __future__ import annotations

from typing import Any

import mlc
import numpy as np
import pytest
from mlc.dialects.nd.cholesky import cholesky
from mlc.dialects.nd.triangular import triangular_solve
from mlc.runtime.matching import Tolerance, assert_matches

jax = pytest.importorskip("jax", reason="jax is an extra")

RNG = np.random.default_rng(5)
A = (RNG.standard_normal((2, 4, 4)) + 3 * np.eye(4)).astype(np.float32)
P = A @ A.transpose(0, 2, 1)
B = RNG.standard_normal((2, 4, 3)).astype(np.float32)
T = RNG.standard_normal((5, 3)).astype(np.float32)
NEAR = Tolerance(ulp=512, sums=512, scale=16)


def compare(f: Any, *xs: np.ndarray) -> None:
    want, got = jax.tree.leaves(jax.jit(f)(*xs)), jax.tree.leaves(mlc.from_jax(f, *xs)(*xs))
    assert len(want) == len(got)
    for k, (w, g) in enumerate(zip(want, got, strict=True)):
        try:
            assert_matches(NEAR, np.asarray(g), np.asarray(w))
        except AssertionError as error:
            raise AssertionError(f"result {k}: {error}") from None


def test_systems_and_factors() -> None:
    L = jax.numpy.linalg

    def program(a: Any, p: Any, b: Any, t: Any) -> Any:
        solve_triangular = jax.scipy.linalg.solve_triangular
        u, s, vh = L.svd(t, full_matrices=False)
        values, vectors = L.eigh(p)
        return {
            "solve": L.solve(a, b),
            "slogdet": L.slogdet(a),
            "cholesky": L.cholesky(p),
            "not positive definite": L.cholesky(-p),
            "qr": [tuple(L.qr(x)) for x in (t, t.T)],
            "complete": tuple(L.qr(t, mode="complete")),
            "svd": (s, u * s @ vh),
            "eigh": (values, vectors @ (values[..., None] * vectors.swapaxes(-1, -2))),
            "triangular": [solve_triangular(a, b, lower=low, trans=k) for low in (True, False) for k in (0, 1)],
            "lu": jax.scipy.linalg.lu(t),
        }

    compare(program, A, P, B, T)


def test_gradients() -> None:
    L, numpy = jax.numpy.linalg, jax.numpy

    def loss(a: Any, p: Any, b: Any) -> Any:
        return (L.solve(a, b) ** 2).sum() + numpy.sin(L.cholesky(p)).sum() + L.slogdet(a)[1].sum() + L.inv(a).sum()

    compare(jax.grad(loss, (0, 1, 2)), A, P, B)


def test_our_gradients_are_those_of_jax() -> None:
    def program(xp: Any) -> Any:
        def loss(a: Any, p: Any, b: Any) -> Any:
            L = xp.linalg
            parts = [L.solve(a, b) ** 2, xp.sin(L.cholesky(p)), L.slogdet(a).logabsdet, L.det(a) / 8, L.inv(a)]
            return sum((xp.sum(x) for x in parts), 0.0)

        return loss

    want = jax.jit(jax.grad(program(jax.numpy), (0, 1, 2)))(A, P, B)
    got = mlc.jit(mlc.grad(program(mlc.numpy), (0, 1, 2)))(A, P, B)
    for w, g, symmetric in zip(want, got, (False, True, False), strict=True):
        w, g = np.asarray(w), np.asarray(g)
        if symmetric:  # of the lower triangle here, of both halves there
            w, g = (x + x.swapaxes(-1, -2) for x in (w, g))
        assert_matches(Tolerance(ulp=4096, sums=4096, scale=64), g, w)


def test_unknown_routines_are_refused() -> None:
    with pytest.raises(mlc.CompileError, match=r"expected one of the targets .*, found @lapack_sgeev_ffi"):
        mlc.from_jax(jax.numpy.linalg.eigvals, A)(A)


def test_exported_systems_are_read_back() -> None:
    """As StableHLO's own ops, which JAX's text has no more."""

    def program(a: Any, p: Any, b: Any) -> Any:
        solved = [
            triangular_solve(a, b, lower=low, transpose=t, unit=low) for low in (True, False) for t in (True, False)
        ]
        return [*solved, triangular_solve(a, mlc.numpy.matrix_transpose(b), right=True), cholesky(p), cholesky(p, True)]

    text = mlc.to_stablehlo(program, A, P, B)
    assert text.count("stablehlo.triangular_solve") == 5 and text.count("stablehlo.cholesky") == 2
    for got, want in zip(mlc.compile(text)(A, P, B), mlc.jit(program)(A, P, B), strict=True):
        assert_matches(NEAR, got, want)
