"""`Nd`, the dialect object. Importing this module fills the registry `op.OPS`."""

from __future__ import annotations

from xdsl.ir import Dialect

from . import (
    activation,
    arithmetic,
    composite,
    constant,
    contraction,
    control,
    cumulative,
    effects,
    elementwise,
    indexing,
    movement,
    reduction,
    resource,
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
    composite,
    activation,
    window,
    cumulative,
    sorting,
)

Nd = Dialect(
    "nd",
    [*OPS.values(), *control.CONTROL, *effects.EFFECTS],
    [
        SymAttr,
        DimsAttr,
        DTypeVar,
        resource.ResourceAttr,
        reduction.ReduceKindAttr,
        cumulative.CumulativeKindAttr,
        selection.CompareKindAttr,
    ],
)
