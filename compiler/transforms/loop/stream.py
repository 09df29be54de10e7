"""loop-stream: store results past the caches."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func

from .step import LoopStep, chosen


@dataclass(frozen=True)
class LoopStream(LoopStep):
    """Store the results of the named stages past the caches: for results too large to be found there again.

        %y = loop.stage f [i: 16777216] (%x = %X[i]) -> [i] {..}
    becomes, with only=f,
        %y = loop.stage f [i: 16777216] (%x = %X[i]) -> stream [i] {..}
    """

    name = "loop-stream"

    only: tuple[str, ...]

    def on(self, f: func.FuncOp) -> None:
        for stage in chosen(self.name, f, self.only):
            stage.set_targets([t.data._replace(stream=True) for t in stage.targets.data])
