"""Elementwise ops: one element of each operand gives one of the result."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, StringAttr
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

from .op import op
from .syntax import Syntax, build, parse_operands, print_dictionary, print_operands
from .syntax_clauses import Format, Properties, spaced
from .syntax_types import COMPLEX, FUNCTION, SAME, SELECT, here
from .words import ComparisonDirection, ComparisonType

PLAIN = Syntax(SAME)

for name in (
    "abs",
    "ceil",
    "convert",
    "count_leading_zeros",
    "floor",
    "imag",
    "negate",
    "not",
    "popcnt",
    "real",
    "round_nearest_afz",
    "round_nearest_even",
    "sign",
    "uniform_dequantize",
    "uniform_quantize",
):
    op(f"stablehlo.{name}", 1, syntax=PLAIN)
for name in (
    "cbrt",
    "cosine",
    "exponential",
    "exponential_minus_one",
    "log",
    "log_plus_one",
    "logistic",
    "rsqrt",
    "sine",
    "sqrt",
    "tan",
    "tanh",
):
    op(f"stablehlo.{name}", 1, properties="result_accuracy:accuracy?", syntax=PLAIN)
for name in (
    "add",
    "and",
    "atan2",
    "divide",
    "maximum",
    "minimum",
    "multiply",
    "or",
    "power",
    "remainder",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "subtract",
    "xor",
):
    op(f"stablehlo.{name}", 2, syntax=PLAIN)

COMMUTATIVE = frozenset(f"stablehlo.{n}" for n in ("add", "and", "maximum", "minimum", "multiply", "or", "xor"))
"""What the short form of a reduction may name."""

op("stablehlo.complex", 2, syntax=Syntax(COMPLEX))
op("stablehlo.is_finite", 1, syntax=Syntax(FUNCTION))
op("stablehlo.bitcast_convert", 1, syntax=Syntax(FUNCTION))
op("stablehlo.clamp", 3, syntax=PLAIN)
op("stablehlo.select", 3, syntax=Syntax(SELECT))
op(
    "stablehlo.reduce_precision",
    1,
    properties="exponent_bits:int mantissa_bits:int",
    syntax=Syntax(SAME, Format("format", "")),
)


class Compare(Syntax):
    """`LT, %a, %b, FLOAT`; older printers have two blanks before each word."""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        properties: Properties = {"comparison_direction": ComparisonDirection(ComparisonDirection.parse_word(parser))}
        parser.parse_punctuation(",")
        operands, comma = parse_operands(parser)
        if comma:
            properties["compare_type"] = ComparisonType(ComparisonType.parse_word(parser))
        return self.finish(cls, parser, operands, properties)

    def print(self, op: Operation, printer: Printer) -> None:
        blank = spaced(printer)
        direction = op.properties["comparison_direction"]
        assert isinstance(direction, ComparisonDirection)
        printer.print_string(f" {blank}{direction.data},")
        print_operands(printer, op)
        kind = op.properties.get("compare_type")
        if isinstance(kind, ComparisonType):
            printer.print_string(f", {blank}{kind.data}")
        print_dictionary(op, printer, frozenset(("comparison_direction", "compare_type")))
        printer.print_string(" : ")
        self.types.print(printer, op)


op(
    "stablehlo.compare",
    2,
    properties="comparison_direction:comparison_direction compare_type:comparison_type?",
    syntax=Compare(FUNCTION),
)


class Constant(Syntax):
    """`{a = 1 : i32} dense<0> : tensor<4xi32>`: the dictionary stands first."""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        attributes = parser.parse_optional_attr_dict() if here(parser) is MLIRTokenKind.L_BRACE else {}
        at = parser.pos
        value: Attribute = parser.parse_attribute()
        kind: Attribute | None = value.get_type() if hasattr(value, "get_type") else None  # pyright: ignore
        if parser.parse_optional_punctuation("->") is not None:
            kind = parser.parse_type()
        if kind is None:
            parser.raise_error(f"expected the value of a tensor, found {value}", at, parser.pos)
        return build(cls, parser, at, (), (), [cast(Attribute, kind)], {"value": value}, attributes)

    def print(self, op: Operation, printer: Printer) -> None:
        print_dictionary(op, printer, frozenset(("value",)))
        printer.print_string(" ")
        value = op.properties["value"]
        printer.print_attribute(value)
        if not isinstance(value, DenseIntOrFPElementsAttr) and isinstance(value, StringAttr):
            printer.print_string(" -> ")
            printer.print_attribute(op.results[0].type)


op("stablehlo.constant", 0, properties="value:any", syntax=Constant())
