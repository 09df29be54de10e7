"""Networks of convolutions, channels first, with constant weights: what assign-layout is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np

Np = np.ndarray[Any, Any]
Network = Callable[[Any], Any]


class Layers:
    """Layers with random weights."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def weights(self, *shape: int) -> Np:
        size = max(np.prod(shape[1:]), 1)
        return (self.rng.standard_normal(shape) / np.sqrt(size)).astype(np.float32)

    def conv(self, x: Any, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> Any:
        w = self.weights(outputs, x.shape[1] // groups, kernel, kernel)
        return nn.conv(x, w, stride, kernel // 2, groups=groups, layout="NCHW")

    def depthwise(self, x: Any, stride: int = 1) -> Any:
        return self.conv(x, x.shape[1], 3, stride, x.shape[1])

    def pointwise(self, x: Any, outputs: int) -> Any:
        return self.conv(x, outputs, 1)

    def normalized(self, x: Any) -> Any:
        """Batch norm with the statistics of training, then relu."""
        c = x.shape[1]
        mean, variance, scale, shift = (
            self.rng.uniform(0.5, 1.5, (c, 1, 1)).astype(np.float32) for _ in ("mean", "variance", "scale", "shift")
        )
        return nn.relu((x - mean) / mnp.sqrt(variance + np.float32(1e-5)) * scale + shift)


MOBILE = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 2))
"""Channels of each pointwise convolution, and the stride of the depthwise one in front of it."""


def mobile(x: Any) -> Any:
    """Ten convolutions, depthwise and pointwise in turn, each with a batch norm and relu."""
    layers = Layers()
    for outputs, stride in MOBILE:
        x = layers.normalized(layers.depthwise(x, stride))
        x = layers.normalized(layers.pointwise(x, outputs))
    return x


def residual(x: Any) -> Any:
    layers = Layers(1)
    x = nn.relu(layers.conv(x, 16, 3, 2))
    x = nn.relu(layers.conv(x, 16) + x)
    return layers.pointwise(x, 8)


def concatenated(x: Any) -> Any:
    layers = Layers(2)
    x = layers.depthwise(layers.pointwise(x, 16), 2)
    x = mnp.concatenate([layers.pointwise(x, 8), layers.conv(x, 16), x], 1)
    return layers.depthwise(x, 2)


def grouped(x: Any) -> Any:
    layers = Layers(3)
    x = layers.conv(layers.pointwise(x, 16), 32, 3, 2, 4)
    return layers.conv(nn.relu(x), 16, 3, 1, 2)


def pooled(x: Any) -> Any:
    """Windows that overlap and ones that do not, then means over all pixels."""
    layers = Layers(4)
    x = nn.max_pool(layers.pointwise(x, 16), 2, 2, layout="NCHW")
    x = nn.max_pool(layers.depthwise(x), 3, 2, 1, layout="NCHW")
    return nn.global_avg_pool(nn.relu(layers.pointwise(x, 32)), layout="NCHW")


def excited(x: Any) -> Any:
    """Channels scaled by what their means say (Hu et al., 2018)."""
    layers = Layers(5)
    x = layers.depthwise(layers.pointwise(x, 16), 2)
    x = x * nn.sigmoid(layers.pointwise(mnp.mean(x, axis=(2, 3), keepdims=True), 16))
    return layers.pointwise(x, 16)


def moved(x: Any) -> Any:
    """Between convolutions: a slice, a reversal, a padding, a transpose, sorted columns."""
    layers = Layers(6)
    x = layers.depthwise(layers.pointwise(x, 16), 2)
    x = mnp.pad(x[:, :, 1:, ::2], ((0, 0), (0, 0), (1, 0), (0, 2)))[:, :, ::-1]
    x = mnp.transpose(layers.pointwise(x, 16), (0, 1, 3, 2))
    return mnp.sort(layers.depthwise(x, 2), 2)


def gradient(x: Any) -> Any:
    return mlc.grad(lambda x: mnp.sum(mobile(x) ** 2))(x)


def trained(x: Any) -> Any:
    """The gradient for the weights."""
    layers = Layers(7)
    first, second = layers.weights(16, x.shape[1], 3, 3), layers.weights(32, 16, 3, 3)

    def loss(first: Any, second: Any) -> Any:
        y = nn.relu(nn.conv(x, first, padding=1, layout="NCHW"))
        y = nn.relu(nn.conv(y, second, 2, 1, layout="NCHW"))
        return mnp.sum(mnp.mean(y, axis=(2, 3)) ** 2)

    return mlc.grad(loss)(first, second)


NETWORKS: dict[str, Network] = {
    f.__name__: f for f in (mobile, residual, concatenated, grouped, pooled, excited, moved, gradient, trained)
}
