"""Measures the cases of contractions: every program is compared with its reference, then all are timed in turn."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from . import peak
from .contraction_cases import SUMMARIES, Case, Program, Summary, cases
from .contraction_compile import compile_rows
from .peered import Options
from .peers import PEERS
from .problems import Array, compiled, given
from .results import Row
from .rivals import Rivals, against_peers, of_group
from .timing import Run, Timing

LIMIT = "limit"
"""The name under which the loop of the limit is timed: multiply-adds, or reads."""


@dataclass
class Measured:
    """The times of one case by competitor, and why some have none."""

    case: Case
    times: Mapping[str, Timing] = field(default_factory=dict[str, Timing])
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def rate(self, name: str, amount: float) -> float:
        """How much of `amount` the competitor does in a second of its median; NaN where it failed."""
        return amount / self.times[name].median if name in self.times else math.nan


def executed(program: Program, options: Options, arrays: Sequence[Array], want: Array) -> Run:
    """mlc's program, compiled and compared."""
    p, threads = program.problem, program.threads or options.threads
    exe = compiled(p, arrays, threads, program.symbolic)
    left = given(p, arrays)
    out = exe(*left)
    p.check(out, want)
    return lambda: exe(*left, out=out)


@lru_cache(1)
def beside(program: Program, options: Options) -> Run:
    arrays = program.problem.arrays()
    return executed(program, options, arrays, program.problem.reference(arrays))


def tuned(program: Program, options: Options, arrays: Sequence[Array], want: Array) -> Run:
    """By the schedules that are recorded, after a search if one is wanted."""
    from mlc.compiler import settings
    from mlc.compiler.tuned import records

    if options.tune:
        text = compiled(program.problem, arrays, options.threads).mlir()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "problem.mlir"
            path.write_text(text)
            how = ["--entry", "lambda", "--quiet", "--seconds", str(options.tune), "--threads", str(options.threads)]
            command = [sys.executable, "-m", "mlc.tools.mlc_tune", str(path), *how]
            environment = {k: v for k, v in os.environ.items() if k != settings.TUNED.name}
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    before = os.environ.pop(settings.TUNED.name, None)
    try:
        if not records():
            raise LookupError("no schedules are recorded; --tune S searches")
        return executed(program, options, arrays, want)
    finally:
        if before is not None:
            os.environ[settings.TUNED.name] = before


def limit(case: Case) -> peak.Loop:
    """The loop that is timed beside the case: of its type if that is faster, else of f32; or reads."""
    if case.reads:
        return peak.best_read()
    f32, own = peak.best_loop("float32"), peak.best_loop(case.program.problem.dtype)
    assert f32 is not None
    return max((f32, own or f32), key=lambda loop: loop.operations / peak.seconds(loop.run, 20))


def measure(case: Case, options: Options) -> Measured:
    p, every = case.program.problem, Rivals(options)
    arrays = p.arrays()
    want = p.reference(arrays)
    if case.peers:
        every.add_peers(p, arrays, want)
    every.add("mlc", lambda: (tuned if case.tuned else executed)(case.program, options, arrays, want))
    if "mlc" in every.runs:
        for label, program in case.beside:
            every.add(label, lambda program=program: beside(program, options))
    return Measured(case, every.timed({LIMIT: limit(case).run}), every.failed)


def best_rates(found: Iterable[Measured], threads: int) -> dict[str, float]:
    """What one core can do, by type: the best loop of the run, or the best matrix product of any competitor."""
    best: dict[str, float] = {}
    for m in found:
        p = m.case.program.problem
        kind = "bytes" if m.case.reads else p.dtype
        rates = [m.rate(LIMIT, limit(m.case).operations)]
        if p.kind == "einsum" and not m.case.reads:
            rates += [m.rate(name, p.flops) / threads for name in ("mlc", *PEERS) if name in m.times]
        best[kind] = max(best.get(kind, 0.0), *rates)
    return best


def rows_of(m: Measured, best: Mapping[str, float], threads: int) -> list[Row]:
    """A case's rows, with the names that it declares."""
    case, p = m.case, m.case.program.problem
    rate = m.rate("mlc", p.flops)
    note = f"mlc: {m.failed['mlc']}" if "mlc" in m.failed else f"{rate / 1e9:.1f} GFLOP/s"
    own = {"mlc": m.times["mlc"]} if "mlc" in m.times else {}
    found: list[Row] = []
    if case.peers:
        found.append(against_peers(case.name, m.times, m.failed, note))
    amount, kind = (p.weight_bytes, "bytes") if case.reads else (p.flops, p.dtype)
    most = best[kind] if case.reads else best[kind] * (case.program.threads or threads)
    share = m.rate("mlc", amount) / most * 100
    of = f"{m.rate('mlc', amount) / 1e9:.1f} of {most / 1e9:.1f} {'GB/s' if case.reads else 'GFLOP/s'}"
    found.append(Row(case.limit, share, "%", own, of if own else note))
    for label, program in case.beside:
        value = rate / m.rate(label, program.problem.flops) * (100 if case.percent else 1)
        times = own | ({label: m.times[label]} if label in m.times else {})
        found.append(Row(f"{case.name}_over_{label}", value, "%" if case.percent else "x", times, failed(m, label)))
    for name in case.versus:
        value = m.times[name].median / own["mlc"].median if own and name in m.times else math.nan
        found.append(Row(f"{case.name}_over_{name}", value, "x", own, failed(m, name)))
    return found


def failed(m: Measured, label: str) -> str:
    return "  ".join(f"{name}: {m.failed[name]}" for name in ("mlc", label) if name in m.failed)


def summary(s: Summary, every: Sequence[Measured], rows: Mapping[str, Row]) -> Row:
    group = [m for m in every if s.group in m.case.groups]
    if s.least_us:
        group = [m for m in group if m.rate("one_thread", 1e-6 * s.least_us) <= 1]
    return of_group(s, [rows[m.case.name + s.suffix] for m in group])


def run(chosen: Sequence[Case], options: Options) -> list[Measured]:
    """Ratios and notes go to stderr as they come."""
    found: list[Measured] = []
    for case in tqdm(chosen, desc="contractions", unit="case", disable=None):
        m = measure(case, options)
        found.append(m)
        tqdm.write(str(rows_of(m, best_rates(found, options.threads), options.threads)[0]), file=sys.stderr)
        gc.collect()  # arrays, engines
    return found


def wanted(name: str, groups: Sequence[str], options: Options) -> bool:
    return any(fnmatch(n, options.only) for n in (name, *groups))


def measured(options: Options) -> list[Row]:
    """All rows: of cases, of groups, of compile times."""
    able = [c for c in cases(peak.read_bytes()) if c.threads <= options.threads]
    found = run([c for c in able if wanted(c.name, c.groups, options)], options)
    best = best_rates(found, options.threads)
    rows = [row for m in found for row in rows_of(m, best, options.threads)]
    by_name = {row.name: row for row in rows}
    groups = {g for m in found for g in m.case.groups}
    out = [*rows, *(summary(s, found, by_name) for s in SUMMARIES if s.group in groups)]
    if options.threads == 1 and wanted("compile", (), options):
        out += compile_rows()
    if options.plot:
        from .roofline import draw

        draw(options.plot, found, best, options.threads)
    return out
