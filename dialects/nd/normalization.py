"""Normalisations, whole for the rules that fold them: `nd.layer_norm`, `nd.rms_norm`, `nd.batch_norm`.

    nd.layer_norm %x, %scale, %bias "a b, b, b -> a b" over [1] eps 1.0e-05
    nd.rms_norm %x, %scale "a b, b -> a b" over [1] eps 1.0e-06
    nd.batch_norm %x, %mean, %variance, %scale, %bias "a b, b, b, b, b -> a b" eps 1.0e-05

The result has the shape of %x; the others have some of its dimensions. `over` are the dimensions of %x that the
statistics are taken of. So a group normalisation is a layer normalisation of x as `[n, s, groups, c]`, with a scale of
`[groups, c]`, over the dimensions of s and c. Derivatives and lowering follow from the decompositions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, f32
from xdsl.ir import Attribute
from xdsl.irdl import operand_def, prop_def, result_def

from . import dimmap
from .attributes import DimsAttr, NumberAttr, dims_attr
from .composite import Composite, per_count
from .dimmap import DimMap, Dims
from .dims import Dim, size
from .elementwise import Np, Rsqrt, wide
from .mapped import Mapped, distinct_names, rearrange, spread, text
from .op import Array, Props, Tolerance, bind, expand, op
from .reduction import reduce
from .types import FLOAT, NUMPY, Type, finfo, shape_of, width


class Normalizing(Mapped, Composite):
    """An op on x and values along some of x's dimensions."""

    FORM: ClassVar[str] = 'x, then operands with some of its dimensions, and a result like x, such as "a b, b -> a b"'

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        x, *others = map_.operands
        known = all(i in x for d in others for i in d)
        return map_.result == x and distinct_names(*map_.operands) and known

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        out = super().infer(types, props)
        if "over" in props:
            axes, rank = over_of(props), len(shape_of(out))
            if not axes or sorted(set(axes)) != list(axes) or not 0 <= axes[0] <= axes[-1] < rank:
                raise ValueError(f"expected increasing dimensions of {types[0]} in `over`, found {list(axes)}")
        return out

    @property
    def axes(self) -> tuple[int, ...]:
        """The dimensions of x that the statistics are taken of."""
        return over_of(self.properties)

    @property
    def epsilon(self) -> float:
        eps = self.properties["eps"]
        assert isinstance(eps, NumberAttr)
        return eps.data

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        x = args[0] if flags[0] else expand(args[0], size)
        moved = {"over": dims_attr(k + 1 for k in self.axes)} if "over" in self.properties else {}
        properties = {**self.properties, **moved, "map": text(self.dims.batched([True, *flags[1:]], broadcast=False))}
        return bind(type(self), x, *args[1:], **properties)

    def wider(self, values: Sequence[Np]) -> list[Np]:
        """Operands in float64 with x's rank, for references."""
        x, *others = self.dims.operands
        return [wide(values[0]), *(along(wide(v), d, x) for v, d in zip(values[1:], others, strict=True))]

    def like_x(self, value: Array, k: int, x: Array) -> Array:
        """Operand k at every element of x."""
        return rearrange(value, DimMap((self.dims.operands[k],), self.dims.operands[0]), x.shape)

    def terms(self, x: Np, *others: Np) -> int:
        return int(np.prod([x.shape[k] for k in self.axes], dtype=np.int64))


def over_of(props: Mapping[str, Attribute]) -> tuple[int, ...]:
    found = props["over"]
    assert isinstance(found, DimsAttr)
    return tuple(k for k in found.data if isinstance(k, int))


def along(value: Np, dims: Dims, x: Dims) -> Np:
    """A value with dimensions `dims` as one that broadcasts over `x`."""
    order = sorted(range(len(dims)), key=lambda k: x.index(dims[k]))
    rest = iter(np.transpose(value, order).shape)
    return np.transpose(value, order).reshape([next(rest) if i in dims else 1 for i in x])


