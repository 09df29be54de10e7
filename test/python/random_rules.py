"""Random programs grown by rules applied backwards: the right side is found in a program and the left side put there.

A program begins as the right side of a rule, with random sizes, and grows by rules that fit it: explore rules either
way, simplify rules backwards. What a left side names and the right side does not is invented: a small size, an argument
of the program. Every program that comes out computes what it began as, as far as the levels of its rules say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from mlc.compiler.transforms.dce import dce
from mlc.compiler.transforms.rewriting import LEVELS
from mlc.compiler.transforms.rules.apply import place, side
from mlc.compiler.transforms.rules.bindings import Bindings
from mlc.compiler.transforms.rules.define import Pattern, Rule
from mlc.compiler.transforms.rules.instances import instance
from mlc.compiler.transforms.rules.library import LIBRARY
from mlc.compiler.transforms.rules.match import match, plan
from mlc.dialects.errors import CompileError
from mlc.dialects.graph.rule import RuleOp
from mlc.dialects.graph.variables import variables
from mlc.dialects.nd.array import Array
from mlc.dialects.nd.op import NdOp, building
from mlc.dialects.nd.types import NUMPY, element, kind_of, shape_of
from mlc.runtime.interpreter import Interpreter
from xdsl.dialects.builtin import ModuleOp, f32, f64, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

DTYPES = (f32, f64, i32)
RANKS = range(3)
FEWEST = 5
MOST_USES = 3
"""Of a rule in a program: some fit everywhere."""
MOST_OPS = 60
MOST_ELEMENTS = 4000
TRIES = 40
"""For sizes that meet a rule's conditions."""
LARGEST = 1e6
"""No value on the way is larger: errors refer to the largest one."""


@dataclass
class Grown:
    """A program before and after, the rules that were applied, and the least level that allows all of them."""

    before: ModuleOp
    after: ModuleOp
    inputs: list[Any]
    rules: list[str] = field(default_factory=list[str])

    @property
    def level(self) -> str:
        return max((LIBRARY[name.rstrip("'")].numerics for name in self.rules), key=LEVELS.index, default="exact")


@dataclass(frozen=True)
class Way:
    """A rule in one direction, at every rank; `name` ends with ' where it is applied as it is written."""

    name: str
    patterns: Sequence[Pattern]

    @property
    def fits_anything(self) -> bool:
        """Is what it looks for a value alone?"""
        return not isinstance(self.patterns[0].op.roots[0].owner, Operation)


@dataclass
class Trial:
    """A copy of a program to which one rule is applied."""

    block: Block
    inputs: list[Any]
    rng: np.random.Generator
    positive: bool


@cache
def ways() -> tuple[Way, ...]:
    """Every rule backwards, and explore rules as they are written, too."""
    backwards = [Way(r.name, tuple(_turned(r))) for r in LIBRARY.values()]
    forwards = [Way(r.name + "'", tuple(_straight(r))) for r in LIBRARY.values() if r.kind == "explore"]
    return (*backwards, *forwards)


def _straight(rule: Rule) -> Iterator[Pattern]:
    yield from (rule.pattern(rank) for rank in (RANKS if rule.ranked else (0,)))


def _turned(rule: Rule) -> Iterator[Pattern]:
    for pattern in _straight(rule):
        op = pattern.op
        left, right = (region.clone().detach_block(0) for region in (op.right, op.left))
        turned = RuleOp.build_rule(rule.name, "explore", rule.numerics, op.conditions, left, right)
        yield Pattern(turned, plan(turned))


def grown(seed: int) -> Grown:
    """The program of a seed, after 5 to 20 applications."""
    rng = np.random.default_rng(seed)
    while True:
        program = _begun(rng)
        if len(program.rules) >= FEWEST:
            return program


def _begun(rng: np.random.Generator) -> Grown:
    """A program after as many applications as fit, up to a random number."""
    names = list(LIBRARY)
    found = None
    while found is None:
        rule = LIBRARY[names[rng.integers(len(names))]]
        dtype = DTYPES[rng.integers(len(DTYPES))]
        first = next(w for w in ways() if w.name == rule.name)
        if not first.fits_anything:
            found = instance(rule, rule.pattern(int(rng.integers(3))), rng, [dtype], 2, 4)
    positive = bool(rng.integers(2))
    module = found.right.module
    program = Grown(module.clone(), module, [_input(a.type, rng, positive) for a in body(module).args])
    anything = [w for w in ways() if w.fits_anything]
    others = [w for w in ways() if not w.fits_anything]
    for k in range(int(rng.integers(5, 21))):
        _grow(program, rng, positive, [first] if k == 0 else others if rng.random() < 0.85 else anything)
    return program


