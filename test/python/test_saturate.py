"""Equality saturation: what it finds that rules one by one miss, its bounds, and that programs keep their meaning."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.dialects.nd.functions as nd
import numpy as np
import pytest
from mlc.compiler import driver
from mlc.compiler.blocks import clone_block
from mlc.compiler.constancy import Constancy
from mlc.compiler.machine import Machine
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.transforms.canonicalize import canonicalize
from mlc.compiler.transforms.rewriting import LEVELS
from mlc.compiler.transforms.rules.apply import allowed, apply_rules
from mlc.compiler.transforms.rules.library import LIBRARY
from mlc.compiler.transforms.rules.selection import Selection, Trace, selected
from mlc.compiler.transforms.saturate import restore, saturate
from mlc.compiler.transforms.saturate.egraph import EGraph
from mlc.compiler.transforms.saturate.explore import Bounds, Exploration
from mlc.compiler.transforms.saturate.extract import Choice
from mlc.compiler.transforms.saturate.price import price
from mlc.compiler.transforms.saturate.window import Window
from mlc.compiler.transforms.saturate.windows import LARGEST, windows
from mlc.compiler.verify import verify
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.constant import constant
from mlc.dialects.nd.contraction import Contract
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.op import NdOp
from mlc.dialects.nd.types import NUMPY, shape_of, tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import EXACT, assert_matches, program_tolerance
from search_rules import RULES
from test_rules import body, build, ops
from xdsl.dialects.builtin import ComplexType, FusedLoc, ModuleOp, UnknownLoc, f32
from xdsl.ir import Block

ALL = [*LIBRARY.values(), *RULES]
HOST = Machine(vector_bytes=64, registers=32, has_fma=True, fma_per_cycle=2, clock_ghz=3.0)
BOUNDS = Bounds(nodes=400, steps=4000)


def inputs(module: ModuleOp, size: int = 3) -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = [tuple(d if isinstance(d, int) else size for d in shape_of(a.type)) for a in body(module).args]
    return [
        rng.normal(size=s).astype(NUMPY[a.type.element_type]) for s, a in zip(shapes, body(module).args, strict=True)
    ]  # pyright: ignore


def searched(module: ModuleOp, rules: Any = ALL, numerics: str = "fast", bounds: Bounds = BOUNDS) -> int:
    """Saturate main; it verifies, computes the same, has a place for every op, and is estimated no slower."""
    canonicalize(body(module), numerics)
    args = inputs(module)
    want, tolerance = Interpreter(module).call("main", *args), program_tolerance(module, args)
    before = price(clone_block(body(module)), HOST, numerics).seconds
    count = saturate(body(module), rules, numerics, bounds, HOST)
    verify(module)
    for g, w in zip(Interpreter(module).call("main", *args), want, strict=True):
        assert_matches(tolerance.then(program_tolerance(module, args)), g, w)
    assert not [op.name for op in body(module).ops if isinstance(op.location, UnknownLoc)]
    assert price(clone_block(body(module)), HOST, numerics).seconds <= before
    return count


def contractions(module: ModuleOp) -> list[tuple[Any, ...]]:
    return [shape_of(op.results[0].type) for op in body(module).ops if isinstance(op, Contract)]


@pytest.mark.parametrize(
    ("shapes", "inner"),
    [
        ([(64, 64), (64, 64), (64, 2)], (64, 2)),  # the small one first
        ([(2, 64), (64, 64), (64, 64)], (2, 64)),  # as it is
    ],
)
def test_a_chain_is_associated_by_its_sizes(shapes: Any, inner: Any) -> None:
    module = build(lambda a, b, c: (a @ b) @ c, *shapes)
    searched(module)
    assert contractions(module)[0] == inner


def test_a_longer_chain_finds_its_best_order() -> None:
    module = build(lambda a, b, c, d: ((a @ b) @ c) @ d, (48, 64), (64, 48), (48, 64), (64, 2))
    assert searched(module) == 1
    assert contractions(module) == [(48, 2), (64, 2), (48, 2)]


def test_a_sum_in_between_does_not_hide_products() -> None:
    def program(x: Array, u: Array, v: Array, d: Array) -> Any:
        return x @ u + (d + x @ v)

    greedy = build(program, (64, 64), (64, 64), (64, 64), (64, 64))
    assert apply_rules(body(greedy), [LIBRARY["add_products"]], "fast") == 0
    module = build(program, (64, 64), (64, 64), (64, 64), (64, 64))
    assert searched(module) == 1
    assert len(contractions(module)) == 1


def test_transposes_go_through_products() -> None:
    def program(x: Array, u: Array, v: Array) -> Any:
        return (x @ u).T + v.T @ x.T

    module = build(program, (64, 64), (64, 64), (64, 64))
    assert searched(module, [r for r in ALL if "transpose" not in r.name or r.name == "add_transposed_products"]) == 0
    assert searched(module) == 1
    assert len(contractions(module)) == 1


def test_common_factors_are_found_in_either_order() -> None:
    module = build(lambda a, b, c: nd.exp(b * a + a * c), (64, 64), (64, 64), (64, 64))
    canonicalize(body(module))
    saturate(body(module), ALL, "fast", machine=HOST)
    assert sorted(ops(module)) in (["add", "exp", "mul"], ["add", "exp", "mul", "mul"])


def weights(seed: int, shape: tuple[int, ...]) -> Any:
    return constant(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def test_products_with_constant_weights_merge() -> None:
    def program(x: Array) -> Any:
        return tuple(nd.tanh(x @ weights(k, (64, 16))) for k in range(3))

    module = build(program, (4, 64))
    assert searched(module) == 1
    assert contractions(module) == [(4, 48)]


def test_products_with_weights_of_a_call_stay() -> None:
    def program(x: Array, *ws: Array) -> Any:
        return tuple(nd.tanh(x @ w) for w in ws)

    module = build(program, (4, 512), *[(512, 512)] * 3)
    assert searched(module) == 0


def test_only_rules_of_the_level_are_used() -> None:
    module = build(lambda a, b, c: (a @ b) @ c, (64, 64), (64, 64), (64, 2))
    assert searched(module, numerics="ieee") == 0


def test_rules_are_told_and_turned_off() -> None:
    def chain() -> ModuleOp:
        return build(lambda a, b, c: (a @ b) @ c, (64, 64), (64, 64), (64, 2))

    told: list[str] = []
    with selected(Selection(trace=Trace(told.append))):
        driver.run(module := chain(), ["saturate{numerics=fast machine=xeon}"])
    assert told == ["program:1:1: nd.contract: rule chain_to_the_right fired"] and contractions(module)[0] == (64, 2)
    with selected(Selection(disabled=frozenset({"contraction"}))):
        driver.run(module := chain(), ["saturate{numerics=fast machine=xeon}"])
    assert contractions(module)[0] == (64, 64)


def test_compiled_programs() -> None:
    text = print_ir(build(lambda a, b, c: (a @ b) @ c, (64, 64), (64, 64), (64, 2)))
    args = inputs(parse_module(text, "chain.mlir"))
    plain, searching = (mlc.compile(text, numerics="fast", saturate=s) for s in (False, True))
    assert "saturate=True" in repr(searching.options) and "saturate=False" in repr(plain.options)
    module = parse_module(text, "chain.mlir")
    assert_matches(program_tolerance(module, args), searching(*args), *Interpreter(module).call("main", *args))
    assert contractions(searching.module("nd"))[0] == (64, 2)


def test_a_block_that_did_not_get_cheaper_is_as_before() -> None:
    module = build(lambda a, b: nd.tanh(a @ b) + a, (6, 6), (6, 6))
    before = print_ir(module, locations=True)
    restore(body(module), clone_block(body(module)))
    verify(module)
    assert print_ir(module, locations=True) == before


def test_complex_numbers_and_dead_ops_stay() -> None:
    def program(a: Array, b: Array, c: Array) -> Any:
        nd.tanh(nd.real((a @ b) @ a))
        return (a @ b) @ c

    module = build(program, (64, 64), (64, 64), (64, 2), dtype=ComplexType(f32))
    before = print_ir(module)
    assert saturate(body(module), ALL, "fast", BOUNDS, HOST) == 0 and print_ir(module) == before


def test_symbolic_sizes() -> None:
    n: Any = symbol("n")
    module = build(lambda a, b, c: (a @ b) @ c, (n, 64), (64, 64), (64, 2))
    assert searched(module) == 1
    assert contractions(module) == [(64, 2), (n, 2)]


# What is kept.


def test_names_and_places_are_kept() -> None:
    module = parse_module(
        """func.func @main(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %c: tensor<64x2xf32>) -> tensor<64x2xf32> {
  %ab = nd.contract %a, %b "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %abc = nd.contract %ab, %c "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x2xf32>) -> tensor<64x2xf32>
  %unchanged = nd.tanh %abc {kept = "yes"} : tensor<64x2xf32>
  func.return %unchanged : tensor<64x2xf32>
}""",
        "chain.mlir",
    )
    assert searched(module) == 1
    first, second, last = list(body(module).ops)[:3]
    assert second.results[0].name_hint == "abc" and last.results[0].name_hint == "unchanged"
    assert isinstance(first.location, FusedLoc) and first.location == second.location
    assert not isinstance(last.location, FusedLoc) and last.attributes.keys() == {"kept"}


def test_effects_stay_in_order_and_regions_are_searched() -> None:
    chain = """%0 = nd.contract %a, %b "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
    nd.print "between"
    %1 = nd.contract %0, %c "a b, b c -> a c" : (tensor<64x64xf32>, tensor<64x2xf32>) -> tensor<64x2xf32>"""
    module = parse_module(
        f"""func.func @main(%x: tensor<64x64xf32>, %v: tensor<64x2xf32>) -> tensor<64x2xf32> {{
  %r = nd.scan 2 (%a = %x, %b = %x) carry (%c = %v) -> (tensor<64x2xf32>) {{
    {chain.replace('    nd.print "between"', "")}
    nd.yield %1 : tensor<64x2xf32>
  }}
  func.return %r : tensor<64x2xf32>
}}""",
        "scan.mlir",
    )
    (scan,) = [op for op in body(module).ops if op.regions]
    inner = scan.regions[0].block
    assert saturate(inner, RULES, "fast", machine=HOST) == 1
    verify(module)
    assert shape_of(next(iter(inner.ops)).results[0].type) == (64, 2)


def test_the_same_program_gives_the_same_text() -> None:
    def once() -> str:
        module = build(lambda a, b, c, d: ((a @ b) @ c) @ d + (a @ b) @ d, *[(64, 64)] * 3, (64, 2))
        searched(module)
        return print_ir(module, locations=True)

    assert once() == once()


# Bounds.


def explored(bounds: Bounds) -> Exploration:
    module = build(lambda *xs: nd.tanh(sum(xs[1:], xs[0])), *[(8, 8)] * 9)
    graph, own = EGraph(), [op for op in body(module).ops if isinstance(op, NdOp)]
    for op in own:
        graph.add(op)
    graph.rebuild()
    search = Exploration(graph, own, RULES, "fast")
    search.run(bounds)
    return search


def test_bounds_end_a_search_that_grows_without_end() -> None:
    few, rounds = explored(Bounds(nodes=40)), explored(Bounds(iterations=1))
    assert 9 < few.graph.size < 50
    assert rounds.graph.size < explored(Bounds(iterations=3)).graph.size
    assert explored(Bounds(steps=10)).graph.size < rounds.graph.size


def test_a_rule_that_explodes_waits() -> None:
    assert any(t.exceeded for t in explored(Bounds()).turns)


def test_long_blocks_are_cut_where_little_is_alive() -> None:
    def program(x: Array) -> Any:
        for k in range(2 * LARGEST):
            x = nd.tanh(x) if k % 8 else nd.sin(x) + nd.cos(x)
        return x

    block = body(build(program, (8,)))
    found = windows(block)
    assert [op for w in found for op in w] == list(block.ops)[:-1] and all(len(w) <= LARGEST for w in found)
    assert not any(w[-1].name in ("nd.sin", "nd.cos") for w in found)


# Congruence.


def test_merging_operands_merges_readers() -> None:
    block = body(build(lambda x, y: (nd.exp(nd.tanh(x)), nd.exp(nd.tanh(y))), (4,), (4,)))
    graph = EGraph()
    for op in list(block.ops)[:-1]:
        assert isinstance(op, NdOp)
        graph.add(op)
    a, b = block.args
    assert graph.size == 4
    graph.merge(a, b)
    graph.rebuild()
    last = block.last_op
    assert last is not None and len({graph.find(v) for v in last.operands}) == 1 and graph.size == 2


# Random programs.


def random_program(rng: np.random.Generator) -> ModuleOp:
    def program(*args: Array) -> Any:
        values, rows = list(args[:3]), args[3:]
        for _ in range(int(rng.integers(8, 20))):
            x, y = (values[-int(rng.integers(1, min(len(values), 5) + 1))] for _ in range(2))
            match rng.integers(8):
                case 0:
                    z = x @ y
                case 1:
                    z = x @ args[int(rng.integers(3))]
                case 2:
                    z = x + y
                case 3:
                    z = x * y
                case 4:
                    z = nd.tanh(x)
                case 5:
                    z = x.T
                case 6:
                    z = x * rows[int(rng.integers(2))]
                case _:
                    z = x @ weights(int(rng.integers(3)), (6, 6))
            values.append(nd.tanh(z) if rng.integers(3) == 0 else z)
        return tuple(values[-3:])

    return build(program, (6, 6), (6, 6), (6, 6), (6,), (6,))


class AnyWindow(Window):
    """Takes not what is cheapest, but anything that the e-graph says is equal."""

    rng = np.random.default_rng(0)

    def choose(self, exploration: Exploration) -> Choice:
        costs: dict[NdOp, float] = {}
        self.extractor.seconds = lambda c, op: costs.setdefault(op, 0.1 + self.rng.random())
        return self.extractor.cheapest()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_chosen_computes_the_same(seed: int) -> None:
    numerics = LEVELS[seed % 3]
    AnyWindow.rng = np.random.default_rng(seed)
    module = random_program(AnyWindow.rng)
    canonicalize(body(module), numerics)
    args = inputs(module)
    want, tolerance = Interpreter(module).call("main", *args), program_tolerance(module, args)
    for window in windows(body(module)):
        assert AnyWindow(window, Constancy(), HOST, numerics).run(allowed(ALL, numerics), Bounds(nodes=200))
    verify(module)
    both = EXACT if numerics == "exact" else tolerance.then(program_tolerance(module, args))
    for g, w in zip(Interpreter(module).call("main", *args), want, strict=True):
        assert_matches(both, g, w)


@pytest.mark.parametrize("seed", [1, 7, 9, 30])
def test_random_programs_do_not_get_slower(seed: int) -> None:
    searched(random_program(np.random.default_rng(seed)))


# Errors.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("numerics=loose", "expected numerics to be one of exact, ieee, fast, found loose"),
        ("nodes=0", "saturate: expected nodes to be 1 or more, found 0"),
        ("machine=nowhere.toml", "machine description: expected a readable file, "),
        ("rounds=3", "pass saturate has no option 'rounds'"),
    ],
)
def test_wrong_options(opt: Any, options: str, message: str) -> None:
    ran = opt("-", "-p", f"saturate{{{options}}}", text="func.func @main() { func.return }")
    assert ran.code == 1 and message in ran.err


def test_an_empty_block() -> None:
    assert windows(Block()) == [] and tensor((), f32)
