"""Dimension numbers: what each dimension of the operands is for, in dot_general, gather, scatter and convolution.

They are classes whose fields, tuples of ints, have the specification's names; empty lists are not printed.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Generic, TypeVar, overload

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

F = TypeVar("F")


class Field(Generic[F]):
    """A field of `DimensionNumbers`, read by its name: a list of dimensions, or one number, 0 unless it is said."""

    def __init__(self, number: bool) -> None:
        self.number = number

    def __set_name__(self, owner: type[DimensionNumbers], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[DimensionNumbers]) -> Field[F]: ...
    @overload
    def __get__(self, instance: DimensionNumbers, owner: type[DimensionNumbers]) -> F: ...
    def __get__(self, instance: DimensionNumbers | None, owner: type[DimensionNumbers]) -> Any:
        if instance is None:
            return self
        value = instance.data[owner.FIELDS.index(self.name)]
        return (*value, 0)[0] if self.number else value


def dimensions() -> Field[tuple[int, ...]]:
    return Field(number=False)


def number() -> Field[int]:
    return Field(number=True)


class DimensionNumbers(Data[tuple[tuple[int, ...], ...]]):
    """Lists of dimensions by name, in the order of the class's fields; a number is kept as a list of it."""

    FIELDS: ClassVar[tuple[str, ...]] = ()
    NUMBERS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own: dict[str, Any] = {n: f for n, f in vars(cls).items() if isinstance(f, Field)}
        if own:
            cls.FIELDS = tuple(own)  # pyright: ignore[reportConstantRedefinition]
            cls.NUMBERS = tuple(n for n, f in own.items() if f.number)  # pyright: ignore[reportConstantRedefinition]

    @classmethod
    def of(cls: type[D], **fields: Any) -> D:
        """From fields by name; those that are missing are empty."""
        wrong = [f for f in fields if f not in cls.FIELDS]
        assert not wrong, wrong
        return cls(tuple(_listed(fields.get(f, ()), f in cls.NUMBERS) for f in cls.FIELDS))

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[int, ...], ...]:
        found: dict[str, tuple[int, ...]] = {}

        def pair() -> None:
            at = parser.pos
            name = parser.parse_optional_identifier()
            if name not in cls.FIELDS or name in found:
                left = [f for f in cls.FIELDS if f not in found]
                parser.raise_error(f"expected one of {', '.join(left)}, found {name}", at, parser.pos)
            parser.parse_punctuation("=")
            found[name] = (parser.parse_integer(False),) if name in cls.NUMBERS else parse_ints(parser)

        parse_pairs(parser, pair)
        return tuple(_listed(found.get(f, ()), False) for f in cls.FIELDS)

    def print_parameter(self, printer: Printer) -> None:
        shown: list[str] = []
        for name, value in zip(self.FIELDS, self.data, strict=True):
            if value:
                shown.append(f"{name} = {value[0] if name in self.NUMBERS else ints_text(value)}")
        printer.print_string("<" + ", ".join(shown) + ">")


D = TypeVar("D", bound=DimensionNumbers)


def _listed(value: Any, number: bool) -> tuple[int, ...]:
    """A number of 0 is not kept, so that leaving it out and saying 0 is the same attribute."""
    if number:
        return (value,) if isinstance(value, int) and value else ()
    return tuple(value)


_INTS = re.compile(r"\[((?:-?[0-9]{1,18}(?:, (?=[-0-9]))?)*)\]", re.ASCII)
"""A list of numbers without anything else in it, as printers write it."""


def parse_ints(parser: AttrParser) -> tuple[int, ...]:
    """`[0, 1]`."""
    at = parser.pos
    if (found := _INTS.match(parser.lexer.input.content, at)) is not None:
        parser._resume_from(found.end())  # pyright: ignore[reportPrivateUsage]
        return tuple(map(int, found[1].split(","))) if found[1] else ()
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(False)))


def ints_text(values: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, values)) + "]"


def parse_pairs(parser: AttrParser, pair: Any) -> None:
    """`<a = 1, b = 2,>`, in which a comma may stand last, as some printers leave it."""
    parser.parse_punctuation("<")
    while parser.parse_optional_punctuation(">") is None:
        pair()
        if parser.parse_optional_punctuation(",") is None:
            parser.parse_punctuation(">")
            return


