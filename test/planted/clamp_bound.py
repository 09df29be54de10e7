"""A miscompile on purpose: the last tile of a clamped loop begins one element too early, so that one is left out.

%1 = arith.minsi %i0, %24 : index      ->      %1 = arith.minsi %i0, %23 : index
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class ClampBound(ModulePass):
    """Lower the bound of every clamp by one."""

    name = "planted-clamp-bound"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for clamp in [o for o in op.walk() if isinstance(o, arith.MinSIOp)]:
            bound = clamp.rhs.owner
            if isinstance(bound, arith.ConstantOp) and isinstance(bound.value, IntegerAttr):
                lower = arith.ConstantOp(IntegerAttr(bound.value.value.data - 1, IndexType()))
                lower.location = clamp.location
                clamp.parent.insert_op_before(lower, clamp)
                clamp.operands[1] = lower.result


PASSES = [ClampBound]
