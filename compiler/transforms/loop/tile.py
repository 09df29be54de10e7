"""loop-tile: cut an axis into tiles and put one loop around all neighbouring stages that may share it (compute-at)."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import Block, Operation, Region

from ....dialects.loop.attributes import LOOP_KINDS, Axis
from ....dialects.loop.linear import Linear
from ....dialects.loop.ops import IfOp, YieldOp
from ....dialects.loop.queries import enclosing
from ....dialects.nd.dims import Dim
from .step import LoopStep, refuse, require_axes
from .structure import (
    Run,
    all_members,
    copy_run,
    cut,
    drop_axis,
    extent_of,
    external,
    fresh,
    fused,
    loop_around,
    may_clamp,
    may_repeat,
    replace_outside,
    require_outermost,
    runs,
    set_extent,
    substitute,
)
from .version import known


def tile_run(run: Run, axis: str, size: int, clamp: bool, kind: str = "") -> None:
    """One loop that counts elements: reads become `i + i0`, results are local, the loop places the tile at `i0`."""
    outer, extent = fresh(run, axis), extent_of(run, axis)
    substitute(run, {axis: Linear.axis(axis) + Linear.axis(outer)})
    for stage in all_members(run):
        stage.set_axes([*stage.axes, Axis(outer, 1)])
    set_extent(run, axis, size)
    if size == 1:
        substitute(run, {axis: Linear()})
        for stage in all_members(run):
            drop_axis(stage, axis)
    loop_around(run, outer, extent, size, clamp, kind)


def tile_static(run: Run, axis: str, size: int, balanced: bool, clamp: bool, kind: str) -> None:
    """Tiles of a known extent: even, balanced, clamped, or with the rest cut off."""
    extent = extent_of(run, axis)
    assert isinstance(extent, int)
    size = max(1, min(size, extent))
    if balanced:
        count = -(-extent // size)
        size, longer = divmod(extent, count)
        first, rest = cut(run, axis, longer * (size + 1), extent) if longer else ([], run)
        for part, n in ((first, size + 1), (rest, size)):
            if part:
                tile_run(part, axis, n, False, kind)
    elif extent % size == 0:
        tile_run(run, axis, size, False, kind)
    elif clamp:
        tile_run(run, axis, size, True, kind)
    else:
        main, _ = cut(run, axis, extent - extent % size, extent)
        tile_run(main, axis, size, False, kind)


def tile_symbolic(run: Run, axis: str, size: int, clamp: bool, kind: str) -> None:
    """Tiles of a run-time extent: two versions with clamped tiles, or whole tiles and the points that remain."""
    extent = extent_of(run, axis)
    if size == 1 or extent // size * size == extent:
        return tile_run(run, axis, size, False, kind)
    if clamp and known(run[0], extent)[0] >= size:
        return tile_run(run, axis, size, True, kind)
    if clamp:
        return versions(run, axis, size, extent, kind)
    repeat = may_repeat(run, axis)
    main, rest = cut(run, axis, extent // size * size, extent)
    tile_run(main, axis, size, False, kind)
    if repeat:
        tile_run(rest, axis, 1, False, kind if kind == "block" else "")
    return None


def versions(run: Run, axis: str, size: int, extent: Dim, kind: str) -> None:
    """`loop.if`: clamped tiles where there are points enough for one, else single points."""
    results, parent, after, location = external(run), run[0].parent, run[-1].next_op, fused(run)
    assert parent is not None and after is not None
    if any(loop.kind.data == "block" for loop in enclosing(run[0])):
        kind = ""  # what blocks choose between is not shared by blocks once more

    def version(n: int) -> Region:
        copies, mapping = copy_run(run)
        block = Block()
        block.add_ops(copies)
        block.add_op(YieldOp.create(operands=[mapping[r] for r in results], location=location))
        region = Region(block)
        # The region must hang in the program for names in use around it to be seen.
        holder = IfOp.create(regions=[region, Region(Block())], location=location)
        parent.insert_ops_before([holder], after)
        tile_run(copies, axis, n, n > 1, kind)
        holder.detach_region(region)
        holder.detach()
        holder.erase()
        return region

    choice = IfOp.make(extent, size, version(size), version(1), location)
    parent.insert_ops_before([choice], after)
    replace_outside(results, list(choice.results), choice)
    erase_run(run)


def erase_run(run: Run) -> None:
    for op in reversed(run):
        op.detach()
        op.erase()


@dataclass(frozen=True)
class LoopTile(LoopStep):
    """Cut an axis into tiles of `size` and put one loop around all neighbouring stages that may share it.

        %a = loop.stage f [i: 256] (%x = %X[i]) -> [i] {..}
        %b = loop.stage g [i: 256] (%y = %a[i]) -> [i] {..}
    becomes, with axis=i size=6,
        %b = loop.for i0 = 256 step 6 clamp -> [i0] {
          %a = loop.stage f [i: 6] (%x = %X[i + i0]) -> [i] {..}
          %b_1 = loop.stage g [i: 6] (%y = %a[i]) -> [i] {..}
          loop.yield %b_1 : tensor<6xf32>
        }

    A ragged end is clamped (the last tile overlaps the one before) where points may be computed twice, else cut off
    and joined or combined afterwards. Points are not repeated where the axis is reduced, threads share the loop,
    `clamp=false`, or the function works in place. `balanced` makes two sizes that differ by one. A run-time extent
    gets two versions under `loop.if`: clamped tiles if there are enough points, else single points; only the first
    where the program says so around it. `only` names the stages concerned, `through` loops that may stand in a run.
    `kind` maps the loop (`parallel`, `block`, `thread`); blocks of a grid may overlap, for both write the same.
    """

    name = "loop-tile"

    axis: str
    size: int
    balanced: bool = False
    clamp: bool = True
    only: tuple[str, ...] = ()
    kind: str = ""
    through: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        require_axes(self.name, f, [self.axis], self.only)
        check_kind(self.name, f, self.kind)
        if self.size < 1:
            raise refuse(self.name, f, f"expected a size of at least 1 for axis {self.axis}, found {self.size}")
        found = runs(f, self.axis, self.only, self.through)
        for run in found:
            require_outermost(self.name, run, self.axis)
        for run in found:
            clamp = self.clamp and self.kind in ("", "block") and may_repeat(run, self.axis) and may_clamp(f)
            extent = extent_of(run, self.axis)
            if not isinstance(extent, int):
                tile_symbolic(run, self.axis, self.size, clamp, self.kind)
            elif extent > self.size or (self.kind and extent):
                tile_static(run, self.axis, self.size, self.balanced, clamp, self.kind)


def check_kind(step: str, op: Operation, kind: str) -> None:
    if kind and kind not in LOOP_KINDS:
        raise refuse(step, op, f"expected a loop kind of {', '.join(LOOP_KINDS)}, found {kind}")
