"""Pooling: reductions of windows over the spatial dimensions, counted as in `convolution`.

A mean divides by the elements that its window holds: of the padded operand, or of the operand itself. With `ceil_mode`
the last window may hang over the padding's end, by less than a stride; it never begins behind the operand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import movement
from .array import Array
from .concatenation import concat
from .constant import constant, full
from .convolution import Layout, layout_of, paddings, per_dimension, sizes_of, window_count
from .dims import Dim, show
from .functions import floats, mean, reduce
from .promotion import asarray, fail
from .types import NUMPY, tensor
from .window import reduce_window


class Windows:
    """Windows over the spatial dimensions of x."""

    def __init__(
        self, x: Array, window: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, layout: Any
    ) -> None:
        self.x = x
        self.at = at = layout_of(layout, x.ndim)
        r = len(at.spatial)
        self.window = per_dimension("window", window, r)
        self.stride = self.window if stride is None else per_dimension("stride", stride, r)
        self.dilation = per_dimension("dilation", dilation, r)
        sizes = sizes_of(x, at.x)
        self.sizes = [sizes[c] for c in at.spatial]
        self.padding = paddings(padding, self.sizes, self.window, self.stride, self.dilation)
        self.counts: list[Dim] = []
        """How many windows there are."""
        self.beyond: list[int] = []
        """How far the last one may hang over."""
        for n, k, s, (low, high), d in zip(self.sizes, self.window, self.stride, self.padding, self.dilation):
            count = window_count(n, k, s, low, high, d, 1)
            more = window_count(n, k, s, low, high + s - 1, d, 1) if ceil_mode else count
            if more != count and isinstance(n, int) and isinstance(more, int) and (more - 1) * s >= n + low:
                more = count
            if more != count and not isinstance(n, int):
                raise fail(f"expected ceil_mode for sizes that are known, found {show(self.sizes)}")
            self.counts.append(more)
            self.beyond.append(s - 1 if more != count else 0)

    def reduce(self, kind: str) -> Array:
        """The result is as the input but for its spatial dimensions."""
        at, x = self.at, self.x
        if self.side_by_side:
            return self._blocks(kind)
        where = [at.spatial.find(c) for c in at.x]
        pads = [(low, high + more) for (low, high), more in zip(self.padding, self.beyond, strict=True)]

        def of(values: Sequence[Any], other: Any) -> list[Any]:
            return [values[k] if k >= 0 else other for k in where]

        out = tuple(self.counts[k] if k >= 0 else d for k, d in zip(where, x.shape, strict=True))
        ones = [1] * x.ndim
        return reduce_window(
            kind, x, of(self.window, 1), of(self.stride, 1), of(pads, (0, 0)), of(self.dilation, 1), ones, out
        )

    @property
    def side_by_side(self) -> bool:
        """Do the windows fill x, each element in one of them?"""
        plain = self.stride == self.window and self.dilation == [1] * len(self.window)
        whole = all(isinstance(n, int) and n % w == 0 for n, w in zip(self.sizes, self.window, strict=True))
        return plain and whole and not any(low or high for low, high in self.padding)

    def _blocks(self, kind: str) -> Array:
        """Windows side by side are dimensions of a reshape: no element is read twice, also on the way back."""
        shape: list[Dim] = []
        axes: list[int] = []
        for c, d in zip(self.at.x, self.x.shape, strict=True):
            if (k := self.at.spatial.find(c)) < 0:
                shape.append(d)
                continue
            axes.append(len(shape) + 1)
            shape += [self.counts[k], self.window[k]]
        return reduce(kind, movement.reshape(self.x, tuple(shape)), axes)

    def held(self, k: int, padded: bool) -> Array | int:
        """How many elements each window of spatial dimension k holds; a number, if all hold as many."""
        n, w, s, d = self.sizes[k], self.window[k], self.stride[k], self.dilation[k]
        (low, high), count = self.padding[k], self.counts[k]
        if (padded or (low <= 0 and high <= 0)) and not self.beyond[k]:
            return w
        dtype = self.x.dtype
        if not isinstance(n, int) or not isinstance(count, int):
            ones = full(1, tensor((n,), dtype))
            return reduce_window("sum", ones, [w], [s], [(low, high)], [d], [1], (count,))
        least, end = (-low, n + high) if padded else (0, n)
        places = np.arange(count)[:, None] * s + np.arange(w) * d - low
        held = np.sum((places >= least) & (places < end), axis=1)
        if count and (held == held[0]).all():
            return int(held[0])
        return constant(np.maximum(held, 1).astype(NUMPY[dtype]))


def pool(kind: str) -> Callable[..., Array]:
    """Pooling by max, min, sum or prod."""

    def pooled(
        x: Any,
        window: Any,
        stride: Any = None,
        padding: Any = "valid",
        dilation: Any = 1,
        ceil_mode: bool = False,
        layout: Any = None,
    ) -> Array:
        return Windows(asarray(x), window, stride, padding, dilation, ceil_mode, layout).reduce(kind)

    return pooled


max_pool, min_pool = pool("max"), pool("min")


def avg_pool(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    layout: Any = None,
) -> Array:
    w = Windows(floats(x), window, stride, padding, dilation, ceil_mode, layout)
    total = w.reduce("sum")
    number = 1
    share: Array | None = None
    for k, c in enumerate(w.at.spatial):
        held = w.held(k, count_include_pad)
        if isinstance(held, int):
            number *= held
            continue
        column = movement.reshape(held, tuple(held.shape[0] if d == c else 1 for d in w.at.x))
        share = column if share is None else share * column
    if share is None:
        return total / max(number, 1)
    return total / (share * number)


def global_pool(kind: str, x: Any, keepdims: bool = False, layout: Any = None) -> Array:
    """Over all spatial dimensions; `mean`, or a kind of `reduce`."""
    x = asarray(x)
    axes = spatial_axes(layout_of(layout, x.ndim))
    return mean(x, axes, keepdims) if kind == "mean" else reduce(kind, x, axes, keepdims)


def spatial_axes(at: Layout) -> list[int]:
    return [k for k, c in enumerate(at.x) if c in at.spatial]


def adaptive_pool(kind: str, x: Any, size: Any, layout: Any = None) -> Array:
    """As many windows as `size` says, from floor(i n / size) up to ceil((i + 1) n / size): `mean`, `max` or `min`."""
    x = asarray(x)
    at = layout_of(layout, x.ndim)
    for k, c, want in zip(spatial_axes(at), at.spatial, per_dimension("size", size, len(at.spatial)), strict=True):
        n = x.shape[k]
        if not isinstance(n, int) or not n:
            raise fail(f"expected spatial sizes that are known and not 0 for adaptive pooling, found {c} of {n}")
        if n % want == 0:
            shape = (*x.shape[:k], want, n // want, *x.shape[k + 1 :])
            x = pooled_axis(kind, movement.reshape(x, shape), k + 1)
            continue
        x = concat([pooled_axis(kind, part, k, True) for part in adaptive_parts(x, k, n, want)], k)
    return x


def adaptive_parts(x: Array, axis: int, n: int, count: int) -> list[Array]:
    parts: list[Array] = []
    for i in range(count):
        low, high = i * n // count, -((i + 1) * -n // count)
        start = [low if k == axis else 0 for k in range(x.ndim)]
        shape = tuple(high - low if k == axis else d for k, d in enumerate(x.shape))
        parts.append(movement.slice_(x, start, [1] * x.ndim, shape))
    return parts


def pooled_axis(kind: str, x: Array, axis: int, keepdims: bool = False) -> Array:
    return mean(x, axis, keepdims) if kind == "mean" else reduce(kind, x, axis, keepdims)
