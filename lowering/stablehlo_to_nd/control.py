"""Control flow, calls, tuples, and ops that only say something about their operands.

stablehlo.while, stablehlo.if      nd.while, nd.if with closed regions; a counted while becomes nd.scan
stablehlo.case                     a chain of nd.if: index 0, else index 1, ..., else the last branch
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, Block, Operation

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd import functions as F
from ...dialects.nd.checkpoint import barrier
from ...dialects.nd.constant import full
from ...dialects.nd.op import Array, here
from ...dialects.nd.types import tensor
from ...dialects.stablehlo.access import number
from .calls import inlined
from .conversion import Conversion
from .table import Value, converter


@converter("stablehlo.while")
def while_(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Array]:
    types = [a.type for a in only_arrays(op, operands)]
    captured, (condition, body) = c.closed(op.regions, [types, types])
    last = body.last_op
    assert last is not None
    for v, t in zip(last.operands, types, strict=True):
        c.check(Array(v), t)
    from .raise_loops import raised

    found = raised(captured, operands, condition, body)
    return control.while_(captured, operands, condition, body) if found is None else found


def only_arrays(op: Operation, values: Sequence[Value]) -> Sequence[Array]:
    for v, operand in zip(values, op.operands, strict=True):
        if not isinstance(v, Array):
            raise CompileError(f"expected tensors, found an operand of type {operand.type}", op.location)
    return values


@converter("stablehlo.if")
def if_(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Array]:
    captured, (then, orelse) = c.closed(op.regions, [[], []])
    return control.if_(operands[0], captured, then, orelse)


@converter("stablehlo.case")
def case(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Array]:
    """An index out of range takes the last branch."""
    captured, blocks = c.closed(op.regions, [[] for _ in op.regions])
    return choose(operands[0], captured, blocks, 0)


def choose(index: Array, captured: Sequence[Array], blocks: Sequence[Block], k: int) -> list[Array]:
    if len(blocks) == 1:
        from .bodies import spliced

        return spliced(blocks[0], captured)
    types: list[Attribute] = [index.type, *(a.type for a in captured)]

    def rest(index: Array, *captured: Array) -> list[Array]:
        return choose(index, captured, blocks[1:], k + 1)

    first = blocks[0]
    first.insert_arg(index.type, 0, here())
    return control.if_(
        F.equal(index, full(k, index.type)), [index, *captured], first, control.region(rest, types, here())
    )


@converter("stablehlo.composite")
def composite(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Value]:
    """A composite is the function that it names."""
    name = op.properties["decomposition"].string_value()  # pyright: ignore
    f = c.functions.get(name)  # pyright: ignore[reportUnknownArgumentType]
    if f is None:
        raise CompileError(f"expected a function of this module, found @{name}", op.location)
    return inlined(f, operands, c, op.location)


# Tuples, and values that are what they were.


@converter("stablehlo.tuple")
def tuple_(op: Operation, operands: list[Array], c: Conversion) -> Sequence[Value]:
    return [tuple(operands)]


@converter("stablehlo.get_tuple_element")
def get_tuple_element(op: Operation, operands: list[Value], c: Conversion) -> Sequence[Value]:
    return [operands[0][number(op, "index")]]


@converter("stablehlo.optimization_barrier")
def optimization_barrier(op: Operation, operands: list[Value], c: Conversion) -> Sequence[Value]:
    return [barrier(x) if isinstance(x, Array) else x for x in operands]


@converter("stablehlo.create_token", "stablehlo.after_all")
def token(op: Operation, operands: list[Value], c: Conversion) -> Sequence[Value]:
    """Nothing here has an effect, so that order is no matter."""
    return [None]


@converter("stablehlo.partition_id", "stablehlo.replica_id")
def only_one(op: Operation, operands: list[Array], c: Conversion) -> Array:
    """A program runs in one process."""
    return full(0, tensor((), c.declared(op)))
