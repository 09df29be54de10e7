"""Growing an e-graph by rules, within bounds that are counts, so that a run does not depend on the machine's mood.

A round looks for all matches first and applies them then. A node is looked at again when something changed so near
below it that a rule may see it. A rule with very many new matches in a round gets some of them, and waits for longer
each time that this happens (egg's back-off).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.graph.rule import RootsOp, roots
from ....dialects.nd.op import NdOp, building, insert
from ....dialects.nd.types import shape_of
from ..canonicalize import rules as simplifications
from ..rewriting import erase, fuse, rewrite
from ..rules.apply import candidates, instantiate
from ..rules.bindings import Bindings
from ..rules.define import Pattern, Rule
from .egraph import Class, EGraph
from .matching import Matcher

MATCHES = 64
"""New matches that a rule may have in a round before it waits."""


@dataclass(frozen=True)
class Bounds:
    """`nodes`: of a window's e-graph. `iterations`: rounds of all rules. `steps`: nodes looked at while matching."""

    nodes: int = 2000
    iterations: int = 6
    steps: int = 10_000


@dataclass(frozen=True)
class Joint:
    """What a rule with several roots made: nodes that pay only together, with the values that they stand for."""

    values: Sequence[SSAValue]
    nodes: Sequence[NdOp]


@dataclass
class Turn:
    """A rule's place in the rounds."""

    rule: Rule
    root: Operation
    """The op of its first root."""
    depth: int
    """How far below a node the rule looks."""
    since: int = 0
    """It has seen all changes before this round."""
    waits: int = 0
    """The round in which it may match again."""
    exceeded: int = 0
    patterns: dict[tuple[int, ...], list[Pattern]] = field(default_factory=dict[tuple[int, ...], list[Pattern]])
    """The rule's patterns by the ranks of a node's values."""
    done: set[object] = field(default_factory=set[object])
    """The matches that were applied."""

    def candidates(self, op: NdOp, ranks: tuple[int, ...]) -> list[Pattern]:
        if ranks not in self.patterns:
            self.patterns[ranks] = candidates(self.rule, op)
        return self.patterns[ranks]

    @property
    def limit(self) -> int:
        return MATCHES << self.exceeded


def turn_of(rule: Rule) -> Turn:
    found = rule.op.roots
    root = found[0].owner
    assert isinstance(root, Operation)
    return Turn(rule, root, depth(found))


Found = tuple[Rule, Pattern, Bindings]


