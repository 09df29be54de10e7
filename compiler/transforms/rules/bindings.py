"""What a match binds, and what a rule's types and properties become under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xdsl.dialects.builtin import FloatAttr, StringAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from ....dialects.nd import dimmap
from ....dialects.nd.attributes import DimsAttr, DTypeVar, dims_attr
from ....dialects.nd.dimmap import DimMap, Index
from ....dialects.nd.dims import Dim, FloorDiv, Sym, symbol
from ....dialects.nd.mapped import Mapped, text
from ....dialects.nd.types import Type, element, scalar, shape_of, tensor


@dataclass(frozen=True)
class IndexFunction:
    """An affine index of named parameters: sum of coefficient * parameter + offset, over divisor."""

    coefficients: tuple[int, ...]
    offset: Dim = 0
    divisor: int = 1

    def at(self, parameters: tuple[str, ...]) -> Index:
        terms = tuple((n, c) for n, c in zip(parameters, self.coefficients, strict=True) if c)
        return Index(terms, self.offset, self.divisor)


@dataclass
class Bindings:
    """The variables of a rule by sort, and the ops that the left side stands for."""

    values: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])
    sizes: dict[str, Dim] = field(default_factory=dict[str, Dim])
    dtypes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    indices: dict[str, IndexFunction] = field(default_factory=dict[str, IndexFunction])
    ops: dict[Operation, Operation] = field(default_factory=dict[Operation, Operation])
    """Program op -> pattern op."""
    later: list[tuple[Dim, Dim]] = field(default_factory=list[tuple[Dim, Dim]])
    """Sizes of the pattern whose symbols are bound elsewhere, with what they must be."""

    def copy(self) -> Bindings:
        return Bindings(
            dict(self.values), dict(self.sizes), dict(self.dtypes), dict(self.indices), dict(self.ops), list(self.later)
        )

    def take(self, other: Bindings) -> None:
        self.__dict__.update(other.__dict__)

    # Substitution.

    def size(self, d: Dim) -> Dim:
        return substitute(d, self.sizes)

    def dtype(self, dtype: Attribute) -> Attribute:
        return self.dtypes[dtype.data] if isinstance(dtype, DTypeVar) else dtype

    def type(self, t: Attribute) -> Type:
        return tensor(tuple(map(self.size, shape_of(t))), self.dtype(element(t)))

    def map(self, map_: DimMap) -> DimMap:
        def index(i: Index) -> Index:
            return self.indices[i.function].at(tuple(n for n, _ in i.terms)) if i.function else i

        operands = tuple(tuple(map(index, dims)) for dims in map_.operands)
        return DimMap(operands, tuple(map(index, map_.result)))

    def properties(self, op: Operation) -> dict[str, Attribute]:
        """The op's properties with every variable replaced."""
        return {name: self._property(op, name, attribute) for name, attribute in op.properties.items()}

    def _property(self, op: Operation, name: str, attribute: Attribute) -> Attribute:
        match attribute:
            case TensorType():
                return self.type(attribute)  # pyright: ignore[reportUnknownArgumentType]
            case DTypeVar():
                return self.dtype(attribute)
            case DimsAttr():
                return dims_attr(map(self.size, attribute.data))
            case StringAttr() if name == "map" and isinstance(op, Mapped):
                return text(self.map(dimmap.parse(attribute.data)))
            case FloatAttr() if isinstance(dtype := element(op.results[0].type), DTypeVar):
                return scalar(attribute.value.data, self.dtype(dtype))
            case _:
                return attribute

    def argument(self, arg: Dim) -> Any:
        """What an argument of a condition stands for: an element type, an index function, or a size."""
        if isinstance(arg, Sym) and arg.is_symbol():
            (name,) = arg.names()
            if name in self.dtypes:
                return self.dtypes[name]
            if name in self.indices:
                return self.indices[name]
        return self.size(arg)


def substitute(d: Dim, sizes: Mapping[str, Dim]) -> Dim:
    """The expression with symbols replaced; unbound ones stay."""
    if isinstance(d, int):
        return d
    out: Dim = 0
    for atoms, c in d.terms:
        term: Dim = c
        for a in atoms:
            value = substitute(a.num, sizes) // a.den if isinstance(a, FloorDiv) else sizes.get(a, symbol(a))
            term = value * term
        out = term + out
    return out
