"""Composites: whole while rules want to see them; `decompose` states their meaning, once, in traced code.

Derivative (unless given), batching and lowering all follow from the decomposition. References compute in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, bf16, f16, f32
from xdsl.irdl import VarConstraint, operand_def, prop_def, result_def

from . import dimmap
from .dimmap import DimMap
from .dims import Dim, Shape, size
from .elementwise import Exp, Log, Max, Mul, Np, Tanh, Unary, wide
from .mapped import Mapped, distinct_names, spread, text
from .op import Array, Linear, NdOp, Partial, Props, Tolerance, bind, expand, op, zeros_like
from .reduction import Reducing, reduce
from .selection import convert
from .types import ANALYTIC, FLOAT, NUMERIC, Type, is_float, shape_of


class Composite(NdOp):
    def decompose(self, *args: Any, **kwargs: Any) -> Array:
        """The op's meaning in smaller ops, from its operands."""
        raise NotImplementedError(self.name)

    def expand(self, *args: Array, **kwargs: Any) -> Array:
        """`decompose`, in f32 and rounded once where the element type is narrower."""
        dtype = self.type.element_type
        if dtype not in (f16, bf16):
            return self.decompose(*args, **kwargs)
        out = self.decompose(*(convert(a, f32) if is_float(a.dtype) else a for a in args), **kwargs)
        return convert(out, dtype)


def has_tangent(op_: NdOp) -> bool:
    """Has a rule of its own; else a composite is differentiated through its decomposition."""
    return not (isinstance(op_, Composite) and op_.LINEAR is Linear.NO and type(op_).tangent is NdOp.tangent)


# Activations.


@op("relu", tolerance=Tolerance(), dtypes=NUMERIC)
class Relu(Unary, Composite):
    """max(x, 0); the derivative at 0 is 0."""

    def decompose(self, x: Array) -> Array:
        return bind(Max, x, zeros_like(x))

    def reference(self, x: Np) -> Np:
        return np.where(x == 0, np.abs(x), np.maximum(x, 0).astype(x.dtype))

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        from .functions import select

        t = tangents[0]
        return None if t is None else select(Array(self.x) > 0, t, zeros_like(t))


ROOT_2_OVER_PI = 0.7978845608028654


@op("gelu", flops=30, tolerance=Tolerance(ulp=8, sums=2), dtypes=FLOAT)
class Gelu(Unary, Composite):
    """x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))."""

    def decompose(self, x: Array) -> Array:
        return 0.5 * x * (1 + bind(Tanh, ROOT_2_OVER_PI * (x + 0.044715 * x * x * x)))

    def reference(self, x: Np) -> Np:
        v = wide(x)
        return (0.5 * v * (1 + np.tanh(ROOT_2_OVER_PI * (v + 0.044715 * v * v * v)))).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return np.abs(wide(x))  # 1 + tanh cancels below 0

    def derivative(self, x: Array, y: Array) -> Sequence[Partial]:
        # u = sqrt(2/pi) (x + 0.044715 x^3): (1 + tanh u)/2 + x/2 (1 - tanh^2 u) u'
        t = bind(Tanh, ROOT_2_OVER_PI * (x + 0.044715 * x * x * x))
        return [0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (ROOT_2_OVER_PI * (1 + 3 * 0.044715 * x * x))]


# Along the last dimension, which is therefore opaque to its neighbours.


class LastDim(Unary, Composite):
    """`decompose` takes an axis: of a transposed value, in the order that the value lies in."""

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return dimmap.lines(len(shapes[0]), (len(shapes[0]) - 1,))

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        if not shape_of(types[0]):
            raise ValueError(f"expected at least one dimension, found {types[0]}")
        return super().infer(types, props)

    def terms(self, x: Np) -> int:
        return x.shape[-1]


