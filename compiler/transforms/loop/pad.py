"""loop-pad: a fixed number of points of an axis instead of a run-time one that is no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ....dialects.loop.attributes import Axis, Target, access_text
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import JoinOp, StageOp, element_of, shape
from ....dialects.loop.queries import axis_coefs, body_of
from ....dialects.nd.dims import Dim
from ....dialects.nd.types import tensor
from .pack import copy_stage
from .step import LoopStep, refuse
from .structure import Run, all_members, extent_of, external, produced, replace_outside, set_extent
from .version import known, runs_of_run_time

ZEROS, PIECE, ROWS = "zeros_", "piece_", "rows_"


def place(access: Access, axis: str) -> int | None:
    """The dimension that an axis counts, by itself; None: there is none, or not so."""
    own = [d for d, form in enumerate(access) if axis in form.names]
    return own[0] if len(own) == 1 and access[own[0]] == Linear.axis(axis) else None


def check(run: Run, axis: str) -> None:
    """Refuse reads that are not plain along the axis, and sums over it."""
    inner = produced(run)
    for stage in all_members(run):
        for value, access in stage.reads():
            if value not in inner and any(axis in f.names for f in access) and place(access, axis) is None:
                what = f"expected %{value.name_hint} to be read at {axis} alone in one dimension"
                raise refuse(LoopPad.name, stage, f"{what}, found {access_text(access)}")
        for result in stage.results:
            if not any(axis_coefs(result, axis)):
                raise refuse(LoopPad.name, stage, f"expected results over axis {axis}, found a sum over it")


def zero(element: Attribute) -> Attribute:
    if isinstance(element, AnyFloat):
        return FloatAttr(0.0, element)
    return IntegerAttr(0, element)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownVariableType]


def dims(value: SSAValue, d: int, size: Dim) -> list[Dim]:
    return [size if k == d else n for k, n in enumerate(shape(value))]


def copied(label: str, value: SSAValue, extents: Sequence[Dim], of: Operation) -> StageOp:
    """A stage of the first elements of a value."""
    axes = [Axis(f"r{k}", n) for k, n in enumerate(extents)]
    at: Access = tuple(Linear.axis(a.name) for a in axes)
    return copy_stage(label, value, at, axes, of)


def padded(value: SSAValue, d: int, size: int, label: str, before: Operation) -> SSAValue:
    """The value with zeros up to `size` in a dimension, made in front of an op."""
    extents, element = dims(value, d, size), element_of(value)
    axes = [Axis(f"r{k}", n) for k, n in enumerate(extents)]
    at: Access = tuple(Linear.axis(a.name) for a in axes)

    def build(block: Block) -> list[SSAValue]:
        op = arith.ConstantOp.create(
            result_types=[element], properties={"value": zero(element)}, location=before.location
        )
        block.add_op(op)
        return [op.results[0]]

    name, location = f"{value.name_hint}{label}", before.location
    zeros = StageOp.make(f"{ZEROS}{name}", axes, [], [Target("", at)], body_of([], build, location), location)
    piece = copied(f"{PIECE}{name}", value, shape(value), before)
    corner = tuple(Linear() for _ in extents)
    join = JoinOp.make(
        [(zeros.results[0], corner), (piece.results[0], corner)], tensor(tuple(extents), element), location
    )
    join.results[0].name_hint = value.name_hint
    home = before.parent
    assert home is not None
    home.insert_ops_before([zeros, piece, join], before)
    return join.results[0]


def pad(run: Run, axis: str, size: int) -> None:
    """Pad what the run reads along the axis, and take what it makes back from the first points."""
    extent, inner, results = extent_of(run, axis), produced(run), external(run)
    label = f"_{all_members(run)[0].label.data}"
    made: dict[tuple[SSAValue, int], SSAValue] = {}
    for stage in all_members(run):
        for k, (value, access) in enumerate(stage.reads()):
            d = place(access, axis)
            if value in inner or d is None:
                continue
            if (value, d) not in made:
                made[value, d] = padded(value, d, size, label, run[0])
            stage.operands[k] = made[value, d]
    set_extent(run, axis, size)
    home, last = run[-1].parent, run[-1]
    assert home is not None
    for result in results:
        d = next(d for d, c in enumerate(axis_coefs(result, axis)) if c)
        rows = copied(f"{ROWS}{result.name_hint}{label}", result, dims(result, d, extent), last)
        home.insert_ops_after([rows], last)
        replace_outside([result], [rows.results[0]], rows)
        last = rows


@dataclass(frozen=True)
class LoopPad(LoopStep):
    """Let neighbouring stages run over `size` points of an axis whose run-time extent is known to be no more.

        %c = loop.stage mm_below6 [i: m, j: 64, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}
    becomes, with axis=i size=5,
        %0 = loop.stage zeros_A_mm_below6 [r0: 5, r1: 256] -> [r0, r1] {..}
        %1 = loop.stage piece_A_mm_below6 [r0: m, r1: 256] (%a = %A[r0, r1]) -> [r0, r1] {..}
        %A_1 = loop.join (%0 at [0, 0], %1 at [0, 0]) : tensor<5x256xf32>
        %c = loop.stage mm_below6 [i: 5, j: 64, k: 256] (%a = %A_1[i, k], %b = %B[k, j]) -> add [i, j] {..}
        %c_1 = loop.stage rows_c_mm_below6 [r0: m, r1: 64] (%a = %c[r0, r1]) -> [r0, r1] {..}

    in the version of `loop-version` with fewer than 6 points. Elements of an axis that is added up are not padded.
    """

    name = "loop-pad"

    axis: str
    size: int
    only: tuple[str, ...] = ()

    def on(self, f: func.FuncOp) -> None:
        found = runs_of_run_time(self.name, f, self.axis, self.only)
        for run in found:
            check(run, self.axis)
            limit = known(run[0], extent_of(run, self.axis))[1]
            if limit is None or limit > self.size + 1:
                why = f"expected at most {self.size} points of axis {self.axis}, as in a version below {self.size + 1}"
                raise refuse(self.name, all_members(run)[0], why + ", found no such version around")
        for run in found:
            pad(run, self.axis, self.size)
