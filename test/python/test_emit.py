"""LLVM IR emission, run natively: every row of the table on special values, vectors of any shape, any memory."""

# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from mlc.compiler.native import NativeKernel, compile_kernel
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.lowering.emit.kernel import emit_kernel
from mlc.lowering.emit.table import FLOAT_PREDICATES, INTEGER_PREDICATES, TABLE
from mlc.runtime import jit
from xdsl.dialects import func

DTYPES = {"f32": "f4", "f64": "f8", "i1": "?", "i8": "i1", "i32": "i4", "i64": "i8", "index": "i8"}
# Bytes of a vector, CPU, features: the host, one with AVX2, and x86-64 without any extension
MACHINES = {"host": (64, None, None), "avx2": (32, "x86-64-v3", ""), "baseline": (16, "x86-64", "")}


def function(text: str) -> func.FuncOp:
    module = parse_module(text, "<test>")
    return next(o for o in module.ops if isinstance(o, func.FuncOp))


def native(text: str, machine: str = "host") -> NativeKernel:
    return compile_kernel(function(text), *MACHINES[machine])


# ---- the table
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
    "arith.remf": (FLOATS, np.fmod),
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
LIBRARY = {"math.sin", "math.cos", "vector.fma"}


def test_every_row_is_tested() -> None:
    assert {name for name, *_ in ROWS} == set(TABLE) - LIBRARY


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
    """Equal, the signs of zeros included where they are a matter of the operation; any NaN for NaN."""
    if want.dtype.kind == "f":
        assert np.array_equal(np.isnan(got), np.isnan(want))
        numbers = ~np.isnan(want)
        got, want = got[numbers], want[numbers]
    assert np.array_equal(got, want)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("name", ["maximumf", "minimumf"])
def test_extremes_hold_the_negative_zero_below_the_positive(name: str, dtype: str, machine: str) -> None:
    a, b = (np.resize(np.array(v, DTYPES[dtype]), 60) for v in ([-0.0, 0.0, -0.0, 0.0], [0.0, -0.0, -0.0, 0.0]))
    want = np.signbit(a) & np.signbit(b) if name == "maximumf" else np.signbit(a) | np.signbit(b)
    for width in (60, 1):
        out = np.full(60, np.nan, DTYPES[dtype])
        native(table_kernel(f"arith.{name}", (dtype, dtype), dtype, "", 60, width), machine)(a, b, out)
        assert np.all(out == 0) and np.array_equal(np.signbit(out), want)


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
            same(out, want)


# ---- constants
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
    assert np.array_equal(out, np.arange(1, 7).reshape(2, 3)) and np.array_equal(numbers, np.arange(20))


# ---- transfers
def strided(strides: tuple[int, ...] | None) -> str:
    return "" if strides is None else f", strided<[{', '.join(map(str, strides))}]>"


def backing(shape: tuple[int, ...], strides: tuple[int, ...] | None, dtype: str) -> np.ndarray:
    """An array of this shape and these strides (in elements) with a guard around it."""
    if strides is None:
        strides = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    spans = [(n - 1) * s for n, s in zip(shape, strides)]
    low, high = sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)
    memory = np.full(high - low + 65, 77, DTYPES[dtype])
    size = memory.itemsize
    return np.ndarray(shape, memory.dtype, memory, (32 - low) * size, [s * size for s in strides])


