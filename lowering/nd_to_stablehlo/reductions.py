"""Reductions, of windows and along lines too; order along one dimension.

Sums and products of f16 and bf16 are taken in f32. A running total is log2(n) steps of pairs at distances 1, 2, 4 ...;
each is as exact as one in order, but a product that leaves the range of its type on the way may differ. NaN is last in
a sort of either direction, and zeros of either sign are equal, as `nd` has it: the comparator says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import BoolAttr, IntegerAttr, bf16, f16, f32, i64

from ...dialects.nd.cumulative import Cumulative
from ...dialects.nd.dimmap import Index
from ...dialects.nd.indexing import Arg
from ...dialects.nd.reduction import Reduce, identity
from ...dialects.nd.sorting import Argsort, Sort
from ...dialects.nd.types import NUMPY, is_float, tensor
from ...dialects.nd.window import ReduceWindow
from . import build as b
from .attributes import ints, pairs
from .build import Value, differ, equal, select
from .named import Named, diagonal, ordered, sum_over, unfolded

COMBINER = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum", "any": "or", "all": "and"}


def wide(kind: str, x: Value) -> Value:
    """As it is accumulated."""
    return b.convert(x, f32) if kind in ("sum", "prod") and x.dtype in (f16, bf16) else x


def start(kind: str, x: Value) -> Any:
    return identity(kind, NUMPY[x.dtype])


def reduce(op: Reduce, x: Value) -> Value:
    y = wide(op.word, x)
    return b.convert(b.reduce(COMBINER[op.word], y, start(op.word, x), op.axes), x.dtype)


def extremum_place(op: Arg, x: Value) -> Value:
    """The first place where x is its extremum, or NaN: if there is one, the extremum is NaN and equals nothing."""
    (axis,) = op.axes
    kind = op.name.removeprefix("nd.arg")
    best = b.reduce(COMBINER[kind], x, start(kind, x), [axis])
    hit = equal(x, b.broadcast(best, [k for k in range(x.ndim) if k != axis], x.shape))
    if is_float(x.dtype):
        hit = hit | differ(x, x)
    n = x.shape[axis]
    places = select(hit, b.iota(x.shape, axis), b.splat(n, tensor(x.shape, i64)))
    return b.reduce("minimum", places, n, [axis])


# Windows.


def reduce_window(op: ReduceWindow, x: Value) -> Value:
    kind, m = op.word, op.dims
    out = tuple(i.name or "" for i in m.result)
    window = [b.number(d) for d in op.window.data]
    sizes = dict(zip((*out, *m.reduced()), (*b.shape_numbers(op.type), *window), strict=True))
    y = wide(kind, x)
    found = plain_windows(kind, y, m.operands[0], out, sizes) if y.size else None
    if found is None:
        n = diagonal(unfolded(y, m.operands[0], sizes, start(kind, y)), 0)
        n = sum_over(n, m.reduced(), COMBINER[kind], start(kind, y))
        found = ordered(n, out)
    return b.convert(found, x.dtype)


def plain_windows(
    kind: str, x: Value, dims: tuple[Index, ...], out: tuple[str, ...], sizes: dict[str, int]
) -> Value | None:
    """stablehlo.reduce_window, where each index is (s*o + d*w + offset) / L with its own o and w, or one of them."""
    names = [n for i in dims for n, _ in i.terms]
    if len(set(names)) < len(names) or any(c < 1 for i in dims for _, c in i.terms):
        return None
    window: list[int] = []
    stride: list[int] = []
    dilation: list[int] = []
    padding: list[tuple[int, int]] = []
    shape: list[int] = []
    for index, n in zip(dims, x.shape, strict=True):
        o = [(m, c) for m, c in index.terms if m in out]
        w = [(m, c) for m, c in index.terms if m not in out]
        if len(o) > 1 or len(w) > 1:
            return None
        (place, s), (tap, d) = *(o or [("", 1)]), *(w or [("", 1)])
        count, taps, low = sizes.get(place, 1), sizes.get(tap, 1), -b.number(index.offset)
        reach = (count - 1) * s + (taps - 1) * d + 1
        window.append(taps)
        stride.append(s)
        dilation.append(d)
        padding.append((low, reach - ((n - 1) * index.divisor + 1) - low))
        shape.append(count)
    if 0 in shape:
        return None
    scalar = tensor((), x.dtype)
    properties = {
        "window_dimensions": ints(window),
        "window_strides": ints(stride),
        "base_dilations": ints([i.divisor for i in dims]),
        "window_dilations": ints(dilation),
        "padding": pairs(padding),
    }
    region = b.combiner(COMBINER[kind], x.dtype)
    operands = [x, b.splat(start(kind, x), scalar)]
    y = b.add("stablehlo.reduce_window", operands, [tensor(tuple(shape), x.dtype)], properties, [region])[0]
    kept = tuple(next((m for m, _ in i.terms if m in out), "") for i in dims)
    y = b.reshape(y, [d for d, m in zip(shape, kept, strict=True) if m])
    return ordered(Named(y, tuple(m for m in kept if m)), out)


def cumulative(op: Cumulative, x: Value) -> Value:
    kind, axis, back = op.word, op.along, op.reverse is not None
    y, n, by = wide(kind, x), x.shape[axis], 1
    while by < n:
        y = b.binary(COMBINER[kind], shifted(y, axis, by, start(kind, y), back), y)
        by *= 2
    return b.convert(y, x.dtype)


def shifted(x: Value, axis: int, by: int, fill: Any, back: bool) -> Value:
    """Each element's neighbour `by` places before it, behind it with `back`; `fill` where there is none."""
    zero, away = [0] * x.ndim, [by if k == axis else 0 for k in range(x.ndim)]
    stop = [d - by if k == axis else d for k, d in enumerate(x.shape)]
    part = b.slice_(x, away, x.shape, [1] * x.ndim) if back else b.slice_(x, zero, stop, [1] * x.ndim)
    value = b.splat(fill, tensor((), x.dtype))
    return b.pad(part, value, zero if back else away, away if back else zero, zero)


# Order.


def sorted_(xs: list[Value], axis: int, descending: bool) -> list[Value]:
    """All by the first of them."""
    scalars = [tensor((), x.dtype) for x in xs for _ in (0, 1)]

    def before(p: Value, q: Value, *rest: Value) -> list[Value]:
        less = p > q if descending else p < q
        if is_float(p.dtype):
            less = less | (equal(p, p) & differ(q, q))
        return [less]

    properties = {"dimension": IntegerAttr(axis, i64), "is_stable": BoolAttr.from_bool(True)}
    return b.add("stablehlo.sort", xs, [x.type for x in xs], properties, [b.body(scalars, before)])


def sort(op: Sort, x: Value) -> Value:
    return sorted_([x], op.along, op.descending is not None)[0]


def argsort(op: Argsort, x: Value) -> Value:
    return sorted_([x, b.iota(x.shape, op.along)], op.along, op.descending is not None)[1]


ROWS: dict[str, Callable[..., Value]] = {
    "reduce": reduce,
    "argmax": extremum_place,
    "argmin": extremum_place,
    "reduce_window": reduce_window,
    "cumulative": cumulative,
    "sort": sort,
    "argsort": argsort,
}
