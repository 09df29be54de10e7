"""Which values are certainly numbers: what a maximum that leaves NaN out has found so far.

    %m = scf.for .. iter_args(%a = -inf) { %b = arith.maxnumf %a, %x; scf.yield %b }

%a, %b and %m are never NaN, so that %b takes one comparison.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from math import isnan

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr
from xdsl.ir import Block, Operation, SSAValue

EXTREMES = {"arith.maxnumf": "number.maxnumf", "arith.minnumf": "number.minnumf"}
"""Operations that give a number if one operand is one, and their rows where the first one is."""

MOVES = ("vector.broadcast", "vector.shape_cast", "vector.transpose")


def row_of(op: Operation) -> str:
    """The row of the table for an operation."""
    return EXTREMES[op.name] if op.name in EXTREMES and is_number(op.operands[0]) else op.name


def is_number(value: SSAValue, assumed: tuple[SSAValue, ...] = ()) -> bool:
    """`assumed`: values of loops around, which are numbers if what they continue with is one."""
    owner = value.owner
    if value in assumed:
        return True
    if isinstance(owner, Block):
        loop = owner.parent_op()
        if loop is None or loop.name != "scf.for" or value is owner.args[0]:
            return False
        return _carried(loop, owner, owner.args.index(value) - 1, assumed)  # pyright: ignore
    if owner.name == "scf.for":
        return _carried(owner, owner.regions[0].block, owner.results.index(value), assumed)  # pyright: ignore
    if owner.name == "arith.constant":
        return _constant(owner)
    if owner.name in EXTREMES:
        return any(is_number(o, assumed) for o in owner.operands)
    if owner.name == "vector.multi_reduction":
        word = f"arith.{owner.properties['kind'].data.value}"  # pyright: ignore
        return word in EXTREMES and any(is_number(o, assumed) for o in owner.operands)
    return owner.name in MOVES and is_number(owner.operands[0], assumed)


def _carried(loop: Operation, block: Block, k: int, assumed: tuple[SSAValue, ...]) -> bool:
    last = block.last_op
    assert last is not None
    argument = block.args[k + 1]
    return is_number(loop.operands[3 + k], assumed) and is_number(last.operands[k], (*assumed, argument))


def _constant(op: Operation) -> bool:
    value = op.properties["value"]
    if isinstance(value, FloatAttr):
        return not isnan(value.value.data)
    return isinstance(value, DenseIntOrFPElementsAttr) and not any(isnan(v) for v in value.get_values())
