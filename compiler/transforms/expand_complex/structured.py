"""Complex contractions, products, constants and conversions as ops on parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute

from ....dialects.nd import functions as F
from ....dialects.nd import movement
from ....dialects.nd.concatenation import concat
from ....dialects.nd.constant import Constant, constant, full
from ....dialects.nd.contraction import Contract
from ....dialects.nd.control import region, scan, slice_type
from ....dialects.nd.cumulative import Cumulative
from ....dialects.nd.dimmap import DimMap, bare
from ....dialects.nd.dims import size
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.op import Array, NdOp, add_all, bind
from ....dialects.nd.reduction import Reduce, reduce
from ....dialects.nd.resource import ResourceOp, data_of, resource
from ....dialects.nd.selection import COMPARE, Compare, Convert, convert
from ....dialects.nd.types import is_complex, part_of, shape_of
from .parts import Pair, fused_mul, is_zero, mul, part_type, real_pair

Value = Array | Pair


def properties(op: NdOp) -> dict[str, Attribute]:
    """Those of the op on parts."""
    return {k: part_type(v) for k, v in op.properties.items()}


def each_part(op: NdOp, args: Sequence[Value]) -> Pair:
    """An op that moves or adds elements, on each part; real operands are positions and truth values."""
    own = properties(op)
    re, im = ([a[k] if isinstance(a, Pair) else a for a in args] for k in (0, 1))
    return Pair(bind(type(op), *re, **own), bind(type(op), *im, **own))


# Sources.


def constant_parts(op: Constant, args: Sequence[Value]) -> Pair:
    number: complex | None = op.splat
    t: Any = part_type(op.type)
    if number is not None:
        return Pair(full(number.real, t), full(number.imag, t))
    x: Any = op.reference()
    return Pair(constant(x.real.copy()), constant(x.imag.copy()))


def resource_parts(op: ResourceOp, args: Sequence[Value]) -> Pair:
    x: Any = data_of(op)
    name = op.data.data.name
    re, im = (resource(np.ascontiguousarray(p), f"{name}.{word}") for p, word in ((x.real, "re"), (x.imag, "im")))
    return Pair(re, im)


# Types and tests.


def converted(op: Convert, args: Sequence[Value]) -> Value:
    (x,), to = args, op.type.element_type
    if isinstance(x, Pair):
        if is_complex(to):
            return Pair(*(convert(p, part_of(to)) for p in x))
        return F.not_equal(x.re, 0) | F.not_equal(x.im, 0) if to == i1 else convert(x.re, to)
    return real_pair(convert(x, part_of(to)))


def compared(op: Compare, args: Sequence[Value]) -> Array:
    x, y = args
    assert isinstance(x, Pair) and isinstance(y, Pair)
    same = [bind(Compare, p, q, kind=op.kind) for p, q in zip(x, y, strict=True)]
    return same[0] & same[1] if op.kind == COMPARE["eq"] else same[0] | same[1]


# Sums of products.


SMALL = 4096
"""Points up to which a contraction of two operands is written out."""


def contracted(op: Contract, args: Sequence[Value]) -> Pair:
    """The sum over each choice of a real or imaginary part of every operand; parts that are known to be 0 take no part.

    re = re re - im im, im = re im + im re: four real contractions of two operands, two if one of them is real. A small
    one is products, then sums: what cancels within a product does so before anything is added."""
    if (out := written_out(op, args)) is not None:
        return out
    own = properties(op)
    choices: list[list[tuple[int, Array]]] = []
    for a in args:
        assert isinstance(a, Pair)
        choices.append([(k, p) for k, p in enumerate(a) if k == 0 or not is_zero(p)])
    terms: tuple[list[Array], list[Array]] = ([], [])
    for choice in product(*choices):
        power = sum(k for k, _ in choice)
        term = bind(Contract, *(p for _, p in choice), **own)
        terms[power % 2].append(-term if power % 4 >= 2 else term)
    re = add_all(terms[0])
    return Pair(re, add_all(terms[1])) if terms[1] else real_pair(re)


def written_out(op: Contract, args: Sequence[Value]) -> Pair | None:
    m = op.dims
    if (
        len(args) != 2
        or not all(i.name for d in m.operands for i in d)
        or any(len(set(d)) != len(d) for d in m.operands)
    ):
        return None
    sizes = {
        i: n for d, v in zip(m.operands, op.operands, strict=True) for i, n in zip(d, shape_of(v.type), strict=True)
    }
    points = (*m.result, *(bare(n) for n in m.reduced()))
    grid = tuple(sizes[i] for i in points if i in sizes)
    count = size(grid)
    if len(grid) != len(points) or not isinstance(count, int) or count > SMALL:
        return None
    x, y = (
        Pair(*(rearrange(p, DimMap((d,), points), grid) for p in a))
        for d, a in zip(m.operands, args, strict=True)
        if isinstance(a, Pair)
    )
    axes = list(range(len(m.result), len(points)))
    z = mul(x, y)
    return Pair(*(reduce("sum", p, axes) for p in z)) if axes else z


# Products along dimensions.


def reduced(op: Reduce, args: Sequence[Value]) -> Pair:
    if op.word == "sum":
        return each_part(op, args)
    (z,) = args
    assert isinstance(z, Pair)
    axes = list(op.axes)
    kept = [k for k in range(z.re.ndim) if k not in axes]
    n, shape = size(z.re.shape[k] for k in axes), tuple(z.re.shape[k] for k in kept)
    rows = Pair(*(movement.reshape(movement.transpose(p, [*axes, *kept]), (n, *shape)) for p in z))
    if not isinstance(n, int) or n == 0:
        first = [movement.broadcast_to(movement.full_shape(v, (), z.re.dtype), shape) for v in (1, 0)]
        if n == 0:
            return Pair(*first)
        types = [*(a.type for a in first), *(slice_type(p.type) for p in rows)]

        def step(a: Array, b: Array, c: Array, d: Array) -> list[Array]:
            return list(mul(Pair(a, b), Pair(c, d)))

        return Pair(*scan(n, [], first, list(rows), region(step, types)))
    while n > 1:
        half = n // 2
        whole = mul(part(rows, 0, half, 2), part(rows, 1, half, 2))
        if n % 2:
            last = part(rows, n - 1, 1)
            whole = Pair(*(concat([p, q], 0) for p, q in zip(whole, last, strict=True)))
        rows, n = whole, half + n % 2
    return Pair(*(movement.reshape(p, shape) for p in rows))


def part(z: Pair, start: int, count: Any, step: int = 1, axis: int = 0) -> Pair:
    """Some of the elements along one dimension."""
    rank = z.re.ndim
    starts, steps = (
        [value if k == axis else default for k in range(rank)] for value, default in ((start, 0), (step, 1))
    )
    counts = [count if k == axis else d for k, d in enumerate(z.re.shape)]
    return Pair(*(movement.slice_(p, starts, steps, counts) for p in z))


def accumulated(op: Cumulative, args: Sequence[Value]) -> Pair:
    """Products one after the other."""
    if op.word == "sum":
        return each_part(op, args)
    (z,) = args
    assert isinstance(z, Pair)
    axis = op.along
    order = [axis, *(k for k in range(z.re.ndim) if k != axis)]
    rows = [movement.transpose(p, order) for p in z]
    shape, dtype = rows[0].shape[1:], rows[0].dtype
    first = [movement.full_shape(v, shape, dtype) for v in (1, 0)]

    def step(a: Array, b: Array, c: Array, d: Array) -> list[Array]:
        both = list(fused_mul(Pair(a, b), Pair(c, d)))
        return [*both, *both]

    types = [*(a.type for a in first), *(slice_type(p.type) for p in rows)]
    stacks = scan(rows[0].shape[0], [], first, rows, region(step, types), op.properties.get("reverse") is not None)[2:]
    inverse = [order.index(k) for k in range(len(order))]
    return Pair(*(movement.transpose(p, inverse) for p in stacks))
