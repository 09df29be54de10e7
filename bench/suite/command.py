"""`python -m bench suite`: the programs' names; compile and run one or all; compare with JAX."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import mlc

from .programs import PROGRAMS, Program


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench suite",
        description="Programs that JAX wrote as StableHLO, from their .mlir files. Without arguments: their names.",
    )
    parser.add_argument("program", nargs="*", metavar="PROGRAM", help="compile and run these: times")
    parser.add_argument("--all", action="store_true", help="compile and run every program")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare the results with JAX's, also after the way to the tensor level and back to StableHLO "
        "(all programs unless some are named); exit code 1 if one differs. Needs jax",
    )
    options = parser.parse_args(arguments)
    for name in options.program:
        if name not in PROGRAMS:
            parser.error(f"expected a program of {', '.join(PROGRAMS)}; found {name}")
    chosen = [PROGRAMS[n] for n in options.program or (PROGRAMS if options.all or options.check else ())]
    if not chosen:
        print(*PROGRAMS, sep="\n")
        return 0
    return checked(chosen) if options.check else measured(chosen)


def measured(programs: Sequence[Program]) -> int:
    for program in programs:
        start = time.perf_counter()
        run = mlc.compile(program.path)
        middle, inputs = time.perf_counter(), program.inputs()
        run(*inputs)
        before = time.perf_counter()
        run(*inputs)
        took = time.perf_counter() - before
        print(f"{program.name:24} compile {middle - start:6.2f} s  run {took * 1e3:9.2f} ms", flush=True)
    return 0


def checked(programs: Sequence[Program]) -> int:
    from .check import check

    failed = 0
    for program in programs:
        try:
            print(check(program), flush=True)
        except (AssertionError, mlc.CompileError) as error:
            failed += 1
            print(f"{program.name:24} DIFFERS: {error}", flush=True)
    print(f"{len(programs) - failed} of {len(programs)} programs agree with JAX")
    return 1 if failed else 0
