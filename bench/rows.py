"""All but contractions: elementwise programs, rows, attention, whole programs, against peers and bounds."""

from __future__ import annotations

from .peered import in_process
from .results import Row


def rows() -> list[Row]:
    """Of one thread."""
    return in_process("rows")
