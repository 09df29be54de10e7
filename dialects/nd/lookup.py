"""Functions of the array language that read and write at computed positions: indices that are arrays, `take`,
`x.at[..]`, slices with computed starts.

A negative position counts from the end. What lies outside even so is read at the nearest end and not written, unless
a `mode` says otherwise: `clip` (the nearest end), `fill` (read as 0), `drop` (not written), `wrap` (modulo the size),
`promise` (the program knows that all are from 0 on and inside). Positions known while the program is built must be
inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import i1, i64

from . import dynamic_slices, indirect
from .array import Array
from .constant import full, iota, size_value
from .dimmap import DimMap, Dims, Index, bare
from .dims import Dim, Shape, Sym, show
from .masks import MASK
from .movement import broadcast_to, reshape
from .promotion import asarray, broadcast_shapes, common_dtype, fail, one_axis
from .scatter import scatter
from .selection import convert
from .types import INTEGER, NUMPY, is_float, tensor


def is_positions(key: Any) -> bool:
    """An index that is an array of positions, not a number or a slice."""
    return isinstance(key, Array | np.ndarray | list)


def positions(i: Any, d: Dim, mode: str | None = None, from_end: bool = True) -> Array:
    """Positions in a dimension of size d: negative ones counted from the end, or taken modulo d."""
    if not isinstance(i, Array):
        known = np.asarray(i)
        if known.dtype == bool:
            raise fail(MASK)
        if not known.size:
            known = known.astype(np.int64)
        if isinstance(d, int) and known.dtype.kind in "iu" and mode is None and from_end:
            if known.size and not -d <= known.min() <= known.max() < d:
                bad = known[(known < -d) | (known >= d)].flat[0]
                raise fail(f"expected positions from {-d} to {d - 1}, found {bad}")
            return asarray(np.where(known < 0, known + d, known).astype(np.int64))
    i = asarray(i)
    if i.dtype == i1:
        raise fail(MASK)
    if i.dtype not in INTEGER:
        raise fail(f"expected positions as integers, found {i.type}; convert them first")
    kind = NUMPY[i.dtype]
    signed = kind.kind == "i"
    if mode == "wrap" or (signed and from_end and mode != "promise"):
        from .functions import remainder, select

        wide = i.dtype if kind.itemsize >= 4 and isinstance(d, int) and d < 1 << 31 else i64
        i = convert(i, wide) if signed or mode == "wrap" else i
        size = broadcast_to(size_value(d, i.dtype), i.shape)
        i = remainder(i, size) if mode == "wrap" else select(i < 0, i + size, i)
    return i


def gather_mode(mode: str | None, allowed: Sequence[str] = ("clip", "fill", "wrap", "promise")) -> str:
    if mode is not None and mode not in allowed:
        raise fail(f"expected a mode of {', '.join(allowed)}, found {mode!r}")
    return {None: "clip", "wrap": "promise", "drop": "fill"}.get(mode, mode or "")


def scatter_mode(mode: str | None) -> str:
    if mode is not None and mode not in ("clip", "drop", "fill", "wrap", "promise"):
        raise fail(f"expected a mode of clip, drop, wrap, promise, found {mode!r}")
    return {None: "drop", "wrap": "promise", "fill": "drop"}.get(mode, mode or "")


# Indices as NumPy's.


@dataclass
class Lookup:
    """Where the elements of `x[key]` lie: the map's place and data, its index operands, and the shape of the result."""

    place: list[Index] = field(default_factory=list[Index])
    indices: list[Array] = field(default_factory=list[Array])
    dims: list[Dims] = field(default_factory=list[Dims])
    data: list[Index] = field(default_factory=list[Index])
    sizes: list[Dim] = field(default_factory=list[Dim])
    """Of the data."""
    shape: list[Dim] = field(default_factory=list[Dim])
    """With the dimensions of one element that None adds."""

    @property
    def result(self) -> Shape:
        return tuple(self.shape)

    def read(self, i: Array, dims: Dims, window: Index | None = None) -> None:
        """The next dimension is looked up."""
        self.place.append(Index(window.terms if window is not None else (), at=len(self.indices)))
        self.indices.append(i)
        self.dims.append(dims)

    def keep(self, name: Index, d: Dim) -> None:
        """The next dimension of the result."""
        self.data.append(name)
        self.sizes.append(d)
        self.shape.append(d)


