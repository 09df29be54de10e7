"""`mlc.numpy.fft`: Fourier transforms, the Array API's extension; lengths are numbers while a program is built.

A transform of more than three axes is several. Integers and truth values count as f32, f16 and bf16 are computed in
f32, whose complex results are complex64.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any, cast

import numpy as np
from xdsl.dialects.builtin import f32

from ....dialects.nd import functions as F
from ....dialects.nd.array import Array
from ....dialects.nd.complex import complex_, conj, imag, real
from ....dialects.nd.fft import AT_MOST
from ....dialects.nd.fft import fft as transform
from ....dialects.nd.promotion import as_dtype, asarray, axes_of, fail, one_axis
from ....dialects.nd.types import complex_of, is_complex, is_float, part_of

NORMS = ("backward", "ortho", "forward")


def fft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The discrete Fourier transform of an axis, cut or filled with zeros to n."""
    return _complex(x, None if n is None else (n,), (axis,), norm, False)


def ifft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The inverse of `fft`."""
    return _complex(x, None if n is None else (n,), (axis,), norm, True)


def fftn(
    x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = "backward"
) -> Array:
    """The transform of several axes; of all, if neither they nor lengths are given."""
    return _complex(x, s, axes, norm, False)


def ifftn(
    x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = "backward"
) -> Array:
    """The inverse of `fftn`."""
    return _complex(x, s, axes, norm, True)


def rfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The first n // 2 + 1 results of `fft` of real numbers, which tell the others."""
    return rfftn(x, None if n is None else (n,), (axis,), norm)


def irfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The inverse of `rfft`; n is 2 (m - 1) for m numbers, if it is not given."""
    return irfftn(x, None if n is None else (n,), (axis,), norm)


def rfftn(
    x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = "backward"
) -> Array:
    """`rfft` of the last of the axes, `fft` of the others."""
    x = F.floats(x)
    if is_complex(x.dtype):
        raise fail(f"expected real numbers, found {x.type}; use mlc.numpy.fft.fft")
    x = F.convert(x, part_of(complex_of(x.dtype)))
    sizes, along = _axes(x, s, axes)
    return _applied(x, "rfft", sizes, along, norm, False)


def irfftn(
    x: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str | None = "backward"
) -> Array:
    """The inverse of `rfftn`."""
    x = _as_complex(x)
    sizes, along = _axes(x, s, axes, half=True)
    return _applied(x, "irfft", sizes, along, norm, True)


def hfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The real transform of numbers whose other half is their mirrored conjugate."""
    return irfft(conj(_as_complex(x)), n, axis, _swapped(norm))


def ihfft(x: Any, n: int | None = None, axis: int = -1, norm: str | None = "backward") -> Array:
    """The inverse of `hfft`."""
    return conj(rfft(x, n, axis, _swapped(norm)))