class Exploration:
    """The rounds of rules over one e-graph; `program` has the nodes that it began with."""

    def __init__(self, graph: EGraph, program: Sequence[NdOp], rules: Sequence[Rule], numerics: str) -> None:
        self.graph = graph
        self.program = program
        self.simplifications = simplifications(numerics)
        self.turns = [turn_of(r) for r in rules if not vacuous(r)]
        self.joints: list[Joint] = []
        self.made: dict[NdOp, Rule] = {}
        """By which rule a node came."""
        self._last: dict[tuple[Class, int], int] = {}
        """The round after which something changed so near below a class."""
        self._ranks: dict[NdOp, tuple[int, ...]] = {}

    def run(self, bounds: Bounds) -> None:
        steps = bounds.steps
        for round_ in range(bounds.iterations):
            matcher = Matcher(self.graph, {self.graph.find(op.results[0]) for op in self.program}, steps)
            found = self._matches(matcher, round_)
            steps = matcher.steps
            self.graph.changed.clear()
            for rule, pattern, m in found:
                if self.graph.size >= bounds.nodes:
                    break
                self._apply(rule, pattern, m)
            self.graph.rebuild()
            waiting = any(t.waits > round_ + 1 for t in self.turns)
            if steps <= 0 or self.graph.size >= bounds.nodes or not (self.graph.changed or waiting):
                break
            self._last |= dict.fromkeys(self._near(), round_ + 1)

    def _matches(self, matcher: Matcher, round_: int) -> list[Found]:
        by_kind: dict[type[Operation], list[tuple[Class, NdOp]]] = {}
        for c, nodes in self.graph.members.items():
            for op in nodes:
                by_kind.setdefault(type(op), []).append((c, op))
        out: list[Found] = []
        for turn in self.turns:
            if turn.waits > round_:
                continue
            joint = len(turn.rule.op.roots) > 1  # other roots may have come near any node
            changed = [
                op
                for c, op in by_kind.get(type(turn.root), ())
                if joint or self._last.get((c, turn.depth), 0) >= turn.since
            ]
            mine = self._new(turn, matcher, [op for op in changed if matcher.orders(turn.root, op)])
            if len(mine) > turn.limit:
                del mine[turn.limit :]
                turn.exceeded += 1
                turn.waits = round_ + 1 + turn.exceeded
            else:
                turn.since = round_ + 1
            turn.done.update(key for key, _ in mine)
            out += [found for _, found in mine]
        return out

    def _new(self, turn: Turn, matcher: Matcher, nodes: Sequence[NdOp]) -> list[tuple[object, Found]]:
        """Matches that were not applied before, up to one more than the rule may have."""
        out: dict[object, Found] = {}
        for op in nodes:
            for pattern in turn.candidates(op, self._ranks_of(op)):
                for m in matcher.matches(pattern, op):
                    key = (tuple(m.values.values()), tuple(m.sizes.items()), tuple(m.indices.items()))
                    if key not in turn.done:
                        out[key] = (turn.rule, pattern, m)
                    if len(out) > turn.limit:
                        return list(out.items())
        return list(out.items())

    def _ranks_of(self, op: NdOp) -> tuple[int, ...]:
        if op not in self._ranks:
            self._ranks[op] = tuple(len(shape_of(v.type)) for v in (*op.results, *op.operands))
        return self._ranks[op]

    def _apply(self, rule: Rule, pattern: Pattern, m: Bindings) -> None:
        """Merge the right side with the left one; what there is not yet of it is built, in normal form."""
        old, new = [m.values[r] for r in pattern.roots], self._found(pattern, m)
        if new is None:
            new = self._built(rule, pattern, m)
        for a, b in zip(old, new, strict=True):
            self.graph.merge(a, b)
        nodes = [v.owner for v in new if isinstance(v.owner, NdOp)]
        if len(nodes) == len(old) > 1:
            self.joints.append(Joint(old, nodes))

    def _found(self, pattern: Pattern, m: Bindings) -> list[SSAValue] | None:
        """The right side's roots, if the e-graph has all of it."""
        block = pattern.op.right.block
        env: dict[SSAValue, SSAValue] = {b: m.values[a] for a, b in zip(pattern.op.arguments, block.args, strict=True)}
        for op in block.ops:
            if isinstance(op, NdOp):
                node = self.graph.known(type(op), [env[v] for v in op.operands], m.properties(op))
                if node is None:
                    return None
                env[op.results[0]] = node.results[0]
        return [env[v] for v in roots(block)]

    def _built(self, rule: Rule, pattern: Pattern, m: Bindings) -> list[SSAValue]:
        block = Block()
        with building(block, fuse([op.location for op in m.ops])):
            insert(RootsOp.create(operands=[v.value for v in instantiate(pattern.op, m)]))
        rewrite(block, self.simplifications)
        last = block.last_op
        assert last is not None
        for op in list(block.ops):
            if isinstance(op, NdOp):
                self._add(op, rule)
        new = list(last.operands)
        erase(last)
        return new

    def _add(self, op: NdOp, rule: Rule) -> None:
        node = self.graph.add(op)
        if node is op:
            op.detach()
            self.graph.block.add_op(op)
            self.made[op] = rule
        else:
            op.results[0].replace_all_uses_with(node.results[0])
            erase(op)

    def _near(self) -> Iterator[tuple[Class, int]]:
        """The classes from which a change is seen, with each depth that suffices."""
        most = max((t.depth for t in self.turns), default=0)
        seen = dict.fromkeys(self.graph.changed, 0)
        edge = list(seen)
        for far in range(1, most + 1):
            above = (self.graph.find(op.results[0]) for c in edge for op in self.graph.readers[c])
            edge = [c for c in dict.fromkeys(above) if c not in seen]
            seen |= dict.fromkeys(edge, far)
        yield from ((c, k) for c, far in seen.items() for k in range(far, most + 1))


@lru_cache(1024)
def vacuous(rule: Rule) -> bool:
    """Is one side the other with operands swapped? The e-graph knows such nodes to be one."""
    left, right = rule.op.left.block, rule.op.right.block
    graph = EGraph()
    for a, b in zip(left.args, right.args, strict=True):
        graph.merge(a, b)
    for op in (*left.ops, *right.ops):
        if isinstance(op, NdOp):
            graph.merge(op.results[0], graph.add(op).results[0])
    pairs = zip(roots(left), roots(right), strict=True)
    return all(graph.find(a) is graph.find(b) for a, b in pairs)


def depth(values: Sequence[SSAValue]) -> int:
    """How many ops stand on one another at most."""
    return max((1 + depth(v.owner.operands) for v in values if isinstance(v.owner, Operation)), default=0)
