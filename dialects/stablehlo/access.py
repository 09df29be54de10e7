"""Reading properties: what importers and verifiers need, whether a property is written or left to its default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, IntegerAttr, StringAttr, UnitAttr
from xdsl.ir import Operation

from .words import Word


def ints(op: Operation, name: str, default: Sequence[int] = ()) -> tuple[int, ...]:
    """A list of numbers; `default` where it is left out."""
    value = op.properties.get(name)
    if isinstance(value, DenseArrayBase):
        return tuple(cast(Any, value).get_values())
    return tuple(default)


def flag(op: Operation, name: str, default: bool = False) -> bool:
    value = op.properties.get(name)
    if isinstance(value, IntegerAttr):
        return bool(cast(Any, value).value.data)
    return isinstance(value, UnitAttr) or default


def flags(op: Operation, name: str, default: Sequence[bool] = ()) -> tuple[bool, ...]:
    """A list of truth values."""
    return tuple(bool(v) for v in ints(op, name, [int(d) for d in default]))


def number(op: Operation, name: str, default: int = 0) -> int:
    value = op.properties.get(name)
    return cast(Any, value).value.data if isinstance(value, IntegerAttr) else default


def word(op: Operation, name: str, default: str = "") -> str:
    """The word of an enumeration, or a string."""
    value = op.properties.get(name)
    return value.data if isinstance(value, Word | StringAttr) else default


def pairs(op: Operation, name: str, rank: int) -> tuple[tuple[int, int], ...]:
    """A padding: low and high for each of `rank` dimensions, zeros where it is left out."""
    value = op.properties.get(name)
    if not isinstance(value, DenseIntOrFPElementsAttr):
        return ((0, 0),) * rank
    numbers = cast(Any, value).get_values()
    if len(numbers) == 1:
        numbers = numbers * (2 * rank)
    return tuple(zip(numbers[0::2], numbers[1::2], strict=True))
