"""Transcendental functions: accuracy against extended precision over their whole range, and the values at the edges."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Sequence

import ml_dtypes
import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from emit_cases import AVX512
from mlc import nn
from mlc.compiler.context import context
from mlc.compiler.machine import WIDE_X86, Machine
from mlc.compiler.native import NativeKernel, compile_kernel
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.verify import verify
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.lowering.emit.contract import runnable
from mlc.lowering.emit.kernel import emit_kernel
from mlc.lowering.emit.lookups import register_entries
from mlc.lowering.expand_math import ExpandMath
from mlc.lowering.math_functions import ACCURACY, FUNCTIONS
from mlc.runtime import jit
from mlc.runtime.matching import assert_matches
from sampling import FULL
from xdsl.dialects import func

N = 1 << 16
DTYPES = {"f32": np.float32, "f64": np.float64}
SPECIAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    np.inf,
    -np.inf,
    np.nan,
    1e-40,
    -1e-40,
    1e-310,
    1e30,
    -1e30,
)
_KERNELS: dict[object, NativeKernel] = {}
HOST, TABLES = "vectors by the host's instructions", "vectors with tables in memory"
WAYS: dict[str, int] = {"vectors": 64, "scalars": 1, HOST: 64, TABLES: 64}
"""How functions are computed, and of how many elements at a time."""
USUAL = ["vectors", "scalars", HOST]


def kernel(op: str, dtype: str, operands: int, way: str = "vectors") -> NativeKernel:
    """`op` over N elements."""
    key, width = (op, dtype, way), WAYS[way]
    dots = runnable(Machine.host().dots, jit.host()[1]) if way == HOST else []
    if key not in _KERNELS:
        buffers = [f"%x{i}: memref<{N}x{dtype}>" for i in range(operands)]
        kind = f"vector<{width}x{dtype}>" if width > 1 else dtype
        reads = "".join(
            f"%v{i} = vector.load %x{i}[%i] : memref<{N}x{dtype}>, {kind}\n"
            if width > 1
            else f"%v{i} = memref.load %x{i}[%i] : memref<{N}x{dtype}>\n"
            for i in range(operands)
        )
        values = ", ".join(f"%v{i}" for i in range(operands))
        write = (
            f"vector.store %r, %out[%i] : memref<{N}x{dtype}>, {kind}"
            if width > 1
            else f"memref.store %r, %out[%i] : memref<{N}x{dtype}>"
        )
        text = f"""func.func @k({", ".join(buffers)}, %out: memref<{N}x{dtype}>) {{
          %c0 = arith.constant 0 : index
          %n = arith.constant {N} : index
          %step = arith.constant {width} : index
          scf.for %i = %c0 to %n step %step {{
            {reads}
            %r = {op} {values} : {kind}
            {write}
          }}
          func.return
        }}"""
        module = parse_module(text, "<test>")
        ExpandMath(16 if way == TABLES else register_entries(dots)).apply(context(), module)
        _KERNELS[key] = compile_kernel(next(o for o in module.ops if isinstance(o, func.FuncOp)), dots=dots)
    return _KERNELS[key]


def run(op: str, dtype: str, *inputs: np.ndarray, way: str = "vectors") -> np.ndarray:
    out = np.full(N, 7, DTYPES[dtype])
    padded = [np.resize(x.astype(DTYPES[dtype]), N) for x in inputs]
    kernel(op, dtype, len(inputs), way)(*padded, out)
    return out[: max(map(len, inputs))]


def ulps(got: np.ndarray, want: np.ndarray) -> float:
    """The largest error in units in the last place of the result's format; special values must agree."""
    with np.errstate(all="ignore"):
        near = want.astype(got.dtype)
        usual = np.isfinite(near) & np.isfinite(got)
        same = (got == near) | (np.isnan(got) & np.isnan(near))
        edge = np.finfo(got.dtype).max
        assert np.all(usual | same | (np.abs(want) > edge * (1 - 1e-6)) & (np.abs(got) >= edge)), (
            "special values differ"
        )
        error = np.abs(got.astype(np.longdouble) - want) / np.spacing(np.abs(near)).astype(np.longdouble)
    return float(error[usual].max())


