"""loop-partial: a reduction in two stages, the parts of an axis first, then what they give."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Block, SSAValue

from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.linear import Access, Linear, axes_of
from ....dialects.loop.ops import StageOp, element_of, shape
from ....dialects.loop.queries import body_of
from .step import LoopStep, chosen, refuse, require_axes
from .structure import cut, dim_names, fresh, replace_outside, require_outermost, substitute

TOTAL, TAIL = "total", "tail"
"""Behind a stage's label: what combines its parts, and what reduces the points beyond them."""


def combined(stage: StageOp, outer: str, parts: int) -> None:
    """Give the stage's reduced results a dimension for the parts, and combine over it in a stage behind."""
    reduced = [k for k, t in enumerate(stage.targets.data) if t.data.mode]
    old = [stage.results[k] for k in reduced]
    names = [dim_names(v) for v in old]
    targets = [t.data for t in stage.targets.data]
    for k in reduced:
        targets[k] = targets[k]._replace(access=(*targets[k].access, Linear.axis(outer)))
    stage.set_targets(targets)
    stage.retype()
    groups: dict[tuple[Access, tuple[str, ...]], list[int]] = {}
    for n, k in enumerate(reduced):
        groups.setdefault((targets[k].access, tuple(names[n])), []).append(n)
    last = stage
    for number, ((_, kept), members) in enumerate(groups.items()):
        values: list[SSAValue] = [old[n] for n in members]
        whole = combining_stage(stage, values, kept, outer, parts, [targets[reduced[n]].mode for n in members])
        if number:
            whole.properties["label"] = StringAttr(f"{stage.label.data}_{TOTAL}{number}")
        assert last.parent is not None
        last.parent.insert_ops_after([whole], last)
        for value, total in zip(values, whole.results):
            hint = value.name_hint
            replace_outside([value], [total], whole)
            value.name_hint = f"{hint}_parts" if hint else None
        last = whole


def combining_stage(
    stage: StageOp, values: list[SSAValue], kept: tuple[str, ...], outer: str, parts: int, modes: list[str]
) -> StageOp:
    """The combination over the last dimension of some values of one shape."""
    place: Access = tuple(Linear.axis(n) for n in kept)
    axes = [*(Axis(n, e) for n, e in zip(kept, shape(values[0]))), Axis(outer, parts)]
    reads = [(v, (*place, Linear.axis(outer))) for v in values]

    def build(block: Block) -> list[SSAValue]:
        return list(block.args)

    body = body_of([element_of(v) for v in values], build, stage.location)
    targets = [Target(mode, place) for mode in modes]
    return StageOp.make(f"{stage.label.data}_{TOTAL}", axes, reads, targets, body, stage.location)


@dataclass(frozen=True)
class LoopPartial(LoopStep):
    """Reduce the parts of an axis by themselves, then combine what they give, always in the same order.

        %s = loop.stage sum [r: 65536] (%x = %X[r]) -> add [] {..}
    becomes, with axis=r parts=64,
        %s_parts = loop.stage sum [r0: 64, r: 1024] (%x = %X[1024 * r0 + r]) -> add [r0] {..}
        %s = loop.stage sum_total [r0: 64] (%a = %s_parts[r0]) -> add [] {..}

    A part is a multiple of `multiple` points; those beyond the parts are reduced by a stage of their own (`sum_tail`)
    and combined with the others. Results that are not reduced stay as they are. A result that is reduced must not be
    spread over the axis. Parts of one point leave the stage without the axis.
    """

    name = "loop-partial"

    axis: str
    parts: int
    multiple: int = 1
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        stages = [s for s in chosen(self.name, f, self.only) if s.extent(self.axis) is not None]
        for stage in stages:
            self.check(stage)
        for stage in stages:
            self.split(stage)

    def check(self, stage: StageOp) -> None:
        extent = stage.extent(self.axis)
        if self.parts < 1 or self.multiple < 1 or not isinstance(extent, int) or extent < self.parts * self.multiple:
            what = f"expected axis {self.axis} to have {self.parts} parts of {self.multiple} points at least"
            raise refuse(self.name, stage, f"{what}, found an extent of {extent}")
        modes = [t.data for t in stage.targets.data if t.data.mode]
        if not modes:
            raise refuse(self.name, stage, "expected a reduction, found results of single elements")
        for target in modes:
            if self.axis in axes_of(target.access):
                raise refuse(self.name, stage, f"expected axis {self.axis} to be reduced, found a result over it")
            if any(len(form.terms) > 1 for form in target.access):
                raise refuse(self.name, stage, "expected results over single axes, found one over a sum of axes")
        if extent != self.parts:  # parts of one point are the axis by another name
            require_outermost(self.name, [stage], self.axis)

    def split(self, stage: StageOp) -> None:
        extent = stage.extent(self.axis)
        assert isinstance(extent, int)
        size = extent // self.parts // self.multiple * self.multiple
        if (whole := size * self.parts) != extent:
            _, rest = cut([stage], self.axis, whole, extent)
            for tail in rest:
                if isinstance(tail, StageOp):
                    tail.properties["label"] = StringAttr(f"{stage.label.data}_{TAIL}")
        outer = fresh([stage], self.axis)
        inner = [Axis(self.axis, size)] if size > 1 else []
        axes = [[Axis(outer, self.parts), *inner] if a.name == self.axis else [a] for a in stage.axes]
        stage.set_axes([a for group in axes for a in group])
        index = Linear.axis(outer, size)
        substitute([stage], {self.axis: index + Linear.axis(self.axis) if inner else index})
        combined(stage, outer, self.parts)
