"""A window that reads only where a stride divides is several smaller ones, whose results are interleaved.

    y[p] = sum_k x[(p - k + 1) / 2] * w[k]         the input's gradient of a convolution with stride 2
becomes
    y[2 * q + r] = sum_t x[q - t + c] * w[2 * t + k]       for r = 0, 1, where 2 divides r - k + 1

so that none of the products is with a place between the elements of x. A transposed convolution is one, too.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from math import gcd
from typing import Any

from xdsl.dialects.builtin import i32

from ....dialects.nd.array import Array
from ....dialects.nd.constant import full, iota
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Index
from ....dialects.nd.dims import Shape
from ....dialects.nd.functions import equal, select
from ....dialects.nd.movement import broadcast_to, pad, reshape, slice_
from ....dialects.nd.types import shape_of, tensor
from ..rewriting import Table
from .patterns import A, static

rules = Table()

LANES = 16
"""Elements of a typical vector."""


@dataclass(frozen=True)
class Window:
    """`(p + c*k + offset) / stride`, the index of a dimension of an operand; p counts the result, k the kernel."""

    operand: int
    dimension: int
    index: Index
    p: str
    k: str
    c: int

    @property
    def stride(self) -> int:
        return self.index.divisor


@dataclass(frozen=True)
class Lines:
    """Two windows over neighbouring dimensions, and the first one's in the result."""

    outer: int
    inner: int
    at: int


