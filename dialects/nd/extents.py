"""Facts about symbolic sizes: proving or refuting that one is never negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from .dims import Dim, FloorDiv, Sym, evaluate

SAMPLES = (0, 1, 2, 3, 5, 6, 7, 8, 16, 64, 1000)
"""Sizes tried where a fact about symbols cannot be proved."""


def symbols_of(dim: Dim) -> tuple[str, ...]:
    return dim.names() if isinstance(dim, Sym) else ()


def nonnegative(dim: Dim) -> bool:
    """Is `dim >= 0` provable for all symbols >= 0? Divisions are bounded by `den * (num floordiv den) <= num`."""
    if isinstance(dim, int):
        return dim >= 0
    relaxed: Dim = dim
    for monomial, c in dim.terms:
        if c < 0 and len(monomial) == 1 and isinstance(division := monomial[0], FloorDiv) and c % division.den == 0:
            relaxed = relaxed + Sym.of({monomial: -c}) + division.num * (c // division.den)
    if relaxed is not dim and not isinstance(relaxed, Sym):
        return relaxed >= 0
    return isinstance(relaxed, Sym) and all(c >= 0 for _, c in relaxed.terms)


def counterexample(claim: Dim, given: Sequence[Dim]) -> Mapping[str, int] | None:
    """Sample sizes under which every `given` is >= 0 and `claim` is not."""
    names = list(dict.fromkeys(n for dim in (claim, *given) for n in symbols_of(dim)))
    for values in product(SAMPLES, repeat=min(len(names), 3)):
        env = dict.fromkeys(names, 1) | dict(zip(names, values))
        if all(evaluate(g, env) >= 0 for g in given) and evaluate(claim, env) < 0:
            return env
    return None


def holds(claim: Dim, given: Sequence[Dim] = ()) -> bool:
    """`claim >= 0`: proved, or at least not refuted by any sample."""
    return nonnegative(claim) or (not isinstance(claim, int) and counterexample(claim, given) is None)
