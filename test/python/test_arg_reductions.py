"""Arg-reductions in machine code: the first place of the extremum, or of NaN."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
def test_extreme_numbers(dtype: Any, name: str, axis: int) -> None:
    """Neighbouring numbers, both zeros, infinities alone and among others, NaN."""
    if np.dtype(dtype).kind == "i":
        numbers: list[Any] = [-128, 127, 0, 1]
    else:
        about = np.finfo(dtype)
        least, most, one = about.smallest_subnormal, about.max, dtype(1)
        numbers = [0.0, -0.0, least, -least, most, -most, one, np.nextafter(one, most), np.inf, -np.inf, np.nan]
    x = np.random.default_rng(0).choice(np.array(numbers, dtype), (2000, 3) if axis else (3, 2000))
    exe = mlc.compile(lambda x: getattr(mnp, name)(x, axis), mlc.spec(x.shape, x.dtype))
    assert np.array_equal(exe(x), getattr(np, name)(x, axis))


@pytest.mark.parametrize("sizes", [(37, 50, 130), (3, 20, 5), (20, 1, 33)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_places_in_sums_of_all_pairs(sizes: tuple[int, int, int], dtype: Any) -> None:
    """Lanes go over the lines of one operand; ties, infinities and NaN are where they are in one line alone."""
    a, b, c = sizes
    rng = np.random.default_rng(a)
    x, y = (rng.integers(-4, 5, (n, c)).astype(dtype) for n in (a, b))
    if np.dtype(dtype).kind == "f":
        x[rng.random(x.shape) < 0.02], y[rng.random(y.shape) < 0.02] = np.inf, -np.inf
        x[0, -1] = np.nan
    exe = mlc.compile(lambda x, y: mnp.argmax(x[:, None, :] + y[None, :, :], 2), x, y)
    with np.errstate(invalid="ignore"):
        assert np.array_equal(exe(x, y), (x[:, None, :] + y[None, :, :]).argmax(2))
