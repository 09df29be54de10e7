"""One window: its e-graph, the choices that are worth asking the price of, and what takes its place."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.func import ReturnOp
from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.constant import Source
from ....dialects.nd.op import NdOp
from ...blocks import clone
from ...constancy import Constancy
from ...cost import Cost
from ...machine import Machine
from ..optimize import GAIN, is_better
from ..rewriting import erase, fuse, is_dead
from ..rules.define import Rule
from ..rules.selection import tracing, untold
from .egraph import Class, EGraph
from .explore import Bounds, Exploration
from .extract import Choice, Extractor
from .price import price


class Window:
    def __init__(self, ops: Sequence[NdOp], constancy: Constancy, machine: Machine, numerics: str) -> None:
        self.ops = ops
        self.machine = machine
        self.numerics = numerics
        self.constancy = constancy
        own = set(ops)
        self.outputs = [op.results[0] for op in ops if any(u.operation not in own for u in op.results[0].uses)]
        read = dict.fromkeys(v for op in ops for v in op.operands if v.owner not in own)
        self.sources = [v.owner for v in read if isinstance(v.owner, Source)]
        self.outside = [v for v in read if not isinstance(v.owner, Source)]

    def run(self, rules: Sequence[Rule], bounds: Bounds) -> bool:
        """Put the cheapest equal ops in the place of the window's; False if these are the cheapest."""
        self.graph = EGraph()
        for op in (*self.sources, *self.ops):
            self.graph.merge(op.results[0], self.graph.add(op).results[0])
        self.graph.rebuild()
        exploration = Exploration(self.graph, self.ops, rules, self.numerics)
        with untold():
            exploration.run(bounds)
            found = self._search(exploration)
        if found is not None:
            self._tell(found, exploration)
            self._replace(found)
        self.graph.drop()
        for op in (*reversed(self.ops), *self.sources) if found is not None else ():
            if is_dead(op):
                erase(op)
        return found is not None

    def _search(self, exploration: Exploration) -> Choice | None:
        self.extractor = Extractor(self.graph, self.outputs, self.outside, self.constancy, self.machine)
        self.originals: dict[Class, list[NdOp]] = {}
        for op in (*self.sources, *self.ops):
            self.originals.setdefault(self.graph.find(op.results[0]), []).append(op)
        return self.choose(exploration)

    def choose(self, exploration: Exploration) -> Choice | None:
        """The choice with the least price, if that is less than what the window takes as it is."""
        e = self.extractor
        cheapest = e.cheapest()
        own = {**cheapest, **{c: ops[0] for c, ops in self.originals.items() if c not in e.outside}}
        others = [e.improved(own, exploration.joints), cheapest, e.improved(cheapest, exploration.joints)]
        limit = e.total(own)
        choices = {self._nodes(c): c for c in others if e.total(c) < limit}
        if any(len(ops) > 1 or c in e.outside for c, ops in self.originals.items()):
            choices[self._nodes(own)] = own  # not the program as it is: rules say that some of its values are equal
        found = list(choices.values())
        if not found:
            return None
        costs = [self._price(choice) for choice in found]
        best = min(range(len(found)), key=lambda k: costs[k].seconds)
        present = self._present()
        gain = present.seconds - costs[best].seconds
        pays = gain > GAIN * self._replaced(found[best]) or is_better(costs[best], present)
        return found[best] if pays else None

    def _nodes(self, choice: Choice) -> tuple[NdOp, ...]:
        """The nodes in use."""
        return tuple(choice[c] for c in self._order(choice) if c in choice)

    def _replaced(self, choice: Choice) -> float:
        """About the seconds of the ops that a choice does without."""
        e = self.extractor
        used = set(self._nodes(choice))
        return sum(e.seconds(self.graph.find(op.results[0]), op) for op in self.ops if op not in used)

    def _order(self, choice: Choice) -> list[Class]:
        """The classes in use, in the program's order as far as their operands allow."""
        used = self.extractor.order(choice)
        assert used is not None, "expected a choice without cycles"
        needed = set(used)
        return self.extractor.order(choice, [c for c in self.originals if c in needed]) or used

    def _price(self, choice: Choice) -> Cost:
        """The choice as a function of what comes from outside."""
        order = self._order(choice)
        given = [c for c in order if c not in choice]
        block, env = function_of(given)
        for c in order:
            if c in choice:
                block.add_op(self._clone(c, choice[c], env))
        block.add_op(ReturnOp.create(operands=[env[c] for c in self.extractor.outputs]))
        return price(block, self.machine, self.numerics, {env[c] for c in given if c in self.extractor.known})

    def _present(self) -> Cost:
        """The window as it is."""
        block, env = function_of(self.outside)
        for op in (*self.sources, *self.ops):
            block.add_op(clone(op, env))
        block.add_op(ReturnOp.create(operands=[env[v] for v in self.outputs]))
        return price(block, self.machine, self.numerics, {env[v] for v in self.outside if self.constancy.holds(v)})

    def _tell(self, choice: Choice, exploration: Exploration) -> None:
        """Which rules made the ops that were chosen, once for each place."""
        trace = tracing()
        used = self._nodes(choice) if trace is not None else ()
        told = {(rule.name, op.location): (rule, op) for op in used if (rule := exploration.made.get(op)) is not None}
        for rule, op in told.values():
            assert trace is not None
            trace.fired(rule, op)

    def _replace(self, choice: Choice) -> None:
        last = self.ops[-1]
        block = last.parent
        assert block is not None
        env: dict[SSAValue, SSAValue] = {}
        for c in self._order(choice):
            op = choice.get(c)
            if op is None:
                env[c] = self.extractor.outside[c]
            elif op.parent is block and isinstance(op, Source):
                env[c] = op.results[0]
            else:
                block.insert_op_after(new := self._clone(c, op, env), last)
                last = new
        for v in self.outputs:
            v.replace_all_uses_with(env[self.graph.find(v)])

    def _clone(self, c: Class, op: NdOp, env: dict[SSAValue, SSAValue]) -> Operation:
        """The op over what stands for its operands, with names, places and attributes of the class it stands for."""
        operands = {v: env[self.graph.find(v)] for v in op.operands}
        new = clone(op, operands)
        env[c] = new.results[0]
        old = self.originals.get(c, [])
        new.location = fuse([o.location for o in old] + [op.location] * (op not in old))
        new.results[0].name_hint = next((n for o in old if (n := o.results[0].name_hint)), None)
        for o in old:
            for name, attribute in o.attributes.items():
                new.attributes.setdefault(name, attribute)
        return new


def function_of(values: Sequence[SSAValue]) -> tuple[Block, dict[SSAValue, SSAValue]]:
    """A block with arguments for these values, and which stands for which."""
    block = Block(arg_types=[v.type for v in values])
    return block, dict(zip(values, block.args, strict=True))
