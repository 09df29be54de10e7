"""`Nd`, the dialect object. Importing this module fills the registry `op.OPS`."""

from __future__ import annotations

from xdsl.ir import Dialect

from . import (
    activation,
    arithmetic,
    composite,
    constant,
    contraction,
    cumulative,
    dynamic_slices,
    elementwise,
    indexing,
    indirect,
    movement,
    reduction,
    resource,
    scatter,
    selection,
    sorting,
    transcendental,
    window,
)
from .op import OPS
from .types import DimsAttr, DTypeVar, SymAttr

FAMILIES = (
    elementwise,
    arithmetic,
    transcendental,
    selection,
    constant,
    resource,
    movement,
    contraction,
    reduction,
    indexing,
    indirect,
    scatter,
    dynamic_slices,
    composite,
    activation,
    window,
    cumulative,
    sorting,
)

Nd = Dialect(
    "nd",
    list(OPS.values()),
    [
        SymAttr,
        DimsAttr,
        DTypeVar,
        resource.ResourceAttr,
        reduction.ReduceKindAttr,
        cumulative.CumulativeKindAttr,
        selection.CompareKindAttr,
        indirect.IndexModeAttr,
        scatter.ScatterKindAttr,
    ],
)