# Shape of the buffer, its strides, permutation map, shape of the vector
TRANSFERS: list[tuple[tuple[int, ...], tuple[int, ...] | None, str, tuple[int, ...]]] = [
    ((40,), None, "(d0) -> (d0)", (40,)),
    ((40,), None, "(d0) -> (d0)", (3,)),
    ((1,), None, "(d0) -> (d0)", (1,)),
    ((37,), (3,), "(d0) -> (d0)", (37,)),
    ((37,), (-1,), "(d0) -> (d0)", (37,)),
    ((37,), (-2,), "(d0) -> (d0)", (20,)),
    ((6, 33), None, "(d0, d1) -> (d0, d1)", (6, 33)),
    ((6, 33), (1, 6), "(d0, d1) -> (d0, d1)", (6, 33)),
    ((40, 20), (1, 40), "(d0, d1) -> (d0, d1)", (40, 20)),
    ((6, 33), None, "(d0, d1) -> (d1, d0)", (33, 6)),
    ((33, 17), None, "(d0, d1) -> (d1, d0)", (17, 33)),
    ((3, 2), None, "(d0, d1) -> (d1, d0)", (2, 3)),
    ((6, 33), (-40, -1), "(d0, d1) -> (d0, d1)", (6, 33)),
    ((4, 5, 18), None, "(d0, d1, d2) -> (d2, d0)", (18, 4)),
    ((4, 5, 18), None, "(d0, d1, d2) -> (d0, d2, d1)", (4, 18, 5)),
    ((4, 5, 18), (7, 31, 200), "(d0, d1, d2) -> (d0, d1, d2)", (4, 5, 18)),
]
READS = [
    ((6, 33), None, "(d0, d1) -> (d0, 0)", (6, 20)),
    ((6, 33), None, "(d0, d1) -> (0, d1)", (5, 33)),
    ((33,), None, "(d0) -> (0, d0, 0)", (2, 33, 3)),
    ((9,), None, "(d0) -> (0)", (20,)),
]


def read_text(dtype: str, shape: tuple, strides: Any, perm: str, vector: tuple, write: bool = False) -> str:
    sizes, wanted = "x".join(map(str, shape)), "x".join(map(str, vector))
    zeros, zeros_out = ", ".join(["%c0"] * len(shape)), ", ".join(["%c0"] * len(vector))
    memory, dense = f"memref<{sizes}x{dtype}{strided(strides)}>", f"memref<{wanted}x{dtype}>"
    identity = ", ".join(f"d{i}" for i in range(len(vector)))
    flags = ", ".join(["true"] * len(vector))
    zero = "false" if dtype == "i1" else "0.0" if dtype[0] == "f" else "0"
    constant = f"%z = arith.constant {zero}" + ("" if dtype == "i1" else f" : {dtype}")
    source, target = (dense, memory) if write else (memory, dense)
    maps = [perm, f"({identity}) -> ({identity})"]
    indices = [zeros, zeros_out]
    if write:
        maps.reverse()
        indices.reverse()
    return f"""func.func @k(%x: {source}, %out: {target}) {{
      %c0 = arith.constant 0 : index
      {constant}
      %v = vector.transfer_read %x[{indices[0]}], %z {{in_bounds = [{flags}], permutation_map = affine_map<{maps[0]}>}} : {source}, vector<{wanted}x{dtype}>
      vector.transfer_write %v, %out[{indices[1]}] {{in_bounds = [{flags}], permutation_map = affine_map<{maps[1]}>}} : vector<{wanted}x{dtype}>, {target}
      func.return
    }}"""


def picked(x: np.ndarray, perm: str, vector: tuple[int, ...]) -> np.ndarray:
    """The vector that a permutation map reads from the start of an array."""
    results = re.findall(r"d\d|0", perm.split("->")[1])
    out = np.empty(vector, x.dtype)
    for at in product(*map(range, vector)):
        index = [0] * x.ndim
        for r, i in zip(results, at):
            if r != "0":
                index[int(r[1:])] = i
        out[at] = x[tuple(index)]
    return out


def fill(x: np.ndarray) -> None:
    x[...] = (np.arange(x.size) % 2 if x.dtype == bool else np.arange(x.size) % 127).reshape(x.shape)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64", "i64", "i8", "i1"])
@pytest.mark.parametrize("case", TRANSFERS + READS, ids=str)
def test_reads(case: tuple[Any, ...], dtype: str, machine: str) -> None:
    shape, strides, perm, vector = case
    x, out = backing(shape, strides, dtype), backing(vector, None, dtype)
    fill(x)
    native(read_text(dtype, shape, strides, perm, vector), machine)(x, out)
    assert np.array_equal(out, picked(x, perm, vector))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64", "i1"])
