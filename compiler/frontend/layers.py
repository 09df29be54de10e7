"""Normalisation, attention and losses of `mlc.nn`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from xdsl.dialects.builtin import i1

from ...dialects.nd import attention as A
from ...dialects.nd import functions as F
from ...dialects.nd import normalization as N
from ...dialects.nd.array import Array, Axis
from ...dialects.nd.dimmap import DimMap, names
from ...dialects.nd.dims import show
from ...dialects.nd.indexing import one_hot_as
from ...dialects.nd.movement import reshape
from ...dialects.nd.promotion import asarray, axes_of, common_dtype, fail, one_axis
from . import locations as _locations  # names the user's frame in errors

assert _locations


def _floats(*xs: Any) -> list[Array]:
    """Arrays of one float type."""
    arrays = [F.floats(x) for x in xs]
    dtype = reduce(common_dtype, [a.dtype for a in arrays])
    return [F.convert(a, dtype) for a in arrays]


def layer_norm(x: Any, scale: Any = None, bias: Any = None, axis: int | Sequence[int] = -1, eps: float = 1e-5) -> Array:
    """`(x - mean) / sqrt(variance + eps) * scale + bias` over `axis`; scale and bias have the sizes of these axes.

    Ba, Kiros and Hinton: Layer Normalization, 2016.
    """
    x = F.floats(x)
    axes = axes_of(x, axis)
    sizes = tuple(x.shape[k] for k in axes)
    scale, bias = _parameter("layer_norm: scale", scale, sizes, x, 1), _parameter("layer_norm: bias", bias, sizes, x, 0)
    return N.layer_norm(x, scale, bias, axes, axes, eps)


def rms_norm(x: Any, scale: Any = None, axis: int | Sequence[int] = -1, eps: float = 1e-6) -> Array:
    """`x / sqrt(mean x^2 + eps) * scale` over `axis` (Zhang and Sennrich, 2019)."""
    x = F.floats(x)
    axes = axes_of(x, axis)
    scale = _parameter("rms_norm: scale", scale, tuple(x.shape[k] for k in axes), x, 1)
    return N.rms_norm(x, scale, axes, axes, eps)


def batch_norm(
    x: Any, mean: Any, variance: Any, scale: Any = None, bias: Any = None, axis: int = -1, eps: float = 1e-5
) -> Array:
    """`(x - mean) / sqrt(variance + eps) * scale + bias` with statistics of each channel; `axis` is that of channels.

    In training, mean and variance are `batch_statistics(x, axis)`. Ioffe and Szegedy, 2015.
    """
    x = F.floats(x)
    at = one_axis(axis, x.ndim)
    sizes = (x.shape[at],)
    given = zip(("mean", "variance", "scale", "bias"), (mean, variance, scale, bias), (0, 1, 1, 0), strict=True)
    statistics = [_parameter(f"batch_norm: {name}", value, sizes, x, default) for name, value, default in given]
    return N.batch_norm(x, statistics, at, eps)


def batch_statistics(x: Any, axis: int = -1) -> tuple[Array, Array]:
    """Mean and (biased) variance over all axes but `axis`."""
    x = F.floats(x)
    at = one_axis(axis, x.ndim)
    others = [k for k in range(x.ndim) if k != at]
    return F.mean(x, others), F.variance(x, others)


def group_norm(x: Any, groups: int, scale: Any = None, bias: Any = None, axis: int = -1, eps: float = 1e-5) -> Array:
    """Normalise over each of `groups` groups of channels and all positions; axis 0 is the batch (Wu and He, 2018).

    scale and bias: `[channels]`.
    """
    x = F.floats(x)
    at = one_axis(axis, x.ndim)
    channels = x.shape[at]
    if not isinstance(channels, int) or groups < 1 or channels % groups or at == 0:
        raise fail(f"group_norm: expected groups that divide the channels of {x.type}, found {groups} on axis {axis}")
    inner = channels // groups
    split = (*x.shape[:at], groups, inner, *x.shape[at + 1 :])
    scale = reshape(_parameter("group_norm: scale", scale, (channels,), x, 1), (groups, inner))
    bias = reshape(_parameter("group_norm: bias", bias, (channels,), x, 0), (groups, inner))
    over = [k for k in range(1, len(split)) if k != at]
    return reshape(N.layer_norm(reshape(x, split), scale, bias, [at, at + 1], over, eps), x.shape)


def instance_norm(x: Any, scale: Any = None, bias: Any = None, axis: int = -1, eps: float = 1e-5) -> Array:
    """Normalise each channel of each example over all positions."""
    x = F.floats(x)
    at = one_axis(axis, x.ndim)
    sizes = (x.shape[at],)
    scale = _parameter("instance_norm: scale", scale, sizes, x, 1)
    bias = _parameter("instance_norm: bias", bias, sizes, x, 0)
    over = [k for k in range(1, x.ndim) if k != at]
    if not over:
        raise fail(f"instance_norm: expected batch, positions and channels, found {x.type}")
    return N.layer_norm(x, scale, bias, [at], over, eps)


def _parameter(what: str, value: Any, sizes: tuple[Any, ...], x: Array, default: float) -> Array:
    """A parameter of these sizes and of x's type."""
    if value is None:
        return F.convert(F.full(default, F.tensor(sizes, x.dtype)), x.dtype)
    value = asarray(value, x.dtype)
    if value.shape != sizes:
        raise fail(f"{what}: expected shape {show(sizes)}, found {value.type}")
    return value


