"""IR to text: the same module gives the same bytes in every process."""

from __future__ import annotations

from io import StringIO

from xdsl.ir import Operation
from xdsl.printer import Printer


def print_ir(op: Operation, *, generic: bool = False, locations: bool = False) -> str:
    """The text of an op, with a final newline; `locations` adds `loc(...)` to every op and block argument."""
    out = StringIO()
    Printer(out, print_generic_format=generic, print_debuginfo=locations).print_op(op)
    return out.getvalue().rstrip("\n") + "\n"
