"""Every row of the emission's table, run natively on special values; constants bit for bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emit_cases import DTYPES, MACHINES, function, native
from mlc.dialects.nd.op import EXACT
from mlc.lowering.emit.kernel import emit_kernel
from mlc.lowering.emit.numbers import EXTREMES
from mlc.lowering.emit.table import FLOAT_PREDICATES, INTEGER_PREDICATES, TABLE
from mlc.runtime import jit
from mlc.runtime.matching import assert_matches

F32 = np.float32(
    [0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -7, 1e-40, -1e-40, 3e38, -3e38, 5e9, -5e9, np.inf, -np.inf, np.nan]
)
VALUES: dict[str, np.ndarray] = {
    "f32": F32,
    "f64": np.concatenate([F32.astype(np.float64), [1e-310, 1e300, 2.0**52 + 0.5, 1e19, -1e19]]),
    "i32": np.int32([0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, 100, -100, 2**31 - 1, -(2**31)]),
    "i64": np.int64([0, 1, -1, 2, -2, 3, 7, -7, 63, 64, 65, 100, -100, 2**63 - 1, -(2**63)]),
    "i1": np.array([False, True]),
    "i8": np.int8([0, 1, -1, 2, 7, 8, -7, 127, -128]),
}
INTEGERS, FLOATS = ("i32", "i64", "i8"), ("f32", "f64")
Reference = Callable[..., np.ndarray]


def _unsigned(a: np.ndarray) -> np.ndarray:
    return a.view(f"u{a.itemsize}")


def _signed(a: np.ndarray, like: np.ndarray) -> np.ndarray:
    return a.astype(_unsigned(like).dtype).view(like.dtype)


def _divided(a: np.ndarray, b: np.ndarray, rounding: Callable[[int, int], int]) -> np.ndarray:
    """Exact division of Python integers, wrapped; by zero: 0."""
    exact = [rounding(int(x), int(y)) if y else 0 for x, y in zip(a.ravel(), b.ravel())]
    return np.array([n % (1 << 8 * a.itemsize) for n in exact], f"u{a.itemsize}").view(a.dtype).reshape(a.shape)


def _truncated(x: int, y: int) -> int:
    return abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


def _shifted(a: np.ndarray, b: np.ndarray, operation: str) -> np.ndarray:
    width, amount = 8 * a.itemsize, _unsigned(b)
    within = np.minimum(amount, width - 1)
    if operation == "shrsi":
        return (a >> within.astype(a.dtype)).astype(a.dtype)
    ua = _unsigned(a)
    moved = ua << within if operation == "shli" else ua >> within
    return np.where(amount < width, moved, 0).astype(ua.dtype).view(a.dtype)


def _saturated(a: np.ndarray, result: np.dtype) -> np.ndarray:
    info = np.iinfo(result)
    out = [
        0
        if np.isnan(x)
        else int(min(max(x, info.min), info.max))
        if np.isfinite(x)
        else (info.max if x > 0 else info.min)
        for x in a
    ]
    return np.array(out, result)


def _round_half_away(a: np.ndarray) -> np.ndarray:
    return np.copysign(
        np.where(np.abs(a) >= 2.0**52, np.abs(a), np.trunc(np.abs(a)) + (np.abs(a) - np.trunc(np.abs(a)) >= 0.5)), a
    )


def _number(extreme: Reference) -> Reference:
    return lambda a, b: np.where(np.isnan(a), b, np.where(np.isnan(b), a, extreme(a, b)))


# Name: (dtypes, reference)
BINARY: dict[str, tuple[tuple[str, ...], Reference]] = {
    "arith.addi": (INTEGERS, lambda a, b: a + b),
    "arith.subi": (INTEGERS, lambda a, b: a - b),
    "arith.muli": (INTEGERS, lambda a, b: a * b),
    "arith.divsi": (INTEGERS, lambda a, b: _divided(a, b, _truncated)),
    "arith.remsi": (INTEGERS, lambda a, b: _divided(a, b, lambda x, y: x - y * _truncated(x, y))),
    "arith.floordivsi": (INTEGERS, lambda a, b: _divided(a, b, lambda x, y: x // y)),
    "arith.ceildivsi": (INTEGERS, lambda a, b: _divided(a, b, lambda x, y: -(-x // y))),
    "arith.divui": (
        INTEGERS,
        lambda a, b: _divided(_unsigned(a), _unsigned(b), lambda x, y: x // y).view(a.dtype),
    ),
    "arith.remui": (
        INTEGERS,
        lambda a, b: _divided(_unsigned(a), _unsigned(b), lambda x, y: x % y).view(a.dtype),
    ),
    "arith.minsi": (INTEGERS, np.minimum),
    "arith.maxsi": (INTEGERS, np.maximum),
    "arith.minui": (INTEGERS, lambda a, b: np.minimum(_unsigned(a), _unsigned(b)).view(a.dtype)),
    "arith.maxui": (INTEGERS, lambda a, b: np.maximum(_unsigned(a), _unsigned(b)).view(a.dtype)),
    "arith.andi": ((*INTEGERS, "i1"), lambda a, b: a & b),
    "arith.ori": ((*INTEGERS, "i1"), lambda a, b: a | b),
    "arith.xori": ((*INTEGERS, "i1"), lambda a, b: a ^ b),
    "arith.shli": (INTEGERS, lambda a, b: _shifted(a, b, "shli")),
    "arith.shrui": (INTEGERS, lambda a, b: _shifted(a, b, "shrui")),
    "arith.shrsi": (INTEGERS, lambda a, b: _shifted(a, b, "shrsi")),
    "arith.addf": (FLOATS, lambda a, b: a + b),
    "arith.subf": (FLOATS, lambda a, b: a - b),
    "arith.mulf": (FLOATS, lambda a, b: a * b),
    "arith.divf": (FLOATS, lambda a, b: a / b),
    "arith.maximumf": (FLOATS, np.maximum),
    "arith.minimumf": (FLOATS, np.minimum),
    "arith.maxnumf": (FLOATS, _number(np.maximum)),
    "arith.minnumf": (FLOATS, _number(np.minimum)),
    "math.copysign": (FLOATS, np.copysign),
}
UNARY: dict[str, tuple[tuple[str, ...], Reference]] = {
    "arith.negf": (FLOATS, lambda a: -a),
    "math.absi": (INTEGERS, np.abs),
    "math.ctpop": (("i32", "i64"), lambda a: np.array([bin(int(x)).count("1") for x in _unsigned(a)], a.dtype)),
    "math.ctlz": (
        INTEGERS,
        lambda a: np.array([8 * a.itemsize - int(x).bit_length() for x in _unsigned(a)], a.dtype),
    ),
    "math.sqrt": (FLOATS, np.sqrt),
    "math.rsqrt": (FLOATS, lambda a: (1 / np.sqrt(a)).astype(a.dtype)),
    "math.absf": (FLOATS, np.abs),
    "math.floor": (FLOATS, np.floor),
    "math.ceil": (FLOATS, np.ceil),
    "math.trunc": (FLOATS, np.trunc),
    "math.round": (FLOATS, _round_half_away),
    "math.roundeven": (FLOATS, np.rint),
}
FLOAT_COMPARISONS: dict[str, Reference] = {
    "false": lambda a, b: np.zeros(a.shape, bool),
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "ne": lambda a, b: a != b,
}
INTEGER_COMPARISONS = {**FLOAT_COMPARISONS}
CASTS: list[tuple[str, str, str, Reference]] = [
    *(("arith.sitofp", a, b, lambda x, t: x.astype(t)) for a in INTEGERS for b in FLOATS),
    *(("arith.uitofp", a, b, lambda x, t: _unsigned(x).astype(t)) for a in ("i32", "i64", "i8") for b in FLOATS),
    ("arith.uitofp", "i1", "f32", lambda x, t: x.astype(t)),
    *(("arith.fptosi", a, b, _saturated) for a in FLOATS for b in ("i32", "i64")),
    *(
        ("arith.fptoui", a, b, lambda x, t: _saturated(x, np.dtype(f"u{t.itemsize}")).view(t))
        for a in FLOATS
        for b in ("i32", "i64")
    ),
    ("arith.extf", "f32", "f64", lambda x, t: x.astype(t)),
    ("arith.truncf", "f64", "f32", lambda x, t: x.astype(t)),
    *(
        ("arith.trunci", a, b, lambda x, t: (x & 1).astype(bool) if t.kind == "b" else x.astype(t))
        for a, b in (("i64", "i32"), ("i64", "i8"), ("i32", "i8"), ("i32", "i1"), ("i8", "i1"))
    ),
    *(
        ("arith.extsi", a, b, lambda x, t: -x.astype(t) if x.dtype == bool else x.astype(t))
        for a, b in (("i32", "i64"), ("i8", "i32"), ("i1", "i32"))
    ),
    *(
        ("arith.extui", a, b, lambda x, t: x.astype(t) if x.dtype == bool else _unsigned(x).astype(t))
        for a, b in (("i32", "i64"), ("i8", "i32"), ("i1", "i8"), ("i1", "i64"))
    ),
    *(
        ("arith.bitcast", a, b, lambda x, t: x.view(t))
        for a, b in (("f32", "i32"), ("i32", "f32"), ("f64", "i64"), ("i64", "f64"))
    ),
    ("arith.index_cast", "i32", "index", lambda x, t: x.astype(t)),
    ("arith.index_cast", "i64", "index", lambda x, t: x.astype(t)),
    ("arith.index_castui", "i32", "index", lambda x, t: _unsigned(x).astype(t)),
]


def rows() -> list[tuple[str, tuple[str, ...], str, str, Reference]]:
    """(operation, operand types, result type, properties, reference) of everything that the table can do."""
    out: list[tuple[str, tuple[str, ...], str, str, Reference]] = []
    for table, count in ((BINARY, 2), (UNARY, 1)):
        out += [(n, (t,) * count, t, "", f) for n, (types, f) in table.items() for t in types]
    for i, p in enumerate(INTEGER_PREDICATES):
        base = FLOAT_COMPARISONS[p[-2:]]
        f = base if p[0] != "u" else lambda a, b, base=base: base(_unsigned(a), _unsigned(b))
        out += [("arith.cmpi", (t, t), "i1", f" <{{predicate = {i} : i64}}>", f) for t in INTEGERS]
    for i, p in enumerate(FLOAT_PREDICATES):
        if p in ("ord", "uno"):
            f = lambda a, b, p=p: (np.isnan(a) | np.isnan(b)) == (p == "uno")
        elif p in ("true", "false"):
            f = lambda a, b, p=p: np.full(a.shape, p == "true")
        else:
            base, unordered = FLOAT_COMPARISONS[p[1:]], p[0] == "u"
            f = lambda a, b, base=base, u=unordered: np.where(np.isnan(a) | np.isnan(b), u, base(a, b))
        out += [("arith.cmpf", (t, t), "i1", f" <{{predicate = {i} : i64}}>", f) for t in FLOATS]
    out += [("arith.select", ("i1", t, t), t, "", np.where) for t in ("f32", "f64", "i32", "i64", "i1")]
    out += [(n, (a,), b, "", lambda x, f=f, b=b: f(x, np.dtype(DTYPES[b]))) for n, a, b, f in CASTS]
    out += [("math.fma", (t, t, t), t, "", _fma) for t in FLOATS]
    return out


def _fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    wide = a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)
    return wide.astype(a.dtype)


ROWS = rows()


def test_every_row_is_tested() -> None:
    assert {name for name, *_ in ROWS} == set(TABLE) - {"vector.fma", *EXTREMES.values()}


def table_kernel(name: str, operands: tuple[str, ...], result: str, properties: str, n: int, width: int) -> str:
    """`name` over n elements, `width` at a time (1: scalars)."""
    kind = (lambda t: f"vector<{width}x{t}>") if width > 1 else (lambda t: t)
    load, store = ("vector.load", "vector.store") if width > 1 else ("memref.load", "memref.store")
    suffix = (lambda t: f", {kind(t)}") if width > 1 else (lambda t: "")
    buffers = ", ".join(f"%x{i}: memref<{n}x{t}>" for i, t in enumerate(operands))
    loads = "\n".join(f"%v{i} = {load} %x{i}[%i] : memref<{n}x{t}>{suffix(t)}" for i, t in enumerate(operands))
    arguments = ", ".join(f"%v{i}" for i in range(len(operands)))
    types = ", ".join(kind(t) for t in operands)
    return f"""func.func @k({buffers}, %out: memref<{n}x{result}>) {{
      %c0 = arith.constant 0 : index
      %n = arith.constant {n} : index
      %w = arith.constant {width} : index
      scf.for %i = %c0 to %n step %w {{
        {loads}
        %r = "{name}"({arguments}){properties} : ({types}) -> {kind(result)}
        {store} %r, %out[%i] : memref<{n}x{result}>{suffix(result)}
      }}
      func.return
    }}"""


def same(got: np.ndarray, want: np.ndarray) -> None:
    """Equal, any NaN for NaN; the signs of zeros are the matter of a test of their own."""
    unsigned = [np.where(x == 0, x.dtype.type(0), x) for x in (got, want)]
    assert_matches(EXACT, *unsigned)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ["maximumf", "minimumf"])
def test_extremes_hold_the_negative_zero_below_the_positive(name: str, dtype: str, machine: str) -> None:
    a, b = (np.resize(np.array(v, DTYPES[dtype]), 60) for v in ([-0.0, 0.0, -0.0, 0.0], [0.0, -0.0, -0.0, 0.0]))
    want = np.signbit(a) & np.signbit(b) if name == "maximumf" else np.signbit(a) | np.signbit(b)
    for width in (60, 1):
        out = np.full(60, np.nan, DTYPES[dtype])
        native(table_kernel(f"arith.{name}", (dtype, dtype), dtype, "", 60, width), machine)(a, b, out)
        assert np.all(out == 0)
        assert_matches(EXACT, np.signbit(out), want)


# One machine is enough for the many predicates of a comparison.
TABLE_CASES = [
    pytest.param(r, m, id=f"{r[0]}-{'-'.join(r[1])}-{r[2]}{r[3][14:-9]}-{m}")
    for r in ROWS
    for m in (MACHINES if not r[3] else ["host"])
]


@pytest.mark.parametrize(("row", "machine"), TABLE_CASES)
def test_table(row: tuple[Any, ...], machine: str) -> None:
    name, operands, result, properties, reference = row
    grids = np.meshgrid(*(VALUES[t] for t in operands))
    inputs = [g.ravel() for g in grids]
    n = -(-inputs[0].size // 60) * 60
    inputs = [np.resize(x, n) for x in inputs]
    with np.errstate(all="ignore"):
        want = np.asarray(reference(*inputs)).astype(DTYPES[result])
    for width in (60, 12, 1) if machine == "host" else (60,):
        out = np.zeros(n, DTYPES[result])
        native(table_kernel(name, operands, result, properties, n, width), machine)(*inputs, out)
        if name == "math.fma":
            with np.errstate(all="ignore"):
                close = np.abs(out - want) <= np.spacing(np.abs(want))
            assert np.all(close | (out == want) | (np.isnan(out) & np.isnan(want)))
        else:
            same(out, np.where(representable(inputs[0], want), want, out) if name in CASTS_TO_INTEGERS else want)


CASTS_TO_INTEGERS = ("arith.fptosi", "arith.fptoui")


def representable(x: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Where the saturated value is no other number; elsewhere a conversion gives any."""
    unsigned = whole.view(f"u{whole.itemsize}")
    with np.errstate(all="ignore"):
        return (np.trunc(x) == whole.astype(np.float64)) | (np.trunc(x) == unsigned.astype(np.float64))


