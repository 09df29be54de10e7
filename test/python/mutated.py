"""Mutated StableHLO programs through the whole path: each is compiled or refused with a place, never anything else.

    python test/python/mutated.py DIR --count 5000 --jobs 2

DIR holds .mlir files; mutation k is the same in every run. A mutation is a fault if it ends in another exception than
a located CompileError, takes more than 10 seconds of a core, or needs more than a gigabyte. The last line counts.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from mlc.compiler.compile import compile_module
from mlc.compiler.driver import Options, passes_of, run
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from mlc.tools.conformance.checked import functions, take_apart
from stablehlo_edits import edit
from stablehlo_mutations import mutate

SECONDS, BYTES = 10, 1 << 30
"""Limits of a mutation."""


class Slow(BaseException):
    """No handler of the compiler catches it."""


CHECK = re.compile(r"^.*custom_call @check\..*\n", re.MULTILINE)


def outcome(text: str, compiled: bool, checks: bool) -> str:
    """`compiled`, `lowered`, `refused`, or what was wrong; `checks`: what a program checks becomes its results."""

    def late(*_: object) -> None:
        raise Slow

    signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        module = parse_module(text if checks else CHECK.sub("", text), "mutated.mlir")
        verify(module)
        names = functions(module) if checks else []
        if names:
            take_apart(module, names[0], constants=True)
        if compiled:
            compile_module(module, entry=names[0] if names else "main")
        else:
            run(module, passes_of("nd"), Options(verify_input=False))
        return "compiled" if compiled else "lowered"
    except CompileError as error:
        first = str(error).split("\n")[0]
        return "refused" if first.startswith("mutated.mlir:") else f"no place: {first}"
    except Slow:
        return "slow: " + "".join(traceback.format_exc().splitlines(keepends=True)[-4:-1])
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def one(job: tuple[int, list[str], argparse.Namespace]) -> tuple[int, str, str]:
    seed, files, options = job
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    rng = random.Random(seed)
    name, other = rng.choice(files), rng.choice(files)
    given = Path(name).read_text()
    text = edit(given, rng) if options.parseable else mutate(given, Path(other).read_text(), rng)
    return seed, name, outcome(text, seed % options.compile == 0, seed % 3 > 0)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0, help="the first mutation's number")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--parseable", action="store_true", help="only mutations that leave the text parseable")
    parser.add_argument(
        "--compile", type=int, default=20, metavar="N", help="compile every Nth that the importer takes"
    )
    options = parser.parse_args(argv)
    files = sorted(str(f) for f in options.folder.rglob("*.mlir"))
    seeds = range(options.first, options.first + options.count)
    counts: Counter[str] = Counter()
    with get_context("fork").Pool(options.jobs, maxtasksperchild=250) as pool:
        for seed, name, found in pool.imap_unordered(one, [(s, files, options) for s in seeds], chunksize=5):
            good = found in ("compiled", "lowered", "refused")
            counts[found if good else "faults"] += 1
            if not good:
                print(f"{seed} {Path(name).name}: {found}", flush=True)
    print(", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
    return int(counts["faults"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