@pytest.mark.parametrize("case", TRANSFERS, ids=str)
def test_writes(case: tuple[Any, ...], dtype: str, machine: str) -> None:
    """Just the elements named are written: everything around keeps its value."""
    shape, strides, perm, vector = case
    x, out, want = backing(vector, None, dtype), backing(shape, strides, dtype), backing(shape, strides, dtype)
    fill(x)
    results = [int(r[1:]) for r in re.findall(r"d\d", perm.split("->")[1])]
    for at in product(*map(range, vector)):
        index = [0] * len(shape)
        for r, i in zip(results, at):
            index[r] = i
        want[tuple(index)] = x[at]
    native(read_text(dtype, shape, strides, perm, vector, write=True), machine)(x, out)
    assert np.array_equal(_whole(out), _whole(want))


def _whole(x: np.ndarray) -> np.ndarray:
    while x.base is not None:
        x = x.base
    return x


@pytest.mark.parametrize("machine", MACHINES)
def test_out_of_bounds_elements_are_padding(machine: str) -> None:
    kernel = native(
        """func.func @k(%x: memref<?x?xf32>, %out: memref<4x20xf32>, %i: index, %j: index) {
      %c0 = arith.constant 0 : index
      %p = arith.constant 9.0 : f32
      %v = vector.transfer_read %x[%i, %j], %p {in_bounds = [false, false], permutation_map = affine_map<(d0, d1) -> (d0, d1)>} : memref<?x?xf32>, vector<4x20xf32>
      vector.transfer_write %v, %out[%c0, %c0] {in_bounds = [true, true]} : vector<4x20xf32>, memref<4x20xf32>
      func.return
    }""",
        machine,
    )
    x = np.arange(5 * 30, dtype=np.float32).reshape(5, 30)
    for i, j in ((0, 0), (0, 15), (3, 0), (4, 29), (1, 10)):
        out = np.zeros((4, 20), np.float32)
        kernel(x, out, i, j)
        padded = np.full((20, 60), 9, np.float32)
        padded[:5, :30] = x
        assert np.array_equal(out, padded[i : i + 4, j : j + 20])


def test_run_time_sizes_and_strides() -> None:
    kernel = native("""func.func @k(%x: memref<?x?xf32, strided<[?, ?]>>, %out: memref<?x?xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %p = arith.constant 0.0 : f32
      %m = memref.dim %x, %c0 : memref<?x?xf32, strided<[?, ?]>>
      %n = memref.dim %x, %c1 : memref<?x?xf32, strided<[?, ?]>>
      scf.for %i = %c0 to %m step %c1 {
        scf.for %j = %c0 to %n step %c1 {
          %v = memref.load %x[%i, %j] : memref<?x?xf32, strided<[?, ?]>>
          memref.store %v, %out[%i, %j] : memref<?x?xf32>
        }
      }
      func.return
    }""")
    base = np.arange(400, dtype=np.float32).reshape(20, 20)
    for x in (base, base.T, base[::-2, 3:7], base[:0], base[:, :0], np.broadcast_to(base[0], (5, 20))):
        out = np.zeros(x.shape, np.float32)
        kernel(x, out)
        assert np.array_equal(out, x)


# ---- reductions
REDUCTIONS: dict[str, tuple[tuple[str, ...], Any]] = {
    "add": (("f32", "f64", "i32", "i64"), np.add),
    "mul": (("f32", "f64", "i32", "i64"), np.multiply),
    "maximumf": (FLOATS, np.maximum),
    "minimumf": (FLOATS, np.minimum),
    "maxsi": (("i32", "i64"), np.maximum),
    "minsi": (("i32", "i64"), np.minimum),
    "and": (("i32", "i1"), np.bitwise_and),
    "or": (("i64", "i1"), np.bitwise_or),
}


