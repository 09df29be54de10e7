"""All rules by name, of every sort, for people: what `--print-rules` prints and `--disable-rules` may name.

    simplify   a function of `canonicalize` and its like (`Rewrite`), or a pair whose measure falls (`Rule`)
    cost       alternatives of `optimize`, taken where the estimate falls (`Choice`)
    explore    a pair that states an equality for a search (`Rule`)

`SOURCES` is the only list of where rules are; a module is imported when the catalogue is asked for.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from textwrap import fill
from typing import Any, Protocol, cast

from ....dialects.errors import CompileError
from ...registry import nearest
from ..rewriting import Rewrite
from .define import Rule
from .evidence import kind_of_evidence

PACKAGE = "mlc.compiler.transforms"

SOURCES = (
    "simplify:REWRITES",
    "recognize:REWRITES",
    "fold_constants:FOLDS",
    "winograd:REWRITES",
    "optimize:CHOICES",
    "rules.library:LIBRARY",
)
"""Where rules are: a sequence of them, or a table by name."""

NONE = "-"
"""The group of a rule that names none."""
WIDTH = 120
COLUMNS = (30, 12, 8, 5, 16)
"""Widths in a table, before the equation."""


class Choice(Protocol):
    """A rule that costs decide."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def equation(self) -> str: ...


@dataclass(frozen=True)
class Entry:
    """A rule as it is listed."""

    name: str
    group: str
    kind: str
    level: str
    equation: str
    evidence: Callable[[], str]
    rule: Any


def catalogue(more: Iterable[Rule] = ()) -> dict[str, Entry]:
    """Every rule by name, and `more` of a user's file."""
    found = [rule for source in SOURCES for rule in rules_of(source)]
    return {e.name: e for e in map(entry, [*found, *more])}


def rules_of(source: str) -> list[Any]:
    """The rules of one of the sources."""
    module, name = source.split(":")
    rules: Any = getattr(import_module(f"{PACKAGE}.{module}"), name)
    return list(cast(Mapping[str, Any], rules).values() if isinstance(rules, Mapping) else rules)


def entry(rule: Any) -> Entry:
    match rule:
        case Rule():
            kind, evidence = rule.kind, lambda: kind_of_evidence(rule)
            return Entry(rule.name, rule.group or NONE, kind, rule.numerics, rule.equation, evidence, rule)
        case Rewrite():
            return Entry(rule.name, rule.group, "simplify", rule.level, _equation(rule), lambda: "instances", rule)
        case _:
            choice = cast(Choice, rule)
            equation = " ".join(choice.equation.split())
            return Entry(choice.name, choice.group, "cost", choice.level, equation, lambda: "instances", rule)


def _equation(rewrite: Rewrite) -> str:
    """The comment or docstring behind the head of its function."""
    fn: Any = getattr(rewrite.apply, "func", rewrite.apply)  # of a partial application
    if fn.__doc__:
        return " ".join(fn.__doc__.split()).rstrip(".")
    try:
        source = inspect.getsource(fn)
    except (OSError, TypeError):
        return ""
    found = re.search(r"\)(?: -> [^\n:]*)?:\s*((?:#[^\n]*\s*)+)", source)
    return " ".join(line.strip().removeprefix("#").strip() for line in found[1].splitlines()) if found else ""


def select(entries: Mapping[str, Entry], words: Sequence[str], option: str) -> list[Entry]:
    """The rules with these names or of these groups, in the catalogue's order; CompileError for another word."""
    groups = {e.group for e in entries.values() if e.group != NONE}
    for word in words:
        if word not in entries and word not in groups:
            hint = nearest(word, [*entries, *sorted(groups)])
            raise CompileError(
                f"{option}: expected names of rules or groups ({', '.join(sorted(groups))}), found {word}{hint}"
            )
    return [e for e in entries.values() if not words or e.name in words or e.group in words]


def table(entries: Sequence[Entry]) -> str:
    """One line for each rule: name, group, kind, level, evidence, equation."""
    rows = [("rule", "group", "kind", "level", "evidence", "equation")]
    rows += [(e.name, e.group, e.kind, e.level, e.evidence(), e.equation) for e in entries]
    lines = ["  ".join([*(c.ljust(w) for c, w in zip(row, COLUMNS, strict=False)), row[-1]]).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def described(entries: Sequence[Entry]) -> str:
    """The rules one after the other: what a table says, and the text of a pair."""
    parts: list[str] = []
    for e in entries:
        head = f"{e.name}: {e.kind} {e.level}, group {e.group}, evidence: {e.evidence()}\n{e.equation}"
        lines = [fill(line, WIDTH, initial_indent="// ", subsequent_indent="// ") for line in head.splitlines() if line]
        parts.append("\n".join([*lines, *([str(e.rule.op)] if isinstance(e.rule, Rule) else [])]) + "\n")
    return "\n".join(parts)
