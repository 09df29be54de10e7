"""Instances of a rule: random sizes, element types and index functions under which its left side is a program.

A symbol that is bound becomes a number, so both sides become blocks over the same arguments. What the conditions
exclude is drawn again, and so is what the left side's ops do not take: a slice behind the end, an element type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, bf16, f16, f32, f64, i1, i8, i32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ....dialects.errors import CompileError
from ....dialects.graph.conditions import PREDICATES
from ....dialects.graph.variables import PACK, Variables, variables
from ....dialects.nd import dimmap
from ....dialects.nd.array import Array
from ....dialects.nd.dims import Dim
from ....dialects.nd.elementwise import Np
from ....dialects.nd.mapped import Mapped
from ....dialects.nd.op import NdOp, building, insert, numbers
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import element, shape_of, takes, ui8, ui32
from .apply import side
from .bindings import Bindings, IndexFunction
from .define import Pattern, Rule

DTYPES = (f64, f32, i32, f16, bf16, i8, ui8, i64, ui32, i1)
SIZES = ((1, 1), (0, 1), (1, 2), (0, 4), (1, 5))
"""From the least to the largest size of each instance; smaller ones first, so that what fails is small. Where 0 is the
least, one of the sizes is 0."""
TRIES = 400
WIDER = 40
"""After so many tries the largest size grows by one: conditions may ask for more."""

Run = Callable[[NdOp, Sequence[Np]], Np]


@dataclass(frozen=True)
class Instance:
    """A rule with numbers for its variables; `left` and `right` return their roots."""

    bindings: Bindings
    left: Side
    right: Side

    @property
    def types(self) -> list[Attribute]:
        return [a.type for a in self.left.block.args]

    def __str__(self) -> str:
        m = self.bindings
        sizes = [f"{n} = {d}" for n, d in m.sizes.items() if PACK not in n]
        dtypes = [f"{n} = {t}" for n, t in m.dtypes.items()]
        indices = [f"{n} = {i}" for n, i in m.indices.items()]
        return ", ".join((*sizes, *dtypes, *indices))


@dataclass(frozen=True)
class Side:
    """A program whose function `main` returns the roots."""

    module: ModuleOp
    block: Block

    def run(self, args: Sequence[Np], how: Run) -> tuple[list[Np], list[Np]]:
        """The roots, and every value on the way."""
        values: dict[SSAValue, Np] = dict(zip(self.block.args, args, strict=True))
        for op in self.block.ops:
            if isinstance(op, NdOp):
                values[op.results[0]] = how(op, [values[v] for v in op.operands])
        roots = self.block.last_op
        assert roots is not None
        return [values[v] for v in roots.operands], list(values.values())


def instances(
    rule: Rule, rng: np.random.Generator, dtypes: Sequence[Attribute] = DTYPES, bounds: Any = SIZES
) -> Iterator[Instance]:
    """One for each pair of bounds, of different ranks, if there are any with these element types."""
    for k, (low, high) in enumerate(bounds):
        found = instance(rule, rule.pattern(k % 3), rng, dtypes, low, high)
        if found is not None:
            yield found


def instance(
    rule: Rule, pattern: Pattern, rng: np.random.Generator, dtypes: Sequence[Attribute], low: int, high: int
) -> Instance | None:
    """An instance that meets the conditions; None if none was found."""
    left, right = pattern.op.left.block, pattern.op.right.block
    found = variables(left)
    dtypes = [t for t in dtypes if admits(pattern, t)]
    for attempt in range(TRIES if dtypes or not found.dtypes else 0):
        top = high + attempt // WIDER
        m = Bindings(
            sizes=_sizes(found.sizes, rng, low, top, empty=low == 0 and attempt < WIDER),
            dtypes={n: dtypes[rng.integers(len(dtypes))] for n in found.dtypes},
            indices=_indices(left, found, rng),
        )
        if not all(c.holds(m.argument) for c in pattern.op.conditions) or (before := _side(left, m)) is None:
            continue
        try:
            return Instance(m, before, _built(right, m))
        except CompileError as error:
            where = f"{Instance(m, before, before)}"
            message = f"rule @{rule.name} is false: expected a right side that is a program, found for {where}: "
            raise CompileError(message + error.message, rule.op.location) from error
    return None


def _sizes(names: Iterable[str], rng: np.random.Generator, low: int, high: int, empty: bool) -> dict[str, Dim]:
    """Random sizes; `empty`: one of them is 0."""
    found: dict[str, Dim] = {n: int(rng.integers(low, high + 1)) for n in names}
    if empty and found:
        found[list(found)[rng.integers(len(found))]] = 0
    return found


def admits(pattern: Pattern, dtype: Attribute) -> bool:
    """May every element type that is a variable be this one?"""
    block = pattern.op.left.block
    m = Bindings(dtypes=dict.fromkeys(variables(block).dtypes, dtype))
    about = [c for c in pattern.op.conditions if PREDICATES[c.predicate].sort == "dtype"]
    return all(c.holds(m.argument) for c in about) and all(_takes(op, m) for op in block.ops)


def _takes(op: Operation, m: Bindings) -> bool:
    dtypes = [m.dtype(element(v.type)) for v in op.operands]
    if isinstance(op, Reduce) and (i1 in dtypes) != (op.word in ("any", "all")):
        return False
    return not isinstance(op, NdOp) or all(takes(op.DTYPES, t) for t in dtypes)


def _side(block: Block, m: Bindings) -> Side | None:
    """A left side that can run, or None."""
    try:
        found = _built(block, m)
        found.run([np.zeros(numbers(a.type), np.int64) for a in found.block.args], _reads)
    except (CompileError, IndexError):
        return None
    return found


def _reads(op: NdOp, args: Sequence[Np]) -> Np:
    """Only shapes matter: what a slice reads must be there."""
    if op.name == "nd.slice":
        op.reference(*args)
    return np.zeros(numbers(op.type), np.int64)


def _built(block: Block, m: Bindings) -> Side:
    new = Block(arg_types=[m.type(a.type) for a in block.args])
    with building(new):
        roots = [r.value for r in side(block, [*map(Array, new.args)], m)]
        insert(ReturnOp.create(operands=roots))
    for v in (*new.args, *(r for op in new.ops for r in op.results)):
        if any(isinstance(d, int) and d < 0 for d in shape_of(v.type)):
            raise CompileError(f"expected sizes of at least 0, found {v.type}")
    function = FuncOp("main", (list(new.arg_types), [v.type for v in roots]), Region(new))
    return Side(ModuleOp([function]), new)


def _indices(block: Block, found: Variables, rng: np.random.Generator) -> dict[str, IndexFunction]:
    """For each index function: coefficients 1 to 3, offset -2 to 1."""
    arity: dict[str, int] = {}
    for op in block.ops:
        if isinstance(op, Mapped):
            map_ = dimmap.parse(op.properties["map"].data)  # pyright: ignore
            for i in (i for dims in map_.operands for i in dims if i.function):
                arity[i.function] = len(i.terms)
    return {
        name: IndexFunction(tuple(int(c) for c in rng.integers(1, 4, arity[name])), int(rng.integers(-2, 2)))
        for name in found.indices
    }
