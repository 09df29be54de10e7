"""apply-schedule: run the schedule that a function carries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr

from ....dialects.errors import CompileError
from ... import registry
from ...schedules import FROM, SCHEDULE
from ...spec import PassSpec, parse_pipeline
from . import tried
from .step import LoopStep


def pass_of(spec: PassSpec) -> LoopStep:
    """A step as a pass; only steps of the loop level may stand in a schedule."""
    step = registry.build(spec)
    if not isinstance(step, LoopStep) or isinstance(step, ApplySchedule):
        raise CompileError(f"schedule: expected steps of the loop level, found {spec.name}")
    return step


@lru_cache(1024)
def steps_of(schedule: str) -> tuple[LoopStep, ...]:
    """The steps that a schedule's text names. Steps hold no state."""
    return tuple(pass_of(spec) for spec in parse_pipeline(schedule))


def run_schedule(f: func.FuncOp, schedule: str) -> None:
    """Run a schedule on one function."""
    for step in steps_of(schedule):
        step.on(f)


@dataclass(frozen=True)
class ApplySchedule(LoopStep):
    """Run the schedule of each function that has one, and remove it.

        func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> attributes {loop.schedule = "loop-vectorize{axes=i}"} {
          %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {..}
    becomes
        func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {
          %y = loop.stage s [i: vec 64] (%a = %x[i]) -> [i] {..}
    """

    name = "apply-schedule"

    def on(self, f: func.FuncOp) -> None:
        schedule = f.attributes.pop(SCHEDULE, None)
        f.attributes.pop(FROM, None)
        if schedule is None:
            return
        if not isinstance(schedule, StringAttr):
            raise CompileError(f"@{f.sym_name.data}: expected {SCHEDULE} to be a text, found {schedule}", f.location)
        if not tried.take(f, schedule.data):
            run_schedule(f, schedule.data)
