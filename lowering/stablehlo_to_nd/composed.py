"""Ops that the specification defines by others: normalisation over a batch, einsum, index_select.

batch_norm_inference      (x - mean) / sqrt(variance + epsilon) * scale + offset
batch_norm_training       the same of the mean and the variance over all dimensions but the feature's, and these
batch_norm_grad           its derivatives, all sums over the same dimensions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.constant import full
from ...dialects.nd.dims import size
from ...dialects.nd.op import here
from ...dialects.nd.reduction import reduce
from ...dialects.stablehlo.access import number, word
from .conversion import Conversion
from .movement import spread
from .table import converter


def epsilon(op: Operation) -> float:
    value: Any = op.properties["epsilon"]
    return value.value.data


class Features:
    """A feature dimension and the others."""

    def __init__(self, op: Operation, x: Array) -> None:
        self.at, self.shape = number(op, "feature_index"), x.shape
        self.rest = [k for k in range(x.ndim) if k != self.at]
        self.count = size(x.shape[k] for k in self.rest)
        if not isinstance(self.count, int):
            raise CompileError(f"expected a batch of known size, found {x.type}", here())

    def over(self, v: Array) -> Array:
        return spread(v, self.shape, [self.at])

    def sum(self, x: Array) -> Array:
        return reduce("sum", x, self.rest) if self.rest else x

    def mean(self, x: Array) -> Array:
        total = self.sum(x)
        return total / full(float(self.count), total.type)  # pyright: ignore[reportArgumentType]


def deviation(variance: Array, op: Operation) -> Array:
    return F.sqrt(variance + full(epsilon(op), variance.type))


@converter("stablehlo.batch_norm_inference")
def batch_norm_inference(op: Operation, xs: list[Array], c: Conversion) -> Array:
    x, scale, offset, mean, variance = xs
    f = Features(op, x)
    return (x - f.over(mean)) / f.over(deviation(variance, op)) * f.over(scale) + f.over(offset)


@converter("stablehlo.batch_norm_training")
def batch_norm_training(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    x, scale, offset = xs
    f = Features(op, x)
    mean = f.mean(x)
    centred = x - f.over(mean)
    variance = f.mean(centred * centred)
    y = centred / f.over(deviation(variance, op)) * f.over(scale) + f.over(offset)
    return [y, mean, variance]


@converter("stablehlo.batch_norm_grad")
def batch_norm_grad(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    """With h = (x - mean) / d: scale / d * (g - mean(g) - h * mean(g * h)), sum(g * h), sum(g)."""
    x, scale, mean, variance, g = xs
    f = Features(op, x)
    d = deviation(variance, op)
    h = (x - f.over(mean)) / f.over(d)
    inner = g - f.over(f.mean(g)) - h * f.over(f.mean(g * h))
    return [f.over(scale / d) * inner, f.sum(g * h), f.sum(g)]


@converter("stablehlo.einsum", "stablehlo.unary_einsum")
def einsum(op: Operation, xs: list[Array], c: Conversion) -> Array:
    return F.convert(F.einsum(word(op, "einsum_config").replace(" ", ""), *xs), c.declared(op))


@converter("stablehlo.torch_index_select")
def torch_index_select(op: Operation, xs: list[Array], c: Conversion) -> Array:
    """Batch dimensions pair off; the indices' other dimensions stand where `dim` was."""
    x, indices = xs
    at, batch = number(op, "dim"), number(op, "batch_dims")
    if batch:
        c.refuse(op, "batch_dims", batch, "0")
    flat = movement.reshape(indices, (indices.size,))
    y = F.take(x, flat, at)
    return movement.reshape(y, (*x.shape[:at], *indices.shape, *x.shape[at + 1 :]))