@rules.on(Contract, level="ieee")
def divided_window(op: Any) -> Array | None:  # sum_k x[(p+c*k)/s] w[k] -> s interleaved sums over every s-th k
    shapes = [shape_of(x.type) for x in op.xs]
    result = [d for d in shape_of(op.result.type) if isinstance(d, int)]
    if not static(*shape_of(op.result.type), *(d for s in shapes for d in s)):
        return None
    known = {i.name: d for i, d in zip(op.dims.result, result, strict=True) if i.name}
    sizes: Mapping[str, Any] = op.dims.extents(shapes, known)
    found = [w for w in windows(op.dims) if sizes[w.p] >= 2 * w.stride]
    if not found:
        return None
    places = [next(k for k, i in enumerate(op.dims.result) if i.name == w.p) for w in found]
    each, apart = list(result), list(result)
    for w, at in sorted(zip(found, places), key=lambda f: -f[1]):
        each[at] = -(-result[at] // w.stride)
        apart[at : at + 1] = [each[at], w.stride]
    lines = flat(op, found, places, each)
    operands, lows = padded(op, found, sizes, each, places, lines)
    parts = Parts(op, operands, found, lows, sizes, tuple(each), lines)
    phases = {rs: parts.phase(rs) for rs in product(*(range(w.stride) for w in found))}
    whole = reshape(interleaved(phases, sorted(places), places, tuple(apart)), whole_shape(each, found, places))
    rank = len(result)
    return slice_(whole, [0] * rank, [1] * rank, tuple(result))


def whole_shape(each: Sequence[int], found: Sequence[Window], places: Sequence[int]) -> Shape:
    strides = {at: w.stride for w, at in zip(found, places, strict=True)}
    return tuple(n * strides.get(k, 1) for k, n in enumerate(each))


def windows(m: DimMap) -> list[Window]:
    """Every index with a divisor that falls apart: p and k stand nowhere else but bare."""
    bare = [i.name for i in m.result]
    found: list[Window] = []
    for operand, dims in enumerate(m.operands):
        for dimension, index in enumerate(dims):
            p = next((n for n, c in index.terms if c == 1 and n in bare), None)
            others = [(n, c) for n, c in index.terms if n != p]
            if index.divisor == 1 or p is None or len(others) != 1 or not isinstance(index.offset, int):
                continue
            k, c = others[0]
            uses = [i for ds in m.operands for i in ds if i is not index and any(n in (p, k) for n, _ in i.terms)]
            if k not in bare and gcd(c, index.divisor) == 1 and uses and all(i.name == k for i in uses):
                found.append(Window(operand, dimension, index, p, k, c))
    return found


def first_tap(w: Window, r: int) -> int:
    """The first one that the stride divides for result r."""
    assert isinstance(w.index.offset, int)
    return next(k for k in range(w.stride) if (r + w.c * k + w.index.offset) % w.stride == 0)


def start(w: Window, r: int) -> int:
    """Where the first tap of result r reads."""
    assert isinstance(w.index.offset, int)
    return (r + w.c * first_tap(w, r) + w.index.offset) // w.stride


def flat(op: Any, found: Sequence[Window], places: Sequence[int], each: Sequence[int]) -> Lines | None:
    """Lines that are shorter than their vectors are taken together with what pads them, as one dimension."""
    for (k, w), (m, v) in permutations(enumerate(found), 2):
        beside = w.operand == v.operand and v.dimension == w.dimension + 1 and places[m] == places[k] + 1
        last = v.dimension == len(op.dims.operands[v.operand]) - 1
        line, vectors = each[places[m]], -(-each[places[m]] // LANES) * LANES
        size = int(shape_of(op.xs[v.operand].type)[v.dimension])  # pyright: ignore[reportArgumentType]
        pitch = size + sum(reach(v, line, kernel_size(op, v), size))
        if beside and last and pitch < vectors:
            return Lines(k, m, places[k])
    return None


def kernel_size(op: Any, w: Window) -> int:
    """How many elements the kernel has."""
    shapes = [shape_of(x.type) for x in op.xs]
    return next(shapes[j][d] for j, ds in enumerate(op.dims.operands) for d, i in enumerate(ds) if i.name == w.k)  # pyright: ignore


def reach(w: Window, length: int, count: int, size: int) -> tuple[int, int]:
    """How far all phases read before the operand and behind it."""
    least, most = [0], [size - 1]
    for r in range(w.stride):
        more = w.c * (taps(w, r, count) - 1)
        if taps(w, r, count) > 0:
            least.append(start(w, r) + min(0, more))
            most.append(start(w, r) + max(0, more) + length - 1)
    return -min(least), max(most) + 1 - size


def padded(
    op: Any,
    found: Sequence[Window],
    sizes: Mapping[str, Any],
    each: Sequence[int],
    places: Sequence[int],
    lines: Lines | None,
) -> tuple[list[Array], list[int]]:
    """The operands with zeros around what is read, once for all phases, and how many stand before each window."""
    operands, lows = [A(x) for x in op.xs], list[int]()
    before, behind = ([[0] * x.ndim for x in operands] for _ in range(2))
    for k, (w, at) in enumerate(zip(found, places, strict=True)):
        size = int(operands[w.operand].shape[w.dimension])  # pyright: ignore[reportArgumentType]
        low, high = reach(w, each[at], sizes[w.k], size)
        lows.append(low)
        before[w.operand][w.dimension] = low
        # the last line reads on behind its end
        behind[w.operand][w.dimension] = high + (lines is not None and lines.outer == k)
    return [pad(x, 0, low, high) for x, low, high in zip(operands, before, behind, strict=True)], lows


def taps(w: Window, r: int, count: int) -> int:
    """How many of the kernel's elements result r meets."""
    return -(-(count - first_tap(w, r)) // w.stride)


@dataclass(frozen=True)
class Parts:
    """What all phases are made of."""

    op: Any
    operands: Sequence[Array]
    found: Sequence[Window]
    lows: Sequence[int]
    sizes: Mapping[str, Any]
    shape: tuple[int, ...]
    lines: Lines | None

    def phase(self, rs: Sequence[int]) -> Array:
        """Results r, s + r, 2 * s + r, ..: the products with every s-th tap from the first one on that s divides."""
        xs, dims = list(self.operands), [list(ds) for ds in self.op.dims.operands]
        for w, r, low in zip(self.found, rs, self.lows, strict=True):
            first, count = first_tap(w, r), taps(w, r, self.sizes[w.k])
            if count <= 0:
                return full(0, tensor(self.shape, self.op.result.type.element_type))
            for j, ds in enumerate(dims):
                for d in (d for d, i in enumerate(ds) if i.name == w.k):
                    rank = len(ds)
                    xs[j] = slice_(
                        xs[j],
                        [first if e == d else 0 for e in range(rank)],
                        [w.stride if e == d and count > 1 else 1 for e in range(rank)],
                        [count if e == d else xs[j].shape[e] for e in range(rank)],
                    )
            dims[w.operand][w.dimension] = Index(((w.p, 1), (w.k, w.c)), start(w, r) + low)
        if self.lines is None:
            return contract(xs, replace(self.op.dims, operands=tuple(map(tuple, dims))).canonical(), self.shape)
        return self.in_lines(xs, dims, self.lines)

    def in_lines(self, xs: list[Array], dims: list[list[Index]], lines: Lines) -> Array:
        """With the two dimensions as one: x[p + h, q + k] is x[(pitch * p + q) + pitch * h + k]."""
        outer, inner, at = self.found[lines.outer], self.found[lines.inner], lines.at
        x, d = xs[outer.operand], outer.dimension
        pitch, rows = int(x.shape[d + 1]), self.shape[at]  # pyright: ignore[reportArgumentType]
        one, other = dims[outer.operand][d : d + 2]
        offset = one.offset * pitch + other.offset
        index = Index(((inner.p, 1), (outer.k, outer.c * pitch), (inner.k, inner.c)), offset)
        dims[outer.operand][d : d + 2] = [index]
        xs[outer.operand] = reshape(x, (*x.shape[:d], x.shape[d] * pitch))
        result = tuple(i for k, i in enumerate(self.op.dims.result) if k != at)
        shape = (*self.shape[:at], rows * pitch, *self.shape[at + 2 :])
        m = replace(self.op.dims, operands=tuple(map(tuple, dims)), result=result).canonical()
        y = reshape(contract(xs, m, shape), (*self.shape[:at], rows, pitch, *self.shape[at + 2 :]))
        rank = len(self.shape)
        return slice_(y, [0] * rank, [1] * rank, self.shape)


def interleaved(
    phases: Mapping[tuple[int, ...], Array], order: Sequence[int], places: Sequence[int], shape: Shape
) -> Array:
    """The phases in turns: a choice by the positions along an axis of phases behind each divided one.

    One kernel chooses along all axes, and stores each row once.
    """
    axes = [at + 1 + order.index(at) for at in places]
    whole = {rs: spread(x, axes, shape) for rs, x in phases.items()}
    for axis in reversed(axes):
        position = iota(shape, axis, i32)
        groups: dict[tuple[int, ...], list[Array]] = {}
        for rs, x in whole.items():
            groups.setdefault(rs[:-1], []).append(x)
        whole = {rs: chosen(position, xs) for rs, xs in groups.items()}
    return whole[()]


def spread(x: Array, axes: Sequence[int], shape: Shape) -> Array:
    """The same along new axes."""
    return broadcast_to(reshape(x, tuple(1 if k in axes else d for k, d in enumerate(shape))), shape)


def chosen(position: Array, xs: Sequence[Array]) -> Array:
    """xs[position]"""
    found = xs[-1]
    for r in range(len(xs) - 2, -1, -1):
        found = select(equal(position, r), xs[r], found)
    return found
