"""Transcendental functions: accuracy against extended precision over their whole range, and the values at the edges."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from mlc.compiler.context import context
from mlc.compiler.native import NativeKernel, compile_kernel
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.verify import verify
from mlc.lowering.expand_math import ExpandMath
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


def kernel(op: str, dtype: str, operands: int, width: int = 64) -> NativeKernel:
    """`op` over N elements, `width` at a time (1: scalars)."""
    key = (op, dtype, width)
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
        ExpandMath().apply(context(), module)
        _KERNELS[key] = compile_kernel(next(o for o in module.ops if isinstance(o, func.FuncOp)))
    return _KERNELS[key]


def run(op: str, dtype: str, *inputs: np.ndarray, width: int = 64) -> np.ndarray:
    out = np.full(N, 7, DTYPES[dtype])
    padded = [np.resize(x.astype(DTYPES[dtype]), N) for x in inputs]
    kernel(op, dtype, len(inputs), width)(*padded, out)
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


REFERENCES = {
    "math.exp": np.exp,
    "math.log": np.log,
    "math.tanh": np.tanh,
    "math.sin": np.sin,
    "math.cos": np.cos,
    "math.powf": np.power,
}
# op, range for f32, range for f64, bound for f32, bound for f64
CASES = [
    ("math.exp", (-110, 95), (-760, 720), 1.1, 1.1),
    ("math.log", (0, 3e38), (0, 1e308), 1.1, 1.1),
    ("math.tanh", (-12, 12), (-25, 25), 2.0, 2.5),
    ("math.sin", (-1e5, 1e5), (-1e8, 1e8), 1.6, 1.6),
    ("math.cos", (-1e5, 1e5), (-1e8, 1e8), 1.6, 1.6),
]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_accuracy(case: tuple, dtype: str) -> None:
    op, *rest = case
    low, high = rest[dtype == "f64"]
    x = samples(dtype, low, high)
    with np.errstate(all="ignore"):
        want = REFERENCES[op](x.astype(np.longdouble))
    assert ulps(run(op, dtype, x), want) <= rest[2 + (dtype == "f64")]


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_power_accuracy(dtype: str) -> None:
    rng = np.random.default_rng(1)
    limit = 38 if dtype == "f32" else 307
    x = 10.0 ** rng.uniform(-limit, limit, N)
    y = rng.uniform(-1, 1, N) * limit / np.maximum(np.abs(np.log10(x)), 1e-2)
    x[: N // 4] = rng.uniform(0.5, 2, N // 4)
    y[: N // 4] = rng.uniform(-100, 100, N // 4)
    x, y = x.astype(DTYPES[dtype]), y.astype(DTYPES[dtype])
    with np.errstate(all="ignore"):
        want = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    assert ulps(run("math.powf", dtype, x, y), want) <= (1.0 if dtype == "f32" else 2.0)


@pytest.mark.parametrize("width", [64, 1])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("op", list(REFERENCES))
def test_special_values(op: str, dtype: str, width: int) -> None:
    """NaN, infinities, both zeros, subnormal numbers, huge arguments: vectors and scalars."""
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(DTYPES[dtype])
        inputs = (x,) if op != "math.powf" else tuple(a.ravel() for a in np.meshgrid(x, x))
        got = run(op, dtype, *inputs, width=width)
        want = REFERENCES[op](*(a.astype(np.longdouble) for a in inputs))
    assert ulps(got, want) <= 2.0
    zero = want == 0
    assert np.array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


def test_huge_angles_are_reduced_exactly() -> None:
    x = np.float32([1e5, 1e7, 1e20, 3e38, -1e30])
    assert ulps(run("math.sin", "f32", x), np.sin(x.astype(np.longdouble))) <= 1.0


def test_other_types_are_refused() -> None:
    text = "func.func @k(%x: f16) {\n  %y = math.exp %x : f16\n  func.return\n}"
    module = parse_module(text, "<test>")
    with pytest.raises(Exception, match="expected f32 or f64, found f16"):
        ExpandMath().apply(context(), module)


@pytest.mark.skipif(shutil.which("mlir-opt-22") is None, reason="mlir-opt-22 is not installed")
def test_upstream_accepts_the_expansions() -> None:
    shapes = [kind for t in DTYPES for kind in (t, f"vector<4x8x{t}>")]
    functions = []
    for i, (op, kind) in enumerate((op, kind) for op in REFERENCES for kind in shapes):
        operands = "%x, %x" if op == "math.powf" else "%x"
        functions.append(
            f"func.func @f{i}(%x: {kind}) -> {kind} {{\n  %y = {op} {operands} : {kind}\n  func.return %y : {kind}\n}}"
        )
    module = parse_module("\n".join(functions), "<test>")
    ExpandMath().apply(context(), module)
    verify(module)
    command = ["mlir-opt-22", "--verify-roundtrip", "-o", "/dev/null"]
    done = subprocess.run(command, input=print_ir(module), text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
