"""Code out of regions: what every trip of a loop computes alike, what both branches compute, what was computed before.

    %r = nd.scan 8 (%v = %w) carry (%c = %x) -> (..) {          %0 = nd.contract %w, %w "a b, c b -> a c"
      %0 = nd.contract %v, %v "a b, c b -> a c"                 %r = nd.scan 8 (%n = %0) carry (%c = %x) -> (..) {
      %1 = nd.contract %0, %c "a b, b -> a"             ->        %1 = nd.contract %n, %c "a b, b -> a"
      nd.yield %1                                                 nd.yield %1
    }                                                           }

What moves is pure and reads invariants alone, in the body or the condition; equal ops of several regions move as one.
Nothing that moves can fail, and nothing costs what would not have been spent:

    out of scans and conditions    any op, also loops and ifs
    out of the body of a while     single ops: a loop of no trips pays at most one trip's
    out of branches                what both compute, or what was computed before; no elementwise op, which costs as
                                   much to store and read as to compute where it is needed

A value that moves lies in memory, so it must take no more room than what it is computed from. Movement moves for the
sake of what reads it only. Effects stay.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.nd.constant import Source
from ...dialects.nd.control import Control, If, Scan, While
from ...dialects.nd.dims import size
from ...dialects.nd.elementwise import Elementwise
from ...dialects.nd.movement import Broadcast, Reshape, Reverse, Slice, Transpose
from ...dialects.nd.op import NdOp
from ...dialects.nd.types import is_tensor, shape_of
from ..blocks import clone
from .prune_control import replaced
from .rewriting import is_pure

MOVEMENT = (Broadcast, Reshape, Reverse, Slice, Transpose)
MOST_READERS = 32
"""Readers of a value among which an op that was computed before is looked for."""


def same_every_trip(op: Scan | While) -> bool:
    """Move what a loop computes of its invariants in front of it."""
    fixed = Invariant(op)
    numbers = [n for n, ops in fixed.ops.items() if _is_work(ops[0]) and not grows(ops[0])]
    return _move(op, fixed, numbers, {})


def same_in_branches(op: If) -> bool:
    """Move what both branches compute in front of an if, and read what one computes where it was computed before."""
    fixed = Invariant(op)
    before: dict[int, Operation] = {}
    numbers: list[int] = []
    for n, ops in fixed.ops.items():
        first = ops[0]
        if not _is_work(first) or isinstance(first, Elementwise) or grows(first):
            continue
        twin = _computed_before(op, fixed, first)
        if twin is not None:
            before[n] = twin
        if twin is not None or fixed.regions[n] == {0, 1}:
            numbers.append(n)
    return _move(op, fixed, numbers, before)


@dataclass
class Invariant:
    """What the regions of an op compute of invariants alone, numbered so that equal values have one number."""

    of: Control
    number: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    """By value inside, and by invariant outside."""
    ops: dict[int, list[Operation]] = field(default_factory=dict[int, list[Operation]])
    """By the number of their first result; equal ones, of all regions."""
    regions: dict[int, set[int]] = field(default_factory=dict[int, set[int]])
    keys: dict[Hashable, int] = field(default_factory=dict[Hashable, int])

    def __post_init__(self) -> None:
        invariants = self.of.groups[0]
        for v in invariants:
            self.number.setdefault(v, len(self.number))
        self.count = len(self.number)
        for k, region in enumerate(self.of.regions):
            for arg, v in zip(region.block.args, invariants, strict=False):
                self.number[arg] = self.number[v]
            for inner in region.block.ops:
                if _may_move(inner, self.of, k) and all(v in self.number for v in inner.operands):
                    self._add(k, inner)

    def _add(self, region: int, op: Operation) -> None:
        operands = tuple(self.number[v] for v in op.operands)
        types = tuple(r.type for r in op.results)
        own: Hashable = len(self.keys) if op.regions else None  # ops with regions are equal to none
        key = (type(op), operands, tuple(op.properties.items()), types, own)
        first = self.keys.get(key)
        if first is None:
            first = self.keys[key] = self.count
            self.count += len(op.results)
        for k, r in enumerate(op.results):
            self.number[r] = first + k
        self.ops.setdefault(first, []).append(op)
        self.regions.setdefault(first, set()).add(region)

    def readers(self, n: int) -> Iterator[Operation]:
        for op in self.ops[n]:
            for r in op.results:
                for use in r.uses:
                    yield use.operation


def _may_move(inner: Operation, op: Control, region: int) -> bool:
    """Is an op in this region of another surely run, or one that costs little, and without effects?"""
    if isinstance(inner, Control):
        surely = isinstance(op, Scan) or (isinstance(op, While) and region == 0)
        return surely and bool(inner.results) and is_pure(inner)
    return isinstance(inner, NdOp) and is_pure(inner)


def _is_work(op: Operation) -> bool:
    return not isinstance(op, (Source, *MOVEMENT))


def grows(op: Operation) -> bool:
    """Does it take more room than what it reads?"""
    results = [shape_of(r.type) for r in op.results if is_tensor(r.type)]
    operands = [shape_of(v.type) for v in op.operands if is_tensor(v.type)]
    if len(results) == 1 and results[0] in operands:
        return False
    made, read = [size(s) for s in results], [size(s) for s in operands]
    known = [n for n in (*made, *read) if isinstance(n, int)]
    return len(known) < len(made) + len(read) or sum(known[: len(made)]) > sum(known[len(made) :])


def _computed_before(op: Control, fixed: Invariant, inner: Operation) -> Operation | None:
    """An equal op in front of the op, whose operands are invariants."""
    outer = {fixed.number[v]: v for v in reversed(op.groups[0])}
    operands = [outer.get(fixed.number[v]) for v in inner.operands]
    if not operands or operands[0] is None:
        return None
    for use in islice(operands[0].uses, MOST_READERS):
        other = use.operation
        if (
            type(other) is type(inner)
            and other.parent is op.parent
            and all(a is b for a, b in zip(other.operands, operands, strict=True))
            and other.properties == inner.properties
            and [r.type for r in other.results] == [r.type for r in inner.results]
            and other.is_before_in_block(op)
        ):
            return other
    return None


def _move(op: Control, fixed: Invariant, numbers: list[int], before: dict[int, Operation]) -> bool:
    """Compute these in front of the op, or take them from there, and hand them in as invariants."""
    moving = {inner for n in numbers for inner in fixed.ops[n]}
    roots = [n for n in numbers if any(reader not in moving for reader in fixed.readers(n))]
    if not roots:
        return False
    made: dict[int, SSAValue] = {fixed.number[v]: v for v in reversed(op.groups[0])}
    for n, twin in before.items():
        made.update((n + k, r) for k, r in enumerate(twin.results))

    def outside(n: int) -> None:
        """Make the results of the op of this number."""
        inner = fixed.ops[n][0]
        for v in inner.operands:
            if fixed.number[v] not in made:
                outside(first_of[fixed.number[v]])
        env = {v: made[fixed.number[v]] for v in inner.operands}
        assert op.parent is not None
        new = clone(inner, env)
        op.parent.insert_op_before(new, op)
        made.update((n + k, r) for k, r in enumerate(new.results))

    first_of = {n + k: n for n, ops in fixed.ops.items() for k in range(len(ops[0].results))}
    for n in roots:
        if n not in made:
            outside(n)
    groups = op.groups
    for n in roots:
        for k in range(len(fixed.ops[n][0].results)):
            for region in op.regions:
                _as_argument(region.block, len(groups[0]), [inner.results[k] for inner in fixed.ops[n]])
            groups[0].append(made[n + k])
    replaced(op, groups, [True] * len(op.results))
    return True


def _as_argument(block: Block, at: int, values: list[SSAValue]) -> None:
    """A new argument of a block, which stands for those of the values that are in it."""
    arg = block.insert_arg(values[0].type, at)
    arg.name_hint = values[0].name_hint
    own = [v for v in values if v.owner.parent is block]
    made = (own or values)[0].owner
    assert isinstance(made, Operation)
    arg.location = made.location
    for v in own:
        v.replace_all_uses_with(arg)
