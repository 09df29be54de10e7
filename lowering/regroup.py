"""Accesses through a reshape: an index into one shape as an index into another of the same elements.

tensor<12> -> tensor<3x4> read at [i, j]      [4 * i + j]
tensor<3x4> -> tensor<12> read at [4*i + j]   [i, j]
tensor<3x4> -> tensor<12> read at [i]         not linear: the axis must be split by 4 first (`Unfactored`)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..dialects.loop.linear import Access, Linear
from ..dialects.nd.dims import Dim, Shape, exact_div, show


class Split(NamedTuple):
    axis: str
    size: int


class Unfactored(Exception):
    """An axis that must be split into parts of `size`, or (axis empty) an index that no split helps."""

    def __init__(self, axis: str, size: int, shape: Shape, source: Shape) -> None:
        super().__init__(f"expected a reshape whose indices are linear, found {show(source)} to {show(shape)}")
        self.axis, self.size = axis, size


def regrouped(at: Access, shape: Shape, source: Shape, axes: Mapping[str, Dim]) -> Access:
    """The index into `source` of the element at `at` of `shape`."""
    if 0 in shape:
        return tuple(Linear(0) for _ in source)
    out: list[Linear] = [Linear(0)] * len(source)
    fronts = _blocks(shape, source)
    for mine, theirs in fronts:
        flat = Linear(0)
        step: Dim = 1
        for k in reversed(mine):
            if at[k].terms or at[k].const != 0:
                if isinstance(step, int):
                    flat = flat + at[k].scaled(step)
                elif not at[k].terms:
                    flat = flat + Linear(at[k].const * step)
                else:
                    raise Unfactored("", 0, shape, source)
            step = step * shape[k]
        inner: Dim = 1
        for k in reversed(theirs[1:]):
            inner = inner * source[k]
        for place, k in enumerate(theirs):
            if place == len(theirs) - 1:
                out[k] = flat
                break
            assert isinstance(inner, int)
            parts = _divided(flat, inner, axes)
            if isinstance(parts, Split):
                raise Unfactored(parts.axis, parts.size, shape, source)
            out[k], flat = parts
            nxt = source[theirs[place + 1]]
            assert isinstance(nxt, int)
            inner //= nxt
    return tuple(out)


def _divided(flat: Linear, by: int, axes: Mapping[str, Dim]) -> tuple[Linear, Linear] | Split:
    """Quotient and rest of a form, both linear; else the axis to split, and by what (0: no split helps)."""
    if not isinstance(flat.const, int):
        return Split("", 0)
    high = {n: c // by for n, c in flat.terms if c % by == 0}
    low = {n: c for n, c in flat.terms if c % by}
    quotient, rest = Linear.of(flat.const // by, high), Linear.of(flat.const % by, low)
    least, most = rest.range(axes)
    if isinstance(least, int) and isinstance(most, int) and least >= 0 and most < by:
        return quotient, rest
    axis, c = next(iter(low.items()), ("", 0))
    return Split(axis, by // c) if c > 0 and by % c == 0 else Split("", 0)


def _blocks(shape: Shape, source: Shape) -> list[tuple[list[int], list[int]]]:
    """Dimensions of both sides that hold the same elements, as small as possible, each with a static inner part."""
    out: list[tuple[list[int], list[int]]] = []
    i, j = len(shape), len(source)
    while i or j:
        mine: list[int] = []
        theirs: list[int] = []
        a: Dim = 1
        b: Dim = 1
        while True:
            if a == b and mine and theirs:
                break
            if i and (not mine or _less(a, b) or not j):
                i -= 1
                mine.insert(0, i)
                a = a * shape[i]
            elif j:
                j -= 1
                theirs.insert(0, j)
                b = b * source[j]
            else:
                break
        if not mine or not theirs:  # dimensions of one element that are left
            if out and (mine or theirs):
                out[-1] = ([*mine, *out[-1][0]], [*theirs, *out[-1][1]])
            elif mine or theirs:
                out.append((mine, theirs))
            continue
        out.append((mine, theirs))
    return out


def _less(a: Dim, b: Dim) -> bool:
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    return isinstance(a, int) or exact_div(b, a) is not None
