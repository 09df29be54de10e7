"""Tracing: structures of arguments, names, and errors that name the user's line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.frontend.pytree import flatten, tree_map, unflatten
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.printing import print_ir

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@dataclass(frozen=True)
class Layer:
    weight: Any
    bias: Any


class Pair(NamedTuple):
    first: Any
    second: Any


TREES = [
    1.0,
    None,
    {"b": 1, "a": [2, 3]},
    (1, (2, None), [3]),
    Layer(1, None),
    Pair({"x": 1}, Layer(2, (3,))),
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_trees_come_back(tree: Any) -> None:
    leaves, structure = flatten(tree)
    assert unflatten(structure, leaves) == tree
    assert len(structure.paths()) == len(leaves)
    assert hash(structure) == hash(flatten(tree)[1])


def test_trees_of_other_structure_are_refused() -> None:
    with pytest.raises(mlc.CompileError, match="one structure"):
        tree_map(lambda a, b: a, {"a": 1}, {"b": 1})


def test_arguments_are_named_by_their_path() -> None:
    module = trace(lambda p, xs: p["w"] + xs[0], [{"w": X}, [X]], "f").module
    assert "func.func @f(%p_w: tensor<2x3xf32>, %xs0: tensor<2x3xf32>)" in print_ir(module)


def test_every_op_has_the_users_line() -> None:
    def model(x: Any) -> Any:
        y = x * 2
        return mnp.tanh(y).sum()

    first = inspect.getsourcelines(model)[1]
    text = print_ir(trace(model, [X]).module, locations=True)
    lines = [line for line in text.splitlines() if " nd." in line]
    assert lines and all(f'test_tracing.py":{first + 1}:' in x or f'test_tracing.py":{first + 2}:' in x for x in lines)


def truth(x: Any) -> Any:
    return x if x.sum() > 0 else -x


def number(x: Any) -> Any:
    return x * float(x.sum())


def to_numpy(x: Any) -> Any:
    return np.asarray(x) + 1


def ufunc(x: Any) -> Any:
    return np.exp(x)


def shapes(x: Any) -> Any:
    return x + mnp.zeros((7,))


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (truth, "truth of a traced value of type tensor<i1>.*mlc.numpy.where"),
        (number, "value of a traced value.*static argument"),
        (to_numpy, "value of a traced value.*mlc.numpy"),
        (ufunc, "numpy.exp cannot take a traced value.*mlc.numpy.exp"),
        (shapes, r"expected .*found .*7"),
    ],
)
def test_misuse_names_the_line_and_the_way(fn: Callable[..., Any], message: str) -> None:
    line = inspect.getsourcelines(fn)[1] + 1
    with pytest.raises(mlc.CompileError, match=message) as caught:
        mlc.jit(fn)(X)
    assert f"test_tracing.py:{line}:" in str(caught.value)
    assert "^" in str(caught.value)


def test_a_leaked_value_is_refused_where_it_is_used() -> None:
    kept: list[Any] = []

    def leak(x: Any) -> Any:
        kept.append(x * 2)
        return x

    def use(x: Any) -> Any:
        return x + kept[0]

    mlc.jit(leak)(X)
    with pytest.raises(mlc.CompileError, match="outside of the trace that made it; return it") as caught:
        mlc.jit(use)(X)
    assert f"test_tracing.py:{inspect.getsourcelines(use)[1] + 1}:" in str(caught.value)


def test_a_shape_error_deep_in_a_model_names_the_users_line() -> None:
    def layer(x: Any, w: Any) -> Any:
        return mnp.tanh(x @ w)

    def model(ws: list[Any], x: Any) -> Any:
        for w in ws:
            x = layer(x, w)
        return x.sum()

    ws = [np.ones((3, 4), np.float32), np.ones((5, 4), np.float32)]
    with pytest.raises(mlc.CompileError, match=r"expected .*4.*found 5|expected .*5.*found 4") as caught:
        mlc.jit(mlc.grad(model))(ws, X)
    assert f"test_tracing.py:{inspect.getsourcelines(layer)[1] + 1}:" in str(caught.value)


def test_other_arguments_are_refused() -> None:
    with pytest.raises(mlc.CompileError, match="expected an array, a number or a spec"):
        mlc.jit(lambda x: x)("text")
    with pytest.raises(mlc.CompileError, match="found datetime64"):
        mlc.jit(lambda x: x)(np.zeros(3, "M8[s]"))


def test_names_of_other_alphabets_are_legal() -> None:
    f = mlc.jit(lambda ä, λ1, xé: ä + λ1["ключ"] * xé)
    assert np.array_equal(f(X, {"ключ": X}, X), X + X * X)
    spec = mlc.spec((2,))
    assert "(%arg0: tensor<2xf32>, %arg1: tensor<2xf32>, %x: tensor<2xf32>)" in f.lower(spec, {"ключ": spec}, spec)
