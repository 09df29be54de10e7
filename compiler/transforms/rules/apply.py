"""Applying rules: each becomes a rewrite of the one driver, which starts from the class of the rule's first root."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.errors import CompileError
from ....dialects.graph.rule import RuleOp, roots
from ....dialects.graph.variables import pack_places
from ....dialects.nd.array import Array
from ....dialects.nd.op import NdOp, bind
from ....dialects.nd.types import shape_of
from ..rewriting import LEVELS, Replacement, Rewrite, by_class, rewrite
from .bindings import Bindings
from .define import Pattern, Rule
from .match import match
from .selection import tracing


def apply_rules(block: Block, rules: Sequence[Rule], numerics: str = "ieee") -> int:
    """Apply rules of kind simplify to a fixed point; returns how often one fired."""
    for r in rules:
        if r.kind != "simplify":
            raise CompileError(
                f"rule {r.name} is of kind {r.kind}, which states an equality for a search; expected kind simplify, "
                "whose measure falls",
                r.op.location,
            )
    return rewrite(block, by_class(map(as_rewrite, rules), numerics))


def as_rewrite(rule: Rule) -> Rewrite:
    root = rule.op.roots[0].owner
    assert isinstance(root, NdOp)
    return Rewrite(rule.name, (type(root),), rule.numerics, lambda op: apply(rule, op), rule.group)


def allowed(rules: Iterable[Rule], numerics: str) -> list[Rule]:
    """The rules that a numerics level allows."""
    return [r for r in rules if LEVELS.index(r.numerics) <= LEVELS.index(numerics)]


def apply(rule: Rule, op: Operation) -> Replacement | None:
    """What the rule makes of this op and what is around it, if its left side is there."""
    trace = tracing()
    objections: list[str] = []
    for pattern in candidates(rule, op):
        m = match(pattern.op, pattern.steps, op, objections if trace else None)
        if m is None:
            continue
        old = [m.values[r] for r in pattern.op.roots]
        before = place(m, old, [m.values[a] for a in pattern.op.arguments])
        if before is not None:
            return Replacement(old, instantiate(pattern.op, m), before)
        objections.append("an argument is computed behind a reader of a root, so no place is left for the right side")
    if trace and objections:
        trace.declined(rule, op, objections[0])
    return None


def candidates(rule: Rule, op: Operation) -> list[Pattern]:
    """The rule at the rank that the op's shape asks for."""
    if not rule.ranked:
        return [rule.pattern(0)]
    root = rule.op.roots[0]
    assert isinstance(root.owner, Operation)
    for p, v in ((root, op.results[0]), *zip(root.owner.operands, op.operands, strict=False)):
        if pack_places(p.type):
            rank = len(shape_of(v.type)) - len(shape_of(p.type)) + 1
            return [rule.pattern(rank)] if rank >= 0 else []
    return [rule.pattern(rank) for rank in range(5)]


def place(m: Bindings, old: Sequence[SSAValue], args: Sequence[SSAValue]) -> Operation | None:
    """The op before which the right side can stand: after all arguments, before all readers of the roots."""
    owners = [v.owner for v in old]
    first = owners[0]
    assert isinstance(first, Operation)
    if len(old) == 1:
        return first
    block = first.parent
    assert block is not None
    at = {op: k for k, op in enumerate(block.ops)}
    after = max((at.get(v.owner, -1) for v in args if isinstance(v.owner, Operation)), default=-1)
    readers = [
        at[u] for v in old for use in v.uses if (u := inside(use.operation, block)) is not None and u not in m.ops
    ]
    limit = min(readers, default=len(at))
    points = sorted(at[o] for o in owners if isinstance(o, Operation))
    point = next((p for p in points if p > after), after + 1)
    if after < point <= limit:
        return next(op for op, k in at.items() if k == point)
    return None


def inside(op: Operation | None, block: Block) -> Operation | None:
    """The op of this block that holds `op`."""
    while op is not None and op.parent is not block:
        op = op.parent_op()
    return op


def instantiate(rule: RuleOp, m: Bindings) -> list[Array]:
    """The right side over what the left side bound; types are inferred anew."""
    block = rule.right.block
    args = [Array(m.values[a]) for a in rule.arguments]
    return side(block, args, m)


def side(block: Block, args: Sequence[Array], m: Bindings) -> list[Array]:
    """A side's ops at the current place, on other arguments; the roots."""
    env: dict[SSAValue, Array] = dict(zip(block.args, args, strict=True))
    for op in block.ops:
        if isinstance(op, NdOp):
            env[op.results[0]] = bind(type(op), *(env[v] for v in op.operands), **m.properties(op))
    return [env[v] for v in roots(block)]
