"""Replace composites by the primitives that state their meaning (`decompose` of each op).

                                                    %0 = nd.reduce max %x "a b -> a" : ...
    %1 = nd.softmax %x : tensor<4x8xf32>      ->    %1 = nd.broadcast %0 "a -> a b" : ...
                                                    %2 = nd.sub %x, %1 : ...
                                                    %3 = nd.exp %2 : ...
                                                    ...

A composite made of composites goes all the way down, unless `ops` names what to take apart. Regions too. A softmax
between a transpose and its inverse, which is one along another dimension, is taken apart along that, in the order in
which the values lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd import dialect as _dialect  # fills OPS
from ...dialects.nd.array import Array
from ...dialects.nd.composite import Composite, LastDim
from ...dialects.nd.movement import Transpose
from ...dialects.nd.op import OPS
from .rewriting import Replacement, Rewrite, blocks, by_class, functions, rewrite

assert _dialect


def decompose_op(op: Composite) -> Array:
    return op.expand(*map(Array, op.operands))


def decompose_line(op: LastDim) -> Replacement | None:
    """transpose(softmax(transpose(x))) along the dimension of x that is last in between."""
    before, use = op.operands[0].owner, op.result.first_use
    if use is None or not op.result.has_one_use() or not isinstance(before, Transpose):
        return None
    after = use.operation
    if not isinstance(after, Transpose) or [before.perm[k] for k in after.perm] != list(range(len(after.perm))):
        return None
    return Replacement(after.results, [op.expand(Array(before.operands[0]), axis=before.perm[-1])], after)


def composites() -> dict[str, type[Composite]]:
    """Every composite by its short name."""
    return {name: c for name, c in OPS.items() if issubclass(c, Composite)}


def decompose(block: Block, names: Sequence[str] = (), turned: bool = True) -> int:
    """Take composites apart: the named ones, or all, `turned` ones where they lie; returns their number."""
    known = composites()
    for name in names:
        if name not in known:
            raise CompileError(f"decompose: expected the name of a composite ({', '.join(known)}), found {name}")
    ops = tuple(known[name] for name in names or known)
    lines = tuple(op for op in ops if turned and issubclass(op, LastDim))
    rewrites = [
        Rewrite("decompose_line", lines, "exact", decompose_line, "decompose"),
        Rewrite("decompose", ops, "exact", decompose_op, "decompose"),
    ]
    return rewrite(block, by_class(rewrites))


@dataclass(frozen=True)
class Decompose(ModulePass):
    """Take composites apart; along the dimension where they lie those between a transpose and its inverse, if
    `turned`."""

    name = "decompose"
    ops: tuple[str, ...] = ()
    turned: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in blocks(func):
                decompose(block, self.ops, self.turned)
