"""Schedules for GPUs: for each part of a kernel the first of several mappings that applies.

A part is a run of neighbouring stages that share the loops over blocks; what passes between them stays in registers or
in memory of the block. A part that nothing maps as a whole is mapped stage by stage, with what passes between them in
memory of the program. What remains runs on one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xdsl.dialects import func

from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .grid_contractions import contractions, tensor_contractions
from .grid_rows import columns, elements, points, rows
from .trials import Trials

Mapping = Callable[[list[StageOp], Machine], list[str]]
MAPPINGS: tuple[Mapping, ...] = (tensor_contractions, contractions, elements, rows, columns, points)
"""Each gives the steps of a part, or none if the part is not of its kind."""


def schedule_grid(f: func.FuncOp, parts: list[list[StageOp]], machine: Machine) -> str:
    """The schedule of a function for a GPU."""
    trials = Trials(f)
    steps: list[str] = []
    for part in parts:
        found = mapped(trials, steps, part, machine)
        if not found and len(part) > 1:
            for stage in part:
                found += mapped(trials, [*steps, *found], [stage], machine)
        steps += found
    return ",".join(steps)


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
