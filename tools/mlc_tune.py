"""mlc-tune: search faster schedules of the kernels with contractions by measuring, and record the winners; or measure
the machine.

    mlc-tune model.mlir --seconds 30
    mlc-tune model.mlir --kernel matmul --output model.schedule
    mlc-tune model.mlir --size b=32 --threads 2 --no-record
    mlc-tune --calibrate -o here.toml

Later compilations of the same kernels, in whatever program, take what was recorded (MLC_TUNED=0: they do not).
Candidates have other register tiles, blocks of the reduced axis, packed operands and orders of the loops.

The description that --calibrate writes is what estimates are made of: for `mlc-opt --explain=here.toml`, or for
everything with MLC_MACHINE=here.toml.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from ..compiler import settings, tuned
from ..compiler.compile import keep_entry
from ..compiler.driver import Options, run
from ..compiler.machine import Machine
from ..compiler.options import CompileOptions, passes
from ..compiler.parsing import parse_module
from ..compiler.registry import nearest
from ..compiler.tuner import Found, Kernel, kernels_to_tune, schedule_text, search
from ..compiler.verify import verify
from ..dialects.errors import CompileError
from . import inputs
from .common import WRONG_PROGRAM, Arguments, HelpEnv, guarded, read_input, write_output


def arguments() -> argparse.ArgumentParser:
    out = Arguments("mlc-tune", __doc__)
    out.add_argument(
        "input_file", nargs="?", default="-", metavar="FILE", help="an .mlir file, or - for standard input"
    )
    out.add_argument("--entry", default="main", metavar="NAME", help="the function to tune for (default: main)")
    out.add_argument(
        "--seconds", type=_seconds, default=30.0, metavar="S", help="for all kernels together (default: 30)"
    )
    out.add_argument("--kernel", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    out.add_argument("--threads", type=int, metavar="N", help="threads of parallel loops (default: MLC_THREADS, or 1)")
    out.add_argument("--size", action="append", default=[], metavar="NAME=N", help="the value of a symbol, e.g. b=7")
    out.add_argument("--seed", type=int, default=0, help="of the arguments and of the order of candidates (default: 0)")
    out.add_argument(
        "--calibrate",
        action="store_true",
        help="measure this machine instead: clock, bandwidths, functions, launches; print its description",
    )
    out.add_argument(
        "--output", "-o", metavar="FILE", help="write the best schedules there, for --schedule; or the description"
    )
    out.add_argument("--no-record", action="store_true", help="leave the records that compilations consult as they are")
    out.add_argument("--quiet", action="store_true", help="no progress bar")
    out.add_argument("--help-env", action=HelpEnv)
    return out


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    return guarded(lambda: tune(arguments().parse_args(argv)))


def measured(args: argparse.Namespace) -> int:
    """Measure the machine."""
    from ..compiler.calibrate import calibrate

    if args.input_file != "-":
        raise CompileError(f"--calibrate: expected no program, found {args.input_file}")
    show, close = progress_bar(args.seconds, args.quiet)
    try:
        text = calibrate(Machine.host(), args.seconds, show).text()
    finally:
        close()
    write_output(args.output or "-", text)
    return 0


def tune(args: argparse.Namespace) -> int:
    if args.calibrate:
        return measured(args)
    name, text = read_input(args.input_file)
    module = parse_module(text, name)
    verify(module)
    threads, machine, sizes = settings.threads(args.threads), Machine.host(), inputs.parse_sizes(args.size)
    inputs.entry_function(module, args.entry)
    keep_entry(module, args.entry, ())
    run(module, passes(CompileOptions(args.entry, threads=threads), "nd"), Options(verify_input=False, source=text))
    check_sizes(module, args.entry, sizes)
    kernels = selected(
        kernels_to_tune(module, machine, threads, sizes, lambda f: arrays_for(f, sizes, args.seed)),
        args.kernel,
    )
    if not kernels:
        print("no kernel has a contraction to tune")
        return 0
    found = searched(kernels, args)
    print(table(found))
    by_name = {k.name: k for k in kernels}
    if args.output is not None:
        write_output(
            args.output, "\n".join(schedule_text(by_name[f.name], f.best if f.better else f.first) for f in found)
        )
    if not args.no_record:
        recorded = [
            tuned.record(by_name[f.name].function, machine, threads, f.best if f.better else None) for f in found
        ]
        if not all(recorded):
            print("nothing recorded: there is no cache, or the compiler's source has changed since it was loaded")
    wrong = [(f, steps) for f in found for steps in f.wrong]
    for f, steps in wrong:
        print(f"kernel {f.name}: other results with {steps}", file=sys.stderr)
    return WRONG_PROGRAM if wrong else 0


def check_sizes(module: ModuleOp, entry: str, sizes: dict[str, int]) -> None:
    """Every symbol of the program has a value, and nothing else."""
    known = inputs.symbols(inputs.entry_function(module, entry))
    for symbol in known:
        if symbol not in sizes:
            raise CompileError(f"size {symbol!r} is not known; give it as --size {symbol}=N")
    for name in sizes:
        if name not in known:
            raise CompileError(f"--size: @{entry} has no size {name!r}; its sizes: {', '.join(known) or 'none'}")


def arrays_for(f: FuncOp, sizes: dict[str, int], seed: int) -> list[inputs.Array]:
    """Random arguments of a kernel, which knows some of the program's sizes."""
    return inputs.arguments(f, (), {name: sizes[name] for name in inputs.symbols(f) if name in sizes}, seed)


