"""A miscompile on purpose: the last op of a kernel is left out.

%4 = nd.max %3, %0                      graph.yield %3
graph.yield %4                ->
"""

from dataclasses import dataclass

from mlc.dialects.graph.ops import KernelOp
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class DroppedEpilogue(ModulePass):
    """Let every kernel yield the operand of its last op instead of its result, where the types are equal."""

    name = "planted-dropped-epilogue"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for kernel in [o for o in op.walk() if isinstance(o, KernelOp)]:
            end = kernel.body.block.last_op
            for k, value in enumerate(end.operands):
                before = [v for v in getattr(value.owner, "operands", ()) if v.type == value.type]
                if before:
                    end.operands[k] = before[0]


PASSES = [DroppedEpilogue]
