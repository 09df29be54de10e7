"""Where in Python the ops of a text of JAX come from, for errors about them.

The text that is compiled has no places, which would take longer to read than the program. Only when an error shows one
of its lines, JAX prints it once more with places; both texts hold the same ops in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Attribute, Operation

from ...dialects.errors import position
from .locations import is_inside


class Places:
    """Called with a line of `text`: the innermost line of the user's Python that made it, if JAX knows."""

    def __init__(self, lowered: Any) -> None:
        self.lowered, self.text = lowered, str(lowered.as_text())
        self._found: dict[int, tuple[str, int, int]] | None = None

    def __call__(self, line: int) -> tuple[str, int, int] | None:
        if self._found is None:
            self._found = self._read()
        return self._found.get(line)

    def _read(self) -> dict[int, tuple[str, int, int]]:
        from ..parsing import parse_module

        plain = list(parse_module(self.text, "text").walk())
        placed = list(parse_module(self.lowered.as_text(debug_info=True), "text with places").walk())
        calls = {op.callee.string_value(): op for op in reversed(placed) if isinstance(op, CallOp)}
        out: dict[int, tuple[str, int, int]] = {}
        for op, same in zip(plain, placed):
            if op.name != same.name:
                break
            at, frame = position(op.location), _frame(same, calls)
            if at is not None and frame is not None:
                out.setdefault(at[1], frame)
        return out


def _frame(op: Operation, calls: Mapping[str, CallOp]) -> tuple[str, int, int] | None:
    """The user's innermost line that an op comes from; else that of what is around it, or of a call of its function."""
    at: Operation | None = op
    while at is not None:
        for file, line, column in _frames(at.location):
            if not is_inside(file) and line:
                return file, line, column + 1  # JAX counts columns from 0
        at = calls.get(at.sym_name.data) if isinstance(at, FuncOp) else at.parent_op()
    return None


def _frames(location: Attribute) -> Iterator[tuple[str, int, int]]:
    """The places of files, from the innermost call outwards."""
    if isinstance(location, FileLineColLoc):
        yield location.filename.data, location.line.data, location.column.data
    elif isinstance(location, FusedLoc):
        for part in cast(ArrayAttr[Attribute], location.locations):
            yield from _frames(part)
    elif isinstance(location, NameLoc):
        yield from _frames(location.location)
    elif isinstance(location, CallSiteLoc):
        yield from _frames(location.callee)
        yield from _frames(location.caller)
