"""What every StableHLO and CHLO op is: a class made from one row, with its properties by name and its own syntax.

After parsing, the attributes that the specification defines are in `op.properties` under the specification's names,
whichever spelling the text had; all others are in `op.attributes`. Lists of dimensions are `array<i64: ...>` there,
also where an older text has a tensor. Classes are light: nothing is compiled when one is defined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, LocationAttr, i1, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import OpTrait, Pure

from .syntax import Syntax

MANY = -1
"""As a number of operands, results or regions: any."""


class HloOp(Operation):
    """An op of `stablehlo` or `chlo`."""

    OPERANDS: ClassVar[tuple[int, int]] = (0, 0)
    """The least and the largest number of operands; the largest is MANY where there is no limit."""
    RESULTS: ClassVar[tuple[int, int]] = (1, 1)
    REGIONS: ClassVar[tuple[int, int]] = (0, 0)
    PROPERTIES: ClassVar[Mapping[str, str]] = {}
    """Name -> kind of value, a key of `verify.KINDS`; a `?` behind it for those that may be missing."""
    RESULT_NAMES: ClassVar[tuple[str, ...]] = ()
    """The names that the results are printed with."""
    ARGUMENT_NAMES: ClassVar[tuple[str, ...]] = ()
    """The names that the arguments of the regions are printed with; the last one is for all that follow."""
    SYNTAX: ClassVar[Syntax | None] = None

    @classmethod
    def create(
        cls,
        *,
        operands: Sequence[SSAValue] = (),
        result_types: Sequence[Attribute] = (),
        properties: Mapping[str, Attribute] = {},
        attributes: Mapping[str, Attribute] = {},
        successors: Sequence[Block] = (),
        regions: Sequence[Region] = (),
        location: LocationAttr | None = None,
    ) -> Any:
        if attributes or properties:
            properties, attributes = cls.sorted_out(properties, attributes)
        return super().create(
            operands=operands,
            result_types=result_types,
            properties=properties,
            attributes=attributes,
            successors=successors,
            regions=regions,
            location=location,
        )

    @classmethod
    def sorted_out(
        cls, properties: Mapping[str, Attribute], attributes: Mapping[str, Attribute]
    ) -> tuple[dict[str, Attribute], dict[str, Attribute]]:
        """Properties and other attributes, wherever each was written; lists of numbers as arrays."""
        known = cls.PROPERTIES
        kept: dict[str, Attribute] = dict(properties)
        others: dict[str, Attribute] = {}
        for name, value in attributes.items():
            if name in known and name not in kept:
                kept[name] = value
            else:
                others[name] = value
        for name, value in kept.items():
            if isinstance(value, DenseIntOrFPElementsAttr) and known.get(name, "").startswith(("dims", "flags")):
                kept[name] = array_of(cast("DenseIntOrFPElementsAttr[Any]", value))
        return kept, others

    @classmethod
    def parse(cls, parser: Parser) -> Operation:
        if cls.SYNTAX is None:
            parser.raise_error(f'expected the generic form, "{cls.name}"(...), for the op has no other')
        return cls.SYNTAX.parse(cls, parser)

    def print(self, printer: Printer) -> None:
        assert self.SYNTAX is not None
        self.SYNTAX.print(self, printer)

    def verify_(self) -> None:
        from .verify import verify_op

        verify_op(self)


def array_of(value: DenseIntOrFPElementsAttr[Any]) -> Attribute:
    """`dense<[0, 1]> : tensor<2xi64>`, as older texts have it, as `array<i64: 0, 1>`."""
    shape = value.get_shape()
    if len(shape) != 1:
        return value
    numbers = list(value.get_values())
    if len(numbers) == 1:
        numbers *= shape[0]
    kind = i1 if value.get_element_type() == i1 else i64
    return DenseArrayBase.from_list(kind, [int(n) for n in numbers])  # pyright: ignore[reportArgumentType]


def between(count: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(count, tuple):
        return count
    return (0, MANY) if count == MANY else (count, count)


OPS: dict[str, type[HloOp]] = {}
"""Every op that is defined, by name."""


def op(
    name: str,
    operands: int | tuple[int, int] = 1,
    results: int | tuple[int, int] = 1,
    *,
    properties: str = "",
    regions: int | tuple[int, int] = 0,
    syntax: Syntax | None = None,
    names: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
    traits: Sequence[OpTrait] | None = None,
    doc: str = "",
) -> type[HloOp]:
    """Define an op. `properties` are `name:kind`, separated by blanks."""
    members: dict[str, Any] = {
        "name": name,
        "OPERANDS": between(operands),
        "RESULTS": between(results),
        "REGIONS": between(regions),
        "PROPERTIES": dict(p.split(":") for p in properties.split()),
        "SYNTAX": syntax,
        "RESULT_NAMES": names,
        "ARGUMENT_NAMES": arguments,
        "traits": traits_def(*((Pure(),) if traits is None else traits)),
        "__doc__": doc,
        "__module__": __name__,
    }
    if syntax is None:
        members["print"] = Operation.print
    title = "".join(part.capitalize() for part in name.partition(".")[2].replace("-", "_").split("_"))
    found = type(title + "Op", (HloOp,), members)
    assert name not in OPS, name
    OPS[name] = found
    return found
