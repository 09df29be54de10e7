"""How the pretty syntax writes the types of an op's operands and results: `Types`, a function type, and shorter forms.

A shorter form prints a function type where its types do not fit, and tells the two apart by the next token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ComplexType, TensorType, TupleType
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

# pyright: reportPrivateUsage=false


def here(parser: Parser) -> MLIRTokenKind:
    """The kind of the token that comes next."""
    return parser._current_token.kind


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
