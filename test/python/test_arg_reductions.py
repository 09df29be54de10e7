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
