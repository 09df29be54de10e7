"""Control flow. The regions of `nd` are closed; what they take becomes what StableHLO's regions can see.

nd.if      stablehlo.if, whose regions have no arguments: they read the values outside
nd.while   stablehlo.while, which carries the invariants too
nd.scan    stablehlo.while over a counter, as JAX writes it: slices by dynamic_slice, stacks by dynamic_update_slice
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from xdsl.dialects.builtin import i64
from xdsl.ir import Attribute, Block, Region

from ...dialects.nd.control import If, Scan, While
from ...dialects.nd.types import element, tensor
from . import build as b
from .build import Value

COUNTER = tensor((), i64)


class Converter(Protocol):
    def region(self, block: Block, values: Sequence[Value]) -> list[Value]:
        """Emit the ops of a block of `nd` whose arguments are these values; what it yields."""
        ...


def if_(c: Converter, op: If, predicate: Value, *args: Value) -> list[Value]:
    def branch(block: Block) -> Callable[[], list[Value]]:
        return lambda: c.region(block, args)

    regions = [b.body([], branch(r.block)) for r in op.regions]
    return b.add("stablehlo.if", [predicate], op.result_types, regions=regions)


def loop(
    inits: Sequence[Value], condition: Callable[..., Sequence[Value]], body: Callable[..., Sequence[Value]]
) -> list[Value]:
    types: list[Attribute] = [v.type for v in inits]
    regions: list[Region] = [b.body(types, condition), b.body(types, body)]
    return b.add("stablehlo.while", inits, types, regions=regions)


def while_(c: Converter, op: While, *operands: Value) -> list[Value]:
    count = len(op.invariants)

    def body(*values: Value) -> list[Value]:
        return [*values[:count], *c.region(op.body.block, values)]

    return loop(operands, lambda *values: c.region(op.condition.block, values), body)[count:]


def scan(c: Converter, op: Scan, *operands: Value) -> list[Value]:
    """Carried are the counter, the invariants, the carried values, the sequences, the stacks."""
    length, fixed, carried = b.number(op.length), len(op.invariants), len(op.inits)
    sequences = len(op.sequences)
    stacks = [b.splat(0, tensor(b.shape_numbers(v.type), element(v.type))) for v in op.stacked]

    def body(counter: Value, *values: Value) -> list[Value]:
        constant, state = values[:fixed], values[fixed : fixed + carried]
        sliced, stacked = values[fixed + carried :][:sequences], values[fixed + carried + sequences :]
        at = length - 1 - counter if op.reverse else counter
        out = c.region(op.body.block, [*constant, *state, *(slice_at(x, at) for x in sliced)])
        placed = [stack_at(x, y, at) for x, y in zip(stacked, out[carried:], strict=True)]
        return [counter + 1, *constant, *out[:carried], *sliced, *placed]

    def condition(counter: Value, *_: Value) -> list[Value]:
        return [counter < length]

    found = loop([b.splat(0, COUNTER), *operands, *stacks], condition, body)[1 + fixed :]
    return [*found[:carried], *found[carried + sequences :]]


def starts(x: Value, at: Value) -> list[Value]:
    return [at, *[b.splat(0, COUNTER)] * (x.ndim - 1)]


def slice_at(x: Value, at: Value) -> Value:
    return b.reshape(b.dynamic_slice(x, starts(x, at), (1, *x.shape[1:])), x.shape[1:])


def stack_at(x: Value, part: Value, at: Value) -> Value:
    return b.dynamic_update_slice(x, b.reshape(part, (1, *part.shape)), starts(x, at))


ROWS: dict[str, Callable[..., list[Value]]] = {"if": if_, "while": while_, "scan": scan}
