"""loop-reorder: the order of sequential axes, given by name or decided from strides alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from xdsl.dialects import func
from xdsl.dialects.builtin import StridedLayoutAttr
from xdsl.ir import BlockArgument, SSAValue

from ....dialects.loop.linear import Access
from ....dialects.loop.ops import StageOp, shape
from ....dialects.loop.queries import stages
from ....dialects.nd.dims import Dim
from .step import LoopStep, chosen, require_axes

TYPICAL = 1024
"""What a run-time size or stride is taken for where two orders are compared."""


def strides_of(value: SSAValue) -> Sequence[int]:
    """Elements between neighbours of each dimension: row-major, or as the argument's `mlc.layout` says."""
    if isinstance(value, BlockArgument) and isinstance(f := value.block.parent_op(), func.FuncOp):
        layout = f.arg_attrs.data[value.index].data.get("mlc.layout") if f.arg_attrs is not None else None
        if isinstance(layout, StridedLayoutAttr):
            return [s if s is not None else TYPICAL for s in layout.get_strides()]
    return row_major(shape(value))


@lru_cache(4096)
def row_major(dims: tuple[Dim, ...]) -> Sequence[int]:
    strides: list[int] = []
    step = 1
    for size in reversed(dims):
        strides.append(step)
        step *= size if isinstance(size, int) else TYPICAL
    return tuple(reversed(strides))


def axis_stride(access: Access, strides: Sequence[int], axis: str) -> int:
    """Elements by which the place moves when the axis moves by one."""
    return abs(sum(form.coef(axis) * s for form, s in zip(access, strides)))


def by_strides(stage: StageOp) -> None:
    """Sequential axes in order of falling stride, over all reads and results: the last one walks along memory."""
    places = [(access, strides_of(value)) for value, access in stage.reads()]
    places += [(t.data.access, row_major(shape(r))) for t, r in zip(stage.targets.data, stage.results)]
    moved = {a.name: sum(axis_stride(access, strides, a.name) for access, strides in places) for a in stage.axes}
    ordered = iter(sorted((a for a in stage.axes if not a.kind), key=lambda a: -moved[a.name]))
    stage.set_axes([a if a.kind else next(ordered) for a in stage.axes])


@dataclass(frozen=True)
class LoopReorder(LoopStep):
    """Put the named axes of the domains in the given order; without names, into row order from strides alone.

        func.func @f(%x: tensor<4096x4096xf32>) -> tensor<f32> {
          %s = loop.stage sum [j: 4096, i: 4096] (%a = %x[i, j]) -> add [] {..}
    becomes
          %s = loop.stage sum [i: 4096, j: 4096] (%a = %x[i, j]) -> add [] {..}
    and stays as it is where the argument carries `{mlc.layout = strided<[1, 4096]>}`.
    """

    name = "loop-reorder"

    axes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        if not self.axes:
            for stage in chosen(self.name, f, self.only) if self.only else stages(f):
                by_strides(stage)
            return
        require_axes(self.name, f, self.axes, self.only)
        for stage in chosen(self.name, f, self.only):
            named = (a for a in stage.axes if a.name in self.axes)
            ordered = iter(sorted(named, key=lambda a: self.axes.index(a.name)))
            stage.set_axes([next(ordered) if a.name in self.axes else a for a in stage.axes])
