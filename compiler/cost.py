"""The one cost interface: `estimate(kernel or program, schedule, machine)` in seconds, with the terms it is made of.

A roofline: a kernel takes the longer of its operations at peak and its traffic at the bandwidth of the cache that holds
it, and a launch on top; a program takes what its kernels take. Symbols count as `report.TYPICAL` unless `sizes` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block

from ..dialects.graph.ops import KernelOp, LaunchOp
from ..dialects.nd.dims import Dim, Sym, evaluate
from ..dialects.nd.op import NdOp
from .machine import Machine
from .report import TYPICAL, alone, body_amount, counted, works

LAUNCH_SECONDS = 20e-9
"""A native call with its arguments."""

SCALAR_SHARE = 1 / 8
"""Of the peak, what a kernel without a vectorising schedule reaches."""


@dataclass(frozen=True)
class Cost:
    """`terms`: seconds of `operations`, `memory` and `launch`; the first two overlap."""

    seconds: float
    terms: Mapping[str, float] = field(default_factory=dict[str, float])

    def times(self, n: int) -> Cost:
        return Cost(self.seconds * n, {k: v * n for k, v in self.terms.items()})

    def __add__(self, other: Cost) -> Cost:
        names = {**self.terms, **other.terms}
        return Cost(self.seconds + other.seconds, {n: self.terms.get(n, 0.0) + other.terms.get(n, 0.0) for n in names})


def estimate(
    what: ModuleOp | FuncOp | KernelOp,
    schedule: str = "",
    machine: Machine | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Cost:
    """The cost of a kernel, or of a program whose kernels are in its module."""
    machine = machine or Machine.host()
    if isinstance(what, ModuleOp):
        total = Cost(0.0)
        for op in what.body.block.ops:
            if isinstance(op, FuncOp) and (op.sym_visibility is None or op.sym_visibility.data != "private"):
                total = total + _program(op, what, schedule, machine, sizes or {})
        return total
    if isinstance(what, FuncOp) and any(isinstance(op, LaunchOp | KernelOp) for op in what.walk()):
        module = what.parent_op()
        assert isinstance(module, ModuleOp)
        return _program(what, module, schedule, machine, sizes or {})
    return _kernel(what.body.block, schedule, machine, sizes or {})


def _program(main: FuncOp, module: ModuleOp, schedule: str, machine: Machine, sizes: Mapping[str, int]) -> Cost:
    functions = {f.sym_name.data: f for f in module.body.block.ops if isinstance(f, FuncOp)}
    total = Cost(0.0)
    for op, trips in counted(main.body.block):
        if isinstance(op, LaunchOp):
            one = _kernel(functions[op.kernel].body.block, schedule, machine, sizes)
        elif isinstance(op, KernelOp):
            one = _kernel(op.body.block, schedule, machine, sizes)
        elif isinstance(op, NdOp) and works(op):
            amount = alone(op)
            one = _roofline(amount.operations, amount.bytes, schedule, machine, sizes)
        else:
            continue
        total = total + one.times(_number(trips, sizes))
    return total


def _kernel(block: Block, schedule: str, machine: Machine, sizes: Mapping[str, int]) -> Cost:
    amount = body_amount(block)
    return _roofline(amount.operations, amount.bytes, schedule, machine, sizes)


def _number(d: Dim, sizes: Mapping[str, int]) -> int:
    return evaluate(d, {n: sizes.get(n, TYPICAL) for n in d.names()}) if isinstance(d, Sym) else d


def _roofline(operations: Dim, traffic: Dim, schedule: str, machine: Machine, sizes: Mapping[str, int]) -> Cost:
    peak = machine.flops(4)
    if schedule and "loop-vectorize" not in schedule:
        peak *= SCALAR_SHARE
    moved = _number(traffic, sizes)
    work = _number(operations, sizes) / peak
    memory = moved / machine.bandwidth(moved)
    terms = {"operations": work, "memory": memory, "launch": LAUNCH_SECONDS}
    return Cost(max(work, memory) + LAUNCH_SECONDS, terms)
