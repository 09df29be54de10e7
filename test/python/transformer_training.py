"""A training step of a pre-norm transformer (Vaswani et al., 2017; Xiong et al., 2020) by stochastic gradient descent.

    step = mlc.jit(training_step(sizes), donate=("parameters",))
    parameters, loss = step(parameters, tokens, labels)

The sizes are those of `Sizes`; what a layer computes goes through `remat` (`mlc.checkpoint`, or nothing).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
from mlc import nn, optim

Tree = dict[str, Any]
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Sizes:
    layers: int = 4
    width: int = 128
    heads: int = 4
    length: int = 64
    batch: int = 4
    vocabulary: int = 64
    expansion: int = 4


SMALL = Sizes(layers=2, width=16, heads=2, length=8, batch=2, vocabulary=16, expansion=2)


def parameters_of(sizes: Sizes, seed: int = 0) -> Tree:
    """Float32, normally distributed with variance 1 / inputs."""
    rng = np.random.default_rng(seed)
    d, hidden = sizes.width, sizes.width * sizes.expansion

    def weight(inputs: int, outputs: int) -> Any:
        return (rng.standard_normal((inputs, outputs)) / np.sqrt(inputs)).astype(np.float32)

    def norm() -> Tree:
        return {"scale": np.ones(d, np.float32), "bias": np.zeros(d, np.float32)}

    def layer() -> Tree:
        return {
            "norm1": norm(),
            "query": weight(d, d),
            "key": weight(d, d),
            "value": weight(d, d),
            "out": weight(d, d),
            "norm2": norm(),
            "up": weight(d, hidden),
            "up_bias": np.zeros(hidden, np.float32),
            "down": weight(hidden, d),
            "down_bias": np.zeros(d, np.float32),
        }

    return {
        "tokens": weight(sizes.vocabulary, d),
        "positions": weight(sizes.length, d),
        "layers": [layer() for _ in range(sizes.layers)],
        "norm": norm(),
        "head": weight(d, sizes.vocabulary),
    }


def batch_of(sizes: Sizes, seed: int = 1) -> tuple[Any, Any]:
    """Tokens and the labels of each, `[batch, length]` of int32."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, sizes.vocabulary, (sizes.batch, sizes.length + 1)).astype(np.int32)
    return words[:, :-1].copy(), words[:, 1:].copy()


def layer(sizes: Sizes, p: Tree, x: Any) -> Any:
    """Causal attention, then two dense layers, of normalised inputs and added to them: `[batch, length, width]`."""
    b, n, d, h = sizes.batch, sizes.length, sizes.width, sizes.heads

    def heads(y: Any) -> Any:
        return mnp.transpose(mnp.reshape(y, (b, n, h, d // h)), (0, 2, 1, 3))

    y = nn.layer_norm(x, p["norm1"]["scale"], p["norm1"]["bias"])
    a = nn.attention(heads(y @ p["query"]), heads(y @ p["key"]), heads(y @ p["value"]), causal=True)
    x = x + mnp.reshape(mnp.transpose(a, (0, 2, 1, 3)), (b, n, d)) @ p["out"]
    y = nn.layer_norm(x, p["norm2"]["scale"], p["norm2"]["bias"])
    return x + nn.linear(nn.gelu(nn.linear(y, p["up"], p["up_bias"])), p["down"], p["down_bias"])


def loss_of(sizes: Sizes, remat: Wrap = lambda f: f) -> Callable[..., Any]:
    """The mean cross-entropy of the next token."""
    run = remat(lambda p, x: layer(sizes, p, x))

    def loss(parameters: Tree, tokens: Any, labels: Any) -> Any:
        x = nn.embedding(tokens, parameters["tokens"]) + parameters["positions"]
        for p in parameters["layers"]:
            x = run(p, x)
        y = nn.layer_norm(x, parameters["norm"]["scale"], parameters["norm"]["bias"])
        return mnp.mean(nn.cross_entropy(y @ parameters["head"], labels))

    return loss


def training_step(sizes: Sizes, remat: Wrap = lambda f: f, learning_rate: float = 0.1) -> Callable[..., Any]:
    """`step(parameters, tokens, labels) -> (parameters, loss)`; donate the parameters, so that they change in place."""
    loss, optimizer = loss_of(sizes, remat), optim.sgd(learning_rate)

    def step(parameters: Tree, tokens: Any, labels: Any) -> Any:
        value, gradients = mlc.value_and_grad(loss)(parameters, tokens, labels)
        return optimizer.update(parameters, None, gradients)[0], value

    return step
