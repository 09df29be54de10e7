"""`rematerialize`: the same results in less memory; cuts against all cuts; what is never computed twice."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from mlc.compiler.blocks import entry
from mlc.compiler.driver import run
from mlc.compiler.frontend.pytree import flatten
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.machine import Machine
from mlc.compiler.parsing import parse_module
from mlc.compiler.pipelines import KERNELS, ND, specs
from mlc.compiler.printing import print_ir
from mlc.compiler.registry import build
from mlc.compiler.transforms.remat.max_flow import UNBOUNDED, Network
from mlc.compiler.transforms.remat.schedule import schedule_of
from mlc.compiler.transforms.rematerialize import SLACK, rematerialize
from mlc.compiler.verify import verify
from mlc.dialects.graph.ops import ARENA
from mlc.dialects.nd.checkpoint import Barrier
from mlc.dialects.nd.control import Scan
from mlc.dialects.nd.effects import Print
from mlc.dialects.nd.elementwise import Exp
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import EXACT, assert_matches, program_tolerance
from op_cases import values
from test_random_programs import programs
from transformer_training import SMALL, batch_of, parameters_of, training_step
from xdsl.dialects.builtin import ModuleOp

X = np.random.default_rng(3).standard_normal((32, 32)).astype(np.float32)


def lowered(fn: Any, *args: Any) -> ModuleOp:
    """A traced function after the tensor level."""
    module = trace(fn, args, "main").module
    run(module, [build(p) for p in specs(ND)])
    return module


def arena(module: ModuleOp) -> int:
    """What a copy of the program takes, planned."""
    copy = module.clone()
    run(copy, [build(p) for p in specs(KERNELS["cpu"])])
    return entry(copy, "main").attributes[ARENA].data


def results(module: ModuleOp, *args: Any) -> list[Any]:
    return Interpreter(module).call("main", *flatten(args)[0])


@cache
def step() -> tuple[str, tuple[Any, ...], int, tuple[Any, ...]]:
    """A training step after the tensor level, its arguments, its arena and its results."""
    arguments = parameters_of(SMALL), *batch_of(SMALL)
    module = lowered(training_step(SMALL), *arguments)
    return print_ir(module), arguments, arena(module), tuple(results(module, *arguments))


def test_a_training_step_in_a_fraction_of_its_memory() -> None:
    text, arguments, whole, want = step()
    module = parse_module(text, "step.mlir")
    found = rematerialize(entry(module, "main"), whole // 2)
    verify(module)
    assert found.bytes[1] <= whole // 2 and found.seconds[1] >= found.seconds[0]
    assert arena(module) <= 1.02 * whole / 2
    for x, y in zip(results(module, *arguments), want, strict=True):
        assert_matches(EXACT, x, y)
    again = parse_module(text, "step.mlir")
    rematerialize(entry(again, "main"), whole // 2)
    assert print_ir(again) == print_ir(module)


def test_without_a_budget_it_costs_nothing() -> None:
    """What a layer norm keeps is elementwise in other things that it keeps."""
    text, arguments, whole, want = step()
    module = parse_module(text, "step.mlir")
    found = rematerialize(entry(module, "main"))
    assert found.seconds[1] <= found.seconds[0] * SLACK and found.bytes[1] < found.bytes[0]
    assert arena(module) < whole
    for x, y in zip(results(module, *arguments), want, strict=True):
        assert_matches(EXACT, x, y)


def test_enough_memory_changes_nothing() -> None:
    module = parse_module(step()[0], "step.mlir")
    rematerialize(entry(module, "main"), 1 << 40)
    assert print_ir(module) == step()[0]


@settings(derandomize=True, max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_random_programs_keep_their_results(text: str) -> None:
    """With no memory at all: whatever can be computed again is."""
    module = parse_module(text, "random.mlir")
    inputs = values(entry(module, "main").function_type.inputs.data)
    want, tolerance = Interpreter(module).call("main", *inputs), program_tolerance(module, inputs)
    rematerialize(entry(module, "main"), 0)
    verify(module)
    run(module, [build(p) for p in specs(KERNELS["cpu"])])
    for x, y in zip(Interpreter(module).call("main", *inputs), want, strict=True):
        assert_matches(tolerance if y.dtype.kind == "f" else EXACT, x, y)


def effects(x: Any) -> Any:
    """A long-lived value with effects around it, and one that a scan makes."""
    e = mnp.exp(x)
    mlc.debug_print("sum {}", e.sum())
    s = mlc.scan(lambda c, _: (c * 0.5, mnp.sin(c)), x[0], None, length=32)[1]
    y = x
    for _ in range(3):
        y = mnp.tanh(y @ x)
    return (y * e) @ s


def test_effects_stay_single_and_scans_whole(capfd: pytest.CaptureFixture[str]) -> None:
    module = lowered(effects, X)
    (want,) = results(module, X)
    rematerialize(entry(module, "main"), 0)
    ops = list(entry(module, "main").body.block.ops)
    assert sum(isinstance(op, Print) for op in ops) == 1
    assert sum(isinstance(op, Exp) for op in ops) == 2
    assert sum(isinstance(op, Scan) for op in ops) == 2
    capfd.readouterr()
    assert_matches(EXACT, results(module, X)[0], want)
    assert capfd.readouterr().out.count("sum ") == 1


def test_what_runs_again_carries_both_places() -> None:
    text = """func.func @main(%x: tensor<32x32xf32>, %w: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %e = nd.exp %x : tensor<32x32xf32>
  %0 = nd.contract %e, %w "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %1 = nd.contract %0, %w "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  %2 = nd.contract %1, %e "a b, b c -> a c" : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
  func.return %2 : tensor<32x32xf32>
}"""
    module = parse_module(text, "places.mlir")
    rematerialize(entry(module, "main"), 8192)
    first, again = (op for op in entry(module, "main").body.block.ops if isinstance(op, Exp))
    assert again.result.name_hint == first.result.name_hint == "e"
    assert '"places.mlir":2:3' in str(again.location) and '"places.mlir":5:3' in str(again.location)
    assert isinstance(again.x.owner, Barrier)


def test_symbolic_sizes_count_as_typical_ones() -> None:
    def f(x: Any, w: Any) -> Any:
        e = mnp.exp(x)
        y = e
        for _ in range(3):
            y = y @ w
        return y * e

    module = lowered(f, mlc.spec(("n", 32)), mlc.spec((32, 32)))
    sizes = [schedule_of(entry(module, "main"), Machine.host()).peak()]
    rematerialize(entry(module, "main"), 2 * 1000 * 32 * 4)
    sizes.append(schedule_of(entry(module, "main"), Machine.host()).peak())
    assert sizes == [3 * 1000 * 32 * 4, 2 * 1000 * 32 * 4]
    x, w = X[:5], X
    assert_matches(EXACT, results(module, x, w)[0], results(lowered(f, x, w), x, w)[0])


def test_cuts_are_the_smallest() -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        count = int(rng.integers(2, 7))
        edges = [
            (a, b, UNBOUNDED if rng.random() < 0.2 else int(rng.integers(0, 20)))
            for a, b in itertools.permutations(range(count + 2), 2)
            if rng.random() < 0.4 and b != 0 and a != 1
        ]
        network = Network()
        assert [network.node() for _ in range(count)] == list(range(2, count + 2))
        for edge in edges:
            network.edge(*edge)

        def size(side: Any, edges: Any = edges) -> int:
            return sum(c for a, b, c in edges if side[a] and not side[b])

        sides = [(True, False, *rest) for rest in itertools.product((False, True), repeat=count)]
        assert size(network.source_side()) == min(map(size, sides))
