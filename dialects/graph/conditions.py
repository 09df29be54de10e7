"""Conditions of rules: named predicates over what a match bound, printed as `where float(T), at_most(p + q, 4096)`.

An argument is the name of an element type, the name of an index function, or an expression over sizes. A predicate on
sizes holds only where it is known to hold: `static(n)` and `at_most(n, 8)` decline for a size that is not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import IntegerType, i1
from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from ..nd.attributes import parse_dim
from ..nd.dims import Dim, Sym
from ..nd.types import is_float


@dataclass(frozen=True)
class Predicate:
    """`sort` says what the arguments are: `dtype`, `size` or `index`; `arity` how many (None: one or more)."""

    sort: str
    arity: int | None
    test: Callable[..., bool]
    doc: str


def _integers(*dtypes: Attribute) -> bool:
    return all(isinstance(t, IntegerType) and t != i1 for t in dtypes)


def _floats(*dtypes: Attribute) -> bool:
    return all(map(is_float, dtypes))


def _numbers(*sizes: Dim) -> bool:
    return all(isinstance(n, int) for n in sizes)


def _at_most(n: Dim, m: Dim) -> bool:
    return isinstance(n, int) and isinstance(m, int) and n <= m


def _divides(n: Dim, m: Dim) -> bool:
    return isinstance(n, int) and isinstance(m, int) and n > 0 and m % n == 0


def _unit_steps(*indices: Any) -> bool:
    return all(i.divisor == 1 and all(c == 1 for c in i.coefficients) for i in indices)


PREDICATES: dict[str, Predicate] = {
    "float": Predicate("dtype", None, _floats, "floating-point element types"),
    "integer": Predicate("dtype", None, _integers, "integer element types, i1 not among them"),
    "static": Predicate("size", None, _numbers, "sizes that are numbers"),
    "at_most": Predicate("size", 2, _at_most, "n <= m"),
    "divides": Predicate("size", 2, _divides, "n divides m"),
    "unit_steps": Predicate("index", None, _unit_steps, "index functions that step by 1"),
}


@dataclass(frozen=True)
class Condition:
    """`at_most(p + q, 4096)`."""

    predicate: str
    args: tuple[Dim, ...]

    def __str__(self) -> str:
        return f"{self.predicate}({', '.join(map(str, self.args))})"

    def holds(self, value: Callable[[Dim], Any]) -> bool:
        """`value` gives what an argument stands for in a match."""
        return PREDICATES[self.predicate].test(*map(value, self.args))

    def error(self, sorts: Mapping[str, str]) -> str | None:
        """What is wrong with it, given the sort of each variable; None if nothing is."""
        found = PREDICATES.get(self.predicate)
        if found is None:
            return f"expected a predicate ({', '.join(PREDICATES)}), found {self.predicate}"
        if not self.args or (found.arity is not None and len(self.args) != found.arity):
            return f"expected {found.arity or 'at least 1'} arguments of {self.predicate}, found {len(self.args)}"
        for arg in self.args:
            for name in arg.names() if isinstance(arg, Sym) else ():
                if (sort := sorts.get(name)) != found.sort:
                    has = f"a variable of sort {sort}" if sort else "a name that the left side does not bind"
                    return f"expected variables of sort {found.sort} in {self}, found {name}, {has}"
        return None


def parse_condition(parser: AttrParser) -> Condition:
    name = parser.parse_identifier("expected the name of a predicate")
    return Condition(name, tuple(parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: parse_dim(parser))))


@irdl_attr_definition
class WhereAttr(Data[tuple[Condition, ...]]):
    """`#graph.where<float(T), at_most(p + q, 4096)>`: all of them hold."""

    name = "graph.where"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Condition, ...]:
        return tuple(parser.parse_comma_separated_list(parser.Delimiter.ANGLE, lambda: parse_condition(parser)))

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(", ".join(map(str, self.data)))
