"""Locations as aliases `#loc3`: which there are, in which order they are numbered, and where they are defined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FusedLoc, NameLoc, NoneAttr, UnknownLoc
from xdsl.ir import Attribute

from ...dialects.locations import PLACED, range_of


class Aliases:
    """Locations by name: numbered by depth, then in the order in which the text meets them."""

    def __init__(self) -> None:
        self.depth: dict[Attribute, int] = {}
        self.deferred: dict[Attribute, bool] = {}
        self.names: dict[Attribute, str] = {}

    def visit(self, location: Attribute, deferrable: bool) -> int:
        """Note a location and those inside of it; its depth."""
        if location in self.depth:
            if not deferrable and self.deferred[location]:
                self.at_once(location)
            return self.depth[location]
        self.depth[location] = 0
        self.deferred[location] = deferrable
        inner = [self.visit(part, deferrable) for part in parts(location)]
        self.depth[location] = 1 + max(inner) if inner else 0
        return self.depth[location]

    def at_once(self, location: Attribute) -> None:
        self.deferred[location] = False
        for part in parts(location):
            if self.deferred[part]:
                self.at_once(part)

    def number(self) -> None:
        for index, location in enumerate(sorted(self.depth, key=self.depth.__getitem__)):
            self.names[location] = f"#loc{index or ''}"


def parts(location: Attribute) -> Sequence[Attribute]:
    """The locations that a location is made of."""
    if isinstance(location, CallSiteLoc):
        return (location.callee, location.caller)
    if isinstance(location, NameLoc):
        return () if isinstance(location.location, NoneAttr | UnknownLoc) else (location.location,)
    if isinstance(location, FusedLoc) and range_of(location) is None:
        return tuple(cast("ArrayAttr[Attribute]", location.locations))
    return ()


def shown(location: Attribute) -> Attribute:
    """Without the place that the parser gave to a name that had none."""
    if isinstance(location, NameLoc) and location in PLACED:
        return NameLoc(location.desc, NoneAttr())
    return location
