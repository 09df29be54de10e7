"""Measures the machine at hand: the numbers of its description that estimates depend on, for `mlc-tune --calibrate`.

    machine = calibrate(Machine.host(), seconds=10)
    Path("here.toml").write_text(machine.text())

What is measured are programs that mlc compiles, so that a bandwidth is what its kernels reach: a loop over data in the
first cache, also of functions, passes over data as large as each of the others holds, a loop around next to nothing.
Only the peak is that of a loop of multiply-adds and nothing else (`peak.py`). All are timed in turns, as long as there
is time; the best time of each counts, since others on the machine only make it longer.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..dialects.errors import CompileError
from .compile import compile_module
from .machine import Machine
from .modules import parse
from .peak import best_loop

TURN = 5e-4
"""Seconds of a program's turn, in which it is called several times. A short one is more often undisturbed."""

WARM = 4
"""Calls before the first turn: the later ones take the shortest way."""

LEAST = 3
"""Turns of every program."""

TRIPS = 256
"""Of a loop within a program."""

FAR, MOST = 256 << 20, 1 << 30
"""Bytes that lie in memory, whatever the caches are, and that a machine has to spare."""

ELEMENTS = 1024
"""Of the data of functions: they stay in the first cache."""

FUNCTIONS = {
    "exp_ns": ("%t = nd.neg %v : T", "%r = nd.exp %t : T"),
    "log_ns": ("%t = nd.add %v, %two : T", "%r = nd.log %t : T"),
    "tanh_ns": ("%r = nd.tanh %v : T",),
    "erf_ns": ("%r = nd.erf %v : T",),
    "sin_ns": ("%r = nd.sin %v : T",),
    "pow_ns": ("%t = nd.add %v, %two : T", "%r = nd.pow %t, %v : T"),
    "div_ns": ("%t = nd.add %v, %two : T", "%r = nd.div %two, %t : T"),
    "sqrt_ns": ("%t = nd.add %v, %two : T", "%r = nd.sqrt %t : T"),
}
"""A step from a value to one that the function may take again; such steps converge."""


@dataclass
class Probe:
    """What is measured for a field of the description: `value` makes it of the seconds of a `run`."""

    field: str
    run: Callable[[], object]
    value: Callable[[float], float]
    best: float = float("inf")
    calls: int = 0

    def turn(self) -> None:
        """One more time. It is that of the thread: what others on the machine take of its core does not count."""
        if not self.calls:
            self.calls = max(1, round(TURN / max(min(self.timed(1) for _ in range(WARM)), 1e-7)))
        if self.calls > 1:  # what others left in the caches is no part of it
            self.run()
        self.best = min(self.best, self.timed(self.calls))

    def timed(self, calls: int) -> float:
        """Seconds of a call."""
        start = time.thread_time()
        for _ in range(calls):
            self.run()
        return (time.thread_time() - start) / calls


def calibrate(
    machine: Machine, seconds: float = 10.0, progress: Callable[[float, str], None] = lambda _, __: None
) -> Machine:
    """The description with measured speeds; sizes and instructions stay as they are. Every program has three turns at
    least, so that it may take longer. Raises CompileError for a GPU."""
    begin = time.perf_counter()
    found: list[Probe] = []
    for probe in probes(machine):
        found.append(probe)
        progress(time.perf_counter() - begin, probe.field)
    turns = 0
    while turns < LEAST or time.perf_counter() - begin < seconds:
        for probe in found:
            probe.turn()
            progress(time.perf_counter() - begin, probe.field)
        turns += 1
    return described(machine, found)


def probes(machine: Machine) -> Iterator[Probe]:
    """What is measured, a program each."""
    if machine.kind != "cpu":
        raise CompileError(f"calibrate: expected a machine of kind cpu, found {machine.kind}")
    yield Probe("launch_ns", looped(16, ("%r = nd.mul %v, %two : T",)), lambda s: 1e9 * s / TRIPS)
    yield peak(machine)
    yield first_cache(machine)
    l2, l3 = machine.l2_bytes, machine.l3_bytes
    yield passes("l2_gbs", l2 // 2)
    yield passes("l3_gbs", min(4 * l2, (l2 + l3) // 2))
    yield passes("memory_gbs", min(max(FAR, 2 * l3), MOST))
    for name in FUNCTIONS:
        yield function(name)


def described(machine: Machine, found: Sequence[Probe]) -> Machine:
    """The description by the best times so far."""
    launch = next(p.best for p in found if p.field == "launch_ns")
    values = {p.field: p.value(max(p.best - (launch if p.field in LOOPED else 0.0), 0.1 * p.best)) for p in found}
    return dataclasses.replace(machine, **{name: float(f"{v:.3g}") for name, v in values.items()})


def peak(machine: Machine) -> Probe:
    """The clock at which multiply-adds reach what they do."""
    loop = best_loop("float32")
    assert loop is not None
    return Probe("clock_ghz", loop.run, lambda s: loop.operations / s / (machine.flops(4) / machine.clock_ghz))


def first_cache(machine: Machine) -> Probe:
    """A loop over half of it."""
    n = machine.l1_bytes // 8
    moved = 2 * 4 * n * TRIPS
    return Probe(
        "l1_gbs", looped(n, ("%t = nd.mul %v, %two : T", "%r = nd.add %t, %two : T")), lambda s: moved / s / 1e9
    )


def passes(field: str, footprint: int) -> Probe:
    """One vector read, another written; of together so many bytes."""
    n = footprint // 8
    run = compiled(f"%r = nd.add %x, %x : tensor<{n}xf32>", n)
    return Probe(field, run, lambda s: 8 * n / s / 1e9)


def function(field: str) -> Probe:
    """A loop over steps of one function."""
    count = TRIPS * ELEMENTS
    return Probe(field, looped(ELEMENTS, FUNCTIONS[field]), lambda s: 1e9 * s / count)


LOOPED = frozenset({"l1_gbs", *FUNCTIONS})
"""Fields that loops measure: their launches are taken off."""


def looped(n: int, step: Sequence[str]) -> Callable[[], object]:
    """A program of TRIPS launches that take a vector of n elements through a step from %v to %r."""
    body = "\n".join(("%two = nd.constant 2.0 : T", *step, "nd.yield %r : T"))
    scan = f"%r = nd.scan {TRIPS} carry (%v = %x) -> (T) {{\n{body}\n}}"
    return compiled(scan.replace("T", f"tensor<{n}xf32>"), n)


def compiled(body: str, n: int) -> Callable[[], object]:
    """A call of a program from %x, a vector of n elements, to %r."""
    t = f"tensor<{n}xf32>"
    text = f"func.func @main(%x: {t}) -> {t} {{\n{body}\nfunc.return %r : {t}\n}}\n"
    exe = compile_module(parse(text))
    x = np.full(n, 0.5, np.float32)
    return lambda: exe(x)
