"""Comparators of sorts as keys: which functions of an operand are compared, and in which order.

    compare LT, %a, %b                                                     the operand, ascending
    compare GT, f(%a), f(%b), TOTALORDER                                   f of it, descending, by the bits
    or (compare LT, %a0, %b0), (and (compare EQ, %a0, %b0), (compare LT, %a1, %b1))   the first operand, then the second

Arguments 2 k and 2 k + 1 of a comparator are elements of operand k. A function is used if its two sides differ in
nothing but these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from xdsl.ir import Block, SSAValue

from .expressions import Expression, argument, expression, returned


@dataclass(frozen=True)
class Key:
    value: SSAValue
    """Of the left side, inside of the region."""
    operand: int | None
    """The operand that is compared as it is."""
    descending: bool
    total: bool
    """By the bits of floats: -NaN, -inf, .., -0, +0, .., inf, NaN."""
    canonical: bool
    """The operand with one NaN and one zero."""


def keys_of(block: Block) -> list[Key] | None:
    """The keys in the order of their weight; None if the region is no such comparison."""
    known: dict[SSAValue, Expression] = {}
    (result,) = returned(block)
    whole = expression(result, block, known)
    values: dict[Expression, SSAValue] = {}
    for value, e in known.items():
        values.setdefault(e, value)
    out: list[Key] = []
    rest: Expression | None = whole
    while rest is not None:
        first, rest = split(rest)
        key = key_of(first, values)
        if key is None:
            return None
        out.append(key)
    return out


def split(e: Expression) -> tuple[Expression, Expression | None]:
    """The comparison that weighs most, and what decides where it finds both sides equal."""
    match e:
        case ("or", left, right):
            for less, both in ((left, right), (right, left)):
                if less[0] == "compare" and both[0] == "and":
                    for same, rest in (both[1:], both[:0:-1]):
                        if equal(same, less, "EQ"):
                            return less, rest
        case ("select", condition, rest, less) if less[0] == "compare" and equal(condition, less, "EQ"):
            return less, rest
        case ("select", condition, less, rest) if less[0] == "compare" and equal(condition, less, "NE"):
            return less, rest
        case _:
            pass
    return e, None


def equal(e: Expression, less: Expression, word: str) -> bool:
    return e[:2] == ("compare", word) and set(e[3:]) == set(less[3:])


def key_of(e: Expression, values: dict[Expression, SSAValue]) -> Key | None:
    if e[0] != "compare" or e[1] not in ("LT", "GT", "LE", "GE"):
        return None
    _, direction, order, left, right = e
    if swapped(left) != right or len(sides := parities(left)) != 1:
        return None
    descending = (direction[0] == "G") != (sides == {1})
    mine = right if sides == {1} else left
    plain = mine[1] // 2 if mine[0] == "argument" else None
    source = canonical_source(mine)
    if source is not None and source[0] == "argument":
        plain = source[1] // 2
    return Key(values[mine], plain, descending, order == "TOTALORDER", source is not None)


def swapped(e: Any) -> Any:
    """The expression of the other side."""
    if not isinstance(e, tuple):
        return e
    found = cast(Expression, e)
    return argument(found[1] ^ 1) if found[0] == "argument" else tuple(map(swapped, found))


def parities(e: Any) -> set[int]:
    """Which sides the expression looks at: 0 is the left one."""
    if not isinstance(e, tuple):
        return set()
    found = cast(Expression, e)
    if found[0] == "argument":
        return {found[1] % 2}
    return set[int]().union(*map(parities, found))


def canonical_source(e: Expression) -> Expression | None:
    """x of select(x != x, NaN, select(x == 0, 0, x))."""
    match e:
        case ("select", ("compare", "NE", "", x, same), ("constant", "nan"), ("select", zero, ("constant", number), y)):
            by_zero = zero in (("compare", "EQ", "", x, ("constant", 0.0)), ("compare", "EQ", "", ("constant", 0.0), x))
            return x if x == same == y and by_zero and number == 0 else None
        case _:
            return None
