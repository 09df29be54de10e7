"""Does a program give JAX's results? Compiled by mlc, and by JAX again after the way to the tensor level and back."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import mlc
import numpy as np
from mlc.runtime.matching import assert_matches

from .programs import Array, Program
from .xla import caller


@dataclass(frozen=True)
class Outcome:
    name: str
    compile_s: float
    run_s: float
    jax_s: float
    back_s: float
    """To StableHLO again."""
    error: float
    """The largest distance from JAX's results, by their largest magnitude; by mlc."""
    back_error: float
    """The same of the program after its way back."""
    peak_mib: int
    """Of the process until now."""

    def __str__(self) -> str:
        return (
            f"{self.name:24} compile {self.compile_s:6.2f} s  run {self.run_s * 1e3:9.2f} ms  jax "
            f"{self.jax_s * 1e3:9.2f} ms  to StableHLO {self.back_s:5.2f} s  errors {self.error:.1e} "
            f"{self.back_error:.1e}  peak {self.peak_mib} MiB"
        )


def check(program: Program) -> Outcome:
    """AssertionError where results differ by more than the program's tolerance."""
    inputs = program.inputs()
    start = time.perf_counter()
    ours = mlc.compile(program.path)
    compile_s = time.perf_counter() - start
    got, run_s = timed(lambda: listed(ours(*inputs)))
    theirs = caller(program.path.read_text())
    want, jax_s = timed(lambda: theirs(*inputs))
    start = time.perf_counter()
    text = mlc.to_stablehlo(program.path)
    back_s = time.perf_counter() - start
    back = caller(text)(*inputs)
    tolerance = program.tolerance(inputs)
    for results in (got, back):
        assert len(results) == len(want), f"{program.name}: expected {len(want)} results, found {len(results)}"
        for x, y in zip(results, want, strict=True):
            assert_matches(tolerance, x, y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    error, back_error = (max(map(distance, xs, want)) for xs in (got, back))
    return Outcome(program.name, compile_s, run_s, jax_s, back_s, error, back_error, peak)


def timed(call: Callable[[], list[Array]]) -> tuple[list[Array], float]:
    """The results, and the seconds of a second call."""
    found = call()
    start = time.perf_counter()
    call()
    return found, time.perf_counter() - start


def listed(found: Array | tuple[Array, ...]) -> list[Array]:
    return list(found) if isinstance(found, tuple) else [found]


def distance(x: Array, y: Array) -> float:
    return float(np.max(np.abs(x - y), initial=0) / max(float(np.max(np.abs(y), initial=0)), 1e-30))
