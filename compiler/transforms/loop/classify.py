"""What the axes of a contraction are: lanes, rows, reduced axes, and the operand whose elements fill the lanes.

    %c = loop.stage mm [i: 512, j: 256, k: 64] (%a = %A[i, k], %b = %B[j, k]) -> add [i, j] {..}

j may carry the lanes and i the rows, or the other way round. A pair is judged by what it costs for each multiply-add:
lanes that are left empty, loads, the copy of an operand whose lanes are not contiguous, and turning the result's tile
in registers where its lanes are not contiguous. So a convolution over channels first has its lanes along the channels
of the result, unless they are few; its rows are pixels then, and its kernel is what is packed. Where few rows leave
nothing to turn, another axis of the lanes' operand along which the result is contiguous may make up the tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod

from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, SSAValue

from ....dialects.graph.ops import CONSTANT
from ....dialects.loop.linear import Access, Linear, axes_of
from ....dialects.loop.narrow_products import product
from ....dialects.loop.ops import StageOp, element_of, shape
from .cones import cone, reads
from .pack import PREFIX
from .reorder import TYPICAL, axis_stride, row_major, strides_of
from .steptext import bytes_of, extent

LANES, BUSY = 16, 8
"""Typical numbers, by which pairs are compared: elements of a vector, and the accumulators that keep the multiply-adds
busy."""

TILES = [(rows, width) for width in range(1, 8) for rows in range(1, 28 // width + 1)]
"""Typical tiles: rows and vectors."""

BROADCAST, LOADED = 0.15, 0.35
"""A factor of the rows, from the first cache, and a vector of lanes, from the second one, in multiply-adds."""

SKINNY = 4
"""With this few rows, transposed lanes are not worth a copy: partial sums along the reduced axis instead."""

WOVEN = 4
"""Elements that one of the lanes' operand holds, at most."""

COPIED, COPIED_TURNED = 24.0, 10.0
"""An element that is gathered into a copy, in multiply-adds of an element; and where whole blocks are turned in
registers for many rows."""

FAR = 1 << 20
"""Bytes of an operand of the rows that no second cache holds; it is copied where no reduced axis walks along its
lines."""

TURNED, SCATTERED = 25.0, 60.0
"""A vector of the result that is turned in registers before it is stored, and one that is stored by elements, in vector
multiply-adds."""


