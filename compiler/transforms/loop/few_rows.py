"""Versions of a contraction whose rows are a run-time number, for as few as there may be.

A tile of rows needs as many rows. For fewer the product is another one: a large matrix is read once instead of packed.
So there is a version for each of some numbers of rows, which runs for that number and for fewer, padded with zeros:

    loop.if m >= 8 { tiles of 8 rows } else { loop.if m >= 6 { 7 } else { loop.if m >= 3 { 5 } else { 2 rows } } }
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import contraction
from .pad import PIECE, ROWS, ZEROS
from .register_tile import register_tile
from .rows import parallel_axes
from .steptext import extent, step
from .version import below

SIZES = (5, 2)
"""Rows of the versions below a tile, besides one row less than a tile has."""

LEAST = 4096
"""Points for each row that are worth more code."""


class Versions(NamedTuple):
    """The steps that make them, and the labels of the stages in each."""

    steps: list[str]
    groups: list[list[str]]


def versions(group: Sequence[StageOp], machine: Machine) -> Versions | None:
    """Of a contraction and the stages that follow it; None where the number of rows is known, or little is to do."""
    c = contraction(group[0])
    if c is None or isinstance(c.stage.extent(c.m), int) or c.inner or c.m not in parallel_axes(list(group)):
        return None
    if prod(extent(c.stage, a.name) for a in c.stage.axes if a.name != c.m) < LEAST:
        return None
    rows = register_tile(c, machine, len(group) > 1).rows
    names = [s.label.data for s in group]
    found = Versions([], [names])
    pads: list[str] = []
    for size in (rows - 1, *(n for n in SIZES if n < rows - 1)):
        found.steps.append(step("version", names, axis=c.m, least=size + 1))
        names = [below(name, size + 1) for name in names]
        pads.append(step("pad", names, axis=c.m, size=size))
        found.groups.append(names)
    found.steps.extend(reversed(pads))
    return found if rows > 1 else None


def around(stage: StageOp) -> bool:
    """Is a stage one of those that `loop-pad` puts around others?"""
    return stage.label.data.startswith((ZEROS, PIECE, ROWS))
