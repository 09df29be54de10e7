"""`Chlo`: special functions, implicit broadcasting and other compositions, with the syntax that JAX prints."""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Attribute, Dialect, Operation, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import RecursiveMemoryEffect

from ..stablehlo import words
from ..stablehlo.dimension_numbers import DimensionNumbers, dimensions
from ..stablehlo.elementwise import Constant
from ..stablehlo.op import MANY, OPS, op
from ..stablehlo.syntax import Syntax, print_dictionary
from ..stablehlo.syntax_types import ARROW, FUNCTION
from ..stablehlo.words import Word


@irdl_attr_definition
class ComparisonDirection(Word, SpacedOpaqueSyntaxAttribute):
    name = "chlo.comparison_direction"
    WORDS = words.ComparisonDirection.WORDS


@irdl_attr_definition
class ComparisonType(Word, SpacedOpaqueSyntaxAttribute):
    name = "chlo.comparison_type"
    WORDS = words.ComparisonType.WORDS


@irdl_attr_definition
class Precision(Word, SpacedOpaqueSyntaxAttribute):
    name = "chlo.precision"
    WORDS = words.Precision.WORDS


@irdl_attr_definition
class RaggedDotDimensionNumbers(DimensionNumbers):
    name = "chlo.ragged_dot"
    lhs_batching_dimensions = dimensions()
    rhs_batching_dimensions = dimensions()
    lhs_contracting_dimensions = dimensions()
    rhs_contracting_dimensions = dimensions()
    lhs_ragged_dimensions = dimensions()
    rhs_group_dimensions = dimensions()


ARROWS = Syntax(ARROW)

for name in (
    "_asin_acos_kernel",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bessel_i1e",
    "conj",
    "cosh",
    "digamma",
    "erf",
    "erf_inv",
    "erfc",
    "is_inf",
    "is_neg_inf",
    "is_pos_inf",
    "lgamma",
    "sinh",
    "square",
    "tan",
):
    op(f"chlo.{name}", 1, syntax=ARROWS)
for name in ("mulhi", "next_after", "polygamma", "zeta"):
    op(f"chlo.{name}", 2, syntax=ARROWS)

BROADCAST = Syntax(FUNCTION)
for name in (
    "add",
    "and",
    "atan2",
    "complex",
    "divide",
    "maximum",
    "minimum",
    "multiply",
    "next_after",
    "or",
    "polygamma",
    "power",
    "remainder",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "subtract",
    "xor",
    "zeta",
):
    op(f"chlo.broadcast_{name}", 2, properties="broadcast_dimensions:dims?", syntax=BROADCAST)
op(
    "chlo.broadcast_compare",
    2,
    properties="broadcast_dimensions:dims? comparison_direction:any compare_type:any?",
    syntax=BROADCAST,
)
op("chlo.broadcast_select", 3, syntax=BROADCAST)
op("chlo.constant", 0, properties="value:any", syntax=Constant())
op("chlo.constant_like", 1, properties="value:any")
op("chlo.ragged_dot", 3, properties="ragged_dot_dimension_numbers:any precision_config:any?")


class TopK(Syntax):
    """`(%x, k = 2) : T -> (T, U)`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        parser.parse_punctuation("(")
        operands = [parser.parse_unresolved_operand()]
        parser.parse_punctuation(",")
        parser.parse_keyword("k")
        parser.parse_punctuation("=")
        count = parser.parse_integer(False)
        parser.parse_punctuation(")")
        return self.finish(cls, parser, operands, {"k": IntegerAttr(count, i64)})

    def print(self, op: Operation, printer: Printer) -> None:
        printer.print_string("(")
        printer.print_list(op.operands, printer.print_ssa_value)
        printer.print_string(f", k = {cast('IntegerAttr[Any]', op.properties['k']).value.data})")
        print_dictionary(op, printer, frozenset(("k",)))
        printer.print_string(" : ")
        self.types.print(printer, op)


op("chlo.top_k", 1, 2, properties="k:int", syntax=TopK(ARROW), names=("values", "indices"))
op(
    "chlo.scan",
    (0, MANY),
    (0, MANY),
    properties="dimension:int scan_dim_size:int? is_reverse:bool? is_associative:bool? "
    "operandSegmentSizes:any? resultSegmentSizes:any?",
    regions=1,
    traits=(RecursiveMemoryEffect(),),
)

ATTRIBUTES: list[type[Attribute]] = [ComparisonDirection, ComparisonType, Precision, RaggedDotDimensionNumbers]

Chlo = Dialect("chlo", [c for n, c in OPS.items() if n.startswith("chlo.")], ATTRIBUTES)
