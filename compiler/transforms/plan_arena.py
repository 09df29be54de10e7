"""Where the buffers of a plan lie in the arena.

Buffers of known sizes come first. Behind them come those of each symbolic size: sizes that are multiples of one
expression, such as `256*b` and `1024*b`, share memory by their factors, whatever `b` is:

    size         factor        offset
    256*b        256           0
    1024*b       1024          256*b
    40*b         64 (rounded)  0, if nothing is there meanwhile; else behind all these, with others of its size

A factor that is no multiple of 64 is rounded, so that offsets stay aligned, where that wastes little or there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import NamedTuple

from ...dialects.graph.place import Place
from ...dialects.nd.dims import Dim, Sym
from .plan_buffers import ALIGNMENT, Buffer, aligned
from .plan_offsets import Need, gap, pack

WASTE = 64
"""A factor may grow by one part in so many."""


class _Member(NamedTuple):
    """A buffer whose size is some unit times a factor, which is rounded to a multiple of 64 in `need`."""

    buffer: Buffer
    need: Need
    wasteful: bool


def place(buffers: Sequence[Buffer]) -> Dim:
    """Give each buffer its place in the arena; the size of that."""
    groups: dict[Dim, list[_Member]] = {}
    for buffer in buffers:
        unit, factor = (1, buffer.bytes) if isinstance(buffer.bytes, int) else _split(buffer.bytes)
        rounded = -(-factor // ALIGNMENT) * ALIGNMENT
        wasteful = unit != 1 and (rounded - factor) * WASTE > factor
        need = Need(rounded, tuple(buffer.stretches()))
        groups.setdefault(unit, []).append(_Member(buffer, need, wasteful))
    end: Dim = 0
    rest: dict[Dim, list[_Member]] = {}
    for unit, members in sorted(groups.items(), key=lambda g: g[0] != 1):
        end = _share(unit, end, members, rest)
    for bytes_, members in rest.items():
        found = pack([Need(1, m.need.times) for m in members])
        for m, offset in zip(members, found.offsets, strict=True):
            m.buffer.place = Place("arena", end + bytes_ * offset, m.buffer.bytes)
        end = end + bytes_ * found.total
    return end


def _share(unit: Dim, start: Dim, members: Sequence[_Member], rest: dict[Dim, list[_Member]]) -> Dim:
    """Place what are multiples of a unit from `start` on; wasteful ones where there is room, else into `rest`."""
    needs = [m.need for m in members if not m.wasteful]
    offsets, total, _ = pack(needs)
    kept = [m for m in members if not m.wasteful]
    for m in sorted((m for m in members if m.wasteful), key=lambda m: -m.need.bytes):
        if (offset := gap(needs, offsets, total, m.need)) is None:
            rest.setdefault(aligned(m.buffer.bytes), []).append(m)
            continue
        needs.append(m.need)
        offsets.append(offset)
        kept.append(m)
    for m, offset in zip(kept, offsets, strict=True):
        m.buffer.place = Place("arena", start + unit * offset, m.buffer.bytes)
    return start + unit * total


def _split(bytes: Sym) -> tuple[Dim, int]:
    """A symbolic size as an expression and its greatest factor."""
    factor = gcd(*(c for _, c in bytes.terms))
    return Sym.of({m: c // factor for m, c in bytes.terms}), factor
