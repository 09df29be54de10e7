"""Complex numbers in the Array API's functions: against NumPy's, eagerly and in one compiled program; element types."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from array_api_calls import flat
from mlc.runtime.matching import Tolerance, assert_matches

NEAR = Tolerance(ulp=16, sums=16, scale=4)
RNG = np.random.default_rng(7)
REAL = RNG.standard_normal((3, 3))
INPUTS: dict[str, Any] = {
    "z": REAL + 1j * RNG.standard_normal((3, 3)),
    "w": (REAL.T - 1j * RNG.standard_normal((3, 3))).astype(np.complex64),
    "x": REAL,
    "f": REAL.astype(np.float32),
    "b": REAL > 0,
}
CALLS = """
xp.astype(z, xp.complex64)
xp.astype(f, xp.complex128)
xp.full((2,), 1 + 2j, dtype=xp.complex128)
xp.zeros(3, dtype=xp.complex64)
xp.eye(2, dtype=xp.complex128)
xp.ones_like(w)
xp.full_like(z, 2j)
xp.linspace(0, 1 + 1j, num=5, dtype=xp.complex128)
xp.arange(3, dtype=xp.complex64)
xp.asarray([1 + 2j, 3], dtype=xp.complex128)
xp.tril(z)
xp.add(z, x)
xp.subtract(x, z)
z * 2.5 + 1
f * 1j
w * 1j - 2
z / x
xp.divide(1, w)
xp.multiply(z, w)
z ** 2
xp.pow(w, w)
2.0 ** z
-z
xp.positive(z)
xp.abs(z)
xp.sign(z)
xp.square(w)
xp.reciprocal(z)
xp.round(z * 3)
xp.conj(w)
xp.real(z)
xp.imag(w)
xp.imag(x)
xp.sqrt(z)
xp.exp(w)
xp.expm1(z)
xp.log(z)
xp.log1p(w)
xp.log2(z)
xp.log10(z)
xp.sin(z)
xp.cos(w)
xp.tan(z)
xp.sinh(z)
xp.cosh(w)
xp.tanh(z)
xp.asin(z)
xp.acos(w)
xp.atan(z)
xp.asinh(z)
xp.acosh(w)
xp.atanh(z)
xp.equal(z, w)
xp.not_equal(z, xp.conj(z))
xp.isnan(z / xp.zeros_like(x))
xp.isinf(z)
xp.isfinite(w)
xp.where(b, z, x)
xp.where(b, w, 0)
xp.sum(z, axis=0)
xp.prod(w, axis=1)
xp.mean(z, axis=1)
xp.sum(w, dtype=xp.complex128)
xp.cumulative_sum(z, axis=1, include_initial=True)
xp.cumulative_prod(w, axis=0)
xp.any(z, axis=0)
xp.all(w)
xp.count_nonzero(z)
xp.diff(z)
xp.matmul(z, z)
z @ x
xp.tensordot(w, w, axes=1)
xp.vecdot(z, w)
xp.vecdot(x, z, axis=-2)
xp.concat([z, x])
xp.stack([w, w], axis=-1)
xp.take(z, xp.asarray([2, 0]), axis=0)
xp.take_along_axis(z, xp.asarray([[0], [2], [1]]), axis=1)
xp.roll(z, 1, axis=1)
xp.flip(w)
xp.repeat(z, 2, axis=0)
xp.tile(w, (2, 1))
xp.broadcast_to(z, (2, 3, 3))
z.T
z[::-1, 1]
z[xp.asarray([0, 2])]
"""
LINES = CALLS.split("\n")[1:-1]


def value(text: str, namespace: Any, inputs: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        return flat(eval(text, {"xp": namespace, **inputs}))


def check(got: list[list[Any]]) -> None:
    wrong: list[str] = []
    for text, values in zip(LINES, got, strict=True):
        for g, w in zip(values, value(text, np, INPUTS), strict=True):
            try:
                assert_matches(NEAR, np.asarray(g), np.asarray(w))
            except AssertionError as error:
                wrong.append(f"{text}: {error}")
    assert not wrong, "\n".join(wrong)


def test_eager() -> None:
    with mlc.eager():
        inputs = {k: xp.asarray(a) for k, a in INPUTS.items()}
        got = [[np.asarray(y) for y in value(text, xp, inputs)] for text in LINES]
    check(got)


def test_compiled() -> None:
    check([list(y) for y in mlc.jit(lambda inputs: [value(text, xp, inputs) for text in LINES])(INPUTS)])


def test_element_types() -> None:
    assert xp.isdtype(xp.complex64, "complex floating") and not xp.isdtype(xp.complex64, "real floating")
    assert xp.isdtype(xp.complex128, ("integral", "numeric")) and not xp.isdtype(xp.float32, "complex floating")
    assert xp.result_type(xp.float32, 1j) == xp.complex64 and xp.result_type(xp.float64, 1j) == xp.complex128
    assert xp.result_type(xp.float64, xp.complex64) == xp.complex128 and xp.result_type(1j) == xp.complex64
    assert (
        xp.result_type(xp.complex64, xp.complex128) == xp.complex128
        and xp.result_type(xp.complex64, 2.0) == xp.complex64
    )
    assert xp.can_cast(xp.float32, xp.complex64) and not xp.can_cast(xp.complex64, xp.float64)
    assert not xp.can_cast(xp.float64, xp.complex64) and xp.can_cast(xp.complex64, xp.complex128)
    assert xp.finfo(xp.complex128).dtype == xp.float64 and xp.finfo(xp.complex64).bits == 32
    info = xp.__array_namespace_info__()
    assert info.dtypes(kind="complex floating") == {"complex64": xp.complex64, "complex128": xp.complex128}
    assert info.default_dtypes()["complex floating"] == xp.complex64
    with mlc.eager():
        assert xp.asarray(1j).dtype == xp.complex64 and xp.asarray([1j, 2]).dtype == xp.complex64
        assert complex(xp.asarray(1 - 2j)) == 1 - 2j and xp.full(2, 1j).dtype == xp.complex64


@pytest.mark.parametrize(
    "call",
    [
        *("xp.max(z)", "xp.min(z, axis=0)", "xp.argmax(z)", "xp.sort(z)", "xp.argsort(z)", "z < z", "xp.maximum(z, z)"),
        *(
            "xp.floor(z)",
            "xp.trunc(z)",
            "xp.remainder(z, 2)",
            "xp.floor_divide(z, z)",
            "xp.atan2(z, z)",
            "xp.hypot(z, z)",
        ),
        *("xp.bitwise_and(z, z)", "xp.searchsorted(z[0], z[0])", "xp.signbit(z)", "xp.var(z)", "xp.clip(z, 0.0, 1.0)"),
    ],
)
def test_what_needs_an_order_is_refused(call: str) -> None:
    with mlc.eager(), pytest.raises(mlc.CompileError, match="expected"):
        eval(call, {"xp": xp, "z": xp.asarray(INPUTS["z"])})


# Special cases: the standard's tables are those of C99, which NumPy's functions follow.

PARTS = [0.0, -0.0, 1.5, -1.5, np.inf, -np.inf, np.nan]
GRID = np.array([complex(a, b) for a in PARTS for b in PARTS])
FUNCTIONS = [
    *("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp"),
    *("log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh"),
]
EXPM1 = [
    (complex(0, 0), complex(0, 0)),
    *((complex(x, y), complex(np.nan, np.nan)) for x in (0.0, 1.5, -1.5) for y in (np.inf, np.nan)),
    (complex(np.inf, 0), complex(np.inf, 0)),
    (complex(-np.inf, 1.5), complex(-1, 0)),
    (complex(-np.inf, -1.5), complex(-1, -0.0)),
    (complex(np.inf, 1.5), complex(np.inf, np.inf)),
    (complex(np.inf, -3), complex(-np.inf, -np.inf)),
    (complex(-np.inf, np.inf), complex(-1, 0)),
    (complex(np.inf, np.inf), complex(np.inf, np.nan)),
    (complex(-np.inf, np.nan), complex(-1, 0)),
    (complex(np.inf, np.nan), complex(np.inf, np.nan)),
    (complex(np.nan, 0), complex(np.nan, 0)),
    (complex(np.nan, 1.5), complex(np.nan, np.nan)),
    (complex(np.nan, np.nan), complex(np.nan, np.nan)),
]
"""Here NumPy does not follow the standard."""


def same(z: complex, got: Any, want: Any) -> bool:
    """The parts agree; where one is NaN, or a zero has no direction, the sign of the other is left open."""
    open_ = bool(np.isnan(want)) or (np.isinf(z.real) and not np.isfinite(z.imag))
    for g, w in ((np.real(got), np.real(want)), (np.imag(got), np.imag(want))):
        g, w = (abs(g), abs(w)) if open_ else (g, w)
        if np.isnan(g) and np.isnan(w):
            continue
        if not np.isclose(g, w, rtol=1e-5) or np.signbit(g) != np.signbit(w):
            return False
    return True


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_special_cases(dtype: Any, compiled: bool) -> None:
    grid, given = GRID.astype(dtype), np.array([z for z, _ in EXPM1], dtype)

    def program(z: Any, e: Any) -> dict[str, Any]:
        return {**{f: getattr(xp, f)(z) for f in FUNCTIONS}, "expm1": xp.expm1(e)}

    if compiled:
        found = mlc.jit(program)(grid, given)
    else:
        with mlc.eager():
            found = {f: np.asarray(y) for f, y in program(xp.asarray(grid), xp.asarray(given)).items()}
    wrong: list[str] = []
    with np.errstate(all="ignore"):
        for f in FUNCTIONS:
            for z, got, want in zip(GRID, found[f], getattr(np, f)(GRID), strict=True):
                wrong += [] if same(z, got, want) else [f"{f}({z}): got {got}, want {want}"]
        for (z, want), got in zip(EXPM1, found["expm1"], strict=True):
            wrong += [] if same(z, got, want) else [f"expm1({z}): got {got}, want {want}"]
    assert not wrong, "\n".join(wrong)
