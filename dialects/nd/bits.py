"""Bits seen as another type, and elements of four bits packed two to a byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import TensorType, f4E2M1FN
from xdsl.ir import TypeAttribute
from xdsl.irdl import operand_def, prop_def, result_def

from . import dimmap
from .composite import Composite
from .dimmap import DimMap
from .dims import Dim, Shape
from .elementwise import Elementwise, Np
from .op import EXACT, Array, Linear, Props, bind, one_dtype, op
from .selection import convert
from .types import ANY, COMPLEX, NUMPY, Type, i4, shape_of, takes, tensor, ui4, ui8, width

FOUR_BITS = (i4, ui4, f4E2M1FN)
REAL = tuple(t for t in ANY if t not in COMPLEX)


@op("bitcast", linear=Linear.NEVER, tolerance=EXACT, flops=0, dtypes=REAL)
class Bitcast(Elementwise):
    """`nd.bitcast %x to ui32`: the same bits as elements of another type of as many."""

    x = operand_def(TensorType)
    to = prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$x `to` $to attr-dict `:` type($x) `->` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        dtype = one_dtype(cls, types)
        to = props["to"]
        if not takes(REAL, to) or width(to) != width(dtype):
            raise ValueError(f"expected a type of {width(dtype)} bits as {dtype} has, found {to}")
        return tensor(shape_of(types[0]), to)

    def reference(self, x: Np) -> Np:
        to = NUMPY[self.to]
        raw = np.ascontiguousarray(x).reshape(x.shape)
        if (bits := width(self.to)) < 8:
            raw = (raw.view(np.uint8) & ((1 << bits) - 1)).astype(np.uint8)
        return raw.view(to)


class Packing(Composite):
    """Along the last dimension, the low four bits first."""

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return dimmap.lines(len(shapes[0]), (len(shapes[0]) - 1,))

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again(args)


@op("unpack", linear=Linear.NEVER, tolerance=EXACT, flops=2, dtypes=(ui8,))
class Unpack(Packing):
    """`nd.unpack %x to i4 : tensor<4x8xui8> -> tensor<4x16xi4>`: two elements from each byte."""

    x = operand_def(TensorType)
    to = prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$x `to` $to attr-dict `:` type($x) `->` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        if props["to"] not in FOUR_BITS or not (shape := shape_of(types[0])):
            raise ValueError(
                "expected bytes in at least one dimension and i4, ui4 or f4E2M1FN to unpack to, "
                f"found {types[0]} and {props['to']}"
            )
        return tensor((*shape[:-1], shape[-1] * 2), props["to"])

    def reference(self, x: Np) -> Np:
        both = np.stack([x & 15, x >> 4], -1).astype(np.uint8)
        return both.reshape(*x.shape[:-1], 2 * x.shape[-1]).view(NUMPY[self.to])

    def decompose(self, x: Array) -> Array:
        from .movement import reshape

        pairs = spread_pairs(x)
        low = bind_shift("shr", pairs) & 15
        return bind(Bitcast, convert(reshape(low, shape_of(self.type)), ui4), to=self.to)


@op("pack", linear=Linear.NEVER, tolerance=EXACT, flops=2, dtypes=FOUR_BITS)
class Pack(Packing):
    """`nd.pack %x : tensor<4x16xi4> -> tensor<4x8xui8>`: two elements into each byte."""

    x = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$x attr-dict `:` type($x) `->` type($result)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types)
        shape = shape_of(types[0])
        if not shape or (isinstance(shape[-1], int) and shape[-1] % 2) or shape[-1] // 2 * 2 != shape[-1]:
            raise ValueError(f"expected an even number of elements in the last dimension, found {types[0]}")
        return tensor((*shape[:-1], shape[-1] // 2), ui8)

    def reference(self, x: Np) -> Np:
        raw = np.ascontiguousarray(x).view(np.uint8) & 15
        return (raw[..., ::2] | (raw[..., 1::2] << 4)).astype(np.uint8)

    def decompose(self, x: Array) -> Array:
        from .movement import reshape
        from .reduction import reduce

        pairs = reshape(convert(bind(Bitcast, x, to=ui4), ui8), (*shape_of(self.type), 2))
        return reduce("sum", bind_shift("shl", pairs), [pairs.ndim - 1])


def spread_pairs(x: Array) -> Array:
    """Every byte twice, along a new last dimension."""
    from .mapped import rearrange

    n = dimmap.names(x.ndim + 1)
    return rearrange(x, DimMap((n[:-1],), n), (*x.shape, 2))


def bind_shift(name: str, x: Array) -> Array:
    """The second of each pair shifted by four bits."""
    from .constant import iota
    from .op import OPS

    return bind(OPS[name], x, iota(x.shape, x.ndim - 1, ui8) * 4)


def bitcast(x: Array, to: Any) -> Array:
    return x if x.dtype == to else bind(Bitcast, x, to=to)
