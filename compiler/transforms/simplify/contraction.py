"""Sums: reductions and contractions absorb the movements around them, give out what does not depend on the summed
dimensions, and become one another."""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from xdsl.dialects.builtin import f32, f64
from xdsl.ir import SSAValue

from ....dialects.graph.views import unit_reshape
from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Dims, Index
from ....dialects.nd.dims import Dim, Shape
from ....dialects.nd.elementwise import Div, Mul, Neg
from ....dialects.nd.indexing import OneHot
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import Broadcast, Reshape, Transpose, reshape
from ....dialects.nd.op import NdOp
from ....dialects.nd.reduction import Reduce, identity, reduce
from ....dialects.nd.types import NUMPY, shape_of
from ..rewriting import Table
from .movement import read_through
from .patterns import A, defined, either, like, mul, neg, splat, static

rules = Table()
on = rules.on


def reduced_names(op: NdOp) -> Dims:
    """What a one-operand op sums over."""
    return tuple(i for i in op.dims.operands[0] if i not in op.dims.result)


# Reductions of movements.


@on(Reduce, level="ieee")
def reduce_nothing(op: Any) -> Array | None:  # sum(x) over no dimension -> x
    if op.dims.operands[0] == op.dims.result:
        return A(op.x)


@on(Reduce, level="exact")
def reduce_empty(op: Any) -> Array | None:  # sum(x) over no element -> 0, and the identity of each kind
    if any(shape_of(op.x.type)[k] == 0 for k in op.axes):
        return like(identity(op.kind.data, NUMPY[op.type.element_type]), op.result)


@on(Reduce, level="ieee")
def reduce_splat(op: Any) -> Array | None:  # sum(c) -> c * n;  max(c) -> c, also min, any, all
    c, kind = splat(op.x), op.kind.data
    sizes = [shape_of(op.x.type)[k] for k in op.axes]
    if c is None or not static(*sizes) or kind == "prod":
        return None
    n = count(sizes)
    if kind != "sum":
        return like(c, op.result)
    return mul(like(c, op.result), like(n, op.result)) if n < 2**31 else None


def count(sizes: Sequence[Dim]) -> int:
    return prod(d for d in sizes if isinstance(d, int))


@on(Reduce, level="ieee")
def reduce_one(op: Any) -> Array | None:  # sum(x) -> x over dimensions of size 1
    if all(shape_of(op.x.type)[k] == 1 for k in op.axes):
        return reshape(A(op.x), shape_of(op.result.type))


@on(Reduce, level="ieee")
def reduce_transpose(op: Any) -> Array | None:  # sum(transpose(x)) -> transpose(sum(x))
    if t := defined(op.x, Transpose):
        source = read_through(t, op.dims.operands[0])
        axes = [k for k, i in enumerate(source) if i not in op.dims.result]
        small = reduce(op.kind.data, A(t.x), axes)
        kept = tuple(i for i in source if i in op.dims.result)
        return rearrange(small, DimMap((kept,), op.dims.result), shape_of(op.result.type))


@on(Reduce, level="ieee")
def reduce_reduce(op: Any) -> Array | None:  # sum(sum(x)) -> sum(x)
    inner = defined(op.x, Reduce)
    if inner is None or inner.kind.data != op.kind.data or not inner.result.has_one_use():
        return None
    named = dict(zip(inner.dims.result, op.dims.operands[0], strict=True))
    kept = [named.get(i) in op.dims.result for i in inner.dims.operands[0]]
    return reduce(op.kind.data, A(inner.x), [k for k, f in enumerate(kept) if not f])


@on(Reduce, level="ieee")
def reduce_broadcast(
    op: Any,
) -> Array | None:  # sum(broadcast(x), n) -> broadcast(x * n);  max(broadcast(x)) -> broadcast(x)
    b, kind = defined(op.x, Broadcast), op.kind.data
    if b is None:
        return None
    source = read_through(b, op.dims.operands[0])
    sizes = dict(zip(op.dims.operands[0], shape_of(op.x.type), strict=True))
    repeated = [sizes[i] for i in reduced_names(op) if i not in source]
    if not static(*repeated) or 0 in repeated or (kind == "prod" and repeated):
        return None
    small = reduce(kind, A(b.x), [k for k, i in enumerate(source) if i not in op.dims.result])
    if kind == "sum" and (n := count(repeated)) != 1:
        small = mul(small, like(n, small))
    kept = tuple(i for i in source if i in op.dims.result)
    return rearrange(small, DimMap((kept,), op.dims.result), shape_of(op.result.type))


# Sums give out factors.


@on(Reduce, level="ieee")
def sum_neg(op: Any) -> Array | None:  # sum(-x) -> -sum(x)
    if op.kind.data == "sum" and (n := defined(op.x, Neg)):
        return neg(op.again([A(n.x)]))


