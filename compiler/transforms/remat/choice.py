"""Which buffers to compute again, so that a schedule needs no more than so many bytes.

Greedy, as dynamic tensor rematerialisation evicts (Kirisame et al., ICLR 2021), but ahead of time and at the peak: of
the buffers that are only kept there, written before and read after, the one goes with the most bytes times steps for
each second that it takes to compute it again right before it is read next. What that reads must be in use then; else
it is computed again too, or kept longer. Repeated until the peak is within the budget, or nothing there can go.
Jain et al., Checkmate (MLSys 2020), state the problem exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.ir import Operation, SSAValue

from ....dialects.graph.views import VIEWS
from ....dialects.nd.constant import Source
from ....dialects.nd.op import NdOp
from ...report import typical
from .schedule import Schedule, Span, Step

LONGEST = 24
"""The most steps that one buffer may need again."""
SMALL = 8
"""What is this many times smaller than what is computed again is kept for it, not computed again itself."""
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
        self.maker = {v: step for step in schedule.steps for v in step.writes}
        self.buffer = {v: b for b, v in schedule.origin.items()}
        self.known: dict[SSAValue, Step | None] = {}

    def fit(self, budget: int) -> Schedule:
        now, most = self.now, GROWTH * len(self.now.steps)
        best, least = list(now.steps), now.peak()
        group = 0
        while least > budget and len(now.steps) < most:
            spans = now.spans()
            live = now.live(spans)
            if (peak := max(live)) < least:
                best, least = list(now.steps), peak
            plan = self.best(spans, live.index(peak)) if peak > budget else None
            if plan is None:
                break
            now.steps[plan.before : plan.before] = [replace(s, group=group) for s in plan.steps]
            group += 1
        return Schedule(best, now.bytes, now.origin)

    def best(self, spans: Sequence[Span], at: int) -> Plan | None:
        """What to compute again to lower the memory in use at a step."""
        found: Plan | None = None
        for span in spans:
            if span.first < at < span.last and at not in span.reads:
                plan = self.plan(spans, span, at)
                if plan is not None and (found is None or plan.worth > found.worth):
                    found = plan
        return found

    def plan(self, spans: Sequence[Span], span: Span, at: int) -> Plan | None:
        """How to have a buffer once more for its next reader, so that it need not be kept until then."""
        own = self.again(span.buffer)
        if own is None:
            return None
        before = next(t for t in span.reads if t > at)
        current = {s.buffer: s for s in spans if s.first < before}
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
                if current[v].last >= at:
                    continue  # in use, or kept a little longer behind the peak
                inner = self.again(v)
                if inner is None or len(steps) >= LONGEST or bytes_[v] * SMALL <= bytes_[span.buffer]:
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

    def again(self, buffer: SSAValue) -> Step | None:
        """The part of a step that makes one of its buffers; None if it has effects, or if its maker is not known."""
        if buffer not in self.known:
            self.known[buffer] = self._again(buffer)
        return self.known[buffer]

    def _again(self, buffer: SSAValue) -> Step | None:
        step = self.maker[buffer]
        value = self.now.origin.get(buffer)
        if not step.pure:
            return None
        if value is None:  # a copy that fusion makes, and will make again
            return None if step.ops else replace(step, writes=(buffer,))
        assert isinstance(value.owner, Operation)
        inside, leaves = sliced(value.owner, set(step.ops))
        ops = tuple(op for op in step.ops if op in inside)
        reads = [b for b in step.reads if b not in self.now.origin]
        reads += [self.buffer[v] for v in leaves if v in self.buffer]
        share = (1 + sum(map(work, ops))) / (1 + sum(map(work, step.ops)))
        return Step(ops, tuple(dict.fromkeys(reads)), (buffer,), step.seconds * share, step.inner)


def work(op: Operation) -> int:
    return typical(op.cost().flops) if isinstance(op, NdOp) else 0


def sliced(root: Operation, ops: set[Operation]) -> tuple[set[Operation], list[SSAValue]]:
    """Of these ops those that an op depends on, and the values that they read of others, through views."""
    inside, leaves = {root}, dict[SSAValue, None]()
    todo = list(root.operands)
    while todo:
        v = todo.pop()
        op = v.owner
        if not isinstance(op, Operation):
            continue
        if op in ops:
            if op not in inside:
                inside.add(op)
                todo += op.operands
        elif type(op) in VIEWS:
            todo += op.operands
        elif not isinstance(op, Source):
            leaves[v] = None
    return inside, list(leaves)
