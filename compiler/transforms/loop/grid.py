"""Schedules for GPUs: for each part of a kernel the first of several mappings that applies.

A part is a run of neighbouring stages that share the loops over blocks; what passes between them stays in registers or
in memory of the block. A part that nothing maps as a whole is mapped stage by stage, with what passes between them in
memory of the program; so are stages of few long lines, which are reduced in parts. What remains runs on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xdsl.dialects import func

from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import stages
from ...machine import Machine
from .carries import carrying
from .grid_carries import carries
from .grid_contractions import contractions, tensor_contractions
from .grid_long import exact, long, parts, sweeps
from .grid_rows import columns, elements, points, rows
from .grid_turned import turned
from .partial import TAIL, TOTAL
from .trials import Trials

Mapping = Callable[[list[StageOp], Machine], list[str]]
MAPPINGS: tuple[Mapping, ...] = (
    tensor_contractions,
    contractions,
    turned,
    elements,
    exact,
    rows,
    columns,
    sweeps,
    points,
)
"""Each gives the steps of a part, or none if the part is not of its kind."""

ENDS = (TOTAL, f"{TOTAL}1", TAIL, "rest")
"""Behind the label of a stage that is reduced in parts, those of the stages that are made of it."""


def schedule_grid(f: func.FuncOp, groups: list[list[StageOp]], machine: Machine) -> str:
    """The schedule of a function for a GPU."""
    trials = Trials(f)
    steps: list[str] = []
    for part in groups:
        found = mapped(trials, steps, part, machine) if not long(part, machine) else []
        if not found:
            for stage in part:
                found += alone(trials, [*steps, *found], stage, machine)
        steps += found
    for loop in carrying(f):
        found = carries(loop)
        steps += found if trials.after([*steps, *found]) is not None else []
    return ",".join(steps)


def alone(trials: Trials, before: list[str], stage: StageOp, machine: Machine) -> list[str]:
    """The steps of one stage: in parts, each of which is mapped by itself, where its lines are few and long."""
    first = parts(stage, machine) if long([stage], machine) else []
    state = trials.after([*before, *first]) if first else None
    if state is None:
        return mapped(trials, before, [stage], machine)
    label = stage.label.data
    made = [s for s in stages(state) if s.label.data in (label, *(f"{label}_{end}" for end in ENDS))]
    inner, steps = Trials(state), list[str]()
    for one in {s.label.data: s for s in made}.values():
        steps += mapped(inner, steps, [one], machine)
    return [*first, *steps]


def mapped(trials: Trials, before: list[str], part: list[StageOp], machine: Machine) -> list[str]:
    """The steps of the first mapping that applies."""
    for steps in offered(part, machine):
        if trials.after([*before, *steps]) is not None:
            return steps
    return []


def offered(part: list[StageOp], machine: Machine) -> Iterator[list[str]]:
    for mapping in MAPPINGS:
        if steps := mapping(part, machine):
            yield steps
