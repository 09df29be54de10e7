"""Every family of ops over a million elements against NumPy, one thread each; results are compared before.

NumPy writes into an array of its own where it can (`out=`). Rows named `apart/...` have no bar: sorts, and functions
beyond exp, log and tanh. `geometric_mean` and `minimum` are over all others, `mean_...` over one family.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import ml_dtypes
import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
from mlc.runtime.matching import Tolerance, assert_matches
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from .results import Row, ratio
from .timing import Run, Timing, interleave

Array = np.ndarray[Any, Any]
N = 1 << 20
SIDE = 1 << 10
RNG = np.random.default_rng(0)


class Op(NamedTuple):
    """`peer` gets the arrays, then an array for the result, which it fills or leaves alone."""

    name: str
    fn: Callable[..., Any]
    peer: Callable[..., Any]
    arrays: tuple[Array, ...]


def floats(*shape: int, dtype: Any = np.float32) -> Array:
    return RNG.standard_normal(shape).astype(dtype)


def whole(*shape: int, dtype: Any = np.int32, high: int = 100) -> Array:
    return RNG.integers(1, high, shape).astype(dtype)


def elementwise() -> Iterator[Op]:
    x, y, p = floats(N), floats(N), RNG.random(N) < 0.5
    i, j = whole(N), whole(N)
    for name, ours, theirs in (
        ("add", mnp.add, np.add),
        ("multiply", mnp.multiply, np.multiply),
        ("divide", mnp.divide, np.divide),
        ("maximum", mnp.maximum, np.maximum),
        ("less", mnp.less, np.less),
    ):
        yield Op(f"{name}_f32", ours, lambda x, y, out, f=theirs: f(x, y, out=out), (x, y))
    for name, ours, theirs in (
        ("abs", mnp.abs, np.abs),
        ("floor", mnp.floor, np.floor),
        ("sqrt", mnp.sqrt, np.sqrt),
        ("exp", mnp.exp, np.exp),
        ("log", mnp.log, np.log),
        ("tanh", mnp.tanh, np.tanh),
    ):
        a = np.abs(x) if name in ("sqrt", "log") else x
        yield Op(f"{name}_f32", ours, lambda x, out, f=theirs: f(x, out=out), (a,))
    yield Op("where_f32", mnp.where, lambda p, x, y, out: np.copyto(out, np.where(p, x, y)), (p, x, y))
    yield Op("clip_f32", lambda x: mnp.clip(x, -1.0, 1.0), lambda x, out: np.clip(x, -1, 1, out=out), (x,))
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64):
        a, b = whole(N, dtype=dtype), whole(N, dtype=dtype)
        yield Op(f"add_{np.dtype(dtype).name}", mnp.add, lambda x, y, out: np.add(x, y, out=out), (a, b))
    yield Op("floor_divide_i32", mnp.floor_divide, lambda x, y, out: np.floor_divide(x, y, out=out), (i, j))
    yield Op("bitwise_xor_i32", mnp.bitwise_xor, lambda x, y, out: np.bitwise_xor(x, y, out=out), (i, j))
    yield Op("shift_i32", lambda x: x << 3, lambda x, out: np.left_shift(x, 3, out=out), (i,))
    for dtype in (np.float16, ml_dtypes.bfloat16, np.float64):
        a, b = floats(N, dtype=dtype), floats(N, dtype=dtype)
        yield Op(f"multiply_{np.dtype(dtype).name}", mnp.multiply, lambda x, y, out: np.multiply(x, y, out=out), (a, b))


def conversions() -> Iterator[Op]:
    x = floats(N) * 10
    for name in ("float64", "float16", "bfloat16", "int32", "int8", "uint8", "float8_e4m3fn"):
        target = np.dtype(getattr(ml_dtypes, name, name)) if name in ("bfloat16", "float8_e4m3fn") else np.dtype(name)
        source = np.abs(x) if name == "uint8" else x
        yield Op(f"f32_to_{name}", lambda x, n=name: x.astype(n), lambda x, out, t=target: x.astype(t), (source,))


def reductions() -> Iterator[Op]:
    x = floats(SIDE, SIDE)
    for name in ("sum", "prod", "max", "mean", "var"):
        for axis in (None, 0, 1):
            if name == "prod" and axis is None:
                continue
            ours = lambda x, n=name, a=axis: getattr(mnp, n)(x, a)
            a = 1 + x / 1000 if name == "prod" else x
            peer = lambda x, out, n=name, a=axis: getattr(np, n)(x, axis=a)
            yield Op(f"{name}_axis_{axis}", ours, peer, (a,))
    yield Op("any", mnp.any, lambda p, out: np.any(p), (np.zeros((SIDE, SIDE), bool),))
    for axis in (0, 1):
        ours = lambda x, a=axis: mnp.argmax(x, a)
        yield Op(f"argmax_axis_{axis}", ours, lambda x, out, a=axis: np.argmax(x, axis=a, out=out), (x,))
        total = lambda x, a=axis: mnp.cumsum(x, a)
        yield Op(f"cumsum_axis_{axis}", total, lambda x, out, a=axis: np.cumsum(x, axis=a, out=out), (x,))
    i = whole(SIDE, SIDE, dtype=np.int8)
    yield Op("max_int8", lambda x: mnp.max(x, 1), lambda x, out: np.max(x, axis=1, out=out), (i,))


def movement() -> Iterator[Op]:
    x, y = floats(SIDE, SIDE), floats(SIDE, SIDE)
    yield Op("transpose", lambda x: x.T + 0.0, lambda x, out: np.add(x.T, np.float32(0), out=out), (x,))
    yield Op("reverse", lambda x: x[::-1, ::-1] + 0.0, lambda x, out: np.add(x[::-1, ::-1], 0, out=out), (x,))
    yield Op("stride_2", lambda x: x[::2] + 0.0, lambda x, out: np.add(x[::2], 0, out=out), (x,))
    join = lambda x, y, out: np.concatenate([x, y], out=out)
    yield Op("concatenate", lambda x, y: mnp.concatenate([x, y]), join, (x, y))
    yield Op("pad", lambda x: mnp.pad(x, 1), lambda x, out: np.pad(x, 1), (x,))
    row = floats(SIDE)
    yield Op("broadcast_add", mnp.add, lambda x, y, out: np.add(x, y, out=out), (x, row))


def indexing() -> Iterator[Op]:
    x, rows = floats(SIDE, SIDE), whole(SIDE, high=SIDE, dtype=np.int64)
    flat, at = floats(N), whole(N, high=N, dtype=np.int64)
    yield Op("take_rows", lambda x, i: mnp.take(x, i, 0), lambda x, i, out: np.take(x, i, 0, out=out), (x, rows))
    yield Op("take_elements", mnp.take, lambda x, i, out: np.take(x, i, out=out), (flat, at))
    columns = whole(SIDE, SIDE, high=SIDE, dtype=np.int64)
    along = lambda x, i: mnp.take_along_axis(x, i, 1)
    yield Op("take_along_axis", along, lambda x, i, out: np.take_along_axis(x, i, 1), (x, columns))

    def add_at(x: Array, i: Array, v: Array, out: Array) -> Array:
        np.copyto(out, x)
        np.add.at(out, i, v)
        return out

    yield Op("scatter_add_rows", lambda x, i, v: x.at[i].add(v), add_at, (x, rows, floats(SIDE, SIDE)))
    yield Op("scatter_add_elements", lambda x, i, v: x.at[i].add(v), add_at, (flat, at, floats(N)))


def products() -> Iterator[Op]:
    a, b, v = floats(SIDE, SIDE), floats(SIDE, SIDE), floats(SIDE)
    yield Op("matmul_1024", mnp.matmul, lambda x, y, out: np.matmul(x, y, out=out), (a, b))
    yield Op("matvec", mnp.matmul, lambda x, y, out: np.matmul(x, y, out=out), (a, v))
    q, k = floats(16, 256, 64), floats(16, 64, 256)
    yield Op("batched_matmul", mnp.matmul, lambda x, y, out: np.matmul(x, y, out=out), (q, k))
    image, kernel = floats(1, 128, 128, 64), floats(3, 3, 64, 64)

    def conv(x: Array, w: Array, out: Array) -> Array:
        return np.einsum("nabcij,ijco->nabo", sliding_window_view(x, (3, 3), (1, 2)), w, optimize=True)

    yield Op("conv_3x3", lambda x, w: nn.conv(x, w, padding="valid"), conv, (image, kernel))
    pooled = lambda x, out: sliding_window_view(x, (2, 2), (1, 2))[:, ::2, ::2].max((-2, -1))
    yield Op("max_pool_2x2", lambda x: nn.max_pool(x, 2), pooled, (floats(1, 256, 256, 16),))


def networks() -> Iterator[Op]:
    x, g, b = floats(SIDE, SIDE), floats(SIDE), floats(SIDE)

    def softmax(x: Array, out: Array) -> Array:
        np.subtract(x, x.max(-1, keepdims=True), out=out)
        np.exp(out, out=out)
        return np.divide(out, out.sum(-1, keepdims=True), out=out)

    def layer_norm(x: Array, g: Array, b: Array, out: Array) -> Array:
        np.subtract(x, x.mean(-1, keepdims=True), out=out)
        out /= np.sqrt((out * out).mean(-1, keepdims=True) + np.float32(1e-5))
        out *= g
        out += b
        return out

    yield Op("softmax", nn.softmax, softmax, (x,))
    yield Op("layer_norm", nn.layer_norm, layer_norm, (x, g, b))


def apart() -> Iterator[Op]:
    x = floats(N)
    near = np.tanh(x)
    for name, a in (
        *((n, x) for n in ("sin", "cos", "tan", "arctan", "sinh", "cosh", "arcsinh", "exp2", "expm1", "cbrt")),
        *((n, near) for n in ("arcsin", "arccos", "arctanh")),
        *((n, np.abs(x)) for n in ("log1p", "log2", "log10")),
    ):
        ours = lambda x, n=name: getattr(mnp, n)(x)
        yield Op(f"apart/{name}", ours, lambda x, out, n=name: getattr(np, n)(x, out=out), (a,))
    yield Op("apart/power", mnp.power, lambda x, y, out: np.power(x, y, out=out), (np.abs(x), floats(N)))
    yield Op("apart/remainder", mnp.remainder, lambda x, y, out: np.remainder(x, y, out=out), (x, floats(N)))
    rows = floats(SIDE, SIDE)
    yield Op("apart/sort_rows", lambda x: mnp.sort(x, 1), lambda x, out: np.sort(x, 1), (rows,))
    yield Op("apart/sort_1M", mnp.sort, lambda x, out: np.sort(x), (x,))
    yield Op("apart/argsort_rows", lambda x: mnp.argsort(x, 1), lambda x, out: np.argsort(x, 1, "stable"), (rows,))


FAMILIES = (elementwise, conversions, reductions, movement, indexing, products, networks, apart)


PASSES = 3
"""How often all ops are timed, one after the other: a busy moment does not meet all rounds of one op."""


def prepared(op: Op) -> dict[str, Run]:
    """Compiled and compared: what to time."""
    exe = mlc.compile(op.fn, *(mlc.spec(a.shape, a.dtype) for a in op.arrays), threads=1)
    ours = exe(*op.arrays)
    theirs = np.empty_like(ours)
    found = op.peer(*op.arrays, theirs)
    found = np.asarray(theirs if found is None else found, ours.dtype)
    scale = float(np.max(np.abs(ours.astype(np.float64)), initial=1))
    close = Tolerance(ulp=64, sums=4 * math.sqrt(N), scale=scale)
    assert_matches(close if ours.dtype.kind not in "iub" else Tolerance(), ours, found)
    return {"mlc": lambda: exe(*op.arrays, out=ours), "numpy": lambda: op.peer(*op.arrays, theirs)}


def measured(ops: list[Op]) -> list[Row]:
    """Each op's ratio, over all passes."""
    runs = [prepared(op) for op in tqdm(ops, desc="compiling", unit="op", leave=False, disable=None)]
    times: list[list[dict[str, Timing]]] = [[] for _ in ops]
    for k in tqdm([*range(len(ops))] * PASSES, desc="timing", unit="op", leave=False, disable=None):
        times[k].append(interleave(runs[k], rounds=5, seconds=0.01))
    return [ratio(op.name, together(found), "mlc", "numpy") for op, found in zip(ops, times)]


def together(passes: list[dict[str, Timing]]) -> dict[str, Timing]:
    """The best round of all, and the median of the medians."""
    return {
        name: Timing(min(p[name].best for p in passes), statistics.median(p[name].median for p in passes))
        for name in passes[0]
    }


def geometric_mean(name: str, found: list[Row]) -> Row:
    return Row(name, math.exp(sum(math.log(row.value) for row in found) / len(found)), "x")


def rows() -> list[Row]:
    """Every op, then the mean of each family, of all that have a bar, and the least of those."""
    ops = {f.__name__: list(f()) for f in FAMILIES}
    with np.errstate(all="ignore"):
        every = iter(measured([op for family in ops.values() for op in family]))
    families = {name: [next(every) for _ in family] for name, family in ops.items()}
    judged = [row for name, found in families.items() for row in found if name != apart.__name__]
    return [
        *(row for found in families.values() for row in found),
        *(geometric_mean(f"mean_{name}", found) for name, found in families.items()),
        geometric_mean("geometric_mean", judged),
        Row("minimum", min(row.value for row in judged), "x"),
    ]
