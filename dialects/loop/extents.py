"""Arithmetic facts on symbolic sizes: parsing them, and proving or refuting that one is never negative."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from xdsl.parser import AttrParser

from ..nd.dims import Dim, FloorDiv, Sym, evaluate, symbol

SAMPLES = (0, 1, 2, 3, 5, 6, 7, 8, 16, 64, 1000)
"""Sizes tried where a fact about symbols cannot be proved."""


def parse_dim(parser: AttrParser, first: Dim | None = None) -> Dim:
    """`6`, `b`, `2*b + 1`, `(s + 1) floordiv 2`; `first` is an atom that was read already."""
    negative = first is None and parser.parse_optional_punctuation("-") is not None
    result = _product(parser, first)
    result = result * -1 if negative else result
    while True:
        if parser.parse_optional_punctuation("+"):
            result = result + _product(parser)
        elif parser.parse_optional_punctuation("-"):
            result = result - _product(parser)
        else:
            return result


def _product(parser: AttrParser, first: Dim | None = None) -> Dim:
    result = _atom(parser) if first is None else first
    while True:
        if parser.parse_optional_punctuation("*"):
            result = result * _atom(parser)
        elif parser.parse_optional_keyword("floordiv"):
            result = result // parser.parse_integer(allow_boolean=False, allow_negative=False)
        else:
            return result


def _atom(parser: AttrParser) -> Dim:
    number = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
    if number is not None:
        return number
    if parser.parse_optional_punctuation("("):
        result = parse_dim(parser)
        parser.parse_punctuation(")")
        return result
    return symbol(parser.parse_identifier("expected a size: an integer or a symbol"))


def symbols_of(dim: Dim) -> Iterator[str]:
    """The symbols in a size, in order of appearance, with repetitions."""
    if isinstance(dim, Sym):
        for monomial, _ in dim.terms:
            for atom in monomial:
                if isinstance(atom, FloorDiv):
                    yield from symbols_of(atom.num)
                else:
                    yield atom


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
