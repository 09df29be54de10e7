"""`"file":1:2 to 3:4`, the location of a range, which xDSL does not have.

It is kept as two places that are fused, with the metadata "range"; who looks for a place finds where it begins.
"""

from __future__ import annotations

from typing import cast
from weakref import WeakSet

from xdsl.dialects.builtin import ArrayAttr, FileLineColLoc, FusedLoc, IntAttr, NameLoc, StringAttr
from xdsl.ir import Attribute

RANGE = StringAttr("range")

PLACED: WeakSet[NameLoc] = WeakSet()
"""Names to which the parser gave the place where the text has them: printers leave that place out."""


def make_range(file: StringAttr, begin: tuple[IntAttr, IntAttr], end: tuple[IntAttr, IntAttr]) -> FusedLoc:
    """From a line and column to another."""
    return FusedLoc((FileLineColLoc(file, *begin), FileLineColLoc(file, *end)), RANGE)


def range_of(location: Attribute) -> tuple[FileLineColLoc, FileLineColLoc] | None:
    """Where a range begins and ends; None of any other location."""
    if isinstance(location, FusedLoc) and location.metadata == RANGE:
        first, last = cast("ArrayAttr[Attribute]", location.locations).data
        if isinstance(first, FileLineColLoc) and isinstance(last, FileLineColLoc):
            return first, last
    return None
