"""The one driver of tensor-level rewrites: a worklist over a block, rules found by the op's class.

A rewrite looks at an op and answers with the value that stands for it, built at the current place, or None. The driver
puts what was built before the op, hands over name hint and attributes, fuses the locations of all ops that the new one
makes superfluous, erases those, and looks again at the ops around. So a rule fires on the result of another in the same
run, dead ops are gone at the end, and no op keeps a reader that is dead.

Invariants: the result has the op's type; ops are visited in program order the first time, then as they change; a run
ends after `LIMIT` rewrites for each op it started with, by an error that names the rule.

Numerics levels, which every rule carries:

    exact  bitwise equal, also for NaN, infinities and -0
    ieee   within the op's tolerance and no less accurate, where no value is NaN or infinite on either side; -0 may be 0
    fast   re-association across cancellation, algebra of finite values (x * 0 -> 0, x - x -> 0)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from xdsl.dialects.builtin import FusedLoc, LocationAttr, NoneAttr, UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import Pure

from ...dialects.errors import CompileError
from ...dialects.nd.array import Array
from ...dialects.nd.control import Control
from ...dialects.nd.op import building
from ..blocks import has_effects
from .rules.selection import selection

LEVELS = ("exact", "ieee", "fast")
LIMIT = 16
MANY = 16
"""Readers of a value that a change brings up again."""
MOST_PLACES = 8
"""A fused location keeps this many places; more tell a reader nothing."""
NO_METADATA = NoneAttr()


@dataclass(frozen=True)
class Replacement:
    """What a rewrite of several results answers: `new` stand for `old`; built ops go before `before`."""

    old: Sequence[SSAValue]
    new: Sequence[Array]
    before: Operation


Answer = Array | Replacement | None
Apply = Callable[[Any], Answer]


@dataclass(frozen=True)
class Rewrite:
    """One rule: its function, named by it, with the ops it starts from and its numerics level; `group` is its topic."""

    name: str
    ops: tuple[type[Operation], ...]
    level: str
    apply: Apply
    group: str = ""


class Table:
    """The rewrites of one topic, whose group is the name of the module, filled by the decorator:

    @rules.on(Neg, level="exact")
    def neg_neg(op):  # -(-x) -> x
    """

    def __init__(self) -> None:
        self.rewrites: list[Rewrite] = []

    def on(self, *ops: type[Operation], level: str) -> Callable[[Apply], Apply]:
        assert level in LEVELS

        def add(fn: Apply) -> Apply:
            self.rewrites.append(Rewrite(fn.__name__, ops, level, fn, group=fn.__module__.rpartition(".")[2]))
            return fn

        return add


Rules = Mapping[type[Operation], Sequence[Rewrite]]


def by_class(rewrites: Iterable[Rewrite], numerics: str = "fast") -> Rules:
    """The rewrites allowed at a numerics level, by the class of op that they start from."""
    allowed = LEVELS[: LEVELS.index(numerics) + 1]
    out: dict[type[Operation], list[Rewrite]] = {}
    for rewrite in rewrites:
        if rewrite.level in allowed:
            for op in rewrite.ops:
                out.setdefault(op, []).append(rewrite)
    return out


def functions(module: Operation) -> Iterator[FuncOp]:
    """The functions that passes of this level work on: all with a body."""
    for op in module.regions[0].block.ops if not isinstance(module, FuncOp) else [module]:
        if isinstance(op, FuncOp) and op.body.blocks:
            yield op


def blocks(op: Operation) -> Iterator[Block]:
    """The blocks of an op's regions, inner ones first."""
    for region in op.regions:
        for block in region.blocks:
            for inner in block.ops:
                if inner.regions:
                    yield from blocks(inner)
            yield block


# What ops may be dropped or merged.

_pure: dict[type[Operation], bool] = {}


def is_pure(op: Operation) -> bool:
    """No effects: may be erased when unread, and merged with an equal one."""
    kind = type(op)
    if issubclass(kind, Control):
        return not has_effects(op)
    found = _pure.get(kind)
    if found is None:
        found = _pure[kind] = kind.has_trait(Pure)
    return found


def is_dead(op: Operation) -> bool:
    for r in op.results:
        if r.first_use is not None:
            return False
    return bool(op.results or isinstance(op, Control)) and is_pure(op)


def erase(op: Operation) -> None:
    """Take an op that nobody reads out of the program."""
    op.detach()
    op.drop_all_references()


# Locations.


def _places(location: Any) -> Sequence[LocationAttr]:
    return location.locations.data if isinstance(location, FusedLoc) else (location,)  # pyright: ignore


def fuse(locations: Sequence[LocationAttr]) -> LocationAttr:
    """One location from several: parts in order, without repetition or unknowns."""
    parts: dict[LocationAttr, None] = {}
    for location in locations:
        for part in _places(location):
            if not isinstance(part, UnknownLoc):
                parts[part] = None
        if len(parts) >= MOST_PLACES:
            break
    if len(parts) < 2:
        return next(iter(parts), UnknownLoc())
    return FusedLoc(tuple(parts)[:MOST_PLACES], NO_METADATA)