@pytest.mark.parametrize(
    "shape, dims", [((21,), (0,)), ((5, 40), (1,)), ((5, 40), (0,)), ((4, 3, 7), (0, 2)), ((3, 19), (0, 1))]
)
@pytest.mark.parametrize("kind, dtype", [(k, t) for k, (types, _) in REDUCTIONS.items() for t in types])
def test_reductions(kind: str, dtype: str, shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    kept = tuple(n for d, n in enumerate(shape) if d not in dims)
    sizes, wanted = "x".join(map(str, shape)), "x".join(map(str, kept))
    source, result = f"vector<{sizes}x{dtype}>", f"vector<{wanted}x{dtype}>" if kept else dtype
    flags, zeros = ", ".join(["true"] * len(shape)), ", ".join(["%c0"] * len(shape))
    out_flags, out_zeros = ", ".join(["true"] * len(kept)), ", ".join(["%c0"] * len(kept))
    zero = "arith.constant false" if dtype == "i1" else f"arith.constant {'0.0' if dtype[0] == 'f' else '0'} : {dtype}"
    if kept:
        target = f"memref<{wanted}x{dtype}>"
        start = f"%a = vector.transfer_read %out[{out_zeros}], %z {{in_bounds = [{out_flags}]}} : {target}, {result}"
        end = f"vector.transfer_write %r, %out[{out_zeros}] {{in_bounds = [{out_flags}]}} : {result}, {target}"
    else:
        target = f"memref<{dtype}>"
        start, end = f"%a = memref.load %out[] : {target}", f"memref.store %r, %out[] : {target}"
    kernel = native(f"""func.func @k(%x: memref<{sizes}x{dtype}>, %out: {target}) {{
      %c0 = arith.constant 0 : index
      %z = {zero}
      %v = vector.transfer_read %x[{zeros}], %z {{in_bounds = [{flags}]}} : memref<{sizes}x{dtype}>, {source}
      {start}
      %r = vector.multi_reduction <{kind}>, %v, %a [{", ".join(map(str, dims))}] : {source} to {result}
      {end}
      func.return
    }}""")
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, shape).astype(DTYPES[dtype])
    if kind == "mul":
        x = rng.choice([1, -1, 2], shape, p=[0.6, 0.3, 0.1]).astype(DTYPES[dtype])
    acc = rng.integers(0, 2, kept).astype(DTYPES[dtype])
    ufunc = REDUCTIONS[kind][1]
    out = np.array(acc)
    kernel(x, out)
    assert np.array_equal(out, ufunc(ufunc.reduce(x, axis=dims, dtype=x.dtype), acc))
    if kind in ("maximumf", "minimumf"):
        x[(0,) * len(shape)] = np.nan
        out = np.array(acc)
        kernel(x, out)
        assert np.array_equal(out, ufunc(ufunc.reduce(x, axis=dims), acc), equal_nan=True)


# ---- shapes
@pytest.mark.parametrize(
    "shape, order", [((3, 5), (1, 0)), ((17, 33), (1, 0)), ((2, 3, 20), (2, 0, 1)), ((4, 3, 18), (1, 0, 2))]
)
@pytest.mark.parametrize("machine", MACHINES)
def test_transposes(shape: tuple[int, ...], order: tuple[int, ...], machine: str) -> None:
    sizes, wanted = "x".join(map(str, shape)), "x".join(str(shape[d]) for d in order)
    zeros, flags = ", ".join(["%c0"] * len(shape)), ", ".join(["true"] * len(shape))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    out = np.zeros([shape[d] for d in order], np.float32)
    native(
        f"""func.func @k(%x: memref<{sizes}xf32>, %out: memref<{wanted}xf32>) {{
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[{zeros}], %z {{in_bounds = [{flags}]}} : memref<{sizes}xf32>, vector<{sizes}xf32>
      %t = vector.transpose %v, {list(order)} : vector<{sizes}xf32> to vector<{wanted}xf32>
      vector.transfer_write %t, %out[{zeros}] {{in_bounds = [{flags}]}} : vector<{wanted}xf32>, memref<{wanted}xf32>
      func.return
    }}""",
        machine,
    )(x, out)
    assert np.array_equal(out, x.transpose(order))


