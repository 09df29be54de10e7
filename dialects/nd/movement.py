"""Ops that move elements: the value is untouched, so tolerance is exact and they cost no operations.

Where a permutation or replication is meant, the op's property *is* its dimension map. Where numbers per dimension are
meant (slice, reverse, pad), they are `DimsAttr` and the map is derived; they may be symbolic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.irdl import VarConstraint, operand_def, prop_def, result_def

from . import dimmap
from .attributes import DimsAttr, dims_attr
from .dimmap import DimMap, Index
from .dims import Dim, Shape, size
from .elementwise import Np
from .mapped import Mapped, distinct_names, mapped
from .op import Array, Cost, Linear, NdOp, Props, bind, expand, number, numbers, one_dtype, op, zeros_like
from .types import ANY, Type, shape_of, tensor, with_shape

JOINT = Linear.JOINT


@op("transpose", linear=JOINT, flops=0, dtypes=ANY)
class Transpose(Mapped):
    """`nd.transpose %x "a b -> b a"`."""

    FORM: ClassVar = 'a permutation such as "a b -> b a"'
    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x $map attr-dict `:` functional-type(operands, results)"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        return len(map_.operands) == 1 and distinct_names(map_.result) and set(map_.operands[0]) == set(map_.result)

    @property
    def perm(self) -> list[int]:
        """Which operand dimension each result dimension is."""
        return [self.dims.operands[0].index(i) for i in self.dims.result]

    def reference(self, x: Np) -> Np:
        return np.transpose(x, self.perm)


@op("broadcast", linear=JOINT, flops=0, dtypes=ANY)
class Broadcast(Mapped):
    """`nd.broadcast %x "a -> b a" : tensor<4xf32> -> tensor<8x4xf32>`: names that only the result has are new."""

    FORM: ClassVar = 'a replication such as "a -> b a", the operand\'s names in their order'
    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    shape = prop_def(T)
    result = result_def(T)
    assembly_format = "$x $map attr-dict `:` type($x) `->` $shape"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        return (
            len(map_.operands) == 1
            and distinct_names(*map_.operands, map_.result)
            and tuple(i for i in map_.result if i in map_.operands[0]) == map_.operands[0]
        )

    def reference(self, x: Np) -> Np:
        m, out = self.dims, numbers(self.type)
        return np.broadcast_to(x.reshape([d if i in m.operands[0] else 1 for i, d in zip(m.result, out)]), out).copy()


@op("reshape", linear=JOINT, flops=0, dtypes=ANY)
class Reshape(NdOp):
    """`nd.reshape %x : tensor<2x6xf32> -> tensor<3x4xf32>`: the same elements in row order."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(TensorType)
    shape = prop_def(T)
    result = result_def(T)
    assembly_format = "$x attr-dict `:` type($x) `->` $shape"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        """Dimensions that both sides share in front keep their names ("a * * -> a *"); the regrouped rest is opaque."""
        out, x = shape_of(props["shape"]), shapes[0]
        same = next((k for k, (p, q) in enumerate(zip(x, out)) if p != q), min(len(out), len(x)))
        kept = dimmap.names(same)
        star = (dimmap.OPAQUE,)
        return DimMap((kept + star * (len(x) - same),), kept + star * (len(out) - same))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        n, m = size(shape_of(types[0])), size(shape_of(props["shape"]))
        if n != m:
            raise ValueError(f"expected {n} elements as in {types[0]}, found {m} in {props['shape']}")
        return with_shape(types[0], shape_of(props["shape"]))

    def reference(self, x: Np) -> Np:
        return x.reshape(numbers(self.type))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [reshape(ct, shape_of(self.x.type))]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return reshape(args[0], (size, *shape_of(self.type)))


def each_dim(cls: type[NdOp], rank: int, props: Props, *names: str) -> list[tuple[Dim, ...]]:
    """The op's numbers per dimension; as many as the rank."""
    out: list[tuple[Dim, ...]] = []
    for name in names:
        found = props[name]
        assert isinstance(found, DimsAttr)
        if len(found.data) != rank:
            raise ValueError(f"expected {rank} numbers in `{name}`, one for each dimension, found {found.data}")
        out.append(found.data)
    return out


