"""loop-vectorize: give axes of the domains a kind; `vec` axes become the dimensions of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from xdsl.dialects import func

from ....dialects.loop.attributes import KINDS, Axis
from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import stages
from .step import LoopStep, chosen, refuse, require_axes
from .structure import REST

LARGEST = 8192
"""Elements of the largest vector: each becomes dozens of registers' worth of code, never a loop."""


def rests(f: func.FuncOp, only: Sequence[str]) -> list[StageOp]:
    """The stages behind the chosen ones that combine parts of their reductions."""
    labels = [f"{name}{REST}" for name in only]
    return [s for s in stages(f) if s.label.data in labels and s.label.data not in only]


@dataclass(frozen=True)
class LoopVectorize(LoopStep):
    """Give the named axes a kind: `vec` axes become the dimensions of n-D vectors, all others stay loops.

        %c = loop.stage mm [i: 6, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}
    becomes, with axes=i,j,
        %c = loop.stage mm [i: vec 6, j: vec 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}

    An axis of run-time extent stays a loop. `kind=` gives another kind, and an empty one takes it away. What combines
    a reduction with that of its ragged end goes with it.
    """

    name = "loop-vectorize"

    axes: tuple[str, ...]
    only: tuple[str, ...] = ()
    kind: str = "vec"

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, self.axes, self.only)
        if self.kind and self.kind not in KINDS:
            raise refuse(self.name, f, f"expected a kind of {', '.join(KINDS)}, found {self.kind}")
        changed: list[tuple[StageOp, list[Axis]]] = []
        for stage in [*chosen(self.name, f, self.only), *rests(f, self.only)]:
            axes = [
                a._replace(kind=self.kind) if a.name in self.axes and isinstance(a.extent, int) else a
                for a in stage.axes
            ]
            elements = prod(a.extent for a in axes if a.kind == "vec" and isinstance(a.extent, int))
            if elements > LARGEST:
                wide = ", ".join(f"{a.name} of {a.extent}" for a in axes if a.kind == "vec")
                why = f"expected vectors of at most {LARGEST} elements, found axes {wide}: tile or split them first"
                raise refuse(self.name, stage, why)
            changed.append((stage, axes))
        for stage, axes in changed:
            stage.set_axes(axes)