@on(Reduce, level="ieee")
def sum_scaled(
    op: Any,
) -> Array | None:  # sum(x * s) -> sum(x) * s where s is a constant or does not have what is summed
    m = defined(op.x, Mul)
    if op.kind.data != "sum" or m is None:
        return None
    for x, s in either(m):
        if (c := splat(s)) is not None:
            return mul(op.again([A(x)]), like(c, op.result))
        if b := defined(s, Broadcast):
            source = read_through(b, op.dims.operands[0])
            if all(i in op.dims.result for i in source):
                factor = rearrange(A(b.x), DimMap((source,), op.dims.result), shape_of(op.result.type))
                return mul(op.again([A(x)]), factor)


@on(Reduce, level="exact")
def sum_one_hot(op: Any) -> Array | None:  # sum(one_hot(i), classes) -> 1; labels are in range by one_hot's contract
    if op.kind.data == "sum" and defined(op.x, OneHot) and op.dims.result == op.dims.operands[0][:-1]:
        return like(1, op.result)


@on(Reduce, level="ieee")
def sum_product(op: Any) -> Array | None:  # sum(broadcast(x) * y) -> contract(x, y)
    m = defined(op.x, Mul)
    if op.kind.data != "sum" or m is None or not m.result.has_one_use():
        return None
    at, summed = op.dims.operands[0], reduced_names(op)
    xs: list[Array] = []
    dims: list[Dims] = []
    for v in m.operands:
        b = defined(v, Broadcast)
        xs.append(A(b.x if b else v))
        dims.append(read_through(b, at) if b else at)
    if all(len(d) == len(at) for d in dims) or any(i not in d for i in summed for d in dims):
        return None
    return contract(xs, DimMap(tuple(dims), op.dims.result), shape_of(op.result.type))


# Contractions absorb movements.


def replaced(op: Any, k: int, x: SSAValue, dims: Dims) -> Array:
    """The contraction with another operand k."""
    operands = list(op.dims.operands)
    operands[k] = dims
    xs = [A(x) if j == k else A(v) for j, v in enumerate(op.operands)]
    return contract(xs, DimMap(tuple(operands), op.dims.result), shape_of(op.result.type))


@on(Contract, level="exact")
def contract_transpose(
    op: Any,
) -> Array | None:  # contract(transpose(x), w) -> contract(x, w): the map reads x directly
    for k, v in enumerate(op.operands):
        if t := defined(v, Transpose):
            return replaced(op, k, t.x, read_through(t, op.dims.operands[k]))


@on(Contract, level="exact")
def contract_units(op: Any) -> Array | None:  # contract(reshape(x), w) -> contract(x, w), if it adds dimensions of one
    for k, v in enumerate(op.operands):
        r = defined(v, Reshape)
        dims = without_units(op.dims.operands[k], shape_of(v.type), shape_of(r.x.type)) if r else None
        if r is None or dims is None:
            continue
        operands = tuple(dims if j == k else d for j, d in enumerate(op.dims.operands))
        read = {n for d in operands for i in d for n, _ in i.terms}
        if sizes_told(DimMap(operands, op.dims.result)) and all(i.name in read for i in op.dims.result):
            return replaced(op, k, r.x, dims)


def without_units(dims: Dims, wide: Shape, narrow: Shape) -> Dims | None:
    """The indices of the dimensions of `narrow` among those of `wide`, which has more of one element; None if one that
    goes is no name (a window pads what it reads) or `narrow` has more."""
    out: list[Index] = []
    for i, d in zip(dims, wide):
        if len(out) < len(narrow) and d == narrow[len(out)]:
            out.append(i)
        elif d != 1 or i.name is None:
            return None
    return tuple(out) if len(out) == len(narrow) else None


def sizes_told(m: DimMap) -> bool:
    """Is the size of every name that of some dimension?"""
    told = {i.name for d in (*m.operands, m.result) for i in d}
    return told.issuperset(m.names())


@on(Reshape, level="exact")
def units_contract(op: Any) -> Array | None:  # reshape(contract(x, w)) -> contract(x, w), if it drops dimensions of one
    c = defined(op.x, Contract)
    out = shape_of(op.result.type)
    dims = without_units(c.dims.result, shape_of(c.result.type), out) if c and c.result.has_one_use() else None
    if c is None or dims is None or not sizes_told(DimMap(c.dims.operands, dims)):
        return None
    return contract([A(v) for v in c.operands], DimMap(c.dims.operands, dims), out)


@on(Contract, level="ieee")
def contract_broadcast(op: Any) -> Array | None:  # contract(broadcast(x), w) -> contract(x, w) where w tells the sizes
    for k, v in enumerate(op.operands):
        b = defined(v, Broadcast)
        if b is None or any(i.name is None for i in op.dims.operands[k]):
            continue
        at = op.dims.operands[k]
        source = read_through(b, at)
        elsewhere = {i for j, d in enumerate(op.dims.operands) if j != k for i in d}
        if all(i in source or i in elsewhere or i in op.dims.result for i in at):
            return replaced(op, k, b.x, source)


