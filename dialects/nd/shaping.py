"""Functions of the array language that move elements: NumPy's names, axes and indices, for the ops of `movement`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from ..errors import IndexProblem
from . import movement
from .array import Array, Axis
from .concatenation import concat
from .dims import Dim, Shape, Sym, exact_div, show, size
from .masks import is_mask, scalar_mask, without_masks
from .promotion import asarray, axes_of, broadcast_shapes, common_dtype, fail, one_axis
from .selection import convert


def shape_tuple(shape: Any) -> Shape:
    given = (shape,) if isinstance(shape, int | Sym) else tuple(listed(shape))
    for d in given:
        if not isinstance(d, int | Sym) or isinstance(d, bool) or (isinstance(d, int) and d < -1):
            raise fail(f"expected sizes (numbers from 0, or symbols) as a shape, found {d!r}")
    return given


def reshape(x: Any, shape: Any) -> Array:
    """One size may be -1: what is left."""
    x, want = asarray(x), shape_tuple(shape)
    unknown = [k for k, d in enumerate(want) if d == -1]
    if len(unknown) > 1:
        raise fail(f"expected at most one -1 in a shape, found {show(want)}")
    if unknown:
        left = exact_div(x.size, size(d for d in want if d != -1))
        if left is None:
            raise fail(f"expected a shape of {x.size} elements, found {show(want)} for {x.type}")
        want = tuple(left if d == -1 else d for d in want)
    return movement.reshape(x, want)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    x = asarray(x)
    if axes is None:
        return movement.transpose(x, range(x.ndim)[::-1])
    perm = [one_axis(a, x.ndim) for a in axes]
    if sorted(perm) != list(range(x.ndim)):
        raise fail(f"expected a permutation of {x.ndim} axes, found {list(axes)}")
    return movement.transpose(x, perm)


def swapaxes(x: Array, a: int, b: int) -> Array:
    perm = list(range(x.ndim))
    a, b = one_axis(a, x.ndim), one_axis(b, x.ndim)
    perm[a], perm[b] = b, a
    return movement.transpose(x, perm)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Array:
    x = asarray(x)
    here, there = ([one_axis(a, x.ndim) for a in ([v] if isinstance(v, int) else v)] for v in (source, destination))
    if len(here) != len(there) or len(set(here)) < len(here) or len(set(there)) < len(there):
        raise fail(f"expected as many different axes as places for them, found {source} and {destination}")
    perm = [k for k in range(x.ndim) if k not in here]
    for at, axis in sorted(zip(there, here, strict=True)):
        perm.insert(at, axis)
    return movement.transpose(x, perm)


def matrix_transpose(x: Any) -> Array:
    """The last two dimensions in each other's place."""
    x = asarray(x)
    if x.ndim < 2:
        raise fail(f"expected matrices, which have at least two dimensions, found {x.type}")
    return swapaxes(x, -1, -2)


def broadcast_to(x: Any, shape: Any) -> Array:
    x, want = asarray(x), shape_tuple(shape)
    if len(want) < x.ndim or broadcast_shapes(x.shape, want) != want:
        raise fail(f"expected a shape that broadcasts to {show(want)}, found {show(x.shape)}")
    return movement.broadcast_to(x, want)


def expand_dims(x: Any, axis: int | Sequence[int]) -> Array:
    """Dimensions of size 1 that stand at these axes of the result."""
    x = asarray(x)
    given = [axis] if isinstance(axis, int) else list(axis)
    at = [one_axis(a, x.ndim + len(given), IndexProblem) for a in given]
    if len(set(at)) < len(at):
        raise fail(f"expected different axes, found {given}", IndexProblem)
    sizes = iter(x.shape)
    return movement.reshape(x, tuple(1 if k in at else next(sizes) for k in range(x.ndim + len(at))))


def squeeze(x: Any, axis: Axis = None) -> Array:
    x = asarray(x)
    axes = [k for k, d in enumerate(x.shape) if d == 1] if axis is None else axes_of(x, axis)
    if bad := [k for k in axes if x.shape[k] != 1]:
        raise fail(f"expected size 1 in axis {bad[0]}, found {x.shape[bad[0]]}")
    return movement.reshape(x, tuple(d for k, d in enumerate(x.shape) if k not in axes))


def flip(x: Any, axis: Axis = None) -> Array:
    x = asarray(x)
    return movement.reverse(x, axes_of(x, axis))


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Array:
    """Joined along an axis; without one, as vectors."""
    arrays = [asarray(x) for x in xs]
    if not arrays:
        raise fail("expected at least one array to concatenate, found none")
    dtype = arrays[0].dtype
    for a in arrays:
        dtype = common_dtype(dtype, a.dtype)
    if axis is None:
        arrays, axis = [movement.reshape(a, (a.size,)) for a in arrays], 0
    if not arrays[0].ndim:
        raise fail("expected arrays of at least one dimension to concatenate, found rank 0; use stack")
    return concat([convert(a, dtype) for a in arrays], one_axis(axis, arrays[0].ndim))


