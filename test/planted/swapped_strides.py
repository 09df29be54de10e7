"""A miscompile on purpose: a stage reads a square operand with its two strides swapped.

(%a = %A[i, k])      ->      (%a = %A[k, i])
"""

from dataclasses import dataclass

from mlc.dialects.loop import StageOp, shape
from mlc.dialects.loop.attributes import AccessAttr
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class SwappedStrides(ModulePass):
    """Swap the indices of every read of a square matrix."""

    name = "planted-swapped-strides"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for stage in [o for o in op.walk() if isinstance(o, StageOp)]:
            accesses = list(stage.properties["accesses"].data)
            for k, value in enumerate(stage.operands):
                dims = shape(value)
                if len(dims) == 2 and dims[0] == dims[1]:
                    accesses[k] = AccessAttr(tuple(reversed(accesses[k].data)))
            stage.properties["accesses"] = type(stage.properties["accesses"])(accesses)


PASSES = [SwappedStrides]
