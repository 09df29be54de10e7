"""Rewrites that costs decide: every alternative computes what it replaces, and costs decide as they should."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlc
import numpy as np
import pytest
from graph_cases import inputs_of, program
from mlc.compiler.blocks import entry
from mlc.compiler.transforms.canonicalize import canonicalize
from mlc.compiler.transforms.optimize import CHOICES, Optimize
from mlc.compiler.transforms.optimize.alternatives import Choice
from mlc.compiler.transforms.optimize.placing import built, earlier
from mlc.compiler.transforms.rewriting import Rewrite, by_class, rewrite
from mlc.compiler.transforms.rules.selection import Selection, Trace, selected
from mlc.compiler.weights import replace as replace_argument
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.constant import iota
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.functions import broadcast_to
from mlc.dialects.nd.op import building
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Block

MACHINE = Path(__file__).parent.parent / "transforms" / "loop" / "wide.toml"
"""What decides does not depend on the host."""


def conv(x: Array, w: Array, text: str, *shape: int) -> Array:
    return contract([x, w], parse(text), shape)


def channel(v: Array, like: Array) -> Array:
    """One value for each channel of an image, channels first."""
    return broadcast_to(v.reshape((1, like.shape[1], 1, 1)), like.shape)


SAME = "n c h+k-1 w+l-1, f c k l -> n f h w"
ONE = "n c h w, f c -> n f h w"


def batch_norm(x: Array, w: Array, m: Array, r: Array, s: Array, b: Array) -> Array:
    y = conv(x, w, SAME, 2, 6, 5, 4)
    return (y - channel(m, y)) * channel(r, y) * channel(s, y) + channel(b, y)


@dataclass(frozen=True)
class Case:
    rule: str
    count: int
    """Alternatives that the rule offers in the program."""
    shapes: tuple[tuple[int, ...], ...]
    build: Callable[..., Any]


CASES = {
    "queries, keys, values": Case(
        "merge_products", 3, ((4, 8), (8, 8), (8, 6), (8, 8)), lambda x, q, k, v: (x @ q, x @ k, x @ v)
    ),
    "heads of unequal numbers": Case(
        "merge_products",
        1,
        ((4, 8), (8, 6, 5), (8, 2, 5)),
        lambda x, q, k: (
            contract([x, q], parse("a b, b h d -> h a d"), (6, 4, 5)),
            contract([k, x], parse("b h d, a b -> h a d"), (2, 4, 5)),
        ),
    ),
    "a kernel of one tap among nine": Case(
        "merge_products",
        1,
        ((2, 3, 5, 4), (6, 3, 3, 3), (4, 3)),
        lambda x, u, v: (conv(x, u, SAME, 2, 6, 5, 4), conv(x, v, ONE, 2, 4, 5, 4)),
    ),
    "with strides, the smaller kernel first": Case(
        "merge_products",
        1,
        ((1, 7, 6, 3), (2, 1, 3, 4), (5, 3, 3, 2)),
        lambda x, v, u: (
            contract([x, v], parse("n 2*h+k w+l c, k l c f -> n h w f"), (1, 3, 6, 4)),
            contract([x, u], parse("n 2*h+k-2 w+l-1 c, k l c f -> n h w f"), (1, 3, 6, 2)),
        ),
    ),
    "taps two apart": Case(
        "merge_products",
        1,
        ((1, 9, 3), (3, 3, 4), (2, 3, 5)),
        lambda x, u, v: (
            contract([x, u], parse("n h+2*k-2 c, k c f -> n h f"), (1, 9, 4)),
            contract([x, v], parse("n h+2*k c, k c f -> n h f"), (1, 9, 5)),
        ),
    ),
    "with shifts and a function behind": Case(
        "merge_products",
        1,
        ((2, 3, 5, 4), (6, 3, 3, 3), (6,), (4, 3), (4,)),
        lambda x, u, a, v, b: (
            mlc.numpy.tanh(channel(a, p := conv(x, u, SAME, 2, 6, 5, 4)) - p * 0.5),
            mlc.numpy.tanh(channel(b, q := conv(x, v, ONE, 2, 4, 5, 4)) - q * 0.25),
        ),
    ),
    "behind, only the first step alike": Case(
        "merge_products",
        1,
        ((4, 8), (8, 8), (8,), (8, 6), (6,)),
        lambda x, u, a, v, b: (mlc.numpy.exp(x @ u + a), mlc.numpy.sin(x @ v + b)),
    ),
    "weights that come later": Case(
        "merge_products", 1, ((4, 8), (8, 8), (8, 6)), lambda x, u, v: ((x @ u).sum(), x @ mlc.numpy.exp(v))
    ),
    "a sum of products": Case("sum_products", 1, ((4, 8), (8, 5), (4, 3), (3, 5)), lambda x, u, y, v: x @ u + y @ v),
    "a sum of convolutions with shifts": Case(
        "sum_products",
        1,
        ((2, 3, 5, 4), (6, 3, 3, 3), (6,), (2, 2, 5, 4), (6, 2), (6,)),
        lambda x, u, a, y, v, b: (
            (p := conv(x, u, SAME, 2, 6, 5, 4)) + channel(a, p) + (conv(y, v, ONE, 2, 6, 5, 4) + channel(b, p))
        ),
    ),
    "a batch norm": Case("fold_scale", 1, ((2, 3, 5, 4), (6, 3, 3, 3), (6,), (6,), (6,), (6,)), batch_norm),
    "a batch norm beside the weights": Case(
        "collapse_scales", 1, ((2, 3, 5, 4), (6, 3, 3, 3), (6,), (6,), (6,), (6,)), batch_norm
    ),
    "a scale of each row and of each column": Case(
        "fold_scale",
        1,
        ((4, 8), (8, 5), (5,), (4,)),
        lambda x, w, c, r: (x @ w) / broadcast_to(c, (4, 5)) * broadcast_to(r.reshape((4, 1)), (4, 5)),
    ),
    "one number for all": Case("fold_scale", 1, ((4, 8),), lambda x: (x @ iota((8, 5), 1, f32)) * 0.3),
    "one number that is no constant's": Case("fold_scale", 0, ((4, 8), (8, 5)), lambda x, w: (x @ w) * 0.3),
    "two products in a row": Case("reassociate", 1, ((4, 8), (8, 5), (5, 3)), lambda a, b, c: (a @ b) @ c),
    "batches and sums over two": Case(
        "reassociate",
        2,
        ((2, 4, 8), (8, 5, 3), (2, 5, 3)),
        lambda a, b, c: contract(
            [contract([a, b], parse("n i k, k l m -> n i l m"), (2, 4, 5, 3)), c],
            parse("n i l m, n l m -> i n"),
            (4, 2),
        ),
    ),
}


def module_of(case: Case) -> ModuleOp:
    module = program([tensor(s, f32) for s in case.shapes], case.build)
    canonicalize(entry(module, "main").body.block)
    return module


def offered(block: Block, rule: str) -> list[tuple[Choice, Any, int]]:
    """The alternatives of a rule in a block: the rule, its op, the alternative's number."""
    return [
        (c, op, k)
        for op in block.ops
        for c in CHOICES
        if c.name == rule and isinstance(op, c.ops)
        for k, _ in enumerate(c.find(op))
    ]