def stack(xs: Sequence[Any], axis: int = 0) -> Array:
    return concatenate([expand_dims(x, axis) for x in xs], axis)


def pad(x: Any, width: Any, value: Any = 0) -> Array:
    """`width`: (low, high) for each dimension, one pair for all, or one number."""
    x = asarray(x)
    pairs: list[Any] = [(width, width)] * x.ndim if isinstance(width, int | Sym) else list(listed(width))
    if pairs and isinstance(pairs[0], int | Sym):
        pairs = [tuple(pairs)] * x.ndim
    for pair in pairs:
        if len(listed(pair)) != 2 or not all(isinstance(n, int | Sym) for n in pair):
            raise fail(f"expected pairs (low, high) of numbers as padding, found {pair!r}")
    if len(pairs) != x.ndim:
        raise fail(f"expected {x.ndim} pairs of (low, high), one for each dimension, found {len(pairs)}")
    return movement.pad(x, value, [lo for lo, _ in pairs], [hi for _, hi in pairs])


def on_device(x: Array, device: Any, stream: Any = None) -> Array:
    """The array itself, where the device is the one there is."""
    if device not in (None, "cpu"):
        raise fail(f'expected the device "cpu", found {device!r}')
    if stream is not None:
        raise fail(f"expected no stream on a CPU, found {stream!r}")
    return x


def listed(x: Any) -> Sequence[Any]:
    """A sequence as it is; an array's numbers."""
    if isinstance(x, np.ndarray):
        return cast(Any, x).tolist()
    if not isinstance(x, Sequence) or isinstance(x, str):
        raise fail(f"expected a number or a sequence of them, found {x!r}")
    return cast(Sequence[Any], x)


def keys_of(x: Array, key: Any) -> list[Any]:
    """The keys of x[key], one for each dimension, and None for new ones; NumPy's numbers as Python's."""
    keys: list[Any] = list(cast(tuple[Any, ...], key)) if isinstance(key, tuple) else [key]
    keys = [int(cast(Any, k)) if isinstance(k, np.integer) else k for k in keys]
    if any(is_mask(k) for k in keys):
        keys = without_masks(keys, x.shape)
    if sum(k is Ellipsis for k in keys) > 1:
        raise fail("expected at most one ... in an index, found several", IndexProblem)
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > x.ndim:
        raise fail(f"expected at most {x.ndim} indices for {x.type}, found {used}", IndexProblem)
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    return keys


def index(x: Array, key: Any) -> Array:
    """x[key]: numbers, slices, None, `...` and arrays of positions. In a symbolic dimension bounds are taken as given,
    not clamped."""
    if (whole := scalar_mask(key)) is not None:
        return expand_dims(x, 0) if whole else index(expand_dims(x, 0), slice(0))
    keys = keys_of(x, key)
    if any(isinstance(k, Array | np.ndarray | list) for k in keys):
        from .lookup import index as look_up

        return look_up(x, keys)
    start: list[Dim] = []
    step: list[int] = []
    count: list[Dim] = []
    out: list[Dim] = []
    for k in keys:
        if k is None:
            out.append(1)
            continue
        d = x.shape[len(start)]
        s, t, n = one_slice(k, d, len(start))
        start.append(s)
        step.append(t)
        count.append(n)
        if isinstance(k, slice):
            out.append(n)
    return movement.reshape(movement.slice_(x, start, step, count), tuple(out))


def one_slice(k: Any, d: Dim, at: int) -> tuple[Dim, int, Dim]:
    """Start, step and count of one index in a dimension of size d."""
    if isinstance(k, slice):
        return _slice_of(cast(Any, k), d)
    if not isinstance(k, int) or isinstance(k, bool):
        raise fail(f"expected an index of numbers, slices, None, ... or arrays of positions, found {k!r}")
    if isinstance(d, int) and not -d <= k < d:
        raise fail(f"expected an index from {-d} to {d - 1} in dimension {at}, found {k}", IndexProblem)
    return (k if k >= 0 else d + k), 1, 1


def _slice_of(k: Any, d: Dim) -> tuple[Dim, int, Dim]:
    step: Any = 1 if k.step is None else k.step
    if any(isinstance(v, Array) for v in (k.start, k.stop, step)):
        raise fail("expected the bounds of a slice as numbers, found a traced value; use mlc.numpy.dynamic_slice")
    if not isinstance(step, int) or step == 0:
        raise fail(f"expected a step that is a number other than 0, found {step}")
    if isinstance(d, int) and all(v is None or isinstance(v, int) for v in (k.start, k.stop)):
        r = range(*cast(slice, k).indices(d))
        return (r.start if len(r) else 0), step, len(r)

    def bound(v: Any, default: Dim) -> Dim:
        return default if v is None else d + v if isinstance(v, int) and v < 0 else v

    if step > 0:
        first, stop = bound(k.start, 0), bound(k.stop, d)
        return first, step, (stop + -1 * first + (step - 1)) // step
    first, stop = bound(k.start, d + -1), bound(k.stop, -1)
    return first, step, (first + -1 * stop + (-step - 1)) // -step
