"""How long a program takes, roughly, as a polynomial of its symbols: for decisions that are made with every call.

The run time keeps the interpreter's lock in short calls, and looks for signals in long ones; the entry looks for them
between kernels that add up to something. The estimate is the sum of operations at the machine's peak and of traffic at
the bandwidth of its second cache, in picoseconds; `cost.estimate` is finer, and is for one choice of the sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block

from ..dialects.graph.ops import CopyOp, LaunchOp
from ..dialects.nd.control import Control, Scan, While
from ..dialects.nd.dims import Dim
from ..dialects.nd.op import NdOp
from .machine import Machine
from .report import body_amount


@dataclass(frozen=True)
class Work:
    """Picoseconds of one launch of each kernel, and of the program; 0 is not known."""

    kernels: Mapping[str, Dim] = field(default_factory=dict[str, Dim])
    program: Dim = 0


def work_of(module: ModuleOp, machine: Machine | None = None) -> Work:
    """The work of a module of the graph level whose kernels are tensor ops still."""
    machine = machine or Machine.host()
    kernels: dict[str, Dim] = {}
    total: Dim | None = 0
    for f in [op for op in module.body.block.ops if isinstance(op, FuncOp) and op.body.blocks]:
        if f.sym_visibility is not None and f.sym_visibility.data == "private":
            kernels[f.sym_name.data] = _kernel(f.body.block, machine)
    for f in [op for op in module.body.block.ops if isinstance(op, FuncOp) and op.body.blocks]:
        if f.sym_name.data not in kernels:
            total = _program(f.body.block, kernels, launch_of(machine))
    return Work(kernels, 0 if total is None else total + 1)


def launch_of(machine: Machine) -> int:
    """Picoseconds of a launch itself."""
    return max(1, round(1e3 * machine.launch_ns))


def _kernel(block: Block, machine: Machine) -> Dim:
    """0 where the body is something else than tensor ops."""
    if not all(isinstance(op, NdOp) or op is block.last_op for op in block.ops):
        return 0
    amount = body_amount(block)
    operation, byte = round(1e12 / machine.flops(4)), round(1e3 / machine.l2_gbs)
    return amount.operations * max(1, operation) + amount.bytes * max(1, byte) + launch_of(machine)


def _program(block: Block, kernels: Mapping[str, Dim], launch: int) -> Dim | None:
    """None where a loop decides itself when to stop, or a kernel is not known."""
    total: Dim = 0
    for op in block.ops:
        if isinstance(op, LaunchOp):
            one: Dim | None = kernels.get(op.kernel) or None
        elif isinstance(op, While):
            one = None
        elif isinstance(op, Control):
            one = 0
            for region in op.regions:
                inner = _program(region.block, kernels, launch)
                one = None if one is None or inner is None else one + inner
            if isinstance(op, Scan) and one is not None:
                one = one * op.length + launch
        else:
            one = launch if isinstance(op, CopyOp) else 0
        if one is None:
            return None
        total = total + one
    return total
