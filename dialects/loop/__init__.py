"""Kernels as pure statements of index notation on tensors: the `loop` dialect."""

from .attributes import CARRY, COMBINERS, KINDS, AccessAttr, Axis, DomainAttr, ExtentAttr, Target, TargetAttr
from .combiners import allowed, combine, identity
from .linear import Access, Linear, axes_of, coefs
from .ops import ForOp, IfOp, IndexOp, JoinOp, LoadOp, Loop, SizeOp, SortOp, StageOp, YieldOp, element_of, shape
from .queries import axis_coefs, body_of, combiner_of, enclosing, members, result_index, stages

__all__ = [
    "CARRY",
    "COMBINERS",
    "KINDS",
    "Access",
    "AccessAttr",
    "Axis",
    "DomainAttr",
    "ExtentAttr",
    "ForOp",
    "IfOp",
    "IndexOp",
    "JoinOp",
    "Linear",
    "LoadOp",
    "Loop",
    "SizeOp",
    "SortOp",
    "StageOp",
    "Target",
    "TargetAttr",
    "YieldOp",
    "allowed",
    "axes_of",
    "axis_coefs",
    "body_of",
    "coefs",
    "combine",
    "combiner_of",
    "element_of",
    "enclosing",
    "identity",
    "members",
    "result_index",
    "shape",
    "stages",
]