@dataclass(frozen=True)
class Contraction:
    """sum over `k` of lhs[.., m, k] * rhs[.., k, n]; `n` runs along vector lanes."""

    stage: StageOp
    m: str
    n: str
    k: tuple[str, ...]
    rhs: int
    inner: tuple[str, ...] = ()
    """Short axes that the result's index of the lanes counts faster: elements unpacked from one of the operand."""
    along: str = ""
    """An axis of the lanes' operand along which the result is contiguous: tiles of it by the lanes are turned."""

    @cached_property
    def reads(self) -> list[tuple[SSAValue, Access]]:
        """Of the stage, which stays as it is as long as it is looked at."""
        return self.stage.reads()

    @property
    def label(self) -> str:
        return self.stage.label.data

    @property
    def rhs_name(self) -> str:
        return self.stage.ins[self.rhs].name_hint or ""

    @property
    def access(self) -> Access:
        """Where the lanes' operand is read."""
        return self.reads[self.rhs][1]

    @property
    def few(self) -> bool:
        """Are there a few rows at most, whatever is given at run time?"""
        rows = self.stage.extent(self.m)
        return isinstance(rows, int) and rows <= SKINNY

    @property
    def transposed(self) -> bool:
        """Lanes are not contiguous in memory."""
        return self.stride(self.n) != 1

    @property
    def constant(self) -> bool:
        """Is the lanes' operand a constant of the program?"""
        return is_constant(self.stage.ins[self.rhs])

    @property
    def packed(self) -> bool:
        """Do the lanes of a tile lie one behind the other already?"""
        owner = self.stage.ins[self.rhs].owner
        return isinstance(owner, StageOp) and owner.label.data.startswith(PREFIX)

    @property
    def windowed(self) -> bool:
        """Some element of the lanes' operand is read at several points: a copy would repeat it."""
        return any(len(names) > 1 for names in self.own_axes(self.access))

    def own_axes(self, access: Access) -> list[list[str]]:
        """The axes of the stage in each index, but those of one point."""
        return [[n for n, _ in form.terms if self.stage.extent(n) not in (None, 1)] for form in access]

    @property
    def lhs(self) -> int:
        """The first operand that has the rows."""
        return next(i for i, (_, access) in enumerate(self.reads) if self.m in axes_of(access))

    def converts(self, operand: int) -> bool:
        """Is an operand converted to a wider type, by itself or with others, before it is multiplied?"""
        value, access = self.reads[operand]
        found = cone(self.stage, operand, axes_of(access))
        return found is not None and bytes_of(found.end.type) > bytes_of(element_of(value))

    def stride(self, axis: str) -> int:
        """Elements between neighbours along an axis in the lanes' operand."""
        value, access = self.reads[self.rhs]
        return axis_stride(access, strides_of(value), axis)

    def result_stride(self, axis: str) -> int:
        """Elements between neighbours along an axis in the result."""
        return axis_stride(self.stage.target(0).access, row_major(shape(self.stage.results[0])), axis)

    def stored(self, filled: float = 1.0) -> float:
        """What storing the result costs for each multiply-add, if vectors along the rows are filled to a part."""
        if self.result_stride(self.n) == 1:
            return 0.0
        reduced = prod(max(extent(self.stage, a), 1) for a in self.k)
        turned = self.along or self.result_stride(self.m) == 1
        return (TURNED / filled if turned else SCATTERED) / reduced

    @property
    def walked(self) -> tuple[str, ...]:
        """The reduced axes in the order that walks along memory: of the lanes' operand, or of that of the rows where
        the lanes are copied anyway."""
        value, access = self.reads[self.lhs if self.transposed else self.rhs]
        strides = strides_of(value)
        return tuple(sorted(self.k, key=lambda a: -axis_stride(access, strides, a)))

    @property
    def copied_rows(self) -> float:
        """What a copy of the operand of the rows costs, in multiply-adds, if it needs one."""
        value, access = self.reads[self.lhs]
        strides = strides_of(value)
        if bytes_in(value) < FAR or any(axis_stride(access, strides, a) == 1 for a in self.k):
            return 0.0
        return COPIED_TURNED * prod(max(extent(self.stage, a), 1) for a in axes_of(access) if self.stage.extent(a))

    @property
    def rhs_bytes(self) -> int:
        return bytes_in(self.stage.ins[self.rhs])

    @property
    def lhs_bytes(self) -> int:
        """Of the largest operand that has the rows."""
        return max(bytes_in(value) for value, access in self.reads if self.m in axes_of(access))


def is_constant(value: SSAValue) -> bool:
    """Is it an argument that is a constant of the program?"""
    f = value.block.parent_op() if isinstance(value, BlockArgument) else None
    if not isinstance(f, FuncOp) or f.arg_attrs is None:
        return False
    return CONSTANT in f.arg_attrs.data[value.index].data  # pyright: ignore


def bytes_in(value: SSAValue) -> int:
    return bytes_of(element_of(value)) * prod(d if isinstance(d, int) else TYPICAL for d in shape(value))


def contraction(stage: StageOp) -> Contraction | None:
    """The stage as a contraction with the cheapest lanes and rows, or None."""
    return min(candidates(stage), key=cost, default=None)


