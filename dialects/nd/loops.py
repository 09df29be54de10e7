"""Loops of algorithms that are written in the array language: a scan or a while, or Python's own where ops run at once.

Steps are functions of their arguments alone, as the regions of control flow are: constants are built inside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import i64

from . import control
from . import functions as F
from .array import Array
from .constant import iota
from .place import place

State = list[Array]


def counted(n: int, step: Callable[..., State], state: Sequence[Array], *invariants: Array) -> State:
    """`state = step(*invariants, *state, k)` for k from 0 to n - 1."""
    numbers = iota((n,), 0, i64)
    return over(numbers, n, step, state, *invariants)


def over(items: Array, n: int, step: Callable[..., State], state: Sequence[Array], *invariants: Array) -> State:
    """`state = step(*invariants, *state, item)` for each of n items along the first dimension."""
    state = list(state)
    if place().evaluate is not None:
        for k in range(n):
            state = step(*invariants, *state, F.index(items, k))
        return state
    types = [*(a.type for a in (*invariants, *state)), control.slice_type(items.type)]
    return control.scan(n, invariants, state, [items], control.region(step, types))


def as_long_as(condition: Callable[..., Array], step: Callable[..., State], state: Sequence[Array]) -> State:
    """`state = step(*state)` while the condition of it holds."""
    state = list(state)
    if place().evaluate is not None:
        while bool(condition(*state)):
            state = step(*state)
        return state
    types = [a.type for a in state]
    regions = control.region(lambda *xs: [condition(*xs)], types), control.region(step, types)
    return control.while_([], state, *regions)
