"""Ops that move elements, and those that make them from nothing.

broadcast_in_dim, dims = [1, 0]        nd.transpose, then nd.reshape without sizes of 1, then nd.broadcast
pad, low = [-1], interior = [2]        nd.pad with what is positive, then nd.slice of the rest
dynamic_slice, dynamic_update_slice    nd's own: starts move so that the slice lies inside
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr
from xdsl.ir import Attribute, Operation

from ...dialects.errors import CompileError
from ...dialects.nd import dimmap, dynamic_slices, movement
from ...dialects.nd import functions as F
from ...dialects.nd.concatenation import concat
from ...dialects.nd.constant import Constant, constant, elements, size_value
from ...dialects.nd.dimmap import DimMap
from ...dialects.nd.dims import Dim, Shape, exact_div, show, size
from ...dialects.nd.mapped import mapped
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.op import Array, bind, here
from ...dialects.nd.resource import LARGE, resource
from ...dialects.nd.types import NUMPY, is_tensor, scalar, tensor
from ...dialects.stablehlo.access import ints, number
from .conversion import Conversion
from .table import converter


@converter("stablehlo.constant", "chlo.constant")
def constant_(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return literal(op.properties["value"], c)


def literal(value: Attribute, c: Conversion) -> Array:
    """A dense attribute as a constant, as a resource if it is large."""
    if isinstance(value, DenseResourceAttr):
        raise CompileError(
            "expected dense data in the text, found dense_resource; print them with hexadecimal data", here()
        )
    if not isinstance(value, DenseIntOrFPElementsAttr):
        raise CompileError(f"expected dense elements, found {value}", here())
    value = cast("DenseIntOrFPElementsAttr[Any]", value)
    t: Any = value.type
    if not is_tensor(t):
        raise CompileError(f"expected a tensor, found {t}", here())
    dtype, shape = c.element_type(t), t.get_shape()
    if dtype != t.element_type:
        data = np.array([*value.iter_values()]).reshape(-1)
        data = data.astype(NUMPY[dtype])
        if data.size != size(shape):
            return movement.full_shape(data[0].item(), shape, dtype)
        return constant(data.reshape(shape), dtype)
    raw: bytes = value.data.data
    count = size(shape)
    assert isinstance(count, int)
    if not count:
        return movement.full_shape(0, shape, dtype)
    numpy = NUMPY[dtype]
    first = raw[: numpy.itemsize]
    if raw == first * (len(raw) // len(first)):
        one = elements(DenseIntOrFPElementsAttr(tensor((), dtype), value.data.__class__(first)), numpy)  # pyright: ignore
        return bind(Constant, value=scalar(one.item(), dtype), shape=tensor(shape, dtype))
    if count > LARGE:
        return resource(elements(value, numpy).reshape(shape))
    return bind(Constant, value=value, shape=tensor(shape, dtype))


@converter("chlo.constant_like")
def constant_like(op: Operation, operands: list[Array], c: Conversion) -> Array:
    value: Any = op.properties["value"]
    return movement.full_shape(value.value.data, operands[0].shape, operands[0].dtype)


@converter("stablehlo.iota")
def iota(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return counted(c.result_shape(op), op, c)


def counted(shape: Sequence[Dim], op: Operation, c: Conversion) -> Array:
    """Coordinates along `iota_dimension`; of an element type that does not count, converted."""
    from ...dialects.nd.constant import Iota
    from ...dialects.nd.types import takes
    from .elementwise import converted

    for d in shape:
        if isinstance(d, int) and d < 0:
            raise CompileError(f"expected a result of known sizes, found {op.results[0].type}", op.location)
    dtype, at = c.declared(op), number(op, "iota_dimension")
    if takes(Iota.DTYPES, dtype) and dtype.name != "complex":
        return F.iota(tuple(shape), at, dtype)
    return converted(F.iota(tuple(shape), at), dtype)


# Shape.


@converter("stablehlo.broadcast_in_dim")
def broadcast_in_dim(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return spread(operands[0], c.result_shape(op), ints(op, "broadcast_dimensions"))


def spread(x: Array, shape: Shape, dims: Sequence[int]) -> Array:
    """Dimension k of x becomes dims[k] of the result, those of size 1 as often as it is large; others are new."""
    if x.ndim == 0 and not shape:
        return x
    order = sorted(range(x.ndim), key=lambda k: dims[k])
    if order != list(range(x.ndim)):
        x, dims = movement.transpose(x, order), sorted(dims)
    names = dimmap.names(len(shape))
    keep = [k for k, d in enumerate(x.shape) if not (d == 1 and shape[dims[k]] != 1)]
    if len(keep) < x.ndim:
        x, dims = movement.reshape(x, tuple(x.shape[k] for k in keep)), [dims[k] for k in keep]
    if len(dims) == len(shape):
        return x
    if all(d == 1 for k, d in enumerate(shape) if k not in dims):
        return movement.reshape(x, tuple(shape))
    return mapped(Broadcast, [x], DimMap((tuple(names[d] for d in dims),), names), tuple(shape))


@converter("stablehlo.broadcast")
def broadcast(op: Operation, operands: list[Array], c: Conversion) -> Array:
    x = operands[0]
    return movement.broadcast_to(x, (*ints(op, "broadcast_sizes"), *x.shape))


@converter("stablehlo.reshape")
def reshape(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return reshaped(operands[0], c.result_shape(op), c)


def reshaped(x: Array, shape: Sequence[Dim], c: Conversion) -> Array:
    """One unknown size is what is left."""
    unknown = [k for k, d in enumerate(shape) if isinstance(d, int) and d < 0]
    if unknown:
        left = exact_div(x.size, size(d for k, d in enumerate(shape) if k not in unknown))
        if len(unknown) > 1 or left is None:
            raise CompileError(f"expected a result of known sizes, found {show(shape)} for {x.type}", here())
        shape = [left if k in unknown else d for k, d in enumerate(shape)]
    n, m = x.size, size(shape)
    if n != m:
        c.equal(n, m, lambda: f"expected {n} elements, found {m} in {show(shape)}")
    return movement.reshape(x, tuple(shape))


@converter("stablehlo.transpose")
def transpose(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return movement.transpose(operands[0], ints(op, "permutation"))


@converter("stablehlo.reverse")
def reverse(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return movement.reverse(operands[0], ints(op, "dimensions"))


@converter("stablehlo.concatenate")
def concatenate(op: Operation, operands: list[Array], c: Conversion) -> Array:
    at, first = number(op, "dimension"), operands[0].shape
    for a in operands[1:]:
        for k, (d, n) in enumerate(zip(first, a.shape, strict=True)):
            if k != at and d != n:
                c.equal(d, n, lambda b=a: f"expected equal sizes, found {show(first)} and {show(b.shape)}")
    return concat(operands, at)


@converter("stablehlo.get_dimension_size")
def get_dimension_size(op: Operation, operands: list[Array], c: Conversion) -> Array:
    return size_value(operands[0].shape[number(op, "dimension")], c.declared(op))


# Parts.


@converter("stablehlo.slice")
def slice_(op: Operation, operands: list[Array], c: Conversion) -> Array:
    start, limit = ints(op, "start_indices"), ints(op, "limit_indices")
    return cut(operands[0], start, limit, ints(op, "strides", [1] * len(start)))


def cut(x: Array, start: Sequence[Dim], limit: Sequence[Dim], stride: Sequence[int]) -> Array:
    count = [(b + -1 * a + (s - 1)) // s for a, b, s in zip(start, limit, stride, strict=True)]
    return movement.slice_(x, start, stride, count)


@converter("stablehlo.pad")
def pad(op: Operation, operands: list[Array], c: Conversion) -> Array:
    x, value = operands
    return padded(
        x,
        value,
        ints(op, "edge_padding_low"),
        ints(op, "edge_padding_high"),
        ints(op, "interior_padding", [0] * x.ndim),
    )


def padded(x: Array, value: Array, low: Sequence[Dim], high: Sequence[Dim], interior: Sequence[int]) -> Array:
    """Negative padding takes away, after the padding between elements has been put in."""
    more = [[0 if isinstance(n, int) and n < 0 else n for n in side] for side in (low, high)]
    less = [[-n if isinstance(n, int) and n < 0 else 0 for n in side] for side in (low, high)]
    x = movement.pad_with(x, value, more[0], more[1], interior)
    if not any(less[0]) and not any(less[1]):
        return x
    count = [d + -1 * (a + b) for d, a, b in zip(x.shape, less[0], less[1], strict=True)]
    if any(isinstance(n, int) and n < 0 for n in count):
        raise CompileError(f"expected sizes of at least 0, found {show(count)} after padding", here())
    return movement.slice_(x, less[0], [1] * x.ndim, count)


@converter("stablehlo.dynamic_slice")
def dynamic_slice(op: Operation, operands: list[Array], c: Conversion) -> Array:
    x, starts = operands[0], operands[1:]
    return dynamic_slices.dynamic_slice(x, starts, ints(op, "slice_sizes")) if x.ndim else x


@converter("stablehlo.dynamic_update_slice")
def dynamic_update_slice(op: Operation, operands: list[Array], c: Conversion) -> Array:
    x, update, *starts = operands
    return dynamic_slices.dynamic_update_slice(x, update, starts) if x.ndim else update
