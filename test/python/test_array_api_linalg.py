"""The extension `linalg` against NumPy's, and factors by what they multiply to; eagerly and compiled."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from array_api_calls import RNG, flat
from mlc.runtime.matching import Tolerance, assert_matches

NEAR = Tolerance(ulp=512, sums=512, scale=16)
L = xp.linalg
SQUARE = RNG.standard_normal((2, 4, 4)) + 2 * np.eye(4)
INPUTS = {
    "a": SQUARE,
    "b": RNG.standard_normal((4, 3)),
    "h": SQUARE @ SQUARE.transpose(0, 2, 1) + np.eye(4),
    "t": RNG.standard_normal((2, 5, 3)),
    "w": RNG.standard_normal((3, 5)),
    "i": RNG.integers(-5, 5, (2, 4, 5)).astype(np.int32),
    "z": np.array([[1.0, 2, 3], [2, 4, 6], [0, 0, 0]]),
}

SHORT = """
L.cross(a[..., :3], b.mT[:2, None, :3])
L.cross(a[:, :3], t[:, :3, :1], axis=-2)
L.diagonal(i)
L.diagonal(i, offset=2)
L.diagonal(i, offset=-3)
L.diagonal(i, offset=9)
L.trace(i)
L.trace(a, offset=-1)
L.trace(i, dtype=xp.float64)
L.outer(b[0], b[:, 0])
L.matmul(a, b)
L.matrix_transpose(t)
L.tensordot(t, w, axes=1)
L.vecdot(t, w[:, :3][0])
L.vector_norm(t)
L.vector_norm(t, axis=(0, 2), ord=1)
L.vector_norm(t, axis=-1, keepdims=True, ord=xp.inf)
L.vector_norm(t, axis=1, ord=-xp.inf)
L.vector_norm(z, axis=0, ord=0)
L.vector_norm(t, axis=1, ord=3)
L.vector_norm(t, axis=1, ord=-2)
L.matrix_norm(t)
L.matrix_norm(t, keepdims=True, ord=1)
L.matrix_norm(t, ord=-1)
L.matrix_norm(t, ord=xp.inf)
L.matrix_norm(w, ord=-xp.inf)
"""
LOOPS = """
L.det(a)
L.det(z)
L.slogdet(-a)
L.slogdet(z)
L.solve(a, b)
L.solve(a, b[:, 0])
L.inv(a)
L.matrix_power(a, 5)
L.matrix_power(a, 0)
L.matrix_power(a, -2)
L.cholesky(h)
L.cholesky(h, upper=True)
L.eigvalsh(h)
L.svdvals(t)
L.svdvals(w)
L.matrix_norm(t, ord="nuc")
L.matrix_norm(t, ord=2, keepdims=True)
L.matrix_norm(t, ord=-2)
L.matrix_rank(z)
L.matrix_rank(t, rtol=0.9)
L.pinv(t)
L.pinv(z)
"""
SHORT_TEXTS, LOOP_TEXTS = SHORT.split("\n")[1:-1], LOOPS.split("\n")[1:-1]


def value(text: str, namespace: Any, inputs: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return flat(eval(text, {"xp": namespace, "L": namespace.linalg, **inputs}))


def same(texts: list[str], results: list[list[Any]], inputs: dict[str, Any] = INPUTS) -> None:
    wrong = []
    for text, got in zip(texts, results, strict=True):
        for g, w in zip(got, value(text, np, inputs), strict=True):
            try:
                assert_matches(NEAR, np.asarray(g), np.asarray(w))
            except AssertionError as error:
                wrong.append(f"{text}: {error}")
    assert not wrong, "\n".join(wrong)


def factors(*xs: Any) -> Any:
    """Of each matrix, in both modes, and of the square ones eigenvectors."""
    return [
        [L.qr(x) for x in xs],
        [L.qr(x, mode="complete") for x in xs],
        [L.svd(x) for x in xs],
        [L.svd(x, full_matrices=False) for x in xs],
        [L.eigh(x) for x in xs if x.shape[-1] == x.shape[-2]],
    ]


def orthonormal(q: np.ndarray) -> None:
    """Are the columns?"""
    assert_matches(
        NEAR,
        np.conj(q.swapaxes(-1, -2)) @ q,
        np.broadcast_to(np.eye(q.shape[-1], dtype=q.dtype), q.shape[:-2] + 2 * q.shape[-1:]),
    )


def check_factors(found: Any, *xs: np.ndarray) -> None:
    reduced_qr, complete_qr, full_svd, reduced_svd, eigh = found
    for x, pair in zip((*xs, *xs), (*reduced_qr, *complete_qr), strict=True):
        q, r = map(np.asarray, pair)
        orthonormal(q)
        assert_matches(NEAR, q @ r, x)
        assert (np.tril(r, -1) == 0).all()
    for x, three in zip((*xs, *xs), (*full_svd, *reduced_svd), strict=True):
        u, s, vh = map(np.asarray, three)
        k = s.shape[-1]
        orthonormal(u)
        orthonormal(np.conj(vh.swapaxes(-1, -2)))
        assert_matches(NEAR, u[..., :k] * s[..., None, :] @ vh[..., :k, :], x)
        assert (np.diff(s) <= 0).all() and (s >= 0).all()
    for x, pair in zip([x for x in xs if x.shape[-1] == x.shape[-2]], eigh, strict=True):
        values, vectors = map(np.asarray, pair)
        orthonormal(vectors)
        mean = (x + np.conj(x.swapaxes(-1, -2))) / 2
        assert_matches(NEAR, mean @ vectors, vectors * values[..., None, :])
        assert (np.diff(values) >= 0).all()


def test_eager() -> None:
    with mlc.eager():
        inputs = {k: xp.asarray(a) for k, a in INPUTS.items()}
        texts = SHORT_TEXTS + LOOP_TEXTS
        same(texts, [value(text, xp, inputs) for text in texts])
        check_factors(factors(*(inputs[k] for k in "twhz")), *(INPUTS[k] for k in "twhz"))


def test_compiled() -> None:
    def program(inputs: dict[str, Any]) -> Any:
        return [value(text, xp, inputs) for text in texts], factors(inputs["h"])

    texts = [*SHORT_TEXTS, *LOOP_TEXTS[:3], "L.solve(a, b)", "L.cholesky(h)", "L.pinv(z)"]
    results, found = mlc.jit(program)(INPUTS)
    same(texts, results)
    check_factors(found, INPUTS["h"])


def test_gradients() -> None:
    """Of a sum of the results with weights, in a direction, against a difference."""
    along = RNG.standard_normal((3, 3))
    for f in (
        L.det,
        L.inv,
        lambda x: L.slogdet(x).logabsdet,
        lambda x: L.cholesky(x @ x.mT),
        lambda x: L.solve(x, x[0]),
        lambda x: L.qr(x).R,
    ):
        x = SQUARE[0, :3, :3]

        def loss(x: Any, f: Any = f) -> Any:
            y = f(x)
            return xp.sum(y * xp.reshape(xp.arange(1.0, y.size + 1, dtype=xp.float64), y.shape))

        with mlc.eager():
            slope = float(np.sum(np.asarray(mlc.grad(loss)(x)) * along))
            ahead, behind = (float(loss(xp.asarray(x + h * along))) for h in (1e-6, -1e-6))
        assert_matches(Tolerance(sums=1e8, scale=8), np.asarray(slope), np.asarray((ahead - behind) / 2e-6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: L.det(x[:2]), r"det: expected square matrices .*, found tensor<2x3xf64>"),
        (lambda x: L.solve(x, x[:2]), r"solve: expected right-hand sides of 3 elements"),
        (lambda x: L.cross(x, x[:, :2]), r"cross: expected vectors of 3 elements in axis -1"),
        (lambda x: L.qr(x, mode="full"), r"qr: expected a mode of reduced or complete, found 'full'"),
        (lambda x: L.matrix_norm(x, ord=3), r"matrix_norm: expected an order of .*, found 3"),
        (lambda x: L.matrix_transpose(x[0]), "expected matrices, which have at least two dimensions"),
    ],
)
def test_refused(call: Any, message: str) -> None:
    with pytest.raises(mlc.CompileError, match=message), mlc.eager():
        call(xp.asarray(SQUARE[0, :3, :3]))
