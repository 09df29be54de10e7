"""The dialect `nvgpu` of mlc's context; xDSL has none."""

from __future__ import annotations

from xdsl.ir import Dialect

from .ops import AsyncToken, CopyOp, CreateGroupOp, LdMatrixOp, MmaSyncOp, WaitOp

NvGpu = Dialect("nvgpu", [CopyOp, CreateGroupOp, LdMatrixOp, MmaSyncOp, WaitOp], [AsyncToken])
