"""Measures the cases of rows: every program is compared with its reference, then all are timed in turn."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import mlc
import numpy as np
from tqdm import tqdm

from . import peak
from .contraction_runs import LIMIT, wanted
from .function_problems import Array, Function
from .peered import Options
from .results import Row
from .rivals import Rivals, against_peers, of_group
from .row_cases import SUMMARIES, Case, Summary, cases
from .timing import Run, Timing

CALL = "call"
"""The name under which a call without work is timed; its time is taken off ours where shares are computed."""
WARM = 10
"""Calls after which all caches of calls are filled."""


@dataclass
class Measured:
    """The times of one case by competitor, why some have none, and what bounds it: seconds of each kind of work."""

    case: Case
    times: Mapping[str, Timing] = field(default_factory=dict[str, Timing])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    moves: float = 0.0
    """How often the loop beside it moves the program's bytes."""
    math: float = 0.0
    products: float = 0.0

    @property
    def bound(self) -> float:
        """Seconds."""
        moving = self.times[LIMIT].median / self.moves
        return max(moving, self.math, self.products)


def idle(arrays: Sequence[Array]) -> Run:
    """A call of a program with as many arrays, and next to no work."""
    small = [np.ones(1, a.dtype) for a in arrays]
    exe = mlc.compile(lambda *xs: xs[0] + xs[0], *(mlc.spec((1,), str(a.dtype)) for a in arrays))
    out = exe(*small)
    return lambda: exe(*small, out=out)


def ours(p: Function, arrays: Sequence[Array], want: Sequence[Array], threads: int) -> Run:
    """mlc's program, compiled and compared; results go to memory that the caller holds."""
    exe, given = p.compiled(arrays, threads), p.given(arrays)
    found = exe(*given)
    p.check(found, want)
    out = found if isinstance(found, tuple) else (found,)
    single = out[0] if len(out) == 1 else out
    return lambda: exe(*given, out=single)


def measure(case: Case, options: Options) -> Measured:
    p, every = case.program, Rivals(options)
    arrays = p.arrays()
    want = p.reference(arrays)
    if case.peers:
        every.add_peers(p, arrays, want)
    every.add("mlc", lambda: ours(p, arrays, want, options.threads))
    move, f32, nothing = peak.best_move(*p.bytes(arrays, want)), peak.best_loop("float32"), idle(p.given(arrays))
    assert f32 is not None
    for run in (every.runs.get("mlc", nothing), nothing):
        for _ in range(WARM):
            run()
    times = every.timed({LIMIT: move.run, CALL: nothing})
    products = p.flops / options.threads * peak.seconds(f32.run, 20) / f32.operations
    return Measured(case, times, every.failed, move.operations, p.math_seconds(arrays), products)


def rows_of(m: Measured) -> list[Row]:
    """A case's rows, with the names that it declares."""
    case, failed = m.case, m.failed
    own = {"mlc": m.times["mlc"]} if "mlc" in m.times else {}
    note = f"mlc: {failed['mlc']}" if "mlc" in failed else ""
    found: list[Row] = []
    if case.peers:
        found.append(against_peers(case.name, m.times, failed, note))
    if case.share:
        spent = own["mlc"].median - m.times[CALL].median if own else math.nan
        kind = "moving" if m.bound not in (m.math, m.products) else "functions" if m.bound == m.math else "products"
        of = f"{kind} {m.bound * 1e6:.1f} us, call {m.times[CALL].median * 1e6:.2f} us"
        found.append(Row(f"{case.name}_share", 100 * m.bound / spent, "%", own, note or of))
    for name in case.versus:
        value = m.times[name].median / own["mlc"].median if own and name in m.times else math.nan
        found.append(Row(f"{case.name}_over_{name}", value, "x", own, failed.get(name, note)))
    return found


def summary(s: Summary, every: Sequence[Measured], rows: Mapping[str, Row]) -> Row:
    return of_group(s, [rows[m.case.name + s.suffix] for m in every if s.group in m.case.groups])


def measured(options: Options) -> list[Row]:
    """All rows: of cases, then of groups. They go to stderr as they come."""
    found: list[Measured] = []
    chosen = [c for c in cases(options.seeds) if wanted(c.name, c.groups, options)]
    for case in tqdm(chosen, desc="rows", unit="case", disable=None):
        found.append(measure(case, options))
        tqdm.write("\n".join(map(str, rows_of(found[-1]))), file=sys.stderr)
        gc.collect()  # arrays, engines
    rows = [row for m in found for row in rows_of(m)]
    by_name = {row.name: row for row in rows}
    groups = {g for m in found for g in m.case.groups}
    return [*rows, *(summary(s, found, by_name) for s in SUMMARIES if s.group in groups)]
