"""Random numbers: the published vectors, JAX's bits, distributions, and the same bits however they are computed."""

from __future__ import annotations

import math

import mlc
import numpy as np
import pytest
from mlc import random as R
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.dialects.nd.threefry import words
from mlc.runtime.matching import assert_matches

VECTORS = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]
"""Key, counter and random words, from the known answers of Random123."""


@pytest.mark.parametrize(("key", "counter", "want"), VECTORS)
@pytest.mark.parametrize("count", [1, 7, 64])
def test_known_answers(key, counter, want, count):
    args = [np.full(count, x, np.uint32) for x in (*key, *counter)]
    first, second, mixed = mlc.jit(
        lambda k0, k1, c0, c1: tuple(words(w, (k0, k1), (c0, c1)) for w in ("first", "second", "mixed"))
    )(*args)
    for got, x in ((first, want[0]), (second, want[1]), (mixed, want[0] ^ want[1])):
        assert_matches(EXACT, got, np.full(count, x, np.uint32))


def test_the_numbers_are_those_of_jax():
    """Printed by jax.random of JAX 0.5 and later for jax.random.key(42)."""
    key = R.key(42)
    want = [-0.02830462, 0.46713185, 0.29570296, 0.15354592, -0.12403282]
    assert_matches(Tolerance(ulp=8), R.normal(key, (5,)), np.array(want, np.float32))
    assert_matches(EXACT, R.split(key), np.array([[1832780943, 270669613], [64467757, 2916123636]], np.uint32))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_bits_do_not_depend_on_the_shape_of_the_program(dtype):
    key = R.key(7)
    whole = R.bits(key, (6, 35), dtype)
    assert whole.dtype == dtype
    assert_matches(EXACT, R.bits(key, (210,), dtype).reshape(6, 35), whole)
    inner = mlc.jit(lambda k: R.bits(k, (6, 35), dtype).T + 0)(key)
    assert_matches(EXACT, inner, np.ascontiguousarray(whole.T))
    with mlc.eager():
        assert_matches(EXACT, np.asarray(R.bits(key, (6, 35), dtype)), whole)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_uniform(dtype):
    x = R.uniform(R.key(1), (40_000,), dtype, -2.0, 3.0)
    assert x.dtype.name == dtype
    v = x.astype(np.float64)
    assert v.min() >= -2 and v.max() <= 3 and abs(v.mean() - 0.5) < 0.03 and abs(v.var() - 25 / 12) < 0.05


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_normal(dtype):
    v = R.normal(R.key(2), (40_000,), dtype).astype(np.float64)
    assert np.isfinite(v).all() and abs(v.mean()) < 0.03 and abs(v.std() - 1) < 0.02 and abs((v**4).mean() - 3) < 0.15


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 4e-16), ("float32", 2e-7)])
def test_erf_inv(dtype, bound):
    x = np.concatenate([np.linspace(-0.9999, 0.9999, 999), [-1 + 1e-7, 1e-30]]).astype(dtype)
    y = mlc.jit(F.erf_inv)(x).astype(np.float64)
    assert max(abs(math.erf(b) - a) for a, b in zip(x.astype(np.float64), y, strict=True)) < bound


def test_other_distributions():
    key = R.key(3)
    hits = R.bernoulli(key, 0.25, (40_000,))
    assert hits.dtype == bool and abs(hits.mean() - 0.25) < 0.01
    r = R.randint(key, (40_000,), -2, 5, "int32")
    assert r.dtype == np.int32 and sorted(set(r.tolist())) == list(range(-2, 5))
    assert np.abs(np.bincount(r + 2) / 40_000 - 1 / 7).max() < 0.01
    assert abs(R.exponential(key, (40_000,)).mean() - 1) < 0.03
    assert abs(R.gumbel(key, (40_000,)).mean() - 0.5772) < 0.03
    logits = np.broadcast_to(np.log(np.array([0.5, 0.2, 0.3], np.float32)), (40_000, 3))
    assert np.abs(np.bincount(R.categorical(key, logits)) / 40_000 - [0.5, 0.2, 0.3]).max() < 0.01


def test_permutations():
    key = R.key(4)
    p = R.permutation(key, 1000)
    assert sorted(p.tolist()) == list(range(1000)) and (p != np.arange(1000)).any()
    x = np.arange(60).reshape(5, 12)
    assert_matches(EXACT, R.permutation(key, x), x[R.permutation(key, 5)])
    assert_matches(EXACT, R.permutation(key, x, 1), x[:, R.permutation(key, 12)])
    first = np.bincount([R.permutation(k, 3)[0] for k in R.split(key, 300)])
    assert np.abs(first / 300 - 1 / 3).max() < 0.12


def test_keys():
    key = R.key((1 << 40) + 5)
    assert key.tolist() == [256, 5] and R.key(-1).tolist() == [0xFFFFFFFF, 0xFFFFFFFF]
    keys = R.split(key, 5)
    assert len({tuple(k) for k in keys.tolist()}) == 5
    assert_matches(EXACT, R.fold_in(key, 7), mlc.jit(R.fold_in)(key, np.int64(7)))
    assert (R.fold_in(key, 7) != R.fold_in(key, 8)).any()


def test_vmap_over_keys_is_stacking():
    keys = R.split(R.key(5), 4)
    draw = lambda k: R.normal(k, (3, 2))
    got = mlc.jit(mlc.vmap(draw))(keys)
    assert_matches(EXACT, got, np.stack([R.normal(k, (3, 2)) for k in keys]))


def test_symbolic_sizes():
    exe = mlc.compile(lambda k, x: R.bits(k, x.shape) + 0, mlc.spec((2,), "uint32"), mlc.spec(("n", "m")))
    key = R.key(6)
    for shape in ((3, 5), (0, 4), (1, 1)):
        assert_matches(EXACT, exe(key, np.zeros(shape, np.float32)), R.bits(key, shape))


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda: R.key(0.5), "expected an int as seed, found 0.5"),
        (lambda: R.normal(np.zeros(2, np.float32), (3,)), r"expected a key, uint32\[2\], found tensor<2xf32>"),
        (lambda: R.normal(R.key(0), (3,), "int32"), "random.normal: expected a float type, found int32"),
        (lambda: R.bits(R.key(0), (3,), "int32"), "expected an unsigned integer type, found int32"),
        (lambda: R.randint(R.key(0), (3,), 5, 5), "expected an integer type and low < high"),
        (lambda: R.fold_in(R.key(0), 0.5), "expected one whole number"),
    ],
)
def test_errors(fn, message):
    with pytest.raises(mlc.CompileError, match=message):
        fn()


def test_the_same_bits_at_every_width_and_number_of_threads(shared_work: None):
    def draw(k):
        keys = R.split(k, 4)
        return (
            R.bits(keys[0], (1003,), "uint64"),
            R.uniform(keys[1], (1003,), "float32", -1.5, 2.5),
            R.normal(keys[2], (1003,)),
            R.normal(keys[2], (1003,), "float64"),
            R.bernoulli(keys[3], 0.3, (1003,)),
            R.permutation(keys[3], 1003),
        )

    first: list[np.ndarray] = []
    for width, threads in ((64, 1), (64, 2), (32, 1), (32, 2), (16, 1), (16, 2)):
        exe = mlc.compile(draw, mlc.spec((2,), "uint32"), vector_bytes=width, threads=threads)
        found = exe(R.key(9))
        first = first or list(found)
        for got, want in zip(found, first, strict=True):
            assert_matches(EXACT, got, want)
