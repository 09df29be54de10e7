"""Products, sums of products and convolutions against their peers and against what the core can do."""

from __future__ import annotations

from .peered import in_process
from .results import Row


def rows() -> list[Row]:
    """Of one thread; then what two make faster."""
    two = {row.name: row for row in in_process("contractions", "--threads", "2", "--only", "threads")}
    return [*(row for row in in_process("contractions", "--tune", "20") if row.name not in two), *two.values()]
