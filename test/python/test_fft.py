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

RNG = np.random.default_rng(3)
LENGTHS = [(1,), (2,), (17,), (33,), (64,), (66,), (127,), (128,), (131,), (243,), (262,), (1000,), (131 * 137,)]
LENGTHS += [(4, 6), (3, 5, 7), (5, 1, 70)]


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


def test_functions() -> None:
    names = set()
    for line in CALLS.split("\n")[1:-1]:
        names.add(line.partition("(")[0])
        text = f"xp.fft.{line}".replace(", dtype=xp.float64", "") if "freq" in line else f"xp.fft.{line}"
        want = eval(text, {"xp": np, **INPUTS})
        with mlc.eager():
            arrays = {k: xp.asarray(v) for k, v in INPUTS.items()}
            got = np.asarray(eval(f"xp.fft.{line}".replace("f.real", "xp.real(f)"), {"xp": xp, **arrays}))
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
