"""mlc-run: execute a function of an MLIR file as native code, check it, time it.

    mlc-run examples/mlp.mlir --size b=7 --check
    mlc-run add.mlir --input "[1, 2, 3]" --input @y.npy
    mlc-run examples/mlp.mlir --size b=32 --check-each
    mlc-run examples/layout.mlir --bench --report
    mlc-run examples/layer.mlir --target=cuda --check

Inputs that are not given are random (--seed): floats standard normal, integers 0 to 9, i1 coin flips.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from ..compiler import weights
from ..compiler.driver import Options, passes_of, run
from ..compiler.options import TARGETS
from ..compiler.parsing import parse_module
from ..compiler.registry import load
from ..compiler.settings import TARGET
from ..compiler.spec import parse_pipeline
from ..compiler.verify import verify
from ..dialects.errors import CompileError, memory_wanted
from ..lowering.stablehlo_to_nd import stablehlo_to_nd
from . import inputs
from .common import WRONG_PROGRAM, Arguments, HelpEnv, guarded, read_input

Array = np.ndarray[Any, Any]


def arguments() -> argparse.ArgumentParser:
    out = Arguments("mlc-run", __doc__)
    out.add_argument(
        "input_file", nargs="?", default="-", metavar="FILE", help="an .mlir file, or - for standard input"
    )
    out.add_argument("--entry", default="main", metavar="NAME", help="the function to run (default: main)")
    data = out.add_argument_group("inputs")
    data.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="VALUE",
        help="the next argument: a literal such as '[[1, 2], [3, 4]]', or @file.npy; the rest is random",
    )
    data.add_argument("--size", action="append", default=[], metavar="NAME=N", help="the value of a symbol, e.g. b=7")
    data.add_argument(
        "--constants",
        metavar="FILE",
        help="an .npz or .safetensors file: arguments and resources of its names get their data from there",
    )
    data.add_argument("--seed", type=int, default=0, help="of the random inputs (default: 0)")
    what = out.add_argument_group("what to do besides running")
    what.add_argument("-p", "--passes", metavar="PASSES", help="run these passes on the module first")
    what.add_argument(
        "--load", action="append", default=[], metavar="FILE.py", help="load passes from a file's PASSES first"
    )
    what.add_argument("--interpret", action="store_true", help="run in the interpreter instead of native code")
    what.add_argument("--check", action="store_true", help="compare with the interpreter")
    what.add_argument(
        "--check-each", action="store_true", help="compare after every pass and name the first that changes a result"
    )
    what.add_argument("--pipeline", metavar="NAME", help="the passes of --check-each (default: those of the target)")
    what.add_argument("--bench", action="store_true", help="time it: best and median of calls in microseconds")
    what.add_argument(
        "--target",
        choices=list(TARGETS),
        default=TARGET.get(),
        help="where native code runs; cuda: an NVIDIA GPU (default: MLC_TARGET, or cpu)",
    )
    what.add_argument("--threads", type=int, metavar="N", help="threads of parallel loops (default: MLC_THREADS, or 1)")
    what.add_argument(
        "--schedule", metavar="FILE", help="steps of kernels instead of the chosen ones (mlc-opt --print-schedule)"
    )
    what.add_argument(
        "--memory-limit",
        metavar="BYTES",
        help="what values between kernels may take at once, e.g. 64MiB: reorders, computes again, or refuses",
    )
    what.add_argument("--report", action="store_true", help="print kernels, buffers and layouts")
    what.add_argument("-o", dest="output", metavar="FILE.npz", help="write the results there instead of printing them")
    out.add_argument("--help-env", action=HelpEnv)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    return guarded(lambda: execute(arguments().parse_args(argv)))


def execute(args: argparse.Namespace) -> int:
    for path in args.load:
        load(path)
    name, text = read_input(args.input_file)
    module = parse_module(text, name)
    verify(module)
    if args.interpret or args.check or args.check_each:  # StableHLO has its meaning by the conversion to nd
        stablehlo_to_nd(module)
    func = inputs.entry_function(module, args.entry)
    if args.constants:
        weights.bind(func, weights.load(args.constants))
    sizes = inputs.parse_sizes(args.size)
    arrays = inputs.arguments(func, args.input, sizes, args.seed)
    if args.check_each:
        return _check_each(module, args, arrays, sizes)
    original = module.clone() if args.check else module
    if args.passes:
        run(module, passes_of(parse_pipeline(args.passes)), Options(verify_input=False, source=text))
    call, report = _callable(module, args, sizes)
    results = call(arrays)
    _output(results, func, args)
    if args.report:
        print(report(), end="")
    if args.check:
        from ..compiler.checking import differs, reference

        message = differs(original, args.entry, results, reference(original, args.entry, arrays, sizes), arrays)
        if message is not None:
            print(f"check failed: {message}", file=sys.stderr)
            return WRONG_PROGRAM
        print("check passed")
    if args.bench:
        print(bench(_timed(call, arrays, args)))
    return 0


def _timed(
    call: Callable[[Sequence[Any]], list[Any]], arrays: list[Array], args: argparse.Namespace
) -> Callable[[], object]:
    """A call that is over when it returns; on a GPU, of arrays that are there before."""
    if args.interpret or args.target == "cpu":
        return lambda: call(arrays)
    from ..runtime.cuda.device_array import to_device

    there = [to_device(a) for a in arrays]

    def timed() -> None:
        for result in call(there):
            if hasattr(result, "synchronize"):
                result.synchronize()

    return timed


def _callable(
    module: ModuleOp, args: argparse.Namespace, sizes: dict[str, int]
) -> tuple[Callable[[Sequence[Any]], list[Any]], Callable[[], str]]:
    """What runs the module, natively or in the interpreter, and what reports about it."""
    if args.interpret:
        from ..compiler.checking import reference

        return lambda arrays: reference(module, args.entry, arrays, sizes), lambda: _report(module)
    from ..compiler.compile import compile_module

    place = inputs.entry_function(module, args.entry).location
    schedule = Path(args.schedule) if args.schedule else None
    given: dict[str, Any] = {
        "threads": args.threads,
        "schedule": schedule,
        "target": args.target,
        "memory_limit": args.memory_limit,
    }
    executable = compile_module(module, entry=args.entry, **given)

    def call(arrays: Sequence[Any]) -> list[Any]:
        try:
            out = executable(*arrays)
        except MemoryError as error:
            raise CompileError(f"@{args.entry}: {memory_wanted(error)}", place) from error
        return [*out] if type(out) is tuple else [out]

    return call, lambda: _report(executable)


def _report(of: Any) -> str:
    """The report of a module or of an executable."""
    from ..compiler.report import format_report, report

    return format_report(report(of) if isinstance(of, ModuleOp) else of.report())


def _check_each(module: ModuleOp, args: argparse.Namespace, arrays: list[Array], sizes: dict[str, int]) -> int:
    from ..compiler.checking import Change, check_each, differs, reference

    passes = passes_of(parse_pipeline(args.passes) if args.passes else args.pipeline or args.target)
    change = check_each(module, passes, args.entry, arrays, sizes, lambda by: print(f"same after {by}"))
    if change is None and not args.passes:
        want = reference(module, args.entry, arrays, sizes)
        got = _callable(module.clone(), args, sizes)[0](arrays)
        message = differs(module, args.entry, got, want, arrays)
        change = Change("native code", message) if message is not None else None
        if change is None:
            print("same in native code")
    if change is not None:
        print(f"check failed: {change}", file=sys.stderr)
        return WRONG_PROGRAM
    return 0


def _output(results: list[Array], func: FuncOp, args: argparse.Namespace) -> None:
    if args.output is None:
        print(inputs.show_results(results, func.function_type.outputs.data), end="")
        return
    try:
        with open(args.output, "wb") as file:
            np.savez(file, *results)
    except OSError as error:
        raise CompileError(f"cannot write {args.output}: {error.strerror}") from error


def bench(call: Callable[[], object], seconds: float = 1.0) -> str:
    """Best and median of calls during about a second (at least 5)."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or (time.perf_counter() < end and len(times) < 10_000):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return f"best {min(times) * 1e6:.1f} us, median {statistics.median(times) * 1e6:.1f} us, {len(times)} calls"


if __name__ == "__main__":
    sys.exit(main())
