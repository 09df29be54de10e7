"""What every op has to satisfy."""

from __future__ import annotations

from typing import Any


def verify_op(op: Any) -> None:
    """Raise VerifyException for the first violation."""
