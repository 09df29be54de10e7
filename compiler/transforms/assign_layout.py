"""assign-layout: how each value lies in memory, so that what computes it and what reads it go along it.

    %0 = nd.contract %x, %v "a b 2*c+d-1 2*e+f-1, b d f -> a b c e"     %x: tensor<1x32x112x112xf32>
    %1 = nd.contract %0, %w "a b c d, e b -> a e c d"
    %2 = nd.contract %1, %u "a b 2*c+d-1 2*e+f-1, b d f -> a b c e"
becomes
    %0 = nd.contract %x, %v "a b 2*c+d-1 2*e+f-1, b d f -> a c e b"
    %1 = nd.contract %0, %w "a b c d, e d -> a b c e"
    %2 = nd.contract %1, %u "a 2*b+c-1 2*d+e-1 f, f c e -> a f b d"

An order is chosen for all values at once, by what contractions cost in them on this machine (`layout/`): rows, columns
of a matrix, channels last. Arguments and results of the program keep theirs. What needs another order than it finds
reads a transpose, which is a view or a copy like any other.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ...dialects.nd.contraction import Contract
from .layout.choice import choose
from .layout.margins import add_margins
from .layout.problem import problem_of
from .layout.rewrite import rewrite_in
from .rewriting import blocks, functions


def assign_layout(block: Block) -> None:
    """Choose the orders of a block and rewrite it in them; then store what windows read with its margins."""
    if not any(isinstance(op, Contract) for op in block.ops):
        return
    problem = problem_of(block)
    chosen = choose(problem)
    orders = {v: chosen[g] for v, g in problem.group.items() if chosen[g] != problem.orders[g][0]}
    if orders:
        rewrite_in(block, orders)
    add_margins(block)


@dataclass(frozen=True)
class AssignLayout(ModulePass):
    """Choose the order in memory of every value, by the cost of what computes and reads it."""

    name = "assign-layout"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for f in functions(op):
            for block in blocks(f):
                assign_layout(block)