def take(block: Block, chosen: tuple[Choice, Any, int]) -> bool:
    """Take one alternative; False if what it reads cannot be computed in front of what it replaces."""
    choice, at, number = chosen
    taken: list[bool] = []

    def apply(op: Any) -> Any:
        if op is not at or taken:
            return None
        alternative = [*choice.find(op)][number]
        with building(made := Block()):
            possible = earlier(alternative(), made) is not None
        for new in reversed(made.ops):
            new.drop_all_references()
        taken.append(possible)
        return built(alternative) if possible else None

    rewrite(block, by_class([Rewrite(choice.name, choice.ops, choice.level, apply)]))
    return taken == [True]


@pytest.mark.parametrize("name", CASES)
def test_alternatives_compute_what_they_replace(name: str) -> None:
    case = CASES[name]
    count = len(offered(entry(module_of(case), "main").body.block, case.rule))
    assert count == case.count
    for k in range(count):
        module = module_of(case)
        inputs = inputs_of(module, seed=k)
        want, tolerance = Interpreter(module).call("main", *inputs), program_tolerance(module, inputs)
        block = entry(module, "main").body.block
        assert take(block, offered(block, case.rule)[k])
        module.verify()
        tolerance = tolerance.then(program_tolerance(module, inputs))
        for got, expected in zip(Interpreter(module).call("main", *inputs), want, strict=True):
            assert_matches(tolerance, got, expected, inputs=inputs)


