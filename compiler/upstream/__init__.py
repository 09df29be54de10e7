"""IR to text as MLIR's own printer writes it, byte for byte: for modules of StableHLO.

xDSL's printer differs in names (it keeps those of the text), in floats, in the order of dictionaries, in `%0:2` and
in what locations are called. Here

- values are numbered in the order of MLIR's printer: all of a region before those of the regions inside it, each of
  which begins where its parent ended. Constants are `%c` or `%cst`, a loop's arguments `%iterArg`, the results of some
  ops have names of their own; a name that is taken gets a number of a common counter behind it.
- floats have the digits of APFloat, which are decimal where six digits say all, else 9 or 17, else hex.
- `wide` is the spacing of older printers, with two blanks before the words of enumerations.
- with locations, these are aliases `#loc3`, defined before the module where arguments use them, else behind it.
"""

from __future__ import annotations

from io import StringIO

from xdsl.ir import Operation

from .locations import Aliases
from .names import Names
from .printer import UpstreamPrinter


def print_upstream(op: Operation, *, generic: bool = False, locations: bool = False, wide: bool = True) -> str:
    """The text of a module or another op, without a final newline."""
    names = Names(op, generic)
    aliases: Aliases | None = None
    if locations:
        aliases = Aliases()
        collector = UpstreamPrinter(StringIO(), names, aliases, generic=generic, wide=wide, collecting=True)
        collector.print_op(op)
        aliases.number()
    out = StringIO()
    printer = UpstreamPrinter(out, names, aliases, generic=generic, wide=wide)
    if aliases is not None:
        printer.print_aliases(deferred=False)
    printer.print_op(op)
    if aliases is not None:
        out.write("\n")
        printer.print_aliases(deferred=True)
    return out.getvalue()
