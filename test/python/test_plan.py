"""graph-plan: where results live. The interpreter runs the plan, so a value placed over one still needed shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graph_cases import GRAPH, apply, check, inputs_of, program, random_program
from launch_programs import random_launches
from mlc.compiler.driver import run
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.memory import memory_of
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.dialects.graph.ops import ARENA, DONATED, INPLACE, PLACES, RESULTS, LaunchOp
from mlc.dialects.graph.views import view_of
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dims import evaluate, symbol
from mlc.dialects.nd.op import Array
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import EXACT, assert_matches
from plan_trace import check_plan
from random_control import random_control
from transformer_training import Sizes, batch_of, parameters_of, training_step
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, f32, i64
from xdsl.dialects.func import FuncOp

X, W = tensor((16, 16), f32), tensor((64, 64), f32)
PLAN = GRAPH[1:]


def main_of(module: ModuleOp) -> FuncOp:
    return next(op for op in module.body.block.ops if isinstance(op, FuncOp))


def kernel(module: ModuleOp, name: str) -> FuncOp:
    return next(op for op in module.body.block.ops if isinstance(op, FuncOp) and op.sym_name.data == name)


def donate(module: ModuleOp, *numbers: int) -> ModuleOp:
    main_of(module).attributes[DONATED] = ArrayAttr([IntegerAttr(n, i64) for n in numbers])
    return module


def places(module: ModuleOp) -> list[Any]:
    found = [op for op in main_of(module).body.block.ops if isinstance(op, LaunchOp)]
    return [p.data for op in found for p in op.attributes[PLACES].data]  # pyright: ignore


def plan(types: list[Any], build: Any, *donated: int) -> ModuleOp:
    module = donate(program(types, build), *donated)
    check(module, inputs_of(module), PLAN)
    return module


def chain(x: Array) -> Array:
    """Products, none of which can be computed in place."""
    for _ in range(4):
        x = x @ x
    return x


def test_dead_buffers_are_reused() -> None:
    module = plan([X], chain)
    found = places(module)
    assert [p.base for p in found] == ["arena", "arena", "arena", "result"]
    assert [p.number for p in found[:3]] == [0, 1024, 0]
    assert main_of(module).attributes[ARENA].data == 2048  # pyright: ignore


def test_elementwise_takes_over_the_buffer_of_its_argument() -> None:
    module = plan([tensor((14, 14), f32), X], lambda x, w: F.exp(F.pad(x, 1)) @ w)
    padded, exp, _ = places(module)
    assert padded == exp and main_of(module).attributes[ARENA].data == 1024  # pyright: ignore
    assert INPLACE in str(kernel(module, "exp").arg_attrs)


def test_a_buffer_that_is_read_later_is_not_taken_over() -> None:
    def build(x: Array, w: Array) -> Array:
        p = F.pad(x, 1)
        return (F.exp(p) @ w) @ p

    assert INPLACE not in str(plan([tensor((14, 14), f32), X], build))


def test_a_buffer_that_is_read_elsewhere_too_is_not_taken_over() -> None:
    """exp needs its own element and, replicated, the first row."""

    def build(x: Array, w: Array) -> Array:
        p = F.pad(x, 1)
        return (F.exp(p) + F.broadcast_to(p[0], (16, 16))) @ w

    assert INPLACE not in str(plan([tensor((14, 14), f32), X], build))


def test_a_reduction_is_not_in_place() -> None:
    """softmax reads its rows again: its result may replace them only at the end, in the last stage."""
    module = plan([X], lambda x: F.softmax(x @ x).T @ x)
    first, second, _ = places(module)
    assert first.number != second.number


def test_donated_arguments_are_updated_in_place() -> None:
    def step(w: Array, v: Array, x: Array) -> list[Array]:
        g = F.contract("a b, a c -> b c", x, x)
        v = v * 0.9 + g
        return [w - v * 0.1, v]

    module = plan([X, X, X], step, 0, 1)
    assert {(p.base, p.number) for p in places(module)} == {("argument", 0), ("argument", 1)}
    views = [v.data for v in main_of(module).attributes[RESULTS].data]  # pyright: ignore
    assert [v.number for v in views] == [0, 1]
    (f,) = [f for f in module.body.block.ops if isinstance(f, FuncOp) and f.sym_name.data != "main"]
    attributes = [d.data for d in f.arg_attrs.data]  # pyright: ignore
    assert sum(INPLACE in a for a in attributes) == 2 and sum("llvm.noalias" in a for a in attributes) == 1


def test_a_donated_argument_that_is_still_read_stays() -> None:
    module = plan([X, X], lambda w, x: [w @ x, F.exp(w) @ x], 0)
    assert all(p.base != "argument" or k == 2 for k, p in enumerate(places(module)))
    module = plan([X], lambda w: [w @ w], 0)
    assert places(module)[0].base == "result"


def test_a_donated_argument_that_is_returned_stays() -> None:
    module = plan([X, X], lambda w, x: [w.T, w + x], 0)
    assert [p.base for p in places(module)] == ["result"]


def test_donation_out_of_range() -> None:
    module = donate(program([X], F.exp), 3)
    with pytest.raises(CompileError, match=r"from 0 to 0 in mlc.donated, found 3"):
        apply(module, *PLAN)


def test_results_as_views() -> None:
    def build(x: Array) -> list[Array]:
        y = x @ x
        return [y.T, y[2:, ::2], F.flip(x, 0)]

    module = plan([X], build)
    views = [v.data for v in main_of(module).attributes[RESULTS].data]  # pyright: ignore
    assert [(v.base, v.number, v.offset, v.strides) for v in views] == [
        ("result", 0, 0, (1, 16)),
        ("result", 0, 32, (16, 2)),
        ("argument", 0, 240, (-16, 1)),
    ]


@pytest.mark.parametrize("n", [0, 1, 5, 64])
def test_symbolic_buffers_do_not_overlap(n: int) -> None:
    b = symbol("b")
    module = program([tensor((b, 4), f32), tensor((4, 4), f32)], lambda x, w: F.softmax((x @ w) @ w) @ w + x)
    check(module, inputs_of(module, {"b": n}), ("decompose",), PLAN)
    found = [p for p in places(module) if p.base == "arena"]
    spans = sorted((evaluate(p.number, {"b": n}), evaluate(p.bytes, {"b": n})) for p in found)
    arena = main_of(module).attributes[ARENA].data  # pyright: ignore
    assert all(start + size <= evaluate(arena, {"b": n}) for start, size in spans)
    assert all(evaluate(p.number, {"b": n}) % 4 == 0 for p in found)


def live(module: ModuleOp) -> list[tuple[int, int, int, int]]:
    """Offset, bytes, first and last launch of every value in the arena."""
    found = [op for op in main_of(module).body.block.ops if isinstance(op, LaunchOp)]
    last: dict[Any, int] = {}
    for t, op in enumerate(found):
        last |= {view_of(v).base: t for v in op.args}
    out: list[tuple[int, int, int, int]] = []
    for t, op in enumerate(found):
        for r, p in zip(op.results, op.places or []):
            if p.data.base == "arena":
                out.append((p.data.number, p.data.bytes, t, last.get(r, t)))  # pyright: ignore
    return out


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_two_live_values_overlap(seed: int) -> None:
    module = apply(random_program(seed), *GRAPH)
    found = live(module)
    for k, (start, size, first, last) in enumerate(found):
        assert start % 64 == 0
        for start2, size2, first2, last2 in found[k + 1 :]:
            together = first <= last2 and first2 <= last
            takes_over = (start, size) == (start2, size2) and (last == first2 or last2 == first)
            assert not together or takes_over or start + size <= start2 or start2 + size2 <= start


def test_a_kernel_must_be_outlined_first() -> None:
    module = apply(program([X], F.exp), "graph-fuse")
    with pytest.raises(CompileError, match="run graph-outline"):
        apply(module, "graph-plan")


def test_zero_sizes() -> None:
    module = program([tensor((0, 4), f32)], lambda x: F.softmax(x) @ F.ones((4, 4)))
    check(module, [np.zeros((0, 4), np.float32)], GRAPH)


def planned(module: ModuleOp, worth: int | None = None) -> FuncOp:
    """The program after decomposition, fusion, order (if `worth` says how) and plan."""
    passes = ["decompose", "graph-fuse", "graph-outline", *([f"graph-order{{worth={worth}}}"] * (worth is not None))]
    run(module, [*passes, "graph-plan"])
    return main_of(module)


@pytest.mark.parametrize("worth", [None, 0])
@pytest.mark.parametrize("seed", range(6))
def test_plans_of_random_programs(seed: int, worth: int | None) -> None:
    """Followed byte by byte; the arena is as small as the most that is in use at once."""
    for control in (False, True):
        main = planned(random_launches(seed, control=control), worth)
        most, found = check_plan(main), memory_of(main).peak.bytes
        arena = main.attributes[ARENA].data  # pyright: ignore
        assert most <= found <= arena and (control or most == found)
        assert arena < 1 << 16 or arena <= 1.02 * found


@pytest.mark.parametrize("worth", [None, 0])
@pytest.mark.parametrize("seed", range(6))
def test_plans_of_nested_control_flow(seed: int, worth: int | None) -> None:
    assert check_plan(planned(random_control(seed), worth)) >= 0


def test_a_plan_that_gives_a_buffer_away_too_early_is_found() -> None:
    main = planned(program([X], lambda x: (x @ x) @ (x.T @ x)))
    first, second, _ = (op for op in main.body.block.ops if isinstance(op, LaunchOp))
    second.attributes[PLACES] = first.attributes[PLACES]
    with pytest.raises(AssertionError, match="after it was overwritten"):
        check_plan(main)


@pytest.mark.parametrize("seed", range(8))
def test_an_order_of_less_memory_computes_the_same(seed: int) -> None:
    module = random_program(seed)
    run(module, ["decompose", "graph-fuse", "graph-outline"])
    args, least = inputs_of(module), module.clone()
    run(least, ["graph-order{worth=0}", "graph-plan"])
    run(module, ["graph-plan"])
    for got, want in zip(Interpreter(least).call("main", *args), Interpreter(module).call("main", *args), strict=True):
        assert_matches(EXACT, got, want)
    assert main_of(least).attributes[ARENA].data <= main_of(module).attributes[ARENA].data  # pyright: ignore


@pytest.mark.parametrize("name", ["seed_mse_64x256", "train_mlp_128x784x512", "transformer_128x768"])
def test_arenas_of_the_suite(name: str) -> None:
    path = Path(__file__).parents[2] / f"bench/suite/programs/{name}.mlir"
    module = parse_module(path.read_text(), str(path))
    run(module, "graph")
    main = main_of(module)
    assert memory_of(main).peak.bytes == main.attributes[ARENA].data  # pyright: ignore


def test_arena_of_a_training_step() -> None:
    sizes = Sizes(layers=2, width=32, length=16, batch=4)
    module = trace(training_step(sizes), [parameters_of(sizes), *batch_of(sizes)]).module
    run(module, "graph")
    main = next(op for op in module.body.block.ops if isinstance(op, FuncOp) and ARENA in op.attributes)
    arena, most = main.attributes[ARENA].data, check_plan(main)  # pyright: ignore
    assert 1 << 16 <= arena <= 1.02 * most and memory_of(main).peak.bytes == most


def test_symbolic_sizes_share_memory_by_their_factors() -> None:
    b = symbol("b")

    def build(x: Array, w: Array, v: Array) -> Array:
        return F.sum_(((x @ w) @ v) @ w @ v)

    main = planned(program([tensor((b, 16), f32), tensor((16, 64), f32), tensor((64, 16), f32)], build))
    assert str(main.attributes[ARENA].data) == "320*b" == str(memory_of(main).peak.bytes)  # pyright: ignore


def test_small_symbolic_sizes_go_where_there_is_room() -> None:
    b = symbol("b")

    def build(x: Array, w: Array, v: Array) -> Array:
        return F.sum_((x @ w @ w) @ v @ F.ones((3, 2)) @ F.ones((2, 3)))

    main = planned(program([tensor((b, 16), f32), tensor((16, 16), f32), tensor((16, 3), f32)], build))
    assert str(main.attributes[ARENA].data) == "128*b"  # pyright: ignore