@op("layer_norm", tolerance=Tolerance(ulp=8, sums=8), flops=8, dtypes=FLOAT)
class LayerNorm(Normalizing):
    """(x - mean x) / sqrt(variance x + eps) * scale + bias (Ba, Kiros and Hinton, 2016)."""

    x = operand_def(TensorType)
    scale = operand_def(TensorType)
    bias = operand_def(TensorType)
    map = prop_def(StringAttr)
    over = prop_def(DimsAttr)
    eps = prop_def(NumberAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$x `,` $scale `,` $bias $map `over` $over `eps` $eps attr-dict `:` functional-type(operands, results)"
    )

    def decompose(self, x: Array, scale: Array, bias: Array) -> Array:
        d = x - self._spread(self._mean(x), x)
        y = d * self._spread(bind(Rsqrt, self._mean(d * d) + self.epsilon), x)
        return y * self.like_x(scale, 1, x) + self.like_x(bias, 2, x)

    def _mean(self, x: Array) -> Array:
        return mean_over(x, self.axes)

    def _spread(self, reduced: Array, x: Array) -> Array:
        return spread(reduced, kept(x.ndim, self.axes), x.shape)

    def reference(self, x: Np, scale: Np, bias: Np) -> Np:
        v, g, b = self.wider([x, scale, bias])
        return (centred(v, self.axes) / deviation(v, self.axes, self.epsilon) * g + b).astype(x.dtype)

    def magnitude(self, x: Np, scale: Np, bias: Np) -> Any:
        v, g, b = self.wider([x, scale, bias])
        s = deviation(v, self.axes, self.epsilon)
        size_ = (np.abs(v) + mean_np(np.abs(v), self.axes)) / s
        lost = 1 + mean_np(v * v, self.axes) / (s * s)  # what the variance loses where the mean is large beside it
        return unless_overflow(self.type, v * v, size_ * lost * np.abs(g) + np.abs(b), self.axes)


@op("rms_norm", tolerance=Tolerance(ulp=8, sums=4), flops=5, dtypes=FLOAT)
class RmsNorm(Normalizing):
    """x / sqrt(mean x^2 + eps) * scale (Zhang and Sennrich, 2019)."""

    x = operand_def(TensorType)
    scale = operand_def(TensorType)
    map = prop_def(StringAttr)
    over = prop_def(DimsAttr)
    eps = prop_def(NumberAttr)
    result = result_def(TensorType)
    assembly_format = "$x `,` $scale $map `over` $over `eps` $eps attr-dict `:` functional-type(operands, results)"

    def decompose(self, x: Array, scale: Array) -> Array:
        r = bind(Rsqrt, mean_over(x * x, self.axes) + self.epsilon)
        return x * spread(r, kept(x.ndim, self.axes), x.shape) * self.like_x(scale, 1, x)

    def reference(self, x: Np, scale: Np) -> Np:
        v, g = self.wider([x, scale])
        return (v / np.sqrt(mean_np(v * v, self.axes) + self.epsilon) * g).astype(x.dtype)

    def magnitude(self, x: Np, scale: Np) -> Any:
        v, g = self.wider([x, scale])
        return unless_overflow(
            self.type, v * v, np.abs(v / np.sqrt(mean_np(v * v, self.axes) + self.epsilon) * g), self.axes
        )


