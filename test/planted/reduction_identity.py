"""A miscompile on purpose: accumulators begin at one instead of the sum's identity.

scf.for ... iter_args(%acc = %zero)      ->      scf.for ... iter_args(%acc = %one)
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class ReductionIdentity(ModulePass):
    """Begin every accumulator that begins at a constant at one."""

    name = "planted-reduction-identity"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for loop in [o for o in op.walk() if isinstance(o, scf.ForOp)]:
            for k, value in enumerate(loop.operands[3:], 3):
                if isinstance(value.owner, arith.ConstantOp) and (one := one_like(value.owner)) is not None:
                    one.location = loop.location
                    loop.parent.insert_op_before(one, loop)
                    loop.operands[k] = one.result


def one_like(constant: arith.ConstantOp) -> arith.ConstantOp | None:
    match constant.value:
        case DenseIntOrFPElementsAttr() as dense:
            return arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(dense.type, [1.0]))
        case FloatAttr() as number:
            return arith.ConstantOp(FloatAttr(1.0, number.type))
        case _:
            return None


PASSES = [ReductionIdentity]
