"""Ops that move elements, and those without operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xdsl.dialects.builtin import i8, i64

from ...dialects.errors import CompileError
from ...dialects.nd.concatenation import Concat
from ...dialects.nd.constant import Constant, Iota, Size
from ...dialects.nd.indexing import OneHot
from ...dialects.nd.movement import Broadcast, Pad, Reverse, Slice, Transpose
from ...dialects.nd.op import NdOp
from ...dialects.nd.resource import ResourceOp, data_of
from ...dialects.nd.types import element, i2, ui2, ui8
from . import build as b
from .build import Value
from .elementwise import converted

LARGEST = 1 << 28
"""Bytes of a constant: its text has twice as many, and readers of MLIR keep 2 GiB at most."""


def numbers(dims: Any) -> list[int]:
    """The numbers of a property."""
    return [int(d) for d in dims.data]


def transpose(op: Transpose, x: Value) -> Value:
    return b.transpose(x, op.perm)


def broadcast(op: Broadcast, x: Value) -> Value:
    m = op.dims
    return b.broadcast(x, [m.result.index(i) for i in m.operands[0]], b.shape_numbers(op.type))


def reshape(op: NdOp, x: Value) -> Value:
    return b.reshape(x, b.shape_numbers(op.type))


def slice_(op: Slice, x: Value) -> Value:
    """A step backwards is a reversal of the elements that it takes."""
    shape = b.shape_numbers(op.type)
    start: list[int] = []
    stop: list[int] = []
    steps = numbers(op.step)
    for s, t, n in zip(numbers(op.start), steps, shape, strict=True):
        last = s + t * (n - 1)
        first, last = (s, last) if t > 0 else (last, s)
        start.append(first if n else 0)
        stop.append(last + 1 if n else 0)
    return b.reverse(b.slice_(x, start, stop, list(map(abs, steps))), [k for k, t in enumerate(steps) if t < 0])


def reverse(op: Reverse, x: Value) -> Value:
    return b.reverse(x, numbers(op.axes))


def pad(op: Pad, x: Value, value: Value) -> Value:
    return b.pad(x, value, numbers(op.low), numbers(op.high), numbers(op.interior))


def concat(op: Concat, *xs: Value) -> Value:
    """Elements of two bits by way of bytes: XLA's code for the CPU fails on them."""
    dtype: Any = xs[0].dtype
    whole = i8 if dtype == i2 else ui8 if dtype == ui2 else dtype
    return b.convert(b.concatenate([b.convert(x, whole) for x in xs], op.along), xs[0].dtype)


def constant(op: Constant) -> Value:
    splat = op.splat
    return b.splat(splat, op.type) if splat is not None else b.constant(op.reference(), op.type.element_type)


def resource(op: ResourceOp) -> Value:
    """The data stand in the text, in hexadecimal."""
    x = data_of(op)
    if x.nbytes > LARGEST:
        raise CompileError(
            f"nd-to-stablehlo: expected constants of at most {LARGEST} bytes, found {op.type} with {x.nbytes}; make "
            "it an argument of the program",
            op.location,
        )
    return b.constant(x, op.type.element_type)


def iota(op: Iota) -> Value:
    return b.iota(b.shape_numbers(op.type), op.dim.value.data, op.type.element_type)


def size(op: Size) -> Value:
    return b.splat(op.reference().item(), op.type)


def one_hot(op: OneHot, labels: Value) -> Value:
    shape = b.shape_numbers(op.type)
    labels = b.convert(labels, i64)
    places = b.iota(shape, len(shape) - 1)
    return converted(b.equal(b.broadcast(labels, range(labels.ndim), shape), places), element(op.type))


ROWS: dict[str, Callable[..., Value]] = {
    "transpose": transpose,
    "broadcast": broadcast,
    "reshape": reshape,
    "slice": slice_,
    "reverse": reverse,
    "pad": pad,
    "concat": concat,
    "constant": constant,
    "resource": resource,
    "iota": iota,
    "size": size,
    "one_hot": one_hot,
}
