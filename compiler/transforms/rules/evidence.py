"""A rule's own evidence: both sides run on random inputs through the reference and compared with `assert_matches`.

Sizes, ranks, element types and index functions are drawn until the conditions hold, so a rule over any stride is tried
with many. The tolerance is what the left side's own ops may err by, and the right side's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, bf16, f16, f32, f64, i8, i32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region

from ....dialects.graph.variables import Variables, variables
from ....dialects.nd import dimmap
from ....dialects.nd.array import Array
from ....dialects.nd.mapped import Mapped
from ....dialects.nd.op import EXACT, building, insert
from ....dialects.nd.types import NUMPY, element, kind_of, shape_of, ui8, ui32
from ....runtime.interpreter import Interpreter
from ....runtime.matching import assert_matches, program_tolerance
from .apply import side
from .bindings import Bindings, IndexFunction
from .define import Pattern, Rule

DTYPES = (f32, f64, i32, f16, bf16, i8, ui8, i64, ui32)
LARGEST = 5
"""Sizes are drawn from 1 to this."""
TRIES = 200


def evidence(rule: Rule, cases: int = 8, seed: int = 0) -> int:
    """Raise AssertionError if the sides differ on one of `cases` random cases; returns the number tried."""
    rng = np.random.default_rng(seed)
    for case in range(cases):
        pattern = rule.pattern(case % 3)
        m = draw(pattern, rng)
        check(rule, pattern, m, rng)
    return cases


def draw(pattern: Pattern, rng: np.random.Generator) -> Bindings:
    """Random bindings under which the conditions hold."""
    block = pattern.op.left.block
    found = variables(block)
    for _ in range(TRIES):
        m = Bindings(
            sizes={n: int(rng.integers(1, LARGEST + 1)) for n in found.sizes},
            dtypes={n: DTYPES[rng.integers(len(DTYPES))] for n in found.dtypes},
            indices=_indices(block, found, rng),
        )
        if all(c.holds(m.argument) for c in pattern.op.conditions):
            return m
    raise AssertionError(f"rule {pattern.op.sym_name.data}: no random case meets its conditions")


def _indices(block: Block, found: Variables, rng: np.random.Generator) -> dict[str, IndexFunction]:
    """For each index function: coefficients 1 to 3, offset -2 to 1."""
    arity: dict[str, int] = {}
    for op in block.ops:
        if isinstance(op, Mapped):
            map_ = dimmap.parse(op.properties["map"].data)  # pyright: ignore
            for i in (i for dims in map_.operands for i in dims if i.function):
                arity[i.function] = len(i.terms)
    return {
        name: IndexFunction(tuple(int(c) for c in rng.integers(1, 4, arity[name])), int(rng.integers(-2, 2)))
        for name in found.indices
    }


def check(rule: Rule, pattern: Pattern, m: Bindings, rng: np.random.Generator) -> None:
    module = ModuleOp([_function(name, b, m) for name, b in _sides(pattern)])
    module.verify()
    inputs = [_random(m.type(a.type), rng) for a in pattern.op.arguments]
    left, right = (Interpreter(module).call(name, *inputs) for name, _ in _sides(pattern))
    tolerance = EXACT
    if rule.numerics != "exact":
        tolerance = program_tolerance(module, inputs, "left").then(program_tolerance(module, [*inputs], "right"))
    for got, want in zip(right, left, strict=True):
        try:
            assert_matches(tolerance, got, want, inputs=inputs)
        except AssertionError as e:
            sizes = ", ".join(f"{n} = {d}" for n, d in m.sizes.items())
            raise AssertionError(f"rule {rule.name} is wrong for {sizes}, {m.indices}: {e}") from e


def _sides(pattern: Pattern) -> Sequence[tuple[str, Block]]:
    return (("left", pattern.op.left.block), ("right", pattern.op.right.block))


def _function(name: str, block: Block, m: Bindings) -> FuncOp:
    new = Block(arg_types=[m.type(a.type) for a in block.args])
    with building(new):
        values = [a.value for a in side(block, [*map(Array, new.args)], m)]
        insert(ReturnOp.create(operands=values))
    return FuncOp(name, (list(new.arg_types), [v.type for v in values]), Region(new))


def _random(t: Attribute, rng: np.random.Generator) -> Any:
    shape = tuple(d for d in shape_of(t) if isinstance(d, int))
    dtype = NUMPY[element(t)]
    if kind_of(dtype) == "f":
        return rng.normal(size=shape).astype(dtype)
    return rng.integers(0, 2 if dtype.kind == "b" else 9, shape).astype(dtype)
