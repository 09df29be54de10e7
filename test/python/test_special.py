"""`mlc.special`: every function against the standard library and series, where values are known, and slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlc
import numpy as np
import pytest
from mlc import special as S
from mlc.runtime.matching import Tolerance, assert_matches

NEAR = Tolerance(ulp=64, sums=16, scale=4)
X = np.array([0.3, 1.0, 2.5, 4.75])


def bessel(order: int, x: float) -> float:
    return sum((x / 2) ** (2 * k + order) / (math.factorial(k) * math.factorial(k + order)) for k in range(40))


def lower_gamma(a: float, x: float) -> float:
    terms = (x**n / math.prod(a + k for k in range(n + 1)) for n in range(120))
    return math.exp(a * math.log(x) - x - math.lgamma(a)) * math.fsum(terms)


EULER = 0.5772156649015329
KNOWN: dict[str, tuple[Callable[..., Any], Any]] = {
    "bessel_i0": (S.bessel_i0, [bessel(0, x) for x in X]),
    "bessel_i0e": (S.bessel_i0e, [bessel(0, x) * math.exp(-x) for x in X]),
    "bessel_i1": (S.bessel_i1, [bessel(1, x) for x in X]),
    "bessel_i1e": (S.bessel_i1e, [bessel(1, x) * math.exp(-x) for x in X]),
    "digamma": (lambda x: S.digamma(x - x + 1), [-EULER] * 4),
    "erf": (S.erf, [math.erf(x) for x in X]),
    "erf_inv": (lambda x: S.erf_inv(S.erf(x / 4)), X / 4),
    "erfc": (S.erfc, [math.erfc(x) for x in X]),
    "gammainc": (lambda x: S.gammainc(1.5, x), [lower_gamma(1.5, x) for x in X]),
    "gammaincc": (lambda x: S.gammaincc(1.5, x), [1 - lower_gamma(1.5, x) for x in X]),
    "lgamma": (S.lgamma, [math.lgamma(x) for x in X]),
    "next_after": (lambda x: S.next_after(x, 9.0), np.nextafter(X, 9.0)),
    "polygamma": (lambda x: S.polygamma(1.0, x - x + 1), [math.pi**2 / 6] * 4),
    "zeta": (lambda x: S.zeta(2.0, x - x + 1), [math.pi**2 / 6] * 4),
}
SLOPES = {n: f for n, (f, _) in KNOWN.items() if n not in ("next_after",)}
SLOPES |= {"digamma": S.digamma, "polygamma": lambda x: S.polygamma(1.0, x), "zeta": lambda x: S.zeta(2.5, x)}


def test_every_function_is_here() -> None:
    assert sorted(KNOWN) == sorted(n for n in vars(S) if not n.startswith("_"))


def test_values() -> None:
    names = list(KNOWN)
    for name, got in zip(names, mlc.jit(lambda x: [KNOWN[n][0](x) for n in names])(X), strict=True):
        try:
            assert_matches(NEAR, np.asarray(got), np.asarray(KNOWN[name][1]))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


def test_edges_of_the_incomplete_gamma_functions() -> None:
    a = np.array([2, 2, 0, 2, 2, 100, 0.01], np.float32)
    x = np.array([0, np.inf, 1, -1, np.nan, 100, 30], np.float32)
    lower, upper = mlc.jit(lambda a, x: (S.gammainc(a, x), S.gammaincc(a, x)))(a, x)
    nan = np.nan
    assert_matches(Tolerance(ulp=2000), lower, np.array([0, 1, nan, nan, nan, 0.51329880, 1], np.float32))
    assert_matches(Tolerance(ulp=2000), upper, np.array([1, 0, nan, nan, nan, 0.48670120, 3.1449122e-17], np.float32))


def test_slopes() -> None:
    names, step = list(SLOPES), 1e-6

    def slopes(x: Any) -> Any:
        return [mlc.jvp(SLOPES[n], (x,), (mlc.numpy.ones_like(x),))[1] for n in names]

    f = mlc.jit(lambda x: [SLOPES[n](x) for n in names])
    for name, got, ahead, behind in zip(names, mlc.jit(slopes)(X), f(X + step), f(X - step), strict=True):
        want = (np.asarray(ahead) - np.asarray(behind)) / (2 * step)
        assert np.allclose(got, want, rtol=1e-6, atol=1e-8), name


def test_reverse_mode_refuses_the_loops() -> None:
    with pytest.raises(mlc.CompileError, match="while"):
        mlc.grad(lambda x: S.gammainc(1.5, x).sum())(X)