def test_broadcast_and_shape_cast() -> None:
    out = np.zeros((3, 20), np.float32)
    native("""func.func @k(%x: memref<3xf32>, %out: memref<3x20xf32>) {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %z {in_bounds = [true]} : memref<3xf32>, vector<3xf32>
      %u = vector.shape_cast %v : vector<3xf32> to vector<3x1xf32>
      %b = vector.broadcast %u : vector<3x1xf32> to vector<3x20xf32>
      vector.transfer_write %b, %out[%c0, %c0] {in_bounds = [true, true]} : vector<3x20xf32>, memref<3x20xf32>
      func.return
    }""")(np.float32([1, 2, 3]), out)
    assert np.array_equal(out, np.repeat([[1], [2], [3]], 20, 1))


# ---- control
def test_loops_hand_on_values() -> None:
    """Scalars, vectors and indices through loops of any number of trips."""
    kernel = native("""func.func @k(%x: memref<?xf32>, %sum: memref<2xf32>, %last: memref<1xindex>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %z = arith.constant 0.0 : f32
      %v0 = arith.constant dense<1.0> : vector<2xf32>
      %n = memref.dim %x, %c0 : memref<?xf32>
      %i0 = arith.constant -1 : index
      %s, %v, %l = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z, %b = %v0, %c = %i0) -> (f32, vector<2xf32>, index) {
        %e = memref.load %x[%i] : memref<?xf32>
        %t = arith.addf %a, %e : f32
        %d = vector.broadcast %e : f32 to vector<2xf32>
        %w = arith.addf %b, %d : vector<2xf32>
        scf.yield %t, %w, %i : f32, vector<2xf32>, index
      }
      %q = vector.broadcast %s : f32 to vector<2xf32>
      %r = arith.addf %q, %v : vector<2xf32>
      vector.store %r, %sum[%c0] : memref<2xf32>, vector<2xf32>
      memref.store %l, %last[%c0] : memref<1xindex>
      func.return
    }""")
    for n in (0, 1, 5):
        x, out, last = np.ones(n, np.float32), np.zeros(2, np.float32), np.zeros(1, np.int64)
        kernel(x, out, last)
        assert out.tolist() == [2 * n + 1] * 2 and last[0] == n - 1


def test_if_with_results() -> None:
    kernel = native("""func.func @k(%x: memref<8xf32>, %out: memref<8xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %z = arith.constant 0.0 : f32
      %v = vector.load %x[%c0] : memref<8xf32>, vector<8xf32>
      %c = arith.cmpi slt, %n, %c4 : index
      %r, %k = scf.if %c -> (vector<8xf32>, f32) {
        %a = arith.addf %v, %v : vector<8xf32>
        %one = arith.constant 1.0 : f32
        scf.yield %a, %one : vector<8xf32>, f32
      } else {
        %a = arith.mulf %v, %v : vector<8xf32>
        scf.yield %a, %z : vector<8xf32>, f32
      }
      %b = vector.broadcast %k : f32 to vector<8xf32>
      %s = arith.addf %r, %b : vector<8xf32>
      vector.store %s, %out[%c0] : memref<8xf32>, vector<8xf32>
      func.return
    }""")
    x, out = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    kernel(x, out, 3)
    assert np.array_equal(out, x + x + 1)
    kernel(x, out, 4)
    assert np.array_equal(out, x * x)


