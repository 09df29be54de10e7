"""What is missing of a value whose loop ends early, and whether a read meets only what is there.

    %s = loop.for k0 = 512 step 32 while i0 - k0 + 12 > 0 -> [0, k0] {..}

has no columns from the first multiple of 32 on that is at least i0 + 12. A loop that reads 32 columns or a divisor of
32 at a time, and ends at i0 + 12 or before, does not notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

from xdsl.ir import OpResult, SSAValue

from ..nd.dims import Dim
from .linear import Access, Linear
from .ops import ForOp, StageOp, YieldOp
from .queries import enclosing


@dataclass(frozen=True)
class Gap:
    """Elements of dimension `dim` are there up to `limit`, rounded up to a multiple of `width`."""

    dim: int
    limit: Linear
    width: int


def gap(value: SSAValue) -> Gap | None:
    """What a value lacks; None: nothing."""
    loop = value.owner
    if not isinstance(value, OpResult) or not isinstance(loop, ForOp):
        return None
    target, axis, bound = loop.target(value.index), loop.axis.data, loop.while_positive
    if bound is not None and not target.mode:
        dim = next(d for d, form in enumerate(target.access) if form.terms)
        fall = -bound.coef(axis)
        # an index that does not count what the bound does: nothing is known to be there
        limit = bound.without([axis]) if fall == target.access[dim].coef(axis) else Linear()
        return Gap(dim, limit, fall * loop.stride)
    inner = gap(loop.terminator.operands[value.index])
    if inner is None:
        return None
    # what every iteration makes
    least = inner.limit.without([axis]) + Linear(min(inner.limit.coef(axis), 0) * (loop.extent.data - loop.stride))
    return Gap(inner.dim, least, inner.width)


def is_there(stage: StageOp, value: SSAValue, access: Access) -> bool:
    """Does a stage read only what there is of a value?"""
    missing = gap(value)
    if missing is None:
        return True
    form = access[missing.dim]
    around = list(enclosing(stage))
    inside: dict[str, Dim] = {a.name: a.extent for a in stage.axes}
    for loop in around:
        if loop.while_positive is not None and form.coef(loop.axis.data) > 0:
            return ends_in_time(loop, form, missing, inside, around)
        inside[loop.axis.data] = loop.extent.data - loop.stride + 1
    return False


def ends_in_time(loop: ForOp, form: Linear, missing: Gap, inside: Mapping[str, Dim], around: Sequence[ForOp]) -> bool:
    """Does a loop end before an index in it, `first + [0, high]`, is beyond what there is?

    While the loop's form is positive, first < first + form <= limit; what is there ends at a multiple of all that first
    counts in.
    """
    first, bound = form.without(inside), loop.while_positive
    assert bound is not None
    low, high = Linear(0, tuple(t for t in form.terms if t[0] in inside)).range(inside)
    left = missing.limit + (first + bound).scaled(-1)
    if low != 0 or left.terms or not isinstance(left.const, int) or left.const < 0:
        return False
    steps = {x.axis.data: x.stride for x in around if x is loop or not x.clamped}
    if not isinstance(first.const, int) or not first.names <= steps.keys():
        return False
    unit = gcd(first.const, *(c * steps[n] for n, c in first.terms))
    return isinstance(high, int) and high < unit and missing.width % unit == 0


def passes_on(value: SSAValue) -> bool:
    """Is a value that lacks something read by stages only, and placed by loops around?"""
    for use in value.uses:
        user = use.operation
        if isinstance(user, YieldOp) and isinstance(loop := user.parent_op(), ForOp):
            if loop.target(use.index).mode:
                return False
        elif not isinstance(user, StageOp) or user.whole(use.index):
            return False
    return True