@op("batch_norm", tolerance=Tolerance(ulp=8, sums=8), flops=6, dtypes=FLOAT)
class BatchNorm(Normalizing):
    """(x - mean) / sqrt(variance + eps) * scale + bias with given statistics (Ioffe and Szegedy, 2015)."""

    x = operand_def(TensorType)
    mean = operand_def(TensorType)
    variance = operand_def(TensorType)
    scale = operand_def(TensorType)
    bias = operand_def(TensorType)
    map = prop_def(StringAttr)
    eps = prop_def(NumberAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$x `,` $mean `,` $variance `,` $scale `,` $bias $map `eps` $eps attr-dict `:` "
        "functional-type(operands, results)"
    )

    def decompose(self, x: Array, mean: Array, variance: Array, scale: Array, bias: Array) -> Array:
        if self.dims.operands[2] == self.dims.operands[3]:  # one factor for each channel
            factor = self.like_x(scale * bind(Rsqrt, variance + self.epsilon), 3, x)
        else:
            factor = self.like_x(bind(Rsqrt, variance + self.epsilon), 2, x) * self.like_x(scale, 3, x)
        return (x - self.like_x(mean, 1, x)) * factor + self.like_x(bias, 4, x)

    def reference(self, x: Np, mean: Np, variance: Np, scale: Np, bias: Np) -> Np:
        v, m, s2, g, b = self.wider([x, mean, variance, scale, bias])
        return ((v - m) / np.sqrt(s2 + self.epsilon) * g + b).astype(x.dtype)

    def magnitude(self, x: Np, mean: Np, variance: Np, scale: Np, bias: Np) -> Any:
        v, m, s2, g, b = self.wider([x, mean, variance, scale, bias])
        return (np.abs(v) + np.abs(m)) / np.sqrt(s2 + self.epsilon) * np.abs(g) + np.abs(b)

    def terms(self, x: Np, *others: Np) -> int:
        return 1


def kept(rank: int, axes: Sequence[int]) -> DimMap:
    return dimmap.keep(rank, [k for k in range(rank) if k not in axes])


def mean_over(x: Array, axes: Sequence[int]) -> Array:
    return per_count(reduce("sum", x, axes), size(x.shape[k] for k in axes))


def mean_np(x: Np, axes: tuple[int, ...]) -> Np:
    count = np.float64(np.prod([x.shape[k] for k in axes]))
    return np.sum(x, axis=axes, keepdims=True) / count


def unless_overflow(t: Type, squares: Np, magnitude: Np, axes: tuple[int, ...]) -> Np:
    """No claim where squares in the type that is computed with are infinite though the result is not."""
    most = float(finfo(NUMPY[f32 if width(t.element_type) < 32 else t.element_type]).max)
    return np.where(np.sum(squares, axis=axes, keepdims=True) > most, np.inf, magnitude)


def centred(x: Np, axes: tuple[int, ...]) -> Np:
    return x - mean_np(x, axes)


def deviation(x: Np, axes: tuple[int, ...], eps: float) -> Np:
    d = centred(x, axes)
    return np.sqrt(mean_np(d * d, axes) + eps)


def named(rank: int, *dims: Sequence[int]) -> StringAttr:
    """The map of x of this rank and operands with these of its dimensions."""
    n = dimmap.names(rank)
    return text(DimMap((n, *(tuple(n[k] for k in d) for d in dims)), n))


def layer_norm(x: Array, scale: Array, bias: Array, dims: Sequence[int], over: Sequence[int], eps: float) -> Array:
    """`dims`: the dimensions of x that scale and bias have; `over`: those that are normalised."""
    properties: dict[str, Attribute] = {"over": dims_attr(over), "eps": NumberAttr(float(eps))}
    return bind(LayerNorm, x, scale, bias, map=named(x.ndim, dims, dims), **properties)


def rms_norm(x: Array, scale: Array, dims: Sequence[int], over: Sequence[int], eps: float) -> Array:
    properties: dict[str, Attribute] = {"over": dims_attr(over), "eps": NumberAttr(float(eps))}
    return bind(RmsNorm, x, scale, map=named(x.ndim, dims), **properties)


def batch_norm(x: Array, statistics: Sequence[Array], axis: int, eps: float) -> Array:
    """`statistics`: mean, variance, scale and bias, each along dimension `axis` of x."""
    return bind(BatchNorm, x, *statistics, map=named(x.ndim, *[[axis]] * 4), eps=NumberAttr(float(eps)))