@on(Contract, level="ieee")
def contract_splat(op: Any) -> Array | None:  # contract(x, c) -> contract(x) * c where x tells the sizes
    for k, v in enumerate(op.operands):
        c = splat(v)
        if c is None or len(op.operands) < 2:
            continue
        others = [d for j, d in enumerate(op.dims.operands) if j != k]
        known = {i for d in others for i in d}
        if all(i.name is not None and (i in known or i in op.dims.result) for i in op.dims.operands[k]):
            xs = [A(w) for j, w in enumerate(op.operands) if j != k]
            y = contract(xs, DimMap(tuple(others), op.dims.result), shape_of(op.result.type))
            return y if c == 1 else mul(y, like(c, y))


@on(Transpose, level="exact")
def transpose_contract(op: Any) -> Array | None:  # transpose(contract(x, w)) -> contract(x, w) with its names permuted
    c = defined(op.x, Contract)
    if c is None or not c.result.has_one_use():
        return None
    named = dict(zip(op.dims.operands[0], c.dims.result, strict=True))
    map_ = DimMap(c.dims.operands, tuple(named[i] for i in op.dims.result))
    return contract([A(v) for v in c.operands], map_, shape_of(op.result.type))


@on(Contract, level="ieee")
def contract_alone(op: Any) -> Array | None:  # contract(x) -> sum, transpose and broadcast of x
    if len(op.operands) != 1 or any(i.name is None for i in op.dims.operands[0]):
        return None
    if len(set(op.dims.operands[0])) == len(op.dims.operands[0]):
        return rearrange(A(op.operands[0]), op.dims, shape_of(op.result.type))


@on(Contract, level="ieee")
def contract_presum(
    op: Any,
) -> Array | None:  # contract(x[a, b, c], w[a, d]) -> contract(sum(x, c), w): what x alone has
    if len(op.operands) < 2:
        return None
    for k, v in enumerate(op.operands):
        dims = op.dims.operands[k]
        rest = {n for j, d in enumerate(op.dims.operands) if j != k for i in d for n, _ in i.terms}
        rest |= {i.name for i in op.dims.result}
        rest |= {n for i in dims if i.name is None for n, _ in i.terms}
        alone = [j for j, i in enumerate(dims) if i.name is not None and i.name not in rest]
        if alone and len(set(dims)) == len(dims):
            small = reduce("sum", A(v), alone)
            return replaced(op, k, small.value, tuple(i for j, i in enumerate(dims) if j not in alone))


# Contractions give out factors.


@on(Contract, level="ieee")
def contract_divided(
    op: Any,
) -> Array | None:  # contract(x / r, w) -> contract(x, w) / r where r lacks what is summed, if fewer are divided
    for k, v in enumerate(op.operands):
        r = defined(v, Reshape)
        inner = r.x if r is not None and unit_reshape(r) else v
        d = defined(inner, Div)
        b = defined(d.operands[1], Broadcast) if d is not None and d.result.has_one_use() else None
        at, result = op.dims.operands[k], shape_of(op.result.type)
        if d is None or b is None or len(op.operands) != 2 or any(i.name is None for i in at):
            continue
        wide = iter([i for i, n in zip(at, shape_of(v.type)) if n != 1])
        named = tuple(next(wide) if n != 1 else None for n in shape_of(inner.type))
        source = tuple(named[b.dims.result.index(i)] for i in b.dims.operands[0])
        kept = tuple(i for i in source if i is not None)
        if all(i in op.dims.result for i in kept) and fewer(result, shape_of(v.type)):
            # in f32 one division for each r; narrower types would round the inverse too coarsely
            inverse = op.type.element_type in (f32, f64)
            factor = like(1, b.x) / A(b.x) if inverse else A(b.x)
            factor = reshape(factor, tuple(n for i, n in zip(source, shape_of(b.x.type)) if i is not None))
            factor = rearrange(factor, DimMap((kept,), op.dims.result), result)
            y = replaced(op, k, reshape(A(d.operands[0]), shape_of(v.type)).value, at)
            return y * factor if inverse else y / factor


def fewer(one: Sequence[Dim], other: Sequence[Dim]) -> bool:
    """Has a shape fewer elements than another, as far as numbers tell?"""
    left, right = list(one), list(other)
    for d in one:
        if d in right:
            left.remove(d)
            right.remove(d)
    return static(*left) and (not static(*right) or count(left) < count(right))


@on(Contract, level="ieee")
def contract_neg(op: Any) -> Array | None:  # contract(-x, w) -> -contract(x, w)
    for k, v in enumerate(op.operands):
        if n := defined(v, Neg):
            return neg(op.again([A(n.x) if j == k else A(w) for j, w in enumerate(op.operands)]))


@on(Contract, level="fast")
def contract_scaled(op: Any) -> Array | None:  # contract(x * c, w) -> contract(x, w) * c
    for k, v in enumerate(op.operands):
        if (m := defined(v, Mul)) and m.result.has_one_use():
            for x, c in either(m):
                if (value := splat(c)) is not None:
                    y = op.again([A(x) if j == k else A(w) for j, w in enumerate(op.operands)])
                    return mul(y, like(value, y))
