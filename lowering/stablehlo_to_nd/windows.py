"""StableHLO to nd: reduce_window and select_and_scatter.

    add, window [1, 3], padding [[0, 0], [1, 1]]      nd.reduce_window sum %x "a b+c-1 -> a b" window [3]
    add, window [1, n], padding [[0, 0], [n-1, 0]]    nd.cumulative sum %x along [1]

Any other region, or an initial value that is not the identity: the operand is padded, then one dimension after the
other is combined, the last one first, so that the elements of a window stay in order. A small window is a tree of
slices, a large one is put together from windows of 1, 2, 4 ... elements.

select_and_scatter is such a reduction of pairs (element, place in the flat operand or -1 for padding), then a scatter
to the places that were selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i64
from xdsl.ir import Operation

from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.constant import full, iota
from ...dialects.nd.convolution import window_count
from ...dialects.nd.dimmap import DimMap, Index, bare
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.selection import convert
from ...dialects.nd.types import FIELD, is_complex, tensor
from ...dialects.nd.window import reduce_window
from ...dialects.stablehlo.access import ints, pairs
from . import bodies
from .expressions import combiners
from .reductions import COMBINE, Body, neutral, part, reduction_kind
from .scatters import Places, combined, supported
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


class Windows:
    """Window sizes, strides, padding and dilations, one for each dimension."""

    def __init__(self, op: Operation, rank: int) -> None:
        one = [1] * rank
        self.sizes = ints(op, "window_dimensions", one)
        self.strides = ints(op, "window_strides", one)
        self.base = ints(op, "base_dilations", one)
        self.dilations = ints(op, "window_dilations", one)
        self.pads = pairs(op, "padding", rank)


LARGE = 8
"""Windows of more elements are put together from shorter ones, if they overlap."""


@converter("stablehlo.reduce_window")
def reduce_window_(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    n = len(xs) // 2
    block = op.regions[0].block
    types = [c.element_type(a.type) for a in block.args]
    values, inits = ([convert(v, t) for v, t in zip(vs, types)] for vs in (xs[:n], xs[n:]))
    w = Windows(op, values[0].ndim)
    words = combiners(block)
    kinds = [reduction_kind(k, t) for k, t in zip(words, types)]
    for k, t in enumerate(types[:n]):  # windows of complex products are nd's where they run to one end
        known_by_nd = running(values[k].shape, w) is not None and neutral("prod", op, n + k, t)
        if kinds[k] == "prod" and is_complex(t) and not known_by_nd:
            kinds[k] = None
    if None not in kinds:
        columns = zip(kinds, words, values, inits, strict=True)
        return [
            known(kind or "", word or "", v, init, w, neutral(kind or "", op, n + k, types[k]))
            for k, (kind, word, v, init) in enumerate(columns)
        ]

    def body(pair: Sequence[Array]) -> Sequence[Array]:
        return bodies.apply(op.regions[0], pair, c)

    found = combine(body, [padded(v, init, w) for v, init in zip(values, inits, strict=True)], w)
    return body([*(movement.broadcast_to(i, y.shape) for i, y in zip(inits, found, strict=True)), *found])


def known(kind: str, word: str, x: Array, init: Array, w: Windows, neutral: bool) -> Array:
    """A combiner of nd."""
    out = counts(x.shape, w)
    if neutral:
        if (axis := running(x.shape, w)) is not None and kind in CUMULATIVE and x.dtype in FIELD:
            from ...dialects.nd.cumulative import cumulative

            return cumulative(kind, x, axis, w.pads[axis][1] != 0)
        return reduce_window(kind, x, w.sizes, w.strides, w.pads, w.dilations, w.base, out)
    rank = x.ndim
    y = padded(x, init, w)
    y = reduce_window(kind, y, w.sizes, w.strides, [(0, 0)] * rank, w.dilations, [1] * rank, out)
    return COMBINE[word](y, init)


CUMULATIVE = ("sum", "prod", "max", "min")


def counts(shape: Sequence[Dim], w: Windows) -> tuple[Dim, ...]:
    """How many windows there are along each dimension."""
    each = zip(shape, w.sizes, w.strides, w.pads, w.dilations, w.base, strict=True)
    return tuple(window_count(d, k, s, low, high, di, b) for d, k, s, (low, high), di, b in each)


def running(shape: Sequence[Dim], w: Windows) -> int | None:
    """The dimension whose windows reach from each element to one end, all others being of one element."""
    rank = len(shape)
    if any(v != 1 for v in (*w.strides, *w.base, *w.dilations)):
        return None
    some = [k for k in range(rank) if w.sizes[k] != 1 or w.pads[k] != (0, 0)]
    if len(some) != 1 or (n := shape[k := some[0]]) != w.sizes[k] or not isinstance(n, int):
        return None
    return k if w.pads[k] in ((n - 1, 0), (0, n - 1)) else None


def padded(x: Array, value: Array, w: Windows) -> Array:
    """With its padding and what lies between the elements; negative padding cuts."""
    low, high = ([max(p[k], 0) for p in w.pads] for k in (0, 1))
    y = movement.pad_with(x, value, low, high, [b - 1 for b in w.base])
    cut = [(-min(p[0], 0), -min(p[1], 0)) for p in w.pads]
    if not any(before or behind for before, behind in cut):
        return y
    count = [at_least(d + -(before + behind)) for d, (before, behind) in zip(y.shape, cut, strict=True)]
    return movement.slice_(y, [before for before, _ in cut], [1] * y.ndim, count)


def at_least(d: Dim) -> Dim:
    return max(d, 0) if isinstance(d, int) else d


def combine(body: Body, xs: Sequence[Array], w: Windows) -> Sequence[Array]:
    """The windows of padded operands, dimension by dimension."""
    for axis in reversed(range(xs[0].ndim)):
        n, stride, dilation = w.sizes[axis], w.strides[axis], w.dilations[axis]
        if (n, stride) != (1, 1):
            count = window_count(xs[0].shape[axis], n, stride, 0, 0, dilation, 1)
            xs = along(body, xs, axis, n, stride, dilation, count)
    return xs


def along(
    body: Body, xs: Sequence[Array], axis: int, n: int, stride: int, dilation: int, count: Dim
) -> Sequence[Array]:
    def at(values: Sequence[Array], k: int, count: Dim, step: int) -> Sequence[Array]:
        return [part(v, k * dilation, count, step, axis) for v in values]

    if count == 0:
        return [part(v, 0, 0, 1, axis) for v in xs]
    if n <= LARGE or stride >= n * dilation:
        return ordered(body, [at(xs, k, count, stride) for k in range(n)])
    # windows of powers of two, taken where a part of the whole window begins
    every = (count + -1) * stride + 1
    found: Sequence[Array] | None = None
    begin, length, whole = 0, 1, xs
    while True:
        if n & length:
            piece = at(whole, begin, every, 1)
            found = piece if found is None else body([*found, *piece])
            begin += length
        if begin == n:
            return [part(v, 0, count, stride, axis) for v in found or ()]
        left = whole[0].shape[axis] + -length * dilation
        whole = body([*at(whole, 0, left, 1), *at(whole, length, left, 1)])
        length *= 2


def ordered(body: Body, values: list[Sequence[Array]]) -> Sequence[Array]:
    """A tree over neighbours."""
    while len(values) > 1:
        pairs = [body([*a, *b]) for a, b in zip(values[::2], values[1::2])]
        values = [*pairs, *values[len(values) - len(values) % 2 :]]
    return values[0]


@converter("stablehlo.select_and_scatter")
def select_and_scatter(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, source, init = xs
    rank, dtype = x.ndim, c.element_type(op.regions[1].block.args[0].type)
    w = Windows(op, rank)
    place = movement.reshape(iota((size(x.shape),), 0, i64), x.shape)
    nowhere, whole = full(-1, tensor((), i64)), not any(low > 0 or high > 0 for low, high in w.pads)

    def body(pair: Sequence[Array]) -> Sequence[Array]:
        a, here, b, there = pair
        (first,) = bodies.apply(op.regions[0], [a, b], c)
        if not whole:
            first = F.bitwise_or(F.less(there, 0), F.bitwise_and(F.greater_equal(here, 0), first))
        return [F.select(first, a, b), F.select(first, here, there)]

    zero = full(0, tensor((), x.dtype))
    _, places = combine(body, [padded(x, zero, w), padded(place, nowhere, w)], w)
    n, count = size(x.shape), size(source.shape)
    into = movement.broadcast_to(convert(init, dtype), (n,))
    name = bare("u")
    flat = Places(DimMap(((name,), (name,)), (Index(at=0),)), [movement.reshape(places, (count,))], (count,), (n,))
    updates = movement.reshape(convert(source, dtype), (count,))
    (kind,) = combiners(op.regions[1].block)
    if supported(kind, dtype):
        return movement.reshape(flat.scatter(kind or "", into, updates), x.shape)
    return movement.reshape(scattered_flat(op, flat, into, updates, c), x.shape)


def scattered_flat(op: Operation, flat: Places, x: Array, updates: Array, c: Conversion) -> Array:
    """One update after the other."""

    def step(carried: Sequence[Array], slices: Sequence[Array]) -> Sequence[Array]:
        one = Places(DimMap(((), ()), (Index(at=0),)), [slices[0]], (), flat.longer)
        return combined(one, op.regions[1], carried, [slices[1]], c)

    return bodies.scan(op.regions[1], flat.shape[0], [x], [flat.indices[0], updates], step, c)[0]
