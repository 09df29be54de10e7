"""The first steps for a sum of products whose factors all have the lanes, as of a convolution of single channels.

    %pack_w = loop.stage pack_w [m: 3, l: 64] (%0 = %w[l, m]) -> [m, l] {..}
    %y = loop.stage mm [j: 56, m: 3, l: 64] (%a = %x[j + m, l], %b = %pack_w[m, l]) -> add [j, l] {..}

A factor whose lanes lie apart would be gathered at every point. If it is read again and again, it is copied in front of
all loops; hoist-constants makes the copy of a constant before the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import contraction
from .reorder import axis_stride, strides_of
from .rows import lane_axis
from .steptext import extent, step

AGAIN = 8
"""How often each element is read, at least, to pay for its copy."""


def pack_own_lanes(group: Sequence[StageOp], machine: Machine) -> list[str]:
    """Steps for a sum and the stages behind it; none where there is nothing to copy."""
    stage = group[0]
    if len(stage.ins) < 2 or len(stage.results) != 1 or not stage.target(0).mode or contraction(stage) is not None:
        return []
    lane = lane_axis(list(group), max(group, key=lambda s: len(s.axes)), machine)
    points = prod(extent(stage, a.name) for a in stage.axes)
    steps: list[str] = []
    for value, access in stage.reads():
        names = axes_of(access)
        lying_apart = lane in names and axis_stride(access, strides_of(value), lane) > 1
        once = all(len(form.terms) <= 1 for form in access) and all(isinstance(stage.extent(n), int) for n in names)
        if lying_apart and once and AGAIN * prod(extent(stage, n) for n in names) <= points:
            axes = [a.name for a in stage.axes if a.name in names and a.name != lane]
            steps.append(step("pack", [stage.label.data], value=value.name_hint or "", axes=[*axes, lane]))
    return steps
