"""`nd.fft` and `mlc.numpy.fft` against NumPy: lengths of all kinds, axes, norms, derivatives."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from mlc.dialects.nd import fourier
from mlc.dialects.nd.fft import KINDS, Fft, fft
from mlc.dialects.nd.promotion import asarray
from mlc.runtime.matching import Tolerance, assert_matches
from sampling import sample

RNG = np.random.default_rng(3)
LENGTHS = [(1,), (23,), (66,), (127,), (128,), (131,), (262,), (2187,), (131 * 137,), (3, 4, 7), (5, 1, 70)]
SHORT = (1, 2, 3, 4, 5, 6, 8, 12, 13, 15, 16, 17, 20, 30, 32, 33, 36, 60, 64)


def operand(kind: str, sizes: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
    shape = (2, *sizes[:-1], sizes[-1] // 2 + 1 if kind == "irfft" else sizes[-1])
    x = RNG.standard_normal(shape)
    if kind == "rfft":
        return x.astype(dtype)
    return (x + 1j * RNG.standard_normal(shape)).astype(np.result_type(dtype, np.complex64))


def parts(x: Any) -> list[np.ndarray]:
    x = np.asarray(x)
    return [x.real, x.imag] if np.iscomplexobj(x) else [x]


def near(op: Fft, x: np.ndarray, got: np.ndarray, want: np.ndarray) -> None:
    assert got.dtype == want.dtype
    sums = op.tolerance.sums * float(np.sqrt(op.terms(x)))
    for g, w in zip(parts(got), parts(want), strict=True):
        assert_matches(Tolerance(0, sums, float(np.max(op.magnitude(x)))), g, w)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_algorithm(kind: str, dtype: Any) -> None:
    """What is computed is what the reference says, for factors of all sizes, primes, and real numbers of both kinds."""
    for sizes in LENGTHS:
        x = operand(kind, sizes, dtype)
        with mlc.eager():
            whole = fft(asarray(x), kind, sizes)
            op = whole.value.owner
            assert isinstance(op, Fft)
            got, want = np.asarray(op.decompose(asarray(x))), np.asarray(whole)
        near(op, x, got, want)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_short_transforms_are_numpys_in_every_bit(dtype: Any) -> None:
    """NumPy transforms f32 in f32 where the factor is of f32 too, as in inverse transforms; f64 always."""
    for n in SHORT:
        for kind in ("ifft", "irfft") if dtype is np.float32 else tuple(KINDS):
            x = operand(kind, (n,), dtype)
            with mlc.eager():
                op = fft(asarray(x), kind, (n,)).value.owner
                assert isinstance(op, Fft)
                got = np.asarray(op.decompose(asarray(x)))
            want = getattr(np.fft, kind)(x, n)
            assert got.dtype == want.dtype and np.array_equal(got, want), (kind, n)


def test_compiled_and_batched() -> None:
    z, x = operand("fft", (6, 20), np.float32), operand("rfft", (6, 70))
    got = mlc.jit(lambda z, x: (xp.fft.fftn(z, axes=(1, 2)), xp.fft.irfft(xp.fft.rfft(x)), xp.fft.rfft(x)))(z, x)
    for g, w in zip(got, (np.fft.fftn(z, axes=(1, 2)), x, np.fft.rfft(x)), strict=True):
        for a, b in zip(parts(g), parts(w.astype(g.dtype)), strict=True):
            assert_matches(Tolerance(8, 16, 1), a, b)
    y = mlc.jit(mlc.vmap(lambda v: xp.fft.ifft(v, axis=0), in_axes=2))(z)
    for a, b in zip(parts(y), parts(np.fft.ifft(z.transpose(2, 0, 1), axis=1)), strict=True):
        assert_matches(Tolerance(8, 8, 1), a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives(kind: str) -> None:
    """The gradient of re(sum w y) is the transposed matrix times w; along any direction the slope is the op's value."""

    def loss(v: Any, sizes: tuple[int, ...], a: Any, b: Any) -> Any:
        y = fft(v, kind, sizes)
        return xp.sum(xp.real(y) * a) + xp.sum(xp.imag(y) * b)

    for sizes in ((6,), (7,), (3, 4)):
        x, direction = operand(kind, sizes), operand(kind, sizes)
        with mlc.eager():
            shape = fft(asarray(x), kind, sizes).shape
            a, b = RNG.standard_normal(shape), RNG.standard_normal(shape)
            gradient = np.asarray(mlc.grad(lambda v, sizes=sizes, a=a, b=b: loss(v, sizes, a, b))(asarray(x)))
            slope = float(loss(asarray(direction), sizes, a, b))
        assert gradient.dtype == x.dtype
        assert_matches(Tolerance(0, 64, 4), np.sum(gradient * direction).real, np.float64(slope))


def test_factors() -> None:
    assert fourier.factors(1024) == [32, 32] and fourier.factors(64) == [64] and fourier.factors(131) == [131]
    for n in [*range(1, 300), 1000, 4096, 30030]:
        assert np.prod(fourier.factors(n)) == n
    exact = np.exp(-2j * np.pi * np.arange(12) / 12)
    np.testing.assert_allclose(fourier.roots(12, np.arange(-12, 12)), np.tile(exact, 2), rtol=0, atol=3e-15)
    assert fourier.roots(8, np.arange(0, 8, 2)).tolist() == [1, -1j, -1, 1j]


