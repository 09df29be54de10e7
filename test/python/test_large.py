"""More than 2^31 elements: counts, offsets and positions are 64 bits wide. The arrays are untouched pages of zeros."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest

COUNT = 2_200_000_000
ROWS = 50_000
FAR = 2_190_000_003


def memory() -> int:
    """Bytes that can be had."""
    try:
        line = next(x for x in Path("/proc/meminfo").read_text().splitlines() if x.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) << 10


pytestmark = pytest.mark.skipif(memory() < 6 << 30 or os.environ.get("MLC_STRESS") == "0", reason="too little memory")


@pytest.fixture(scope="module")
def zeros() -> Any:
    """Bytes of which one page near the end is touched."""
    x = np.zeros(COUNT, np.int8)
    x[FAR] = 5
    return x


@pytest.fixture(autouse=True)
def plain(plain_memory: None) -> None:
    """Poisoned memory reads its arguments twice, which takes long here."""


def test_position_of_the_largest(zeros: Any) -> None:
    exe = mlc.compile(lambda x: (x.argmax(), x.max()), zeros)
    at, top = exe(zeros)
    assert at == FAR and top == 5


def test_number_of_points() -> None:
    exe = mlc.compile(lambda x: mnp.broadcast_to(x, (COUNT // 100, 100)).astype("int64").sum(), np.ones(1, "i1"))
    assert exe(np.ones(1, "i1")) == COUNT


def test_counters() -> None:
    exe = mlc.compile(lambda x: (mnp.arange(COUNT) * 1).max() + x, np.zeros((), "i8"))
    assert exe(np.int64(0)) == COUNT - 1


@pytest.mark.parametrize("threads", [1, 2])
def test_offsets_of_static_views(zeros: Any, threads: int, shared_work: None) -> None:
    def views(x: Any) -> Any:
        return x[FAR - 2 : FAR + 3], x[::-1][COUNT - FAR - 1 :][:2], x[FAR % 1_000_000 :: 1_000_000][-12:]

    exe = mlc.compile(views, zeros, threads=threads)
    for got, want in zip(exe(zeros), views(zeros)):
        assert (got == want).all() and 5 in want


@pytest.mark.parametrize("threads", [1, 2])
def test_offsets_in_kernels(zeros: Any, threads: int, shared_work: None) -> None:
    """A column of a matrix, its elements far apart, and rows beyond 2^31."""
    column = FAR % 44_000
    grid = zeros[: 44_000 * ROWS].reshape(ROWS, 44_000)

    def sums(x: Any) -> Any:
        return (
            x[:, column : column + 2].astype("int32") * 2,
            x[ROWS - 500 :, :64].max(1),
            x.T[column].astype("int32") + 1,
        )

    exe = mlc.compile(sums, grid, threads=threads)
    for got, want in zip(exe(grid), sums(grid)):
        assert (got == want).all()


def test_run_time_sizes(zeros: Any) -> None:
    exe = mlc.compile(lambda x: x[:, -1].astype("int32") * 2, mlc.spec(("m", "n"), "int8"))
    assert exe(zeros[: FAR + 1].reshape(1, -1)).tolist() == [10]


def test_computed_positions(zeros: Any) -> None:
    exe = mlc.compile(lambda x, i: mnp.take(x, i, axis=0), zeros, np.zeros(3, "i8"))
    assert exe(zeros, np.array([FAR, 0, FAR - 1])).tolist() == [5, 0, 0]