def lookup(keys: Sequence[Any], shape: Shape, mode: str | None, taken: bool = False) -> Lookup:
    """The lookup of keys without `...`, where x has this shape; `taken`: it lacks the dimensions of numbers already.

    Index arrays broadcast; their dimensions stand where the first of them and of the numbers beside them stands, or in
    front if others are in between.
    """
    from .shaping import one_slice

    out = Lookup()
    arrays = [k for k in keys if is_positions(k)]
    shapes = [k.shape if isinstance(k, Array) else np.shape(k) for k in arrays]
    whole = broadcast_shapes(*shapes) if shapes else ()
    letters = tuple(bare(f"i{j}") for j in range(len(whole)))
    group = [n for n, k in enumerate(keys) if is_positions(k) or isinstance(k, int)] if arrays else []
    together = not group or group == list(range(group[0], group[-1] + 1))
    first = (group[0] if together else 0) if group else -1
    dims = iter(enumerate(shape))
    for n, k in enumerate(keys):
        if n == first:
            for name, d in zip(letters, whole, strict=True):
                out.keep(name, d)
        if k is None or (taken and isinstance(k, int)):
            out.shape += [1] if k is None else list[Dim]()
            continue
        at, d = next(dims)
        if is_positions(k):
            i = positions(k, d, mode)
            lead = len(whole) - i.ndim
            kept = [j for j in range(i.ndim) if i.shape[j] == whole[lead + j]]
            out.read(reshape(i, tuple(i.shape[j] for j in kept)), tuple(letters[lead + j] for j in kept))
            continue
        start, step, count = one_slice(k, d, at)
        name = bare(f"x{at}")
        if isinstance(k, slice) and count == d and start == 0 and step == 1:
            out.place.append(name)
            out.keep(name, d)
        elif not isinstance(k, slice):
            out.read(size_value(start, i64), ())
        elif step == 1:
            out.read(size_value(start, i64), (), name)
            out.keep(name, count)
        else:
            scale, begin = (broadcast_to(size_value(v, i64), (count,)) for v in (step, start))
            out.read(iota((count,), 0, i64) * scale + begin, (name,))
            out.keep(name, count)
    return out


def index(x: Array, keys: Sequence[Any], mode: str | None = None) -> Array:
    """x[keys], where some keys are arrays of positions: slices and numbers first, then one gather."""
    from .shaping import index as plain

    y = plain(x, tuple(slice(None) if is_positions(k) else k for k in keys if k is not None))
    whole = [slice(None) if isinstance(k, slice) else k for k in keys]
    found = lookup(whole, y.shape, mode, taken=True)
    if found.indices:
        map_ = DimMap((tuple(found.place), *found.dims), tuple(found.data))
        y = indirect.gather(y, found.indices, map_, gather_mode(mode), tuple(found.sizes))
    return reshape(y, found.result)


class At:
    """`x.at`: `x.at[key].set(v)` and the like give x with other elements at the places of `x[key]`."""

    __slots__ = ("x",)

    def __init__(self, x: Array) -> None:
        self.x = x

    def __getitem__(self, key: Any) -> Places:
        return Places(self.x, key)


