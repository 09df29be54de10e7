"""Apply `graph.rule`s: of the library, by name, or of a file.

    %0 = nd.contract %x, %q "a b, b c -> a c" : ...         %0 = nd.concat %q, %k along [1] : ...
    %1 = nd.contract %x, %k "a b, b c -> a c" : ...   ->    %1 = nd.contract %x, %0 "a b, b c -> a c" : ...
                                                            %2 = nd.slice %1 from [0, 0] step [1, 1] : ...
                                                            %3 = nd.slice %1 from [0, 8] step [1, 1] : ...

Without options: all rules of kind simplify of the library that the numerics level allows. Rules of `file`, and rules in
the module itself, stand in for the library's; they are tried at random points first, and a false one is an error with a
counterexample. A rule that is named must be of kind simplify and within the level. Rules hold in regions too, but never
across the edge of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.graph.rule import RuleOp
from .rewriting import LEVELS, blocks, functions
from .rules.apply import allowed, apply_rules
from .rules.define import Rule
from .rules.evidence import evidence
from .rules.library import LIBRARY


def rules_of(module: ModuleOp) -> list[Rule]:
    """The rules that a module holds."""
    return [Rule.of(op) for op in module.body.ops if isinstance(op, RuleOp)]


def tried(module: ModuleOp) -> list[Rule]:
    """The rules that a module holds; CompileError at the place of one that is false."""
    rules = rules_of(module)
    for rule in rules:
        evidence(rule)
    return rules


def load(path: str) -> list[Rule]:
    """The rules of a file, read once; CompileError at the place of what is no rule, or false."""
    return list(_load(path, Path(path).stat().st_mtime_ns if Path(path).exists() else 0))


@lru_cache(4)
def _load(path: str, modified: int) -> tuple[Rule, ...]:
    from ..parsing import parse_module
    from ..verify import verify

    try:
        text = Path(path).read_text()
    except OSError as e:
        raise CompileError(f"apply-rules: expected a file of rules, found {path} unreadable: {e.strerror}") from e
    module = parse_module(text, path)
    verify(module)
    return tuple(tried(module))


def choose(rules: dict[str, Rule], names: tuple[str, ...], numerics: str) -> list[Rule]:
    """The named rules, or all of kind simplify within the level."""
    if not names:
        return allowed((r for r in rules.values() if r.kind == "simplify"), numerics)
    out: list[Rule] = []
    for name in names:
        if name not in rules:
            raise CompileError(f"apply-rules: expected the name of a rule ({', '.join(rules)}), found {name}")
        if not allowed([rules[name]], numerics):
            level = rules[name].numerics
            raise CompileError(f"apply-rules: rule {name} needs numerics={level}, found numerics={numerics}")
        out.append(rules[name])
    return out


@dataclass(frozen=True)
class ApplyRules(ModulePass):
    """Apply rules of the library, of a file and of the module."""

    name = "apply-rules"
    file: str | None = None
    names: tuple[str, ...] = ()
    numerics: str = "ieee"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.numerics not in LEVELS:
            raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {self.numerics}")
        own = tried(op)
        known = {r.name: r for r in [*(load(self.file) if self.file else []), *own]} or LIBRARY
        if self.names:
            known = {**LIBRARY, **known}
        rules = choose(known, self.names, self.numerics)
        for func in functions(op):
            for block in blocks(func):
                apply_rules(block, rules, self.numerics)