def optimized(case: Case, constants: tuple[int, ...] = (), numerics: str = "ieee") -> tuple[list[str], ModuleOp]:
    """The rules that fire on one machine, with some arguments constant, and the program that they leave."""
    module = module_of(case)
    f = entry(module, "main")
    for k in reversed(constants):
        arg = f.body.block.args[k]
        replace_argument(f, arg, f"w{k}", np.random.default_rng(k).standard_normal(case.shapes[k]).astype(np.float32))
    fired = Optimize(numerics=numerics, machine=str(MACHINE)).run(module)
    module.verify()
    return fired, module


WIDE = Case("", 0, ((16, 256), *[(256, 256)] * 3), lambda x, q, k, v: ((x @ q) @ (x @ k).T) @ (x @ v))
APART = Case("", 0, WIDE.shapes, lambda x, q, k, v: (x @ q, x @ k, x @ v))
TALL = Case("", 0, ((512, 512), (512, 512), (512, 8)), lambda a, b, c: (a @ b) @ c)


def test_weights_that_never_change_are_merged_and_others_are_not() -> None:
    assert optimized(WIDE, (1, 2, 3))[0] == ["merge_products", "merge_products"]
    assert optimized(WIDE)[0] == []


def test_results_of_the_program_that_would_be_copied_stay_apart() -> None:
    assert optimized(APART, (1, 2, 3))[0] == []


def test_a_batch_norm_goes_into_weights_that_never_change() -> None:
    case = Case("", 0, ((1, 16, 24, 24), (16, 16, 3, 3), *[(16,)] * 4), square_batch_norm)
    fired, module = optimized(case, (1, 2, 3, 4, 5))
    assert fired == ["fold_scale"]
    assert "fold_scale" not in optimized(case)[0]
    (product,) = (op for op in entry(module, "main").body.block.ops if isinstance(op, Contract))
    assert all(use.operation.name == "nd.add" for use in product.result.uses)


def square_batch_norm(x: Array, w: Array, m: Array, r: Array, s: Array, b: Array) -> Array:
    y = contract([x, w], parse(SAME), x.shape)
    return (y - channel(m, y)) * channel(r, y) * channel(s, y) + channel(b, y)


def test_chains_are_multiplied_in_the_cheaper_order_at_the_level_fast() -> None:
    assert optimized(TALL, numerics="fast")[0] == ["reassociate"]
    assert optimized(TALL)[0] == []


def test_what_was_declined_says_why() -> None:
    told: list[str] = []
    with selected(Selection(trace=Trace(told.append))):
        optimized(WIDE)
    (first, *_) = [line for line in told if "merge_products" in line]
    assert re.search(
        r"nd\.contract: rule merge_products declined: estimated .* before, .* after \(memory .* to .*\)", first
    )


def test_a_rule_that_is_off_does_not_fire() -> None:
    with selected(Selection(disabled=frozenset({"merging"}))):
        assert optimized(WIDE, (1, 2, 3))[0] == []


def test_a_number_of_rewrites_is_a_prefix_of_all() -> None:
    module = module_of(WIDE)
    f = entry(module, "main")
    for k in (3, 2, 1):
        replace_argument(f, f.body.block.args[k], f"w{k}", np.ones(WIDE.shapes[k], np.float32))
    assert Optimize(machine=str(MACHINE), limit=1).run(module) == ["merge_products"]
