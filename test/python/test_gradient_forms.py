"""What gradients look like after canonicalize: the lecture's forms, exactly."""

from __future__ import annotations

from typing import Any

import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler.transforms.canonicalize import canonicalize
from mlc.compiler.transforms.vjp import grad_function
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.op import building, here, insert
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import Tolerance, assert_matches
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, ModuleOp, StringAttr, UnknownLoc, f64, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

b = symbol("b")
LOGITS, LABELS = tensor((5, 7), f64), tensor((5,), i64)


def function(fn: Any, *types: Any) -> FuncOp:
    block = Block(arg_types=types)
    with building(block, FileLineColLoc(StringAttr("program"), IntAttr(1), IntAttr(1))):
        found = fn(*map(Array, block.args))
        values = [v.value for v in (found if isinstance(found, tuple) else (found,))]
        insert(ReturnOp.create(operands=values, location=here()))
    return FuncOp("main", (list(block.arg_types), [v.type for v in values]), Region(block))


def gradient(fn: Any, *types: Any, wrt: tuple[int, ...] = (0,)) -> ModuleOp:
    """d fn / d its arguments wrt, canonicalized; agrees with finite differences where the test runs it."""
    grad = grad_function(function(fn, *types), "main", list(wrt), value=False)
    module = ModuleOp([grad])
    module.verify()
    canonicalize(grad.body.block)
    module.verify()
    assert not [op.name for op in grad.body.block.ops if isinstance(op.location, UnknownLoc)]
    return module


def ops(module: ModuleOp) -> list[str]:
    func = module.body.block.first_op
    assert isinstance(func, FuncOp)
    return [op.name.removeprefix("nd.") for op in func.body.block.ops][:-1]


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


NEAR = Tolerance(ulp=64, scale=1)
X = np.random.default_rng(0).normal(size=(5, 7))
I = np.random.default_rng(1).integers(0, 7, 5)  # noqa: E741


@pytest.mark.parametrize("rows", [5, b])
def test_integer_labels(rows: Any) -> None:
    loss = lambda x, i: nd.cross_entropy(x, i).sum()
    module = gradient(loss, tensor((rows, 7), f64), tensor((rows,), i64))
    assert ops(module) == ["one_hot", "softmax", "sub"]
    (got,) = Interpreter(module).call("main", X, I)
    assert_matches(NEAR, got, softmax(X) - np.eye(7)[I])


def test_integer_labels_of_a_mean() -> None:
    module = gradient(lambda x, i: nd.cross_entropy(x, i).mean(), LOGITS, LABELS)
    assert sorted(ops(module)) == ["constant", "mul", "one_hot", "softmax", "sub"]
    (got,) = Interpreter(module).call("main", X, I)
    assert_matches(NEAR, got, (softmax(X) - np.eye(7)[I]) / 5)


def test_one_hot_constants() -> None:
    targets = np.eye(7)[I]
    module = gradient(lambda x: nd.cross_entropy(x, nd.constant(targets)).sum(), LOGITS)
    assert sorted(ops(module)) == ["constant", "softmax", "sub"]
    (got,) = Interpreter(module).call("main", X)
    assert_matches(NEAR, got, softmax(X) - targets)


def test_one_hot_constants_of_a_mean() -> None:
    targets = np.eye(7)[I]
    module = gradient(lambda x: nd.cross_entropy(x, nd.constant(targets)).mean(), LOGITS)
    assert sorted(ops(module)) == ["constant", "constant", "mul", "softmax", "sub"]
    (got,) = Interpreter(module).call("main", X)
    assert_matches(NEAR, got, (softmax(X) - targets) / 5)


@pytest.mark.parametrize("total", [1.0, 2.0])
def test_any_targets(total: float) -> None:
    """softmax(x) * sum(t) - t."""
    module = gradient(lambda x, t: nd.cross_entropy(x, t).sum(), LOGITS, LOGITS)
    assert sorted(ops(module)) == ["broadcast", "mul", "reduce", "softmax", "sub"]
    t = np.random.default_rng(2).random((5, 7))
    t *= total / t.sum(-1, keepdims=True)
    (got,) = Interpreter(module).call("main", X, t)
    assert_matches(NEAR, got, softmax(X) * total - t)


def test_through_a_layer() -> None:
    """The loss of tanh(x @ w): the backward part is what a person would write."""
    loss = lambda w, x, i: nd.cross_entropy(nd.tanh(x @ w), i).sum()
    module = gradient(loss, tensor((8, 7), f64), tensor((b, 8), f64), tensor((b,), i64))
    forward = ["contract", "tanh"]
    assert sorted(ops(module)) == sorted(
        [*forward, "one_hot", "softmax", "sub", "mul", "constant", "sub", "mul", "contract"]
    )


def perceptron(w1: Array, w2: Array, x: Array, y: Array) -> Array:
    return nd.mse(nd.relu(x @ w1) @ w2, y)


MLP = (tensor((3, 4), f64), tensor((4, 2), f64), tensor((5, 3), f64), tensor((5, 2), f64))


def test_mse_step_is_one_program() -> None:
    """MSE(w2 relu(w1 x), y) with its SGD update: one function, every op counted."""
    grad = grad_function(function(perceptron, *MLP), "main", [0, 1], value=True)
    block = grad.body.block
    last = block.last_op
    assert last is not None
    loss, *gradients = last.operands
    last.detach()
    with building(block, last.location):
        new = [Array(w) - Array(g) * 0.1 for w, g in zip(block.args, gradients)]
        values = [loss, *(v.value for v in new)]
        insert(ReturnOp.create(operands=values, location=here()))
    last.drop_all_references()
    step = FuncOp("main", (list(block.arg_types), [v.type for v in values]), grad.body.clone())
    module = ModuleOp([step])
    canonicalize(step.body.block)
    module.verify()
    counts = {name: ops(module).count(name) for name in ops(module)}
    # x w1, relu(.), (.) w2; e = (.) - y, mean e e; 2 e / n; two gradients, the way back and its mask; two updates
    assert counts.pop("constant") == 4
    assert counts == {"contract": 5, "relu": 1, "sub": 3, "mul": 4, "mean": 1, "compare": 1, "select": 1}
    rng = np.random.default_rng(3)
    args = [rng.normal(size=t.get_shape()) for t in MLP]
    got = Interpreter(module).call("main", *args)
    w1, w2, x, y = args
    h = np.maximum(x @ w1, 0)
    e = h @ w2 - y
    d = 2 * e / e.size
    want = [np.mean(e * e), w1 - 0.1 * (x.T @ (d @ w2.T * (x @ w1 > 0))), w2 - 0.1 * (h.T @ d)]
    for g, w in zip(got, want, strict=True):
        assert_matches(NEAR, g, np.asarray(w))
