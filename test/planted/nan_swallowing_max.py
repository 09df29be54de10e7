"""A miscompile on purpose: a maximum that loses NaN.

%m = arith.maximumf %x, %y      ->      %m = arith.maxnumf %x, %y
"""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass


@dataclass(frozen=True)
class NanSwallowingMax(ModulePass):
    """Replace every maximum by the one that prefers numbers to NaN."""

    name = "planted-nan-swallowing-max"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        numbers = ctx.get_op("arith.maxnumf")
        for old in [o for o in op.walk() if o.name == "arith.maximumf"]:
            new = numbers.create(
                operands=list(old.operands),
                result_types=list(old.result_types),
                properties=dict(old.properties),
                location=old.location,
            )
            old.parent.insert_op_before(new, old)
            old.results[0].replace_all_uses_with(new.results[0])
            old.detach()
            old.erase()


PASSES = [NanSwallowingMax]
