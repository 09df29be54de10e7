"""Replace composites by the primitives that state their meaning (`decompose` of each op).

                                                    %0 = nd.reduce max %x "a b -> a" : ...
    %1 = nd.softmax %x : tensor<4x8xf32>      ->    %1 = nd.broadcast %0 "a -> a b" : ...
                                                    %2 = nd.sub %x, %1 : ...
                                                    %3 = nd.exp %2 : ...
                                                    ...

A composite made of composites goes all the way down, unless `ops` names what to take apart. Regions too.
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
from ...dialects.nd.composite import Composite
from ...dialects.nd.op import OPS
from .rewriting import Rewrite, blocks, by_class, functions, rewrite

assert _dialect


def decompose_op(op: Composite) -> Array:
    return op.expand(*map(Array, op.operands))


def composites() -> dict[str, type[Composite]]:
    """Every composite by its short name."""
    return {name: c for name, c in OPS.items() if issubclass(c, Composite)}


def decompose(block: Block, names: Sequence[str] = ()) -> int:
    """Take composites apart: the named ones, or all; returns their number."""
    known = composites()
    for name in names:
        if name not in known:
            raise CompileError(f"decompose: expected the name of a composite ({', '.join(known)}), found {name}")
    ops = tuple(known[name] for name in names or known)
    return rewrite(block, by_class([Rewrite("decompose", ops, "exact", decompose_op, "decompose")]))


@dataclass(frozen=True)
class Decompose(ModulePass):
    """Take composites apart."""

    name = "decompose"
    ops: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in blocks(func):
                decompose(block, self.ops)
