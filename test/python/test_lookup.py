"""NumPy's indexing and JAX's updates, against NumPy."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=16, sums=16)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5, 6)).astype(np.float32)
ROWS, J = np.array([[3, 0, -1], [1, 1, -4]]), np.array([2, -4, 3])
K = np.array(2, np.int32)

KEYS: list[Any] = [
    (ROWS,),
    (slice(None), ROWS),
    (ROWS, J),
    (ROWS, slice(None), J),
    (slice(1, 3), J),
    (J, 1),
    (1, J),
    (1, slice(None), J),
    (None, ROWS, None, J[:, None][:1]),
    (..., J),
    (K,),
    (K, slice(None), K),
    (slice(None, None, -1), K, slice(1, None, 2)),
    ([3, 1],),
    (np.zeros((0,), np.int64),),
    (np.zeros((2, 0), np.int32), slice(2), ROWS[:, :1]),
]
IDS = [str(k).replace("\n", "") for k in KEYS]


def run(f: Any, *args: Any) -> Any:
    with mlc.eager():
        return np.asarray(f(*map(mnp.array, args)))


@pytest.mark.parametrize("key", KEYS, ids=IDS)
@pytest.mark.parametrize("traced", [False, True])
def test_reads_as_numpy(key: Any, traced: bool) -> None:
    want = X[key]

    def f(x: Any) -> Any:
        return x[tuple(mnp.array(k) if traced and isinstance(k, np.ndarray) else k for k in key)]

    assert_matches(EXACT, run(f, X), want)


WRITES: list[Any] = [
    *KEYS,
    (slice(None),),
    (2,),
    (-1, slice(1, 4)),
    (slice(None, None, 2), slice(None, None, -2)),
    (slice(1, 1),),
    (None, 1, ..., 2),
]


@pytest.mark.parametrize("key", WRITES, ids=str)
@pytest.mark.parametrize("kind", ["set", "add", "multiply", "max", "min"])
def test_writes_as_numpy(key: Any, kind: str) -> None:
    u = RNG.standard_normal(X[key].shape).astype(np.float32)
    want = X.copy()
    ufunc = {"add": np.add, "multiply": np.multiply, "max": np.maximum, "min": np.minimum}
    if kind == "set":
        want[key] = u
    else:
        ufunc[kind].at(want, key, u)
    got = run(lambda x, v: getattr(x.at[key], kind)(v), X, u)
    assert_matches(NEAR, got, want)
    scalar = run(lambda x: getattr(x.at[key], kind)(2), X)
    assert scalar.shape == X.shape


def test_get_is_reading() -> None:
    assert_matches(EXACT, run(lambda x: x.at[ROWS, 1].get(), X), X[ROWS, 1])
    assert_matches(EXACT, run(lambda x: x.at[1:3].get(), X), X[1:3])


def test_modes() -> None:
    i = np.array([-9, -2, 0, 3, 4, 9])
    x = np.arange(4.0)
    take = lambda mode: run(lambda v, k: mnp.take(v, k, 0, mode), x, i).tolist()
    assert take(None) == [0, 2, 0, 3, 3, 3]
    assert take("clip") == np.take(x, i, mode="clip").tolist()
    assert take("wrap") == np.take(x, i, mode="wrap").tolist()
    assert take("fill") == [0, 2, 0, 3, 0, 0]
    put = lambda mode: run(lambda v, k: v.at[k].add(1.0, mode), x, i).tolist()
    assert put(None) == put("drop") == [1, 1, 3, 4]
    assert put("clip") == [2, 1, 3, 6]
    assert put("wrap") == (x + np.bincount(i % 4, minlength=4)).tolist()
    with pytest.raises(CompileError, match="expected a mode of"):
        take("raise")


def test_take() -> None:
    for axis in (0, 1, -1, None):
        for i in (ROWS, J, 1, np.array(2)):
            k = np.abs(i) % 4
            assert_matches(EXACT, run(lambda x, i, a=axis: mnp.take(x, i, a), X, k), np.take(X, k, axis))
    with pytest.raises(CompileError, match="expected positions from -4 to 3, found 4"):
        run(lambda x: mnp.take(x, np.array([0, 4]), 0), X)
    with pytest.raises(CompileError, match="expected an axis"):
        run(lambda x: mnp.take(x, J, 3), X)


def test_along_axis() -> None:
    i = np.argsort(X, 1)
    for f in (lambda a: a, lambda a: a[:, :2], lambda a: a[:1, :3], lambda a: a[:, :2, :1]):
        want = np.take_along_axis(X, f(i), 1)
        assert_matches(EXACT, run(lambda x, k: mnp.take_along_axis(x, k, 1), X, f(i)), want)
        out = X.copy()
        np.put_along_axis(out, f(i), 7, 1)
        assert_matches(EXACT, run(lambda x, k: mnp.put_along_axis(x, k, 7, 1), X, f(i)), out)
    ones = X[:1, :, :1]
    want = np.take_along_axis(ones, i, 1)
    assert_matches(EXACT, run(lambda x, k: mnp.take_along_axis(x, k, 1), ones, i), want)
    with pytest.raises(CompileError, match="expected positions of rank 3"):
        run(lambda x, k: mnp.take_along_axis(x, k, 1), X, J)
    with pytest.raises(CompileError, match="expected size 4 or 1 in dimension 0"):
        run(lambda x, k: mnp.take_along_axis(x, k, 1), X, i[:2])


def test_slices() -> None:
    for starts in ([0, 1, 2], [-3, 99, 1]):
        at = np.clip(starts, 0, np.array(X.shape) - (2, 3, 6))
        where = tuple(slice(a, a + n) for a, n in zip(at, (2, 3, 6), strict=True))
        got = run(lambda x, s: mnp.dynamic_slice(x, s, (2, 3, 6)), X, np.array(starts))
        assert_matches(EXACT, got, X[where])
        want = X.copy()
        want[where] = 1
        u = np.ones((2, 3, 6), np.float32)
        got = run(lambda x, v, s, t=starts: mnp.dynamic_update_slice(x, v, [s, *t[1:]]), X, u, starts[0])
        assert_matches(EXACT, got, want)
    with pytest.raises(CompileError, match="expected 3 starts"):
        run(lambda x: mnp.dynamic_slice(x, [1], (1, 1, 1)), X)
    with pytest.raises(CompileError, match=r"use mlc\.numpy\.dynamic_slice"):
        run(mlc.jit(lambda a, b: a[b:]), X, K)


def test_counting_and_searching() -> None:
    n = np.array([3, 1, 1, 0, 9, -1])
    assert run(lambda x: mnp.bincount(x, 4), n).tolist() == [1, 2, 0, 1]
    w = np.arange(6.0)
    assert run(lambda x, v: mnp.bincount(x, 4, v), n, w).tolist() == [3, 3, 0, 0]
    for size in (0, 1, 2, 3, 7, 8, 100):
        a = np.sort(RNG.integers(0, 20, size)).astype(np.float64)
        if size > 3:
            a[-2:] = np.nan
        v = np.array([[-1.0, 0, 3, 5.5], [19, 20, 7, np.nan]])
        for side in ("left", "right"):
            want = np.searchsorted(a, v, side)
            assert_matches(EXACT, run(lambda a, v, s=side: mnp.searchsorted(a, v, s), a, v), want)


def test_masks_and_floats_are_refused() -> None:
    for f in (lambda x: x[x > 0], lambda x: x.at[x > 0].set(1), lambda x: mnp.take(x, x > 0)):
        with pytest.raises(CompileError, match=r"found a mask.*use mlc.numpy.where"):
            mlc.jit(f)(X)
    with pytest.raises(CompileError, match="expected positions as integers"):
        run(lambda x: x[x], X)
    with pytest.raises(CompileError, match="nonzero"):
        mlc.jit(mnp.nonzero)(X)
    with pytest.raises(CompileError, match="expected shapes that broadcast"):
        run(lambda x: x.at[J].set(np.zeros(7, np.float32)), X)


def test_embedding() -> None:
    table = X[0]
    assert_matches(EXACT, run(mlc.nn.embedding, ROWS, table), table[ROWS])
