"""The options of mlc-opt that are about rewrite rules: from a file, printed, traced, turned off."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from xdsl.passes import ModulePass

from ..compiler.transforms.rules.selection import Selection, Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("rewrite rules (docs/rules.md)")
    group.add_argument(
        "--rules",
        metavar="FILE",
        help="apply the graph.rules of a file, too: behind the first canonicalize or else in front, and in saturate",
    )
    group.add_argument(
        "--disable-rules", metavar="NAME,...", type=words, default=[], help="leave out rules, or groups of them"
    )
    group.add_argument(
        "--trace-rules", action="store_true", help="say where each rule fired, or why one declined (standard error)"
    )
    group.add_argument(
        "--print-rules",
        metavar="NAME,...",
        nargs="?",
        const=[],
        type=words,
        help="print all rules, or the named ones or groups in full, and leave",
    )


def words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


def print_rules(args: argparse.Namespace) -> str:
    """What `--print-rules` prints, the rules of `--rules` included."""
    from ..compiler.transforms.apply_rules import load
    from ..compiler.transforms.rules.catalogue import catalogue, described, select, table

    entries = catalogue(load(args.rules) if args.rules else ())
    found = select(entries, args.print_rules, "--print-rules")
    return described(found) if args.print_rules else table(found)


def selection(args: argparse.Namespace) -> Selection | None:
    """What `--disable-rules` and `--trace-rules` ask for."""
    if not args.disable_rules and not args.trace_rules:
        return None
    if args.disable_rules:
        from ..compiler.transforms.apply_rules import load
        from ..compiler.transforms.rules.catalogue import catalogue, select

        select(catalogue(load(args.rules) if args.rules else ()), args.disable_rules, "--disable-rules")
    trace = Trace(lambda line: print(line, file=sys.stderr)) if args.trace_rules else None
    return Selection(frozenset(args.disable_rules), trace)


def with_rules(passes: Sequence[ModulePass], path: str | None) -> list[ModulePass]:
    """The passes, and one for the rules of a file behind the first canonicalize, at the same numerics level.

    A pass `saturate` gets them, too.
    """
    if path is None:
        return list(passes)
    from ..compiler.transforms.apply_rules import ApplyRules
    from ..compiler.transforms.canonicalize import Canonicalize
    from ..compiler.transforms.saturate import Saturate

    names = [p.name for p in passes]
    at = names.index(Canonicalize.name) + 1 if Canonicalize.name in names else 0
    before = passes[at - 1] if at else None
    level = before.numerics if isinstance(before, Canonicalize) else Canonicalize.numerics
    passes = [replace(p, file=path) if isinstance(p, Saturate) and p.file is None else p for p in passes]
    return [*passes[:at], ApplyRules(file=path, numerics=level), *passes[at:]]
