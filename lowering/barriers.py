"""insert-barriers: the fewest places where the threads of a block must wait for each other.

A launch is read from its beginning to its end, a loop twice. Since the last barrier, memory was read here and written
there; what conflicts with that waits first. Not a conflict: what a thread does at the very place where it did the other
thing, since no two threads write one place.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects import builtin, scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.gpu import LOCKSTEP, PRIVATE, WORKGROUP, BarrierOp, LaunchOp
from ..dialects.nvgpu.ops import CopyOp, WaitOp

VIEWS = ("memref.reinterpret_cast", "memref.subview", "memref.cast")
READS: dict[str, int] = {
    "memref.load": 0,
    "vector.transfer_read": 0,
    "vector.load": 0,
    "vector.gather": 0,
    "nvgpu.ldmatrix": 0,
}
"""The operand that an op reads."""

WRITES: dict[str, int] = {
    "memref.store": 1,
    "vector.transfer_write": 1,
    "vector.store": 1,
}
"""The operand that an op writes."""


class Touch(NamedTuple):
    """An access of memory: where it is allocated, and the view and indices as values, with what decides which threads
    come there."""

    root: SSAValue
    place: tuple[SSAValue, ...]
    writes: bool
    later: bool = False
    """Does it write only where a wait says that it has?"""


class Pending(NamedTuple):
    """What was touched since the last barrier, and the copies that may be under way."""

    touched: dict[Touch, None] = {}
    flying: dict[Touch, None] = {}

    def conflicts(self, touch: Touch) -> bool:
        """Must what was touched before be complete? Results in the program's memory are written in parts, once each."""
        block = isinstance(touch.root.type, MemRefType) and touch.root.type.memory_space == WORKGROUP
        return any(
            other.root is touch.root
            and other.place != touch.place
            and (other.writes != touch.writes or (touch.writes and block))
            for other in self.touched
        )

    def after(self, found: Sequence[Touch]) -> Pending:
        now = dict.fromkeys(t for t in found if not t.later)
        return Pending(self.touched | now, self.flying | dict.fromkeys(t for t in found if t.later))

    def landed(self) -> Pending:
        """After a wait: some of the copies have written."""
        return self.after([t._replace(later=False) for t in self.flying])

    def together(self, other: Pending) -> Pending:
        return Pending(self.touched | other.touched, self.flying | other.flying)


def root_of(value: SSAValue) -> SSAValue:
    """The argument or allocation that a memref lies in."""
    while isinstance(value.owner, Operation) and value.owner.name in VIEWS:
        value = value.owner.operands[0]
    return value


def touches(op: Operation) -> list[Touch]:
    """What an op without regions reads and writes that other threads may touch."""
    if isinstance(op, CopyOp):
        places = ((op.src, op.src_indices, False), (op.dst, op.dst_indices, True))
        return [Touch(root_of(m), (m, *at), writes, writes) for m, at, writes in places]
    found: list[Touch] = []
    for table, writes in ((READS, False), (WRITES, True)):
        if op.name not in table:
            continue
        memory = op.operands[table[op.name]]
        root = root_of(memory)
        if isinstance(root.type, MemRefType) and root.type.memory_space != PRIVATE:
            place = tuple(v for v in op.operands if v is memory or isinstance(v.type, builtin.IndexType))
            found.append(Touch(root, place, writes))
    return found


class Launches:
    """Puts barriers into one launch."""

    def __init__(self, launch: LaunchOp) -> None:
        self.varying: set[SSAValue] = set(launch.body.block.args[3:6])
        """Values that differ between the threads of a block."""
        self.spread(launch.body.block)
        self.scan(launch.body.block, Pending())

    def spread(self, block: Block) -> None:
        for op in block.ops:
            varies = any(o in self.varying for o in op.operands) or op.name == "gpu.shuffle"
            if varies:
                self.varying.update(op.results)
                if isinstance(op, scf.ForOp):
                    self.varying.update(op.body.block.args)
            for region in op.regions:
                for inner in region.blocks:
                    if isinstance(op, scf.ForOp):
                        self.varying.update(inner.args[1:])
                    self.spread(inner)
            if isinstance(op, scf.ForOp):
                self.varying.update(op.results)

    def together(self, op: Operation) -> bool:
        """Do all threads take the same way through the op's regions?"""
        deciding = op.operands[:3] if isinstance(op, scf.ForOp) else op.operands[:1]
        return isinstance(op, scf.ForOp | scf.IfOp) and not any(v in self.varying for v in deciding)

    def scan(self, block: Block, pending: Pending) -> Pending:
        for op in list(block.ops):
            inside = [t for inner in op.walk() for t in touches(inner)]
            if isinstance(op, BarrierOp):
                pending = pending._replace(touched={})
            elif isinstance(op, WaitOp):
                pending = pending.landed()
            elif not op.regions:
                pending = self.waited(op, inside, pending).after(inside)
            elif not self.together(op):
                self.require_apart(op, inside)
                some = [t._replace(place=(*t.place, *op.operands)) for t in inside]
                pending = self.waited(op, some, pending).after(some)
            elif isinstance(op, scf.ForOp):
                pending = self.waited(op, inside, pending)  # once, and not in every iteration
                for _ in range(2):  # the second time behind an iteration
                    pending = pending.together(self.scan(op.body.block, pending))
            else:
                pending = self.waited(op, inside, pending)
                ends = [self.scan(r.block, pending) for r in op.regions if r.blocks]
                pending = reduce(Pending.together, ends, Pending() if len(ends) > 1 else pending)
        return pending

    def waited(self, op: Operation, found: Sequence[Touch], pending: Pending) -> Pending:
        """What is pending where an op begins, behind a barrier if it needs one."""
        if not any(pending.conflicts(t) for t in found):
            return pending
        block = op.parent
        assert block is not None
        block.insert_ops_before([BarrierOp.create(location=op.location)], op)
        return pending._replace(touched={})

    def require_apart(self, op: Operation, inside: list[Touch]) -> None:
        """Threads that go different ways cannot wait for each other."""
        seen = Pending()
        for t in inside:
            if seen.conflicts(t):
                name = t.root.name_hint or "memory"
                message = f"insert-barriers: expected all threads to come where they wait for %{name}, found {op.name}"
                raise CompileError(f"{message} whose way depends on the thread", op.location)
            seen = seen.after([t])


@dataclass(frozen=True)
class InsertBarriers(ModulePass):
    """Threads of a block wait where one reads what another wrote, or writes what another has read.

        memref.store %part, %partial[%tx] : memref<128xf32, #gpu.address_space<workgroup>>
        %other = memref.load %partial[%c0] : memref<128xf32, #gpu.address_space<workgroup>>
    becomes
        memref.store %part, %partial[%tx] : memref<128xf32, #gpu.address_space<workgroup>>
        gpu.barrier
        %other = memref.load %partial[%c0] : memref<128xf32, #gpu.address_space<workgroup>>

    Regions that all threads enter together are read like straight code, loops twice; others count as one op. Memory of
    a thread, and launches of one thread, need none. Views are traced to what they are views of; nothing else aliases.
    """

    name = "insert-barriers"

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        for launch in [inner for inner in op.walk() if isinstance(inner, LaunchOp)]:
            launch.attributes.pop(LOCKSTEP, None)
            if not single(launch):
                Launches(launch)


def single(launch: LaunchOp) -> bool:
    """Has each block one thread?"""
    count = launch.block_x.owner
    value = count.properties.get("value") if isinstance(count, Operation) else None
    return isinstance(value, builtin.IntegerAttr) and value.value.data == 1
