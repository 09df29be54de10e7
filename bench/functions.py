"""Transcendental functions: nanoseconds of an element in the first cache, and a million elements against NumPy.

Rows `..._ns` are of f32. The program runs again and again from a loop of native code, so that a call costs nothing;
its array and its result fill two thirds of a first cache of 48 KiB. Rows `..._numpy` and `..._f64_numpy` are ratios, of
calls that write into arrays that exist already. NumPy has no erf; Python's, element by element, stands for it.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
from mlc.dialects.nd.op import Tolerance
from mlc.runtime import jit
from mlc.runtime.abi import ENTRY
from mlc.runtime.matching import assert_matches
from tqdm import tqdm

from .results import Row, ratio
from .timing import Timing, interleave

Array = np.ndarray[Any, Any]
SMALL, LARGE = 1 << 12, 1 << 20
TIMED = ("exp", "tanh", "log", "erf")
REPEATS = 50
"""Runs of the small program in one call: some 50 us."""
PASSES = 3

LOOP = """
define void @repeat(ptr %entry, i64 %n, ptr %buffers, ptr %arena) nounwind {
start:
  br label %loop
loop:
  %i = phi i64 [0, %start], [%up, %loop]
  %status = call i32 %entry(ptr %buffers, ptr null, ptr %arena, ptr null)
  %up = add i64 %i, 1
  %more = icmp ult i64 %up, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""


class Function(NamedTuple):
    """`peer` gets the arrays and the result's; `arrays` makes operands, as many elements of a dtype as asked for."""

    name: str
    fn: Callable[..., Any]
    peer: Callable[..., Any]
    arrays: Callable[[int, Any], tuple[Array, ...]]


def normal(n: int, dtype: Any) -> tuple[Array]:
    return (np.random.default_rng(0).standard_normal(n).astype(dtype),)


def positive(n: int, dtype: Any) -> tuple[Array]:
    return (np.abs(normal(n, dtype)[0]),)


def powers(n: int, dtype: Any) -> tuple[Array, Array]:
    return *positive(n, dtype), np.random.default_rng(1).standard_normal(n).astype(dtype)


def numpy_sigmoid(x: Array, out: Array) -> Array:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.divide(1, out, out=out)


def python_erf(x: Array, out: Array) -> Array:
    out[...] = np.fromiter(map(math.erf, x.tolist()), x.dtype, x.size)
    return out


def functions() -> Iterator[Function]:
    for name in ("exp", "exp2", "expm1", "tanh", "sin", "cos"):
        yield Function(name, getattr(mnp, name), getattr(np, name), normal)
    for name in ("log", "log1p", "log2"):
        yield Function(name, getattr(mnp, name), getattr(np, name), positive)
    yield Function("sigmoid", nn.sigmoid, numpy_sigmoid, normal)
    yield Function("erf", nn.erf, python_erf, normal)
    yield Function("pow", mnp.power, np.power, powers)


def compiled(function: Function, arrays: tuple[Array, ...]) -> Any:
    return mlc.compile(function.fn, *(mlc.spec(a.shape, a.dtype) for a in arrays), threads=1)


def aligned(n: int, dtype: Any) -> Array:
    """On a cache line's border, so that a vector of 64 bytes is in one."""
    size = n * np.dtype(dtype).itemsize
    space = np.empty(size + 64, np.uint8)
    start = -space.ctypes.data % 64
    return space[start : start + size].view(dtype)


def repeated(function: Function) -> Callable[[], None]:
    """A call that runs the function REPEATS times over SMALL elements, from native code."""
    arrays = tuple(aligned(SMALL, np.float32) for _ in function.arrays(1, np.float32))
    for array, values in zip(arrays, function.arrays(SMALL, np.float32), strict=True):
        array[...] = values
    out, arena, exe = aligned(SMALL, np.float32), aligned(1 << 16, np.uint8), compiled(function, arrays)
    buffers = [a.ctypes.data for a in (*arrays, *exe.constants, out)]
    pointers = (ctypes.c_void_p * len(buffers))(*buffers)
    loop = jit.Linked([jit.compile_object(LOOP)], {})
    types = (None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
    repeat, entry = ctypes.CFUNCTYPE(*types)(loop.address("repeat")), exe.linked.address(ENTRY)
    kept = (arrays, out, arena, exe, loop, pointers)

    def run(_: object = kept) -> None:
        repeat(entry, REPEATS, ctypes.addressof(pointers), arena.ctypes.data)

    return run


def nanoseconds() -> list[Row]:
    runs = {f.name: repeated(f) for f in functions() if f.name in TIMED}
    times = interleave(runs, rounds=300, seconds=0.0005)
    return [Row(f"{name}_ns", t.best / (REPEATS * SMALL) * 1e9, "ns") for name, t in times.items()]


def against_numpy(dtype: Any, suffix: str) -> list[Row]:
    """Ratios of the best rounds of all passes."""
    every = {f.name: (f, f.arrays(LARGE, dtype)) for f in functions()}
    runs: dict[str, dict[str, Callable[[], Any]]] = {}
    for name, (f, arrays) in tqdm(every.items(), desc="compiling", unit="function", leave=False, disable=None):
        exe, theirs = compiled(f, arrays), np.empty(LARGE, dtype)
        ours = exe(*arrays)
        f.peer(*arrays, out=theirs)
        assert_matches(Tolerance(ulp=8), ours, theirs)
        runs[name] = {
            "mlc": lambda e=exe, a=arrays, out=ours: e(*a, out=out),
            "numpy": lambda p=f.peer, a=arrays, out=theirs: p(*a, out=out),
        }
    found: dict[str, list[dict[str, Timing]]] = {name: [] for name in runs}
    for name in tqdm([*runs] * PASSES, desc="timing", unit="function", leave=False, disable=None):
        found[name].append(interleave(runs[name], rounds=3 if name == "erf" else 12, seconds=0.004))
    rows: list[Row] = []
    for name, passes in found.items():
        best = {who: min((p[who] for p in passes), key=lambda t: t.best) for who in ("mlc", "numpy")}
        rows.append(ratio(f"{name}{suffix}_numpy", best, "mlc", "numpy"))
    return rows


def rows() -> list[Row]:
    return [*nanoseconds(), *against_numpy(np.float32, ""), *against_numpy(np.float64, "_f64")]
