"""A sum of products as the matrix instructions of a warp compute it, where the stage's threads share it out like them.

    %c = loop.stage mm [i0: warp 2, i1: vec 8, i: lane 8, j0: warp 4, j1: vec 4, j2: lane 4, j: vec 2, k: vec 32]
           (%a = %A[64 * i0 + 8 * i1 + i, k], %b = %B[k, 32 * j0 + 8 * j1 + 2 * j2 + j]) -> add [.., ..] {..}

A tile of 16 x 8 of the result is in the registers of a warp: thread 4 g + t has elements 2 t and 2 t + 1 of rows g and
g + 8 (PTX ISA, "Matrix fragments for mma.m16n8k16"). So i is a lane of 8 of the upper bits, j one of 4 of the lower
bits with two neighbours. The factors come from memory of the block, rows of 16 bytes of 8 x 8 tiles to each `ldmatrix`,
transposed where the reduced axis is not the contiguous one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects import vector
from xdsl.dialects.builtin import DenseArrayBase, VectorType, bf16, f16, f32, i8, i32, i64
from xdsl.ir import Attribute, BlockArgument, SSAValue

from ..dialects.gpu import WORKGROUP
from ..dialects.loop.linear import Access, Linear, axes_of
from ..dialects.loop.narrow_products import product, through
from ..dialects.loop.ops import StageOp, element_of
from ..dialects.loop.threads import Field, fields
from ..dialects.nvgpu.ops import LdMatrixOp, MmaSyncOp
from .storage import View, seq_axes, vec_axes

if TYPE_CHECKING:
    from .loop_stage import StageState

ROWS, COLUMNS = 16, 8
"""Of a tile of the result."""

ROW_BYTES = 16
"""Of a row of a tile of `ldmatrix`."""

WIDENED: dict[Attribute, tuple[str, Attribute]] = {
    bf16: ("arith.extf", f32),
    f16: ("arith.extf", f32),
    i8: ("arith.extsi", i32),
}
"""Elements of factors: how the body makes of them what is multiplied, and what that is."""


class Factor(NamedTuple):
    """One side: where it lies, and the dimension that is the reduced axis; does that walk along memory?"""

    view: View
    access: Access
    deep: int
    along: bool


@dataclass(frozen=True)
class Shared:
    """How an index of the result is shared out: warps, tiles of a warp, lanes, neighbours of a thread."""

    tiles: str
    count: int
    lane: str
    pair: str = ""


@dataclass(frozen=True)
class MatrixProduct:
    """A stage that matrix instructions compute."""

    stage: StageOp
    left: Factor
    right: Factor
    rows: Shared
    columns: Shared
    axis: str
    depth: int
    element: Attribute

    @property
    def step(self) -> int:
        """Points of the reduced axis of one instruction."""
        return 2 * ROW_BYTES // (self.element.bitwidth // 8)  # pyright: ignore

    @property
    def kept(self) -> list[tuple[str, int]]:
        spread = axes_of(self.stage.target(0).access)
        return [a for a in vec_axes(self.stage) if a[0] in spread]


def matrix_product(state: StageState, stage: StageOp) -> MatrixProduct | None:
    """The stage by matrix instructions, if its mapping and its operands' memory are what they take."""
    factors = product(stage)
    if factors is None or state.launch is None or any(e != 1 for _, e in seq_axes(stage)):
        return None
    narrow = [widened(v, element_of(stage.results[0])) for v in factors]
    access = stage.target(0).access
    reduced = [a for a in vec_axes(stage) if a[0] not in axes_of(access)]
    if narrow[0] is None or narrow[1] is None or narrow[0].type != narrow[1].type or len(reduced) != 1:
        return None
    named = {f.name: f for f in fields(stage.axes)}
    found = [shared_out(stage, form, named) for form in access if form.terms]
    sides = [s for s in found if s is not None]
    if len(found) != 2 or len(sides) != 2 or bool(sides[0].pair) == bool(sides[1].pair):
        return None
    rows, columns = sides if sides[1].pair else sides[::-1]
    (axis, depth), element = reduced[0], narrow[0].type
    by_lane = {
        lane: factor
        for v in narrow
        if v is not None and (factor := factor_of(state, stage, v, axis))
        for lane in (rows.lane, columns.lane)
        if lane in axes_of(factor.access)
    }
    if len(by_lane) != 2 or rows.count % 2:
        return None
    made = MatrixProduct(stage, by_lane[rows.lane], by_lane[columns.lane], rows, columns, axis, depth, element)
    wide = element.bitwidth // 8 == 2  # pyright: ignore
    return made if depth % made.step == 0 and all(f.along or wide for f in (made.left, made.right)) else None