@irdl_attr_definition
class DotDimensionNumbers(DimensionNumbers):
    name = "stablehlo.dot"
    lhs_batching_dimensions = dimensions()
    rhs_batching_dimensions = dimensions()
    lhs_contracting_dimensions = dimensions()
    rhs_contracting_dimensions = dimensions()


@irdl_attr_definition
class GatherDimensionNumbers(DimensionNumbers):
    name = "stablehlo.gather"
    offset_dims = dimensions()
    collapsed_slice_dims = dimensions()
    operand_batching_dims = dimensions()
    start_indices_batching_dims = dimensions()
    start_index_map = dimensions()
    index_vector_dim = number()


@irdl_attr_definition
class ScatterDimensionNumbers(DimensionNumbers):
    name = "stablehlo.scatter"
    update_window_dims = dimensions()
    inserted_window_dims = dimensions()
    input_batching_dims = dimensions()
    scatter_indices_batching_dims = dimensions()
    scatter_dims_to_operand_dims = dimensions()
    index_vector_dim = number()


CONV_LETTERS = (("b", "f"), ("i", "o"), ("b", "f"))
"""The letters of the two dimensions that are not spatial, in the input, the kernel and the output."""


@irdl_attr_definition
class ConvDimensionNumbers(DimensionNumbers):
    """`[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]`: where each dimension lies."""

    name = "stablehlo.conv"
    input_batch_dimension = number()
    input_feature_dimension = number()
    input_spatial_dimensions = dimensions()
    kernel_input_feature_dimension = number()
    kernel_output_feature_dimension = number()
    kernel_spatial_dimensions = dimensions()
    output_batch_dimension = number()
    output_feature_dimension = number()
    output_spatial_dimensions = dimensions()

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[tuple[int, ...], ...]:
        parser.parse_punctuation("<")
        if parser.parse_optional_keyword("raw") is not None:
            found: dict[str, Any] = {}
            while parser.parse_optional_punctuation(">") is None:
                name = parser.parse_identifier()
                if name not in cls.FIELDS:
                    parser.raise_error(f"expected one of {', '.join(cls.FIELDS)}, found {name}")
                parser.parse_punctuation("=")
                found[name] = parser.parse_integer(False) if name in cls.NUMBERS else parse_ints(parser)
                parser.parse_optional_punctuation(",")
            return cls.of(**found).data
        data = cls.parse_layout(parser)
        parser.parse_punctuation(">")
        return data

    @classmethod
    def parse_layout(cls, parser: AttrParser) -> tuple[tuple[int, ...], ...]:
        """The text without brackets, which the convolution's own syntax has too."""
        first = _parse_layout(parser, CONV_LETTERS[0])
        parser.parse_shape_delimiter()
        second = _parse_layout(parser, CONV_LETTERS[1])
        parser.parse_punctuation("->")
        third = _parse_layout(parser, CONV_LETTERS[2])
        return (*first, *second, *third)

    @property
    def text(self) -> str:
        parts = [
            _layout_text(self.data[at : at + 3], letters) for at, letters in zip((0, 3, 6), CONV_LETTERS, strict=True)
        ]
        return f"{parts[0]}x{parts[1]}->{parts[2]}"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.text}>")


def _parse_layout(parser: AttrParser, letters: tuple[str, str]) -> tuple[tuple[int, ...], ...]:
    where: dict[str | int, int] = {}

    def dimension() -> str | int:
        at = parser.pos
        found = parser.parse_optional_integer(False, False)
        if found is None:
            found = parser.parse_optional_keyword_in(letters)
        if found is None or found in where:
            parser.raise_error(f"expected each of {letters[0]}, {letters[1]} and the spatial dimensions once", at)
        where[found] = len(where)
        return found

    at = parser.pos
    parser.parse_comma_separated_list(parser.Delimiter.SQUARE, dimension)
    spatial = [where[n] for n in range(len(where) - 2) if n in where]
    if len(spatial) != len(where) - 2 or any(n not in where for n in letters):
        parser.raise_error(f"expected each of {letters[0]}, {letters[1]} and the spatial dimensions once", at)
    return (*(_listed(where[n], True) for n in letters), tuple(spatial))


def _layout_text(fields: tuple[tuple[int, ...], ...], letters: tuple[str, str]) -> str:
    where = {(*fields[k], 0)[0]: letters[k] for k in (0, 1)}
    where |= {at: str(n) for n, at in enumerate(fields[2])}
    return "[" + ", ".join(where[at] for at in sorted(where)) + "]"
