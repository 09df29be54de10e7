"""loop-distribute: share the points of an axis out to the threads of a block, several neighbours to each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from math import gcd

from xdsl.dialects import func

from ....dialects.loop.attributes import SWEEP, THREADED, Axis
from ....dialects.loop.linear import Linear
from ....dialects.loop.ops import StageOp
from ....dialects.loop.queries import enclosing
from .step import LoopStep, chosen, refuse, require_axes
from .structure import substitute


@dataclass(frozen=True)
class LoopDistribute(LoopStep):
    """Share an axis out: `lanes` neighbours to each of `threads`, again and again until its end.

        %m = loop.stage m [j: 1024] (%a = %x[j]) -> max [] {..}
    becomes, with axis=j threads=128 lanes=4 kind=thread,
        %m = loop.stage m [j0: vec 2, j1: thread 128, j: vec 4] (%a = %x[512 * j0 + 4 * j1 + j]) -> max [] {..}

    Rounds and neighbours are dimensions of vectors, with `rounds=loop` the rounds are a loop. The extent must be a
    multiple of `threads * lanes`. An axis of any extent may be swept: all threads of the block go along it together.

        %m = loop.stage m [j: 4099] (%a = %x[j]) -> max [] {..}
    becomes, with axis=j kind=sweep,
        %m = loop.stage m [j: sweep 4099] (%a = %x[j]) -> max [] {..}

    Each stage is changed for itself: what passes between stages of one distribution stays in registers, anything else
    goes through memory of the block. With `fit`, a stage whose extent is no multiple, as what is left over of a loop,
    gets the most threads and neighbours that divide it.
    """

    name = "loop-distribute"

    axis: str
    threads: int = 1
    lanes: int = 1
    kind: str = "thread"
    rounds: str = "vec"
    fit: bool = False
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        if self.kind not in (*THREADED, SWEEP):
            raise refuse(self.name, f, f"expected a kind of {', '.join((*THREADED, SWEEP))}, found {self.kind}")
        if self.rounds not in ("vec", "loop"):
            raise refuse(self.name, f, f"expected rounds of vec or loop, found {self.rounds}")
        if self.threads < 1 or self.lanes < 1:
            raise refuse(self.name, f, f"expected threads and lanes of at least 1, found {self.threads}, {self.lanes}")
        stages = [s for s in chosen(self.name, f, self.only) if s.extent(self.axis) is not None]
        for stage in stages:
            extent = stage.extent(self.axis)
            if (self.kind == SWEEP and self.lanes == 1) or (self.fit and isinstance(extent, int)):
                continue
            if not isinstance(extent, int) or extent % self.part:
                what = f"expected the extent of axis {self.axis} to be a multiple of {self.threads} * {self.lanes}"
                raise refuse(self.name, stage, f"{what}, found {extent}")
        for stage in stages:
            if self.kind == SWEEP and self.lanes == 1:
                stage.set_axes([a._replace(kind=SWEEP) if a.name == self.axis else a for a in stage.axes])
            else:
                self.fitting(stage).share_out(stage)

    def fitting(self, stage: StageOp) -> LoopDistribute:
        """The step with numbers that divide the stage's extent."""
        extent = stage.extent(self.axis)
        if not isinstance(extent, int) or extent % self.part == 0:
            return self
        lanes = gcd(extent, self.lanes)
        counts = (n for n in range(self.threads, 0, -1) if extent // lanes % n == 0)
        return replace(self, threads=next(counts), lanes=lanes)

    @property
    def part(self) -> int:
        return self.lanes if self.kind == SWEEP else self.threads * self.lanes

    def share_out(self, stage: StageOp) -> None:
        """`axis` becomes `part * rounds + lanes * thread + axis`."""
        extent = stage.extent(self.axis)
        assert isinstance(extent, int)
        used = {a.name for a in stage.axes} | {loop.axis.data for loop in enclosing(stage)}
        names = (name for i in count() if (name := f"{self.axis}{i}") not in used)
        rounds, thread = next(names), next(names)
        threads = max(extent // self.lanes, 1) if self.kind == SWEEP else self.threads
        parts = [
            Axis(rounds, extent // (threads * self.lanes), "vec" if self.rounds == "vec" else ""),
            Axis(thread, threads, self.kind),
            Axis(self.axis, self.lanes, "vec"),
        ]
        forms = [(rounds, self.part), (thread, self.lanes), (self.axis, 1)]
        kept = [k for k, axis in enumerate(parts) if axis.extent != 1] or [1]
        index = Linear()
        for k in kept:
            index += Linear.axis(*forms[k])
        axes = [[parts[k] for k in kept] if a.name == self.axis else [a] for a in stage.axes]
        stage.set_axes([a for part in axes for a in part])
        substitute([stage], {self.axis: index})
        stage.retype()