def widened(value: SSAValue, to: Attribute) -> BlockArgument | None:
    """The operand that a factor is the widened value of."""
    for element, (cast, wide) in WIDENED.items():
        narrow = through(value, cast) if wide == to else None
        if narrow is None and element == bf16 and to == f32:
            narrow = through(value, "arith.bitcast", "arith.shli", "arith.extui", "arith.bitcast")
        if isinstance(narrow, BlockArgument) and narrow.type == element:
            return narrow
    return None


def shared_out(stage: StageOp, form: Linear, named: dict[str, Field]) -> Shared | None:
    """An index of the result as `warps + 8 * tiles + lane`, or as `warps + 8 * tiles + 2 * lane + pair`."""
    vec = dict(vec_axes(stage))
    terms = sorted(form.terms, key=lambda t: t[1])
    pair = ""
    if terms and terms[0][0] in vec and vec[terms[0][0]] == 2 and terms[0][1] == 1:
        pair = terms.pop(0)[0]
    first = 2 if pair else 1
    lane = named.get(terms[0][0]) if terms else None
    wanted = (4, 0, 2) if pair else (8, 2, 3)
    if lane is None or terms[0][1] != first or (lane.extent, lane.shift, lane.bits) != wanted:
        return None
    rest = terms[1:]
    tiles, count = "", 1
    if rest and rest[0][0] in vec:
        if rest[0][1] != COLUMNS:
            return None
        tiles, count = rest[0][0], vec[rest[0][0]]
        rest = rest[1:]
    if form.const != 0 or any(n not in named for n, _ in rest):
        return None
    return Shared(tiles, count, lane.name, pair)


def factor_of(state: StageState, stage: StageOp, arg: BlockArgument, axis: str) -> Factor | None:
    """Where an operand lies: in memory of the block, of whose two dimensions one is the reduced axis."""
    value, access = stage.reads()[arg.index]
    view = state.views.get(value)
    if view is None or value in state.vectors or view.buffer.type.memory_space != WORKGROUP or len(access) != 2:  # pyright: ignore
        return None
    deep = [d for d, form in enumerate(access) if form == Linear.axis(axis)]
    if len(deep) != 1 or view.scale != (1, 1):
        return None
    return Factor(view, access, deep[0], deep[0] == 1)


