"""Measures the cases of `gpu_cases`: mlc's result is compared with torch's in f64, then all are timed in turn."""

# torch has no types here, and is not installed for type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import mlc

from .environment import environment
from .gpu_cases import SUMMARIES, Case, Summary, cases
from .gpu_places import Call, Place
from .results import Row, reason

ROUNDS = 7
SECONDS = 0.003
"""Of one competitor in a round."""
COPIED = (1 << 26, 1 << 28, 1 << 29)
"""Bytes of the copies that say what memory can do."""
ENERGY_SECONDS = 1.2


class Wrong(Exception):
    """A result is not what it should be."""


# ---- one case
@dataclass
class Measured:
    """Seconds of a call by competitor (medians), and why some have none."""

    case: Case
    times: dict[str, float] = field(default_factory=dict[str, float])
    joules: dict[str, float] = field(default_factory=dict[str, float])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    host: float = math.nan
    """Seconds of the host for a call of mlc's."""
    bound: float = math.nan
    bound_host: float = math.nan
    """Seconds of a bound call of mlc's, and those of the host for it."""

    def over(self, peer: str) -> float:
        """How many times faster mlc is."""
        return self.times[peer] / self.times["mlc"] if {"mlc", peer} <= set(self.times) else math.nan

    def rate(self, name: str = "mlc") -> float:
        return self.case.amount / self.times[name] if name in self.times else math.nan


def compiled(case: Case, place: Place, arrays: Sequence[Any]) -> Any:
    return mlc.compile(case.ours, *(mlc.spec(a.shape, a.dtype.name) for a in arrays), target=place.target)


def right(case: Case, place: Place, got: Any, want: Any) -> None:
    """Is each element as near as the case says?"""
    eps = place.torch.finfo(got.dtype).eps
    if tuple(got.shape) != tuple(want.shape):
        raise Wrong(f"expected shape {tuple(want.shape)}, found {tuple(got.shape)}")
    size = want.abs()
    bound = (case.ulps * size + case.sums * want.square().mean().sqrt()) * eps
    off = ~((got.double() - want).abs() <= bound)  # so that NaN is off
    if bool(off.any()):
        at = [int(k) for k in off.nonzero()[0]]
        found, wanted = (float(x[tuple(at)]) for x in (got, want))
        raise Wrong(f"{int(off.sum())} of {want.numel()} wrong; at {at} found {found:.6g}, expected {wanted:.6g}")


def checked(case: Case, place: Place, exe: Any, tensors: Sequence[Any], arrays: Sequence[Any]) -> tuple[Call, Any]:
    """mlc's call, and its result, which was right when it was written over NaN."""
    torch = place.torch
    want = case.theirs(torch, *(x.double() for x in tensors))
    first = place.tensor_of(exe(*arrays))
    nan = torch.full_like(first, math.nan)
    out = place.array(nan)
    exe(*arrays, out=out)
    place.wait()
    right(case, place, nan, want.double())
    return (lambda: exe(*arrays)), nan


def rivals(
    case: Case, place: Place, tensors: Sequence[Any], wanted: Sequence[str]
) -> Iterator[tuple[str, Callable[[], Call]]]:
    torch, theirs = place.torch, case.theirs

    def plain() -> Call:
        return lambda: theirs(torch, *tensors)

    def faster(call: Call) -> Call:
        """As it is or in a graph: the host may take longer for a call than the device."""
        call()
        calls = [call]
        with suppress(RuntimeError):  # what torch cannot record
            calls.append(place.replay(call))
        took: list[float] = []
        for c in calls:
            place.wait()
            place.seconds("", c, 3)
            took.append(place.seconds("", c, 20))
        return calls[took.index(min(took))]

    def inductor() -> Call:
        torch._dynamo.reset()  # functions of one code share its limit of compilations
        run = torch.compile(lambda *xs: theirs(torch, *xs), dynamic=False)
        return faster(lambda: run(*tensors))

    made = {"torch": lambda: faster(plain()), "compile": inductor, "graph": lambda: place.replay(plain())}
    return ((name, made[name]) for name in case.peers if name in wanted)