def attention(
    query: Any, key: Any, value: Any, mask: Any = None, *, causal: bool = False, scale: float | None = None
) -> Array:
    """`softmax(scale q k^T) v` for `[..., heads, queries, features]`, key and value `[..., heads, keys, features]`.

    Fewer key heads than query heads: each serves a group of consecutive query heads. `mask` broadcasts to
    `[..., heads, queries, keys]`: bool, where attention is allowed, or floats, which are added to the scores. `causal`
    allows key j for query i if j <= i. `scale` is 1 / sqrt(features) without. A query without any key gives 0.
    """
    q, k, v = _floats(query, key, value)
    if not q.ndim == k.ndim == v.ndim or q.ndim < 2:
        raise fail(f"attention: expected query, key and value of one rank, found {q.type}, {k.type} and {v.type}")
    if q.shape[-1] != k.shape[-1] or k.shape[:-1] != v.shape[:-1] or q.shape[:-3] != k.shape[:-3]:
        raise fail(
            f"attention: expected [.., queries, features], [.., keys, features] and [.., keys, values] with one batch, "
            f"found {q.type}, {k.type} and {v.type}"
        )
    if scale is None:
        features = q.shape[-1]
        if not isinstance(features, int):
            raise fail(f"attention: expected scale=, since the number of features of {q.type} is not known")
        scale = float(features**-0.5) if features else 1.0
    grouped, map_ = _heads(q, k)
    args = [reshape(q, grouped), k, v]
    shape = (*q.shape[:-1], v.shape[-1])
    if mask is not None:
        bias = asarray(mask)
        bias = bias if bias.dtype == i1 else F.convert(bias, q.dtype)
        full = F.broadcast_to(bias, (*q.shape[:-1], k.shape[-2]))
        args.append(reshape(full, (*grouped[:-1], k.shape[-2])))
        map_ = DimMap((*map_.operands, (*map_.operands[0][:-1], map_.operands[1][-2])), map_.result)
    return reshape(A.attention(args, map_, scale, causal), shape)


def _heads(q: Array, k: Array) -> tuple[tuple[Any, ...], DimMap]:
    """The query's shape with its heads in groups, if several share a key, and the map."""
    *batch, m, d = names(q.ndim)
    n, e, g = names(3, q.ndim)
    if q.ndim < 3 or q.shape[-3] == k.shape[-3]:
        return q.shape, DimMap(((*batch, m, d), (*batch, n, d), (*batch, n, e)), (*batch, m, e))
    heads, own = q.shape[-3], k.shape[-3]
    if not isinstance(heads, int) or not isinstance(own, int) or not own or heads % own:
        raise fail(f"attention: expected query heads that are a multiple of the key heads, found {q.type} and {k.type}")
    shape = (*q.shape[:-3], own, heads // own, *q.shape[-2:])
    return shape, DimMap(((*batch, g, m, d), (*batch, n, d), (*batch, n, e)), (*batch, g, m, e))


def binary_cross_entropy(logits: Any, targets: Any) -> Array:
    """Elementwise, of logits and probabilities: `max(x, 0) - x t + log(1 + exp(-|x|))`."""
    x, t = _floats(logits, targets)
    x, t = F.promote(x, t)
    return F.maximum(x, 0.0) - x * t + F.log1p(F.exp(-F.abs_(x)))


def l1_loss(x: Any, y: Any, axis: Axis = None) -> Array:
    """The mean of `|x - y|`."""
    x, y = F.promote(*_floats(x, y))
    return F.mean(F.abs_(x - y), axis)


def huber(x: Any, y: Any, delta: float = 1.0) -> Array:
    """Elementwise, for d = x - y: `d^2 / 2` up to delta, then `delta (|d| - delta / 2)` (Huber, 1964)."""
    x, y = F.promote(*_floats(x, y))
    d = F.abs_(x - y)
    near = F.minimum(d, delta)
    return near * (d - 0.5 * near)


def kl_divergence(log_p: Any, q: Any, axis: int = -1) -> Array:
    """`sum q (log q - log_p)` over `axis`, where q is 0 the term is 0."""
    p, t = F.promote(*_floats(log_p, q))
    term = F.where(t > 0, t * (F.log(F.where(t > 0, t, 1.0)) - p), 0.0)
    return F.sum_(term, axis)


def nll(log_probabilities: Any, labels: Any) -> Array:
    """`-log_probabilities[..., label]` of `[..., classes]` and integer labels `[...]` in range."""
    x, t = F.floats(log_probabilities), asarray(labels)
    if t.shape != x.shape[:-1]:
        raise fail(f"nll: expected labels of shape {show(x.shape[:-1])} for {x.type}, found {t.type}")
    return -F.sum_(F.where(one_hot_as(t, x.shape, i1), x, 0.0), -1)


__all__ = [
    "attention",
    "batch_norm",
    "batch_statistics",
    "binary_cross_entropy",
    "group_norm",
    "huber",
    "instance_norm",
    "kl_divergence",
    "l1_loss",
    "layer_norm",
    "nll",
    "rms_norm",
]
