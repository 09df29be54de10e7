"""The pretty syntax of ops: operands, clauses, an attribute dictionary, types.

    stablehlo.pad %x, %v, low = [0], high = [1], interior = [0] {a = 1 : i32} : (tensor<2xf32>, tensor<f32>) -> ...
                  ------  ------------------------------------  ------------  ----------------------------------------
                  operands            clauses                    dictionary        types

`Syntax` does what most ops have. A clause says how one property is written; `Types` how the types are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BoolAttr,
    ComplexType,
    DenseArrayBase,
    IntegerAttr,
    StringAttr,
    TensorType,
    TupleType,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

from .dimension_numbers import DotDimensionNumbers, ints_text, parse_ints
from .records import DotAlgorithm, ResultAccuracy
from .words import Precision, Word

# pyright: reportPrivateUsage=false

Properties = dict[str, Attribute]


def here(parser: Parser) -> MLIRTokenKind:
    """The kind of the token that comes next."""
    return parser._current_token.kind


def parse_operands(parser: Parser) -> tuple[list[UnresolvedOperand], bool]:
    """`%a, %b`, and whether a comma behind them was read too."""
    out: list[UnresolvedOperand] = []
    if here(parser) is not MLIRTokenKind.PERCENT_IDENT:
        return out, False
    while True:
        out.append(parser.parse_unresolved_operand())
        if parser._parse_optional_token(MLIRTokenKind.COMMA) is None:
            return out, False
        if here(parser) is not MLIRTokenKind.PERCENT_IDENT:
            return out, True


def print_operands(printer: Printer, op: Operation) -> None:
    if op.operands:
        printer.print_string(" ")
        printer.print_list(op.operands, printer.print_ssa_value)


# Clauses


@dataclass(frozen=True)
class Clause:
    """`, key = value`, the value of the property `name`."""

    key: str
    name: str
    optional: bool = False

    def parse_value(self, parser: Parser, found: Properties) -> None:
        found[self.name] = self.read(parser)

    def read(self, parser: Parser) -> Attribute:
        raise NotImplementedError

    def text(self, value: Any) -> str:
        raise NotImplementedError

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_string(self.text(op.properties[self.name]))

    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def present(self, op: Operation) -> bool:
        return self.name in op.properties


class Ints(Clause):
    """`[0, 1]`"""

    def read(self, parser: Parser) -> Attribute:
        return int_array(parse_ints(parser))

    def text(self, value: Any) -> str:
        return ints_text(value.get_values())


class Int(Clause):
    def read(self, parser: Parser) -> Attribute:
        return IntegerAttr(parser.parse_integer(False), i64)

    def text(self, value: Any) -> str:
        return str(value.value.data)


class Bool(Clause):
    def read(self, parser: Parser) -> Attribute:
        return BoolAttr.from_bool(parser.parse_boolean())

    def text(self, value: Any) -> str:
        return "true" if value.value.data else "false"


class String(Clause):
    def read(self, parser: Parser) -> Attribute:
        return StringAttr(parser.parse_str_literal())

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, StringAttr)
        printer.print_string_literal(value.data)


@dataclass(frozen=True)
class Enumeration(Clause):
    """A word, with a blank more before it than elsewhere (see `spaced`)."""

    kind: type[Word] = Word

    def read(self, parser: Parser) -> Attribute:
        return self.kind(self.kind.parse_word(parser))

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, Word)
        printer.print_string(spaced(printer) + value.data)


class Format(Clause):
    """`e5m10`: the bits of exponent and mantissa."""

    def parse_value(self, parser: Parser, found: Properties) -> None:
        at = parser.pos
        word = parser.parse_identifier()
        exponent, _, mantissa = word[1:].partition("m")
        if word[0] != "e" or not exponent.isdecimal() or not mantissa.isdecimal():
            parser.raise_error(f"expected a format such as e5m10, found {word}", at, parser.pos)
        found["exponent_bits"] = IntegerAttr(int(exponent), i32)
        found["mantissa_bits"] = IntegerAttr(int(mantissa), i32)

    def print(self, printer: Printer, op: Operation) -> None:
        exponent, mantissa = (cast(Any, op.properties[n]).value.data for n in self.names())
        printer.print_string(f"e{exponent}m{mantissa}")

    def names(self) -> tuple[str, ...]:
        return ("exponent_bits", "mantissa_bits")

    def present(self, op: Operation) -> bool:
        return all(n in op.properties for n in self.names())


class Precisions(Clause):
    """`[DEFAULT, HIGHEST]`"""

    def read(self, parser: Parser) -> Attribute:
        words = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: Precision.parse_word(parser))
        return ArrayAttr([Precision(w) for w in words])

    def text(self, value: Any) -> str:
        return "[" + ", ".join(v.data for v in value.data) + "]"

    def present(self, op: Operation) -> bool:
        value = op.properties.get(self.name)
        return isinstance(value, ArrayAttr) and len(cast(ArrayAttr[Attribute], value)) > 0


class Pair(Clause):
    """`[0] x [1]`: the lists `lhs_` and `rhs_` of a dot's dimension numbers."""

    def parse_value(self, parser: Parser, found: Properties) -> None:
        left = parse_ints(parser)
        parser.parse_shape_delimiter()
        right = parse_ints(parser)
        before = found.get(self.name)
        fields: dict[str, Any] = {}
        if isinstance(before, DotDimensionNumbers):
            fields = dict(zip(DotDimensionNumbers.FIELDS, before.data, strict=True))
        what = self.key.replace("_dims", "_dimensions")
        found[self.name] = DotDimensionNumbers.of(**fields | {f"lhs_{what}": left, f"rhs_{what}": right})

    def lists(self, op: Operation) -> tuple[tuple[int, ...], tuple[int, ...]]:
        value = op.properties.get(self.name)
        what = self.key.replace("_dims", "_dimensions")
        return (getattr(value, f"lhs_{what}"), getattr(value, f"rhs_{what}")) if is_dot(value) else ((), ())

    def print(self, printer: Printer, op: Operation) -> None:
        left, right = self.lists(op)
        printer.print_string(f"{ints_text(left)} x {ints_text(right)}")

    def present(self, op: Operation) -> bool:
        return not self.optional or any(self.lists(op))


