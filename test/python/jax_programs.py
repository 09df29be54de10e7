"""Ten programs as people write them in JAX, small: what `mlc.from_jax` has to run and differentiate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

F32 = np.float32


@dataclass(frozen=True)
class Program:
    name: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...] = (0,)
    """The arguments that gradients are taken of; none where a loop ends by a condition."""
    tolerance: float = 16
    """Of results and gradients, in units of epsilon at their largest magnitude."""


def draw(*shape: int, seed: int, scale: float = 1.0) -> np.ndarray[Any, Any]:
    return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(F32)


# 1. A residual block whose normalisation takes the batch's statistics.


def conv(x, w):
    return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def batch_norm(x, p):
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p["scale"] + p["bias"], (mean, variance)


def resnet_block(params, x):
    y, first = batch_norm(conv(x, params["w1"]), params["n1"])
    y, second = batch_norm(conv(jax.nn.relu(y), params["w2"]), params["n2"])
    return jax.nn.relu(x + y), {"first": first, "second": second}


def resnet_args():
    n = 8
    norm = {"scale": np.abs(draw(n, seed=3)) + F32(0.5), "bias": draw(n, seed=4)}
    params = {
        "w1": draw(3, 3, n, n, seed=1, scale=0.2),
        "w2": draw(3, 3, n, n, seed=2, scale=0.2),
        "n1": norm,
        "n2": {"scale": norm["scale"] * F32(0.7), "bias": norm["bias"] * F32(0.3)},
    }
    return params, draw(2, 6, 6, n, seed=5)


# 2. A transformer layer that decodes one block of tokens: rotary embedding, cache of keys and values.


def rotary(x, positions):
    half = x.shape[-1] // 2
    angles = positions[:, None] * (10000.0 ** (-jnp.arange(half) / half))
    cos, sin = jnp.cos(angles)[:, None, :], jnp.sin(angles)[:, None, :]
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def rms_norm(x, scale):
    return x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * scale


def transformer_layer(params, x, cache, position):
    tokens, width = x.shape
    heads = 4
    y = rms_norm(x, params["norm1"])
    q, k, v = ((y @ params[n]).reshape(tokens, heads, width // heads) for n in ("q", "k", "v"))
    places = position + jnp.arange(tokens)
    q, k = rotary(q, places), rotary(k, places)
    keys = lax.dynamic_update_slice(cache["keys"], k, (position, 0, 0))
    values = lax.dynamic_update_slice(cache["values"], v, (position, 0, 0))
    scores = jnp.einsum("qhd,khd->hqk", q, keys) / np.sqrt(width // heads)
    seen = jnp.arange(keys.shape[0])[None, :] <= places[:, None]
    weights = jax.nn.softmax(jnp.where(seen[None], scores, -jnp.inf), axis=-1)
    out = jnp.einsum("hqk,khd->qhd", weights, values).reshape(tokens, width)
    x = x + out @ params["o"]
    hidden = jax.nn.gelu(rms_norm(x, params["norm2"]) @ params["up"])
    return x + hidden @ params["down"], {"keys": keys, "values": values}


def transformer_args():
    d, tokens, length = 16, 3, 12
    params = {n: draw(d, d, seed=k, scale=0.25) for k, n in enumerate("qkvo")}
    params |= {"up": draw(d, 4 * d, seed=8, scale=0.25), "down": draw(4 * d, d, seed=9, scale=0.125)}
    params |= {"norm1": np.ones(d, F32), "norm2": np.full(d, 0.9, F32)}
    cache = {n: draw(length, 4, d // 4, seed=k) for k, n in enumerate(("keys", "values"), 20)}
    return params, draw(tokens, d, seed=30), cache, np.int32(5)


# 3. An LSTM over a sequence, by scan.


def lstm(params, xs):
    n = params["u"].shape[0]

    def step(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(x @ params["w"] + h @ params["u"] + params["b"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = (jnp.zeros((xs.shape[1], n)), jnp.zeros((xs.shape[1], n)))
    (h, _), hs = lax.scan(step, start, xs)
    return h, hs


def lstm_args():
    d, n = 5, 7
    params = {"w": draw(d, 4 * n, seed=1, scale=0.4), "u": draw(n, 4 * n, seed=2, scale=0.4), "b": draw(4 * n, seed=3)}
    return params, draw(9, 3, d, seed=4)


# 4. Newton's method until it has converged.


def newton(a):
    def condition(state):
        _, step, count = state
        return (jnp.max(jnp.abs(step)) > 1e-6) & (count < 50)

    def body(state):
        x, _, count = state
        step = (x * x * x - a) / (3 * x * x)
        return x - step, step, count + 1

    root, _, count = lax.while_loop(condition, body, (jnp.maximum(a, 1.0), jnp.full_like(a, jnp.inf), 0))
    return root, count


# 5. Linear algebra over a batch: Cholesky factors, solutions, log-determinants.


def linear_algebra(a, y):
    def one(a, y):
        spd = a @ a.T + 0.5 * jnp.eye(a.shape[0])
        factor = jnp.linalg.cholesky(spd)
        z = jax.scipy.linalg.solve_triangular(factor, y, lower=True)
        x = jax.scipy.linalg.solve_triangular(factor.T, z, lower=False)
        return x, 2 * jnp.sum(jnp.log(jnp.diag(factor)))

    return jax.vmap(one)(a, y)


# 6. A histogram of points with weights, and each point's share of its cell.


def histogram(weights, points, rows):
    cells = jnp.clip((points * 8).astype(jnp.int32), 0, 7)
    counts = jnp.zeros((8, 8)).at[cells[:, 0], cells[:, 1]].add(weights)
    largest = jnp.full(8, -jnp.inf).at[rows].max(weights)
    share = weights / (1 + counts[cells[:, 0], cells[:, 1]])
    return counts, jnp.where(jnp.isfinite(largest), largest, 0.0), share


def histogram_args():
    rng = np.random.default_rng(7)
    points = rng.random((200, 2)).astype(F32)
    return rng.random(200).astype(F32), points, rng.integers(0, 8, 200).astype(np.int32)


# 7. Convolution by the convolution theorem.


def fft_convolution(signal, kernel):
    n = signal.shape[-1] + kernel.shape[-1] - 1
    product = jnp.fft.rfft(signal, n) * jnp.fft.rfft(kernel, n)
    return jnp.fft.irfft(product, n)


# 8. A normalising flow of affine couplings: samples and the log-determinant of the map.


def flow(params, z):
    total = jnp.zeros(z.shape[0])
    for k, layer in enumerate(params):
        a, b = (z[:, ::2], z[:, 1::2]) if k % 2 == 0 else (z[:, 1::2], z[:, ::2])
        hidden = jnp.tanh(a @ layer["w"] + layer["b"])
        log_scale, shift = jnp.split(hidden @ layer["v"], 2, axis=-1)
        log_scale = jnp.tanh(log_scale)
        b = b * jnp.exp(log_scale) + shift
        pair = (a, b) if k % 2 == 0 else (b, a)
        z = jnp.stack(pair, axis=-1).reshape(z.shape)
        total = total + log_scale.sum(-1)
    density = -0.5 * jnp.sum(z * z, -1) - 0.5 * z.shape[-1] * np.log(2 * np.pi)
    return z, total, density + total


def flow_args():
    d, h = 6, 10
    layers = [
        {"w": draw(d // 2, h, seed=k), "b": draw(h, seed=k + 1), "v": draw(h, d, seed=k + 2, scale=0.3)}
        for k in (0, 10, 20)
    ]
    return layers, draw(11, d, seed=40)


# 9. Steps of an ordinary differential equation, with the vector-Jacobian product that JAX makes.


def field(params, y):
    return jnp.tanh(y @ params["w"]) @ params["v"] - 0.1 * y


def integrate(params, y, steps=4, h=0.1):
    def step(_, y):
        k1 = field(params, y)
        k2 = field(params, y + h / 2 * k1)
        k3 = field(params, y + h / 2 * k2)
        k4 = field(params, y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return lax.fori_loop(0, steps, step, y)


def ode_step(params, y, cotangent, steps=4):
    out, back = jax.vjp(lambda p, y: integrate(p, y, steps), params, y)
    return out, back(cotangent)


def ode_args():
    d, n = 4, 9
    params = {"w": draw(d, n, seed=1, scale=0.5), "v": draw(n, d, seed=2, scale=0.5)}
    return params, draw(3, d, seed=3), draw(3, d, seed=4)


# 10. Sampling from the k most probable tokens.


def sample_top_k(logits, key, k=5):
    best, tokens = lax.top_k(logits, k)
    chosen = jax.random.categorical(key, best / 0.8, axis=-1)
    probabilities = jax.nn.softmax(best, axis=-1)
    return jnp.take_along_axis(tokens, chosen[:, None], axis=-1)[:, 0], probabilities


def programs() -> list[Program]:
    key = np.array([0, 42], np.uint32)
    return [
        Program("resnet block", resnet_block, resnet_args(), (0, 1), 64),
        Program("transformer layer", transformer_layer, transformer_args(), (0, 1, 2)),
        Program("lstm", lstm, lstm_args(), (0, 1)),
        Program("newton", newton, (np.array([0.5, 2.0, 27.0], F32),), ()),
        Program("linear algebra", linear_algebra, (draw(3, 5, 5, seed=1), draw(3, 5, 2, seed=2)), (0, 1), 256),
        Program("histogram", histogram, histogram_args()),
        Program("fft convolution", fft_convolution, (draw(2, 30, seed=1), draw(2, 11, seed=2)), (0, 1)),
        Program("flow", flow, flow_args(), (0, 1)),
        Program("ode step", partial(ode_step, steps=4), ode_args(), (0, 1)),
        Program("top-k sampling", partial(sample_top_k, k=5), (draw(6, 40, seed=3), key), (0,)),
    ]


def loss_of(fn: Callable[..., Any], numpy: Any, leaves: Callable[[Any], list[Any]]) -> Callable[..., Any]:
    """A scalar of all float results of a function: their sums of squares."""

    def loss(*args: Any) -> Any:
        total = 0.0
        for y in leaves(fn(*args)):
            if "float" in str(y.dtype) or str(y.dtype).startswith("f"):
                total = total + numpy.sum(y * y)
        return total

    return loss
