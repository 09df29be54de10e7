"""`Nd`, the dialect object. Importing this module fills the registry `op.OPS`."""

from __future__ import annotations

from xdsl.ir import Dialect

from . import (
    activation,
    arithmetic,
    attention,
    bits,
    composite,
    constant,
    contraction,
    control,
    cumulative,
    dynamic_slices,
    effects,
    elementwise,
    gradient,
    indexing,
    indirect,
    movement,
    normalization,
    polynomial,
    precision,
    reduction,
    resource,
    scatter,
    selection,
    sorting,
    special,
    threefry,
    transcendental,
    window,
    zeta,
)
from .op import OPS
from .types import DimsAttr, DTypeVar, NumberAttr, SymAttr

FAMILIES = (
    elementwise,
    arithmetic,
    transcendental,
    selection,
    bits,
    threefry,
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
    gradient,
    normalization,
    attention,
    activation,
    window,
    cumulative,
    sorting,
    polynomial,
    precision,
    special,
    zeta,
)

Nd = Dialect(
    "nd",
    [*OPS.values(), *control.CONTROL, *effects.EFFECTS],
    [
        SymAttr,
        DimsAttr,
        DTypeVar,
        NumberAttr,
        polynomial.CoefficientsAttr,
        precision.FormatAttr,
        threefry.ThreefryWordAttr,
        resource.ResourceAttr,
        reduction.ReduceKindAttr,
        cumulative.CumulativeKindAttr,
        selection.CompareKindAttr,
        indirect.IndexModeAttr,
        scatter.ScatterKindAttr,
    ],
)
