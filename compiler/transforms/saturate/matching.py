"""Matching over classes: a value of a rule's left side stands for a class, an op of it for any node of the class.

Sizes, element types, properties and index functions bind as in `rules/match.py`; conditions are checked at the end. An
inner value may be read elsewhere, since nothing is taken away. Of a rule with several roots, all must be values that
the program has: else merged products would be merged again, without an end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.graph.rule import RuleOp
from ....dialects.nd.op import NdOp
from ..rules.bindings import Bindings
from ..rules.define import Pattern
from ..rules.match import COMMUTATIVE, Step, unify_properties, unify_type
from .egraph import Class, EGraph


class Matcher:
    """`program`: the classes of the program's own values. `steps`: how many nodes may be looked at; when they are used
    up, nothing matches any more."""

    def __init__(self, graph: EGraph, program: Collection[Class], steps: int) -> None:
        self.graph = graph
        self.program = program
        self.steps = steps
        self.kinds = {c: {type(op) for op in nodes} for c, nodes in graph.members.items()}
        self._needs: dict[Operation, tuple[type[Operation] | None, ...]] = {}

    def matches(self, pattern: Pattern, op: NdOp) -> Iterator[Bindings]:
        """Every way in which the pattern's first root is this node. Bound values are classes."""
        rule, roots, root = pattern.op, pattern.roots, pattern.roots[0]
        if len(roots) > 1 and self.graph.find(op.results[0]) not in self.program:
            return
        for m in self._node(root, op, Bindings()):
            for found in self._more(pattern.steps, roots, m):
                different = {found.values[r] for r in roots}
                if len(different) == len(roots) and holds(rule, found):
                    yield found

    def _more(self, steps: Sequence[Step], roots: Sequence[SSAValue], m: Bindings) -> Iterator[Bindings]:
        """Every way to match the further roots."""
        if not steps:
            yield m
            return
        step, rest = steps[0], steps[1:]
        if step.value in m.values:
            yield from self._more(rest, roots, m)
            return
        kind, root = type(step.value.owner), step.value in roots
        for reader in self.graph.readers[m.values[step.anchor]]:
            if type(reader) is kind and (not root or self.graph.find(reader.results[0]) in self.program):
                for found in self._node(step.value, reader, m):
                    yield from self._more(rest, roots, found)

    def _value(self, p: SSAValue, c: Class, m: Bindings) -> Iterator[Bindings]:
        bound = m.values.get(p)
        if bound is not None:
            if bound is c:
                yield m
        elif isinstance(p.owner, Block):
            trial = m.copy()
            if unify_type(p.type, c.type, trial):
                trial.values[p] = c
                yield trial
        else:
            kind = type(p.owner)
            for op in self.graph.members[c]:
                if type(op) is kind:
                    yield from self._node(p, op, m)

    def _node(self, p: SSAValue, op: NdOp, m: Bindings) -> Iterator[Bindings]:
        po = p.owner
        assert isinstance(po, Operation)
        if type(po) is not type(op) or self.steps <= 0 or not (orders := self.orders(po, op)):
            return
        self.steps -= 1
        trial = m.copy()
        if not unify_type(p.type, op.results[0].type, trial) or not unify_properties(po, op, trial):
            return
        trial.values[p] = self.graph.find(op.results[0])
        trial.ops[op] = po
        for order in orders:
            yield from self._values(po.operands, order, trial)

    def orders(self, po: Operation, op: NdOp) -> list[tuple[Class, ...]]:
        """The orders of a node's operands in which their classes have nodes of the kinds that the pattern's op reads.
        Most matches fail here."""
        if (needs := self._needs.get(po)) is None:
            owners = [v.owner for v in po.operands]
            needs = self._needs[po] = tuple(type(o) if isinstance(o, Operation) else None for o in owners)
        operands = self.graph.operands(op)
        if len(needs) != len(operands):
            return []
        out = [operands]
        if isinstance(po, COMMUTATIVE) and operands[0] is not operands[1]:
            out.append(operands[::-1])
        return [o for o in out if all(k is None or k in self.kinds[c] for k, c in zip(needs, o, strict=True))]

    def _values(self, ps: Sequence[SSAValue], cs: Sequence[Class], m: Bindings) -> Iterator[Bindings]:
        if not ps:
            yield m
            return
        for found in self._value(ps[0], cs[0], m):
            yield from self._values(ps[1:], cs[1:], found)


def holds(rule: RuleOp, m: Bindings) -> bool:
    """Sizes that waited for others agree, and so do the conditions."""
    return all(m.size(p) == d for p, d in m.later) and all(c.holds(m.argument) for c in rule.conditions)