class Products:
    """The instructions of one stage."""

    def __init__(self, state: StageState, made: MatrixProduct) -> None:
        self.state, self.made = state, made
        self.names = {f"_bits{s}_{n}": (s, n) for s, n in ((0, 3), (0, 4), (3, 1), (4, 1))}
        for name, (shift, bits) in self.names.items():
            state.bound_to(name, state.bits_of(shift, bits))

    def lanes(self, shift: int, bits: int, times: int = 1) -> Linear:
        """Bits of the lane's number, as an index."""
        return Linear.axis(f"_bits{shift}_{bits}", times)

    def run(self, acc: SSAValue) -> SSAValue:
        """The accumulator after all products."""
        made, state = self.made, self.state
        tiles = {(t, n): self.piece(acc, t, n) for t in range(made.rows.count // 2) for n in range(made.columns.count)}
        for first in range(0, made.depth, made.step):
            left = [self.left(t, first) for t in range(made.rows.count // 2)]
            right = self.right(first)
            for (t, n), c in tiles.items():
                tiles[t, n] = state.emit(MmaSyncOp.make(left[t], right[n], c, (ROWS, COLUMNS, made.step)))
        for (t, n), c in tiles.items():
            for r in range(2):
                acc = self.insert(self.extract(c, [r]), acc, self.place(2 * t + r, n))
        return acc

    # ---- the accumulator
    def place(self, row: int, column: int) -> list[int]:
        """The position of a pair of neighbours in the accumulator."""
        rows, columns = self.made.rows, self.made.columns
        at = {rows.tiles: row, columns.tiles: column}
        return [at[n] for n, _ in self.made.kept if n in at and n]

    def piece(self, acc: SSAValue, t: int, n: int) -> SSAValue:
        """The tile of 16 rows and 8 columns that a thread has four elements of."""
        element = acc.type.element_type  # pyright: ignore
        kind = VectorType(element, [2, 2])
        value = self.state.number(0, kind)
        for r in range(2):
            value = self.insert(self.extract(acc, self.place(2 * t + r, n)), value, [r])
        return value

    def extract(self, value: SSAValue, at: Sequence[int]) -> SSAValue:
        kind = value.type
        assert isinstance(kind, VectorType)
        part = VectorType(kind.element_type, kind.get_shape()[len(at) :])
        properties = {"static_position": DenseArrayBase.from_list(i64, list(at))}
        return self.state.emit(vector.ExtractOp.create(operands=[value], result_types=[part], properties=properties))

    def insert(self, part: SSAValue, value: SSAValue, at: Sequence[int]) -> SSAValue:
        properties: dict[str, Attribute] = {"static_position": DenseArrayBase.from_list(i64, list(at))}
        op = vector.InsertOp.create(operands=[part, value], result_types=[value.type], properties=properties)
        return self.state.emit(op)

    # ---- the factors
    def loaded(self, factor: Factor, side: Linear, deep: Linear, tiles: int) -> SSAValue:
        """Tiles whose rows the threads point at."""
        access = tuple(deep if d == factor.deep else side for d in range(2))
        places = self.state.indices(factor.view, access)
        return self.state.emit(LdMatrixOp.make(factor.view.buffer, places, tiles, not factor.along))

    def base(self, factor: Factor, shared: Shared, tile: int) -> Linear:
        """The index of the first row of a tile."""
        gone = {shared.lane: Linear(), shared.tiles: Linear(tile)} | ({shared.pair: Linear()} if shared.pair else {})
        return factor.access[1 - factor.deep].subst(gone)

    def left(self, t: int, first: int) -> SSAValue:
        """16 rows of one step: quarters at (0, 0), (8, 0), (0, half), (8, half)."""
        factor, half = self.made.left, self.made.step // 2
        base = self.base(factor, self.made.rows, 2 * t)
        if factor.along:
            return self.loaded(factor, base + self.lanes(0, 4), Linear(first) + self.lanes(4, 1, half), 4)
        deep = Linear(first) + self.lanes(4, 1, half) + self.lanes(0, 3)
        return self.loaded(factor, base + self.lanes(3, 1, COLUMNS), deep, 4)

    def right(self, first: int) -> list[SSAValue]:
        """Columns of one step, a tile of 8 for each: halves of the step of two tiles at a time."""
        factor, shared, half = self.made.right, self.made.columns, self.made.step // 2
        found: list[SSAValue] = []
        for n in range(0, shared.count, 2):
            two = n + 1 < shared.count
            base = self.base(factor, shared, n)
            side = self.lanes(4, 1, COLUMNS) if two else Linear()
            deep = Linear(first) + self.lanes(3, 1, half)
            if factor.along:
                side = side + self.lanes(0, 3)
            else:
                deep = deep + self.lanes(0, 3)
            tiles = self.loaded(factor, base + side, deep, 4 if two else 2)
            found.append(self.half(tiles, 0) if two else tiles)
            found += [self.half(tiles, 2)] if two else []
        return found

    def half(self, tiles: SSAValue, start: int) -> SSAValue:
        """Two of four tiles."""
        kind = tiles.type
        assert isinstance(kind, VectorType)
        value = self.state.number(0, VectorType(kind.element_type, [2, kind.get_shape()[1]]))
        for r in range(2):
            value = self.insert(self.extract(tiles, [start + r]), value, [r])
        return value