def test_index_arithmetic() -> None:
    out = np.zeros(24, np.int64)
    native("""func.func @k(%out: memref<24xindex>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c24 = arith.constant 24 : index
      %c5 = arith.constant 5 : index
      scf.for %i = %c0 to %c24 step %c1 {
        %a = affine.apply affine_map<(d0) -> (d0 floordiv 5 + (d0 mod 5) * 100 - 3)> (%i)
        %b = arith.muli %i, %i : index
        %c = arith.subi %a, %b : index
        %d = arith.remsi %i, %c5 : index
        %e = arith.addi %c, %d : index
        memref.store %e, %out[%i] : memref<24xindex>
      }
      func.return
    }""")(out)
    i = np.arange(24)
    assert np.array_equal(out, i // 5 + i % 5 * 100 - 3 - i * i + i % 5)


# ---- the order of reads and writes
@pytest.mark.parametrize("offset, target", [(1, 0), (0, 1), (0, 0)])
def test_a_shift_in_place_reads_before_it_writes(offset: int, target: int) -> None:
    out = np.arange(70, dtype=np.float32)
    want = out.copy()
    want[target : target + 60] = out[offset : offset + 60] + 1
    native(f"""func.func @k(%x: memref<70xf32>) {{
      %c0 = arith.constant {offset} : index
      %c1 = arith.constant {target} : index
      %one = arith.constant dense<1.0> : vector<60xf32>
      %v = vector.load %x[%c0] : memref<70xf32>, vector<60xf32>
      %r = arith.addf %v, %one : vector<60xf32>
      vector.store %r, %x[%c1] : memref<70xf32>, vector<60xf32>
      func.return
    }}""")(out)
    assert np.array_equal(out, want)


def test_reads_before_a_write_that_something_later_needs() -> None:
    """Also where the write is in a loop, and where two arguments are one array."""
    text = """func.func @k(%x: memref<32xf32>, %y: memref<32xf32>, %out: memref<32xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c32 = arith.constant 32 : index
      %z = arith.constant 0.0 : f32
      %v = vector.load %x[%c0] : memref<32xf32>, vector<32xf32>
      %d = arith.addf %v, %v : vector<32xf32>
      scf.for %i = %c0 to %c32 step %c1 {
        memref.store %z, %y[%i] : memref<32xf32>
      }
      vector.store %d, %out[%c0] : memref<32xf32>, vector<32xf32>
      func.return
    }"""
    x, out = np.arange(32, dtype=np.float32), np.zeros(32, np.float32)
    native(text)(x, x, out)
    assert np.array_equal(out, 2 * np.arange(32)) and not x.any()


# ---- memory of the kernel's own
def test_workspace_and_heap() -> None:
    kernel = native("""func.func @k(%x: memref<?xf32>, %out: memref<?xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %n = memref.dim %x, %c0 : memref<?xf32>
      %fixed = memref.alloc() : memref<3xf32>
      scf.for %r = %c0 to %c3 step %c1 {
        %t = memref.alloc(%n) : memref<?xf32>
        scf.for %i = %c0 to %n step %c1 {
          %e = memref.load %x[%i] : memref<?xf32>
          memref.store %e, %t[%i] : memref<?xf32>
          memref.store %e, %fixed[%r] : memref<3xf32>
        }
        scf.for %i = %c0 to %n step %c1 {
          %e = memref.load %t[%i] : memref<?xf32>
          %f = memref.load %fixed[%r] : memref<3xf32>
          %g = arith.addf %e, %f : f32
          memref.store %g, %out[%i] : memref<?xf32>
        }
        memref.dealloc %t : memref<?xf32>
      }
      func.return
    }""")
    assert kernel.code.workspace_bytes >= 12
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    kernel(x, out)
    assert np.array_equal(out, x + 99)


# ---- what the code looks like
MATMUL = """func.func @k(%A: memref<256x256xf32>, %B: memref<256x256xf32>, %out: memref<256x256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %c64 = arith.constant 64 : index
  %c250 = arith.constant 250 : index
  %c256 = arith.constant 256 : index
  %z = arith.constant 0.0 : f32
  scf.for %i0 = %c0 to %c256 step %c6 {
    %i = arith.minsi %i0, %c250 : index
    scf.for %j = %c0 to %c256 step %c64 {
      %zero = arith.constant dense<0.0> : vector<6x64xf32>
      %acc = scf.for %k = %c0 to %c256 step %c1 iter_args(%s = %zero) -> (vector<6x64xf32>) {
        %a = vector.transfer_read %A[%i, %k], %z {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d0, 0)>} : memref<256x256xf32>, vector<6x64xf32>
        %b = vector.transfer_read %B[%k, %j], %z {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (0, d1)>} : memref<256x256xf32>, vector<6x64xf32>
        %p = arith.mulf %a, %b fastmath<contract> : vector<6x64xf32>
        %q = arith.addf %s, %p fastmath<contract> : vector<6x64xf32>
        scf.yield %q : vector<6x64xf32>
      }
      vector.transfer_write %acc, %out[%i, %j] {in_bounds = [true, true]} : vector<6x64xf32>, memref<256x256xf32>
    }
  }
  func.return
}"""
AVX512 = "+avx512f,+avx512vl,+avx512bw,+avx512dq,+fma,+avx2"


def test_matmul_keeps_its_tile_in_registers() -> None:
    """24 fused multiply-adds a step, no spill: nothing of a vector's size goes to the stack."""
    text = jit.assembly(emit_kernel(function(MATMUL), 64).llvm_ir, "skylake-avx512", AVX512)
    loops = re.split(r"^\.LBB\S+:", text, flags=re.M)
    inner = max(loops, key=lambda body: len(re.findall(r"\bvfmadd\S+.*zmm", body)))
    assert len(re.findall(r"\bvfmadd\S+.*zmm", inner)) == 24
    assert not re.findall(r"\(%rsp\).*zmm|zmm.*\(%rsp\)", text)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 256, 256)).astype(np.float32)
    for machine in MACHINES:
        out = np.full((256, 256), np.nan, np.float32)
        native(MATMUL, machine)(a, b, out)
        assert np.allclose(out, a @ b, atol=1e-4)


