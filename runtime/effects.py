"""Effects of a running program: what a failed check raises, and prints, which the program asks its host for.

A print formats its values as NumPy does and writes a line to `sys.stdout` at once, whatever thread it is and although
the program runs without the interpreter's lock. An exception on the way, also that of a signal's handler, ends the
program and is raised by the call (see `context`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .abi import Program, count, numpy_type, row_major


class Effects:
    """The effects of one program; `read`: the bytes at an address of its memory."""

    def __init__(self, program: Program, read: Callable[[int, int], bytes] = ctypes.string_at) -> None:
        self.effects, self.read = program.effects, read
        prints = any(e.kind == "print" for e in self.effects)
        self.printer: Any = self._print if prints else None
        """What a context lends to the program."""

    def raise_status(self, status: int) -> None:
        """Raise what a status means, if it comes from a check."""
        if 0 < status <= len(self.effects):
            from ..dialects.errors import CheckError

            effect = self.effects[status - 1]
            raise CheckError(effect.text, _location(effect.location))

    def _print(self, which: int, buffers: int, sizes: int) -> None:
        """Print number `which`: pointers to its values, and their sizes that are known at run time only."""
        from ..dialects.nd.effects import formatted

        effect = self.effects[which]
        arrays: list[Any] = []
        passed = 0
        for k, operand in enumerate(effect.operands):
            shape: list[int] = []
            for d in operand["shape"]:
                if isinstance(d, int):
                    shape.append(d)
                else:
                    shape.append(ctypes.c_int64.from_address(sizes + 8 * passed).value)
                    passed += 1
            address = ctypes.c_void_p.from_address(buffers + 8 * k).value
            arrays.append(self._array(address or 0, numpy_type(operand["dtype"]), shape))
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
            sys.stdout.write(formatted(effect.text, arrays) + "\n")
            sys.stdout.flush()

    def _array(self, address: int, dtype: np.dtype[Any], shape: Sequence[int]) -> np.ndarray[Any, Any]:
        """A copy of dense rows in memory."""
        n = count(shape) * dtype.itemsize
        data = self.read(address, n) if n else b""
        return np.ndarray(tuple(shape), dtype, bytearray(data), strides=[s * dtype.itemsize for s in row_major(shape)])


def _location(place: Sequence[Any] | None) -> Any:
    if place is None:
        return None
    from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr

    name, line, column = place
    return FileLineColLoc(StringAttr(name), IntAttr(line), IntAttr(column))
