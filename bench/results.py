"""What a benchmark measures: named rows, each a number with its unit, and the times behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .timing import Timing


@dataclass(frozen=True)
class Row:
    """`value` in `unit` ("x" for a ratio, how much faster than the peer; "%", "s", "ms", "us", "ns").

    `times` by competitor. A value that is not a number was not measured; `note` says why.
    """

    name: str
    value: float
    unit: str
    times: Mapping[str, Timing] = field(default_factory=dict[str, Timing])
    note: str = ""

    def __str__(self) -> str:
        detail = "  ".join(f"{k} {t.best * 1e6:.1f} us (median {t.median * 1e6:.1f})" for k, t in self.times.items())
        value = "-" if math.isnan(self.value) else f"{self.value:.3f}"
        return f"{self.name:32} {value:>10} {self.unit:3} {'  '.join(filter(None, (detail, self.note)))}".rstrip()


def ratio(name: str, times: Mapping[str, Timing], ours: str, peer: str, note: str = "") -> Row:
    """How many times faster `ours` is than `peer`, by the best rounds."""
    return Row(name, times[peer].best / times[ours].best, "x", {ours: times[ours], peer: times[peer]}, note)


def verdict(bar: Mapping[str, Any], row: Row) -> tuple[str, bool]:
    """A line that says whether a bar of bars.toml is met, and whether it is."""
    good = bar.get("least", -math.inf) <= row.value <= bar.get("most", math.inf)
    bound = f">= {bar['least']}" if "least" in bar else f"<= {bar['most']}"
    why = f": {row.note}" if row.note and not good else ""
    return f"{'met' if good else 'MISSED':7} {bar['name']}: {row.value:.3f} {row.unit} ({bound} {row.unit}){why}", good


def reason(error: BaseException) -> str:
    """The first line of an error, shortened."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:160]
