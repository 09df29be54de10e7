"""Small inputs on which other compilers were wrong, at every width of vectors, with 1 and 2 threads.

Those about single ops stand in docs/semantics.md; here are shapes, layouts, control flow and gradients.
"""

from __future__ import annotations

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.matching import assert_matches

pytestmark = pytest.mark.usefixtures("target")
CLOSE = Tolerance(ulp=8)
RNG = np.random.default_rng(0)


def f32(*x: float) -> np.ndarray:
    return np.array(x, np.float32)


def run(fn, *args):
    return mlc.jit(fn)(*args)


def test_extrema_of_vectors_and_their_tails():
    for n in (16, 17, 31, 64, 67):
        for dtype in (np.uint8, np.int8):
            x = RNG.integers(1, 100, n).astype(dtype)
            assert_matches(EXACT, run(mnp.min, x), x.min())
            assert_matches(EXACT, run(mnp.argmin, x), np.int64(x.argmin()))


def test_average_pooling_divides_the_last_window_by_what_it_has():
    x = f32(1, 2, 3, 4, 5).reshape(1, 5, 1)
    pool = lambda x: nn.avg_pool(x, 3, stride=3, ceil_mode=True)
    assert_matches(CLOSE, run(pool, x), f32(2, 4.5).reshape(1, 2, 1))
    gradient = run(mlc.grad(lambda x: pool(x).sum()), x)
    assert_matches(CLOSE, gradient, f32(1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2).reshape(1, 5, 1))


def test_reductions_and_reversals_of_rank_0():
    x = np.float32(3)
    for got in run(lambda x: (x.sum(), x.max(), mnp.flip(x)), x):
        assert_matches(EXACT, got, x)


def test_rows_of_nan_wherever_they_stand():
    x = np.array([[np.nan, 1], [2, np.nan]], np.float32)
    assert_matches(EXACT, run(lambda x: x.max(1), x), f32(np.nan, np.nan))
    many = np.full(61, np.nan, np.float32)
    many[3:6] = 1
    assert_matches(EXACT, run(mnp.argmax, many), np.int64(0))
    assert_matches(EXACT, run(lambda x: x[3:].argmax(), many), np.int64(3))


def test_attention_where_everything_is_masked():
    q, k = RNG.standard_normal((2, 3, 4)).astype(np.float32), RNG.standard_normal((2, 5, 4)).astype(np.float32)
    got = run(lambda q, k, m: nn.attention(q, k, k, m), q, k, np.zeros((3, 5), bool))
    assert_matches(EXACT, got, np.zeros((2, 3, 4), np.float32))


def test_a_loop_without_trips_stores_nothing():
    x = f32(-58822, 1)

    def program(x, n):
        return mlc.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1].at[0].set(0.0)), (0, x))[1]

    assert_matches(EXACT, run(program, x, np.int64(0)), x)
    assert_matches(EXACT, run(program, x, np.int64(2)), f32(0, 1))


def test_nothing_in_every_dimension():
    for shape in ((0,), (3, 0), (0, 3), (0, 0), (2, 0, 4)):
        x = np.zeros(shape, np.float32)
        assert_matches(EXACT, run(lambda x: mnp.exp(x) + 1, x), x)
        assert_matches(EXACT, run(lambda x: x.sum(0), x), x.sum(0))
        assert_matches(EXACT, run(lambda x: x.T @ x if x.ndim == 2 else x, x), x.T @ x if x.ndim == 2 else x)


def test_offsets_and_strides_belong_to_the_memory():
    whole = RNG.standard_normal((6, 30)).astype(np.float32)
    q, k, v = whole[:, :10], whole[:, 10:20], whole[:, 20:]
    want = (q.astype(np.float64) @ k.T @ v).astype(np.float32)
    scale = Tolerance(ulp=64, scale=float(np.abs(want).max()))
    assert_matches(scale, run(lambda q, k, v: q @ k.T @ v, q, k, v), want)
    split = lambda x: (x[:, :10] @ x[:, 10:20].T) @ x[:, 20:]
    assert_matches(scale, run(split, whole), want)
    image = np.moveaxis(RNG.standard_normal((2, 5, 4, 3)).astype(np.float32), 1, -1)
    moved = run(lambda x: mnp.transpose(x, (0, 3, 1, 2)) + 0.5, image)
    assert_matches(EXACT, moved, np.moveaxis(image, -1, 1) + np.float32(0.5))


def test_scan_under_vmap_is_the_loop_of_each():
    x = RNG.standard_normal((5, 7)).astype(np.float32)
    step = lambda c, v: (mnp.tanh(c * 0.5 + v), c + v)
    got = run(mlc.vmap(lambda row: mlc.scan(step, row[0], row)[1]), x)
    want = np.empty_like(x)
    for i, row in enumerate(x):
        c = row[0]
        for j, v in enumerate(row):
            want[i, j] = c + v
            c = np.tanh(np.float64(c * np.float32(0.5) + v)).astype(np.float32)
    assert_matches(Tolerance(ulp=64, scale=4), got, want)


def test_one_memory_under_two_names():
    x = RNG.standard_normal(100).astype(np.float32)
    f = mlc.jit(lambda a, b: (a * 2 + b, a - b), donate=("a",))
    for a, b in ((x.copy(), x), ((same := x.copy()), same), ((y := x.copy()), y[::-1])):
        first, second = np.array(a), np.array(b)
        got = f(a, b)
        assert_matches(CLOSE, got[0], first * 2 + second)
        assert_matches(CLOSE, got[1], first - second)


def test_shape_of_a_convolution_with_strides_and_padding_on_one_side():
    x, w = RNG.standard_normal((1, 7, 5, 1)).astype(np.float32), RNG.standard_normal((3, 3, 1, 1)).astype(np.float32)
    got = run(lambda x, w: nn.conv(x, w, stride=2, padding=[(1, 1), (0, 0)]), x, w)
    padded = np.pad(x[0, :, :, 0], [(1, 1), (0, 0)]).astype(np.float64)
    want = [[(padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * w[:, :, 0, 0]).sum() for j in range(2)] for i in range(4)]
    assert_matches(Tolerance(ulp=32, scale=8), got, np.array(want, np.float32).reshape(1, 4, 2, 1))


def test_negative_strides_of_nothing():
    x = np.zeros((0, 4), np.float32)[::-1, ::-1]
    assert_matches(EXACT, run(lambda x: x + 1, x), np.zeros((0, 4), np.float32))


def test_reversed_repetition_of_any_size():
    exe = mlc.compile(lambda x: mnp.flip(mnp.reshape(mnp.stack([x, x], 1), (-1,)), 0) + 0.0, mlc.spec(("n",)))
    for n in (1, 7, 33):
        x = RNG.standard_normal(n).astype(np.float32)
        assert_matches(EXACT, exe(x), np.repeat(x, 2)[::-1] + np.float32(0))


def test_derivatives_at_far_places():
    x = np.float64(1023.5)
    got = run(mlc.grad(mnp.exp2), x)
    assert_matches(CLOSE, got, np.float64(np.log(2) * 2.0**1023.5))
    x = f32(1e-30, -80)
    assert_matches(CLOSE, run(mlc.grad(lambda v: nn.sigmoid(v).sum()), x), f32(0.25, np.exp(-80.0)))
