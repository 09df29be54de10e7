"""Which contractions are convolutions of three taps with stride 1, and what their dimensions are.

    nd.contract %x, %w "n c h+k-1 w+l-1, f c k l -> n f h w"

Every window has three taps and steps by one; besides its windows an operand has bare names only, in any order. The
gradient for the input, with windows "h-k+1", is one whose taps are counted backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import f32

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dimmap import DimMap, Index
from ....dialects.nd.dims import Dim
from ....dialects.nd.types import element, shape_of
from .matrices import TAPS

MOST_WINDOWS = 2
"""The error grows with the power of their number."""


@dataclass(frozen=True)
class Window:
    """Result p reads from `p + start` to `p + start + 2`; tap k is the first of these or, `backwards`, the last."""

    p: str
    k: str
    start: int
    backwards: bool


@dataclass(frozen=True)
class Convolution:
    """`x` and `w` with the names of their dimensions; of `x`, a window has the name of what it gives.

    `batch` names are those of `x` and the result, `channels` those of both operands, `features` those of `w` and the
    result.
    """

    x: Array
    w: Array
    x_names: tuple[str, ...]
    w_names: tuple[str, ...]
    result: tuple[str, ...]
    windows: tuple[Window, ...]
    batch: tuple[str, ...]
    channels: tuple[str, ...]
    features: tuple[str, ...]
    sizes: Mapping[str, Dim]
    """Of all names; of a window, how many results it gives."""

    def length(self, w: Window) -> int:
        """How many results a window gives."""
        size = self.sizes[w.p]
        assert isinstance(size, int)
        return size

    def read(self, w: Window) -> int:
        """The size of the dimension of `x` that a window reads."""
        size = self.x.shape[self.x_names.index(w.p)]
        assert isinstance(size, int)
        return size


def convolution(op: Contract) -> Convolution | None:
    """The contraction as a convolution that F(m, 3) computes, or None."""
    m = op.dims
    windowed = [k for k, dims in enumerate(m.operands) if any(i.name is None for i in dims)]
    if element(op.type) != f32 or len(m.operands) != 2 or len(windowed) != 1:
        return None
    (at,) = windowed
    x, w, x_dims, w_dims = op.operands[at], op.operands[1 - at], m.operands[at], m.operands[1 - at]
    known = {i.name or "": d for i, d in zip(m.result, shape_of(op.type), strict=True)}
    sizes = m.extents([shape_of(v.type) for v in op.operands], known)
    found = {i: window(i, sizes, m) for i in x_dims if i.name is None}
    windows = tuple(v for v in found.values() if v is not None)
    if len(windows) < len(found) or len(windows) > MOST_WINDOWS:
        return None
    if not all(isinstance(d, int) for i, d in zip(x_dims, shape_of(x.type), strict=True) if i in found):
        return None
    inner = {n for v in windows for n in (v.p, v.k)}
    of_x, of_w, of_result = ([i.name for i in d if i.name and i.name not in inner] for d in (x_dims, w_dims, m.result))
    batch = tuple(n for n in of_x if n in of_result and n not in of_w)
    channels = tuple(n for n in of_x if n in of_w and n not in of_result)
    features = tuple(n for n in of_w if n in of_result and n not in of_x)
    roles = (*batch, *channels, *features)
    if not channels or not features or any(roles.count(n) != 1 for n in (*of_x, *of_w, *of_result)):
        return None
    if any(len(set(d)) < len(d) for d in (x_dims, w_dims)):
        return None
    named = ((v.p if (v := found.get(i)) is not None else i.name or "") for i in x_dims)
    return Convolution(
        Array(x),
        Array(w),
        tuple(named),
        tuple(i.name or "" for i in w_dims),
        tuple(known),
        windows,
        batch,
        channels,
        features,
        sizes,
    )


def window(index: Index, sizes: Mapping[str, Dim], m: DimMap) -> Window | None:
    """`p + k + start` or, backwards, `p - k + start + 2`, with three taps; p is else in the result only, k in the
    kernel."""
    if index.divisor != 1 or len(index.terms) != 2 or not isinstance(index.offset, int):
        return None
    result = {i.name for i in m.result}
    (p, one), (k, sign) = sorted(index.terms, key=lambda term: term[0] not in result)
    if p not in result or k in result or one != 1 or sign not in (1, -1) or sizes.get(k) != TAPS:
        return None
    if not isinstance(sizes[p], int):
        return None
    others = [i for dims in m.operands for i in dims if i != index and any(n in (p, k) for n, _ in i.terms)]
    if any(i.name != k for i in others):
        return None
    return Window(p, k, index.offset - (TAPS - 1 if sign < 0 else 0), sign < 0)
