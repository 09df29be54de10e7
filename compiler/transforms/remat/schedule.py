"""A program as steps that read and write buffers: what memory holds after fusion, before anything is fused.

    step 0   matmul    reads x, w     writes a          live a
    step 1   gelu      reads a        writes b          live a b
    step 2   matmul    reads b, v     writes c          live a b c
    step 3   ...

A copy of the program is fused; its kernels, region ops and effects are the steps, in their order, and the ops of the
program that each computes are known. Buffers of arguments, constants and results of the program are not counted: the
arena does not hold them. A step may write again what an earlier one wrote; readers read the last version before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue

from ....dialects.graph.ops import KernelOp
from ....dialects.graph.views import VIEWS, view_of
from ....dialects.nd.constant import Source
from ....dialects.nd.control import Control, Scan
from ....dialects.nd.dims import typical
from ....lowering.stages import replaceable
from ...blocks import clone_block, has_effects
from ...cost import estimate
from ...machine import Machine
from ..graph_fuse import fuse_block
from ..plan_buffers import aligned, bytes_of
from ..region_operands import prepare_regions


@dataclass(frozen=True)
class Step:
    """`ops` are those of the program that it computes, in order; `reads` and `writes` name buffers."""

    ops: tuple[Operation, ...]
    reads: tuple[SSAValue, ...]
    writes: tuple[SSAValue, ...]
    seconds: float = 0.0
    inner: int = 0
    """Bytes that regions need while it runs."""
    replaces: Mapping[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    """A result that may take the place of what the step reads, if that is read no more."""
    pure: bool = True
    group: int | None = None
    """Of a step that runs again: which choice put it there."""


@dataclass(frozen=True)
class Span:
    """A version of a buffer: the step that writes it and the steps that read it."""

    buffer: SSAValue
    first: int
    reads: tuple[int, ...]

    @property
    def last(self) -> int:
        return self.reads[-1] if self.reads else self.first


@dataclass
class Schedule:
    steps: list[Step]
    bytes: dict[SSAValue, int]
    """Of the buffers that the arena holds."""
    origin: dict[SSAValue, SSAValue]
    """The value of the program that a buffer holds; a copy that fusion makes holds none."""

    def spans(self) -> list[Span]:
        """In the order in which they are written."""
        out: list[Span] = []
        now: dict[SSAValue, tuple[int, list[int]]] = {}
        order: list[tuple[SSAValue, int, list[int]]] = []
        for t, step in enumerate(self.steps):
            for v in step.reads:
                if v in now:
                    now[v][1].append(t)
            for v in step.writes:
                if v in self.bytes:
                    now[v] = (t, reads := list[int]())
                    order.append((v, t, reads))
        out += [Span(v, t, tuple(reads)) for v, t, reads in order]
        return out

    def live(self, spans: Sequence[Span]) -> list[int]:
        """Bytes in use at every step."""
        change = [0] * (len(self.steps) + 1)
        ends = {(s.buffer, s.last) for s in spans if s.reads}
        for s in spans:
            change[s.first] += self.bytes[s.buffer]
            change[s.last + 1] -= self.bytes[s.buffer]
        out: list[int] = []
        total = 0
        for t, step in enumerate(self.steps):
            total += change[t]
            taken = dict.fromkeys(old for old in step.replaces.values() if (old, t) in ends)
            out.append(total + step.inner - sum(self.bytes[old] for old in taken))
        return out

    def peak(self) -> int:
        return max(self.live(self.spans()), default=0)

    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)


def schedule_of(f: FuncOp, machine: Machine, chains: bool = True) -> Schedule:
    """The steps of a function of tensor ops without composites."""
    copy = clone_block(f.body.block)
    pairs = dict(zip(copy.ops, f.body.block.ops, strict=True))
    fused = FuncOp.create(properties=f.properties, attributes=f.attributes, regions=[Region(copy)])
    prepare_regions(copy)
    fuse_block(copy, chains)
    schedule = _steps(copy, pairs, machine)
    assert fused.parent is None
    return schedule


def _steps(block: Block, pairs: Mapping[Operation, Operation], machine: Machine) -> Schedule:
    last = block.last_op
    assert last is not None
    kept = {view_of(v).base for v in last.operands}
    out = Schedule([], {}, {})
    for op in block.ops:
        if type(op) in VIEWS or isinstance(op, Source):
            continue
        for k, v in enumerate(op.results):
            if v not in kept:
                out.bytes[v] = typical(aligned(bytes_of(v)))
            if (found := _origin(op, k, pairs)) is not None:
                out.origin[v] = found
        read = dict.fromkeys(view_of(v).base for v in op.operands)
        step = Step(
            tuple(pairs[o] for o in (op.body.block.ops if isinstance(op, KernelOp) else (op,)) if o in pairs),
            tuple(v for v in read if isinstance(v.owner, KernelOp | Control)),
            tuple(op.results),
            _seconds(op, machine),
            _inner(op, machine),
            _replaces(op, out.bytes) if isinstance(op, KernelOp) else {},
            not has_effects(op) and op is not last,
        )
        out.steps.append(step)
    return out


def _origin(op: Operation, k: int, pairs: Mapping[Operation, Operation]) -> SSAValue | None:
    """The value of the program that a result of a kernel or of a region op is."""
    made = op.body.block.last_op.operands[k] if isinstance(op, KernelOp) else op.results[k]  # pyright: ignore
    owner = made.owner
    return pairs[owner].results[made.index] if owner in pairs else None  # pyright: ignore


def _replaces(kernel: KernelOp, counted: Mapping[SSAValue, int]) -> dict[SSAValue, SSAValue]:
    """Which results may overwrite which arguments; no argument twice."""
    out: dict[SSAValue, SSAValue] = {}
    for k, results in replaceable(kernel.body.block).items():
        old = kernel.args[k]
        for new in (kernel.results[r] for r in results):
            if old in counted and new in counted and old.type == new.type and new not in out:
                out[new] = old
                break
    return out


def _seconds(op: Operation, machine: Machine) -> float:
    if isinstance(op, KernelOp):
        return estimate(op, machine=machine).seconds
    if not isinstance(op, Control):
        return 0.0
    trips = typical(op.length) if isinstance(op, Scan) else 1
    return trips * sum(_seconds(inner, machine) for region in op.regions for inner in region.block.ops)


def _inner(op: Operation, machine: Machine) -> int:
    """The most that one of an op's regions needs; what it yields has its place outside."""
    blocks: Iterable[Block] = (r.block for r in op.regions) if isinstance(op, Control) else ()
    return max((_steps(b, {}, machine).peak() for b in blocks), default=0)
