"""Cases and templates of the elementwise ops that are one scalar function each: shapes alone, and domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlc.dialects.nd.op import OPS, Array, bind

UNARY = [
    *("ceil", "trunc", "round", "round_away", "popcount", "count_leading_zeros"),
    *("exp2", "expm1", "cbrt", "erf", "tan", "atan", "sinh", "cosh", "asinh", "sigmoid", "silu", "gelu_erf"),
]
ABOVE_ZERO = ["log1p", "log2", "log10"]
"""Derivatives are tested on numbers from 0.5 up."""
WITHIN_ONE = ["asin", "acos", "atanh"]
"""Derivatives are tested on the sine of any number."""
BINARY = ["quotient", "shl", "shr", "copysign", "rem", "mod", "hypot", "atan2", "logaddexp"]
TERNARY = ["clamp"]
NAMES = [*UNARY, *ABOVE_ZERO, *WITHIN_ONE, "acosh", *BINARY, *TERNARY]


def operands(name: str) -> int:
    return 3 if name in TERNARY else 2 if name in BINARY else 1


def of(name: str) -> Callable[..., Array]:
    return lambda *xs: bind(OPS[name], *xs)


def cases(case: Callable[..., Any]) -> list[Any]:
    """`case` is op_cases.case."""
    shapes: Sequence[tuple[int, ...]] = ((3, 4), (), (0, 2))
    domain = {**dict.fromkeys(ABOVE_ZERO, (0.5, 5.0)), **dict.fromkeys(WITHIN_ONE, (-0.9, 0.9)), "acosh": (1.1, 5.0)}
    return [case(n, [s] * operands(n), of(n), within=domain.get(n)) for n in NAMES for s in shapes]


def templates(template: Callable[..., Any], same: Callable[[int], Any]) -> list[Any]:
    """`template` and `same` are native_cases.Template and its shapes."""
    return [template(n, of(n), same(operands(n))) for n in NAMES]