BITS = {"f32": [0x7FC00001, 0xFF800000, 0x7F800000, 0x80000000, 0x00000001, 0x3F800001, 0x7F7FFFFF]}
BITS["f64"] = [0x7FF8000000000001, 0xFFF0000000000000, 0x8000000000000000, 1, 0x3FF0000000000001, 0x3FB999999999999A]


@pytest.mark.parametrize("dtype, bits", [(t, b) for t, all_ in BITS.items() for b in all_])
def test_constants_are_exact(dtype: str, bits: int) -> None:
    width = 8 if dtype == "f32" else 16
    literal = f"0x{bits:0{width}X}"
    out = np.zeros(4, DTYPES[dtype])
    native(f"""func.func @k(%out: memref<4x{dtype}>) {{
      %c0 = arith.constant 0 : index
      %c3 = arith.constant 3 : index
      %v = arith.constant dense<{literal}> : vector<3x{dtype}>
      vector.store %v, %out[%c0] : memref<4x{dtype}>, vector<3x{dtype}>
      %s = arith.constant {literal} : {dtype}
      memref.store %s, %out[%c3] : memref<4x{dtype}>
      func.return
    }}""")(out)
    found = out.view(f"u{out.itemsize}")
    assert [hex(b) for b in found] == [hex(bits)] * 4