@op("slice", linear=JOINT, flops=0, dtypes=ANY)
class Slice(NdOp):
    """`nd.slice %x from [0, 2] step [1, -1] : tensor<4x8xf32> -> tensor<4x3xf32>`: element i of a dimension is element
    start + step * i of the operand; the result type says how many. A negative step runs backwards."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(TensorType)
    start = prop_def(DimsAttr)
    step = prop_def(DimsAttr)
    shape = prop_def(T)
    result = result_def(T)
    assembly_format = "$x `from` $start `step` $step attr-dict `:` type($x) `->` $shape"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        out = dimmap.names(len(shapes[0]))
        start, step = each_dim(cls, len(out), props, "start", "step")
        steps = [t for t in step if isinstance(t, int)]
        return DimMap((tuple(Index(((i.name or "", t),), s) for i, s, t in zip(out, start, steps, strict=True)),), out)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        shape, out = shape_of(types[0]), shape_of(props["shape"])
        start, step = each_dim(cls, len(shape), props, "start", "step")
        if len(out) != len(shape):
            raise ValueError(f"expected a result of rank {len(shape)}, found {props['shape']}")
        for k, (d, s, t, n) in enumerate(zip(shape, start, step, out)):
            if not isinstance(t, int) or t == 0:
                raise ValueError(f"dimension {k}: expected a step that is a number other than 0, found {t}")
            last = s + t * (n + -1)
            for at in (s, last) if n != 0 else ():
                if (isinstance(at, int) and at < 0) or (isinstance(at, int) and isinstance(d, int) and at >= d):
                    raise ValueError(f"dimension {k}: expected indices from 0 to {d + -1}, found {s} to {last}")
        return with_shape(types[0], out)

    def cost(self) -> Cost:
        """By what it takes: a name of its map may run past the end of the operand."""
        shape, out = shape_of(self.x.type), shape_of(self.type)
        return Cost(size(out) * self.FLOPS, self.dims.accesses([shape], out))

    def reference(self, x: Np) -> Np:
        dims = zip(self.start.data, self.step.data, numbers(self.type), strict=True)
        return x[np.ix_(*(number(s) + number(t) * np.arange(n) for s, t, n in dims))]

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        shape, count = shape_of(self.x.type), shape_of(self.type)
        if 0 in count:
            return [zeros_like(Array(self.x))]
        low: list[Dim] = []
        high: list[Dim] = []
        steps = [t for t in self.step.data if isinstance(t, int)]
        for d, s, t, n in zip(shape, self.start.data, steps, count, strict=True):
            last = s + t * (n + -1)
            first, last = (s, last) if t > 0 else (last, s)
            low.append(first)
            high.append(d + -1 * last + -1)
        ct = reverse(ct, [k for k, t in enumerate(steps) if t < 0])
        return [pad(ct, 0, low, high, [abs(t) - 1 for t in steps])]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return slice_(args[0], (0, *self.start.data), (1, *self.step.data), (size, *shape_of(self.type)))


@op("reverse", linear=JOINT, flops=0, dtypes=ANY)
class Reverse(NdOp):
    """`nd.reverse %x [1] : tensor<4x8xf32>`: the last element first, in each of the dimensions named."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    x = operand_def(T)
    axes = prop_def(DimsAttr)
    result = result_def(T)
    assembly_format = "$x $axes attr-dict `:` type($result)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        out, axes = dimmap.names(len(shapes[0])), props["axes"]
        assert isinstance(axes, DimsAttr)
        flipped = (
            Index(((i.name or "", -1),), d + -1) if k in axes.data else i
            for k, (i, d) in enumerate(zip(out, shapes[0]))
        )
        return DimMap((tuple(flipped),), out)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        axes, rank = props["axes"], len(shape_of(types[0]))
        assert isinstance(axes, DimsAttr)
        for k in axes.data:
            if not isinstance(k, int) or not 0 <= k < rank or axes.data.count(k) > 1:
                raise ValueError(f"expected different dimensions from 0 to {rank - 1}, found {axes.data}")
        return tensor(shape_of(types[0]), one_dtype(cls, types))

    def reference(self, x: Np) -> Np:
        return np.flip(x, tuple(number(k) for k in self.axes.data))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [bind(Reverse, ct, axes=self.axes)]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return bind(Reverse, args[0], axes=dims_attr(k + 1 for k in self.axes.data))


