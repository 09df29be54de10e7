"""Movement: what composes, cancels, or moves less if done later. All exact, since no value changes."""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from math import prod
from typing import Any

from xdsl.ir import SSAValue

from ....dialects.nd import dialect as _dialect  # fills OPS
from ....dialects.nd.array import Array
from ....dialects.nd.composite import LastDim
from ....dialects.nd.concatenation import Concat, concat
from ....dialects.nd.dimmap import DimMap, Index
from ....dialects.nd.elementwise import Elementwise, Not
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import (
    Broadcast,
    Pad,
    Reshape,
    Reverse,
    Slice,
    Transpose,
    reshape,
    reverse,
    slice_,
)
from ....dialects.nd.op import OPS, NdOp, bind
from ....dialects.nd.selection import Select
from ....dialects.nd.types import shape_of, with_shape
from ..rewriting import Table
from .patterns import A, defined, like, splat

assert _dialect
rules = Table()
on = rules.on

ELEMENTWISE = tuple(c for c in OPS.values() if issubclass(c, Elementwise) and not issubclass(c, LastDim))
"""The ops that treat every element alike."""


def read_through(inner: NdOp, at: tuple[Index, ...]) -> tuple[Index, ...]:
    """The indices at which `inner`'s operand is read, where its result is read at `at`; for bare permuting maps."""
    named = dict(zip(inner.dims.result, at, strict=True))
    return tuple(named[i] for i in inner.dims.operands[0])


# Constants.


@on(Broadcast, Reshape, Transpose, Slice, Reverse, level="exact")
def move_splat(op: Any) -> Array | None:  # broadcast(c) -> c, and any other movement
    if (c := splat(op.x)) is not None:
        return like(c, op.result)


@on(Pad, level="exact")
def pad_splat(op: Any) -> Array | None:  # pad(c, c) -> c
    c = splat(op.x)
    if c is not None and repr(c) == repr(splat(op.value)):
        return like(c, op.result)


@on(Concat, level="exact")
def concat_splat(op: Any) -> Array | None:  # concat(c, c) -> c
    values = [splat(v) for v in op.operands]
    if values[0] is not None and all(repr(c) == repr(values[0]) for c in values):
        return like(values[0], op.result)


# Nothing moves.


@on(Transpose, Broadcast, level="exact")
def move_nothing(
    op: Any,
) -> Array | None:  # transpose(x) -> x where the order stays; broadcast(x) -> x without new dimensions
    if op.dims.operands[0] == op.dims.result:
        return A(op.x)


@on(Reshape, Slice, level="exact")
def same_shape(op: Any) -> Array | None:  # reshape(x) -> x;  x[:] -> x
    if op.x.type != op.result.type:
        return None
    if type(op) is Reshape or (all(s == 0 for s in op.start.data) and all(t == 1 for t in op.step.data)):
        return A(op.x)


@on(Pad, level="exact")
def pad_nothing(op: Any) -> Array | None:  # pad(x) by 0 -> x
    if all(n == 0 for n in (*op.low.data, *op.high.data)) and op.x.type == op.result.type:
        return A(op.x)


@on(Reverse, level="exact")
def reverse_nothing(op: Any) -> Array | None:  # reverse(x) -> x along dimensions of size 1
    if all(shape_of(op.x.type)[k] == 1 for k in op.axes.data):
        return A(op.x)


@on(Concat, level="exact")
def concat_one(op: Any) -> Array | None:  # concat(x) -> x
    if len(op.operands) == 1:
        return A(op.operands[0])


@on(Concat, level="exact")
def concat_empty(op: Any) -> Array | None:  # concat(x, empty) -> x
    kept = [v for v in op.operands if shape_of(v.type)[op.along] != 0]
    if kept and len(kept) < len(op.operands):
        return concat([A(v) for v in kept], op.along)


# Two movements in one.


@on(Broadcast, level="exact")
def broadcast_broadcast(op: Any) -> Array | None:  # broadcast(broadcast(x)) -> broadcast(x)
    if b := defined(op.x, Broadcast):
        source = read_through(b, op.dims.operands[0])
        return rearrange(A(b.x), DimMap((source,), op.dims.result), shape_of(op.result.type))


