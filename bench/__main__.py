"""`python -m bench TOPIC` prints a topic's rows; `python -m bench --bars [TOPIC]` says which bars are met.

`python -m bench suite --help`: whole programs that JAX wrote, compared with JAX.

NumPy runs with one thread. Nothing here is a test: a bar is a promise about a quiet machine.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from .results import Row, verdict

TOPICS = {
    "startup": "importing mlc, and a one-op program from process start",
    "compile": "compile time of a transformer of 12 layers, and of single kernels",
    "parse": "a StableHLO text of 50,000 lines, from text to kernels, with the peak memory",
    "ops": "every family of ops over a million elements against NumPy, one thread each",
    "contractions": "products and convolutions against all peers and the core's peak; --help has options",
    "rows": "all other programs, from elementwise to attention, against peers and bounds; --help has options",
    "unseen": "contractions whose shapes a seed draws, against the core's peak",
    "calls": "what a call costs beyond its work",
    "math": "transcendental functions: nanoseconds of an element in the first cache, a million against NumPy",
    "graph": "rules and fusion against none, groups of rules by themselves, memory under a limit, time of rewriting",
    "estimates": "times of the suite's programs and kernels as estimated, against measured ones",
    "first": "first kernels against NumPy, one thread each, and the digits' training",
}
PEERED = ("contractions", "rows", "unseen")
"""With options of their own."""
MODULES = {"math": "functions"}
"""Of topics whose module is named otherwise."""
APART = {"gpu": "programs on a GPU against torch, torch.compile and cuBLAS; --help has options"}
"""What needs a machine of its own: measured where it is named only."""
HERE = Path(__file__).parent


def measure(topic: str) -> list[Row]:
    from threadpoolctl import threadpool_limits  # not needed for --help

    module = importlib.import_module(f".{MODULES.get(topic, topic)}", __package__)
    with threadpool_limits(1):
        return module.rows()


def processor() -> str:
    """The CPU model's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def judge(topics: Sequence[str]) -> tuple[list[str], bool]:
    """One line per bar, and whether all are met."""
    from tqdm import tqdm

    bars = tomllib.loads((HERE / "bars.toml").read_text())["bar"]
    lines, met = [], True
    for topic in tqdm(topics, desc="measuring", unit="topic"):
        found = {row.name: row for row in measure(topic)}
        for bar in (b for b in bars if b["topic"] == topic):
            line, good = verdict(bar, found[bar["row"]])
            lines.append(line)
            met &= good
    return lines, met


def record(rows: Sequence[Row], topic: str) -> None:
    """Append the rows to RESULTS.md with the processor's name and the date."""
    with (HERE / "RESULTS.md").open("a") as out:
        out.write(f"\n## {topic}, {processor()}, {date.today().isoformat()}\n\n```\n")
        out.writelines(f"{row}\n" for row in rows)
        out.write("```\n")


def main() -> int:
    if sys.argv[1:2] == ["suite"]:
        from .suite.command import main as suite

        return suite(sys.argv[2:])
    if "gpu" in sys.argv[1:]:
        from .gpu import main as gpu

        return gpu([a for a in sys.argv[1:] if a != "gpu"])
    if sys.argv[1:2] and sys.argv[1] in PEERED and not {"--bars", "--record"} & set(sys.argv):
        from .peered import main as peered

        return peered(sys.argv[1], sys.argv[2:])
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "topic",
        nargs="?",
        choices=[*TOPICS, *APART],
        help="; ".join(f"{k}: {v}" for k, v in (TOPICS | APART).items()),
    )
    parser.add_argument("--bars", action="store_true", help="compare with bars.toml; exit code 1 if one is missed")
    parser.add_argument("--record", action="store_true", help="append the rows to bench/RESULTS.md")
    options = parser.parse_args()
    topics = [options.topic] if options.topic else list(TOPICS)
    if options.bars:
        lines, met = judge(topics)
        print(f"{processor()}, one thread", *lines, sep="\n")
        return 0 if met else 1
    for topic in topics:
        rows = measure(topic)
        print(f"{topic}: {processor()}, one thread", *rows, sep="\n")
        if options.record:
            record(rows, topic)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
