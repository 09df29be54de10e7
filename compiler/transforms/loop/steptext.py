"""The text of schedule steps, and the sizes that choices compare."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IndexType, IntegerType

from ....dialects.loop.ops import StageOp, element_of
from ...machine import Machine
from .reorder import TYPICAL


def step(name: str, only: Sequence[str] = (), **options: object) -> str:
    """`loop-tile{axis=i size=6 only=mm,epi}`."""
    texts = [f"{k}={','.join(map(str, v)) if isinstance(v, list | tuple) else v}" for k, v in options.items()]
    return f"loop-{name}{{{' '.join([*texts, *([f'only={chr(44).join(only)}'] if only else [])])}}}"


def extent(stage: StageOp, axis: str) -> int:
    """The extent of an axis, a run-time one as a typical number."""
    found = stage.extent(axis)
    return found if isinstance(found, int) else TYPICAL


def element_bytes(stages: Sequence[StageOp]) -> int:
    """Bytes of the widest element that the stages read or make; truth values take a byte."""
    kinds = [element_of(v) for s in stages for v in (*s.ins, *s.results)]
    widths = [k.width.data if isinstance(k, IntegerType) else getattr(k, "bitwidth", 64) for k in kinds]
    return max(((w + 7) // 8 for w in widths if not isinstance(w, IndexType)), default=4)


def lanes_of(stages: Sequence[StageOp], machine: Machine) -> int:
    return machine.lanes(element_bytes(stages))
