"""Schedules for sums of products of narrow factors, of which one instruction adds several (`Machine.dots`).

    %c = loop.stage mm [i: 64, j: 512, k: 256] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {..}     bytes, added as i32

k is split by the products of an instruction. A tile of the lanes' operand is packed so that its factors are neighbours;
those of the rows are neighbours in memory or packed too. The tile then is i x j x 4, summed over the last axis:

    %pack_B = loop.stage pack_B [k0: 64, k: vec 4, j: vec 32] (%b = %B[4 * k0 + k, j + j0]) -> [k0, j, k] {..}
    %c = loop.stage mm [i: vec 8, j: vec 32, k: vec 4, k0: 64] (%a = %A[i + i0, 4 * k0 + k], %b = %pack_B[k0, j, k]) ..
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ....dialects.loop.linear import Access, axes_of
from ....dialects.loop.narrow_products import extended, product
from ....dialects.loop.ops import StageOp
from ...machine import Machine
from .classify import Contraction
from .cones import cone
from .contractions import loops_around, tile
from .offset import factors
from .register_tile import register_tile
from .reorder import axis_stride, strides_of
from .steptext import extent, lanes_of, step
from .structure import fresh

WAYS = {"i8": 4, "bf16": 2}
"""Products that one instruction adds, by the type of the factors."""


class Dots(NamedTuple):
    """How a contraction is done by such instructions: products of each, the reduced axis that they run along, and the
    operand whose sign is changed first (None: neither)."""

    ways: int
    axis: str
    shifted: int | None


def dots(c: Contraction, machine: Machine) -> Dots | None:
    """The contraction by the machine's instruction for its factors; None: there is none, or it does not pay."""
    kind = factor_type(c.stage)
    if not {"i8": machine.int8_dot, "bf16": machine.bf16_dot}.get(kind) or c.windowed:
        return None
    if c.few and not (c.packed or c.constant):
        return None
    axis = along(c, WAYS[kind])
    if axis is None:
        return None
    return signed(c, axis, machine) if kind == "i8" else Dots(WAYS[kind], axis, None)


def factor_type(stage: StageOp) -> str:
    """The type of both narrow factors of a sum of products; empty: they have none in common."""
    pair = product(stage)
    kinds = {str(found[0].type) if (found := extended(v)) is not None else "" for v in pair or ()}
    return kinds.pop() if len(kinds) == 1 else ""


def signed(c: Contraction, axis: str, machine: Machine) -> Dots | None:
    """By fours of bytes. If the instruction wants other signs, that of the lanes' operand is changed, which is packed
    anyway, or that of the rows'."""
    pair = factors(c.stage, c.rhs)
    if pair is None:
        return None
    lanes, rows = ("s" if found[1].name == "arith.extsi" else "u" for v in pair if (found := extended(v)) is not None)
    flip = {"s": "u", "u": "s"}
    for one, other, changed in ((lanes, rows, None), (flip[lanes], rows, c.rhs), (lanes, flip[rows], c.lhs)):
        if machine.int8_dot in (f"{one}8{other}8", f"{other}8{one}8"):
            return Dots(WAYS["i8"], axis, changed)
    return None


def along(c: Contraction, ways: int) -> str | None:
    """The reduced axis along which products are added: of words the inner one, else one along which the rows' factors
    are neighbours, if there is one."""
    if c.packed:
        return next((a for a in c.k if c.stage.extent(a) == ways and c.stride(a) == 1), None)
    value, access = c.stage.reads()[c.lhs]
    able = [
        a
        for a in c.k
        if isinstance(e := c.stage.extent(a), int) and e >= ways and e % ways == 0 and a in axes_of(access)
        if a in axes_of(c.access) and alone(access, a) and alone(c.access, a)
    ]
    return min(able, key=lambda a: axis_stride(access, strides_of(value), a), default=None)


def alone(access: Access, axis: str) -> bool:
    """Is the axis the only one in its index?"""
    return all(len(form.terms) == 1 for form in access if axis in form.names)


def offset_steps(c: Contraction, machine: Machine) -> list[str]:
    """What comes before everything else: the sign of one operand is changed where the instruction wants it so."""
    found = dots(c, machine)
    if found is None or found.shifted is None:
        return []
    return [step("offset", [c.label], value=c.stage.ins[found.shifted].name_hint or "")]


