"""optimize: rewrites of contractions and what is around them, each where it makes the program faster on a machine.

    %0 = nd.contract %x, %q "a b, b c -> a c"            %0 = nd.concat %q, %k along [1]
    %1 = nd.contract %x, %k "a b, b c -> a c"     ->     %1 = nd.contract %x, %0 "a b, b c -> a c"
                                                         %2 = nd.slice %1 from [0, 0] step [1, 1]
                                                         %3 = nd.slice %1 from [0, 8] step [1, 1]

    %0 = nd.contract %x, %w "n c h+k w+l, f c k l -> n f h w"
    %1 = nd.mul %0, %s                            ->     %0 = nd.mul %w, %s_1
    %2 = nd.add %1, %b                                   %1 = nd.contract %x, %0 ..
                                                         %2 = nd.add %1, %b

The rules (`merging`, `scaling`, `chains`) offer alternatives; one is taken if the estimate of what it touches, fused
with what reads it (`pricing`), falls by more than `GAIN`, or if nothing of it grows. So a batch norm goes into constant
weights always, and into those of an argument only where scaling them is cheaper than scaling the results. The
simplifications of `canonicalize` run with it. `machine` is a name, a file or an architecture of a GPU; none is the
host. `limit` ends after so many rewrites. Regions are rewritten, too, each on its own; sizes known at run time only
count as typical; effects are neither moved nor doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ....dialects.nd.contraction import Contract
from ....dialects.nd.op import building
from ...cost import Cost, in_units
from ...machine import Machine
from ..canonicalize import canonicalize
from ..fold_constants import shrinking_rules, splat_rules
from ..rewriting import LEVELS, Replacement, Rewrite, blocks, by_class, functions, rewrite
from ..rules.selection import tracing
from ..simplify import REWRITES
from . import chains, merging, scaling
from .alternatives import Alternative, Choice
from .placing import built, earlier
from .pricing import Prices

CHOICES: tuple[Choice, ...] = tuple(c for topic in (scaling, merging, chains) for c in topic.rules.choices)
"""In the order in which they are tried on an op."""

GAIN = 0.01
"""The share of the time of what a rewrite touches that it must gain, unless it saves something and costs nothing; less
is below what an estimate can tell."""

ROUNDING = 1e-6


def optimize(block: Block, machine: Machine, numerics: str = "ieee", limit: int | None = None) -> list[str]:
    """Rewrite a block to a fixed point, or `limit` times; returns the names of the rules in the order they fired."""
    fired: list[str] = []
    if not any(isinstance(op, Contract) for op in block.ops):
        return fired
    prices = Prices(machine, numerics)

    def decided(choice: Choice) -> Rewrite:
        def apply(op: Operation) -> Replacement | None:
            found = _cheapest(choice, op, prices) if limit is None or len(fired) < limit else None
            fired.extend([choice.name] if found is not None else ())
            return found

        return Rewrite(choice.name, choice.ops, choice.level, apply, choice.group)

    rewrite(block, by_class([*splat_rules(), *REWRITES, *shrinking_rules(), *map(decided, CHOICES)], numerics))
    if fired:
        canonicalize(block, numerics)
    return fired


def _cheapest(choice: Choice, op: Operation, prices: Prices) -> Replacement | None:
    """The alternative that gains most, built at the current place; None if none gains enough."""
    best: tuple[float, Alternative] | None = None
    trace = tracing()
    for alternative in choice.find(op):
        made = Block()
        with building(made, op.location):
            answer = alternative()
        if earlier(answer, made) is not None:
            before, after = prices.compare(answer, made)
            gain = before.seconds - after.seconds
            if not is_better(after, before):
                if trace is not None:
                    trace.declined(choice, op, difference(before, after))
            elif best is None or gain > best[0]:
                best = gain, alternative
        elif trace is not None:
            trace.declined(choice, op, "what it reads depends on what it replaces")
        for new in reversed(made.ops):
            new.drop_all_references()  # other alternatives ask who reads a value
    return None if best is None else built(best[1])


def difference(before: Cost, after: Cost) -> str:
    """Why an estimate is no better, for people."""
    grown = [name for name in before.terms if after.terms[name] > before.terms[name] * (1 + ROUNDING)]
    terms = ", ".join(f"{name} {duration(before.terms[name])} to {duration(after.terms[name])}" for name in grown)
    return f"estimated {duration(before.seconds)} before, {duration(after.seconds)} after ({terms or 'nothing falls'})"


def duration(seconds: float) -> str:
    """`12.34 us`: differences are small."""
    value, unit = in_units(seconds)
    return f"{value:.4g} {unit}"


def is_better(new: Cost, old: Cost) -> bool:
    """Is one faster by more than an estimate errs by, or no more of anything and less of something?"""
    if new.seconds < (1 - GAIN) * old.seconds:
        return True
    pairs = [(new.seconds, old.seconds), *((new.terms[name], old.terms[name]) for name in old.terms)]
    return all(a <= b * (1 + ROUNDING) for a, b in pairs) and any(a < b * (1 - ROUNDING) for a, b in pairs)


@dataclass(frozen=True)
class Optimize(ModulePass):
    """Rewrite contractions where the estimated time falls."""

    name = "optimize"
    numerics: str = "ieee"
    machine: str = ""
    limit: int | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        self.run(op)

    def steps(self, module: ModuleOp) -> Iterator[tuple[str, ModuleOp]]:
        """The module, which stays as it is, after each rule that fires."""
        for k, name in enumerate(self.run(module.clone())):
            after = module.clone()
            replace(self, limit=k + 1).run(after)
            yield name, after

    def run(self, module: ModuleOp) -> list[str]:
        """Rewrite all functions; returns the names of the rules that fired."""
        if self.numerics not in LEVELS:
            raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {self.numerics}")
        machine = Machine.load(self.machine) if self.machine else Machine.host()
        fired: list[str] = []
        for f in functions(module):
            for block in blocks(f):
                left = None if self.limit is None else self.limit - len(fired)
                fired += optimize(block, machine, self.numerics, left)
        return fired
