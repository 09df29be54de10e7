"""Which threads cannot use what they read: such a read is no race, and may be of what nobody wrote.

    %i = arith.minui %tx, %c32 : index
    %v = memref.load %x[%i] : memref<33xf32>       threads from 33 read what thread 32 may have written,
    %in = arith.cmpi ult, %tx, %c33 : index        and drop it
    scf.if %in {
      memref.store %v, %x[%i] : memref<33xf32>
    }

Followed through ops on values, what is read must end in stores, each inside of an `scf.if` or behind an `arith.select`
whose condition is known where it is read. Any other use counts as one by every thread.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from xdsl.dialects import scf
from xdsl.dialects.builtin import i1
from xdsl.ir import BlockArgument, Operation, OpResult, SSAValue

from .interpret_arith import Array
from .interpret_values import PURE

if TYPE_CHECKING:
    from .interpret_threads import Threads

STORES = ("memref.store", "vector.transfer_write")
"""Their first operand is what they write."""
MOST_PATHS = 64


class Guard(NamedTuple):
    """A thread uses a value only where the condition has this value."""

    condition: SSAValue
    holds: bool


Path = tuple[Guard, ...]


class Guards:
    """What is known of the reads of one launch."""

    def __init__(self) -> None:
        self.paths: dict[Operation, list[Path] | None] = {}
        self.leaves: dict[Operation, list[SSAValue]] = {}
        self.known: dict[Operation, tuple[list[Any], Array]] = {}
        """The last answer for an op, and the values that it came from."""

    def unused(self, frame: Threads, op: Operation) -> Array | None:
        """Of each thread, whether it cannot use what the op reads; None if all may."""
        if op not in self.paths:
            self.paths[op] = paths_of(op)
            self.leaves[op] = list(dict.fromkeys(x for p in self.paths[op] or () for g in p for x in leaves(g[0])))
        paths = self.paths[op]
        if paths is None:
            return None
        values: list[Any] = [frame.values[v] for v in self.leaves[op]]
        found = self.known.get(op)
        if found is None or any(a is not b for a, b in zip(values, found[0], strict=True)):
            out = np.ones(frame.count, np.bool_)
            for path in paths:
                out &= np.any([spread(frame, g.condition) != g.holds for g in path], axis=0)
            found = self.known[op] = values, out
        return found[1]


def paths_of(read: Operation) -> list[Path] | None:
    """The ways from a read to stores, with their guards that are known at the read; None if one has none."""
    out: list[Path] = []
    seen: set[tuple[SSAValue, Path]] = set()

    def follow(value: SSAValue, path: Path) -> bool:
        if (value, path) in seen:
            return True
        seen.add((value, path))
        return len(seen) <= MOST_PATHS and all(use_of(u.operation, u.index, path) for u in value.uses)

    def use_of(op: Operation, index: int, path: Path) -> bool:
        path = path + enclosing(op, read)
        if op.name in PURE:
            if op.name == "arith.select" and index > 0 and op.operands[0].type == i1:
                path = (*path, Guard(op.operands[0], index == 1))
            return follow(op.results[0], path)
        if op.name in STORES and index == 0:
            out.append(tuple(g for g in dict.fromkeys(path) if is_known(g.condition, read)))
            return bool(out[-1])
        parent = op.parent_op()
        if isinstance(op, scf.YieldOp) and isinstance(parent, scf.IfOp | scf.ForOp):
            carried = isinstance(parent, scf.IfOp) or follow(parent.body.block.args[1 + index], path)
            return carried and follow(parent.results[index], path)
        if isinstance(op, scf.ForOp) and index >= 3:
            return follow(op.body.block.args[index - 2], path) and follow(op.results[index - 3], path)
        return False

    return out if all(follow(r, ()) for r in read.results) else None


def enclosing(op: Operation, read: Operation) -> Path:
    """The conditions under which an op runs, as far as they do not surround the read."""
    out: list[Guard] = []
    while (parent := op.parent_op()) is not None and not parent.is_ancestor(read):
        if isinstance(parent, scf.IfOp):
            out.append(Guard(parent.cond, op.parent_region() is parent.true_region))
        op = parent
    return tuple(out)


def is_known(value: SSAValue, read: Operation) -> bool:
    """Can a value be computed where the read stands, from what ran before it?"""
    return all(stands_before(leaf, read) for leaf in leaves(value))


def leaves(value: SSAValue) -> list[SSAValue]:
    """The values from which ops on values alone compute a value."""
    if isinstance(value, OpResult) and value.op.name in PURE:
        return [leaf for operand in value.op.operands for leaf in leaves(operand)]
    return [value]


def stands_before(value: SSAValue, read: Operation) -> bool:
    if isinstance(value, BlockArgument):
        return value.block.is_ancestor(read)
    assert isinstance(value, OpResult)
    block = value.op.parent
    place = block.find_ancestor_op_in_block(read) if block is not None else None
    return place is not None and value.op.is_before_in_block(place)


def spread(frame: Threads, value: SSAValue) -> Array:
    """A condition's value in each thread, computed anew."""
    from .interpret_threads import Lanes

    def compute(v: SSAValue) -> Any:
        if not (isinstance(v, OpResult) and v.op.name in PURE):
            return frame.values[v]
        args = [compute(o) for o in v.op.operands]
        if not any(isinstance(a, Lanes) for a in args):
            return PURE[v.op.name](v.op, [np.asarray(a) for a in args], ())
        lanes = [a.data if isinstance(a, Lanes) else np.broadcast_to(a, (frame.count, *np.shape(a))) for a in args]
        return Lanes(PURE[v.op.name](v.op, lanes, (frame.count,)))

    found = compute(value)
    return found.data if isinstance(found, Lanes) else np.broadcast_to(np.asarray(found), (frame.count,))