def schedule_dots(
    c: Contraction, d: Dots, group: Sequence[StageOp], batch: Sequence[str], machine: Machine
) -> list[str]:
    """Batch loops, lane tiles, packed lanes, row tiles around the contraction and the stages that follow it."""
    names = [s.label.data for s in group]
    everywhere, columns, inside = loops_around(c, batch)
    rows, width, *_ = register_tile(c, machine, len(group) > 1, ways=d.ways)
    outer = fresh([c.stage], d.axis)
    steps: list[str] = []
    if c.stage.extent(d.axis) != d.ways:
        steps.append(step("split", [c.label], axis=d.axis, size=d.ways))
    steps += [step("nest", names, axis=a) for a in (*everywhere, *columns)]
    steps += tile(names, c.n, width, c.stage)
    if not c.packed:
        steps += pack_lanes(c, d, outer, [*everywhere, *columns], machine, min(width, extent(c.stage, c.n)))
    steps += [step("nest", names, axis=a) for a in inside]
    steps += tile(names, c.m, rows, c.stage)
    steps += pack_rows(c, d, outer, [*everywhere, *inside])
    steps += [
        step("reorder", [c.label], axes=[c.m, c.n, d.axis]),
        step("vectorize", [c.label], axes=[c.m, c.n, d.axis]),
    ]
    if rest := names[1:]:
        steps += [step("reorder", rest, axes=[c.m, c.n]), step("vectorize", rest, axes=[c.m, c.n])]
    return steps


def inner_axes(c: Contraction, d: Dots, outer: str, access: Access, bound: Sequence[str], own: str) -> list[str]:
    """The axes of an operand that are not bound by loops around the copy, the split one replaced by its outer part."""
    kept = axes_of(access) - set(bound) - {own}
    whole = c.stage.extent(d.axis) == d.ways
    named = [a.name for a in c.stage.axes if a.name in kept and not (whole and a.name == d.axis)]
    return [outer if a == d.axis else a for a in named]


def words(c: Contraction, d: Dots, machine: Machine, width: int, blocks: str) -> list[str]:
    """The steps that pack all of the lanes' operand, in front of all loops."""
    outer = fresh([c.stage], d.axis)
    split = [step("split", [c.label], axis=d.axis, size=d.ways)] if c.stage.extent(d.axis) != d.ways else []
    return [*split, *pack_lanes(c, d, outer, [], machine, width, blocks)]


def pack_lanes(
    c: Contraction, d: Dots, outer: str, bound: Sequence[str], machine: Machine, width: int, blocks: str = ""
) -> list[str]:
    """The lanes' operand as words of the factors that an instruction adds."""
    copy = f"pack_{c.rhs_name}"
    axes = [*([blocks] if blocks else []), *inner_axes(c, d, outer, c.access, bound, c.n), c.n, d.axis]
    steps = [step("pack", [c.label], value=c.rhs_name, axes=axes, convert="true", narrow="true")]
    lanes = lanes_of([c.stage], machine)
    if width > 8 * lanes:
        steps.append(step("split", [copy], axis=c.n, size=4 * lanes))
    return [*steps, step("reorder", [copy], axes=[d.axis, c.n]), step("vectorize", [copy], axes=[d.axis, c.n])]


def pack_rows(c: Contraction, d: Dots, outer: str, bound: Sequence[str]) -> list[str]:
    """The rows' operand in words, unless its factors are neighbours as they are."""
    value, access = c.stage.reads()[c.lhs]
    near = axis_stride(access, strides_of(value), d.axis) == 1
    if near and cone(c.stage, c.lhs, axes_of(access), narrow=True) is None and d.shifted != c.lhs:
        return []
    name = value.name_hint or ""
    axes = [*inner_axes(c, d, outer, access, bound, c.m), c.m, d.axis]
    copy = f"pack_{name}"
    order = [d.axis] if near else [d.axis, c.m]
    steps = [step("pack", [c.label], value=name, axes=axes, convert="true", narrow="true")]
    return [*steps, step("reorder", [copy], axes=[d.axis, c.m]), step("vectorize", [copy], axes=order)]
