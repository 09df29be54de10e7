"""Attention as one kernel, however it is written: right for every length and mask, no matrix of scores in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as xp
import numpy as np
import pytest
from mlc import nn
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches

Np = np.ndarray[Any, np.dtype[Any]]
CLOSE = {np.float32: Tolerance(ulp=64, scale=8.0), np.float16: Tolerance(ulp=16, scale=2.0)}
BLOCK = 512
"""Keys of a block, where there are more."""


def normal(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Np:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def operands(queries: int, keys: int, heads: int = 2, shared: int = 2, features: int = 16, dtype: Any = np.float32):
    shapes = [(heads, queries), (shared, keys), (shared, keys)]
    return [normal(*shape, features, dtype=dtype, seed=n) for n, shape in enumerate(shapes)]


def attended(q: Np, k: Np, v: Np, allowed: Any = True, bias: Any = 0.0) -> Np:
    """In double precision; a query without any key gives 0."""
    q, k, v = (x.astype(np.float64) for x in (q, k, v))
    k, v = (np.repeat(x, q.shape[0] // x.shape[0], axis=0) for x in (k, v))
    s = np.where(allowed, q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]) + bias, -np.inf)
    top = s.max(-1, keepdims=True, initial=-np.inf)
    e = np.exp(s - np.where(np.isinf(top), 0, top))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total) @ v


def lower(queries: int, keys: int, more: int = 0) -> Np:
    return np.tril(np.ones((queries, keys), bool), more)


def check(fn: Callable[..., Any], want: Np, *args: Np, kernels: int = 1, threads: int = 1) -> Any:
    compiled = mlc.compile(fn, *args, threads=threads)
    got = compiled(*args)
    got = got[0] if isinstance(got, list | tuple) else got
    assert_matches(CLOSE[args[0].dtype.type], got, want.astype(args[0].dtype))
    assert len(compiled.report()["kernels"]) == kernels
    return compiled


def steps(compiled: Any) -> str:
    return " ".join(compiled.report()["kernels"][0]["schedule"])


LENGTHS = [(5, 16), (12, 32), (33, 64), (64, 96), (50, 100), (61, 37), (130, BLOCK), (97, 2 * BLOCK), (40, 2080)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
def test_lengths(queries: int, keys: int, causal: bool):
    q, k, v = operands(queries, keys)
    allowed = lower(queries, keys) if causal else True
    check(lambda *a: nn.attention(*a, causal=causal), attended(q, k, v, allowed), q, k, v)


@pytest.mark.parametrize("keys", [64, 100, 3 * BLOCK])
@pytest.mark.parametrize("causal", [False, True])
def test_masks(keys: int, causal: bool):
    q, k, v = operands(40, keys)
    rows = lower(40, keys) if causal else True
    mask = np.random.default_rng(1).random((2, 40, keys)) < 0.5
    mask[:, 7] = False
    check(lambda *a: nn.attention(*a, causal=causal), attended(q, k, v, mask & rows), q, k, v, mask)
    bias = normal(2, 40, keys, seed=7)
    check(lambda *a: nn.attention(*a, causal=causal), attended(q, k, v, rows, bias), q, k, v, bias)


def test_the_first_blocks_of_keys_may_be_masked():
    q, k, v = operands(30, 3 * BLOCK)
    mask = np.zeros((1, 30, 3 * BLOCK), bool)
    mask[:, :, -3:] = True
    mask[:, 11] = False
    check(nn.attention, attended(q, k, v, mask), q, k, v, mask)


def test_scores_of_any_size():
    q, k, v = operands(30, 3 * BLOCK)
    k[:, BLOCK + 5] *= 50
    q *= np.float32(30)
    compiled = check(nn.attention, attended(q, k, v), q, k, v)
    assert "rescale" in steps(compiled)


@pytest.mark.parametrize("shared", [1, 2, 4])
@pytest.mark.parametrize("keys", [48, 64, 2 * BLOCK])
def test_heads_share_keys(shared: int, keys: int):
    q, k, v = operands(40, keys, heads=4, shared=shared)
    check(nn.attention, attended(q, k, v), q, k, v)
    check(lambda *a: nn.attention(*a, causal=True), attended(q, k, v, lower(40, keys)), q, k, v)


@pytest.mark.parametrize("keys", [64, 2 * BLOCK])
def test_half_precision(keys: int):
    q, k, v = operands(40, keys, dtype=np.float16)
    check(lambda *a: nn.attention(*a, causal=True), attended(q, k, v, lower(40, keys)), q, k, v)


@pytest.mark.parametrize("causal", [False, True])
def test_threads(causal: bool):
    q, k, v = operands(300, 2 * BLOCK)
    allowed = lower(300, 2 * BLOCK) if causal else True
    compiled = check(lambda *a: nn.attention(*a, causal=causal), attended(q, k, v, allowed), q, k, v, threads=2)
    assert compiled.report()["kernels"][0]["parallel"]


def test_run_time_lengths():
    one = [(2, "s", 16), (2, "t", 16), (2, "t", 16)]
    types = ", ".join(f"%{n}: tensor<2x?x16xf32, #nd.sym<{shape[1]}>>" for n, shape in zip("qkv", one, strict=True))
    result = "tensor<2x?x16xf32, #nd.sym<s>>"
    inner = types.replace("%q: ", "").replace("%k: ", "").replace("%v: ", "")
    compiled = mlc.compile(f"""func.func @main({types}) -> {result} {{
      %0 = nd.attention %q, %k, %v "b q d, b k d, b k e -> b q e" scale 0.25 causal : ({inner}) -> {result}
      func.return %0 : {result}
    }}""")
    for queries, keys in ((1, 1), (5, 3), (0, 4), (30, 17), (64, 64), (13, 600)):
        q, k, v = operands(queries, keys)
        got = compiled(q, k, v)
        assert_matches(CLOSE[np.float32], got, attended(q, k, v, lower(queries, keys)).astype(np.float32))


def softmax_by_hand(q: Any, k: Any, v: Any) -> Any:
    s = xp.einsum("hqd,hkd->hqk", q, k) / 4.0
    e = xp.exp(s - xp.max(s, axis=-1, keepdims=True))
    return xp.einsum("hqk,hkd->hqd", e / xp.sum(e, axis=-1, keepdims=True), v)


def softmax(q: Any, k: Any, v: Any) -> Any:
    return nn.softmax(q @ xp.swapaxes(k, -1, -2) * 0.25, axis=-1) @ v


def causal_by_hand(q: Any, k: Any, v: Any) -> Any:
    s = q @ xp.swapaxes(k, -1, -2) * 0.25
    rows, columns = xp.arange(s.shape[-2])[:, None], xp.arange(s.shape[-1])[None, :]
    return nn.softmax(xp.where(columns <= rows + 3, s, -xp.inf), axis=-1) @ v


@pytest.mark.parametrize("keys", [64, 100, 2 * BLOCK])
@pytest.mark.parametrize("form", [softmax_by_hand, softmax, causal_by_hand])
def test_spelled_out(form: Callable[..., Any], keys: int):
    q, k, v = operands(40, keys)
    allowed = lower(40, keys, 3) if form is causal_by_hand else True
    compiled = check(form, attended(q, k, v, allowed), q, k, v)
    assert ("skip" in steps(compiled)) == (form is causal_by_hand and keys != 100)


def test_a_row_without_keys_is_nan_where_the_program_says_so():
    q, k, v = operands(40, 2 * BLOCK)

    def nothing(q: Any, k: Any, v: Any) -> Any:
        s = q @ xp.swapaxes(k, -1, -2)
        return nn.softmax(xp.where(xp.abs(s) < 0.0, s, -xp.inf)) @ v

    got = mlc.jit(nothing)(q, k, v)
    assert np.isnan(np.asarray(got)).all()


@pytest.mark.parametrize("cap", [20.0])
def test_functions_of_the_scores(cap: float):
    q, k, v = operands(40, 2 * BLOCK)
    bias = normal(40, 2 * BLOCK, seed=5)

    def capped(q: Any, k: Any, v: Any, bias: Any) -> Any:
        return nn.softmax(xp.tanh(q @ xp.swapaxes(k, -1, -2) / cap) * cap + bias) @ v

    s = np.tanh(q.astype(np.float64) @ np.swapaxes(k, -1, -2) / cap) * cap + bias
    e = np.exp(s - s.max(-1, keepdims=True))
    check(capped, e / e.sum(-1, keepdims=True) @ v, q, k, v, bias)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("length", [BLOCK, 4 * BLOCK])
def test_no_matrix_of_scores_in_memory(length: int, causal: bool):
    q, k, v = operands(length, length, heads=1, shared=1, features=64)
    compiled = mlc.compile(lambda *a: nn.attention(*a, causal=causal), q, k, v)
    assert compiled.program.arena < 2 * k.nbytes + 64 * 1024
    assert compiled.program.arena < length * length * 4 / 2


def test_layers_share_a_mask():
    """Each computes its own: no kernel stores the mask, and all layers run one kernel."""
    q, k, v = operands(40, 40)

    def layers(q: Any, k: Any, v: Any) -> Any:
        for _ in range(3):
            q = nn.attention(q, k, v, causal=True)
        return q

    want = q
    for _ in range(3):
        want = attended(want, k, v, lower(40, 40))
    compiled = check(layers, want, q, k, v)
    assert len(compiled.report()["kernels"]) == 1


def test_gradients():
    q, k, v = operands(40, 64)
    loss = lambda *a: xp.sum(nn.attention(*a, causal=True) ** 2)
    got = mlc.jit(mlc.grad(loss, argnums=(0, 1, 2)))(q, k, v)
    step = 1e-6

    def at(args: list[Np]) -> float:
        return float((attended(*args, lower(40, 64)) ** 2).sum())

    for n, gradient in enumerate(got):
        direction = normal(*gradient.shape, seed=20 + n).astype(np.float64)
        ends = [at([x + s * step * direction if m == n else x for m, x in enumerate((q, k, v))]) for s in (1, -1)]
        slope = np.float64((ends[0] - ends[1]) / (2 * step))
        assert_matches(Tolerance(ulp=0, sums=64, scale=100.0, eps=1e-6), np.sum(gradient * direction), slope)
