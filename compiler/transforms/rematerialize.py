"""Compute again what a program would keep in memory for long.

    %0 = nd.exp %x : tensor<1024x1024xf32>                %0 = nd.exp %x : ...
    %1 = nd.contract %0, %w "a b, b c -> a c" : ...       %1 = nd.contract %0, %w "a b, b c -> a c" : ...
    ...                                             ->    ...
    %8 = nd.mul %7, %0 : ...                              %b = nd.barrier %x : ...
                                                          %c = nd.exp %b : ...
                                                          %8 = nd.mul %7, %c : ...

With a budget: until the arena needs at most so many bytes at once, or as few as are found. Without: what costs no
seconds by the estimate, chosen by a minimum cut between what is kept and what is computed again behind the peak.

What lies in memory is known after fusion, so a copy of the program is fused and its kernels are the steps
(`remat/schedule.py`). Under a budget the choice is greedy, by bytes, steps and seconds (`remat/choice.py`); the cut is
in `remat/cut.py`. Bytes are an estimate, of which the plan has the last word; symbolic sizes count as typical ones. Ops
with effects run once; a region op is computed again as a whole or not at all. What runs again carries its own place and
that of what reads it. A program that is within the budget, or cannot gain, stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ..machine import Machine
from .decompose import decompose
from .graph_fuse import is_program
from .inline import open_checkpoints
from .remat.choice import fit
from .remat.cut import cheapest
from .remat.rewrite import rewrite
from .remat.schedule import schedule_of
from .rewriting import functions

SLACK = 1.005
"""So much longer, by the estimate, is no longer."""


@dataclass(frozen=True)
class Outcome:
    """Estimated bytes at the peak and seconds, before and after."""

    bytes: tuple[int, int]
    seconds: tuple[float, float]


def rematerialize(f: FuncOp, budget: int | None = None, machine: Machine | None = None, chains: bool = True) -> Outcome:
    """Rewrite a function of tensor ops to need at most `budget` bytes of the arena at once, or as few as are found;
    without a budget, fewer where that takes no longer. `chains` as of graph-fuse."""
    machine = machine or Machine.host()
    open_checkpoints(f.body.block)
    decompose(f.body.block)
    return _without(f, machine, chains) if budget is None else _within(f, budget, machine, chains)


def _within(f: FuncOp, budget: int, machine: Machine, chains: bool) -> Outcome:
    before = schedule_of(f, machine, chains)
    after = fit(before, budget)
    if len(after.steps) > len(before.steps):
        rewrite(f.body.block, after)
    return Outcome((before.peak(), after.peak()), (before.seconds(), after.seconds()))


def _without(f: FuncOp, machine: Machine, chains: bool) -> Outcome:
    """What is computed again fuses with its readers, so that only the fused result tells the seconds."""
    copy = f.clone()
    before = after = schedule_of(copy, machine, chains)
    chosen = cheapest(before, machine)
    if len(chosen.steps) > len(before.steps):
        rewrite(copy.body.block, chosen)
        found = schedule_of(copy, machine, chains)
        if found.seconds() <= before.seconds() * SLACK and found.peak() < before.peak():
            after = found
            f.detach_region(f.body)
            f.add_region(copy.detach_region(copy.body))
    return Outcome((before.peak(), after.peak()), (before.seconds(), after.seconds()))


@dataclass(frozen=True)
class Rematerialize(ModulePass):
    """Compute values again rather than keep them: within `budget` bytes of the arena, or where it costs no time.

    `machine`: a GPU whose seconds count (default: the host's); `chains` as of graph-fuse."""

    name = "rematerialize"
    budget: int | None = None
    machine: str = ""
    chains: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.budget is not None and self.budget < 0:
            raise CompileError(f"rematerialize: expected a budget of 0 bytes or more, found {self.budget}")
        machine = Machine.gpu(self.machine) if self.machine else Machine.host()
        for f in functions(op):
            if len(f.body.blocks) == 1 and is_program(f):
                rematerialize(f, self.budget, machine, self.chains)
