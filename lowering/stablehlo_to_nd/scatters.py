"""StableHLO to nd: scatter and select_and_scatter.

    scatter add, update_window_dims [1], inserted [0]                 nd.scatter add drop %x, %u, %i "a b, a -> @0 b"
    windows of 2 whose start is not known                             nd.scatter add drop %x, %u, %j "a b, a b -> @0"

Each element of a window is in bounds or not by itself: the index operand of the second form is the start plus 0, 1.
Where the starts are constants, or windows hold one element, the windows stand in the map. A region that is no combiner
of nd reads, computes and writes back: all updates at once if no two meet, else one index vector after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from xdsl.dialects.builtin import bf16, f16, i64
from xdsl.ir import Attribute, Operation, Region

from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.constant import full, iota
from ...dialects.nd.dimmap import OPAQUE, DimMap, Dims, Index, bare
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.indirect import gather
from ...dialects.nd.mapped import rearrange
from ...dialects.nd.scatter import KINDS, TAKES, scatter
from ...dialects.nd.selection import convert
from ...dialects.nd.types import NUMERIC, tensor
from ...dialects.stablehlo.access import flag
from ...dialects.stablehlo.dimension_numbers import ScatterDimensionNumbers
from . import bodies
from .expressions import array_of, combiners, distinct
from .gathers import IndexVectors
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


@dataclass(frozen=True)
class Starts:
    """Where windows start: one array for each element of the index vector, of dimensions `dims`.

    `batching` says for each batching dimension of the operand which dimension of these it is, or its coordinate.
    """

    parts: Sequence[Array]
    dims: Dims
    shape: tuple[Dim, ...]
    batching: Mapping[int, Index | Array]

    def along(self, k: int, window: Index, n: Dim) -> Array:
        """The positions of all elements of windows along one dimension."""
        start = convert(self.parts[k], i64)
        shape = (*self.shape, n)
        spread = rearrange(start, DimMap((self.dims,), (*self.dims, window)), shape)
        return spread + iota(shape, len(self.shape))


@dataclass(frozen=True)
class Places:
    """A map of updates into operands with its index operands."""

    map: DimMap
    indices: Sequence[Array]
    shape: tuple[Dim, ...]
    """Of the updates, without windows of one element."""
    longer: tuple[Dim, ...]
    """Of the operand, perhaps with one more dimension of one element."""

    def scatter(self, kind: str, x: Array, updates: Array) -> Array:
        if kind == "first":
            return x
        u = movement.reshape(updates, self.shape)
        y = scatter(kind, movement.reshape(x, self.longer), u, self.indices, self.map, "drop")
        return movement.reshape(y, x.shape)

    def look(self, x: Array) -> Array:
        """What stands in the operand at each update; 0 for those out of bounds."""
        data, *dims = self.map.operands
        turned = DimMap((self.map.result, *dims), data)
        return gather(movement.reshape(x, self.longer), self.indices, turned, "fill", self.shape)


def places(shape: Sequence[Dim], starts: Starts, d: ScatterDimensionNumbers, windows: dict[int, Dim],
           order: Sequence[int | None], inside: Callable[[int, Dim], bool]) -> Places:  # fmt: skip
    """`windows` are the sizes of windows by dimension of the operand; `order` says for each dimension of the updates
    which of them it is, None for one of the starts; `inside` whether all starts are known to be at most some number."""
    looked_up = {dim: k for k, dim in enumerate(d.scatter_dims_to_operand_dims)}
    place: list[Index] = []
    indices: list[Array] = []
    dims: list[Dims] = []

    def add(index: Array, of: Dims, window: Index = OPAQUE) -> None:
        place.append(Index(window.terms, at=len(indices)))
        indices.append(index)
        dims.append(of)

    def zeros() -> Array:
        return full(0, tensor(starts.shape, i64))

    for p, n in enumerate(shape):
        if (at := starts.batching.get(p)) is not None:
            if isinstance(at, Index):
                place.append(at)
            else:
                add(at, ())
            continue
        window, size_ = bare(f"w{p}"), windows.get(p, 1)
        if p in looked_up:
            k = looked_up[p]
            if size_ == 1:
                add(starts.parts[k], starts.dims)
            elif inside(k, n - size_):
                add(starts.parts[k], starts.dims, window)
            else:
                add(starts.along(k, window, size_), (*starts.dims, window))
        elif size_ == n and p in windows:
            place.append(window)
        else:
            add(zeros(), starts.dims, window if size_ != 1 else OPAQUE)
    longer = tuple(shape)
    if not indices:
        add(zeros(), starts.dims)
        longer = (*longer, 1)
    used = {i.name for i in place} | {n for i in place for n, _ in i.terms} | {i.name for x in dims for i in x}
    batch = iter(zip(starts.dims, starts.shape, strict=True))
    data: list[tuple[Index, Dim]] = []
    for p in order:
        name, n = next(batch) if p is None else (bare(f"w{p}"), windows[p])
        if name.name in used:
            data.append((name, n))
    map_ = DimMap((tuple(i for i, _ in data), *dims), tuple(place))
    return Places(map_, indices, tuple(n for _, n in data), longer)


@converter("stablehlo.scatter")
def scatter_(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    n = len(xs) // 2
    return scattered(op, xs[:n], xs[n], xs[n + 1 :], c)


def scattered(op: Operation, xs: Sequence[Array], indices: Array, us: Sequence[Array], c: Conversion) -> list[Array]:
    d = op.properties["scatter_dimension_numbers"]
    assert isinstance(d, ScatterDimensionNumbers)
    block = op.regions[0].block
    types = [c.element_type(a.type) for a in block.args]
    xs, us = ([convert(v, t) for v, t in zip(vs, types)] for vs in (xs, us))
    vectors = IndexVectors(indices, d.index_vector_dim)
    batching = {p: vectors.name(q) for p, q in zip(d.input_batching_dims, d.scatter_indices_batching_dims, strict=True)}
    rank = us[0].ndim
    kept = [p for p in range(xs[0].ndim) if p not in (*d.inserted_window_dims, *d.input_batching_dims)]
    of_window = dict(zip(d.update_window_dims, kept, strict=True))
    order = [of_window.get(k) for k in range(rank)]
    windows: dict[int, Dim] = {p: us[0].shape[k] for k, p in of_window.items()}
    parts = [vectors.part(k) for k in range(len(d.scatter_dims_to_operand_dims))]
    starts = Starts(parts, vectors.dims, vectors.shape, batching)
    known = array_of(op.operands[len(xs)])
    where = places(xs[0].shape, starts, d, windows, order, within(known, d.index_vector_dim))
    kinds = combiners(block)
    count = size(starts.shape)
    if flag(op, "unique_indices"):
        count = 1
    each = isinstance(count, int) and 1 < count <= FEW and any(t in HALF and k in SUMS for k, t in zip(kinds, types))
    if not each and all(supported(k, t) for k, t in zip(kinds, types)):
        return [where.scatter(k or "", x, u) for k, x, u in zip(kinds, xs, us, strict=True)]
    if count == 1:
        return combined(where, op.regions[0], xs, us, c)
    return one_by_one(op, starts, xs, us, windows, order, c)


HALF, SUMS = (f16, bf16), ("add", "mul")
FEW = 16
"""Sums and products of so many f16 or bf16 are rounded one after the other; nd.scatter keeps more of them in f32."""


def supported(kind: str | None, dtype: Attribute) -> bool:
    return kind in ("set", "first") or (kind in KINDS and dtype in TAKES.get(kind, NUMERIC))


def within(known: Any, vector: int) -> Callable[[int, Dim], bool]:
    """Whether an element of all index vectors is known to be from 0 to a number."""

    def inside(k: int, most: Dim) -> bool:
        if known is None or not isinstance(most, int):
            return False
        part = distinct(known if vector == known.ndim else np.moveaxis(known, vector, 0)[k])
        return bool(((part >= 0) & (part <= most)).all())

    return inside


def combined(where: Places, region: Region, xs: Sequence[Array], us: Sequence[Array], c: Conversion) -> list[Array]:
    """The region of all updates and of what stands at their places, at once."""
    old = [where.look(x) for x in xs]
    new = [movement.reshape(u, where.shape) for u in us]
    return [where.scatter("set", x, y) for x, y in zip(xs, bodies.apply(region, [*old, *new], c))]


def one_by_one(op: Operation, starts: Starts, xs: Sequence[Array], us: Sequence[Array], windows: dict[int, Dim],
               order: Sequence[int | None], c: Conversion) -> list[Array]:  # fmt: skip
    """A scan over the index vectors in their order; each updates its window."""
    d = op.properties["scatter_dimension_numbers"]
    assert isinstance(d, ScatterDimensionNumbers)
    count = size(starts.shape)
    batch = [k for k, p in enumerate(order) if p is None]
    rest = [k for k, p in enumerate(order) if p is not None]
    parts = [movement.reshape(part, (count,)) for part in starts.parts]
    coordinates = {
        p: movement.reshape(iota(starts.shape, starts.dims.index(i)), (count,))
        for p, i in starts.batching.items()
        if isinstance(i, Index)
    }
    rows = [movement.transpose(u, [*batch, *rest]) for u in us]
    rows = [movement.reshape(u, (count, *u.shape[len(batch) :])) for u in rows]

    def step(carried: Sequence[Array], slices: Sequence[Array]) -> Sequence[Array]:
        mine, at, new = slices[: len(parts)], slices[len(parts) : -len(rows)], slices[-len(rows) :]
        one = Starts(mine, (), (), dict(zip(coordinates, at, strict=True)))
        where = places(xs[0].shape, one, d, windows, [order[k] for k in rest], lambda k, most: False)
        return combined(where, op.regions[0], carried, new, c)

    return bodies.scan(op.regions[0], count, xs, [*parts, *coordinates.values(), *rows], step, c)
