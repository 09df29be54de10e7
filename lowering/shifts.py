"""Maxima that are only taken off arguments of exp, as in softmax, so that nothing overflows.

    %m = nd.reduce max %x "a b -> a"          may leave NaN out, and take either of two zeros
    %z = nd.sub %x, broadcast %m
    %e = nd.exp %z                            is NaN where %x is
    %s = nd.reduce sum %e "a b -> a"          and so is this, in lines that have NaN
    %y = nd.mul %e, broadcast (1 / %s)        and all that is divided by it

The maximum may be so where everything that comes of %e is divided by a sum over all of it, or is a sum of products of
it; and what comes of %z has the logarithm of that sum taken off. Then the faster combiner gives the same values.

Any such %z is not above 0, or NaN, and its exponential does not overflow (`NONPOSITIVE`).
"""

# Operands are read by name.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from typing import Any

from xdsl.ir import Operation, SSAValue

from ..dialects.nd.constant import Constant
from ..dialects.nd.contraction import Contract
from ..dialects.nd.elementwise import Div, Elementwise, Exp, Log, Mul, Sub
from ..dialects.nd.movement import Broadcast
from ..dialects.nd.reduction import Reduce
from ..dialects.nd.selection import Compare, Select
from ..dialects.nd.types import is_float

NONPOSITIVE = "mlc.nonpositive"
"""On a function of floats: the operand is not above 0, or NaN."""


def takes_off_greatest(op: Exp) -> bool:
    """Is the operand some values less the greatest of each line?"""
    z = op.x.owner
    spread = z.y.owner if isinstance(z, Sub) else None
    if not isinstance(z, Sub) or not isinstance(spread, Broadcast):
        return False
    top, m = greatest(spread.x), spread.dims
    new = [i for i, n in enumerate(m.result) if n not in m.operands[0]]
    return top is not None and top.x is z.x and new == sorted(top.axes)


def greatest(line: SSAValue) -> Reduce | None:
    """The maximum that a line is; or 0 where the maximum is -inf, as everything is there."""
    op = line.owner
    if isinstance(op, Select) and number(op.x) == 0 and isinstance(test := op.pred.owner, Compare):
        none = test.kind.data.name == "eq" and test.x is op.y and number(test.y) == -math.inf
        op = op.y.owner if none else None
    return op if isinstance(op, Reduce) and op.word == "max" and is_float(op.x.type) else None


def number(value: SSAValue) -> complex | None:
    """The value of all elements of a constant."""
    return value.owner.splat if isinstance(value.owner, Constant) else None


def only_shifts(top: Reduce) -> bool:
    """May the maximum leave NaN out?"""
    if top.word != "max" or not is_float(top.x.type):
        return False
    ends = [use for value in lines(top.result) for use in users(value) if not isinstance(use, Elementwise)]
    spread = [use for use in ends if isinstance(use, Broadcast)]
    if not spread or len(spread) != len(ends):
        return False
    shifted = [use for b in spread for use in users(b.result)]
    return bool(shifted) and all(
        isinstance(z, Sub) and z.x is top.x and z.y in [b.result for b in spread] and normalised(z, top)
        for z in shifted
    )


def users(value: SSAValue) -> list[Any]:
    return list(dict.fromkeys(use.operation for use in value.uses))


def lines(value: SSAValue) -> list[SSAValue]:
    """A value for each line, and what elementwise ops make of it and constants alone."""
    found = [value]
    for v in found:
        for op in users(v):
            alone = all(o in found or isinstance(o.owner, Constant) for o in op.operands)
            if isinstance(op, Elementwise) and alone and op.results[0] not in found:
                found.append(op.results[0])
    return found


def normalised(z: Sub, top: Reduce) -> bool:
    """Does all that comes of a shifted value meet a sum over the exponentials of its line?"""
    exps = [op for op in users(z.result) if isinstance(op, Exp)]
    if len(exps) != 1:
        return False
    e = exps[0].results[0]
    sums = [op for op in users(e) if isinstance(op, Reduce) and op.word == "sum" and op.map == top.map]
    if not sums:
        return False
    total = sums[0].result
    rest = [op for op in users(z.result) if op is not exps[0]]
    if not all(isinstance(op, Sub) and op.x is z.result and comes_of(op.y, total, Log) for op in rest):
        return False
    return all(op is sums[0] or sums_up(op, e, top) or divides(op, e, total) for op in users(e))


def divides(op: Operation, e: SSAValue, total: SSAValue) -> bool:
    """e / s or e * (1 / s)"""
    if isinstance(op, Div):
        return op.x is e and comes_of(op.y, total)
    return isinstance(op, Mul) and any(a is e and comes_of(b, total, Div) for a, b in ((op.x, op.y), (op.y, op.x)))


def sums_up(op: Operation, e: SSAValue, top: Reduce) -> bool:
    """A product that adds up all elements of e's lines."""
    if not isinstance(op, Contract):
        return False
    reduced = set(top.axes)
    return all(
        all((i in op.dims.result) != (k in reduced) for k, i in enumerate(dims))
        for value, dims in zip(op.operands, op.dims.operands)
        if value is e
    )


def comes_of(value: SSAValue, total: SSAValue, *kinds: type[Elementwise]) -> bool:
    """Is it the total in every element of its line, after an op of one of these kinds?"""
    if not isinstance(value.owner, Broadcast):
        return False
    line = value.owner.x
    if not kinds:
        return line is total
    return isinstance(line.owner, kinds) and line.owner.operands[-1] is total


__all__ = ["NONPOSITIVE", "only_shifts", "takes_off_greatest"]