@op("softmax", flops=20, tolerance=Tolerance(ulp=4, sums=4), dtypes=FLOAT)
class Softmax(LastDim):
    """exp(x - max x) / sum exp(x - max x)."""

    def decompose(self, x: Array, axis: int = -1) -> Array:
        line = (axis % x.ndim,)
        e = bind(Exp, x - along(reduce("max", x, line), x, line))
        return e * along(1 / reduce("sum", e, line), x, line)  # the sum is at least 1: one division for a line

    def reference(self, x: Np) -> Np:
        e = np.exp(centred(wide(x)))
        return (e / e.sum(-1, keepdims=True)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return self.reference(wide(x)) * (1 + np.abs(centred(wide(x))))  # the exponent's rounding

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        y, t = Array(self.result), tangents[0]  # y (dx - sum(y dx))
        return None if t is None else y * (t - last(reduce_last("sum", y * t), t))


@op("log_softmax", flops=20, tolerance=Tolerance(ulp=4, sums=4), dtypes=FLOAT)
class LogSoftmax(LastDim):
    """x - max x - log(sum exp(x - max x))."""

    def decompose(self, x: Array, axis: int = -1) -> Array:
        line = (axis % x.ndim,)
        z = x - along(reduce("max", x, line), x, line)
        return z - along(bind(Log, reduce("sum", bind(Exp, z), line)), x, line)

    def reference(self, x: Np) -> Np:
        return log_softmax_elements(wide(x)).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        z = centred(wide(x))
        return 1 + 2 * np.abs(z) + np.abs(log_softmax_elements(wide(x)))

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t = tangents[0]  # dx - sum(softmax(x) dx)
        return None if t is None else t - last(reduce_last("sum", bind(Softmax, Array(self.x)) * t), t)


# Means.


@op("mean", linear=Linear.JOINT, flops=1, tolerance=Tolerance(ulp=1, sums=4), dtypes=ANALYTIC)
class Mean(Reducing, Composite):
    """`nd.mean %x "a b -> a"`: the sum over the count; NaN of no elements."""

    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x $map attr-dict `:` functional-type(operands, results)"

    def decompose(self, x: Array) -> Array:
        return per_count(bind_sum(x, self.map), self.count)

    @property
    def count(self) -> Dim:
        """How many elements each mean is of."""
        return size(shape_of(self.x.type)[k] for k in self.axes)

    def reference(self, x: Np) -> Np:
        return np.asarray(np.sum(wide(x), axis=self.axes) / np.float64(self.terms(x))).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return np.sum(np.abs(wide(x)), axis=self.axes) / np.float64(self.terms(x))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [spread(per_count(ct, self.count), self.dims, shape_of(self.x.type))]


@op("variance", flops=4, tolerance=Tolerance(ulp=4, sums=8), dtypes=FLOAT)
class Variance(Reducing, Composite):
    """`nd.variance %x "a b -> a"`: the mean of (x - mean x)^2; NaN of no elements."""

    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x $map attr-dict `:` functional-type(operands, results)"

    def decompose(self, x: Array) -> Array:
        d = x - spread(bind(Mean, x, map=self.map), self.dims, x.shape)
        return bind(Mean, d * d, map=self.map)

    def reference(self, x: Np) -> Np:
        v, n = wide(x), np.float64(self.terms(x))
        d = v - np.sum(v, axis=self.axes, keepdims=True) / n
        return np.asarray(np.sum(d * d, axis=self.axes) / n).astype(x.dtype)

    def magnitude(self, x: Np) -> Any:
        return np.sum(wide(x) ** 2, axis=self.axes) / np.float64(self.terms(x))

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t, x = tangents[0], Array(self.x)  # mean(2 (x - mean x) dx)
        if t is None:
            return None
        d = x - spread(bind(Mean, x, map=self.map), self.dims, x.shape)
        return bind(Mean, 2 * d * t, map=self.map)


# Losses.


@op("cross_entropy", tolerance=Tolerance(ulp=8, sums=8), flops=20, dtypes=FLOAT)
class CrossEntropy(Composite):
    """-sum(targets * log_softmax(logits)) over the last dimension; targets are weights of any sum.

    Integer labels become targets by `nd.one_hot`, whose contract (labels in range) holds then.
    """

    T: ClassVar = VarConstraint("T", TensorType.constr())
    logits = operand_def(TensorType)
    targets = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$logits `,` $targets attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        n = dimmap.names(len(shapes[0]))
        return DimMap((n, n), n[:-1])

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        if not shape_of(types[0]):
            raise ValueError(f"expected logits of at least one dimension, found {types[0]}")
        return super().infer(types, props)

    def decompose(self, x: Array, t: Array) -> Array:
        return -reduce_last("sum", t * bind(LogSoftmax, x))

    def reference(self, x: Np, t: Np) -> Np:
        return np.asarray(-(wide(t) * log_softmax_elements(wide(x))).sum(-1)).astype(x.dtype)

    def magnitude(self, x: Np, t: Np) -> Any:
        largest = np.max(np.abs(wide(x)), axis=-1, initial=1)
        return np.abs(wide(t) * log_softmax_elements(wide(x))).sum(-1) + np.abs(wide(t)).sum(-1) * largest

    def terms(self, x: Np, t: Np) -> int:
        return x.shape[-1]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again([a if f else expand(a, size) for a, f in zip(args, flags, strict=True)])


@op("mse", tolerance=Tolerance(ulp=4, sums=8), flops=3, dtypes=FLOAT)
class Mse(Mapped, Composite):
    """`nd.mse %x, %y "a b, a b -> "`: the mean of (x - y)^2 over the dimensions that the result lacks."""

    FORM: ClassVar[str] = 'two operands of one shape and a result of some of it, such as "a b, a b -> a"'
    x = operand_def(TensorType)
    y = operand_def(TensorType)
    map = prop_def(StringAttr)
    result = result_def(TensorType)
    assembly_format = "$x `,` $y $map attr-dict `:` functional-type(operands, results)"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        x = map_.operands[0]
        kept = tuple(i for i in x if i in map_.result)
        return map_.operands == (x, x) and distinct_names(x, map_.result) and kept == map_.result

    def decompose(self, x: Array, y: Array) -> Array:
        d = x - y
        return bind(Mean, d * d, map=text(DimMap((self.dims.operands[0],), self.dims.result)))

    def reference(self, x: Np, y: Np) -> Np:
        d = wide(x) - wide(y)
        return np.asarray(np.sum(d * d, axis=self.axes) / np.float64(self.terms(x, y))).astype(x.dtype)

    def magnitude(self, x: Np, y: Np) -> Any:
        return np.sum((np.abs(wide(x)) + np.abs(wide(y))) ** 2, axis=self.axes) / np.float64(self.terms(x, y))

    def terms(self, x: Np, y: Np) -> int:
        return int(np.prod([x.shape[k] for k in self.axes], dtype=np.int64))

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        args = [a if f else expand(a, size) for a, f in zip(args, flags, strict=True)]
        return bind(Mse, *args, map=text(self.dims.batched(flags, broadcast=True)))


# What decompositions share.


def bind_sum(x: Array, map_: StringAttr) -> Array:
    from .reduction import KINDS, Reduce

    return bind(Reduce, x, kind=KINDS["sum"], map=map_)


def per_count(x: Array, count: Dim) -> Array:
    """x / count, for a number as a multiplication."""
    from .constant import full, size_value
    from .movement import broadcast_to

    if isinstance(count, int):
        return bind(Mul, x, full(1 / count if count else float("nan"), x.type))
    return x / broadcast_to(size_value(count, x.dtype), x.shape)


def reduce_last(kind: str, x: Array) -> Array:
    return reduce(kind, x, [x.ndim - 1])


def last(reduced: Array, like: Array) -> Array:
    """Put the reduced last dimension back by replication."""
    return along(reduced, like, (like.ndim - 1,))


def along(reduced: Array, like: Array, axes: Sequence[int]) -> Array:
    """Put reduced dimensions back by replication."""
    return spread(reduced, dimmap.keep(like.ndim, [k for k in range(like.ndim) if k not in axes]), like.shape)


def centred(x: Np) -> Np:
    return x - np.max(x, axis=-1, keepdims=True, initial=-np.inf)


def log_softmax_elements(x: Np) -> Np:
    z = centred(x)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))
