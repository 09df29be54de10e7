"""`Graph`, the dialect object: kernels, launches, the memory plan and rewrite rules."""

from __future__ import annotations

from xdsl.ir import Dialect

from .ops import CopyOp, KernelOp, LaunchOp, PrepareOp, YieldOp
from .place import PlaceAttr, SizeAttr, ViewAttr
from .rule import RULE_ATTRS, RULE_OPS

Graph = Dialect(
    "graph",
    [KernelOp, LaunchOp, PrepareOp, CopyOp, YieldOp, *RULE_OPS],
    [PlaceAttr, ViewAttr, SizeAttr, *RULE_ATTRS],
)
