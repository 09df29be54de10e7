"""The part of upstream's `gpu` dialect that kernels of the vector level use: launches, barriers, shuffles, spaces."""

from .dialect import Gpu
from .ops import (
    LOCKSTEP,
    PRIVATE,
    WORKGROUP,
    AddressSpace,
    AddressSpaceAttr,
    BarrierOp,
    LaunchOp,
    ShuffleOp,
    TerminatorOp,
)

__all__ = [
    "LOCKSTEP",
    "PRIVATE",
    "WORKGROUP",
    "AddressSpace",
    "AddressSpaceAttr",
    "BarrierOp",
    "Gpu",
    "LaunchOp",
    "ShuffleOp",
    "TerminatorOp",
]