def measure(case: Case, place: Place, wanted: Sequence[str]) -> Measured:
    """Whatever a competitor raises is a note of its row."""
    found, runs = Measured(case), dict[str, Call]()
    place.forget()
    scales = case.scales or (1.0,) * len(case.arrays)
    tensors = [place.tensor(s, case.dtype, scale) for s, scale in zip(case.arrays, scales, strict=True)]
    arrays, exe, kept = [place.array(x) for x in tensors], None, None
    try:
        exe = compiled(case, place, arrays)
        runs["mlc"], kept = checked(case, place, exe, tensors, arrays)
        if case.unit != "kernels":  # the peers' calls are graphs with fixed memory, too
            runs["mlc"] = place.bound(exe, arrays)
    except Exception as error:
        found.failed["mlc"] = reason(error)
    for name, make in rivals(case, place, tensors, wanted):
        try:
            runs[name] = make()
            runs[name]()
        except Exception as error:
            found.failed[name] = reason(error)
    found.times = timed(place, runs)
    if kept is not None:
        place.wait()
        again = place.tensor_of(runs["mlc"]())
        if not bool((again == kept).all()):
            found.failed["mlc"] = "another result after it was timed"
            del found.times["mlc"]
        elif case.unit == "kernels":
            found.host = host_seconds(place, runs["mlc"])
            measure_bound(found, place, place.bound(exe, arrays), kept)
        elif case.energy:
            found.joules = spent(place, runs, found.times)
    return found


def measure_bound(found: Measured, place: Place, call: Call, kept: Any) -> None:
    """The times of a bound call, whose results are looked at before and after."""
    results = [place.tensor_of(call()) for _ in range(3)]
    found.bound = timed(place, {"mlc": call})["mlc"]
    found.bound_host = host_seconds(place, call)
    place.wait()
    for result in (*results, place.tensor_of(call())):
        if not bool((result == kept).all()):
            found.failed["mlc"] = "another result of a bound call"
            found.times.pop("mlc", None)


def timed(place: Place, runs: Mapping[str, Call]) -> dict[str, float]:
    counts: dict[str, int] = {}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for name, run in runs.items():
        place.wait()
        once = place.seconds(name, run, 3)
        counts[name] = max(3, min(200, int(SECONDS / max(once, 1e-7))))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            place.wait()
            samples[name].append(place.seconds(name, run, counts[name]))
    return {name: statistics.median(s) for name, s in samples.items()}


def host_seconds(place: Place, run: Call, rounds: int = 60, inner: int = 10) -> float:
    """Of the host for a call, which does not wait: the median of short rows of calls."""
    found: list[float] = []
    for _ in range(rounds):
        place.wait()
        start = time.perf_counter()
        for _ in range(inner):
            run()
        found.append((time.perf_counter() - start) / inner)
    place.wait()
    return statistics.median(found)


def spent(place: Place, runs: Mapping[str, Call], times: Mapping[str, float]) -> dict[str, float]:
    """Joules of a call by competitor; nothing where there is no meter."""
    try:
        meter = place.meter()
    except Exception:
        return {}
    found: dict[str, float] = {}
    for name, run in runs.items():
        place.wait()
        time.sleep(0.1)
        before, start, calls = meter.joules(), time.perf_counter(), 0
        while time.perf_counter() - start < ENERGY_SECONDS:
            for _ in range(max(1, int(0.05 / times[name]))):
                run()
                calls += 1
            place.wait()
        found[name] = (meter.joules() - before) / calls
    return found


# ---- rows
def best_copy(place: Place) -> float:
    """Bytes read and written in a second, the best of all rounds."""
    best = 0.0
    for size in COPIED:
        place.forget()
        for name, run in place.copies(size).items():
            run()
            for _ in range(ROUNDS):
                place.wait()
                best = max(best, 2 * size / place.seconds(name, run, 10))
    return best


def number(m: Measured, what: str, copy: float) -> float:
    """What a summary is over; NaN where it was not measured."""
    if what == "share":
        return m.rate() / copy * 100
    if what == "us":
        return 1e6 / m.rate()
    return m.over(what)


