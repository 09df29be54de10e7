"""`Nd`, the dialect object. Importing this module fills the registry `op.OPS`."""

from __future__ import annotations

from xdsl.ir import Dialect

from . import composite, constant, contraction, elementwise, indexing, movement, reduction, selection
from .op import OPS
from .types import DimsAttr, DTypeVar, SymAttr

FAMILIES = (elementwise, selection, constant, movement, contraction, reduction, indexing, composite)

Nd = Dialect(
    "nd", list(OPS.values()), [SymAttr, DimsAttr, DTypeVar, reduction.ReduceKindAttr, selection.CompareKindAttr]
)