@op("pad", linear=JOINT, flops=0, dtypes=ANY)
class Pad(NdOp):
    """`nd.pad %x, %v low [1] high [0] interior [2]`: copies of the scalar %v before, after and between the elements."""

    x = operand_def(TensorType)
    value = operand_def(TensorType)
    low = prop_def(DimsAttr)
    high = prop_def(DimsAttr)
    interior = prop_def(DimsAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$x `,` $value `low` $low `high` $high `interior` $interior attr-dict `:` functional-type(operands, results)"
    )

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        """What stands outside the operand is the other operand, which no map says."""
        out = dimmap.names(len(shapes[0]))
        low, high, interior = each_dim(cls, len(out), props, "low", "high", "interior")
        between = [k for k in interior if isinstance(k, int)]
        at = (
            Index(i.terms, -1 * lo, k + 1, window=hi != 0 and lo == 0 and k == 0)
            for i, lo, hi, k in zip(out, low, high, between, strict=True)
        )
        return DimMap((tuple(at), ()), out)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        shape = shape_of(types[0])
        if shape_of(types[1]):
            raise ValueError(f"expected a padding value of rank 0, found {types[1]}")
        low, high, interior = each_dim(cls, len(shape), props, "low", "high", "interior")
        out: list[Dim] = []
        for k, (d, lo, hi, between) in enumerate(zip(shape, low, high, interior)):
            for what, n in (("low", lo), ("high", hi), ("interior", between)):
                if isinstance(n, int) and n < 0:
                    raise ValueError(f"dimension {k}: expected `{what}` of at least 0, found {n}; use nd.slice to cut")
            if not isinstance(between, int):
                raise ValueError(f"dimension {k}: expected `interior` to be a number, found {between}")
            out.append(lo + hi if d == 0 else d + lo + hi + (d + -1) * between)
        return tensor(tuple(out), one_dtype(cls, types))

    def reference(self, x: Np, v: Np) -> Np:
        out = np.full(numbers(self.type), v, x.dtype)
        if x.size:
            steps = [number(k) + 1 for k in self.interior.data]
            starts = [number(lo) for lo in self.low.data]
            out[tuple(slice(s, s + (d - 1) * t + 1, t) for d, s, t in zip(x.shape, starts, steps))] = x
        return out

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        from .reduction import sum_all

        inner = slice_(ct, self.low.data, [k + 1 for k in self.interior.data], shape_of(self.x.type))
        return [inner if linear[0] else None, sum_all(ct) - sum_all(inner) if linear[1] else None]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        x, v = args
        low, high, interior = self.low.data, self.high.data, self.interior.data
        x = x if flags[0] else expand(x, size)
        if not flags[1]:
            return pad_with(x, v, (0, *low), (0, *high), (0, *interior))
        # each row has its own padding value: pad with anything, then choose by where the padding is
        from .functions import select
        from .types import i1

        zero = pad(x, 0, (0, *low), (0, *high), (0, *interior))
        inside = pad(full_shape(True, x.shape, i1), False, (0, *low), (0, *high), (0, *interior))
        value = mapped(Broadcast, [v], DimMap((dimmap.names(1),), dimmap.names(zero.ndim)), zero.shape)
        return select(inside, zero, value)


# The ops as functions.


def transpose(x: Array, perm: Sequence[int]) -> Array:
    n = dimmap.names(x.ndim)
    if list(perm) == list(range(x.ndim)):
        return x
    return mapped(Transpose, [x], DimMap((n,), tuple(n[p] for p in perm)), ())


def broadcast_to(x: Array, shape: Shape) -> Array:
    """NumPy's broadcasting: new dimensions in front, size 1 stretches."""
    if x.shape == shape:
        return x
    lead = len(shape) - x.ndim
    stretched = [k for k, d in enumerate(x.shape) if d == 1 and shape[lead + k] != 1]
    if stretched:
        x = reshape(x, tuple(d for k, d in enumerate(x.shape) if k not in stretched))
    n = dimmap.names(len(shape))
    source = tuple(n[lead + k] for k in range(len(shape) - lead) if k not in stretched)
    return mapped(Broadcast, [x], DimMap((source,), n), shape)


def reshape(x: Array, shape: Shape) -> Array:
    return x if x.shape == tuple(shape) else bind(Reshape, x, shape=tensor(tuple(shape), x.dtype))


def slice_(x: Array, start: Sequence[Dim], step: Sequence[Dim], count: Sequence[Dim]) -> Array:
    """`count` elements of each dimension from `start` on, every `step`-th."""
    if tuple(count) == x.shape and all(s == 0 for s in start) and all(t == 1 for t in step):
        return x
    return bind(Slice, x, start=dims_attr(start), step=dims_attr(step), shape=tensor(tuple(count), x.dtype))


def reverse(x: Array, axes: Sequence[int]) -> Array:
    return bind(Reverse, x, axes=dims_attr(axes)) if axes else x


def pad_with(x: Array, value: Array, low: Sequence[Dim], high: Sequence[Dim], interior: Sequence[Dim]) -> Array:
    if all(n == 0 for n in (*low, *high, *interior)):
        return x
    return bind(Pad, x, value, low=dims_attr(low), high=dims_attr(high), interior=dims_attr(interior))


def pad(x: Array, value: Any, low: Sequence[Dim], high: Sequence[Dim], interior: Sequence[Dim] | None = None) -> Array:
    """Pad with a number, or with a value of rank 0."""
    between = interior if interior is not None else [0] * x.ndim
    return pad_with(x, value if isinstance(value, Array) else full_shape(value, (), x.dtype), low, high, between)


def full_shape(value: Any, shape: Shape, dtype: Any) -> Array:
    from .constant import full

    return full(value, tensor(shape, dtype))
