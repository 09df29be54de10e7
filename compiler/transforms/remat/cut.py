"""Which values of the forward part the backward part reads from memory and which it computes again, at least cost.

A minimum cut, as of AOTAutograd's partitioner, but in seconds. The parts lie before and behind the peak. A buffer v is
two nodes, `in` and `out`; on the sink's side, `out` says that the backward part needs it, and `in` that it computes it:

    in -> out        the seconds to write v, if only the backward part reads it, and to read it there: v is kept
    source -> in     the seconds to compute v for each of its readers: v is computed again; unbounded if it cannot be
    u.out -> v.in    unbounded: what computes v reads u
    out -> sink      unbounded: the backward part reads v

Only elementwise values are computed again, and only for readers with which they fuse: so that costs operations, and no
kernels and no traffic but that of what they read.
"""

from __future__ import annotations

from dataclasses import replace

from xdsl.ir import Operation, SSAValue

from ....dialects.graph.views import VIEWS
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.movement import Broadcast
from ....dialects.nd.reduction import Reducing
from ...machine import Machine
from .choice import Choice, work
from .max_flow import UNBOUNDED, Network
from .schedule import Schedule, Span, Step

TICK = 1e-12
"""Capacities are whole numbers of so many seconds."""
FUSES = (Elementwise, Reducing, Broadcast)


def cheapest(schedule: Schedule, machine: Machine) -> Schedule:
    """The schedule in which behind the peak is computed again what costs less so."""
    spans = schedule.spans()
    live = schedule.live(spans)
    if not live:
        return schedule
    at = live.index(max(live))
    crossing = [s for s in spans if s.first <= at < s.last]
    chosen = _cut(schedule, crossing, at, machine)
    steps: list[Step] = []
    for t, step in enumerate(schedule.steps):
        if t > at:
            steps += [replace(s, group=t) for s in _needed(step, chosen)]
        steps.append(step)
    return Schedule(steps, schedule.bytes, schedule.origin)


def _cut(schedule: Schedule, crossing: list[Span], at: int, machine: Machine) -> dict[SSAValue, Step]:
    """The buffers to compute again, with the steps that do."""
    choice, network = Choice(schedule), Network()
    nodes = {s.buffer: (network.node(), network.node()) for s in crossing}
    again: dict[SSAValue, Step] = {}
    for span in crossing:
        inside, outside = nodes[span.buffer]
        behind = [t for t in span.reads if t > at]
        size = schedule.bytes[span.buffer]
        second = size / machine.bandwidth(size)
        only_behind = len(behind) == len(span.reads)
        network.edge(inside, outside, ticks(second * (len(behind) + only_behind)))
        network.edge(outside, 1, UNBOUNDED)
        beside = [v for v in choice.maker[span.buffer].writes if v is not span.buffer and v in nodes]
        step = choice.again(span.buffer, beside)
        if step is None or not _fuses(schedule, step, span.buffer, behind):
            network.edge(0, inside, UNBOUNDED)
            continue
        again[span.buffer] = step
        network.edge(0, inside, ticks(len(behind) * sum(map(work, step.ops)) / machine.flops(4)))
        for v in step.reads:
            if v in nodes:
                network.edge(nodes[v][1], inside, UNBOUNDED)
            elif v in schedule.bytes:  # it would have to be kept for this
                network.edge(0, inside, UNBOUNDED)
    side = network.source_side()
    return {v: step for v, step in again.items() if not side[nodes[v][0]]}


def ticks(seconds: float) -> int:
    return round(seconds / TICK)


def _fuses(schedule: Schedule, step: Step, buffer: SSAValue, behind: list[int]) -> bool:
    """Is a buffer elementwise in what it is made of, and do its readers behind the peak read it so?"""
    if not step.ops or not all(isinstance(op, (Elementwise, *VIEWS)) for op in step.ops):
        return False
    value = schedule.origin[buffer]
    inside = {op for t in behind for op in schedule.steps[t].ops}
    return all(isinstance(op, FUSES) for op in _readers(value) if op in inside)


def _readers(value: SSAValue) -> list[Operation]:
    """The ops that read a value, through views."""
    out: list[Operation] = []
    for use in value.uses:
        out += _readers(use.operation.results[0]) if type(use.operation) in VIEWS else [use.operation]
    return out


def _needed(step: Step, chosen: dict[SSAValue, Step]) -> list[Step]:
    """What a step reads of the chosen buffers, and what makes that, in order."""
    out: dict[SSAValue, Step] = {}

    def need(v: SSAValue) -> None:
        if v in chosen and v not in out:
            for u in chosen[v].reads:
                need(u)
            out[v] = chosen[v]

    for v in step.reads:
        need(v)
    return list(out.values())
