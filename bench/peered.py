"""Topics that are measured against peers and against what the core can do: contractions, rows, unseen.

    python -m bench contractions [--threads N] [--only PATTERN] [--peers a,b] [--seconds S] [--plot FILE.svg]
    python -m bench rows [--threads N] [--only PATTERN] [--peers a,b] [--seconds S] [--seed S ...]
    python -m bench unseen --seed S ...

All competitors of a row run in one process (see `peers`), which stays on as many cores as it may have threads, with a
pause before each. Here are the options and the processes; nothing is imported that reads the environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .results import Row
from .timing import Timing


@dataclass(frozen=True)
class Options:
    """What is measured and for how long."""

    threads: int = 1
    only: str = "*"
    """A pattern of the shell for names of cases, groups and summaries."""
    peers: tuple[str, ...] | None = None
    """None: all of them. A row without one of its peers has no ratio."""
    seconds: float = 0.6
    """For each competitor of a row."""
    seeds: tuple[int, ...] = (0, 1, 2)
    plot: str | None = None
    tune: float = 0.0
    """Seconds of searching for each row `tuned_...`."""


def environment(threads: int) -> dict[str, str | None]:
    """What the environment must have (None: must not have) before the peers are imported; no records of schedules."""
    found: dict[str, str | None] = {"OPENBLAS_CORETYPE": None, "OPENBLAS_L2_SIZE": None, "JAX_PLATFORMS": "cpu"}
    found["MLC_TUNED"] = "0"
    found |= {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "MKL", "OPENBLAS")}
    if threads == 1:
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return found


def settle(threads: int) -> None:
    """Set the environment, and stay on as many cores: some peers count cores and nothing else."""
    for name, value in environment(threads).items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def parser(topic: str) -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog=f"python -m bench {topic}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--seconds", type=float, default=Options.seconds, help="for each competitor of a row")
    p.add_argument("--json", metavar="FILE", help="write the rows there as well")
    if topic == "unseen":
        p.add_argument("--seed", type=int, nargs="+", default=list(Options.seeds), help="draws the shapes")
        return p
    p.add_argument("--threads", type=int, default=Options.threads, help="of mlc and of every peer")
    p.add_argument("--only", metavar="PATTERN", default=Options.only, help="names or groups, such as 'mm_*' or conv")
    p.add_argument("--peers", metavar="A,B", help="only these; rows that lack one of their peers have no ratio")
    if topic == "rows":
        p.add_argument("--seed", type=int, nargs="+", default=list(Options.seeds), help="draws sizes of `unseen` rows")
        return p
    p.add_argument(
        "--tune", type=float, metavar="S", default=Options.tune, help="seconds of search for a row tuned_..."
    )
    p.add_argument("--plot", metavar="FILE.svg", help="draw a roofline")
    return p


def main(topic: str, arguments: Sequence[str]) -> int:
    given = parser(topic).parse_args(arguments)
    if topic == "unseen":
        options = Options(seconds=given.seconds, seeds=tuple(given.seed))
    else:
        peers = None if given.peers is None else tuple(filter(None, given.peers.split(",")))
        options = Options(given.threads, given.only, peers, given.seconds)
        if topic == "contractions":
            options = replace(options, plot=given.plot, tune=given.tune)
        else:
            options = replace(options, seeds=tuple(given.seed))
    settle(options.threads)
    from . import contraction_runs, row_runs, unseen

    rows = {"contractions": contraction_runs, "rows": row_runs, "unseen": unseen}[topic].measured(options)
    print(*rows, sep="\n")
    if given.json:
        Path(given.json).write_text(json.dumps([asdict(row) for row in rows]))
    return 0


def in_process(topic: str, *arguments: str) -> list[Row]:
    """The rows of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "bench", topic, *arguments, "--json", str(path)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(path.read_text())
    return [Row(**{**r, "times": {name: Timing(**t) for name, t in r["times"].items()}}) for r in found]