def candidates(stage: StageOp) -> list[Contraction]:
    """Every pair of lanes and rows; the last axes of the result first."""
    if len(stage.results) != 1 or not stage.target(0).mode or len(stage.ins) < 2 or any(a.kind for a in stage.axes):
        return []
    forms = [form for form in stage.target(0).access if form.terms]
    woven = dict(pair for form in forms if (pair := outer_of(stage, form)) is not None)
    # of an axis that is split into tiles, the inner one
    result = [next((n for n in woven if n in f.names), min(f.terms, key=lambda t: abs(t[1]))[0]) for f in forms]
    spread = axes_of(stage.target(0).access)
    k = tuple(a.name for a in stage.axes if a.name not in spread)
    used = [axes_of(access) for _, access in stage.reads()]
    reduced = [i for i, names in enumerate(used) if names & set(k)]
    found: list[Contraction] = []
    for n in reversed(result):
        rhs = sorted((i for i in reduced if n in used[i]), key=lambda i: -len(used[i] & set(k)))
        if not rhs or (len(rhs) > 1 and not one_factor(stage, rhs)):
            continue
        if any(not used[i] <= used[rhs[0]] | set(woven.get(n, ())) for i in rhs):
            continue
        rows = [m for m in result if m not in used[rhs[0]] and any(m in used[i] for i in reduced)]
        found += [Contraction(stage, m, n, k, rhs[0], woven.get(n, ())) for m in reversed(rows)]
    return [*found, *(turned for c in found if (turned := turned_along(c)) is not None)]


def turned_along(c: Contraction) -> Contraction | None:
    """With few rows and lanes that are not contiguous in the result, an axis of their operand that is."""
    others = axes_of(c.access) - {c.n, *c.k}
    along = next((a.name for a in c.stage.axes if a.name in others and c.result_stride(a.name) == 1), "")
    possible = along and c.few and not c.inner and not c.transposed and c.result_stride(c.n) != 1
    return replace(c, along=along) if possible else None


def one_factor(stage: StageOp, operands: Sequence[int]) -> bool:
    """Is what the body computes of these operands one factor of a product, and of no other operand?"""
    pair = product(stage)
    if pair is None:
        return False
    args, mine = stage.body.block.args, [stage.body.block.args[i] for i in operands]
    first, second = ({a for a in args if reads(v, a)} for v in pair)
    return (first == set(mine)) != (second == set(mine)) and not first & second


def outer_of(stage: StageOp, form: Linear) -> tuple[str, tuple[str, ...]] | None:
    """The outer axis of a split result index and the others, if these are short."""
    if len(form.terms) < 2:
        return None
    outer, *inner = sorted(form.terms, key=lambda t: -abs(t[1]))
    names = tuple(n for n, _ in inner)
    extents = [stage.extent(n) for n in names]
    short = all(isinstance(e, int) for e in extents) and prod(extent(stage, n) for n in names) <= WOVEN
    return (outer[0], names) if short else None


def cost(c: Contraction) -> float:
    """Time for each multiply-add, relative to the peak."""
    m, n, stage = max(extent(c.stage, c.m), 1), max(extent(c.stage, c.n), 1), c.stage
    points = prod(max(extent(stage, a.name), 1) for a in stage.axes)
    read = prod(max(extent(stage, a), 1) for a in axes_of(c.access) if stage.extent(a) is not None)
    if c.along:
        return 1.0 + LOADED + c.stored()  # a vector is loaded for each multiply-add
    turned = m >= LANES and any(c.stride(a) == 1 and extent(stage, a) >= LANES for a in c.k)
    each = COPIED_TURNED if turned else COPIED
    copied = each * read / points if c.transposed and not (c.constant or c.packed) else 0.0
    copied += c.copied_rows / points
    if c.constant and n > CUT * LANES:
        # blocks of it are packed before the program runs, the last one with what is left
        whole = -(-n // LANES) * LANES
        return computed(m, whole * TILED) * whole / n + c.stored()
    return computed(m, n) + copied + c.stored()


CUT, TILED = 4, 60
"""Vectors from which on a constant has several blocks; a number of vectors that tiles of one to six divide."""


@lru_cache(4096)
def computed(m: int, n: int) -> float:
    """Time for each multiply-add of m rows and n lanes in the best tiles."""
    return min(in_tiles(m, n, *tile) for tile in TILES)


def in_tiles(m: int, n: int, rows: int, width: int) -> float:
    """The same in tiles of `rows` and `width` vectors, clamped at the ends."""
    natives = -(-n // LANES)
    rows, width = min(rows, m), min(width, natives)
    padding = -(-m // rows) * rows / m * (-(-natives // width) * width * LANES / n)
    busy = max(1.0, BUSY / (rows * width))
    return padding * busy * (1 + (BROADCAST * rows + LOADED * width) / (rows * width))