class Algorithm(Clause):
    """`<lhs_precision_type = f32, ...>`"""

    def read(self, parser: Parser) -> Attribute:
        return DotAlgorithm(DotAlgorithm.parse_parameter(parser))

    def print(self, printer: Printer, op: Operation) -> None:
        value = op.properties[self.name]
        assert isinstance(value, DotAlgorithm)
        value.print_parameter(printer)


def is_dot(value: Attribute | None) -> Any:
    return isinstance(value, DotDimensionNumbers)


def int_array(values: Sequence[int]) -> DenseArrayBase:
    return _int_array(tuple(values))


@lru_cache(4096)
def _int_array(values: tuple[int, ...]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


def spaced(printer: Printer) -> str:
    """The blank that older printers put before enumerations."""
    return " " if getattr(printer, "wide", True) else ""


# Types


class Types:
    """`(T, U) -> V`: the types of operands and results as a function type."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        found = parser.parse_function_type()
        return found.inputs.data, found.outputs.data

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_function_type([o.type for o in op.operands], [r.type for r in op.results])


FUNCTION = Types()


class Same(Types):
    """`T` for every operand and the result, else a function type."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        if here(parser) is MLIRTokenKind.L_PAREN:
            return super().parse(parser, count)
        found = parser.parse_type()
        return [found] * count, [found]

    def print(self, printer: Printer, op: Operation) -> None:
        result = op.results[0].type
        for o in op.operands:
            if o.type is not result and o.type != result:
                return super().print(printer, op)
        printer.print_attribute(result)


SAME = Same()


class Select(Types):
    """`P, T`: the types of the condition and of the rest."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        if here(parser) is MLIRTokenKind.L_PAREN:
            return super().parse(parser, count)
        condition = parser.parse_type()
        parser.parse_punctuation(",")
        rest = parser.parse_type()
        return [condition, rest, rest], [rest]

    def print(self, printer: Printer, op: Operation) -> None:
        result = op.results[0].type
        if len(op.operands) != 3 or any(o.type != result for o in op.operands[1:]):
            return super().print(printer, op)
        printer.print_attribute(op.operands[0].type)
        printer.print_string(", ")
        printer.print_attribute(result)


SELECT = Select()


class Complex(Types):
    """`tensor<4xcomplex<f32>>`: the result's type, whose parts the operands have."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        if here(parser) is MLIRTokenKind.L_PAREN:
            return super().parse(parser, count)
        found = parser.parse_type()
        part = real_type(found)
        if part is None:
            parser.raise_error(f"expected a tensor of complex numbers, found {found}")
        return [part] * count, [found]

    def print(self, printer: Printer, op: Operation) -> None:
        result = op.results[0].type
        part = real_type(result)
        if part is None or any(o.type != part for o in op.operands):
            return super().print(printer, op)
        printer.print_attribute(result)


def real_type(of: Attribute) -> Attribute | None:
    """The tensor type of the real parts; None of anything that is not complex."""
    if isinstance(of, TensorType):
        tensor = cast("TensorType[Any]", of)
        element: Any = tensor.element_type
        if isinstance(element, ComplexType):
            return TensorType[Any](cast(Any, element).element_type, tensor.get_shape(), tensor.encoding)
    return None


COMPLEX = Complex()


class Each(Types):
    """`T, U`: the types of the operands, which the results have too."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        found = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        return found, found

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_list([o.type for o in op.operands], printer.print_attribute)


EACH = Each()


class Tuple(Types):
    """`tuple<T, U>`: the result's type."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        found = parser.parse_type()
        if not isinstance(found, TupleType):
            parser.raise_error(f"expected a tuple type, found {found}")
        return list(found.types), [found]

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_attribute(op.results[0].type)


TUPLE = Tuple()


class Arrow(Types):
    """`T, U -> V`, as CHLO has it."""

    def parse(self, parser: Parser, count: int) -> tuple[Sequence[Attribute], Sequence[Attribute]]:
        inputs = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_punctuation("->")
        outputs = parser.parse_optional_comma_separated_list(parser.Delimiter.PAREN, parser.parse_type)
        return inputs, [parser.parse_type()] if outputs is None else outputs

    def print(self, printer: Printer, op: Operation) -> None:
        printer.print_list([o.type for o in op.operands], printer.print_attribute)
        printer.print_string(" -> ")
        if len(op.results) == 1:
            printer.print_attribute(op.results[0].type)
        else:
            with printer.in_parens():
                printer.print_list([r.type for r in op.results], printer.print_attribute)


ARROW = Arrow()


# An op


class Syntax:
    """Operands, clauses, dictionary, types."""

    def __init__(self, types: Types = FUNCTION, *clauses: Clause) -> None:
        self.types = types
        self.clauses = clauses
        self.shown = frozenset(n for c in clauses for n in c.names())

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands, comma = parse_operands(parser)
        properties: Properties = {}
        if self.clauses:
            self.parse_clauses(parser, properties, comma or not operands)
        return self.finish(cls, parser, operands, properties)

    def parse_clauses(self, parser: Parser, properties: Properties, started: bool) -> None:
        left = list(self.clauses)
        while started or parser.parse_optional_punctuation(",") is not None:
            started = False
            at = parser.pos
            key = parser.parse_optional_identifier()
            while left and left[0].key != key and left[0].optional:
                del left[0]
            if not left or left[0].key != key:
                expected = " or ".join(c.key for c in left) or "no more"
                parser.raise_error(f"expected {expected}, found {key}", at, parser.pos)
            parser.parse_punctuation("=")
            left.pop(0).parse_value(parser, properties)
        if missing := [c.key for c in left if not c.optional]:
            parser.raise_error(f"expected {missing[0]} = ...")

    def finish(
        self, cls: type[Operation], parser: Parser, operands: list[UnresolvedOperand], properties: Properties
    ) -> Operation:
        """Read dictionary and types, then build the op."""
        attributes = parser.parse_optional_attr_dict() if here(parser) is MLIRTokenKind.L_BRACE else {}
        at = parser.pos
        parser.parse_punctuation(":")
        inputs, outputs = self.types.parse(parser, len(operands))
        return build(cls, parser, at, operands, inputs, outputs, properties, attributes)

    def print(self, op: Operation, printer: Printer) -> None:
        print_operands(printer, op)
        self.print_clauses(op, printer)
        print_dictionary(op, printer, self.shown)
        printer.print_string(" : ")
        self.types.print(printer, op)

    def print_clauses(self, op: Operation, printer: Printer) -> None:
        first = not op.operands
        for clause in self.clauses:
            if clause.present(op):
                printer.print_string(f"{' ' if first else ', '}{clause.key} = ")
                clause.print(printer, op)
                first = False


def build(
    cls: type[Operation],
    parser: Parser,
    at: int,
    operands: Sequence[UnresolvedOperand],
    inputs: Sequence[Attribute],
    outputs: Sequence[Attribute],
    properties: Properties,
    attributes: Mapping[str, Attribute],
    regions: Sequence[Any] = (),
) -> Operation:
    if len(inputs) != len(operands):
        parser.raise_error(f"expected {len(operands)} types of operands, found {len(inputs)}", at, parser.pos)
    values = [parser.resolve_operand(o, t) for o, t in zip(operands, inputs, strict=True)]
    return cls.create(
        operands=values, result_types=outputs, properties=properties, attributes=attributes, regions=regions
    )


Elided = Callable[[Any], bool]

ELIDED: dict[str, Elided] = {"result_accuracy": lambda value: isinstance(value, ResultAccuracy) and value.is_default}
"""Properties that the dictionary does not show where they have their default value."""


def print_dictionary(
    op: Operation,
    printer: Printer,
    shown: frozenset[str] = frozenset(),
    elided: Mapping[str, Elided] = ELIDED,
    keyword: bool = False,
) -> None:
    """What the syntax has not shown yet: properties and attributes."""
    if not op.attributes and len(op.properties) <= len(shown) and shown.issuperset(op.properties):
        return
    left = {n: v for n, v in op.properties.items() if n not in shown and not (n in elided and elided[n](v))}
    left |= op.attributes
    printer.print_op_attributes(dict(sorted(left.items())), print_keyword=keyword)