# The driver.


class _Worklist:
    """A stack of ops without repetition; erased ops are skipped when they come up."""

    def __init__(self, block: Block, ops: Iterable[Operation]) -> None:
        self.block = block
        self.stack = list(ops)
        self.stack.reverse()
        self.waiting = set(self.stack)

    def push(self, op: Operation) -> None:
        if op not in self.waiting and op.parent is self.block:
            self.waiting.add(op)
            self.stack.append(op)

    def push_users(self, value: SSAValue, moved: Sequence[Operation]) -> None:
        """The readers, and theirs: rules look two ops deep. Of a value that very many ops read, those that have moved
        to it, so that a constant of a whole program does not bring up the program each time."""
        readers = [use.operation for use in islice(value.uses, MANY + 1)]
        for op in readers if len(readers) <= MANY else moved:
            for r in op.results:
                for use in islice(r.uses, MANY):
                    self.push(use.operation)
            self.push(op)

    def pop(self) -> Operation | None:
        while self.stack:
            op = self.stack.pop()
            self.waiting.discard(op)
            if op.parent is self.block:
                return op
        return None


def rewrite(block: Block, rules: Rules, start: Iterable[Operation] | None = None) -> int:
    """Rewrite to a fixed point, from all ops or from `start`; returns the number of rewrites."""
    if (chosen := selection()) is not None:
        rules = chosen.of(rules)
    work = _Worklist(block, block.ops if start is None else start)
    budget = LIMIT * max(16, len(work.stack))
    count = 0
    scratch = Block()
    with building(scratch) as place:
        while (op := work.pop()) is not None:
            if is_dead(op):
                _drop(op, work)
                continue
            place.location = op.location
            for rule in rules.get(type(op), ()):
                answer = rule.apply(op)
                if answer is None:
                    continue
                count += 1
                if count > budget:
                    raise _endless(rule, op, count)
                _replace(rule, op, answer, scratch, work)
                break
            else:
                assert scratch.first_op is None, f"a rule of {op.name} built ops and declined"
    return count


def _endless(rule: Rewrite, op: Operation, count: int) -> CompileError:
    message = f"internal error: rewriting did not end after {count} rewrites; rule {rule.name} fired last, on {op.name}"
    return CompileError(message, op.location)


def _replace(rule: Rewrite, op: Operation, answer: Array | Replacement, scratch: Block, work: _Worklist) -> None:
    if isinstance(answer, Array):
        answer = Replacement(op.results, [answer], op)
    made = _move(scratch, answer.before)
    old_ops = list(dict.fromkeys(_owner(v) for v in answer.old))
    moved = [[use.operation for use in old.uses] for old in answer.old]
    for old, new in zip(answer.old, answer.new, strict=True):
        assert old.type == new.value.type, f"rule {rule.name}: expected {old.type}, built {new.value.type}"
        if new.value.name_hint is None:
            new.value.name_hint = old.name_hint
        old.replace_all_uses_with(new.value)
    gone = _drop_all(old_ops, work)
    _inherit(made, old_ops, gone)
    for new, readers in zip(reversed(answer.new), reversed(moved), strict=True):
        work.push_users(new.value, readers)
    for new in reversed(made):
        work.push(new)


def _owner(value: SSAValue) -> Operation:
    assert isinstance(value.owner, Operation)
    return value.owner


def _move(scratch: Block, before: Operation) -> list[Operation]:
    made = list(scratch.ops)
    block = before.parent
    assert block is not None
    for op in made:
        op.detach()
        block.insert_op_before(op, before)
    return made


def _inherit(made: Sequence[Operation], old: Sequence[Operation], gone: Sequence[LocationAttr]) -> None:
    """New ops carry the places of all that went; the last one, which stands for the result, also its attributes."""
    if not made:
        return
    location = fuse(gone)
    for op in made:
        op.location = location
    for op in old:
        for name, attribute in op.attributes.items():
            made[-1].attributes.setdefault(name, attribute)


def _drop_all(ops: Sequence[Operation], work: _Worklist) -> list[LocationAttr]:
    """Erase ops that stand for nothing now; one may be read by another, which goes first."""
    gone: list[LocationAttr] = []
    for _ in ops:
        for op in ops:
            if op.parent is not None and is_dead(op):
                gone += _drop(op, work)
    return gone


def _drop(op: Operation, work: _Worklist) -> list[LocationAttr]:
    """Erase an op that nobody reads, and what only it read; returns the places of all."""
    gone: list[LocationAttr] = []
    todo = [op]
    while todo:
        op = todo.pop()
        gone.append(op.location)
        operands = tuple(op.operands)
        erase(op)
        for v in operands:
            owner = v.owner
            if not isinstance(owner, Operation) or owner.parent is not work.block:
                continue
            if is_dead(owner):
                if owner not in todo:
                    todo.append(owner)
            elif (use := v.first_use) is not None and v.has_one_use():
                work.push(use.operation)  # rules that want a value to themselves may fire now
    return gone