def row_of(m: Measured, copy: float) -> Row:
    """A case in one line: a share of the best copy in %, TFLOP/s, or us per kernel."""
    case = m.case
    if "mlc" in m.failed:
        return Row(case.name, math.nan, "", note=f"FAILED {m.failed['mlc']}")
    value, unit = {
        "bytes": (m.rate() / copy * 100, "%"),
        "flops": (m.rate() * 1e-12, "TF"),
        "kernels": (1e6 / m.rate(), "us"),
    }[case.unit]
    notes = [f"{m.times['mlc'] * 1e6:.1f} us"]
    for peer in case.peers:
        if peer in m.times:
            notes.append(f"{peer} x{m.over(peer):.3f}")
        elif peer in m.failed:
            notes.append(f"{peer} FAILED {m.failed[peer][:60]}")
    if not math.isnan(m.host):
        kernel = m.bound / m.case.amount * 1e6
        notes.append(f"host {m.host * 1e6:.2f} us, bound {kernel:.3f} us, host {m.bound_host * 1e6:.2f} us")
    if m.joules:
        notes.append("mJ " + " ".join(f"{k} {1e3 * j:.1f}" for k, j in m.joules.items()))
    return Row(case.name, value, unit, note="  ".join(notes))


def summary(s: Summary, every: Sequence[Measured], copy: float) -> Row:
    """NaN where a row of the group has no value: a mean over what happens to be there would say nothing."""
    group = [m for m in every if s.group in m.case.groups]
    unit = {"share": "%", "us": "us"}.get(s.number, "x")
    known = [(v, m.case.name) for m in group if not math.isnan(v := number(m, s.number, copy))]
    if not known:
        return Row(s.name, math.nan, unit, note="nothing measured")
    worst = (max if s.number == "us" else min)(known)
    value = math.exp(sum(math.log(v) for v, _ in known) / len(known)) if s.mean else worst[0]
    total = sum(s.group in case.groups for case in cases())
    note = f"{len(known)} of {total} rows" + ("" if s.mean else f", {worst[1]}")
    if len(known) < len(group):
        return Row(s.name, math.nan, unit, note=f"{len(group) - len(known)} rows have none; of the others {value:.3f}")
    return Row(s.name, value, unit, note=note)


def summaries(every: Sequence[Measured], copy: float) -> list[Row]:
    groups = {g for m in every for g in m.case.groups}
    found = [summary(s, every, copy) for s in SUMMARIES if s.group in groups]
    hosts = [m for m in every if m.case.unit == "kernels"]
    if hosts:
        found.append(Row("host_us_maximum", max(m.host for m in hosts) * 1e6, "us"))
        found.append(Row("bound_host_us_maximum", max(m.bound_host for m in hosts) * 1e6, "us"))
        chains = [m for m in hosts if "steps" in m.case.groups]
        if chains:
            found.append(Row("bound_kernel_us_maximum", max(m.bound / m.case.amount for m in chains) * 1e6, "us"))
    return found


# ---- how long compiling takes
def compile_rows(chosen: Sequence[Case], place: Place) -> list[Row]:
    """Medians over the cases: with the cache off, until the first result; and with a filled cache, until it may be
    called."""
    cold: dict[str, float] = {}
    cached: dict[str, float] = {}
    alone: list[float] = []
    for case in chosen:
        place.forget()
        few = replace(case, arrays=tuple(case.arrays))
        arrays = [place.array(place.tensor(s, few.dtype, 1.0)) for s in few.arrays]
        compiled(case, place, arrays)
        with environment(MLC_CACHE="0"):
            start = time.perf_counter()
            exe = compiled(case, place, arrays)
            alone.append(time.perf_counter() - start)
            exe(*arrays)
            place.wait()
            cold[case.name] = time.perf_counter() - start
        again: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            compiled(case, place, arrays)
            again.append(time.perf_counter() - start)
        cached[case.name] = statistics.median(again)
    worst = max(cold, key=cold.__getitem__)
    note = f"most {worst} {cold[worst]:.2f}, before its first call {statistics.median(alone):.2f}"
    rows = [Row("compile_cold_median", statistics.median(cold.values()), "s", note=f"{len(cold)} programs, {note}")]
    worst = max(cached, key=cached.__getitem__)
    note = f"most {worst} {cached[worst] * 1e3:.2f}"
    return [*rows, Row("compile_cached_median", statistics.median(cached.values()) * 1e3, "ms", note=note)]
