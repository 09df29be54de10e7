"""Everybody who competes in a row: made, compared with the reference, then timed in turn; rows and groups of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import peak
from .contraction_cases import Summary
from .peered import Options
from .peers import PEERS, Task, competitor
from .problems import Array
from .results import Row, reason
from .timing import Run, Timing, interleave

PAUSE = 0.03
"""Seconds in which the threads of the competitor before fall asleep."""
ROUND = 0.02
"""Seconds that a competitor repeats its call in a round."""
SLOW = 0.5
"""Seconds of one call; a competitor that takes longer, and 20 times as long as the best, is timed once."""


@dataclass
class Rivals:
    """The calls of those that are right, by name, and why others are not there."""

    options: Options
    runs: dict[str, Run] = field(default_factory=dict[str, Run])
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, name: str, make: Callable[[], Run]) -> None:
        try:
            self.runs[name] = make()
        except Exception as error:  # whatever a peer raises is its row's note
            self.failed[name] = reason(error)

    def add_peers(self, p: Task, arrays: Sequence[Array], want: Any) -> None:
        """All that support the problem. Before mlc: what mlc holds as a constant becomes read-only."""
        for name, peer in PEERS.items():
            if not peer.supports(p):
                continue
            if self.options.peers is not None and name not in self.options.peers:
                self.failed[name] = "not wanted"
            elif missing := peer.missing():
                self.failed[name] = f"no module {missing[0]}"
            else:

                def compete(name: str = name) -> Run:
                    c = competitor(PEERS[name], p, arrays, self.options.threads)
                    p.check(c.array(c.run()), want)
                    return c.run

                self.add(name, compete)

    def timed(self, beside: Mapping[str, Run]) -> dict[str, Timing]:
        """Of everybody, and of calls that are timed in the same rounds."""
        once = {name: peak.seconds(run, 1) for name, run in self.runs.items()}
        behind = {name: t for name, t in once.items() if t > max(SLOW, 20 * min(once.values()))}
        runs = {name: run for name, run in self.runs.items() if name not in behind} | dict(beside)
        rounds = max(3, round(self.options.seconds / (PAUSE + ROUND)))
        return interleave(runs, rounds, ROUND, PAUSE) | {name: Timing(t, t) for name, t in behind.items()}


def against_peers(name: str, times: Mapping[str, Timing], failed: Mapping[str, str], note: str) -> Row:
    """The fastest peer's time by ours; NaN where one of them, or mlc, has none."""
    own = {"mlc": times["mlc"]} if "mlc" in times else {}
    rivals = {peer: t for peer, t in times.items() if peer in PEERS}
    without = "  ".join(f"without {peer}: {why}" for peer, why in failed.items() if peer in PEERS)
    fastest = min((t.median for t in rivals.values()), default=math.nan)
    value = math.nan if without or not own else fastest / own["mlc"].median
    return Row(name, value, "x", own | rivals, "  ".join(filter(None, (note, without))))


def of_group(s: Summary, found: Sequence[Row]) -> Row:
    """NaN where a row of the group has no value: a mean over what happens to be there would say nothing."""
    if not found:
        return Row(s.name, math.nan, "x", note="nothing measured")
    unit, lacking = found[0].unit, [row.name for row in found if math.isnan(row.value)]
    known = [row.value for row in found if not math.isnan(row.value)]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        partly = f"; of the other {len(known)}: {combined(s, known):.3f}" if known else ""
        return Row(s.name, math.nan, unit, note=f"no value of {lacking[0]}{more}{partly}")
    worst = min(found, key=lambda row: row.value)
    return Row(s.name, combined(s, known), unit, note=f"{len(found)} rows, least {worst.name}")


def combined(s: Summary, values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if s.mean else min(values)
