"""Linear forms over axis names: the index arithmetic of every level above `scf`.

Axis coefficients are integers; the constant may be a symbolic `Dim`, which prints in parentheses: `-j + (n - 1)`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..nd.dims import Dim


@dataclass(frozen=True)
class Linear:
    """`const + sum(coefficient * axis)`; terms are sorted by name and have no zero coefficient."""

    const: Dim = 0
    terms: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(const: Dim, terms: Mapping[str, int]) -> Linear:
        return Linear(const, tuple(sorted((n, c) for n, c in terms.items() if c)))

    @staticmethod
    def axis(name: str, coefficient: int = 1) -> Linear:
        return Linear(0, ((name, coefficient),) if coefficient else ())

    def __add__(self, other: Linear) -> Linear:
        if not other.terms:
            return Linear(self.const + other.const, self.terms)
        if not self.terms:
            return Linear(self.const + other.const, other.terms)
        terms = dict(self.terms)
        for name, c in other.terms:
            terms[name] = terms.get(name, 0) + c
        return Linear.of(self.const + other.const, terms)

    def scaled(self, factor: int) -> Linear:
        if factor == 1 or not factor:
            return self if factor else Linear()
        return Linear(self.const * factor, tuple((n, c * factor) for n, c in self.terms))

    def coef(self, axis: str) -> int:
        for name, c in self.terms:
            if name == axis:
                return c
        return 0

    def without(self, axes: Iterable[str]) -> Linear:
        gone = frozenset(axes)
        return Linear(self.const, tuple(t for t in self.terms if t[0] not in gone))

    def subst(self, by: Mapping[str, Linear]) -> Linear:
        """Replace axes simultaneously."""
        if not any(n in by for n, _ in self.terms):
            return self
        result = Linear(self.const)
        for name, c in self.terms:
            result += by.get(name, Linear.axis(name)).scaled(c)
        return result

    @property
    def names(self) -> frozenset[str]:
        """The axes it uses; symbols of the constant are not among them."""
        return frozenset(n for n, _ in self.terms)

    def range(self, extents: Mapping[str, Dim]) -> tuple[Dim, Dim]:
        """Least and greatest value when axis `n` runs over [0, extents[n]), none of them empty."""
        low: Dim = self.const
        high: Dim = self.const
        for name, c in self.terms:
            reach = (extents[name] - 1) * c
            if c < 0:
                low = low + reach
            else:
                high = high + reach
        return low, high

    def __str__(self) -> str:
        text = ""
        for name, c in sorted(self.terms, key=lambda t: -abs(t[1])):
            part = name if abs(c) == 1 else f"{abs(c)} * {name}"
            text = f"{text} {'-' if c < 0 else '+'} {part}" if text else ("-" if c < 0 else "") + part
        if not isinstance(self.const, int):
            return f"{text} + ({self.const})" if text else f"({self.const})"
        if not text:
            return str(self.const)
        return f"{text} {'-' if self.const < 0 else '+'} {abs(self.const)}" if self.const else text


Access = tuple[Linear, ...]


def axes_of(access: Access) -> frozenset[str]:
    return frozenset(n for form in access for n, _ in form.terms)


def coefs(access: Access, axis: str) -> tuple[int, ...]:
    return tuple(form.coef(axis) for form in access)
