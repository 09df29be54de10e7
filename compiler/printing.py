"""IR to text: the same module gives the same bytes in every process."""

from __future__ import annotations

import sys
from io import StringIO

from xdsl.ir import Operation
from xdsl.printer import Printer

UPSTREAM = ("stablehlo.", "chlo.", "check.", "sdy.")
"""Ops whose modules print as MLIR's own printer writes them."""


def print_ir(op: Operation, *, generic: bool = False, locations: bool = False) -> str:
    """The text of an op, with a final newline; `locations` adds `loc(...)` to every op and block argument."""
    if "mlc.dialects.stablehlo.op" in sys.modules and any(o.name.startswith(UPSTREAM) for o in op.walk()):
        from ..dialects.stablehlo.spacing import NARROW
        from .upstream import print_upstream

        return print_upstream(op, generic=generic, locations=locations, wide=op not in NARROW).rstrip("\n") + "\n"
    out = StringIO()
    Printer(out, print_generic_format=generic, print_debuginfo=locations).print_op(op)
    return out.getvalue().rstrip("\n") + "\n"
