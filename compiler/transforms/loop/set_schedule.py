"""set-schedule: give kernels the user's schedules.

    func.func @f(%x: tensor<64xf32>) -> tensor<64xf32> {
      %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {..}
becomes, steps="loop-vectorize{axes=i}" or steps="@f: loop-vectorize{axes=i}",
    func.func @f(%x: tensor<64xf32>) -> tensor<64xf32>
        attributes {loop.schedule = "loop-vectorize{axes=i}", loop.schedule_from = "user"} {
      %y = loop.stage s [i: 64] (%a = %x[i]) -> [i] {..}

A function that has a schedule keeps it. Named kernels must exist, and every step must apply to a copy of its kernel;
without a name, steps must apply to some kernel. `file` is read if there are no `steps`, else it names their source.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import builtin, func
from xdsl.dialects.builtin import StringAttr

from ....dialects.errors import CompileError, position
from ... import registry
from ...registry import nearest
from ...schedules import FROM, SCHEDULE, TEXT, USER, Schedule, Step, kernels, read_file, read_schedules
from .apply_schedule import ApplySchedule, pass_of
from .choose_schedule import name_stages, name_values
from .step import LoopStep, NothingToDo


@dataclass(frozen=True)
class SetSchedule(LoopStep):
    """Write `loop.schedule` on the kernels that a schedule names, or on all; see the module's docstring."""

    name = "set-schedule"
    steps: str = ""
    file: str = ""

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        text = read_file(self.file) if self.file and not self.steps else self.steps
        found = {f.sym_name.data: f for f in kernels(op) if SCHEDULE not in f.attributes}
        skipped: list[CompileError] = []
        for schedule in read_schedules(text, self.file or TEXT):
            for step in schedule.steps:
                built(step)
            for f in functions_of(schedule, found, {f.sym_name.data for f in kernels(op)}):
                name_stages(f)
                name_values(f)
                reason = refusal(f, schedule)
                if reason is not None and (schedule.kernel is not None or not isinstance(reason[1], NothingToDo)):
                    raise located(f, *reason)
                skipped += [located(f, *reason)] if reason is not None else []
                f.attributes[SCHEDULE] = StringAttr(schedule.text)
                f.attributes[FROM] = StringAttr(USER)
        if skipped and len(skipped) == len(found):
            raise skipped[0]


def functions_of(schedule: Schedule, found: dict[str, func.FuncOp], known: set[str]) -> list[func.FuncOp]:
    """The functions that a schedule is of; a name that no kernel has is refused."""
    if schedule.kernel is None:
        return list(found.values())
    if schedule.kernel not in known:
        names = ", ".join(f"@{name}" for name in sorted(known)) or "none"
        message = f"schedule: expected a kernel of the program, one of {names}, found @{schedule.kernel}"
        raise CompileError(message + nearest(schedule.kernel, sorted(known)), schedule.location)
    return [found[schedule.kernel]] if schedule.kernel in found else []


def built(step: Step) -> LoopStep:
    """The pass of a step; what is none is refused where it stands."""
    name = step.spec.name
    cls = registry.lookup(name) if name in registry.PASSES else None
    if cls is None or not issubclass(cls, LoopStep) or cls in (ApplySchedule, SetSchedule):
        close = nearest(name, [n for n in registry.PASSES if n.startswith("loop-")])
        raise CompileError(f"schedule: expected steps of the loop level, found {name}{close}", step.location)
    try:
        return pass_of(step.spec)
    except CompileError as error:
        raise CompileError(error.message, step.location, error.notes) from error


def refusal(f: func.FuncOp, schedule: Schedule) -> tuple[Step, CompileError] | None:
    """The first step that does not apply to a copy of a function behind those before it, and why."""
    copy = f.clone()
    for step in schedule.steps:
        try:
            built(step).on(copy)
        except CompileError as error:
            return step, error
    return None


def located(f: func.FuncOp, step: Step, error: CompileError) -> CompileError:
    """The refusal of a step at its place in the schedule."""
    where = position(error.location)
    at = f" at {':'.join(map(str, where))}" if where is not None else ""
    return CompileError(error.message, step.location, (*error.notes, f"in kernel @{f.sym_name.data}{at}"))
