"""A rule's evidence: both sides at random points of instances, and the smallest counterexample found if they differ.

    exact arithmetic   both sides are polynomials: equal in a prime field (field.py), at 20 points of each of 3 shapes
    f64 samples        else: equal to 1e-12 of the largest value on the way (at `exact` bit by bit), in 100 draws
    bits               neither: integers and truth values, equal bit by bit

Special values are those that the level promises to keep: at `exact` all, also NaN, infinities and -0; at `ieee` zeros
of both signs, huge and subnormal numbers, where nothing overflows; at `fast` zeros. What the level says of narrower
types is tried for those that the rule admits: the same bits at `exact`, the ops' tolerance at `ieee`.
There, elementwise rules must be no less accurate than before, in f32 at values that cancel, underflow and stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ml_dtypes import iinfo
from xdsl.dialects.builtin import f32, f64
from xdsl.ir import Attribute

from ....dialects.errors import CompileError
from ....dialects.nd.constant import Constant
from ....dialects.nd.elementwise import Np
from ....dialects.nd.op import EXACT, NdOp, numbers
from ....dialects.nd.types import NUMPY, element, finfo, is_float, kind_of
from ....runtime.matching import program_tolerance
from ..simplify.movement import ELEMENTWISE
from .define import Rule
from .field import PRIME, evaluate, is_polynomial, residues
from .instances import DTYPES, SIZES, Instance, instances
from .trial import Accuracy, Trial, near, reference, same, within

FIELD, SAMPLES, BITS = "exact arithmetic", "f64 samples", "bits"
POINTS = 20
"""Of each shape, in the field."""
SHAPES = ((0, 2), (1, 3), (1, 5))
"""Their bounds."""
DRAWS = 100
"""In f64, over all shapes."""
PER_TYPE = 3
"""For each element type."""
HARD = np.array([1, -1, 1 + 2**-12, -1 - 2**-12, 1 / 3, -1 / 3, 0.7, 1e5, -1e5, 1e-5, 80, -80, 1e-25, 1e25])
"""Numbers that cancel, underflow, and are stretched by an exponential, in f32."""
MANY = 10_000
"""Points at once, of elementwise rules."""
SMALL = (*((1, 1),) * 6, *((0, 1),) * 6, *((1, 2),) * 8)
"""Bounds of the sizes of a counterexample, ..."""
MORE = 8
"""... for which so many times as many points are tried."""
UNUSABLE = 10
"""So many times as many draws may be tried as are wanted: nothing is claimed where a value is not finite."""


@dataclass(frozen=True)
class Evidence:
    """What a rule was tried with."""

    kind: str
    shapes: int
    points: int
    dtypes: int
    """Element types for which what the level says was tried."""

    def __str__(self) -> str:
        kind = f"{self.kind} modulo {PRIME}" if self.kind == FIELD else self.kind
        tried = f"{self.points} points of {self.shapes} shapes"
        return f"{kind}, {tried}" + (f", {self.dtypes} element types" if self.dtypes else "")


def kind_of_evidence(rule: Rule) -> str:
    """What the sides admit."""
    if is_polynomial(rule.op.left.block) and is_polynomial(rule.op.right.block):
        return FIELD
    integer = any(c.predicate == "integer" for c in rule.op.conditions)
    return BITS if integer or not (_is_open(rule) or any(is_float(a.type) for a in rule.op.arguments)) else SAMPLES


def evidence(rule: Rule, seed: int = 0) -> Evidence:
    """Try a rule; CompileError at its place, with the smallest counterexample found, if it is false."""
    rng = np.random.default_rng(seed)
    kind = kind_of_evidence(rule)
    with np.errstate(all="ignore"):
        way, bounds = {FIELD: (_in_field, SHAPES), SAMPLES: (_in_samples, SIZES), BITS: (_by_type, SIZES)}[kind]
        found = _tried(way, rule, rng, bounds)
        by_type = _tried(_by_type, rule, rng, [(1, 3)]) if rule.numerics != "fast" else []
        if rule.numerics == "ieee" and _is_open(rule) and _is_elementwise(rule):
            _no_less_accurate(rule, rng)
    if not sum(found):
        raise CompileError(
            f"rule @{rule.name}: expected values that its conditions and its level say something of, found none "
            "at random",
            rule.op.location,
        )
    return Evidence(kind, len(found), sum(found), len(by_type))


Bounds = Sequence[tuple[int, int]]
Way = Callable[[Rule, np.random.Generator, Bounds, int], list[int]]
"""Tries a rule with sizes in these bounds, so many times as usual; how many points were compared of each instance."""


def _tried(way: Way, rule: Rule, rng: np.random.Generator, bounds: Bounds) -> list[int]:
    """Try it; if it is false, for small sizes first: a counterexample is for people."""
    try:
        return way(rule, rng, bounds, 1)
    except CompileError:
        way(rule, rng, SMALL, MORE)
        raise


def _in_field(rule: Rule, rng: np.random.Generator, bounds: Bounds, times: int) -> list[int]:
    trial = Trial(rule, evaluate, same)
    counts: list[int] = []
    for at in instances(rule, rng, bounds=bounds):
        counts.append(POINTS)
        for point in range(POINTS):
            trial.at(at, [residues(rng, numbers(t), small=point < POINTS // 4) for t in at.types])
    return counts


def _in_samples(rule: Rule, rng: np.random.Generator, bounds: Bounds, times: int) -> list[int]:
    exact = rule.numerics == "exact"
    trial = Trial(rule, reference, same if exact else near, finite=not exact)
    found = list(instances(rule, rng, [f64], bounds))
    counts: list[int] = []
    for k, at in enumerate(found, 1):
        wanted = -(-DRAWS * times * k // len(found)) - sum(counts)  # more here if there was nothing to compare before
        used = turn = 0
        while used < wanted and turn < UNUSABLE * wanted:
            used += trial.at(at, [draw(t, rng, rule.numerics, turn) for t in at.types])
            turn += 1
        counts.append(used)
    return counts


def _by_type(rule: Rule, rng: np.random.Generator, bounds: Bounds, times: int) -> list[int]:
    """Instances of every element type that the rule admits; polynomials that are equal in the field are so in integers,
    which wrap."""
    counts: list[int] = []
    at_once = rule.numerics == "exact" and _is_elementwise(rule)
    dtypes = [t for t in DTYPES if is_float(t) or kind_of_evidence(rule) != FIELD]
    for dtype in dtypes if _is_open(rule) else dtypes[:1]:
        for at in instances(rule, rng, [dtype], [(1, 1)] if at_once else bounds):
            if at_once:
                Trial(rule, reference, same).at_each(at, [draw(t, rng, "exact", 1, (MANY,)) for t in at.types])
                counts.append(MANY)
            else:
                counts.append(sum(_as_promised(rule, at, rng, turn) for turn in range(PER_TYPE * times)))
    return [n for n in counts if n]


def _as_promised(rule: Rule, at: Instance, rng: np.random.Generator, turn: int) -> bool:
    if rule.numerics == "exact" or not any(is_float(t) for t in at.types):
        inputs = [draw(t, rng, "exact", 2 * turn + 1) for t in at.types]
        return Trial(rule, reference, same).at(at, inputs)
    inputs = [draw(t, rng, "fast", turn) for t in at.types]
    tolerance = EXACT
    for side in (at.left, at.right):
        tolerance = tolerance.then(program_tolerance(side.module, inputs))
    return Trial(rule, reference, within(tolerance), finite=True).at(at, inputs)


def _no_less_accurate(rule: Rule, rng: np.random.Generator) -> None:
    trial = Accuracy(rule, reference, same)
    for at in instances(rule, rng, [f32], [(1, 1)]):
        inputs = [rng.choice(HARD, MANY).astype(NUMPY[element(t)]) for t in at.types]
        trial.at_each(at, inputs)
        trial.at_each(at, [np.abs(x) for x in inputs])


def _is_elementwise(rule: Rule) -> bool:
    """Are all its ops on elements, so that the error of one is measured by itself and not by what is summed?"""
    ops = [op for block in (rule.op.left.block, rule.op.right.block) for op in block.ops if isinstance(op, NdOp)]
    return all(isinstance(op, Constant) or type(op) in ELEMENTWISE for op in ops)


def _is_open(rule: Rule) -> bool:
    """Has it an element type that is a variable?"""
    return any(element(a.type) not in NUMPY for a in rule.op.arguments)


# Points.


def draw(t: Attribute, rng: np.random.Generator, numerics: str, turn: int, shape: Sequence[int] | None = None) -> Np:
    """A random value of a type or of another shape, with special ones among every second; every third is positive."""
    shape, dtype = numbers(t) if shape is None else shape, NUMPY[element(t)]
    match kind_of(dtype):
        case "b":
            return rng.integers(0, 2, shape).astype(dtype)
        case "c":
            return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
        case "f":
            x = rng.normal(size=shape)
            x = np.abs(x) if turn % 3 == 2 else x
            if turn % 2:
                x = np.where(rng.random(shape) < 0.3, rng.choice(special(dtype, numerics), shape), x)
            return x.astype(dtype)
        case _:
            info = iinfo(dtype)  # of NumPy's types and smaller ones
            low, high = (info.min, info.max) if turn % 2 else (max(-9, info.min), min(9, info.max))
            return rng.integers(max(low, -(2**63)), min(high, 2**63 - 1), shape, endpoint=True).astype(dtype)


def special(dtype: Any, numerics: str) -> Np:
    """The values that a level says something of, and that random numbers are not."""
    info = finfo(dtype)
    values = [0.0, -0.0, 1.0, -1.0]
    if numerics != "fast":
        values += [float(info.max) / 4, -float(info.max) / 4, float(info.smallest_subnormal), float(info.tiny)]
    if numerics == "exact":
        values += [np.inf, -np.inf, np.nan]
    return np.array(values)
