"""Errors: what a user can do wrong (`CompileError`), and checks of a running program that fail (`CheckError`).

A CompileError is raised at every level and rendered with the source line:
model.mlir:3:8: error: nd.add: expected equal shapes, found tensor<2xf32> and tensor<3xf32>
  %0 = nd.add %x, %y : tensor<2xf32>
       ^
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from math import prod
from typing import cast
from weakref import WeakValueDictionary

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc, UnknownLoc
from xdsl.ir import Attribute

SOURCES: dict[str, str] = {}
"""Texts that no file holds (standard input, strings), by the name that locations give them."""

ORIGINS: WeakValueDictionary[str, Callable[[int], tuple[str, int, int] | None]] = WeakValueDictionary()
"""For a text that was made from another one, while that is kept: the file, line and column that a line comes from."""


class CompileError(Exception):
    """A wrong program or a wrong use: says where, what was expected, what was found, and what to do.

    `message` is one line; `location` an MLIR location; `notes` further lines.
    """

    def __init__(self, message: str, location: Attribute | None = None, notes: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.location: Attribute = location if location is not None else UnknownLoc()
        self.notes = tuple(notes)

    def __str__(self) -> str:
        return render(self)


class IndexProblem(CompileError, IndexError):
    """An index or an axis out of its range: also the IndexError that Python's protocols and the Array API know."""


class CheckError(Exception):
    """A check of a running program (`mlc.check`) that failed: an error of its values, not of the program's form."""

    def __init__(self, message: str, location: Attribute | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.location: Attribute = location if location is not None else UnknownLoc()

    def __str__(self) -> str:
        return "\n".join(_shown(f"check failed: {self.message}", self.location))


def memory_wanted(error: MemoryError) -> str:
    """What memory there was not: `expected 4000000000000 bytes of memory, found less`."""
    shape, dtype = getattr(error, "shape", None), getattr(error, "dtype", None)  # NumPy's own
    if shape is not None and dtype is not None:
        return f"expected {prod(shape) * dtype.itemsize} bytes of memory, found less"
    return str(error) or "expected more memory than there is"


def position(location: Attribute) -> tuple[str, int, int] | None:
    """The first file, line and column (from 1) that a location names."""
    if isinstance(location, FileLineColLoc):
        return location.filename.data, location.line.data, location.column.data
    if isinstance(location, FusedLoc):
        inner = cast(ArrayAttr[Attribute], location.locations)
        found = (position(part) for part in inner)
        return next((p for p in found if p is not None), None)
    if isinstance(location, NameLoc):
        return position(location.location)
    if isinstance(location, CallSiteLoc):
        return position(location.callee) or position(location.caller)
    return None


def source_line(name: str, line: int) -> str | None:
    """Line `line` (from 1) of a source, without its end; None if it cannot be had."""
    if name in SOURCES:
        lines = SOURCES[name].splitlines()
        return lines[line - 1] if 0 < line <= len(lines) else None
    return linecache.getline(name, line).rstrip("\n") or None


def render(error: CompileError) -> str:
    """`file:line:col: error: message`, the source line, a caret, the notes."""
    return "\n".join([*_shown(f"error: {error.message}", error.location), *(f"note: {n}" for n in error.notes)])


def _shown(text: str, location: Attribute) -> list[str]:
    where = position(location)
    if where is None:
        return [text]
    return _at(text, *where)


def _at(text: str, name: str, line: int, column: int) -> list[str]:
    out = [f"{name}:{line}:{column}: {text}"]
    source = source_line(name, line)
    if source is not None:
        prefix = "".join("\t" if c == "\t" else " " for c in source[: column - 1])
        out += [f"  {source}", f"  {prefix}^"]
    find = ORIGINS.get(name)
    origin = find(line) if find is not None else None
    return out if origin is None else [*out, *_at("note: from here", *origin)]
