"""The short way of jitted functions: taken for arguments like those before, and for no others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.frontend import jit as module
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Y = np.full((2, 3), 10, np.float32)


@pytest.fixture(autouse=True, scope="module")
def plain() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        yield


def warm(fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
    f = mlc.jit(fn, **options)
    for _ in range(module.HOT):
        f(*args)
    assert len(f._short) == 1
    return f


def short_only(f: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a call on the long way fails."""
    monkeypatch.setattr(f, "_entry", None)


class Pair(NamedTuple):
    a: Any
    b: Any


TREES = {
    "arrays": ((X, Y), lambda x, y: x + y),
    "a dict": (({"b": X, "a": Y},), lambda d: d["a"] - d["b"]),
    "one key": (({"b": X},), lambda d: d["b"] + 1),
    "nested": (([X, {"k": (Y, X)}, None], Y), lambda t, y: t[0] + t[1]["k"][0] * 2 - t[1]["k"][1] * y),
    "empty nodes": (({}, X, [], ()), lambda d, x, a, b: x + 1),
    "a tuple out": ((X, Y), lambda x, y: (x + y, x - y)),
    "a list out": ((X,), lambda x: [x + 1]),
    "a tuple of one out": ((X,), lambda x: (x + 1,)),
    "a dict out": (({"p": X}, Y), lambda d, y: {"z": d["p"] + y, "a": y * 2}),
    "a tree out": ((X, Y), lambda x, y: Pair({"s": x + y}, [None, (x * y,)])),
}


def flat(tree: Any) -> list[Any]:
    return module.flatten(tree)[0]


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    args, fn = TREES[name]
    f = warm(fn, *args)
    hits = f.hits
    short_only(f, monkeypatch)
    got, want = f(*args), fn(*args)
    assert module.flatten(got)[1] == module.flatten(want)[1]
    for a, b in zip(flat(got), flat(want), strict=True):
        assert_matches(EXACT, a, b)
    assert f.hits == hits + 1


def test_the_order_of_keys_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    f = warm(lambda d: d["a"] - d["b"], {"a": X, "b": Y})
    short_only(f, monkeypatch)
    assert_matches(EXACT, f({"b": Y, "a": X}), X - Y)


@pytest.mark.parametrize(
    "tree",
    [
        {"a": X},
        {"a": X, "c": Y},
        {"a": X, "b": Y, "c": Y},
        {"a": X, "b": [Y]},
        OrderedDict(a=X, b=Y),
        {"a": X, "b": 2.0},
        {"a": X, "b": None},
        {"a": X, "b": Y.astype(np.float64)},
        {"a": X[:1], "b": Y},
        [X, Y],
    ],
)
def test_other_trees_take_the_long_way(tree: Any) -> None:
    def fn(d: Any) -> Any:
        return sum(mnp.asarray(x).sum() for x in flat(d))

    f = warm(fn, {"a": X, "b": Y})
    assert f._short[0]((tree,)) is NotImplemented
    want = sum(np.asarray(x, np.float64).sum() for x in flat(tree))
    assert float(f(tree)) == want and len(f.entries) == 2


def test_other_counts_and_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    f = warm(lambda x, y=1.0: x * y, X, Y)
    assert_matches(EXACT, f(X), X)
    assert_matches(EXACT, f(X, 2), X * 2)
    assert_matches(EXACT, f(X, y=Y), X * Y)
    with pytest.raises(TypeError):
        f()
    g = warm(lambda t: t[0] + t[1], [X, Y])
    assert g._short[0](((X, Y),)) is NotImplemented
    assert_matches(EXACT, g((X, Y)), X + Y)


def test_columns_are_another_program() -> None:
    f = warm(lambda x, y: x + y, X, Y)
    column, gap = np.asfortranarray(X), np.zeros((4, 6), np.float32)[::2, ::2]
    for _ in range(module.HOT + 1):
        assert_matches(EXACT, f(column, Y), X + Y)
        assert_matches(EXACT, f(gap, Y), Y)
        assert_matches(EXACT, f(X, Y), X + Y)
    assert len(f.entries) == 3 and f.copies > 0


def test_static_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    def fn(x: Any, n: Any, y: Any) -> Any:
        return x * n + y if n else x - y

    f = warm(fn, X, 3, Y, static=(1,))
    for n in (True, 3.0, 2, 0, None, "3"):
        assert f._short[0]((X, n, Y)) is NotImplemented
    assert_matches(EXACT, f(X, 0, Y), X - Y)
    assert_matches(EXACT, f(X, 2, Y), X * 2 + Y)
    short_only(f, monkeypatch)
    assert_matches(EXACT, f(X, 3, Y), X * 3 + Y)
    with pytest.raises(TypeError):
        f(X, 2, Y)


def test_static_objects_stay_with_the_dictionary() -> None:
    f = mlc.jit(lambda x, n: x + n[0], static=(1,))
    for _ in range(module.HOT + 1):
        assert_matches(EXACT, f(X, (1,)), X + 1)
    assert f._short == ()


def test_donated_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    f = warm(lambda p, g: {"p": p["w"] - g, "n": g.sum()}, {"w": X.copy()}, Y, donate=(0,))
    short_only(f, monkeypatch)
    p = {"w": X.copy()}
    assert f(p, Y)["p"] is p["w"]
    assert_matches(EXACT, p["w"], X - Y)


def test_inside_of_a_trace_and_at_once() -> None:
    f = warm(lambda x: x + 1, X)
    hits = f.hits
    assert_matches(EXACT, mlc.jit(lambda x: f(x) * f(X))(X), (X + 1) * (X + 1))
    with mlc.eager():
        assert_matches(EXACT, np.asarray(f(X)), X + 1)
    assert f.hits == hits


def test_several_programs_of_one_function() -> None:
    f = mlc.jit(lambda x: x + 1)
    arrays = [np.zeros(n, np.float32) for n in range(1, 8)]
    for _ in range(300):
        for x in arrays:
            assert f(x)[0] == 1 and f(x).shape == x.shape
    assert len(f._short) == module.MOST_SHORT
    assert f.cache_info().hits == 300 * 14 - 7 and f.cache_info().misses == 7


def test_poisoned_programs_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_POISON", "1")
    f = mlc.jit(lambda x: x + 2)
    for _ in range(module.HOT + 1):
        assert_matches(EXACT, f(X), X + 2)
    assert f._short == ()


def test_threads() -> None:
    f = mlc.jit(lambda d, y: {"s": d["x"] + y})
    failures: list[int] = []

    def work(k: int) -> None:
        x = np.full((k + 1, 3), k, np.float32)
        y = np.ones_like(x)
        for _ in range(200):
            if not np.array_equal(f({"x": x}, y)["s"], x + 1):
                failures.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
