"""Ops whose shapes are operands: converted as their static forms, on the sizes that the operands are known to be.

    stablehlo.dynamic_reshape %x, %shape              nd.reshape of the sizes that made up %shape
    stablehlo.dynamic_iota %shape                     nd.iota; the same for broadcasts, pads, gathers, convolutions
    stablehlo.real_dynamic_slice %x, %a, %b, %s       nd.slice; of a start that is not known, nd.dynamic_slice
    stablehlo.set_dimension_size %x, %n               %x where %n is the size that it has, else refused

Where a result's declared shape is static it is taken as declared. A bound on a size is no more than that.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd import dynamic_slices, movement
from ...dialects.nd.array import Array
from ...dialects.nd.dims import Dim, show
from ...dialects.nd.op import here
from ...dialects.stablehlo.access import ints, number
from ...dialects.stablehlo.dimension_numbers import GatherDimensionNumbers
from .contractions import convolved
from .conversion import Conversion
from .gathers import gathered
from .movement import counted, cut, padded, reshaped, spread
from .sizes import known, sizes
from .table import converter


def shape_of(op: Operation, shape: Array, c: Conversion) -> Sequence[Dim]:
    declared = c.result_shape(op)
    return declared if all(d >= 0 for d in declared) else sizes(shape, "a shape")


def numbers(a: Array, what: str) -> list[int]:
    found = sizes(a, what)
    if not all(isinstance(n, int) for n in found):
        raise CompileError(f"expected {what} of numbers, found {show(found)}", here())
    return [n for n in found if isinstance(n, int)]


@converter("stablehlo.dynamic_reshape")
def dynamic_reshape(op: Operation, xs: list[Array], c: Conversion) -> Array:
    return reshaped(xs[0], shape_of(op, xs[1], c), c)


@converter("stablehlo.dynamic_iota")
def dynamic_iota(op: Operation, xs: list[Array], c: Conversion) -> Array:
    return counted(shape_of(op, xs[0], c), op, c)


@converter("stablehlo.dynamic_broadcast_in_dim")
def dynamic_broadcast_in_dim(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, shape, dims = xs[0], tuple(shape_of(op, xs[1], c)), ints(op, "broadcast_dimensions")
    for k, d in zip(dims, x.shape, strict=True):
        if d != 1 and d != shape[k]:
            c.equal(d, shape[k], lambda: f"expected a shape that {x.type} broadcasts to, found {show(shape)}")
    return spread(x, shape, dims)


@converter("stablehlo.dynamic_pad")
def dynamic_pad(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, value, low, high, interior = xs
    return padded(x, value, sizes(low, "padding"), sizes(high, "padding"), numbers(interior, "padding"))


@converter("stablehlo.dynamic_gather")
def dynamic_gather(op: Operation, xs: list[Array], c: Conversion) -> Array:
    d = op.properties["dimension_numbers"]
    assert isinstance(d, GatherDimensionNumbers)
    return gathered(xs[0], xs[1], d, sizes(xs[2], "sizes of slices"))  # pyright: ignore[reportArgumentType]


@converter("stablehlo.dynamic_conv")
def dynamic_conv(op: Operation, xs: list[Array], c: Conversion) -> Array:
    flat = numbers(xs[2], "padding")
    return convolved(op, xs[:2], list(zip(flat[::2], flat[1::2], strict=True)), c)


@converter("stablehlo.real_dynamic_slice")
def real_dynamic_slice(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, start, limit, stride = xs
    steps = numbers(stride, "strides")
    if known(start) is not None and known(limit) is not None:
        return cut(x, sizes(start, "starts"), sizes(limit, "limits"), steps)
    declared = c.result_shape(op)
    if any(d < 0 for d in declared) or any(s != 1 for s in steps):
        sizes(start, "starts")
        sizes(limit, "limits")
    at = [movement.reshape(movement.slice_(start, [k], [1], [1]), ()) for k in range(x.ndim)]
    return dynamic_slices.dynamic_slice(x, at, declared)


@converter("stablehlo.set_dimension_size")
def set_dimension_size(op: Operation, xs: list[Array], c: Conversion) -> Array:
    at = number(op, "dimension")
    n = xs[0].shape[at]
    found = known(xs[1])
    if found is None or found.item() != n:
        raise CompileError(
            f"expected the size {n} that dimension {at} has, found "
            f"{'one known when the program runs' if found is None else found.item()}; slice or pad the operand",
            here(),
        )
    return xs[0]
