"""Random words: the generators are arithmetic of words, written out, so that the bits are the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...dialects.nd.philox import NAMES, Philox, philox
from ...dialects.nd.threefry import Threefry, threefry
from ...dialects.nd.types import ui32, ui64
from . import build as b
from .build import Value, binary


def threefry_word(op: Threefry, *xs: Value) -> Value:
    def rotate(x: Value, n: int) -> Value:
        return binary("shift_left", x, n) | binary("shift_right_logical", x, 32 - n)

    def number(n: int) -> Value:
        return b.splat(n, xs[0].type)

    first, second = threefry((xs[0], xs[1]), (xs[2], xs[3]), plus, xor, rotate, number)
    return {"first": first, "second": second}.get(op.word.data.name) or first ^ second


def philox_word(op: Philox, *xs: Value) -> Value:
    def product(x: Value, factor: int) -> tuple[Value, Value]:
        """The high and the low word."""
        whole = b.convert(x, ui64) * factor
        return b.convert(binary("shift_right_logical", whole, 32), ui32), x * factor

    return philox(xs[:2], xs[2:], xor, plus, product)[NAMES.index(op.word.data.name)]


def plus(x: Value, y: Any) -> Value:
    return x + y


def xor(x: Value, y: Value) -> Value:
    return x ^ y


ROWS: dict[str, Callable[..., Value]] = {"threefry": threefry_word, "philox": philox_word}