class Places:
    """What `x[key]` stands for, as places that a new array gets other elements at.

    Values broadcast to the shape of `x[key]` and take x's element type. Where a position stands several times, `set`
    leaves the last value, the others combine all of them in order.
    """

    __slots__ = ("key", "x")

    def __init__(self, x: Array, key: Any) -> None:
        self.x, self.key = x, key

    def get(self, mode: str | None = None) -> Array:
        """The elements."""
        from .shaping import index as plain
        from .shaping import keys_of

        keys = keys_of(self.x, self.key)
        return index(self.x, keys, mode) if any(is_positions(k) for k in keys) else plain(self.x, self.key)

    def set(self, values: Any, mode: str | None = None) -> Array:
        """These values instead."""
        return self.update("set", values, mode)

    def add(self, values: Any, mode: str | None = None) -> Array:
        """The values added."""
        return self.update("add", values, mode)

    def multiply(self, values: Any, mode: str | None = None) -> Array:
        """The elements times the values."""
        return self.update("mul", values, mode)

    mul = multiply

    def max(self, values: Any, mode: str | None = None) -> Array:
        """The greater of element and value."""
        return self.update("max", values, mode)

    def min(self, values: Any, mode: str | None = None) -> Array:
        """The smaller of element and value."""
        return self.update("min", values, mode)

    def update(self, kind: str, values: Any, mode: str | None) -> Array:
        from .shaping import keys_of

        x = self.x
        if x.dtype == i1 and kind != "set":
            raise fail(f"expected numbers to {kind}, found {x.type}")
        found = lookup(keys_of(x, self.key), x.shape, mode)
        u = asarray(values)
        shape = found.result
        if len(u.shape) > len(shape) or broadcast_shapes(u.shape, shape) != shape:
            raise fail(f"expected values that broadcast to {show(shape)}, found {show(u.shape)}")
        u = reshape(broadcast_to(convert(u, x.dtype), shape), tuple(found.sizes))
        if not found.indices:
            return self.everywhere(kind, u)
        map_ = DimMap((tuple(found.data), *found.dims), tuple(found.place))
        return scatter(kind, x, u, found.indices, map_, scatter_mode(mode))

    def everywhere(self, kind: str, u: Array) -> Array:
        """At all of x."""
        from . import functions as F

        return u if kind == "set" else {"add": F.add, "mul": F.mul, "max": F.maximum, "min": F.minimum}[kind](self.x, u)


# Functions.


def take(x: Any, indices: Any, axis: int | None = None, mode: str | None = None) -> Array:
    """The elements, or the slices along an axis, at these positions; of no axis, of x as a vector."""
    x = asarray(x)
    if axis is None:
        x, axis = reshape(x, (x.size,)), 0
    at = one_axis(axis, x.ndim)
    i = positions(indices, x.shape[at], mode, from_end=mode != "clip")
    letters, around = (tuple(bare(f"{n}{k}") for k in range(r)) for n, r in (("i", i.ndim), ("x", x.ndim)))
    place = (*around[:at], Index(at=0), *around[at + 1 :])
    map_ = DimMap((place, letters), (*around[:at], *letters, *around[at + 1 :]))
    return indirect.gather(x, [i], map_, gather_mode(mode), ())


def along(x: Array, indices: Any, axis: int, mode: str | None) -> tuple[int, Array, list[Index], Dims]:
    """The axis, positions, and names of the dimensions of x and of the positions, of which those that x has are x's."""
    at = one_axis(axis, x.ndim)
    i = positions(indices, x.shape[at], mode)
    if i.ndim != x.ndim:
        raise fail(f"expected positions of rank {x.ndim}, as x has, found {i.type}")
    names = [bare(f"x{k}") for k in range(x.ndim)]
    for k, (d, n) in enumerate(zip(x.shape, i.shape, strict=True)):
        if k != at and d != n and 1 not in (d, n):
            raise fail(f"expected size {d} or 1 in dimension {k} of the positions, found {n}")
    own = [k for k, (d, n) in enumerate(zip(x.shape, i.shape, strict=True)) if k == at or d == n or d == 1]
    dims = tuple(names[k] for k in own)
    return at, reshape(i, tuple(i.shape[k] for k in own)), names, dims


def take_along_axis(x: Any, indices: Any, axis: int = -1, mode: str | None = None) -> Array:
    """For each place the element at a position of its own along the axis; other dimensions broadcast."""
    x = asarray(x)
    at, i, names, dims = along(x, indices, axis, mode)
    lost = [k for k, d in enumerate(x.shape) if k != at and d == 1 and names[k] in dims]
    place = tuple(Index(at=0) if k == at else n for k, n in enumerate(names) if k not in lost)
    x = reshape(x, tuple(d for k, d in enumerate(x.shape) if k not in lost))
    return indirect.gather(x, [i], DimMap((place, dims), tuple(names)), gather_mode(mode), ())


def put_along_axis(x: Any, indices: Any, values: Any, axis: int, mode: str | None = None) -> Array:
    """x with values at positions along the axis: what `take_along_axis` would read. A new array; NumPy's changes x."""
    x = asarray(x)
    at, i, names, dims = along(x, indices, axis, mode)
    sizes: dict[Index, Any] = dict(zip(dims, i.shape, strict=True))
    shape: Shape = tuple(sizes.get(n, d) for n, d in zip(names, x.shape, strict=True))
    for k, (d, n) in enumerate(zip(x.shape, shape, strict=True)):
        if k != at and d != n:
            raise fail(f"expected size {d} in dimension {k} of the positions, found {n}")
    u = asarray(values)
    if u.ndim > x.ndim or broadcast_shapes(u.shape, shape) != shape:
        raise fail(f"expected values that broadcast to {show(shape)}, found {show(u.shape)}")
    place = tuple(Index(at=0) if k == at else n for k, n in enumerate(names))
    u = broadcast_to(convert(u, x.dtype), shape)
    return scatter("set", x, u, [i], DimMap((tuple(names), dims), place), scatter_mode(mode))


