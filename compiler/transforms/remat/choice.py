"""Which buffers to compute again, so that a schedule needs no more than so many bytes.

Greedy, as dynamic tensor rematerialisation evicts (Kirisame et al., ICLR 2021), but ahead of time and at the peak: of
the buffers that are only kept there, written before and read after, the one goes with the most bytes times steps for
each second that it takes to compute it again right before it is read next. What that reads must be in use then; else
it is computed again too, or kept longer. Repeated until the peak is within the budget, or nothing there can go; then
choices that later ones have made needless are taken back. Jain et al., Checkmate (MLSys 2020), state the problem
exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from xdsl.ir import Operation, SSAValue

from ....dialects.graph.views import VIEWS
from ....dialects.nd.constant import Source
from ....dialects.nd.dims import typical
from ....dialects.nd.op import NdOp
from .schedule import Schedule, Span, Step

LONGEST = 24
"""The most steps that one buffer may need again."""
SMALL = 8
"""What is this many times smaller than what is computed again is kept for it, not computed again itself."""
PATIENCE = 40
"""Choices in a row that may leave the peak where it was."""
GROWTH = 4
"""A schedule has at most this many times its steps in the end."""


@dataclass(frozen=True)
class Plan:
    """Steps to run again right before a step, in order, and what they are worth."""

    before: int
    steps: tuple[Step, ...]
    worth: float


def fit(schedule: Schedule, budget: int) -> Schedule:
    """A schedule that needs at most `budget` bytes, or as few as this finds; itself if it needs no more."""
    return Choice(schedule).fit(budget)


class Choice:
    def __init__(self, schedule: Schedule) -> None:
        self.now = Schedule(list(schedule.steps), schedule.bytes, schedule.origin)
        self.maker = {v: step for step in schedule.steps if step.group is None for v in step.writes}
        self.buffer = {v: b for b, v in schedule.origin.items()}
        self.known: dict[tuple[SSAValue, tuple[SSAValue, ...]], Step | None] = {}

    def fit(self, budget: int) -> Schedule:
        now, most = self.now, GROWTH * len(self.now.steps)
        best, least = list(now.steps), now.peak()
        group = behind = 0
        while least > budget and behind < PATIENCE and len(now.steps) < most:
            spans = now.spans()
            live = now.live(spans)
            behind += 1
            if (peak := max(live)) < least:
                best, least, behind = list(now.steps), peak, 0
            plan = self.best(spans, live.index(peak)) if peak > budget else None
            if plan is None:
                break
            now.steps[plan.before : plan.before] = [replace(s, group=group) for s in plan.steps]
            group += 1
        return self.pruned(Schedule(best, now.bytes, now.origin), max(budget, least))

    def pruned(self, schedule: Schedule, budget: int) -> Schedule:
        """Without the choices, dearest first, that later ones have made needless."""
        seconds: dict[int, float] = {}
        for step in schedule.steps:
            if step.group is not None:
                seconds[step.group] = seconds.get(step.group, 0.0) + step.seconds
        for group in sorted(seconds, key=lambda g: (-seconds[g], g)):
            less = replace(schedule, steps=[s for s in schedule.steps if s.group != group])
            if less.peak() <= budget:
                schedule = less
        return schedule

    def best(self, spans: Sequence[Span], at: int) -> Plan | None:
        """What to compute again to lower the memory in use at a step."""
        versions: dict[SSAValue, list[Span]] = {}
        for span in spans:
            versions.setdefault(span.buffer, []).append(span)
        found: Plan | None = None
        for span in spans:
            if span.first < at < span.last and at not in span.reads and span.buffer in self.now.origin:
                plan = self.plan(versions, span, at)
                if plan is not None and (found is None or plan.worth > found.worth):
                    found = plan
        return found

    def plan(self, versions: Mapping[SSAValue, Sequence[Span]], span: Span, at: int) -> Plan | None:
        """How to have a buffer once more for its next reader, so that it need not be kept until then."""
        before = next(t for t in span.reads if t > at)

        def last(v: SSAValue) -> int:
            """Of the version that the reader could read."""
            return next(s.last for s in reversed(versions[v]) if s.first < before)

        def beside(v: SSAValue) -> list[SSAValue]:
            """What its maker also makes and is in use."""
            return [w for w in self.maker[v].writes if w is not v and w in versions and last(w) >= before]

        own = self.again(span.buffer, beside(span.buffer))
        if own is None:
            return None
        bytes_ = self.now.bytes
        steps: list[Step] = []
        done = {span.buffer}
        longer = 0

        def have(step: Step) -> None:
            nonlocal longer
            for v in step.reads:
                if v in done or v not in bytes_:
                    continue
                done.add(v)
                if last(v) >= at:
                    continue  # in use, or kept a little longer behind the peak
                inner = self.again(v, beside(v)) if len(steps) < LONGEST else None
                small = bytes_[v] * SMALL <= bytes_[span.buffer]
                if inner is None or small or self.same(inner, lambda u: last(u) >= at):
                    longer += bytes_[v]
                else:
                    have(inner)
            steps.append(step)

        have(own)
        saved = bytes_[span.buffer] - longer
        if saved <= 0:
            return None
        earlier = max((t for t in span.reads if t < at), default=span.first)
        return Plan(before, tuple(steps), saved * (before - earlier) / max(1e-9, sum(s.seconds for s in steps)))

    def same(self, step: Step, there: Callable[[SSAValue], bool]) -> bool:
        """Is it a copy by fusion of what is there, which will be copied once only?"""
        return not step.ops and all(there(v) for v in step.reads if v in self.now.bytes)

    def again(self, buffer: SSAValue, beside: Sequence[SSAValue]) -> Step | None:
        """The part of a step that makes one of its buffers, of those beside it; None if it has effects, or if its maker
        is not known."""
        key = buffer, tuple(beside)
        if key not in self.known:
            self.known[key] = self._again(*key)
        return self.known[key]

    def _again(self, buffer: SSAValue, beside: Sequence[SSAValue]) -> Step | None:
        step = self.maker[buffer]
        value = self.now.origin.get(buffer)
        if not step.pure:
            return None
        if value is None:  # a copy that fusion makes, and will make again
            return None if step.ops else replace(step, writes=(buffer,))
        assert isinstance(value.owner, Operation)
        stop = {self.now.origin[v] for v in beside if v in self.now.origin}
        inside, leaves = sliced(value.owner, set(step.ops), stop)
        ops = tuple(op for op in step.ops if op in inside)
        reads = [b for b in step.reads if b not in self.now.origin]
        reads += [self.buffer[v] for v in leaves if v in self.buffer]
        share = (1 + sum(map(work, ops))) / (1 + sum(map(work, step.ops)))
        return Step(ops, tuple(dict.fromkeys(reads)), (buffer,), step.seconds * share, step.inner)


def work(op: Operation) -> int:
    return typical(op.cost().flops) if isinstance(op, NdOp) else 0


def sliced(root: Operation, ops: Set[Operation], stop: Set[SSAValue]) -> tuple[set[Operation], list[SSAValue]]:
    """Of these ops those that an op depends on, but through `stop`; and what they read else, through views."""
    inside, leaves = {root}, dict[SSAValue, None]()
    todo = list(root.operands)
    while todo:
        v = todo.pop()
        op = v.owner
        if not isinstance(op, Operation):
            continue
        if v in stop:
            leaves[v] = None
        elif op in ops:
            if op not in inside:
                inside.add(op)
                todo += op.operands
        elif type(op) in VIEWS:
            todo += op.operands
        elif not isinstance(op, Source):
            leaves[v] = None
    return inside, list(leaves)
