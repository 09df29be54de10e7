"""Normalisations, attention and losses of `mlc.nn`, compiled, against NumPy in float64."""

from __future__ import annotations

import mlc
import numpy as np
import pytest
from mlc import nn
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches

RNG = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def check(fn, want, *args, scale=8.0, ulp=64):
    got = mlc.jit(fn)(*args)
    assert_matches(Tolerance(ulp=ulp, scale=scale), got, np.asarray(want).astype(np.float32))


def normalised(x, axes, eps):
    x = x.astype(np.float64)
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def test_layer_norm():
    x, g, b = normal(4, 5, 33), normal(33), normal(33)
    check(nn.layer_norm, normalised(x, 2, 1e-5) * g + b, x, g, b)
    check(nn.layer_norm, normalised(x, 2, 1e-5), x)
    check(lambda x: nn.layer_norm(x, axis=(-2, -1), eps=0.1), normalised(x, (1, 2), 0.1), x)


def test_rms_norm():
    x, g = normal(4, 33), normal(33)
    want = x / np.sqrt((x.astype(np.float64) ** 2).mean(-1, keepdims=True) + 1e-6) * g
    check(nn.rms_norm, want, x, g)


@pytest.mark.parametrize("axis", [1, -1])
def test_batch_norm(axis):
    x = normal(6, 5, 7, 4)
    n = x.shape[axis]
    m, v, g, b = normal(n), np.abs(normal(n)) + 0.1, normal(n), normal(n)
    shape = [n if k == axis % 4 else 1 for k in range(4)]
    m1, v1, g1, b1 = (a.astype(np.float64).reshape(shape) for a in (m, v, g, b))
    check(lambda *a: nn.batch_norm(*a, axis=axis), (x - m1) / np.sqrt(v1 + 1e-5) * g1 + b1, x, m, v, g, b)
    others = tuple(k for k in range(4) if k != axis % 4)

    def trained(x):
        return nn.batch_norm(x, *nn.batch_statistics(x, axis), axis=axis)

    check(trained, normalised(x, others, 1e-5), x)


@pytest.mark.parametrize(("groups", "axis"), [(2, -1), (4, 1), (1, -1)])
def test_group_norm(groups, axis):
    x = normal(3, 4, 5, 8)
    n = x.shape[axis]
    g, b = normal(n), normal(n)
    y = np.moveaxis(x, axis, 1)
    parts = normalised(y.reshape(3, groups, -1), 2, 1e-5).reshape(y.shape)
    want = np.moveaxis(parts * g.reshape(1, -1, 1, 1) + b.reshape(1, -1, 1, 1), 1, axis)
    check(lambda x, g, b: nn.group_norm(x, groups, g, b, axis=axis), want, x, g, b)


def test_instance_norm():
    x, g, b = normal(3, 5, 6, 4), normal(4), normal(4)
    check(nn.instance_norm, normalised(x, (1, 2), 1e-5) * g + b, x, g, b)


def attended(q, k, v, allowed=None, bias=0.0):
    q, k, v = (a.astype(np.float64) for a in (q, k, v))
    s = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias
    if allowed is not None:
        s = np.where(allowed, s, -np.inf)
    top = s.max(-1, keepdims=True)
    e = np.exp(s - np.where(np.isinf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


def test_attention():
    q, k, v = normal(2, 3, 17, 8), normal(2, 3, 21, 8), normal(2, 3, 21, 5)
    check(nn.attention, attended(q, k, v), q, k, v)
    lower = np.tril(np.ones((17, 21), bool))
    check(lambda *a: nn.attention(*a, causal=True), attended(q, k, v, lower), q, k, v)
    mask = RNG.random((2, 1, 17, 21)) < 0.5
    mask[:, :, 3] = False  # a query without any key gives 0
    check(nn.attention, attended(q, k, v, mask), q, k, v, mask)
    bias = normal(17, 21)
    check(nn.attention, attended(q, k, v, bias=bias), q, k, v, bias)
    plain = q[0, 0], k[0, 0], v[0, 0]
    check(nn.attention, attended(*plain), *plain)


def test_attention_of_fewer_key_heads():
    q, k, v = normal(2, 6, 9, 8), normal(2, 2, 11, 8), normal(2, 2, 11, 4)
    wide = [np.repeat(a, 3, axis=1) for a in (k, v)]
    check(nn.attention, attended(q, *wide), q, k, v)


def test_no_gradient_is_nan_where_nothing_is_allowed():
    q, k, v = normal(4, 8), normal(5, 8), normal(5, 8)
    mask = np.zeros((4, 5), bool)
    mask[1] = True
    got = mlc.jit(mlc.grad(lambda q, k, v: nn.attention(q, k, v, mask).sum(), argnums=(0, 1, 2)))(q, k, v)
    assert all(np.isfinite(g).all() for g in got)


def test_losses():
    x, y = normal(6, 9) * 4, normal(6, 9)
    p, labels = RNG.random((6, 9)).astype(np.float32), RNG.integers(0, 9, 6)
    wide = x.astype(np.float64)
    check(nn.binary_cross_entropy, np.logaddexp(0, wide) - wide * p, x, p)
    check(nn.l1_loss, np.abs(wide - y).mean(), x, y)
    d = np.abs(wide - y)
    check(nn.huber, np.where(d <= 1, d * d / 2, d - 0.5), x, y)
    logs = wide - np.log(np.exp(wide).sum(-1, keepdims=True))
    check(nn.nll, -logs[np.arange(6), labels], logs.astype(np.float32), labels)
    q = p.copy()
    q[0, :4] = 0
    safe = np.where(q > 0, q, 1).astype(np.float64)
    check(nn.kl_divergence, np.where(q > 0, q * (np.log(safe) - logs), 0).sum(-1), logs.astype(np.float32), q, scale=64)


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (
            lambda: nn.layer_norm(normal(3, 4), normal(3)),
            r"layer_norm: scale: expected shape \[4\], found tensor<3xf32>",
        ),
        (lambda: nn.group_norm(normal(2, 5, 6), 4), "expected groups that divide the channels"),
        (lambda: nn.instance_norm(normal(3, 4)), "expected batch, positions and channels"),
        (lambda: nn.attention(normal(3, 4), normal(5, 3), normal(5, 3)), r"expected \[.., queries, features\]"),
        (lambda: nn.attention(normal(5, 3, 4), normal(2, 6, 4), normal(2, 6, 4)), "a multiple of the key heads"),
        (lambda: nn.nll(normal(3, 4), np.zeros(4, np.int64)), r"expected labels of shape \[3\]"),
    ],
)
def test_errors(fn, message):
    with pytest.raises(mlc.CompileError, match=message), mlc.eager():
        fn()
