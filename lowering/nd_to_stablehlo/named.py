"""Values whose dimensions have names: what a dimension map needs done, step by step.

x[a, 2*b+c-1], w[c, d]    ->    windows written out, repeated names made one, sums, permutation, replication
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from xdsl.dialects.builtin import i64

from ...dialects.nd.dimmap import Dims, Index
from ...dialects.nd.types import tensor
from . import build as b
from .attributes import gather_numbers, ints
from .build import Value, select

Names = tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """A value and the name of each of its dimensions."""

    x: Value
    names: Names

    def sizes(self) -> dict[str, int]:
        return dict(zip(self.names, self.x.shape, strict=True))


def sum_over(n: Named, lost: Iterable[str], kind: str = "add", start: Any = 0) -> Named:
    """Reduce the dimensions of these names."""
    axes = [k for k, name in enumerate(n.names) if name in set(lost)]
    return Named(b.reduce(kind, n.x, start, axes), tuple(m for k, m in enumerate(n.names) if k not in axes))


def ordered(n: Named, names: Names) -> Value:
    """The dimensions in this order."""
    return b.transpose(n.x, [n.names.index(m) for m in names])


def spread(n: Named, names: Names, sizes: Mapping[str, int]) -> Value:
    """In this order, replicated along the names that it lacks."""
    own = tuple(m for m in names if m in n.names)
    return b.broadcast(ordered(n, own), [names.index(m) for m in own], [sizes[m] for m in names])


def merged(n: Named, groups: Sequence[Names]) -> Value:
    """One dimension for each group of names."""
    sizes = n.sizes()
    x = ordered(n, tuple(m for g in groups for m in g))
    return b.reshape(x, [prod(sizes[m] for m in g) for g in groups])


def diagonal(n: Named, zero: Any = 0) -> Named:
    """Names that stand several times are made one: elsewhere than on the diagonal is `zero`, then the sum."""
    while len(set(n.names)) < len(n.names):
        k = next(k for k, m in enumerate(n.names) if m in n.names[:k])
        first = n.names.index(n.names[k])
        at = b.equal(b.iota(n.x.shape, first), b.iota(n.x.shape, k))
        x = select(at, n.x, zero)
        n = Named(b.reduce("or" if str(x.dtype) == "i1" else "add", x, 0, [k]), n.names[:k] + n.names[k + 1 :])
    return n


def unfolded(x: Value, dims: Dims, sizes: Mapping[str, int], outside: Any) -> Named:
    """x at every point of the names in its indices; `outside` where an index leaves its dimension.

    Names that several indices have stand several times, until `diagonal` is applied.
    """
    names: list[str] = []
    k = 0
    for index in dims:
        if index.name is not None:
            names.append(index.name)
            k += 1
            continue
        own = tuple(name for name, _ in index.terms)
        x = _windows(x, k, index, tuple(sizes[m] for m in own), outside)
        names += own
        k += len(own)
    return Named(x, tuple(names))


def _windows(x: Value, axis: int, index: Index, grid: tuple[int, ...], outside: Any) -> Value:
    """One dimension becomes those of a grid of positions."""
    n, shape = x.shape[axis], (*x.shape[:axis], *grid, *x.shape[axis + 1 :])
    if not prod(shape) or not x.size:
        return b.splat(outside, tensor(shape, x.dtype))
    at = b.splat(b.number(index.offset), tensor(grid, i64))
    for k, (_, c) in enumerate(index.terms):
        at = at + b.iota(grid, k) * c
    inside = (at >= 0) & (at < n * index.divisor)
    if index.divisor != 1:
        inside = inside & b.equal(b.binary("remainder", at, index.divisor), 0)
        at = at / index.divisor
    y = take(x, at, axis)
    whole = b.broadcast(inside, range(axis, axis + len(grid)), shape)
    return select(whole, y, outside)


def take(x: Value, at: Value, axis: int) -> Value:
    """Positions along an axis; those outside are moved inside."""
    shape = (*x.shape[:axis], *at.shape, *x.shape[axis + 1 :])
    numbers = gather_numbers(
        offset_dims=[k for k in range(len(shape)) if not axis <= k < axis + at.ndim],
        collapsed_slice_dims=[axis],
        start_index_map=[axis],
        index_vector_dim=at.ndim,
    )
    sizes = [1 if k == axis else d for k, d in enumerate(x.shape)]
    return b.one("gather", [x, at], tensor(shape, x.dtype), dimension_numbers=numbers, slice_sizes=ints(sizes))
