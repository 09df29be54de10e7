"""What is missing of a value whose loop ends early, and whether a read meets only what is there.

    %s = loop.for k0 = 512 step 32 while i0 - k0 + 12 > 0 -> [0, k0] {..}

has no columns from the first multiple of 32 on that is at least i0 + 12. A loop that reads 32 columns or a divisor of 32
at a time, and ends at i0 + 12 or before, does not notice.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    extents: dict[str, Dim] = {a.name: a.extent for a in stage.axes}
    for loop in enclosing(stage):
        axis, bound = loop.axis.data, loop.while_positive
        if bound is not None and (own := form.coef(axis)) > 0 and own == -bound.coef(axis):
            low, high = form.without([axis]).range({n: extents.get(n, 0) for n in form.names - {axis}})
            beyond = missing.limit + bound.without([axis]).scaled(-1)
            within = low == 0 and isinstance(high, int) and form.names - {axis} <= extents.keys()
            earlier = not beyond.terms and isinstance(beyond.const, int) and beyond.const >= 0
            return within and earlier and high < own * loop.stride and missing.width % (own * loop.stride) == 0
        extents[axis] = loop.extent.data - loop.stride + 1
    return False


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
