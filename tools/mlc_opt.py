"""mlc-opt: read MLIR text, run passes, print MLIR text.

mlc-opt model.mlir -p "canonicalize,cse"
mlc-opt model.mlir --pipeline=loop --mlir-print-ir-after=graph-fuse
mlc-opt model.mlir --pass-pipeline="builtin.module(func.func(cse))"
mlc-opt wrong.mlir --split-input-file --verify-diagnostics
mlc-opt model.mlir --print-schedule -o model.schedule
mlc-opt model.mlir --pipeline=llvm --schedule=model.schedule
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..compiler.context import context
from ..compiler.driver import ALL, Options, Timing, passes_of, run
from ..compiler.parsing import parse_module
from ..compiler.pipelines import PIPELINES
from ..compiler.printing import print_ir
from ..compiler.registry import PASSES, build, load, lookup, summary, usage
from ..compiler.spec import PassSpec, parse_pipeline, text_of
from ..compiler.transforms.rules.selection import selected
from ..compiler.verify import verify
from ..dialects.errors import CompileError
from . import rules
from .common import WRONG_PROGRAM, Arguments, HelpEnv, guarded, read_input, report_error, write_output
from .diagnostics import mismatches, split

SET, CHOOSE = "set-schedule", "choose-schedule"
SATURATE = "saturate{numerics=fast}"


def arguments() -> argparse.ArgumentParser:
    out = Arguments("mlc-opt", __doc__)
    out.add_argument("input", nargs="?", default="-", help="a file, or - for standard input (default)")
    out.add_argument(
        "-o", dest="output", default="-", metavar="FILE", help="where the result goes (default: standard output)"
    )
    what = out.add_argument_group("what to run (in this order if several are given)")
    what.add_argument("--pipeline", metavar="NAME", help=f"a named pipeline: {', '.join(PIPELINES)}")
    what.add_argument("-p", "--passes", metavar="PASSES", help='passes with options: "loop-tile{axis=i size=6},cse"')
    what.add_argument("--pass-pipeline", metavar="TEXT", help='the nested form: "builtin.module(func.func(cse))"')
    what.add_argument(
        "--load", action="append", default=[], metavar="FILE.py", help="load passes from a file's PASSES first"
    )
    what.add_argument(
        "--schedule", metavar="FILE", help="steps of kernels instead of those that choose-schedule would write"
    )
    what.add_argument(
        "--saturate",
        action="store_true",
        help="search for a cheaper program by rules up to the level fast, before decompose (default of what runs: "
        "canonicalize around it)",
    )
    show = out.add_argument_group("what to print")
    show.add_argument(
        "--mlir-print-ir-before", action="append", default=[], metavar="PASS", help="the IR before a pass"
    )
    show.add_argument("--mlir-print-ir-after", action="append", default=[], metavar="PASS", help="the IR after a pass")
    show.add_argument("--mlir-print-ir-before-all", action="store_true", help="the IR before every pass")
    show.add_argument("--mlir-print-ir-after-all", action="store_true", help="the IR after every pass")
    show.add_argument(
        "--mlir-print-ir-after-change", action="store_true", help="the IR after every pass that changed it"
    )
    show.add_argument("--mlir-print-debuginfo", action="store_true", help="locations in the IR")
    show.add_argument("--mlir-print-op-generic", action="store_true", help="the generic form of every op")
    show.add_argument("--mlir-timing", action="store_true", help="the time of every pass")
    show.add_argument(
        "--report", action="store_true", help="kernels, buffers and layouts of the result instead of its IR"
    )
    show.add_argument(
        "--print-schedule",
        action="store_true",
        help="the schedules after choose-schedule, as --schedule reads them (default of what runs: --pipeline=loop)",
    )
    show.add_argument(
        "--explain",
        nargs="?",
        const="host",
        metavar="MACHINE,...",
        help="instead of the IR, the estimated time after each rewrite step on these machines, by name or file "
        "(default: host); default of what runs: the pipeline down to fusion",
    )
    show.add_argument(
        "--measure",
        action="store_true",
        help="with --explain: run each step's program where it can be",
    )
    show.add_argument("--explain-plot", metavar="FILE", help="with --explain: draw it into an .svg or .png file too")
    show.add_argument("--numerics", default="ieee", help="with --explain: the level of what runs by default (ieee)")
    show.add_argument("--emit-llvm", action="store_true", help="LLVM IR of the result; --pipeline=llvm implies it")
    show.add_argument(
        "--threads", type=int, metavar="N", help="threads of parallel loops in LLVM IR (default: MLC_THREADS, or 1)"
    )
    rules.add_arguments(out)
    check = out.add_argument_group("how to check")
    check.add_argument(
        "--verify-each",
        type=_switch,
        default=True,
        metavar="0|1",
        nargs="?",
        const=True,
        help="verify the IR after every pass (default: 1)",
    )
    check.add_argument(
        "--split-input-file", action="store_true", help="the input's parts between // ----- lines, each alone"
    )
    check.add_argument("--verify-diagnostics", action="store_true", help="compare errors with expected-error comments")
    check.add_argument("--allow-unregistered-dialect", action="store_true", help="accept ops of unknown dialects")
    out.add_argument("--list-passes", action="store_true", help="print every pass with its options and leave")
    out.add_argument("--help-env", action=HelpEnv)
    return out


def _switch(text: str) -> bool:
    if text.lower() not in ("0", "1", "true", "false"):
        raise argparse.ArgumentTypeError(f"expected 0, 1, true or false, found {text!r}")
    return text.lower() in ("1", "true")


def main(argv: Sequence[str] | None = None) -> int:
    return guarded(lambda: opt(arguments().parse_args(argv)))


def opt(args: argparse.Namespace) -> int:
    for path in args.load:
        load(path)
    if args.list_passes:
        print(list_passes(), end="")
        return 0
    if args.print_rules is not None:
        print(rules.print_rules(args), end="")
        return 0
    passes, options, selection = rules.with_rules(_passes(args), args.rules), _options(args), rules.selection(args)
    for flag, given in (("--measure", args.measure), ("--explain-plot", args.explain_plot)):
        if given and not args.explain:
            raise CompileError(f"{flag}: expected --explain with it, found none")
    name, text = read_input(args.input)
    outputs: list[str] = []
    timing, code = Timing(), 0
    for part in split(text) if args.split_input_file else [text]:
        options.source = part
        errors: list[CompileError] = []
        try:
            with selected(selection):
                outputs.append(_one(part, name, passes, options, args, timing))
        except CompileError as error:
            errors.append(error)
        if args.verify_diagnostics:
            wrong = mismatches(name, part, errors)
            print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
            code = WRONG_PROGRAM if wrong else code
        elif errors:
            code = report_error(errors[0])
    if not args.verify_diagnostics and (outputs or not code):
        write_output(args.output, "// -----\n".join(outputs))
    if args.mlir_timing:
        print(timing, file=sys.stderr)
    return code


def _one(
    part: str, name: str, passes: list[ModulePass], options: Options, args: argparse.Namespace, timing: Timing
) -> str:
    """Parse, verify, run and print one part of the input."""
    ctx: Context = context()
    ctx.allow_unregistered = args.allow_unregistered_dialect
    module = parse_module(part, name, ctx)
    verify(module)
    if args.explain:
        return _explain(module, passes, args)
    if args.report:
        return _report(module, passes, options, ctx)
    if args.print_schedule:
        from ..compiler.schedules import print_schedules

        timing.rows += run(module, passes, replace(options, stop_after=CHOOSE), ctx).rows
        return print_schedules(module)
    timing.rows += run(module, passes, options, ctx).rows
    if args.emit_llvm or args.pipeline == "llvm":
        from ..compiler.emission import llvm_ir

        return llvm_ir(module, threads=args.threads)
    return print_ir(module, generic=args.mlir_print_op_generic, locations=args.mlir_print_debuginfo)


def _explain(module: ModuleOp, passes: list[ModulePass], args: argparse.Namespace) -> str:
    from ..compiler.explain import explain, figures, plot, table
    from ..compiler.report import TYPICAL
    from .inputs import arguments, symbols

    def arrays(f: FuncOp) -> list[Any]:
        return arguments(f, (), dict.fromkeys(symbols(f), TYPICAL), 0)

    if args.explain_plot:
        figures()  # if there are none, the user need not wait
    given = bool(args.pipeline or args.passes or args.pass_pipeline)
    machines = args.explain.split(",")
    found = explain(module, machines, args.numerics, passes if given else None, arrays if args.measure else None)
    if args.explain_plot:
        plot(found, args.explain_plot)
    return table(found)


def _report(module: ModuleOp, passes: list[ModulePass], options: Options, ctx: Context) -> str:
    from ..compiler.conversions import add_conversions
    from ..compiler.report import add_schedules, format_report, report

    found: dict[str, Any] = {}
    orders = any(p.name == "assign-layout" for p in passes)

    def observe(pass_: ModulePass, state: ModuleOp) -> None:
        """Kernels are counted before they are loops, and their schedules are looked at before they are applied."""
        if pass_.name == "graph-plan":
            found.update(report(state))
            if orders:
                add_conversions(found, state)
        elif pass_.name in (SET, CHOOSE) and found:
            add_schedules(found, state)

    run(module, passes, replace(options, observer=observe), ctx)
    return format_report(found or report(module))


def _passes(args: argparse.Namespace) -> list[ModulePass]:
    out: list[ModulePass] = []
    pipeline = args.pipeline
    if args.print_schedule and not (pipeline or args.passes or args.pass_pipeline):
        pipeline = "loop"
    if pipeline:
        out += passes_of(pipeline)
    for text in (args.passes, args.pass_pipeline):
        if text is not None:
            out += passes_of(parse_pipeline(text))
    if args.saturate:
        out = _saturated(out)
    if args.schedule is None and not args.print_schedule:
        return out
    return _scheduled(out, args)


def _saturated(passes: list[ModulePass]) -> list[ModulePass]:
    """With a search by rules while composites are whole."""
    if not passes:
        return passes_of(parse_pipeline(f"canonicalize,{SATURATE},canonicalize"))
    at = next((k for k, p in enumerate(passes) if p.name == "decompose"), None)
    if at is None:
        expected = "no other passes, or decompose among them (--pipeline=nd or a lower level)"
        raise CompileError(f"--saturate: expected {expected}, found {text_of(passes)}")
    return [*passes[:at], *passes_of(parse_pipeline(SATURATE)), *passes[at:]]


def _scheduled(passes: list[ModulePass], args: argparse.Namespace) -> list[ModulePass]:
    """With the user's schedule in front of choose-schedule, which leaves kernels alone that have one."""
    at = next((k for k, p in enumerate(passes) if p.name == CHOOSE), None)
    if at is None:
        if args.schedule is None:
            return passes
        expected = "passes with choose-schedule (--pipeline=loop or a lower level)"
        raise CompileError(f"--schedule: expected {expected}, found {text_of(passes) or 'none'}")
    added: list[ModulePass] = []
    if args.schedule is not None:
        name, text = read_input(args.schedule)
        added.append(build(PassSpec(SET, {"steps": (text,), "file": (name,)})))
    if args.print_schedule and args.threads is not None:
        added.append(build(PassSpec(CHOOSE, {"threads": (args.threads,)})))
    return [*passes[:at], *added, *passes[at:]]


def _options(args: argparse.Namespace) -> Options:
    for name in (*args.mlir_print_ir_before, *args.mlir_print_ir_after):
        lookup(name)
    return Options(
        verify_input=False,
        verify_each=args.verify_each,
        print_before=frozenset({ALL} if args.mlir_print_ir_before_all else args.mlir_print_ir_before),
        print_after=frozenset({ALL} if args.mlir_print_ir_after_all else args.mlir_print_ir_after),
        print_after_change=args.mlir_print_ir_after_change,
        generic=args.mlir_print_op_generic,
        locations=args.mlir_print_debuginfo,
    )


def list_passes() -> str:
    """Every pass: its options and what it does, in a sentence."""
    lines: list[str] = []
    for name in PASSES:
        cls = lookup(name)
        lines += [usage(name, cls), "    " + summary(cls)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
