"""`Stablehlo`, the dialect object. Importing this module fills the registry `op.OPS`."""

from __future__ import annotations

from xdsl.ir import Dialect

from . import effects, elementwise, regions, structure
from .attributes import ATTRIBUTES
from .op import OPS
from .types import TYPES

FAMILIES = (elementwise, structure, regions, effects)

Stablehlo = Dialect("stablehlo", [c for n, c in OPS.items() if n.startswith("stablehlo.")], [*ATTRIBUTES, *TYPES])
