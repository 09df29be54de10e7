"""The `vector` dialect as upstream has it: xDSL's ops and the ones it lacks, under upstream's names and syntax."""

from .ops import (
    CombiningKind,
    ContractOp,
    GatherOp,
    MultiReductionOp,
    ShapeCastOp,
    StepOp,
    TransferReadOp,
    TransferWriteOp,
    TransposeOp,
    kind_attribute,
)

__all__ = [
    "CombiningKind",
    "ContractOp",
    "GatherOp",
    "MultiReductionOp",
    "ShapeCastOp",
    "StepOp",
    "TransferReadOp",
    "TransferWriteOp",
    "TransposeOp",
    "kind_attribute",
]