def test_contraction_only_where_the_ir_allows_it() -> None:
    text = jit.assembly(
        emit_kernel(function(MATMUL.replace(" fastmath<contract>", "")), 64).llvm_ir, "skylake-avx512", AVX512
    )
    assert "vfmadd" not in text and "vmulps" in text


def test_streaming_stores_only_where_alignment_is_certain() -> None:
    def code(n: int, start: int) -> str:
        return emit_kernel(
            function(f"""func.func @k(%x: memref<4x{n}xf32>, %out: memref<4x{n}xf32>) {{
              %c0 = arith.constant {start} : index
              %z = arith.constant 0.0 : f32
              %v = vector.transfer_read %x[%c0, %c0], %z {{in_bounds = [true, true]}} : memref<4x{n}xf32>, vector<2x32xf32>
              vector.transfer_write %v, %out[%c0, %c0] {{in_bounds = [true, true], nontemporal}} : vector<2x32xf32>, memref<4x{n}xf32>
              func.return
            }}""")
        )

    aligned = code(64, 0)
    assert "!nontemporal" in aligned.llvm_ir and aligned.streamed == (1,)
    for n, start in ((65, 0), (64, 1)):
        assert "!nontemporal" not in code(n, start).llvm_ir and code(n, start).streamed == ()


def test_equal_input_gives_equal_text() -> None:
    assert emit_kernel(function(MATMUL)).llvm_ir == emit_kernel(function(MATMUL)).llvm_ir


def test_unknown_operations_are_refused_at_their_place() -> None:
    text = "func.func @k(%x: f32) {\n  %y = math.exp %x : f32\n  func.return\n}"
    with pytest.raises(CompileError, match=r"math.exp: .* run expand-math before emission") as error:
        emit_kernel(function(text))
    assert "<test>:2:" in str(error.value)
