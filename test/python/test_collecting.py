"""Compilation makes Python's collector rarer, and leaves it as it was."""

from __future__ import annotations

import gc
import threading

import pytest
from mlc.compiler.collecting import THRESHOLDS, seldom


@pytest.fixture(params=[(700, 10, 10), (0, 10, 10), (2_000_000, 3, 3)], ids=str)
def usual(request: pytest.FixtureRequest):
    before = gc.get_threshold()
    gc.set_threshold(*request.param)
    yield request.param
    gc.set_threshold(*before)


def test_thresholds_within_and_after(usual: tuple[int, int, int]) -> None:
    within = THRESHOLDS if usual[0] == 700 else usual
    with pytest.raises(KeyError), seldom():
        assert gc.get_threshold() == within
        with seldom():
            assert gc.get_threshold() == within
        assert gc.get_threshold() == within
        raise KeyError
    assert gc.get_threshold() == usual


def test_the_last_thread_restores(usual: tuple[int, int, int]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with seldom():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with seldom():
        within = gc.get_threshold()
        thread.start()
        inside.wait()
    assert gc.get_threshold() == within
    leave.set()
    thread.join()
    assert gc.get_threshold() == usual


def test_what_passes_drop_is_collected() -> None:
    import mlc
    import numpy as np

    gc.collect()
    mlc.jit(lambda x: x * 3 + 1)(np.ones(3, np.float32))
    gc.collect()
    before = len(gc.get_objects())
    for k in range(5):
        mlc.jit(lambda x, k=k: x * k + 1)(np.ones(3, np.float32))
    gc.collect()
    assert len(gc.get_objects()) < before + 20_000