def starts_of(starts: Any, rank: int) -> list[Array]:
    if isinstance(starts, Array) and starts.ndim:
        if starts.shape != (rank,):
            raise fail(f"expected {rank} starts, found {starts.type}")
        starts = [starts[k] for k in range(rank)]
    given: list[Any] = list(cast(Any, starts)) if isinstance(starts, Sequence | np.ndarray) else [starts]
    if len(given) != rank:
        raise fail(f"expected {rank} starts, one for each dimension, found {len(given)}")
    out = [size_value(s, i64) if isinstance(s, int | Sym) else asarray(s) for s in given]
    for s in out:
        if s.ndim or s.dtype not in INTEGER:
            raise fail(f"expected starts that are integers of rank 0, found {s.type}")
    return out


def dynamic_slice(x: Any, starts: Any, sizes: Any) -> Array:
    """The slice of these sizes that begins at `starts`, integers that may be computed, one for each dimension. A start
    is moved by as little as is needed for the slice to lie inside."""
    from .shaping import shape_tuple

    x = asarray(x)
    return dynamic_slices.dynamic_slice(x, starts_of(starts, x.ndim), shape_tuple(sizes)) if x.ndim else x


def dynamic_update_slice(x: Any, update: Any, starts: Any) -> Array:
    """x with `update` in the place of the slice that begins at `starts`; starts as for `dynamic_slice`."""
    x = asarray(x)
    update = convert(asarray(update), x.dtype)
    return dynamic_slices.dynamic_update_slice(x, update, starts_of(starts, x.ndim)) if x.ndim else update


def bincount(x: Any, length: int, weights: Any = None) -> Array:
    """How often each number below `length` stands in the vector x, or the sum of its weights; others do not count."""
    x = asarray(x)
    if x.ndim != 1 or x.dtype not in INTEGER:
        raise fail(f"expected a vector of integers, found {x.type}")
    w = full(1, tensor(x.shape, i64)) if weights is None else asarray(weights)
    if w.shape != x.shape:
        raise fail(f"expected weights of shape {show(x.shape)}, found {show(w.shape)}")
    name = bare("a")
    map_ = DimMap(((name,), (name,)), (Index(at=0),))
    return scatter("add", full(0, tensor((length,), w.dtype)), w, [x], map_, "drop")


def searchsorted(a: Any, v: Any, side: str = "left") -> Array:
    """Where each of v would stand in the sorted vector a: in front of its equals, or (`right`) behind; i64."""
    from . import functions as F

    a, v = asarray(a), asarray(v)
    if a.ndim != 1 or not isinstance(n := a.shape[0], int):
        raise fail(f"expected a vector whose size is a number, found {a.type}")
    if side not in ("left", "right"):
        raise fail(f"expected a side of left or right, found {side!r}")
    dtype = common_dtype(a.dtype, v.dtype)
    a, v = convert(a, dtype), convert(v, dtype)
    found = full(0, tensor(v.shape, i64))
    step = 1 << max(n.bit_length() - 1, 0)
    while n and step:  # `found` elements are in front: try `step` more
        more = found + step
        element = take(a, F.minimum(more, n) - 1, 0, "promise")
        ahead = F.less(element, v) if side == "left" else F.less_equal(element, v)
        if is_float(dtype):  # NaN stands last
            late = F.not_equal(v, v)
            ahead = F.logical_or(ahead, F.logical_and(late, F.equal(element, element)) if side == "left" else late)
        found = F.select(F.logical_and(ahead, F.less_equal(more, n)), more, found)
        step //= 2
    return found


__all__ = [
    "At",
    "bincount",
    "dynamic_slice",
    "dynamic_update_slice",
    "index",
    "is_positions",
    "put_along_axis",
    "searchsorted",
    "take",
    "take_along_axis",
]
