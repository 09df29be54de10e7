"""optimize: rewrites of contractions and what is around them, each where it makes the program faster on a machine.

    %0 = nd.contract %x, %q "a b, b c -> a c"            %0 = nd.concat %q, %k along [1]
    %1 = nd.contract %x, %k "a b, b c -> a c"     ->     %1 = nd.contract %x, %0 "a b, b c -> a c"
                                                         %2 = nd.slice %1 from [0, 0] step [1, 1]
                                                         %3 = nd.slice %1 from [0, 8] step [1, 1]

    %0 = nd.contract %x, %w "n c h+k w+l, f c k l -> n f h w"
    %1 = nd.mul %0, %s                            ->     %0 = nd.mul %w, %s_1
    %2 = nd.add %1, %b                                   %1 = nd.contract %x, %0 ..
                                                         %2 = nd.add %1, %b

The rules (`merging`, `scaling`, `chains`) offer alternatives; one is taken if the estimate of what it touches falls by
more than `GAIN` or nothing of it grows, fused with what reads it (`pricing`). So a batch norm goes into constant weights always, and into
those of an argument only where scaling them is cheaper than scaling the results. The simplifications of `canonicalize`
run with it. `machine` is a name, a file or an architecture of a GPU; none is the host. Regions are rewritten, too, each
on its own; sizes known at run time only count as typical; effects are neither moved nor doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ....dialects.nd.contraction import Contract
from ....dialects.nd.op import building, place
from ...cost import Cost
from ...machine import Machine
from ..canonicalize import canonicalize
from ..fold_constants import shrinking_rules, splat_rules
from ..rewriting import LEVELS, Replacement, Rewrite, blocks, by_class, functions, is_pure, rewrite
from ..simplify import REWRITES
from . import chains, merging, scaling
from .alternatives import Alternative, Answer, Choice
from .pricing import Prices

CHOICES: tuple[Choice, ...] = tuple(c for topic in (scaling, merging, chains) for c in topic.rules.choices)
"""In the order in which they are tried on an op."""

GAIN = 0.01
"""The share of the time of what a rewrite touches that it must gain, unless it saves something and costs nothing; less
is below what an estimate can tell."""

ROUNDING = 1e-6

Observer = Callable[[str, Operation, Block], None]
"""Is told the rule, the op it starts from and the block, after each rewrite."""


def optimize(block: Block, machine: Machine, numerics: str = "ieee", observer: Observer | None = None) -> int:
    """Rewrite a block to a fixed point; returns the number of rewrites."""
    if not any(isinstance(op, Contract) for op in block.ops):
        return 0
    prices = Prices(machine, numerics)
    taken = 0

    def decided(choice: Choice) -> Rewrite:
        def apply(op: Operation) -> Replacement | None:
            nonlocal taken
            found = _cheapest(choice, op, prices)
            taken += found is not None
            return found

        return Rewrite(choice.name, choice.ops, choice.level, apply)

    rules = by_class([*splat_rules(), *REWRITES, *shrinking_rules(), *map(decided, CHOICES)], numerics)
    rewrite(block, rules)
    if taken:
        canonicalize(block, numerics)
    return taken


def _cheapest(choice: Choice, op: Operation, prices: Prices) -> Replacement | None:
    """The alternative that gains most, built at the current place; None if none gains enough."""
    best: tuple[float, Alternative] | None = None
    for alternative in choice.find(op):
        made = Block()
        with building(made, op.location):
            answer = alternative()
        if _earlier(answer, made) is not None:
            before, after = prices.compare(answer, made)
            gain = before.seconds - after.seconds
            if is_better(after, before) and (best is None or gain > best[0]):
                best = gain, alternative
        for new in reversed(made.ops):
            new.drop_all_references()  # other alternatives ask who reads a value
    return None if best is None else _built(best[1])


def is_better(new: Cost, old: Cost) -> bool:
    """Is one faster by more than an estimate errs by, or no more of anything and less of something?"""
    if new.seconds < (1 - GAIN) * old.seconds:
        return True
    pairs = [(new.seconds, old.seconds), *((new.terms[name], old.terms[name]) for name in old.terms)]
    return all(a <= b * (1 + ROUNDING) for a, b in pairs) and any(a < b * (1 - ROUNDING) for a, b in pairs)


def _built(alternative: Alternative) -> Replacement:
    """Build an alternative at the current place; what it reads moves in front of the ops that it replaces."""
    answer = alternative()
    made = place().block
    late = _earlier(answer, made)
    assert late is not None
    before = _first([v for v, _ in answer])
    for op in late:
        op.detach()
        assert before.parent is not None
        before.parent.insert_op_before(op, before)
    return Replacement([v for v, _ in answer], [new for _, new in answer], before)


def _first(values: Sequence[SSAValue]) -> Operation:
    """The first of the ops that make these values."""
    ops = [v.owner for v in values if isinstance(v.owner, Operation)]
    if len(ops) == 1:
        return ops[0]
    block = ops[0].parent
    assert block is not None
    return next(op for op in block.ops if op in ops)


def _earlier(answer: Answer, made: Block) -> list[Operation] | None:
    """The ops that have to move in front of the first one that is replaced, since new ops read them; None if one
    cannot: it has effects or regions, or depends on what is replaced."""
    first = _first([v for v, _ in answer])
    if len(answer) == 1:
        return []
    block = first.parent
    assert block is not None
    number = {op: k for k, op in enumerate(block.ops)}
    replaced = {v.owner for v, _ in answer}
    found: dict[Operation, None] = {}
    waiting: list[SSAValue] = [v for op in made.ops for v in op.operands]
    for value in waiting:
        op = value.owner
        if not isinstance(op, Operation) or op.parent is not block or number[op] < number[first] or op in found:
            continue
        if op in replaced or op.regions or not is_pure(op):
            return None
        found[op] = None
        waiting += op.operands
    return sorted(found, key=number.__getitem__)


@dataclass(frozen=True)
class Optimize(ModulePass):
    """Rewrite contractions where the estimated time falls."""

    name = "optimize"
    numerics: str = "ieee"
    machine: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.numerics not in LEVELS:
            raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {self.numerics}")
        machine = Machine.load(self.machine) if self.machine else Machine.host()
        for f in functions(op):
            for block in blocks(f):
                optimize(block, machine, self.numerics)

