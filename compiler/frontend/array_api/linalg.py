"""The standard's extension `linalg`."""

from __future__ import annotations

from ....dialects.nd import functions as F
from .linear_algebra import matrix_transpose, outer, tensordot, vecdot

matmul = F.matmul

__all__ = ["matmul", "matrix_transpose", "outer", "tensordot", "vecdot"]
