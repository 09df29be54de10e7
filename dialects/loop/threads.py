"""How the threads of a block share out the points of a stage: a mapped axis is a field of bits of the thread's number.

    [i: warp 8, j: lane 32, k: vec 4]       i = thread / 32, j = thread mod 32: a warp has 32 lanes
    [i: thread 16, j: thread 16]            i = thread / 16 mod 16, j = thread mod 16: the last axis runs fastest
    [i: sweep n]                            i = thread, thread + threads, thread + 2 * threads, .. below n

A field has as many bits as its axis needs; threads beyond the axis repeat its last point. Threads that differ in other
bits alone compute the same: a value in registers is on all of them, and one of them writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .attributes import SWEEP, THREADED, Axis

WARP_BITS = 5
"""A warp has 32 lanes."""

MOST_BITS = 10
"""A block has 1024 threads at most."""


class Field(NamedTuple):
    """The bits of the thread's number that are a point of an axis."""

    name: str
    extent: int
    shift: int
    bits: int

    @property
    def mask(self) -> int:
        return ((1 << self.bits) - 1) << self.shift

    @property
    def full(self) -> bool:
        """Is every number of these bits a point?"""
        return self.extent == 1 << self.bits


def fields(axes: Sequence[Axis]) -> list[Field]:
    """The mapped axes of a domain, in its order."""
    found: list[Field] = []
    for kind in THREADED:
        shift = WARP_BITS if kind == "warp" else 0
        for axis in reversed(axes):
            if axis.kind == kind and isinstance(axis.extent, int):
                bits = max(axis.extent - 1, 0).bit_length()
                found.append(Field(axis.name, axis.extent, shift, bits))
                shift += bits
    order = {a.name: k for k, a in enumerate(axes)}
    return sorted(found, key=lambda f: order[f.name])


def swept(axes: Sequence[Axis]) -> str:
    """The axis along which the threads go; empty if there is none."""
    return next((a.name for a in axes if a.kind == SWEEP), "")


def thread_bits(axes: Sequence[Axis]) -> int:
    """Bits of the numbers of the threads that a stage needs."""
    return max((f.shift + f.bits for f in fields(axes)), default=0)


def mistake(axes: Sequence[Axis]) -> str:
    """What is wrong with the mapping of a domain: expected and found; empty if nothing is."""
    kinds = {a.kind for a in axes} & set(THREADED)
    sweeps = [a.name for a in axes if a.kind == SWEEP]
    if len(sweeps) > 1 or (sweeps and kinds):
        others = [a.name for a in axes if a.kind in THREADED]
        return f"expected one axis that the threads of a block share, found {', '.join([*sweeps, *others])}"
    if not kinds:
        return ""
    for axis in axes:
        if axis.kind in THREADED and not isinstance(axis.extent, int):
            return f"expected a known extent of {axis.kind} axis {axis.name}, found {axis.extent}"
    if "thread" in kinds and len(kinds) > 1:
        return (
            f"expected threads, or warps and lanes, found axes of kinds {', '.join(k for k in THREADED if k in kinds)}"
        )
    lanes = sum(f.bits for f in fields([a for a in axes if a.kind == "lane"]))
    if lanes > WARP_BITS:
        return f"expected at most {1 << WARP_BITS} lanes, found {1 << lanes}"
    if (bits := thread_bits(axes)) > MOST_BITS:
        return f"expected at most {1 << MOST_BITS} threads, found {1 << bits}"
    return ""
