"""Small programs of JAX, one for each of its features that a user's program may meet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")
import jax.numpy as jnp  # noqa: E402
from jax import lax, nn  # noqa: E402

F32 = np.float32


class Case(NamedTuple):
    name: str
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    tolerance: float = 16


def draw(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape).astype(F32)


def integers(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int32)


X, KEY = draw(4, 6), np.array([0, 7], np.uint32)


@jax.custom_jvp
def with_jvp(x):
    return jnp.sin(x) * 2


with_jvp.defjvp(lambda p, t: (with_jvp(p[0]), 2 * jnp.cos(p[0]) * t[0]))


@jax.custom_vjp
def with_vjp(x):
    return jnp.exp(x)


with_vjp.defvjp(lambda x: (with_vjp(x), with_vjp(x)), lambda r, g: (r * g,))


@jax.checkpoint
def recomputed(x):
    return jnp.sin(jnp.sin(x))


def gradient(fn):
    return jax.grad(lambda x: fn(x).sum())


def mixed_precision(x, w):
    """Products of bf16 that are accumulated in f32, statistics in f32."""
    y = lax.dot(x.astype(jnp.bfloat16), w.astype(jnp.bfloat16), preferred_element_type=jnp.float32)
    return (y - y.mean()).astype(jnp.bfloat16) * jnp.bfloat16(0.5)


def branch(x):
    return lax.cond(x.sum() > 0, lambda x: x * 2, lambda x: -x, x)


def doubling(x):
    return lax.while_loop(lambda c: c[0] < c[1], lambda c: (c[0] * 2 + 1, c[1]), (jnp.abs(x), 5.0))[0]


def recurrence(h, xs):
    def step(h, x):
        h = jnp.tanh(h + x)
        return h, h.sum()

    return lax.scan(step, h, xs)


def one_of(i, x):
    return lax.switch(i, [jnp.sin, jnp.cos, lambda x: x * x], x)


def adam(parameters, gradients, means, variances, step):
    """As optax writes it: trees of moments, corrected for their start."""
    means = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, means, gradients)
    variances = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, variances, gradients)

    def update(p, m, v):
        return p - 1e-2 * (m / (1 - 0.9**step)) / (jnp.sqrt(v / (1 - 0.999**step)) + 1e-8)

    return jax.tree.map(update, parameters, means, variances), means, variances


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def grouped_convolution(x, w):
    return lax.conv_general_dilated(x, w, (2, 2), "SAME", feature_group_count=2)


def spd(a):
    return a @ a.T + jnp.eye(a.shape[0])


TREE = {"w": draw(3, 4, seed=1), "b": draw(4, seed=2)}
ADAM = (TREE, TREE, TREE, jax.tree.map(np.abs, TREE), F32(3))

CASES = [
    Case("einsum", lambda a, b: jnp.einsum("bij,bjk->bik", a, b), (draw(2, 3, 4), draw(2, 4, 5, seed=1))),
    Case("einsum of a trace", lambda a: jnp.einsum("ii->", a), (draw(4, 4),)),
    Case("einsum of three", lambda a, b: jnp.einsum("ij,jk,lk->il", a, b, b), (draw(2, 3), draw(3, 3, seed=1))),
    Case("checkpoint", recomputed, (X,)),
    Case("gradient of checkpoint", gradient(recomputed), (X,)),
    Case("custom_jvp", with_jvp, (X,)),
    Case("custom_vjp", with_vjp, (X,)),
    Case("gradient of custom_vjp", gradient(with_vjp), (X,)),
    Case("mixed precision", mixed_precision, (draw(4, 8), draw(8, 4, seed=1)), 1),
    Case("cond", branch, (X,)),
    Case("vmap of cond", jax.vmap(branch), (X,)),
    Case("vmap of while", jax.vmap(doubling), (draw(6),)),
    Case("vmap of scan", jax.vmap(recurrence), (draw(3, 2), draw(3, 5, 2, seed=1))),
    Case("scan in reverse", lambda xs: lax.scan(lambda c, x: (c * 0.5 + x, c), xs[0], xs, reverse=True), (X,)),
    Case("gradient of scan", gradient(lambda xs: recurrence(xs[0], xs)[1]), (X,)),
    Case("switch", one_of, (integers(2)[0], X)),
    Case("vmap of switch", jax.vmap(one_of), (integers(0, 2, 1, 5), X)),
    Case("fori_loop", lambda x: lax.fori_loop(0, 5, lambda i, c: c * 0.5 + i, x), (X,)),
    Case("map", lambda x: lax.map(lambda r: jnp.sort(r) * 2, x), (X,)),
    Case("associative_scan", lambda x: lax.associative_scan(jnp.multiply, x, axis=1), (X,)),
    Case(
        "associative_scan of pairs",
        lambda a, b: lax.associative_scan(lambda x, y: (x[0] * y[0], y[0] * x[1] + y[1]), (a, b)),
        (draw(7, 2), draw(7, 2, seed=1)),
    ),
    Case("sort", lambda x: jnp.sort(x, axis=0), (X,)),
    Case("argsort", lambda x: jnp.argsort(-x), (X,)),
    Case("top_k", lambda x: lax.top_k(x, 3), (X,)),
    Case("cumulative", lambda x: (jnp.cumsum(x, 1), jnp.cumprod(x, 0), lax.cummax(x, 1)), (X,)),
    Case("gelu", lambda x: (nn.gelu(x), nn.gelu(x, approximate=False)), (X,)),
    Case("softmax", lambda x: (nn.softmax(x), nn.log_softmax(x, axis=0), nn.logsumexp(x, axis=1)), (X,)),
    Case("softmax in f16", nn.softmax, (X.astype(np.float16),), 2),
    Case("one_hot", lambda i: nn.one_hot(i, 5), (integers(0, 3, 4, 7),)),
    Case("activations", lambda x: (nn.swish(x), nn.elu(x), nn.softplus(x), nn.leaky_relu(x)), (X,)),
    Case(
        "attention",
        partial(nn.dot_product_attention, is_causal=True),
        tuple(draw(1, 5, 2, 4, seed=k) for k in range(3)),
    ),
    Case("adam", adam, ADAM),
    Case("donated", jax.jit(lambda s, g: s - 0.1 * g, donate_argnums=0), (X, X)),
    Case("static", jax.jit(lambda x, n: x.reshape(n, -1), static_argnums=1), (X, 3)),
    Case("weak types", lambda x: (x * 2.0 + 1, x.astype(jnp.bfloat16) * 3), (2.5,)),
    Case(
        "indices",
        lambda x, i: (jnp.take(x, i, axis=1), x[i, 0], jnp.take_along_axis(x, i[:, None], 1)),
        (X, integers(0, 3, 1, 2)),
    ),
    Case("at", lambda x, i: x.at[i].add(1.0).at[:, 2].set(0).at[0].mul(2), (X, integers(0, 3, 1))),
    Case("segment_sum", lambda x: jax.ops.segment_sum(x, jnp.array([0, 0, 2, 1]), 4), (X,)),
    Case("bincount", lambda i: jnp.bincount(i, length=5), (integers(0, 3, 3, 1),)),
    Case("searchsorted", jnp.searchsorted, (np.arange(8, dtype=F32), draw(5))),
    Case("order statistics", lambda x: (jnp.median(x, 1), jnp.percentile(x, 30.0, axis=0), jnp.argmax(x, 1)), (X,)),
    Case("movement", lambda x: (jnp.roll(x, 2, 1), jnp.triu(x), jnp.pad(x, 1, mode="reflect"), jnp.kron(x, x)), (X,)),
    Case("interp", lambda x: jnp.interp(x, jnp.arange(5.0), jnp.arange(5.0) ** 2), (draw(7),)),
    Case("integers", lambda i: (i // 3, i % 3, i << 2, i ^ 5, lax.population_count(i)), (integers(*range(-6, 6)),)),
    Case("convolution", grouped_convolution, (draw(1, 4, 8, 8), draw(6, 2, 3, 3, seed=1))),
    Case("pooling", pool, (draw(2, 6, 6, 3),)),
    Case("gradient of pooling", gradient(pool), (draw(2, 6, 6, 3),)),
    Case("convolve", jnp.convolve, (draw(7), draw(3))),
    Case("solve", lambda a, b: jnp.linalg.solve(spd(a), b), (draw(4, 4), draw(4, 2, seed=1)), 64),
    Case("inv", lambda a: (jnp.linalg.inv(spd(a)), jnp.linalg.slogdet(a)), (draw(4, 4),), 64),
    Case("qr", lambda a: jnp.abs(jnp.linalg.qr(a)[1]), (draw(5, 3),), 64),
    Case("eigh", lambda a: jnp.linalg.eigh(a + a.T)[0], (draw(4, 4),), 64),
    Case("expm", jax.scipy.linalg.expm, (draw(3, 3),), 64),
    Case("complex", lambda x: jnp.abs(jnp.exp(1j * x) + x), (X,)),
    Case("fft", lambda x: jnp.abs(jnp.fft.fft2(x)), (X,)),
    Case("special", lambda x: (lax.erf(x), lax.lgamma(jnp.abs(x) + 0.1), lax.digamma(jnp.abs(x) + 1)), (X,)),
    Case("permutation", lambda key: jax.random.permutation(key, 10), (KEY,)),
    Case("random", lambda key: (jax.random.normal(key, (3,)), jax.random.randint(key, (4,), 0, 10)), (KEY,)),
    Case("truncated_normal", lambda key: jax.random.truncated_normal(key, -1.0, 1.0, (3,)), (KEY,)),
    Case("gamma", lambda key: jax.random.gamma(key, 2.0, (3,)), (KEY,), 64),
    Case("hessian", jax.hessian(lambda x: jnp.sum(jnp.tanh(x) ** 3)), (draw(5),)),
    Case("jacfwd", jax.jacfwd(lambda x: jnp.cumsum(jnp.sin(x))), (draw(5),)),
]