X = RNG.standard_normal((3, 4, 5))
Z = X + 1j * RNG.standard_normal((3, 4, 5))
CALLS = """
fft(z)
fft(x)
fft(i)
fft(z, n=7, axis=1)
fft(z, n=2, axis=0, norm="ortho")
ifft(z)
ifft(z, axis=-2, norm="forward")
ifft(x, n=6, norm="ortho")
fftn(z)
fftn(x, axes=(2, 0))
fftn(z, s=(2, 6), axes=(1, 2), norm="forward")
fftn(f)
fftn(f, axes=(3, 0, 1, 2), norm="ortho")
ifftn(z, s=(3, 3), axes=(0, 2), norm="ortho")
ifftn(z, norm="forward")
ifftn(f)
rfft(x)
rfft(x, n=8, axis=0, norm="ortho")
rfft(x, n=3, norm="forward")
irfft(z)
irfft(z, n=9, axis=1)
irfft(z, n=3, norm="ortho")
irfft(x, n=8, axis=0, norm="forward")
rfftn(x)
rfftn(x, s=(2, 6), axes=(2, 1), norm="ortho")
rfftn(f.real)
irfftn(z)
irfftn(z, s=(4, 7), axes=(2, 0), norm="forward")
irfftn(f)
hfft(z)
hfft(z, n=7, axis=1, norm="ortho")
hfft(x, norm="forward")
ihfft(x)
ihfft(x, n=4, axis=0, norm="forward")
ihfft(x, norm="ortho")
fftfreq(5, dtype=xp.float64)
fftfreq(6, d=0.5, dtype=xp.float64)
rfftfreq(5, dtype=xp.float64)
rfftfreq(6, d=0.25, dtype=xp.float64)
fftshift(x)
fftshift(x, axes=1)
fftshift(z, axes=(0, 2))
ifftshift(x)
ifftshift(z, axes=(1, -1))
"""
INPUTS = {"x": X, "z": Z, "i": (X * 4).astype(np.int64), "f": RNG.standard_normal((2, 3, 2, 4)) + 0j}


LINES = CALLS.split("\n")[1:-1]


def called(line: str, inputs: dict[str, Any]) -> Any:
    return eval(f"xp.fft.{line}".replace("f.real", "xp.real(f)"), {"xp": xp, **inputs})


def test_functions_compiled() -> None:
    """Some, all with MLC_TEST_FULL=1: what is compiled is what the eager values below are compared with."""
    lines = sample(LINES, 6, "fft")
    got = mlc.jit(lambda inputs: [called(line, inputs) for line in lines])(INPUTS)
    with mlc.eager():
        arrays = {k: xp.asarray(v) for k, v in INPUTS.items()}
        want = [np.asarray(called(line, arrays)) for line in lines]
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        for a, b in zip(parts(g), parts(w), strict=True):
            assert_matches(Tolerance(8, 8, 1), a, b)


def test_functions() -> None:
    names: set[str] = set()
    for line in LINES:
        names.add(line.partition("(")[0])
        text = f"xp.fft.{line}".replace(", dtype=xp.float64", "") if "freq" in line else f"xp.fft.{line}"
        want = eval(text, {"xp": np, **INPUTS})
        with mlc.eager():
            arrays = {k: xp.asarray(v) for k, v in INPUTS.items()}
            got = np.asarray(called(line, arrays))
        if "(i)" in line:
            want = want.astype(np.complex64)
        assert got.shape == want.shape and got.dtype == want.dtype, (line, got.dtype, want.dtype)
        for g, w in zip(parts(got), parts(want), strict=True):
            assert_matches(Tolerance(8, 8, 1), g, w)
    assert names == set(xp.fft.__all__)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, z: xp.fft.fft(x, n=0), "expected a length from 1 on, found 0"),
        (lambda x, z: xp.fft.fft(x, norm="both"), "expected a norm of backward, ortho, forward, found 'both'"),
        (lambda x, z: xp.fft.fft(x, axis=3), "expected an axis from -3 to 2, found 3"),
        (lambda x, z: xp.fft.rfft(z), "expected real numbers, found"),
        (lambda x, z: xp.fft.fftn(x, s=(1, 2), axes=(0,)), "expected a length for each of 1 axes, found 2"),
        (lambda x, z: xp.fft.fftn(x, axes=(0, -3)), "expected different axes"),
        (lambda x, z: xp.fft.fftn(x, s=(1, 2, 3, 4)), "expected at most 3 lengths"),
        (lambda x, z: xp.fft.fftfreq(4, dtype=xp.int32), "expected a real float type, found i32"),
        (lambda x, z: xp.fft.rfftfreq(0), "expected a length from 1 on"),
    ],
)
def test_errors(call: Any, message: str) -> None:
    with mlc.eager(), pytest.raises(mlc.CompileError, match=message):
        call(xp.asarray(X), xp.asarray(Z))
