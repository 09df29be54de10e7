"""Programs on a GPU against torch, torch.compile and cuBLAS, and against the best copy of the run.

    python -m bench gpu [PATTERN ...] [--peers torch,compile,graph] [--bars] [--record] [--list]

Each row's result is compared with torch's in f64 before it is timed: written over NaN, from new random numbers. All
competitors of a row run in one process, in turns, seven times; times are medians by the device's clock. A row that
fails says why, and the others go on. PATTERN: of the shell, for names of rows or of groups: ew, rows, softmax, others,
matmul, mm_bf16, mm_f32, mm_graph, small, compile. Without one: all, in less than five minutes.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import tomllib
from collections.abc import Sequence
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from .results import Row, reason, verdict

if TYPE_CHECKING:
    from .gpu_cases import Case
    from .gpu_places import Place

HERE = Path(__file__).parent
PEERS = ("torch", "compile", "graph")
COMPILED = (
    "ew_gelu_64M",
    "softmax_8192x8192",
    "layer_norm_8192x8192",
    "col_sum_8192x8192",
    "matmul_bf16_4096_NN",
    "matmul_f32_4096_NN",
    "small_softmax_5",
)
"""Whose compile time is measured."""


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m bench gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("pattern", nargs="*", metavar="PATTERN", help="names of rows or groups, such as 'softmax*'")
    p.add_argument("--peers", metavar="A,B", default=",".join(PEERS), help=f"only these of {', '.join(PEERS)}")
    p.add_argument("--bars", action="store_true", help="compare with bars.toml; exit code 1 if one is missed")
    p.add_argument("--record", action="store_true", help="append the rows to bench/RESULTS.md with the GPU's name")
    p.add_argument("--list", action="store_true", help="the names of the rows and their groups")
    p.add_argument("--limit", type=float, default=600, metavar="S", help="leave out what is not begun by then")
    p.add_argument("--fake", action="store_true", help="on the CPU, with few elements: checks the measuring, no more")
    p.add_argument(
        "--dry", metavar="ARCH", help="only compile the rows for an architecture such as sm_90a; needs no GPU, no torch"
    )
    return p


def wanted(name: str, groups: Sequence[str], patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(n, pattern) for n in (name, *groups) for pattern in patterns)


def row_names() -> list[str]:
    """Of all rows, without a GPU."""
    from .gpu_cases import EXTRA, SUMMARIES, cases

    return [*(case.name for case in cases()), *(s.name for s in SUMMARIES), *EXTRA]


def dry(chosen: Sequence[Case], arch: str) -> int:
    """One line for each: seconds to compile, launches, and what failed."""
    import mlc

    failed = 0
    for case in chosen:
        start = time.perf_counter()
        try:
            exe = mlc.compile(case.ours, *(mlc.spec(s, case.dtype) for s in case.arrays), target="cuda", arch=arch)
        except Exception as error:
            failed += 1
            print(f"{case.name:32} FAILED {reason(error)}", flush=True)
            continue
        calls = {k["name"]: k["calls"] for k in exe.report()["kernels"]}
        launches = sum(len(i.entries) * calls.get(i.kernel, 1) for i in exe.program.images)
        print(f"{case.name:32} {time.perf_counter() - start:6.2f} s  {launches} launches", flush=True)
    return 1 if failed else 0


def measured(place: Place, chosen: Sequence[Case], options: argparse.Namespace) -> list[Row]:
    """All rows; each is printed as soon as it is there, the summaries at the end."""
    from . import gpu_runs

    start, peers = time.perf_counter(), options.peers.split(",")
    copy = gpu_runs.best_copy(place)
    rows, found = (
        [Row("copy_GB/s", copy * 1e-9, "", note="read and written, the run's best")],
        list[gpu_runs.Measured](),
    )
    print(rows[0], flush=True)

    def give(row: Row) -> None:
        rows.append(row)
        print(row, flush=True)

    for case in chosen:
        if time.perf_counter() - start > options.limit:
            give(Row(case.name, math.nan, "", note="left out: no time"))
            continue
        try:
            m = gpu_runs.measure(case, place, peers)
        except Exception as error:  # no memory for its arrays
            m = gpu_runs.Measured(case, failed={"mlc": reason(error)})
        found.append(m)
        give(gpu_runs.row_of(m, copy))
    if wanted("compile", (), options.pattern):
        from .gpu_cases import cases

        try:
            for row in gpu_runs.compile_rows([c for c in cases() if c.name in COMPILED], place):
                give(row)
        except Exception as error:
            give(Row("compile_cold_median", math.nan, "s", note=f"FAILED {reason(error)}"))
    for row in gpu_runs.summaries(found, copy):
        give(row)
    print(f"{time.perf_counter() - start:.0f} s", flush=True)
    return rows


def judge(rows: Sequence[Row]) -> tuple[list[str], bool]:
    """One line for each bar whose row was measured, and whether all are met."""
    bars = [b for b in tomllib.loads((HERE / "bars.toml").read_text())["bar"] if b["topic"] == "gpu"]
    values = {row.name: row for row in rows}
    lines, met = list[str](), True
    for bar in bars:
        row = values.get(bar["row"])
        if row is None:
            lines.append(f"{'-':7} {bar['name']}: not measured")
            continue
        line, good = verdict(bar, row)
        line += f": {row.note}" if good and row.note else ""
        lines.append(line)
        met &= good
    return lines, met


def record(name: str, rows: Sequence[Row]) -> None:
    with (HERE / "RESULTS.md").open("a") as out:
        out.write(f"\n## gpu, {name}, {date.today().isoformat()}\n\n```\n")
        out.writelines(f"{row}\n" for row in rows)
        out.write("```\n")


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    from .gpu_cases import cases

    chosen = [c for c in cases() if wanted(c.name, c.groups, options.pattern)]
    if options.list:
        for case in chosen:
            print(f"{case.name:32} {' '.join(case.groups)}")
        print(*row_names()[len(cases()) :], sep="\n")
        return 0
    if options.dry:
        return dry(chosen, options.dry)
    from . import gpu_places

    place = gpu_places.Host() if options.fake else gpu_places.Cuda()
    print(f"gpu: {place.name}, torch {place.torch.__version__}", flush=True)
    rows = measured(place, chosen, options)
    if options.record:
        record(place.name, rows)
    if not options.bars:
        return 0
    lines, met = judge(rows)
    print(*lines, sep="\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
