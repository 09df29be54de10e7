"""Orders of dimensions in memory, and how ops carry them from operands to results.

An order is a permutation: the dimensions from the outermost to the innermost. Elementwise ops, slices and their like
give the order that they read. A transpose, a reduction and a reshape give one by themselves, without moving an element,
if they read a certain other one:

    nd.transpose %x "a b c -> a c b"                  gives rows of columns
    nd.reduce sum %x "a b c -> a b"                   gives rows of channels last, [0, 2, 1] -> [0, 1] too
    nd.reshape %x : tensor<8x6xf32> -> tensor<8x2x3xf32>  gives [1, 2, 0] of [1, 0]
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from xdsl.ir import Operation

from ....dialects.nd.composite import LastDim
from ....dialects.nd.concatenation import Concat
from ....dialects.nd.dims import Dim, Shape
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.movement import Pad, Reshape, Reverse, Slice, Transpose
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import shape_of
from ....dialects.nd.window import ReduceWindow

Order = tuple[int, ...]
T = TypeVar("T")


def rows(rank: int) -> Order:
    return tuple(range(rank))


def permuted(dims: Sequence[T], order: Order) -> tuple[T, ...]:
    """What belongs to dimensions, as they are stored in an order."""
    return tuple(dims[k] for k in order)


def keeps_dimensions(op: Operation) -> bool:
    """Has the result the operands' dimensions, one by one, whatever their order is?"""
    match op:
        case LastDim():
            return False
        case Elementwise():
            shape = shape_of(op.type)
            return all(shape_of(v.type) in (shape, ()) for v in op.operands)
        case Slice() | Reverse() | Pad() | Concat():
            return True
        case ReduceWindow():
            m = op.dims
            read = [{n for n, _ in i.terms} for i in m.operands[0]]
            return len(read) == len(m.result) and all(i.name in names for i, names in zip(m.result, read))
        case _:
            return False


def given_order(op: Transpose | Reduce | Reshape, x: Order) -> Order | None:
    """Of the operand's dimensions, those that the result has, as the operand stores them."""
    if not isinstance(op, Reduce):
        return x
    gone = set(op.axes)
    return tuple(k for k in x if k not in gone)


def read_order(op: Transpose | Reduce | Reshape, y: Order) -> Order | None:
    """The order of the operand's dimensions in which an op gives its result in order `y` by itself; None: in none."""
    match op:
        case Transpose():
            return tuple(op.perm[k] for k in y)
        case Reduce():
            gone = set(op.axes)
            kept = [k for k in range(len(shape_of(op.x.type))) if k not in gone]
            return tuple(kept[k] for k in y)
        case _:
            return read_by_reshape(shape_of(op.x.type), shape_of(op.type), y)


def read_by_reshape(x: Shape, y: Shape, order: Order) -> Order | None:
    """The order in which a reshape of shape x to y reads what it gives in `order`; None: in none.

    It works in parts, dimensions that become dimensions; an order that keeps parts together keeps it a reshape.
    """
    return through_parts([(made, source) for source, made in reshape_parts(x, y)], len(x), order)


def given_by_reshape(x: Shape, y: Shape, order: Order) -> Order | None:
    """The order in which it gives what it reads in `order`."""
    return through_parts(reshape_parts(x, y), len(y), order)


def through_parts(parts: Sequence[tuple[Order, Order]], rank: int, order: Order) -> Order | None:
    """An order of the first dimensions of parts as one of the second; None if it takes parts apart."""
    out: list[int] = []
    left = list(order)
    while left:
        first, second = next((part for part in parts if left[0] in part[0]), ((), ()))
        if not first or tuple(left[: len(first)]) != first:
            return None
        out += second
        left = left[len(first) :]
    return (*out, *(k for k in range(rank) if k not in out))


def reshape_parts(x: Shape, y: Shape) -> list[tuple[Order, Order]]:
    """Dimensions of the operand and of the result that hold the same elements, as few as possible at a time."""
    parts: list[tuple[Order, Order]] = []
    i = j = 0
    while i < len(x) or j < len(y):
        first, second, a, b = i, j, 1, 1
        while i < len(x) or j < len(y):
            if i < len(x) and (i == first or j == len(y) or (j > second and less(a, b))):
                a, i = a * x[i], i + 1
            elif j < len(y):
                b, j = b * y[j], j + 1
            if a == b and i > first and j > second:
                break
        parts.append((tuple(range(first, i)), tuple(range(second, j))))
    return parts


def less(a: Dim, b: Dim) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a < b