@on(Transpose, level="exact")
def transpose_moved(
    op: Any,
) -> Array | None:  # transpose(transpose(x)) -> transpose(x) or x; transpose(broadcast(x)) -> broadcast(x)
    if t := defined(op.x, Transpose) or defined(op.x, Broadcast):
        source = read_through(t, op.dims.operands[0])
        return rearrange(A(t.x), DimMap((source,), op.dims.result), shape_of(op.result.type))


@on(Reshape, level="exact")
def reshape_reshape(op: Any) -> Array | None:  # reshape(reshape(x)) -> reshape(x) or x
    if r := defined(op.x, Reshape):
        return reshape(A(r.x), shape_of(op.result.type))


@on(Reshape, level="exact")
def compute_unshaped(op: Any) -> Array | None:  # reshape(f(reshape(x), c)) -> f(x, c) where the shapes cancel
    f = op.x.owner
    if type(f) not in ELEMENTWISE or not op.x.has_one_use():
        return None
    out = shape_of(op.result.type)
    sources = [(v, defined(v, Reshape)) for v in f.operands]
    if any(splat(v) is None if r is None else shape_of(r.x.type) != out for v, r in sources):
        return None
    return f.again([A(r.x) if r else _shrunk(v, out) for v, r in sources])


@on(Reverse, level="exact")
def reverse_reverse(op: Any) -> Array | None:  # reverse(reverse(x)) -> reverse(x) or x: what is named twice stays
    if r := defined(op.x, Reverse):
        a, b = op.axes.data, r.axes.data
        return reverse(A(r.x), sorted([k for k in a if k not in b] + [k for k in b if k not in a]))


@on(Slice, level="exact")
def slice_slice(op: Any) -> Array | None:  # x[s::t][u::v] -> x[s + t*u :: t*v]
    if inner := defined(op.x, Slice):
        start = [s + t * u for s, t, u in zip(inner.start.data, inner.step.data, op.start.data, strict=True)]
        step = [t * v for t, v in zip(inner.step.data, op.step.data, strict=True)]
        return slice_(A(inner.x), start, step, shape_of(op.result.type))


@on(Slice, level="exact")
def slice_reverse(op: Any) -> Array | None:  # x[::-1][s::t] -> x[n-1-s :: -t]
    if r := defined(op.x, Reverse):
        flipped = [k in r.axes.data for k in range(len(op.start.data))]
        dims = zip(shape_of(r.x.type), op.start.data, op.step.data, flipped, strict=True)
        start, step = zip(*((n + -1 + -1 * s, -1 * t) if f else (s, t) for n, s, t, f in dims), strict=True)
        return slice_(A(r.x), start, step, shape_of(op.result.type))


@on(Slice, level="exact")
def slice_broadcast(op: Any) -> Array | None:  # broadcast(x)[s::t] -> broadcast(x[s::t])
    if b := defined(op.x, Broadcast):
        at = [b.dims.result.index(i) for i in b.dims.operands[0]]
        out = shape_of(op.result.type)
        small = slice_(A(b.x), [op.start.data[k] for k in at], [op.step.data[k] for k in at], tuple(out[k] for k in at))
        return rearrange(small, b.dims, out)


@on(Slice, level="exact")
def slice_concat(op: Any) -> Array | None:  # concat(x, y)[s::t] -> y[s-n::t] where only y is read
    c = defined(op.x, Concat)
    if c is None:
        return None
    d, at = c.along, 0
    start, step, count = op.start.data[d], op.step.data[d], shape_of(op.result.type)[d]
    if not isinstance(start, int) or not isinstance(count, int) or count == 0:
        return None
    low, high = sorted((start, start + step * (count - 1)))
    for v in c.operands:
        size = shape_of(v.type)[d]
        if not isinstance(size, int):
            return None
        if at <= low and high < at + size:
            starts = [s - at if k == d else s for k, s in enumerate(op.start.data)]
            return slice_(A(v), starts, op.step.data, shape_of(op.result.type))
        at += size
    return None


