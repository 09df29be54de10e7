"""Write a schedule back into the program: its ops in the order of the steps, clones of those that run again.

A clone reads what its step finds through barriers, except what was computed again together with it, so that neither
merging nor fusion brings both computations together. It carries its op's place and that of what reads it.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.checkpoint import Barrier
from ....dialects.nd.constant import Source
from ...blocks import clone
from ..rewriting import fuse
from .schedule import Schedule, Step


def rewrite(block: Block, schedule: Schedule) -> None:
    """Put a block's ops into the order of a schedule of it, with those that run again; dead ops go."""
    Rewriter(block, schedule).run()


class Rewriter:
    def __init__(self, block: Block, schedule: Schedule) -> None:
        self.block, self.schedule = block, schedule
        self.now: dict[SSAValue, SSAValue] = {v: v for v in schedule.origin.values()}
        """The last version of what buffers hold."""
        self.group: dict[SSAValue, int | None] = {}
        """The choice that made it."""
        self.views: dict[tuple[SSAValue, tuple[SSAValue, ...]], SSAValue] = {}

    def run(self) -> None:
        ops = list(self.block.ops)
        for op in ops:
            op.detach()
        steps = self.schedule.steps
        for t, step in enumerate(steps):
            if step.group is None:
                self.first(step)
            else:
                reader = next(s for s in steps[t + 1 :] if s.group is None)
                self.again(step, reader.ops)
        for op in ops:
            if op.parent is None:
                op.drop_all_references()

    def first(self, step: Step) -> None:
        inside: dict[SSAValue, SSAValue] = {r: r for op in step.ops for r in op.results}
        for op in step.ops:
            for k, v in enumerate(op.operands):
                if (found := self.resolved(v, inside, {})) is not v:
                    op.operands[k] = found
            self.block.add_op(op)

    def again(self, step: Step, readers: Sequence[Operation]) -> None:
        inside: dict[SSAValue, SSAValue] = {}
        fences: dict[SSAValue, SSAValue] = {}
        for op in step.ops:
            for v in op.operands:
                self.fence(v, step, fences)
            env = {v: self.resolved(v, inside, fences) for v in op.operands}
            new = clone(op, env)
            new.location = fuse([op.location, *(r.location for r in readers[:1])])
            self.block.add_op(new)
            inside.update(zip(op.results, new.results, strict=True))
        for buffer in step.writes:
            if (value := self.schedule.origin.get(buffer)) is not None:
                self.now[value] = inside[value]
                self.group[inside[value]] = step.group

    def fence(self, v: SSAValue, step: Step, fences: dict[SSAValue, SSAValue]) -> None:
        """Put a barrier behind what a value is a view of, unless it was made for this step."""
        own = {r for op in step.ops for r in op.results}
        while v not in own and v not in self.now and isinstance(v.owner, Operation) and v.owner.operands:
            v = v.owner.operands[0]
        source = self.now.get(v, v)
        made = self.group.get(source) == step.group and source in self.group
        if v in own or v in fences or made or isinstance(v.owner, Source):
            return
        barrier = Barrier.create(operands=[source], result_types=[source.type], location=step.ops[0].location)
        barrier.results[0].name_hint = source.name_hint
        self.block.add_op(barrier)
        fences[v] = barrier.results[0]

    def resolved(self, v: SSAValue, inside: dict[SSAValue, SSAValue], fences: dict[SSAValue, SSAValue]) -> SSAValue:
        """A value of the program as a step reads it: views are placed, or made again of another version."""
        for known in (inside, fences, self.now):
            if v in known:
                return known[v]
        op = v.owner
        if isinstance(op, Block):
            return v
        operands = tuple(self.resolved(o, inside, fences) for o in op.operands)
        if operands == tuple(op.operands):
            if op.parent is None:
                self.block.add_op(op)
            return v
        key = (v, operands)
        if key not in self.views:
            new = clone(op, dict(zip(op.operands, operands, strict=True)))
            self.block.add_op(new)
            self.views[key] = new.results[0]
        return self.views[key]
