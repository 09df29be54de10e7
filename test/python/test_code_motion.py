"""Code that moves out of regions: what it computes stays, where it came from too, and effects happen as before."""

from __future__ import annotations

from typing import Any

import mlc
import numpy as np
import pytest
from graph_cases import apply
from mlc import numpy as xp
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.modules import parse
from mlc.dialects.nd.contraction import Contract
from mlc.dialects.nd.control import Control, Scan
from mlc.dialects.nd.movement import Transpose
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import FileLineColLoc, FusedLoc, ModuleOp

RNG = np.random.default_rng(3)
W, X = (RNG.standard_normal((5, 5)).astype(np.float32) for _ in range(2))
P = np.array(True)


def both_branches(p: Any, x: Any, w: Any) -> Any:
    return mlc.cond(p, lambda x, w: xp.tanh(x @ w), lambda x, w: x - x @ w, x, w)


def one_before(p: Any, x: Any, w: Any) -> Any:
    return x @ w + mlc.cond(p, lambda x, w: xp.exp(-xp.abs(x @ w)), lambda x, w: x * 2.0, x, w)


def in_loop(p: Any, x: Any, w: Any) -> Any:
    def step(c: Any, _: Any) -> Any:
        inner = mlc.scan(lambda d, _: (xp.tanh(d @ w.T), None), w, None, length=3)[0]
        return mlc.cond(p, lambda c, u: c @ u, lambda c, u: c - u.T @ u, c, inner) * 0.1, None

    return mlc.scan(step, x, None, length=4)[0]


def in_condition(p: Any, x: Any, w: Any) -> Any:
    return mlc.while_loop(lambda c: xp.sum(c * c) < xp.sum(xp.exp(-w * w)), lambda c: c * 2.0 + w @ w.T, x * 1e-3)


PROGRAMS = (both_branches, one_before, in_loop, in_condition)


def inside(module: ModuleOp, kind: type) -> int:
    """How many ops of a class stand in regions of control flow."""
    return sum(isinstance(op, kind) and isinstance(op.parent_op(), Control) for op in module.walk())


@pytest.mark.parametrize("fn", PROGRAMS, ids=[f.__name__ for f in PROGRAMS])
@pytest.mark.parametrize("taken", [True, False])
def test_values_stay(fn: Any, taken: bool):
    args = [np.array(taken), X, W]
    module = trace(fn, args).module
    name = fn.__name__
    want = Interpreter(module).call(name, *args)
    tolerance = program_tolerance(module, args, name)
    before = inside(module, Contract) + inside(module, Scan)
    apply(module, "canonicalize")
    assert inside(module, Contract) + inside(module, Scan) < before
    for got, expected in zip(Interpreter(module).call(name, *args), want, strict=True):
        assert_matches(tolerance, got, expected)


def test_a_second_run_changes_nothing():
    for fn in PROGRAMS:
        module = apply(trace(fn, [P, X, W]).module, "canonicalize")
        text = str(module)
        assert str(apply(module, "canonicalize")) == text


def lines(location: Any) -> set[int]:
    parts = location.locations.data if isinstance(location, FusedLoc) else (location,)
    return {p.line.data for p in parts if isinstance(p, FileLineColLoc)}


def test_what_moves_keeps_its_place_and_name():
    module = apply(
        parse("""func.func @main(%x: tensor<4xf32>, %w: tensor<4x4xf32>) -> tensor<4xf32> {
  %r = nd.scan 8 (%v = %w) carry (%c = %x) -> (tensor<4xf32>) {
    %square = nd.contract %v, %v "a b, b c -> a c" : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %d = nd.contract %square, %c "a b, b -> a" : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4xf32>
    nd.yield %d : tensor<4xf32>
  }
  func.return %r : tensor<4xf32>
}"""),
        "canonicalize",
    )
    moved = next(op for op in module.walk() if isinstance(op, Contract))
    assert not isinstance(moved.parent_op(), Control)
    assert moved.result.name_hint == "square" and lines(moved.location) == {3}


def test_movement_alone_stays():
    def turned(x: Any, w: Any) -> Any:
        return mlc.scan(lambda c, _: (c @ w.T + c.T, None), x, None, length=3)[0]

    module = trace(turned, [X, W]).module
    apply(module, "canonicalize")
    assert not any(isinstance(op, Transpose) and not isinstance(op.parent_op(), Control) for op in module.walk())


def test_effects_happen_as_often(capsys: pytest.CaptureFixture[str]):
    def noisy(x: Any, w: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            mlc.debug_print("trip {}", xp.sum(w @ w))
            return c @ (w @ w), None

        return mlc.scan(step, x, None, length=3)[0]

    module = apply(trace(noisy, [X, W]).module, "canonicalize")
    assert inside(module, Contract) == 1
    Interpreter(module).call("noisy", X, W)
    assert capsys.readouterr().out.count("trip") == 3