@on(Reshape, level="exact")
def reshape_slice(
    op: Any,
) -> Array | None:  # reshape(x[:, a:b]) -> reshape(x)[:, a/n:b/n] by parts of n elements
    s = defined(op.x, Slice)
    if s is None or any(t != 1 for t in s.step.data):
        return None
    before, sliced, out = (shape_of(v.type) for v in (s.x, s.result, op.result))
    cut = [k for k, (n, m) in enumerate(zip(before, sliced, strict=True)) if n != m]
    if len(cut) != 1 or not all(isinstance(n, int) for n in (*before, *sliced, *out)):
        return None
    d, behind = cut[0], len(before) - cut[0] - 1
    length, first = before[d], s.start.data[d]
    split = out[d : len(out) - behind]
    if len(split) < 2 or out[:d] != sliced[:d] or out[len(out) - behind :] != sliced[d + 1 :]:
        return None
    whole = prod(n for n in split[1:] if isinstance(n, int))
    if not isinstance(length, int) or not isinstance(first, int) or whole == 0 or length % whole or first % whole:
        return None
    wide = reshape(A(s.x), (*before[:d], length // whole, *out[d + 1 :]))
    start = [first // whole if k == d else 0 for k in range(len(out))]
    return slice_(wide, start, [1] * len(out), out)


@on(Concat, level="exact")
def concat_concat(op: Any) -> Array | None:  # concat(concat(x, y), z) -> concat(x, y, z)
    def parts(v: SSAValue) -> list[SSAValue]:
        inner = defined(v, Concat)
        return list(inner.operands) if inner and inner.along == op.along and inner.result.has_one_use() else [v]

    flat = [p for v in op.operands for p in parts(v)]
    if len(flat) > len(op.operands):
        return concat([A(v) for v in flat], op.along)


@on(Concat, level="exact")
def concat_slices(op: Any) -> Array | None:  # concat(x[a:b], x[b:c]) -> x[a:c]
    slices = [defined(v, Slice) for v in op.operands]
    first, d = slices[0], op.along
    if first is None or any(s is None or s.x is not first.x for s in slices):
        return None
    at = first.start.data[d]
    for s in slices:
        others = [x for k, x in enumerate(s.start.data) if k != d]
        if s.start.data[d] != at or others != [x for k, x in enumerate(first.start.data) if k != d]:
            return None
        if s.step.data[d] != 1 or s.step.data != first.step.data:
            return None
        at = at + shape_of(s.result.type)[d]
    return slice_(A(first.x), first.start.data, first.step.data, shape_of(op.result.type))


# Compute before replicating.


@on(*ELEMENTWISE, level="exact")
def compute_then_broadcast(op: Any) -> Array | None:  # f(broadcast(x), broadcast(y), c) -> broadcast(f(x, y, c))
    common: Any = None
    for v in op.operands:
        b = defined(v, Broadcast)
        if b is None:
            if splat(v) is None:
                return None
        elif common is None:
            common = b
        elif b.properties["map"] != common.properties["map"] or shape_of(b.x.type) != shape_of(common.x.type):
            return None
    if common is None:
        return None
    small = shape_of(common.x.type)
    args = [A(b.x) if (b := defined(v, Broadcast)) else _shrunk(v, small) for v in op.operands]
    return rearrange(op.again(args), common.dims, shape_of(op.result.type))


def _shrunk(v: SSAValue, shape: Any) -> Array:
    """The constant v in another shape."""
    from ....dialects.nd.constant import full

    return full(splat(v), with_shape(v.type, shape))


# Choices.


@on(Select, level="exact")
def select_known(op: Any) -> Array | None:  # select(p, x, x) -> x;  select(true, x, y) -> x;  select(false, x, y) -> y
    if op.x is op.y:
        return A(op.x)
    if (p := splat(op.pred)) is not None:
        return A(op.x if p else op.y)


@on(Select, level="exact")
def select_truth(op: Any) -> Array | None:  # select(p, true, false) -> p;  select(p, false, true) -> not p
    x, y = splat(op.x), splat(op.y)
    if op.result.type == op.pred.type and x is not None and y is not None and bool(x) != bool(y):
        return A(op.pred) if x else bind(Not, A(op.pred))


@on(Select, level="exact")
def select_not(op: Any) -> Array | None:  # select(not p, x, y) -> select(p, y, x)
    if n := defined(op.pred, Not):
        return op.again([A(n.x), A(op.y), A(op.x)])


@on(Select, level="exact")
def select_select(op: Any) -> Array | None:  # select(p, select(p, x, y), z) -> select(p, x, z), and on the other side
    x, y = defined(op.x, Select), defined(op.y, Select)
    if x and x.pred is op.pred:
        return op.again([A(op.pred), A(x.x), A(op.y)])
    if y and y.pred is op.pred:
        return op.again([A(op.pred), A(op.x), A(y.y)])
