"""saturate: the cheapest program that rules lead to, found by equality saturation.

    %0 = nd.contract %x, %a "i k, k l -> i l" : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
    %1 = nd.contract %0, %v "i l, l j -> i j" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
becomes
    %0 = nd.contract %a, %v "l k, k j -> l j" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>
    %1 = nd.contract %x, %0 "i k, k j -> i j" : (tensor<512x512xf32>, tensor<512x8xf32>) -> tensor<512x8xf32>

A rewriter that applies one rule after the other must make each step pay. Here rules of both kinds, `simplify` and
`explore`, only add what is equal to an e-graph (`egraph.py`), and the choice comes last: by the costs of single ops
(`extract.py`), then by the estimated time of the fused program on `machine` (a description; else the host). The program
as it is always is one of the choices.

Blocks are cut into windows of at most 60 ops, between ops with regions or effects (`windows.py`); regions are worked on
by themselves. Rules are those of the library within the level `numerics`, of `file`, and of the module itself. `nodes`
and `iterations` bound the search in a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ...blocks import clone_block
from ...constancy import Constancy
from ...machine import Machine
from ..apply_rules import load, tried
from ..rewriting import LEVELS, blocks, erase, functions
from ..rules.apply import allowed
from ..rules.define import Rule
from ..rules.library import LIBRARY
from ..rules.selection import enabled
from .explore import Bounds
from .price import price
from .window import Window
from .windows import windows

STEPS = 40_000
"""Nodes looked at while matching in a block, which its windows share."""


def saturate(
    block: Block,
    rules: Sequence[Rule],
    numerics: str = "ieee",
    bounds: Bounds | None = None,
    machine: Machine | None = None,
) -> int:
    """Replace what is cheaper another way, by rules that the level allows; returns how many windows changed."""
    bounds, machine, rules = bounds or Bounds(), machine or Machine.host(), allowed(rules, numerics)
    found = windows(block)
    bounds = replace(bounds, steps=min(bounds.steps, STEPS // max(1, len(found))))
    before = clone_block(block) if len(found) > 1 else None
    count, constancy = 0, Constancy()
    for ops in found:
        if Window(ops, constancy, machine, numerics).run(rules, bounds):
            count, constancy = count + 1, Constancy()
    if before is not None and count:
        # each window is cheaper, but fusion goes across their edges
        was, now = (price(clone_block(b), machine, numerics).seconds for b in (before, block))
        if now > was:
            restore(block, before)
            return 0
    return count


def restore(block: Block, before: Block) -> None:
    """Put a copy's ops in the place of a block's."""
    for op in reversed(list(block.ops)):
        erase(op)
    for a, b in zip(before.args, block.args, strict=True):
        a.replace_all_uses_with(b)
    for op in list(before.ops):
        op.detach()
        block.add_op(op)


@dataclass(frozen=True)
class Saturate(ModulePass):
    """The cheapest program that rules lead to."""

    name = "saturate"
    numerics: str = "ieee"
    nodes: int = Bounds.nodes
    iterations: int = Bounds.iterations
    machine: str = ""
    file: str | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.numerics not in LEVELS:
            raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {self.numerics}")
        for name in ("nodes", "iterations"):
            if (n := getattr(self, name)) < 1:
                raise CompileError(f"saturate: expected {name} to be 1 or more, found {n}")
        own = {r.name: r for r in [*(load(self.file) if self.file else []), *tried(op)]}
        rules = [r for r in {**LIBRARY, **own}.values() if enabled(r)]
        machine = Machine.load(self.machine) if self.machine else Machine.host()
        for f in functions(op):
            for block in blocks(f):
                saturate(block, rules, self.numerics, Bounds(self.nodes, self.iterations), machine)