def body(module: ModuleOp) -> Block:
    f = module.body.block.first_op
    assert isinstance(f, FuncOp)
    return f.body.block


def _grow(program: Grown, rng: np.random.Generator, positive: bool, some: Sequence[Way]) -> bool:
    """One application that keeps all values finite and small, of what was applied least, if one is found."""
    if len(list(body(program.after).ops)) > MOST_OPS:
        return False
    order = [some[k] for k in rng.permutation(len(some))]
    for way in sorted(order, key=lambda w: program.rules.count(w.name)):
        if program.rules.count(way.name) == MOST_USES or not _fits(way, body(program.after)):
            continue
        module = program.after.clone()
        trial = Trial(body(module), list(program.inputs), rng, positive)
        if _apply(way, trial) and _is_tame(module, trial.inputs):
            program.after, program.inputs = module, trial.inputs
            program.rules.append(way.name)
            return True
    return False


def _is_tame(module: ModuleOp, inputs: Sequence[Any]) -> bool:
    values: list[Any] = []
    with np.errstate(all="ignore"):
        Interpreter(module, [lambda frame, op: values.extend(frame.values[r] for r in op.results)]).call(
            "main", *inputs
        )
    floats = [np.abs(v.astype(np.float64)) for v in values if kind_of(v.dtype) == "f"]
    return all(v.size <= MOST_ELEMENTS for v in values) and all((v <= LARGEST).all() for v in floats)


def _fits(way: Way, block: Block) -> bool:
    ops = [op for op in block.ops if isinstance(op, NdOp)]
    return any(match(p.op, p.steps, op) is not None for op in ops for p in way.patterns)


def _apply(way: Way, trial: Trial) -> bool:
    """Apply it at one of the places where it fits, if there is any."""
    ops = [op for op in trial.block.ops if isinstance(op, NdOp)]
    for at in trial.rng.permutation(len(ops)):
        for pattern in way.patterns:
            m = match(pattern.op, pattern.steps, ops[at])
            if m is not None and _replace(pattern.op, m, trial):
                return True
    return False


def _replace(rule: RuleOp, m: Bindings, trial: Trial) -> bool:
    old = [m.values[r] for r in rule.roots]
    use = None
    if m.ops:
        before = place(m, old, [m.values[a] for a in rule.arguments if a in m.values])
    else:  # what it looks for is a value alone: one reader gets another
        uses = list(old[0].uses)
        use = uses[trial.rng.integers(len(uses))]
        before = use.operation
    if before is None or not _invent(rule, m, trial):
        return False
    made = Block()
    try:
        with building(made, before.location):
            new = side(rule.right.block, [Array(m.values[a]) for a in rule.arguments], m)
    except CompileError:
        return False
    if [n.value.type for n in new] != [o.type for o in old]:
        return False
    for op in list(made.ops):
        op.detach()
        trial.block.insert_op_before(op, before)
    for o, n in zip(old, new, strict=True):
        if use is not None:
            use.operation.operands[use.index] = n.value
        else:
            o.replace_all_uses_with(n.value)
    dce(trial.block)
    return True


def _invent(rule: RuleOp, m: Bindings, trial: Trial) -> bool:
    """Sizes and values that only the new side names."""
    wanted = variables(rule.right.block)
    for _ in range(TRIES):
        sizes = {n: int(trial.rng.integers(0, 4)) for n in wanted.sizes if n not in m.sizes}
        tried = m.copy()
        tried.sizes.update(sizes)
        if all(c.holds(tried.argument) for c in rule.conditions):
            break
    else:
        return False
    m.take(tried)
    for a in rule.arguments:
        if a not in m.values:
            m.values[a] = _value(m.type(a.type), trial)
    return True


def _value(t: Any, trial: Trial) -> SSAValue:
    """An argument of this type, a new one every other time."""
    block, rng = trial.block, trial.rng
    same = [a for a in block.args if a.type == t]
    if same and rng.random() < 0.5:
        return same[rng.integers(len(same))]
    f = block.parent_op()
    assert isinstance(f, FuncOp)
    new = block.insert_arg(t, len(block.args))
    trial.inputs.append(_input(t, rng, trial.positive))
    f.update_function_type()
    return new


def _input(t: Any, rng: np.random.Generator, positive: bool) -> Any:
    """Small numbers; positive floats in every other program, so that roots and logarithms have values."""
    shape, dtype = tuple(d for d in shape_of(t) if isinstance(d, int)), NUMPY[element(t)]
    if kind_of(dtype) != "f":
        return rng.integers(0, 2 if dtype.kind == "b" else 9, shape).astype(dtype)
    x = rng.uniform(0.25, 2, shape)
    return (x if positive else x * rng.choice([-1, 1], shape)).astype(dtype)
