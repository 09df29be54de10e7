"""Choosing a node for each class: the cheapest by themselves, then better together.

`cheapest` adds up what a node and its operands cost, each class on its own, so that a value with two readers counts
twice; `improved` counts it once, and tries node after node, and those of a joint rule at once, while that helps. What
depends on constants alone costs nothing. Weights know of fusion only that ops by element and views have no kernels of
their own; what a choice really takes is asked of `price.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

from xdsl.ir import SSAValue

from ....dialects.graph.views import VIEWS
from ....dialects.nd.constant import Source
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.op import NdOp
from ...constancy import Constancy, follows
from ...machine import Machine
from ...report import alone, typical
from .egraph import Class, EGraph
from .explore import Joint

Choice = Mapping[Class, NdOp]
"""Classes without a node come from outside."""

LEAST = 1e-12
"""Seconds of a node that costs nothing: of two such choices the one with fewer nodes is taken."""

TRIALS = 500
"""Choices that are tried to improve one."""


class Extractor:
    """`outside`: values that the window reads. `constancy`: of the program's values."""

    def __init__(
        self,
        graph: EGraph,
        outputs: Iterable[SSAValue],
        outside: Iterable[SSAValue],
        constancy: Constancy,
        machine: Machine,
    ) -> None:
        self.graph = graph
        self.outputs = list(dict.fromkeys(map(graph.find, outputs)))
        self.outside = {c: c for c, nodes in graph.members.items() if not nodes} | {graph.find(v): v for v in outside}
        """Where a value comes from outside: those that the window reads, and what rules saw behind them."""
        self._below: dict[NdOp, tuple[Class, ...]] = {}
        self.known = self._constants(constancy)
        """Classes that depend on constants alone."""
        self._seconds: dict[NdOp, float] = {}
        self.machine = machine

    def below(self, op: NdOp) -> tuple[Class, ...]:
        """The classes of an op's operands."""
        if op not in self._below:
            self._below[op] = self.graph.operands(op)
        return self._below[op]

    def _constants(self, constancy: Constancy) -> set[Class]:
        known = {c for c, v in self.outside.items() if constancy.holds(v)}
        changed = True
        while changed:
            changed = False
            for c, nodes in self.graph.members.items():
                if c not in known and any(follows(op, self.below(op), known) for op in nodes):
                    known.add(c)
                    changed = True
        return known

    def seconds(self, c: Class, op: NdOp) -> float:
        """Of one node."""
        if c in self.known:
            return LEAST
        if op not in self._seconds:
            self._seconds[op] = LEAST + weight(op, self.machine)
        return self._seconds[op]

    def cheapest(self) -> Choice:
        """For each class the node that costs least with all that it is made of."""
        total: dict[Class, float] = dict.fromkeys(self.outside, 0.0)
        choice: dict[Class, NdOp] = {}
        changed = True
        while changed:
            changed = False
            for c, nodes in self.graph.members.items():
                for op in nodes if c not in self.outside else ():
                    cost = self.seconds(c, op) + sum(total.get(v, inf) for v in dict.fromkeys(self.below(op)))
                    if cost < total.get(c, inf):
                        total[c], choice[c], changed = cost, op, True
        return choice

    def order(self, choice: Choice, first: Iterable[Class] = ()) -> list[Class] | None:
        """The classes that the outputs need, operands first, else as in `first`; None if some need themselves."""
        done: dict[Class, bool] = {}

        def visit(c: Class) -> bool:
            if c in done:
                return done[c]
            done[c] = False
            op = choice.get(c)
            if op is not None and not all(map(visit, self.below(op))):
                return False
            del done[c]
            done[c] = True  # stands behind its operands now
            return True

        return list(done) if all(map(visit, (*first, *self.outputs))) else None

    def total(self, choice: Choice) -> float:
        """Seconds of all nodes in use, each once."""
        order = self.order(choice)
        if order is None:
            return inf
        return sum(self.seconds(c, choice[c]) for c in order if c in choice)

    def improved(self, choice: Choice, joints: Sequence[Joint]) -> Choice:
        """A choice from which no single step leads to a better one, or the best after TRIALS of them."""
        best, trials = self.total(choice), 0
        changed = True
        while changed:
            changed = False
            for step in self._steps(choice, joints):
                trials += 1
                if trials > TRIALS:
                    return choice
                other = {**choice, **step}
                if (cost := self.total(other)) < best * (1 - 1e-9):
                    choice, best, changed = other, cost, True
        return choice

    def _steps(self, choice: Choice, joints: Sequence[Joint]) -> Iterator[dict[Class, NdOp]]:
        used = dict.fromkeys(self.order(choice) or ())
        for joint in joints:
            classes = [self.graph.find(v) for v in joint.values]
            if all(c in used for c in classes):
                yield dict(zip(classes, joint.nodes, strict=True))
        for c in used:
            for op in self.graph.members[c]:
                if op is not choice.get(c):
                    yield {c: op}


def weight(op: NdOp, machine: Machine) -> float:
    """Seconds of an op: its operations, and with a kernel of its own also its traffic and the launch."""
    if isinstance(op, Source) or type(op) in VIEWS:
        return 0.0
    amount = alone(op)
    work = typical(amount.operations) / machine.flops(4)
    if isinstance(op, Elementwise):
        return work
    moved = typical(amount.bytes)
    return max(work, moved / machine.bandwidth(moved)) + machine.launch_ns * 1e-9
