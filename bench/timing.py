"""Interleaved timing: every competitor runs in every round, so that noise meets all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds of one call: the best round and the median round."""

    best: float
    median: float


def calls_per_round(run: Run, seconds: float) -> int:
    """How often `run` fits into `seconds`, at least once; warms it up on the way."""
    run()
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    return max(1, int(seconds / max(once, 1e-7)))


def interleave(
    runs: Mapping[str, Run], rounds: int = 15, seconds: float = 0.02, pause: float = 0.0
) -> dict[str, Timing]:
    """Time every run `rounds` times in turn; each round repeats the call for about `seconds`.

    `pause`: seconds before each competitor, in which the threads of the one before fall asleep; one call is not timed.
    """
    counts = {name: calls_per_round(run, seconds) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            if pause:
                time.sleep(pause)
                run()
            start = time.perf_counter()
            for _ in range(counts[name]):
                run()
            samples[name].append((time.perf_counter() - start) / counts[name])
    return {name: Timing(min(s), statistics.median(s)) for name, s in samples.items()}
