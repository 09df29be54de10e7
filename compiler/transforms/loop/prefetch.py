"""loop-prefetch: ask for memory that is read further on."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import DenseArrayBase, i64

from ....dialects.loop.ops import StageOp
from .step import LoopStep, NothingToDo, chosen, refuse

PREFETCH = "loop.prefetch"
"""On a stage: for each operand, how many bytes ahead of what is read memory is asked for; 0: not at all."""


def distances(stage: StageOp) -> list[int]:
    found = stage.attributes.get(PREFETCH)
    return [int(n) for n in found.get_values()] if isinstance(found, DenseArrayBase) else [0] * len(stage.ins)


@dataclass(frozen=True)
class LoopPrefetch(LoopStep):
    """With every vector of `value` that a stage reads, ask for the memory that is `distance` bytes ahead of it.

        %c = loop.stage mm [i: vec 8, j: vec 32, k: 256] (%a = %A[i, k], %b = %pack_B[j0, k, j]) -> add [i, j] {..}
    becomes, with value=pack_B distance=4096,
        %c = loop.stage mm [i: vec 8, j: vec 32, k: 256] (%a = %A[i, k], %b = %pack_B[j0, k, j]) -> add [i, j]
            attributes {loop.prefetch = array<i64: 0, 4096>} {..}

    It is for what lies in memory in the order in which it is read, and comes from beyond the second cache. Memory that
    does not exist may be asked for: nothing happens then.
    """

    name = "loop-prefetch"

    value: str
    distance: int
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        if self.distance < 1:
            raise refuse(self.name, f, f"expected a distance of at least 1 byte, found {self.distance}")
        readers = [s for s in chosen(self.name, f, self.only) if self.value in [v.name_hint for v in s.ins]]
        if not readers:
            raise NothingToDo(f"{self.name}: expected a value that a stage reads, found {self.value}", f.location)
        for stage in readers:
            ahead = [
                self.distance if v.name_hint == self.value else n
                for v, n in zip(stage.ins, distances(stage), strict=True)
            ]
            stage.attributes[PREFETCH] = DenseArrayBase.from_list(i64, ahead)
