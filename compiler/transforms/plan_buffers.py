"""Buffers of a plan, and which values of regions share one.

A branch yields where the result of its `nd.if` lives. A loop's carried value has one place if the body may write the
next value over it: because nothing reads it any more, or because the kernel that makes the next value replaces each
element as it reads it. Else it has two, which swap:

    place of the value in trip t, and after t trips      a + (b - a) * (t mod 2)
    place of what the body yields                        a + (b - a) * ((t + 1) mod 2)

What a scan stacks is written where it belongs, a slice in each trip. A copy goes where its operand is, if that is free.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import NamedTuple

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.graph.ops import CopyOp, LaunchOp
from ...dialects.graph.place import Place
from ...dialects.graph.regions import counter, swapped, turn
from ...dialects.graph.views import view_of
from ...dialects.nd.control import Control, If, Scan, While, yields
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.types import NUMPY, element, shape_of
from .plan_lifetimes import Lifetimes, Use, base_of

ALIGNMENT = 64


def bytes_of(value: SSAValue) -> Dim:
    return size(shape_of(value.type)) * NUMPY[element(value.type)].itemsize


def aligned(d: Dim) -> Dim:
    return (d + (ALIGNMENT - 1)) // ALIGNMENT * ALIGNMENT


class Span(NamedTuple):
    """A value and the positions between which its buffer holds it."""

    first: int
    last: int
    value: SSAValue


@dataclass
class Buffer:
    """Memory that values take in turn; `first` and `last` are the positions between which it is in use."""

    bytes: Dim
    first: int
    last: int
    spans: list[Span] = field(default_factory=list[Span])
    place: Place | None = None
    parent: Buffer | None = None
    """A buffer that this one is a part of, from `offset` on."""
    offset: Dim = 0
    held: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """When it or a part of it is in use; branches that are not taken leave gaps."""

    def add(self, span: Span) -> None:
        self.spans.append(span)
        self.cover(span.first, span.last)

    def cover(self, first: int, last: int) -> None:
        self.first, self.last = min(self.first, first), max(self.last, last)
        self.held.append((first, last))
        if self.parent is not None:
            self.parent.cover(first, last)

    def stretches(self) -> list[tuple[int, int]]:
        """When it is in use: apart, ascending."""
        out: list[tuple[int, int]] = []
        for first, last in sorted(self.held):
            if out and first <= out[-1][1] + 1:
                out[-1] = out[-1][0], max(out[-1][1], last)
            else:
                out.append((first, last))
        return out

    def part(self, offset: Dim, bytes: Dim) -> Buffer:
        return Buffer(bytes, self.first, self.first, parent=self, offset=offset)

    @property
    def roots(self) -> list[Buffer]:
        """The buffers that have a place of their own and that it is a part of."""
        return [self] if self.parent is None else self.parent.roots

    @property
    def fixed(self) -> bool:
        return self.place is not None or self.parent is not None

    def latest(self) -> SSAValue:
        """The value that is in it at the end."""
        return max(enumerate(self.spans), key=lambda s: (s[1].first, s[0]))[1].value

    def where(self) -> Place:
        if self.parent is not None:
            return self.parent.where().moved(self.offset, self.bytes)
        assert self.place is not None
        return self.place


@dataclass
class Pair(Buffer):
    """Two buffers in turn: the second in odd trips."""

    halves: tuple[Buffer, ...] = ()
    trip: Dim = 0

    @staticmethod
    def of(a: Buffer, b: Buffer, trip: Dim) -> Pair:
        return Pair(a.bytes, a.first, a.last, halves=(a, b), trip=trip)

    def cover(self, first: int, last: int) -> None:
        super().cover(first, last)
        for half in self.halves:
            half.cover(first, last)

    @property
    def roots(self) -> list[Buffer]:
        return [root for half in self.halves for root in half.roots]

    @property
    def fixed(self) -> bool:
        return True

    def where(self) -> Place:
        a, b = (half.where() for half in self.halves)
        return a.moved(swapped(b.number - a.number, self.trip), self.bytes)


Replaces = Callable[[LaunchOp, SSAValue, SSAValue], bool]
"""Does a kernel make a result from an argument in place?"""


class Regions:
    """Gives buffers to the results of region ops, and to what their blocks yield and carry."""

    def __init__(
        self, times: Lifetimes, buffers: dict[SSAValue, Buffer], returned: Container[SSAValue], replaces: Replaces
    ) -> None:
        self.times, self.buffers, self.returned, self.replaces = times, buffers, returned, replaces

    # ---- may a value be written over another?
    def in_place(self, value: SSAValue, old: SSAValue) -> bool:
        """Does the op that makes `value` read `old` only for the elements that it replaces?"""
        op = value.owner
        if isinstance(op, CopyOp):
            return whole(op.x, old)
        return isinstance(op, LaunchOp) and self.replaces(op, value, old)

    def over(self, value: SSAValue, old: SSAValue) -> bool:
        """May what a body yields be written where the carried value is?"""
        return all(self._after(value, old, use) for use in self.times.uses.get(old, ()))

    def _after(self, value: SSAValue, old: SSAValue, use: Use) -> bool:
        op = value.owner
        assert isinstance(op, Operation)
        at = self.times.at[op]
        if isinstance(op, If):
            for region in op.regions:
                first, last = self.times.span[region.block]
                if first <= use.at <= last:
                    return self._after(yields(region.block)[op.results.index(value)], old, use)  # pyright: ignore
            return use.at <= at
        return use.at < at or (use.at == at and use.op is op and self.in_place(value, old))

    # ---- the positions of a value and all that shares its buffer for certain
    def spans(self, value: SSAValue) -> list[Span]:
        op = value.owner
        times = self.times
        if not isinstance(op, Control):
            assert isinstance(op, Operation)
            at = times.at[op]
            return [Span(at, times.last(value, at), value)]
        k = op.results.index(value)  # pyright: ignore[reportArgumentType]
        if isinstance(op, If):
            end = times.end[op]
            inner = [s for region in op.regions for s in self.spans(yields(region.block)[k])]
            return [*inner, Span(end, times.last(value, end), value)]
        assert isinstance(op, While | Scan)
        first, last = times.inner[op]
        if k >= len(op.inits):
            return [Span(first, times.last(value, last), value)]
        carried, end = carried_argument(op, k), times.end[op]
        return [
            *self.spans(op.inits[k]),
            Span(first, times.last(carried, first), carried),
            *self.spans(yields(op.block)[k]),
            Span(end, times.last(value, end), value),
        ]

    def fits(self, value: SSAValue, buffer: Buffer) -> bool:
        """Is a buffer free for a value and what shares its buffer?"""
        return all(self._apart(s, t) for s in self.spans(value) for t in buffer.spans)

    def _apart(self, s: Span, t: Span) -> bool:
        if s.first == t.last and self.in_place(s.value, t.value):
            return True
        if t.first == s.last and self.in_place(t.value, s.value):
            return True
        return s.last < t.first or t.last < s.first

    # ---- giving buffers
    def give(self, value: SSAValue, buffer: Buffer) -> None:
        """A buffer for a value and all that shares it."""
        self.buffers[value] = buffer
        for span in self.spans(value):
            self.buffers[span.value] = buffer
            buffer.add(span)
        self._looped(value)

    def _looped(self, value: SSAValue) -> None:
        """What loops make is in use as long as they run; the slices of stacked results lie in these."""
        for span in self.spans(value):
            op = span.value.owner
            if isinstance(op, While | Scan):
                self.buffers[span.value].cover(*self.times.inner[op])
            if isinstance(op, Scan) and (k := op.results.index(span.value)) >= len(op.inits):  # pyright: ignore
                stack = self.buffers[span.value]
                slice_ = yields(op.block)[k]
                step = bytes_of(slice_)
                self.give(slice_, stack.part(turn(op, counter(op)) * step, step))

    def assign(self, block: Block) -> None:
        """Buffers for region ops of a block, the last first, so that what leads to them can use theirs."""
        for op in reversed(list(block.ops)):
            if isinstance(op, CopyOp) and op.result in self.buffers:
                self._absorb(op)
            if not isinstance(op, Control):
                continue
            for k, value in enumerate(op.results):
                if value in self.buffers:
                    continue
                if isinstance(op, While | Scan) and k < len(op.inits) and not self.single(op, k):
                    self._double(op, k)
                else:
                    first = self.times.end[op]
                    self.give(value, Buffer(bytes_of(value), first, first))
            for region in op.regions:
                self.assign(region.block)

    def single(self, op: While | Scan, k: int) -> bool:
        return self.over(yields(op.block)[k], carried_argument(op, k))

    def _double(self, op: While | Scan, k: int) -> None:
        result, carried = op.results[k], carried_argument(op, k)
        own, trip = bytes_of(result), counter(op)
        first, last = self.times.inner[op]
        a, b = Buffer(own, first, last), Buffer(own, first, last)
        inside = Pair.of(a, b, trip)
        inside.cover(first, last)
        for value in (carried, result):
            self.buffers[value] = inside
        end = self.times.end[op]
        inside.add(Span(first, self.times.last(carried, first), carried))
        inside.add(Span(end, self.times.last(result, end), result))
        self.give(op.inits[k], a)
        self.give(yields(op.block)[k], Pair.of(a, b, trip + 1))

    def _absorb(self, copy: CopyOp) -> None:
        """Make what a copy reads where the copy goes, if it is the last that reads it and the place is free before."""
        value, target = base_of(copy.x), self.buffers[copy.result]
        op = value.owner
        if value in self.buffers or value in self.returned:
            return
        if not isinstance(op, LaunchOp | CopyOp | Control) or op.parent is not copy.parent:
            return
        at = self.times.at[copy]
        if not whole(copy.x, value) or self.times.last(value, at) != at or self._two_places(value):
            return
        if self.fits(value, target):
            self.give(value, target)

    def _two_places(self, value: SSAValue) -> bool:
        """Is a value, or what shares its buffer for certain, carried in two places?"""
        op = value.owner
        if not isinstance(op, While | Scan):
            return False
        k = op.results.index(value)  # pyright: ignore[reportArgumentType]
        return k < len(op.inits) and not self.single(op, k)


def carried_argument(op: While | Scan, k: int) -> SSAValue:
    """The argument of a loop's body for a carried value."""
    return op.block.args[len(op.invariants) + k]


def whole(value: SSAValue, base: SSAValue) -> bool:
    """Is a value all of what its base holds, in dense rows?"""
    shape = shape_of(value.type)
    view = view_of(value)
    return base_of(value) is base and view.offset == 0 and view.rows(shape) and size(shape) == size(shape_of(base.type))