def samples(dtype: str, low: float, high: float) -> np.ndarray:
    """Evenly spaced and logarithmically spaced, both signs where the range has them, and around 0."""
    rng = np.random.default_rng(0)
    even = rng.uniform(low, high, N // 2)
    span = np.log10(max(abs(low), abs(high)))
    tiny = np.finfo(DTYPES[dtype]).tiny
    spread = 10.0 ** rng.uniform(np.log10(tiny) - 2, span, N // 2)
    if low < 0:
        spread *= rng.choice([-1.0, 1.0], N // 2)
    return np.concatenate([even, spread]).astype(DTYPES[dtype])


def erf(x: np.ndarray) -> np.ndarray:
    """2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!, whose terms are all positive; of f64 what Python has."""
    if x.dtype == np.float64:
        return np.fromiter(map(math.erf, x.tolist()), np.float64, x.size)
    a = np.where(np.abs(x) < 7, np.abs(x), 7)
    total, term = np.zeros_like(x), a.copy()
    for n in range(1, 260):
        total, term = total + term, term * 2 * a * a / (2 * n + 1)
    value = 2 / np.sqrt(4 * np.arctan(np.longdouble(1))) * np.exp(-a * a) * total
    return np.copysign(np.where(np.isnan(x), x, np.where(np.abs(x) < 7, value, 1)), x)


ANY = ((-3e38, 3e38), (-8e307, 8e307))
ABOVE = ((0, 3e38), (0, 1e308))
ONE = ((-1, 1), (-1, 1))
ANGLES = ((-1e5, 1e5), (-1e8, 1e8))
# reference; range for f32, for f64
CASES = {
    "math.exp": (np.exp, ((-110, 95), (-760, 720))),
    "math.exp2": (np.exp2, ((-152, 130), (-1080, 1026))),
    "math.expm1": (np.expm1, ((-25, 90), (-45, 711))),
    "math.tanh": (np.tanh, ((-12, 12), (-25, 25))),
    "math.sinh": (np.sinh, ((-90, 90), (-711, 711))),
    "math.cosh": (np.cosh, ((-90, 90), (-711, 711))),
    "math.log": (np.log, ABOVE),
    "math.log2": (np.log2, ABOVE),
    "math.log10": (np.log10, ABOVE),
    "math.log1p": (np.log1p, ((-1, 3e38), (-1, 1e308))),
    "math.asinh": (np.arcsinh, ANY),
    "math.acosh": (np.arccosh, ((1, 3e38), (1, 1e308))),
    "math.atanh": (np.arctanh, ONE),
    "math.sin": (np.sin, ANGLES),
    "math.cos": (np.cos, ANGLES),
    "math.tan": (np.tan, ANGLES),
    "math.asin": (np.arcsin, ONE),
    "math.acos": (np.arccos, ONE),
    "math.atan": (np.arctan, ANY),
    "math.cbrt": (np.cbrt, ANY),
    "math.erf": (erf, ((-4.5, 4.5), (-7, 7))),
}
BINARY = {"math.powf": np.power, "math.atan2": np.arctan2, "arith.remf": np.fmod}
REFERENCES = {name: case[0] for name, case in CASES.items()} | BINARY


def wide(*xs: np.ndarray) -> list[np.ndarray]:
    return [x.astype(np.longdouble) for x in xs]


def around(low: float, high: float) -> np.ndarray:
    """Evenly spaced in [-2, 2], and closer and closer to 1, as far as the range goes."""
    rng = np.random.default_rng(2)
    near = 1 + rng.uniform(-1, 1, N // 2) * 10.0 ** rng.uniform(-9, -1, N // 2)
    return np.clip(np.concatenate([rng.uniform(-2, 2, N // 2), near]), low, high)


def hold(op: str, dtype: str, want: np.ndarray, *inputs: np.ndarray) -> None:
    """Is an error of vectors, with the host's instructions and without, above the stated one?"""
    for way in ("vectors", HOST):
        assert ulps(run(op, dtype, *inputs, way=way), want) <= ACCURACY[op][dtype == "f64"], way


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", CASES)
def test_accuracy(op: str, dtype: str) -> None:
    reference, ranges = CASES[op]
    low, high = ranges[dtype == "f64"]
    for x in (samples(dtype, low, high), around(low, high).astype(DTYPES[dtype])):
        with np.errstate(all="ignore"):
            want = reference(*wide(x))
        hold(op, dtype, want, x)


@pytest.mark.parametrize("op", CASES)
def test_every_float(op: str) -> None:
    """Evenly spaced bit patterns of f32, NaNs of all kinds too: 2^16 of them, 2^24 with MLC_TEST_FULL=1."""
    parts = 256 if FULL else 1
    for start in range(parts):
        bits = (np.arange(N, dtype=np.uint64) * parts + start) * (1 << 32) // (N * parts)
        x = bits.astype(np.uint32).view(np.float32)
        with np.errstate(all="ignore"):
            want = CASES[op][0](x.astype(np.float64)).astype(np.longdouble)
        hold(op, "f32", want, x)


@pytest.mark.parametrize("op", ["math.log", "math.log2", "math.log10", "math.log1p"])
def test_logarithms_at_the_borders_of_their_tables(op: str) -> None:
    """Of f64: the floats nearest to odd multiples of 1/32, all exponents; and what is near 1 or subnormal."""
    rng = np.random.default_rng(6)
    spread = rng.integers(24, 49, N // 2) / 32 * 2.0 ** rng.integers(-1070, 1022, N // 2)
    borders = spread * (1 + rng.integers(-3, 4, N // 2) * 2.0**-52)
    near = 1 + rng.choice([-1, 1], N // 4) * 2.0 ** rng.uniform(-52, -1, N // 4)
    x = np.concatenate([borders, near, 2.0 ** rng.uniform(-1074, -1020, N // 4)])
    want = REFERENCES[op](x.astype(np.longdouble))
    for way in ("vectors", TABLES, HOST):
        assert ulps(run(op, "f64", x, way=way), want) <= ACCURACY[op][1], way


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_power_accuracy(dtype: str) -> None:
    """Of any base, and of bases near 1, whose powers are as large with exponents that make most of an error."""
    rng = np.random.default_rng(1)
    limit = 38 if dtype == "f32" else 307
    x = 10.0 ** rng.uniform(-limit, limit, N)
    x[: N // 4] = rng.uniform(0.5, 2, N // 4)
    y = rng.uniform(-1, 1, N) * limit / np.maximum(np.abs(np.log10(x)), 1e-4)
    y[: N // 8] = rng.uniform(-100, 100, N // 8)
    x, y = x.astype(DTYPES[dtype]), y.astype(DTYPES[dtype])
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    hold("math.powf", dtype, want, x, y)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_power_accuracy_near_one(dtype: str) -> None:
    """Where the parts of a logarithm cancel most, and results are as large and as small as they get."""
    rng = np.random.default_rng(7)
    x = rng.uniform(0.9, 1.1, N).astype(DTYPES[dtype])
    largest, least = (128.5, -151) if dtype == "f32" else (1024.5, -1076)
    y = (rng.choice([largest, least], N) + rng.uniform(-9, 0, N)) / np.log2(x.astype(np.float64))
    y = y.astype(DTYPES[dtype])
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    for way in (TABLES, HOST):
        assert ulps(run("math.powf", dtype, x, y, way=way), want) <= ACCURACY["math.powf"][dtype == "f64"], way


@pytest.mark.parametrize("way", USUAL)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", REFERENCES)
def test_special_values(op: str, dtype: str, way: str) -> None:
    """NaN, infinities, both zeros, subnormal numbers, huge arguments: vectors and scalars."""
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(DTYPES[dtype])
        inputs = [x] if op not in BINARY else [a.ravel() for a in np.meshgrid(x, x)]
        got = run(op, dtype, *inputs, way=way)
        want = REFERENCES[op](*wide(*inputs))
    assert ulps(got, want) <= 2.5
    zero = want == 0
    assert_matches(EXACT, np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", REFERENCES)
def test_instructions_give_the_same_bits(op: str, dtype: str) -> None:
    """As the operations that they stand for."""
    with np.errstate(all="ignore"):
        x = np.concatenate([np.array(SPECIAL), samples(dtype, -800, 800)[: N // 2]]).astype(DTYPES[dtype])
    inputs = [x, np.roll(x, 1)] if op in BINARY else [x]
    without = TABLES if register_entries(runnable(Machine.host().dots, jit.host()[1])) else "vectors"
    assert_matches(EXACT, run(op, dtype, *inputs, way=HOST), run(op, dtype, *inputs, way=without))


@pytest.mark.parametrize("way", USUAL)
@pytest.mark.parametrize("op", ["math.sin", "math.cos", "math.tan"])
def test_huge_angles_are_reduced_exactly(op: str, way: str) -> None:
    """Also the one of all doubles that is nearest to a multiple of pi/2."""
    given = [1e5, 1e7, 1e8, 1e20, 1e22, 3e38, -1e30, 2.0**120]
    far = [-1e300, 1.7e308, 6381956970095103.0 * 2.0**797, 2.0**1023, -(2.0**53), 8.5e15]
    rng = np.random.default_rng(3)
    spread = rng.uniform(1, 2, 500) * 2.0 ** rng.integers(17, 127, 500)
    for dtype, x in (("f32", [*given, *spread]), ("f64", [*given, *far, *spread, *(spread * 2.0**890)])):
        angles = np.array(x).astype(DTYPES[dtype])
        assert ulps(run(op, dtype, angles, way=way), REFERENCES[op](*wide(angles))) <= 2.8


def test_angles_beside_huge_ones_are_left_alone() -> None:
    """The slow path of one element does not change its neighbours."""
    x = np.linspace(-3, 3, 64).astype(np.float32)
    mixed = np.where(np.arange(64) % 7 == 3, np.float32(1e30), x)
    usual = np.arange(64) % 7 != 3
    assert_matches(EXACT, run("math.sin", "f32", mixed)[usual], run("math.sin", "f32", x)[usual])


@pytest.mark.parametrize("way", USUAL)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_remainders_are_exact(dtype: str, way: str) -> None:
    rng = np.random.default_rng(4)
    limit = 37 if dtype == "f32" else 307
    x, y = (10.0 ** rng.uniform(-limit - 5, limit, N // 4) * rng.choice([-1, 1], N // 4) for _ in range(2))
    factors = (
        rng.integers(1, 1 << 20, N // 4) * (1 + rng.choice([0, 1e-7, -1e-7], N // 4)),
        2.0 ** rng.integers(0, 24, N // 4) * 3,
        rng.uniform(0, 4, N // 4),
    )
    with np.errstate(all="ignore"):
        dividends = [x, *(factor * y for factor in factors)]
    for dividend in dividends:
        with np.errstate(all="ignore"):
            a, b = dividend.astype(DTYPES[dtype]), y.astype(DTYPES[dtype])
            want = np.fmod(a, b)
        got = run("arith.remf", dtype, a, b, way=way)
        assert_matches(EXACT, got, want)
        assert_matches(EXACT, np.signbit(got[want == 0]), np.signbit(want[want == 0]))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_angles_of_points(dtype: str) -> None:
    rng = np.random.default_rng(5)
    y, x = (rng.standard_normal(N) * 10.0 ** rng.uniform(-3, 3, N) for _ in range(2))
    edge = rng.choice([np.finfo(DTYPES[dtype]).max, np.finfo(DTYPES[dtype]).tiny, 1e-44, 1.0], (2, N // 4))
    y[: N // 4], x[: N // 4] = edge * rng.uniform(0.1, 1, (2, N // 4)) * rng.choice([-1, 1], (2, N // 4))
    y, x = y.astype(DTYPES[dtype]), x.astype(DTYPES[dtype])
    assert ulps(run("math.atan2", dtype, y, x), np.arctan2(*wide(y, x))) <= 2.0


def emitted(op: str, kind: str, dots: Sequence[str], lookup: int = 16) -> str:
    """LLVM IR of a function of one vector, with tables, for a machine that has these instructions."""
    operands, size = ("%v, %v" if op in BINARY else "%v"), re.findall(r"\d+", kind)[0]
    memory = f"memref<{size}x{kind[-4:-1]}>"
    text = f"""func.func @k(%x: {memory}, %out: {memory}) {{
      %c0 = arith.constant 0 : index
      %v = vector.load %x[%c0] : {memory}, {kind}
      %r = {op} {operands} : {kind}
      vector.store %r, %out[%c0] : {memory}, {kind}
      func.return
    }}"""
    module = parse_module(text, "<test>")
    ExpandMath(lookup).apply(context(), module)
    return emit_kernel(next(o for o in module.ops if isinstance(o, func.FuncOp)), 64, dots=dots).llvm_ir


def calls(text: str, name: str) -> int:
    return len(re.findall(rf"call .*@llvm\.x86\.avx512\.mask\.{name}\.", text))


@pytest.mark.parametrize(
    ("op", "kind", "ends"),
    [
        *(("math.log2", "vector<16xf64>", 2), ("math.log10", "vector<8xf64>", 1)),
        *(("math.powf", "vector<16xf64>", 0), ("math.powf", "vector<32xf32>", 0)),
    ],
)
def test_exponents_and_fractions_are_instructions(op: str, kind: str, ends: int) -> None:
    """One for a fraction and two for an exponent; of |x| getexp gives a logarithm's infinities and NaN."""
    text, registers = emitted(op, kind, WIDE_X86), 1 if "<8x" in kind else 2
    assert [calls(text, name) for name in ("getmant", "getexp", "fixupimm")] == [registers, 2 * registers, ends]
    assert "sitofp" not in text and "ashr" not in text


def test_exponents_and_fractions_are_bits_elsewhere() -> None:
    """Half a register; a machine without the instructions; fractions from another number on."""
    for op, kind, dots in (
        ("math.log2", "vector<4xf64>", WIDE_X86),
        ("math.log2", "vector<8xf64>", ["permute16"]),
        ("math.log", "vector<8xf64>", WIDE_X86),
    ):
        text = emitted(op, kind, dots)
        assert calls(text, "getmant") == calls(text, "getexp") == 0 and "sitofp" in text, (op, kind)


def test_vectors_on_the_stack_are_in_one_cache_line_each() -> None:
    """Powers need more registers than there are."""
    text = jit.assembly(emitted("math.powf", "vector<32xf64>", WIDE_X86), *AVX512)
    moves = re.findall(r"(v\w+)\s+(?:%zmm\d+, -?\d*\(%r[sb]p\)|-?\d*\(%r[sb]p\), %zmm\d+)$", text, re.MULTILINE)
    assert moves and not [name for name in moves if name.startswith(("vmovu", "vmovdqu"))]


PI = np.pi
# Of the Array API standard: function, operands, result.
STANDARD = [
    ("math.acos", [2.0, -2.0, 1.0], [np.nan, np.nan, 0.0]),
    ("math.acosh", [0.5, 1.0, np.inf, -1e30], [np.nan, 0.0, np.inf, np.nan]),
    ("math.asin", [1.5, -1.5, 0.0, -0.0], [np.nan, np.nan, 0.0, -0.0]),
    ("math.asinh", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, np.inf, -np.inf]),
    ("math.atan", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, PI / 2, -PI / 2]),
    ("math.atanh", [-2.0, 2.0, -1.0, 1.0, 0.0, -0.0], [np.nan, np.nan, -np.inf, np.inf, 0.0, -0.0]),
    ("math.cosh", [0.0, -0.0, np.inf, -np.inf], [1.0, 1.0, np.inf, np.inf]),
    ("math.expm1", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, np.inf, -1.0]),
    ("math.log1p", [-2.0, -1.0, -0.0, 0.0, np.inf], [np.nan, -np.inf, -0.0, 0.0, np.inf]),
    ("math.log2", [-1.0, 0.0, -0.0, 1.0, np.inf, 8.0], [np.nan, -np.inf, -np.inf, 0.0, np.inf, 3.0]),
    ("math.log10", [-1.0, 0.0, -0.0, 1.0, np.inf, 1000.0], [np.nan, -np.inf, -np.inf, 0.0, np.inf, 3.0]),
    ("math.sinh", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, np.inf, -np.inf]),
    ("math.tan", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, np.nan, np.nan]),
    ("math.cbrt", [0.0, -0.0, np.inf, -np.inf, -27.0], [0.0, -0.0, np.inf, -np.inf, -3.0]),
    ("math.erf", [0.0, -0.0, np.inf, -np.inf], [0.0, -0.0, 1.0, -1.0]),
]
ATAN2 = [
    *((1.0, 0.0, PI / 2), (1.0, -0.0, PI / 2), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0), (0.0, -0.0, PI), (0.0, -1.0, PI)),
    *((-0.0, 1.0, -0.0), (-0.0, 0.0, -0.0), (-0.0, -0.0, -PI), (-0.0, -1.0, -PI), (-1.0, 0.0, -PI / 2)),
    *((-1.0, -0.0, -PI / 2), (1.0, np.inf, 0.0), (1.0, -np.inf, PI), (-1.0, np.inf, -0.0), (-1.0, -np.inf, -PI)),
    *((np.inf, 1.0, PI / 2), (-np.inf, 1.0, -PI / 2), (np.inf, np.inf, PI / 4), (np.inf, -np.inf, 3 * PI / 4)),
    *((-np.inf, np.inf, -PI / 4), (-np.inf, -np.inf, -3 * PI / 4)),
]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_values_of_the_array_standard(dtype: str) -> None:
    table = [(op, [np.array(x)], y) for op, x, y in STANDARD]
    points = np.array(ATAN2)
    for op, inputs, want in [*table, ("math.atan2", [points[:, 0], points[:, 1]], points[:, 2])]:
        got = run(op, dtype, *inputs)
        near = np.array(want).astype(DTYPES[dtype])
        assert_matches(Tolerance(ulp=1), got, near)
        assert_matches(EXACT, np.signbit(got[near == 0]), np.signbit(near[near == 0]))


@pytest.mark.parametrize("op", [*REFERENCES, "math.floor", "math.ceil", "math.trunc", "math.round", "math.roundeven"])
def test_native_code_calls_nothing(op: str) -> None:
    for dtype in DTYPES:
        for way in USUAL:
            text = kernel(op, dtype, 2 if op in BINARY else 1, way).code.llvm_ir
            assert not re.search(r"^\s+(call|bl)\w*\s|@GOT\b|@PLT", jit.assembly(text), re.MULTILINE), (dtype, way)


HALVES = {"f16": np.float16, "bf16": ml_dtypes.bfloat16}
COMPOSED = {"sigmoid": nn.sigmoid, "gelu": nn.gelu, "tanh": mnp.tanh, "exp": mnp.exp, "log": mnp.log, "erf": nn.erf}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", COMPOSED)
def test_halves_are_computed_in_f32(name: str, dtype: str) -> None:
    """Every number of 16 bits."""
    x = np.arange(N, dtype=np.uint16).view(HALVES[dtype])
    half, single = (mlc.compile(COMPOSED[name], mlc.spec(x.shape, kind)) for kind in (x.dtype, np.float32))
    with np.errstate(all="ignore"):
        want = single(x.astype(np.float32)).astype(x.dtype)
    assert_matches(EXACT, half(x), want)


def test_sigmoid() -> None:
    """A composite; as accurate over all floats as a function."""
    exe = mlc.compile(nn.sigmoid, mlc.spec((N,), np.float32))
    x = (np.arange(N, dtype=np.uint64) * ((1 << 32) // N)).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        want = 1 / (1 + np.exp(-x.astype(np.longdouble)))
    assert ulps(exe(x), want) <= 2.5


def test_accuracy_is_stated_of_each_function() -> None:
    assert ACCURACY.keys() == FUNCTIONS.keys()


def test_other_types_are_refused() -> None:
    text = "func.func @k(%x: f16) {\n  %y = math.exp %x : f16\n  func.return\n}"
    module = parse_module(text, "<test>")
    with pytest.raises(Exception, match="expected f32 or f64, found f16"):
        ExpandMath().apply(context(), module)


@pytest.mark.skipif(shutil.which("mlir-opt-22") is None, reason="mlir-opt-22 is not installed")
@pytest.mark.parametrize("lookup", [0, 16])
def test_upstream_accepts_the_expansions(lookup: int) -> None:
    shapes = [kind for t in DTYPES for kind in (t, f"vector<4x8x{t}>")]
    functions = []
    for i, (op, kind) in enumerate((op, kind) for op in REFERENCES for kind in shapes):
        operands = "%x, %x" if op in BINARY else "%x"
        functions.append(
            f"func.func @f{i}(%x: {kind}) -> {kind} {{\n  %y = {op} {operands} : {kind}\n  func.return %y : {kind}\n}}"
        )
    module = parse_module("\n".join(functions), "<test>")
    ExpandMath(lookup).apply(context(), module)
    verify(module)
    command = ["mlir-opt-22", "--verify-roundtrip", "-o", "/dev/null"]
    done = subprocess.run(command, input=print_ir(module), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
