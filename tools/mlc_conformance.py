"""mlc-conformance: run programs that check themselves, as StableHLO's own test data do, and count what passes.

    mlc-conformance stablehlo DIR
    mlc-conformance stablehlo DIR --filter "scatter_add*" --jobs 2
    mlc-conformance stablehlo DIR --every 5 --expect recorded.txt

The results of a file's @inputs are passed at run time, and what it checks is returned and compared outside, so that
nothing can be computed while compiling. A file passes if all its checks hold and it launched kernels, unless its result
is a constant. Exit code: 0 if all files passed, or, with --expect, if each fared as the list says or passed; else 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..dialects.errors import CompileError
from .common import WRONG_PROGRAM, Arguments, HelpEnv, guarded, read_input, write_output


def arguments() -> argparse.ArgumentParser:
    out = Arguments("mlc-conformance", __doc__)
    out.add_argument("suite", choices=["stablehlo"], help="what the files are written in")
    out.add_argument("folder", metavar="DIR", help="the folder of the .mlir files; those of its subfolders run too")
    which = out.add_argument_group("which files")
    which.add_argument("--filter", action="append", metavar="GLOB", help="only files whose name matches; repeatable")
    which.add_argument(
        "--every", type=_positive, default=1, metavar="N", help="only every N-th file of the sorted ones"
    )
    how = out.add_argument_group("how to run them")
    how.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, metavar="N", help="processes (default: cores)"
    )
    how.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="seconds that a file may take (default: 60)"
    )
    show = out.add_argument_group("what to print and write")
    show.add_argument("--quiet", action="store_true", help="no line for each file that passes")
    show.add_argument("--write", metavar="FILE.md", help="write a page with the families and what did not pass")
    show.add_argument("--list", metavar="FILE", help="write the status of each file, for --expect")
    show.add_argument(
        "--expect", metavar="FILE", help="compare with a list; exit code 1 unless each file is as it says or passes"
    )
    out.add_argument("--help-env", action=HelpEnv)
    return out


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text!r}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    return guarded(lambda: run(arguments().parse_args(argv)))


def run(args: argparse.Namespace) -> int:
    from .conformance.summary import differences, document, improvements, line_of, listed, read_list, summary
    from .conformance.workers import outcomes

    wanted = read_list(read_input(args.expect)[1], args.expect) if args.expect else None
    root = Path(args.folder)
    names = files(root, args.filter, args.every)
    start = time.perf_counter()
    found = sorted(shown(outcomes(root, names, args.jobs, args.timeout), len(names)), key=lambda o: o.name)
    for outcome in found:
        if outcome.status != "pass" or not args.quiet:
            print(line_of(outcome))
    print()
    if args.write:
        write_output(args.write, document(found))
    if args.list:
        write_output(args.list, listed(found))
    changed = differences(found, wanted) if wanted is not None else []
    if changed:
        print(f"differences from {args.expect}:", *changed, "", sep="\n")
    if wanted is not None and (better := improvements(found, wanted)):
        print(f"better than {args.expect}:", *better, "", sep="\n")
    print(summary(found, time.perf_counter() - start))
    good = not changed if wanted is not None else all(o.status == "pass" for o in found)
    return 0 if good else WRONG_PROGRAM


def files(root: Path, patterns: Sequence[str] | None, every: int) -> list[str]:
    """The names below the folder, sorted; a pattern is for a file's name with or without its end."""
    if not root.is_dir():
        raise CompileError(f"expected a folder of .mlir files, found no folder {root}")
    names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.mlir"))
    chosen = [n for n in names[::every] if patterns is None or any(_matches(n, p) for p in patterns)]
    if not chosen:
        raise CompileError(
            f"expected .mlir files in {root}" + (f" that match {', '.join(patterns)}" if patterns else "")
        )
    return chosen


def _matches(name: str, pattern: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return any(fnmatch.fnmatch(n, pattern) for n in (name, base, base.removesuffix(".mlir")))


def shown(found: Iterator[Any], total: int) -> Iterator[Any]:
    """With a progress bar where somebody sees it and tqdm is installed."""
    if not sys.stderr.isatty():
        return found
    try:
        import tqdm
    except ImportError:
        return found
    tqdm.tqdm.monitor_interval = 0  # no thread: the workers are forks
    return iter(tqdm.tqdm(found, total=total, unit="file", leave=False))


if __name__ == "__main__":
    sys.exit(main())
