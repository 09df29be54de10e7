"""Everybody who competes in a row: made, compared with the reference, then timed in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import peak
from .peered import Options
from .peers import PEERS, Task, competitor
from .problems import Array
from .results import reason
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
