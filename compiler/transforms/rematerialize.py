"""Compute again what a program would keep in memory for long, until it needs no more than so many bytes.

    %0 = nd.exp %x : tensor<1024x1024xf32>             %0 = nd.exp %x : ...
    %1 = nd.reduce max %0 "a b -> a" : ...             %1 = nd.reduce max %0 "a b -> a" : ...
    ...                                       ->       ...
    %8 = nd.mul %7, %0 : ...                           %b = nd.barrier %x : ...
                                                       %7 = nd.exp %b : ...
                                                       %8 = nd.mul %7, %7 : ...

What lies in memory is known after fusion, so a copy of the program is fused and its kernels are the steps
(`remat/schedule.py`); which buffers to compute again is a greedy choice by bytes, steps and seconds
(`remat/choice.py`). Bytes are those of the arena at once; symbolic sizes count as typical ones. The result needs as few
bytes as were found: an estimate, of which the plan has the last word. Ops with effects run once; a region op is
computed again as a whole or not at all. A program within the budget stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..machine import Machine
from .decompose import decompose
from .graph_fuse import is_program
from .remat.choice import fit
from .remat.rewrite import rewrite
from .remat.schedule import schedule_of
from .rewriting import functions


@dataclass(frozen=True)
class Outcome:
    """Estimated bytes at the peak and seconds, before and after."""

    bytes: tuple[int, int]
    seconds: tuple[float, float]


def rematerialize(f: FuncOp, budget: int, machine: Machine | None = None, chains: bool = True) -> Outcome:
    """Rewrite a function of tensor ops to need at most `budget` bytes of the arena at once, or as few as is found."""
    machine = machine or Machine.host()
    decompose(f.body.block)
    before = schedule_of(f, machine, chains)
    after = fit(before, budget)
    if len(after.steps) > len(before.steps):
        rewrite(f.body.block, after)
    return Outcome((before.peak(), after.peak()), (before.seconds(), after.seconds()))


@dataclass(frozen=True)
class Rematerialize(ModulePass):
    """Compute values again rather than keep them, until a program needs at most `budget` bytes.

    `machine`: whose seconds count (compiler/machine.py); `chains` as of graph-fuse."""

    name = "rematerialize"
    budget: int
    machine: str = ""
    chains: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = Machine.gpu(self.machine) if self.machine else Machine.host()
        for f in functions(op):
            if len(f.body.blocks) == 1 and is_program(f):
                rematerialize(f, self.budget, machine, self.chains)