def selected(kernels: list[Kernel], names: Sequence[str]) -> list[Kernel]:
    """The kernels of these names, or all."""
    known = [k.name for k in kernels]
    for name in names:
        if name not in known:
            expected = f"a kernel with a contraction, one of {', '.join(known) or 'none'}"
            raise CompileError(f"--kernel: expected {expected}, found {name}{nearest(name, known)}")
    return [k for k in kernels if not names or k.name in names]


def searched(kernels: list[Kernel], args: argparse.Namespace) -> list[Found]:
    """Each kernel gets its part of the seconds, and of what those before it have left."""
    show, close = progress_bar(args.seconds, args.quiet)
    found: list[Found] = []
    spent = 0.0
    for k, kernel in enumerate(kernels):
        before, last = spent, [0.0]

        def shown(seconds: float, what: str, before: float = before, last: list[float] = last) -> None:
            last[0] = seconds
            show(before + seconds, what)

        found.append(search(kernel, max(0.0, args.seconds - spent) / (len(kernels) - k), args.seed, shown))
        spent += last[0]
    close()
    return found


def progress_bar(seconds: float, quiet: bool) -> tuple[Callable[[float, str], None], Callable[[], None]]:
    """Where somebody sees it and tqdm is installed: what shows the seconds so far, and what ends it."""
    if quiet or not sys.stderr.isatty():
        return lambda _, __: None, lambda: None
    try:
        import tqdm
    except ImportError:
        return lambda _, __: None, lambda: None
    bar: Any = tqdm.tqdm(total=seconds, unit="s", bar_format="{desc} {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s")

    def show(now: float, what: str) -> None:
        bar.set_description_str(what, refresh=False)
        bar.update(max(0.0, min(now, seconds) - bar.n))

    return show, bar.close


def table(found: Sequence[Found]) -> str:
    """A line for each kernel: microseconds of the first and the best schedule, their ratio, candidates, the steps."""
    width = max(6, *(len(f.name) for f in found))
    lines = [f"{'kernel':{width}}  automatic us    best us  speed-up  tried  refused"]
    for f in found:
        first, best = f.first_seconds * 1e6, (f.best_seconds if f.better else f.first_seconds) * 1e6
        lines.append(f"{f.name:{width}}  {first:12.1f} {best:10.1f} {first / best:8.3f}x {f.tried:6} {f.refused:8}")
        lines.append(f"  {f.best}" if f.better else "  automatic")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
