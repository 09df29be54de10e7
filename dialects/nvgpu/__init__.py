"""The part of upstream's `nvgpu` dialect that kernels use: asynchronous copies, tiles from shared memory, products."""

from .dialect import NvGpu
from .ops import AsyncToken, CopyOp, CreateGroupOp, LdMatrixOp, MmaSyncOp, WaitOp

__all__ = ["AsyncToken", "CopyOp", "CreateGroupOp", "LdMatrixOp", "MmaSyncOp", "NvGpu", "WaitOp"]
