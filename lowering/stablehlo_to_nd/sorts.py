"""StableHLO to nd: sort and top_k.

    compare LT of one operand                  nd.sort %x along [0]
    another key, several keys or operands      nd.argsort of each key from the last to the first, then nd.gather
    TOTALORDER                                 of integers: bits ^ (bits >> 63 & 0x7f..)
    any other comparator                       a bitonic network, a scan over its steps

The network sorts by the comparator, then by the position: so it is stable, and every two elements have an order. A size
that is known at run time only counts for each element how many stand before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import i1, i64
from xdsl.ir import Attribute, Operation, Region, SSAValue

from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.bits import bitcast
from ...dialects.nd.constant import constant, full, iota
from ...dialects.nd.dimmap import DimMap, names
from ...dialects.nd.dims import Dim
from ...dialects.nd.mapped import rearrange
from ...dialects.nd.selection import convert
from ...dialects.nd.sorting import argsort, sort
from ...dialects.nd.types import SIGNLESS, is_complex, is_float, tensor, width
from ...dialects.stablehlo.access import number
from . import bodies
from .comparators import Key, keys_of
from .reductions import part
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


@converter("stablehlo.sort")
def sort_(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    axis = number(op, "dimension", -1)
    axis += xs[0].ndim if axis < 0 else 0
    if xs[0].shape[axis] in (0, 1):
        return xs
    keys = keys_of(op.regions[0].block)
    if keys is None or any(k.operand is None and k.value.type == i1 for k in keys):
        return by_comparator(op, xs, axis, c)
    if len(xs) == len(keys) == 1 and keys[0].operand == 0 and not is_complex(xs[0].dtype):
        return [by_itself(xs[0], axis, keys[0])]
    found: Array | None = None
    for key in reversed(keys):
        values, descending = weights(op, xs, key, c)
        for v in (F.imag(values), F.real(values)) if is_complex(values.dtype) else (values,):
            if found is None:
                found = argsort(v, axis, descending)
            else:
                found = along(found, argsort(along(v, found, axis), axis, descending), axis)
    assert found is not None
    return [convert(found, x.dtype) if is_count(op, k, axis) else along(x, found, axis) for k, x in enumerate(xs)]


def by_itself(x: Array, axis: int, key: Key) -> Array:
    if not by_bits(x.dtype, key):
        return sort(x, axis, key.descending)
    if key.canonical:  # what is equal may differ in its bits
        return along(x, argsort(total(one_of_each(x)), axis, key.descending), axis)
    return bitcast(total(sort(total(x), axis, key.descending)), x.dtype)


def by_bits(dtype: Attribute, key: Key) -> bool:
    """nd has NaN last and one zero: an ascending order of canonical floats."""
    return is_float(dtype) and not is_complex(dtype) and key.total and not (key.canonical and not key.descending)


def weights(op: Operation, xs: Sequence[Array], key: Key, c: Conversion) -> tuple[Array, bool]:
    """What nd sorts instead of a key, and whether it descends."""
    if key.operand is not None:
        x = xs[key.operand]
        x = one_of_each(x) if key.canonical and by_bits(x.dtype, key) else x
    else:
        region = Region()
        of: dict[SSAValue, SSAValue] = {}
        op.regions[0].clone_into(region, 0, of)
        last = region.block.last_op
        assert last is not None
        last.operands = [of[key.value]]
        (x,) = bodies.apply(region, [x for x in xs for _ in range(2)], c)
    return (total(x) if by_bits(x.dtype, key) else x), key.descending


def one_of_each(x: Array) -> Array:
    """With one NaN and one zero."""
    x = F.select(x == 0, full(0, x.type), x)
    return F.select(x != x, full(float("nan"), x.type), x)


def total(x: Array) -> Array:
    """Integers in the order of the bits of floats, -NaN least; and back, for the sign stays."""
    signed = SIGNLESS[width(x.dtype)]
    bits = bitcast(x, signed)
    most = (1 << (width(x.dtype) - 1)) - 1
    return F.bitwise_xor(bits, F.bitwise_and(F.right_shift(bits, width(x.dtype) - 1), most))


def along(x: Array, places: Array, axis: int) -> Array:
    return F.take_along_axis(x, places, axis, mode="promise")


def is_count(op: Operation, k: int, axis: int) -> bool:
    """Does operand k count along the axis? Then the sorted one holds positions."""
    source = op.operands[k].owner
    return (
        isinstance(source, Operation)
        and source.name == "stablehlo.iota"
        and number(source, "iota_dimension", -1) == axis
    )


def by_comparator(op: Operation, xs: Sequence[Array], axis: int, c: Conversion) -> Sequence[Array]:
    n = xs[0].shape[axis]
    region = op.regions[0]

    def before(left: Sequence[Array], right: Sequence[Array], first: Array) -> Array:
        """Does the left one stand before the right one? `first` says so where the comparator does not."""
        args = [[a for pair in zip(*sides, strict=True) for a in pair] for sides in ((left, right), (right, left))]
        less, greater = (bodies.apply(region, a, c)[0] for a in args)
        return F.select(F.bitwise_xor(less, greater), less, first)

    def scan(length: Dim, inits: Sequence[Array], rows: Sequence[Array], step: Step) -> list[Array]:
        return bodies.scan(region, length, inits, rows, step, c)

    rows = [F.moveaxis(x, axis, 0) for x in xs]
    found = network(rows, n, before, scan) if isinstance(n, int) else counted(rows, n, before, scan)
    return [F.moveaxis(x, 0, axis) for x in found]


Before = Callable[[Sequence[Array], Sequence[Array], Array], Array]
Step = Callable[[Sequence[Array], Sequence[Array]], Sequence[Array]]
Scan = Callable[[Dim, Sequence[Array], Sequence[Array], Step], list[Array]]


def network(rows: Sequence[Array], n: int, before: Before, scan: Scan) -> Sequence[Array]:
    """Batcher's bitonic network along the first dimension: step (k, j) orders elements i and i ^ j, upwards where
    i & k is 0. Places from n on hold copies that stand behind everything."""
    levels = (n - 1).bit_length()
    steps = [(2 << p, 1 << q) for p in range(levels) for q in reversed(range(p + 1))]
    size_ = 1 << levels
    zero = [0] * rows[0].ndim
    longer = [size_ - n, *zero[1:]]
    padded = [movement.pad(x, 0, zero, longer) for x in rows]
    sequences = [constant(np.array([s[k] for s in steps]), i64) for k in (0, 1)]

    def step(carried: Sequence[Array], slices: Sequence[Array]) -> Sequence[Array]:
        k, j = (movement.broadcast_to(s, (size_,)) for s in slices)
        here, (*values, place) = iota((size_,), 0, i64), carried
        partner = F.bitwise_xor(here, j)
        others, other = (
            [F.take(x, partner, 0, mode="promise") for x in values],
            F.take(place, partner, 0, mode="promise"),
        )
        rank = values[0].ndim

        def wide(x: Array) -> Array:
            return spread(x, values[0].shape) if rank > 1 and x.ndim == 1 else x

        place, other = wide(place), wide(other)
        first = before(values, others, F.less(place, other))
        first = F.select(F.bitwise_or(place >= n, other >= n), F.less(place, other), first)
        upwards = F.equal(F.bitwise_and(here, k), 0)
        lower = F.equal(F.bitwise_and(here, j), 0)
        stays = F.equal(first, wide(F.equal(upwards, lower)))
        return [F.select(stays, x, y) for x, y in zip((*values, place), (*others, other), strict=True)]

    place = spread(iota((size_,), 0, i64), padded[0].shape)
    found = scan(len(steps), [*padded, place], sequences, step)
    return [part(x, 0, n) for x in found[: len(rows)]]


def spread(x: Array, shape: Sequence[Dim]) -> Array:
    """A line along the first dimension in all others."""
    n = names(len(shape))
    return rearrange(x, DimMap(((n[0],),), n), tuple(shape))


def counted(rows: Sequence[Array], n: Dim, before: Before, scan: Scan) -> Sequence[Array]:
    """Each element goes to the place whose number is that of the elements before it."""
    shape = rows[0].shape
    here = spread(iota((n,), 0, i64), shape)

    def step(carried: Sequence[Array], slices: Sequence[Array]) -> Sequence[Array]:
        rank, at, here, *whole = carried
        one = [along_first(v, shape) for v in slices]
        first = before(one, whole, F.less(movement.broadcast_to(at, shape), here))
        return [rank + convert(first, i64), at + 1, here, *whole]

    start = [full(0, tensor(shape, i64)), full(0, tensor((), i64)), here, *rows]
    rank = scan(n, start, rows, step)[0]
    return [F.put_along_axis(x, rank, x, 0, mode="promise") for x in rows]


def along_first(x: Array, shape: Sequence[Dim]) -> Array:
    n = names(len(shape))
    return rearrange(x, DimMap((n[1:],), n), tuple(shape))


@converter("chlo.top_k")
def top_k(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    return largest(xs[0], number(op, "k"), c.declared(op, 1))


def largest(x: Array, k: int, dtype: Attribute) -> Sequence[Array]:
    """Along the last dimension, NaN before inf; of equal ones the first comes first."""
    axis = x.ndim - 1
    places = argsort(total(x) if is_float(x.dtype) else x, axis, True)
    places = part(places, 0, k, axis=axis)
    return [along(x, places, axis), convert(places, dtype)]
