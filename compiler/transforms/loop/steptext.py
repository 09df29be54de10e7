"""The text of schedule steps, and the sizes that choices compare."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Attribute

from ....dialects.loop.combiners import integer_width, is_integer
from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .reorder import TYPICAL

SMALL = 16
"""What has so many times fewer points than another stage does not decide how wide vectors are."""


def step(name: str, only: Sequence[str] = (), **options: int | str | list[str]) -> str:
    """`loop-tile{axis=i size=6 only=mm,epi}`."""
    texts = [f"{k}={','.join(v) if isinstance(v, list) else v}" for k, v in options.items()]
    return f"loop-{name}{{{' '.join([*texts, *([f'only={chr(44).join(only)}'] if only else [])])}}}"


def extent(stage: StageOp, axis: str) -> int:
    """The extent of an axis, a run-time one as a typical number."""
    found = stage.extent(axis)
    return found if isinstance(found, int) else TYPICAL


def element_bytes(stages: Sequence[StageOp]) -> int:
    """Bytes of the widest element that the stages read or make; truth values take a byte."""
    return max((bytes_of(element_of(v)) for s in stages for v in (*s.ins, *s.results)), default=4)


def bytes_of(element: Attribute) -> int:
    bits = integer_width(element) if is_integer(element) else cast(AnyFloat, element).bitwidth
    return (bits + 7) // 8


def lanes_of(stages: Sequence[StageOp], machine: Machine) -> int:
    """Elements of a vector in which the widest element of the stages with the most points fits; f16 and bf16 are
    computed as wider floats."""
    points = [prod(extent(s, a.name) for a in s.axes) for s in stages]
    stages = [s for s, n in zip(stages, points) if SMALL * n >= max(points)]
    floats = [r.type for s in stages for op in s.body.block.ops for r in op.results if isinstance(r.type, AnyFloat)]
    return machine.lanes(max(element_bytes(stages), *map(bytes_of, floats), 1))