def fftfreq(n: int, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the results of `fft` of n samples at a distance of d; f32 if no type is given."""
    return _frequencies(np.fft.fftfreq(_positive(n), d), dtype, device)


def rfftfreq(n: int, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """The frequencies of the results of `rfft`."""
    return _frequencies(np.fft.rfftfreq(_positive(n), d), dtype, device)


def fftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """Moves the frequency 0 from the beginning to the middle."""
    return _shifted(x, axes, 0)


def ifftshift(x: Any, axes: int | Sequence[int] | None = None) -> Array:
    """Moves the frequency 0 from the middle to the beginning."""
    return _shifted(x, axes, 1)


# What they share.


def _positive(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise fail(f"expected a length from 1 on, found {n!r}")
    return int(cast(int, n))


def _frequencies(values: Any, dtype: Any, device: Any) -> Array:
    wanted = f32 if dtype is None else as_dtype(dtype)
    if is_complex(wanted) or not is_float(wanted):
        raise fail(f"expected a real float type, found {wanted}")
    return F.on_device(F.convert(asarray(values), wanted), device)


def _shifted(x: Any, axes: int | Sequence[int] | None, more: int) -> Array:
    from .manipulation import roll

    x = asarray(x)
    along = tuple(axes_of(x, axes))
    sizes = [x.shape[k] for k in along]
    if not all(isinstance(d, int) for d in sizes):
        raise fail(f"expected axes whose lengths are known while the program is built, found {x.type}")
    shift = tuple(int(d) // 2 if not more else -(int(d) // 2) for d in sizes)  # pyright: ignore[reportArgumentType]
    return roll(x, shift, along)


def _as_complex(x: Any) -> Array:
    x = F.floats(x)
    return x if is_complex(x.dtype) else F.convert(x, complex_of(x.dtype))


def _swapped(norm: str | None) -> str:
    return {"forward": "backward", "ortho": "ortho"}.get(_checked(norm), "forward")


def _checked(norm: str | None) -> str:
    norm = "backward" if norm is None else norm
    if norm not in NORMS:
        raise fail(f"expected a norm of {', '.join(NORMS)}, found {norm!r}")
    return norm


def _axes(
    x: Array, s: Sequence[int] | None, axes: Sequence[int] | None, half: bool = False
) -> tuple[list[int], list[int]]:
    """The lengths of the transform and the axes; with `half`, x has n // 2 + 1 numbers of n along the last."""
    if axes is None:
        along = list(range(x.ndim - (x.ndim if s is None else len(s)), x.ndim))
        if along and along[0] < 0:
            raise fail(f"expected at most {x.ndim} lengths for {x.type}, found {len(along)}")
    else:
        along = [one_axis(k, x.ndim) for k in axes]
    if not along:
        raise fail(f"expected an axis of {x.type} to transform, found none")
    if len(set(along)) != len(along):
        raise fail(f"expected different axes, found {list(axes or along)}")
    if s is not None and len(s) != len(along):
        raise fail(f"expected a length for each of {len(along)} axes, found {len(s)}")
    sizes: list[int] = []
    for k, axis in enumerate(along):
        d: Any = x.shape[axis]
        if s is None and not isinstance(d, int):
            raise fail(f"expected axes whose lengths are known while the program is built, found {x.type}; give n")
        d = 2 * (d - 1) if s is None and half and k == len(along) - 1 else d
        sizes.append(_positive(d if s is None else s[k]))
    return sizes, along


def _complex(x: Any, s: Sequence[int] | None, axes: Sequence[int] | None, norm: str | None, inverse: bool) -> Array:
    x = _as_complex(x)
    if x.ndim == 0 and s is None and axes is None:
        return x
    sizes, along = _axes(x, s, axes)
    return _applied(x, "ifft" if inverse else "fft", sizes, along, norm, inverse)


def _applied(x: Array, kind: str, sizes: list[int], along: list[int], norm: str | None, inverse: bool) -> Array:
    """The transform of these axes, which are brought to the end; scaled as the norm says."""
    norm = _checked(norm)
    ends = list(range(x.ndim - len(along), x.ndim))
    x = F.moveaxis(x, along, ends) if along != ends else x
    for axis, n in zip(ends, sizes, strict=True):
        have = n // 2 + 1 if kind == "irfft" and axis == ends[-1] else n
        x = _fitted(x, axis, have)
    last, others = sizes[-AT_MOST:], sizes[:-AT_MOST]
    plain = "ifft" if inverse else "fft"
    if kind != "irfft":
        x = transform(x, kind, last)
    while others:
        part, others = others[-AT_MOST:], others[:-AT_MOST]
        at = [k + len(others) for k in range(x.ndim - len(along), x.ndim - len(along) + len(part))]
        to = list(range(x.ndim - len(part), x.ndim))
        x = F.moveaxis(transform(F.moveaxis(x, at, to), plain, part), to, at)
    if kind == "irfft":
        x = transform(x, kind, last)
    x = _scaled(x, prod(sizes), norm, inverse)
    return F.moveaxis(x, ends, along) if along != ends else x


def _fitted(x: Array, axis: int, n: int) -> Array:
    d: Any = x.shape[axis]
    if not isinstance(d, int):
        raise fail(f"expected axes whose lengths are known while the program is built, found {x.type}")
    if d >= n:
        return x if d == n else F.index(x, (*[slice(None)] * axis, slice(0, n)))
    return F.pad(x, [(0, n - d if k == axis else 0) for k in range(x.ndim)])


def _scaled(x: Array, n: int, norm: str, inverse: bool) -> Array:
    """Transforms are unscaled, inverse ones divided by n."""
    factor = {"backward": 1.0, "ortho": sqrt(n) if inverse else 1 / sqrt(n), "forward": float(n) if inverse else 1 / n}
    if (f := factor[norm]) == 1.0:
        return x
    return complex_(real(x) * f, imag(x) * f) if is_complex(x.dtype) else x * f


__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]