def test_dense_constants_and_step() -> None:
    out, numbers = np.zeros((2, 3), np.float32), np.zeros(20, np.int64)
    native("""func.func @k(%out: memref<2x3xf32>, %n: memref<20xindex>) {
      %c0 = arith.constant 0 : index
      %v = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : vector<2x3xf32>
      %p = arith.constant 0.0 : f32
      vector.transfer_write %v, %out[%c0, %c0] {in_bounds = [true, true]} : vector<2x3xf32>, memref<2x3xf32>
      %s = vector.step : vector<20xindex>
      vector.transfer_write %s, %n[%c0] {in_bounds = [true]} : vector<20xindex>, memref<20xindex>
      func.return
    }""")(out, numbers)
    assert_matches(EXACT, out, np.arange(1, 7, dtype=np.float32).reshape(2, 3))
    assert_matches(EXACT, numbers, np.arange(20))


def test_a_maximum_is_four_instructions() -> None:
    """Each operand once where they are equal, and two three-way operations on their bits: no masks, no blends."""
    text = emit_kernel(function(table_kernel("arith.maximumf", ("f32", "f32"), "f32", "", 64, 16)), 64).llvm_ir
    features = "+avx512f,+avx512vl,+avx512bw,+avx512dq"
    code = jit.assembly(text, "skylake-avx512", features, "x86_64-unknown-linux-gnu")
    assert len(re.findall("vmaxps", code)) == len(re.findall("vpternlogd", code)) == 2
    assert not re.search(r"vblend|vcmp|vptest|\{%k", code)
