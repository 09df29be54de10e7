"""The two dialects that take the place of xDSL's in mlc's context: `vector` completed, and `arith` on vectors."""

from __future__ import annotations

from xdsl.dialects import vector
from xdsl.ir import Dialect

from .arith import Arith
from .ops import (
    ContractOp,
    GatherOp,
    MultiReductionOp,
    ShapeCastOp,
    StepOp,
    TransferReadOp,
    TransferWriteOp,
    TransposeOp,
)

_OWN = (ContractOp, GatherOp, MultiReductionOp, ShapeCastOp, StepOp, TransferReadOp, TransferWriteOp, TransposeOp)
_NAMES = {op.name for op in _OWN}

Vector = Dialect(
    "vector",
    [*(op for op in vector.Vector.operations if op.name not in _NAMES), *_OWN],
    list(vector.Vector.attributes),
)

__all__ = ["Arith", "Vector"]
