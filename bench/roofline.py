"""The roofline of a run: what each contraction reaches, by how much it computes for a byte, below what the core can do.

Needs matplotlib.
"""

# matplotlib is no dependency of type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from . import peak
from .contraction_runs import Measured
from .peers import PEERS

COLOURS = {"float32": "tab:blue", "bfloat16": "tab:orange", "int8": "tab:green"}


def draw(path: str, found: Sequence[Measured], best: Mapping[str, float], threads: int) -> None:
    """Write the picture: a point for mlc and a mark for the best peer of each case, a roof for each type."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="operations for a byte moved", ylabel="GFLOP/s")
    read = best.get("bytes") or peak.best_read().operations / peak.seconds(peak.best_read().run, 5)
    x = np.geomspace(0.25, 2048, 200)
    for dtype, rate in best.items():
        if dtype != "bytes":
            roof = np.minimum(rate * threads, read * x) / 1e9
            axes.plot(x, roof, color=COLOURS.get(dtype, "grey"), label=f"{dtype}: {rate / 1e9:.0f} GFLOP/s a core")
    for m in found:
        p = m.case.program.problem
        at, colour = p.flops / p.bytes_moved, COLOURS.get(p.dtype, "grey")
        rates = [p.flops / m.times[name].median / 1e9 for name in PEERS if name in m.times]
        if rates:
            axes.plot(at, max(rates), "_", color=colour, markersize=9)
        if "mlc" in m.times:
            axes.plot(at, m.rate("mlc", p.flops) / 1e9, ".", color=colour)
            axes.annotate(m.case.name, (at, m.rate("mlc", p.flops) / 1e9), fontsize=4, alpha=0.6)
    axes.plot([], [], "k.", label="mlc")
    axes.plot([], [], "k_", label="best peer")
    axes.legend(loc="lower right")
    figure.savefig(path)
