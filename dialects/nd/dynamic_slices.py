"""Slices that begin at computed positions: a gather and a scatter of one window, which stay whole for their readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.ir import TypeAttribute
from xdsl.irdl import VarConstraint, operand_def, prop_def, result_def, var_operand_def

from . import dimmap
from .composite import Composite
from .dimmap import DimMap, Dims, Index
from .dims import Dim, Shape
from .elementwise import Np
from .indirect import as_signed, gather
from .op import EXACT, Array, NdOp, Props, bind, expand, numbers, one_dtype, op
from .scatter import scatter
from .types import ANY, INTEGER, Type, shape_of, tensor


def starts_of(cls: type[NdOp], types: Sequence[Type], rank: int) -> None:
    if len(types) != rank or not rank:
        raise ValueError(f"expected {rank or 'some'} starts, one for each dimension, found {len(types)}")
    for k, t in enumerate(types):
        if shape_of(t) or t.element_type not in INTEGER:
            raise ValueError(f"expected starts that are integers of rank 0, found {t} (start {k})")


def sliced(whole: Shape, part: Shape) -> tuple[Dims, Dims, list[int]]:
    """Place and data of a slice, and the dimensions that have a start to read: the others are whole."""
    names = dimmap.names(len(whole))
    moving = [k for k, (d, n) in enumerate(zip(whole, part, strict=True)) if d != n]
    place = tuple(Index(i.terms, at=moving.index(k)) if k in moving else i for k, i in enumerate(names))
    return place, names, moving


def check_part(whole: Shape, part: Shape) -> None:
    if len(whole) != len(part):
        raise ValueError(f"expected a slice of rank {len(whole)}, found {len(part)}")
    for k, (d, n) in enumerate(zip(whole, part, strict=True)):
        if isinstance(d, int) and isinstance(n, int) and n > d:
            raise ValueError(f"dimension {k}: expected a slice of at most {d}, found {n}")


def start_numbers(starts: Sequence[Np], whole: Sequence[int], part: Sequence[int]) -> list[int]:
    return [int(np.clip(as_signed(np.asarray(s)), 0, d - n)) for s, d, n in zip(starts, whole, part, strict=True)]


@op("dynamic_slice", flops=0, tolerance=EXACT, dtypes=ANY)
class DynamicSlice(Composite):
    """`nd.dynamic_slice %x at %i, %j to tensor<2x3xf32>`: the slice that starts there; starts are moved to fit."""

    x = operand_def(TensorType)
    starts = var_operand_def(TensorType)
    shape = prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$x `at` $starts `to` $shape attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        place, data, _ = sliced(shapes[0], shape_of(props["shape"]))
        return DimMap((place, *[()] * (len(shapes) - 1)), data)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        dtype, whole, part = one_dtype(cls, types[:1]), shape_of(types[0]), shape_of(props["shape"])
        starts_of(cls, types[1:], len(whole))
        check_part(whole, part)
        return tensor(part, dtype)

    def reference(self, x: Np, *starts: Np) -> Np:
        part = numbers(self.type)
        return x[tuple(slice(s, s + n) for s, n in zip(start_numbers(starts, x.shape, part), part, strict=True))].copy()

    def decompose(self, x: Array, *starts: Array) -> Array:
        part = shape_of(self.type)
        place, data, moving = sliced(x.shape, part)
        if not moving:
            return x
        return gather(x, [starts[k] for k in moving], DimMap((place, *[()] * len(moving)), data), "clip", part)

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        part = shape_of(self.type)
        place, data, moving = sliced(shape_of(self.x.type), part)
        used = [k for k in (0, *(m + 1 for m in moving)) if k == 0 or moving]
        x = args[0] if any(flags[k] for k in used) else expand(args[0], size)
        if not moving:
            return x
        some = [flags[k] or (k == 0 and x is not args[0]) for k in used]
        map_ = DimMap((place, *[()] * len(moving)), data).batched(some, broadcast=False)
        return gather(x, [args[k + 1] for k in moving], map_, "clip", (size, *part))


@op("dynamic_update_slice", flops=0, tolerance=EXACT, dtypes=ANY)
class DynamicUpdateSlice(Composite):
    """`nd.dynamic_update_slice %x, %u at %i, %j`: x with u where the slice starts, moved to fit."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    update = operand_def(TensorType)
    starts = var_operand_def(TensorType)
    result = result_def(T)
    assembly_format = "$x `,` $update `at` $starts attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        place, data, _ = sliced(shapes[0], shapes[1])
        return DimMap((place, data, *[()] * (len(shapes) - 2)), place)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        one_dtype(cls, types[:2])
        whole, part = shape_of(types[0]), shape_of(types[1])
        starts_of(cls, types[2:], len(whole))
        check_part(whole, part)
        return types[0]

    def reference(self, x: Np, u: Np, *starts: Np) -> Np:
        out = x.copy()
        at = start_numbers(starts, x.shape, u.shape)
        out[tuple(slice(s, s + n) for s, n in zip(at, u.shape, strict=True))] = u
        return out

    def decompose(self, x: Array, u: Array, *starts: Array) -> Array:
        place, data, moving = sliced(x.shape, u.shape)
        if not moving:
            return u
        return scatter("set", x, u, [starts[k] for k in moving], DimMap((data, *[()] * len(moving)), place), "clip")

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        x, u = (a if f else expand(a, size) for a, f in zip(args[:2], flags[:2], strict=True))
        place, data, moving = sliced(shape_of(self.x.type), shape_of(self.update.type))
        if not moving:
            return u
        some = [True, *(flags[k + 2] for k in moving)]
        map_ = DimMap((data, *[()] * len(moving)), place).batched(some, broadcast=False)
        return scatter("set", x, u, [args[k + 2] for k in moving], map_, "clip")


def dynamic_slice(x: Array, starts: Sequence[Array], shape: Shape) -> Array:
    return bind(DynamicSlice, x, *starts, shape=tensor(tuple(shape), x.dtype))


def dynamic_update_slice(x: Array, update: Array, starts: Sequence[Array]) -> Array:
    return bind(DynamicUpdateSlice, x, update, *starts)
