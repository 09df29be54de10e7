"""Dimensions: a Python int, or a `Sym`, a polynomial with integer coefficients over named symbols.

Invariants: a `Sym` is never a plain number (sums that come out constant are ints), its monomials are sorted, and equal
expressions are one object, so that comparing shapes compares pointers: `b*s + b == (s + 1)*b`. A division that does
not come out even is an atom of its own: `(s + 1) floordiv 2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod


@dataclass(frozen=True)
class FloorDiv:
    num: Sym
    den: int

    def __str__(self) -> str:
        return f"({self.num}) floordiv {self.den}"


Atom = str | FloorDiv
Monomial = tuple[Atom, ...]


@dataclass(frozen=True, eq=False)
class Sym:
    """Built by `symbol` and arithmetic only, which intern: identity is equality."""

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def of(terms: Mapping[Monomial, int]) -> Dim:
        kept = {m: c for m, c in terms.items() if c}
        if not kept:
            return 0
        if len(kept) == 1 and () in kept:
            return kept[()]
        return _intern(tuple(sorted(kept.items(), key=lambda t: (-len(t[0]), [str(a) for a in t[0]]))))

    def __add__(self, other: Dim) -> Dim:
        out = dict(self.terms)
        for m, c in _terms(other):
            out[m] = out.get(m, 0) + c
        return Sym.of(out)

    def __mul__(self, other: Dim) -> Dim:
        out: dict[Monomial, int] = {}
        for m, c in self.terms:
            for n, d in _terms(other):
                key = tuple(sorted(m + n, key=str))
                out[key] = out.get(key, 0) + c * d
        return Sym.of(out)

    def __neg__(self) -> Dim:
        return self * -1

    def __sub__(self, other: Dim) -> Dim:
        return self + other * -1

    def __rsub__(self, other: int) -> Dim:
        return self * -1 + other

    __radd__, __rmul__ = __add__, __mul__

    def __floordiv__(self, n: int) -> Dim:
        """floor((n*q + r) / n) = q + floor(r / n): what divides comes out, so `(2*s - 1) floordiv 2 + 1` is `s`."""
        if n <= 0:
            raise ValueError(f"expected a positive divisor of {self}, found {n}")
        whole = Sym.of({m: c // n for m, c in self.terms if c % n == 0 or not m})
        rest = Sym.of({m: c % n if not m else c for m, c in self.terms if c % n or not m})
        return whole + (rest // n if isinstance(rest, int) else Sym.of({(FloorDiv(rest, n),): 1}))

    def __str__(self) -> str:
        def factor(a: Atom, alone: bool) -> str:
            return str(a) if alone or isinstance(a, str) else f"({a})"

        parts = [
            "*".join([str(c)] * (c != 1 or not m) + [factor(a, c == 1 and len(m) == 1) for a in m])
            for m, c in self.terms
        ]
        return " + ".join(parts).replace("+ -", "- ")

    __repr__ = __str__

    def evaluate(self, env: Mapping[str, int]) -> int:
        def value(a: Atom) -> int:
            return env[a] if isinstance(a, str) else a.num.evaluate(env) // a.den

        return sum(c * prod(value(a) for a in m) for m, c in self.terms)

    def names(self) -> tuple[str, ...]:
        """The symbols it is made of, in order of appearance."""
        found: dict[str, None] = {}
        for m, _ in self.terms:
            for a in m:
                found.update(dict.fromkeys([a] if isinstance(a, str) else a.num.names()))
        return tuple(found)

    def is_symbol(self) -> bool:
        """A bare name, which an argument's size can bind."""
        return (
            len(self.terms) == 1 and self.terms[0][1] == 1 and len(m := self.terms[0][0]) == 1 and isinstance(m[0], str)
        )


Dim = int | Sym
Shape = tuple[Dim, ...]


def _terms(d: Dim) -> tuple[tuple[Monomial, int], ...]:
    return d.terms if isinstance(d, Sym) else (((), d),)


@lru_cache(None)
def _intern(terms: tuple[tuple[Monomial, int], ...]) -> Sym:
    return Sym(terms)


def symbol(name: str) -> Sym:
    return _intern((((name,), 1),))


def affine(d: Dim, name: str) -> tuple[int, int] | None:
    """(c, k) where d is c*name + k with c above 0; None for anything else."""
    terms = dict(_terms(d))
    k, c = terms.pop((), 0), terms.pop((name,), 0)
    return (c, k) if c > 0 and not terms else None


def evaluate(d: Dim, env: Mapping[str, int]) -> int:
    return d if isinstance(d, int) else d.evaluate(env)


TYPICAL = 1000
"""The size of every symbol where two symbolic amounts are compared."""


def typical(d: Dim) -> int:
    return evaluate(d, dict.fromkeys(d.names(), TYPICAL)) if isinstance(d, Sym) else d


def size(shape: Iterable[Dim]) -> Dim:
    """The number of elements."""
    out: Dim = 1
    for d in shape:
        out = out * d
    return out


def show(shape: Iterable[Dim]) -> str:
    """`[b, 4]`, for messages."""
    return "[" + ", ".join(map(str, shape)) + "]"


def exact_div(n: Dim, d: Dim) -> Dim | None:
    """n / d where it comes out even for every value of the symbols; None where it does not. `d` is one term."""
    if n is d or n == d:
        return 1
    terms = _terms(d)
    if len(terms) != 1 or not terms[0][1]:
        return None
    atoms, c = terms[0]
    out: dict[Monomial, int] = {}
    for m, k in _terms(n):
        left = list(m)
        for a in atoms:
            if a not in left:
                return None
            left.remove(a)
        if k % c:
            return None
        out[tuple(left)] = k // c
    return Sym.of(out)
