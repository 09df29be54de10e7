"""The cost of a program: its kernels, and where the bytes between them lie.

A value is read from the cache that holds all that was touched since it was touched last (its reuse distance, after
Mattson et al., Evaluation Techniques for Storage Hierarchies, 1970); arguments and constants were touched in the call
before. A result is written where the kernel that makes it works; what a schedule copies first to read it again and
again is copied in the second cache.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue

from ...dialects.graph.ops import CONSTANT, CopyOp, KernelOp, LaunchOp
from ...dialects.graph.views import view_of
from ...dialects.nd.control import Control, Scan
from ...dialects.nd.dims import Dim, Sym, evaluate, size
from ...dialects.nd.types import NUMPY, element, shape_of
from ..machine import Machine
from ..report import TYPICAL
from ..transforms.graph_outline import Constants
from . import ZERO, Cost
from .kernel import Work, work_of

EXPOSED = 0.5
"""Of the shorter of work and memory, what does not hide behind the longer."""


@dataclass(frozen=True)
class Launch:
    """A kernel that runs, and what it is given; `constants`: which of its arguments never change."""

    body: Block
    args: Sequence[SSAValue]
    results: Sequence[SSAValue]
    constants: Sequence[bool]


class Pricing:
    """Estimates on one machine for one choice of sizes; `share` of its speed is reached."""

    def __init__(self, machine: Machine, sizes: Mapping[str, int], share: float = 1.0) -> None:
        self.machine, self.sizes, self.share = machine, sizes, share

    def number(self, d: Dim) -> int:
        return evaluate(d, {n: self.sizes.get(n, TYPICAL) for n in d.names()}) if isinstance(d, Sym) else d

    def bytes_of(self, value: SSAValue) -> int:
        return self.number(size(shape_of(value.type))) * NUMPY[element(value.type)].itemsize

    def kernel(self, body: Block) -> Cost:
        """One kernel alone, called again and again."""
        f = body.parent_op()
        given = f.arg_attrs.data if isinstance(f, FuncOp) and f.arg_attrs is not None else ()
        constants = [CONSTANT in a.data for a in given] or [False] * len(body.args)
        work = work_of(body, constants, self)
        moved = sum(work.reads.values()) + work.derived + work.written
        return self.cost(work, moved / self.machine.bandwidth(moved), moved)

    def program(self, block: Block, kernels: Mapping[str, FuncOp]) -> Cost:
        """A block with kernels or launches of these functions, and the blocks of its regions."""
        launches = self.launches(block, kernels)
        works = [work_of(launch.body, launch.constants, self) for launch in launches]
        bases = [[view_of(v).base for v in launch.args] for launch in launches]
        touched: dict[SSAValue, int] = {}
        for launch, work, of in zip(launches, works, bases):
            touched |= {of[k]: max(n, touched.get(of[k], 0)) for k, n in work.reads.items()}
            touched |= {r: self.bytes_of(r) for r in launch.results}
        everything = sum(touched.values()) + sum(w.derived for w in works)
        at: dict[SSAValue, int] = {}
        total, clock = ZERO, 0
        for launch, work, of in zip(launches, works, bases):
            own = sum(work.reads.values()) + work.derived + work.written
            seconds = work.derived / self.machine.bandwidth(everything)
            for k, n in work.reads.items():
                since = min(clock - at[of[k]], everything) if of[k] in at else everything
                seconds += n / self.machine.bandwidth(max(since, own))
            seconds += work.written / self.machine.bandwidth(own)
            clock += own
            at |= {of[k]: clock for k in work.reads}
            at |= dict.fromkeys(launch.results, clock)
            total = total + self.cost(work, seconds, own)
        return total + self.others(block, kernels)

    def others(self, block: Block, kernels: Mapping[str, FuncOp]) -> Cost:
        """What is no kernel: regions, each as often as it runs, and copies."""
        total = ZERO
        for op in block.ops:
            if isinstance(op, Control):
                trips = self.number(op.length) if isinstance(op, Scan) else 1
                for region in op.regions:
                    total = total + self.program(region.block, kernels).times(trips)
            elif isinstance(op, CopyOp):
                moved = 2 * self.bytes_of(op.results[0] if op.results else op.operands[0])
                total = total + self.cost(Work(), moved / self.machine.bandwidth(moved), moved)
        return total

    def launches(self, block: Block, kernels: Mapping[str, FuncOp]) -> list[Launch]:
        """Kernels that run with every call, in order."""
        known = Constants(block)
        out: list[Launch] = []
        for op in block.ops:
            if isinstance(op, KernelOp) and op not in known.prepared:
                out.append(Launch(op.body.block, op.args, op.results, [known.holds(a) for a in op.args]))
            elif isinstance(op, LaunchOp):
                f = kernels[op.kernel]
                given = f.arg_attrs.data if f.arg_attrs is not None else ()
                constants = [CONSTANT in a.data for a in given] or [False] * len(op.args)
                out.append(Launch(f.body.block, op.args, op.results, constants))
        return out

    def cost(self, work: Work, memory: float, moved: int) -> Cost:
        memory += 2 * work.copied / self.machine.bandwidth(self.machine.l2_bytes)
        operations, math, launch = work.operations / self.share, work.math / self.share, self.machine.launch_ns * 1e-9
        terms = {"operations": operations, "math": math, "memory": memory, "launch": launch}
        least, most = sorted((operations + math, memory))
        return Cost(most + EXPOSED * least + launch, terms, 1, work.count, moved)
