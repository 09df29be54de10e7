"""`loop.load`: an element of a tensor that a stage reads whole, at computed positions."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IndexType, LocationAttr, TensorType
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..syntax import parse_operand
from .scoped import element_of, shape


@irdl_op_definition
class LoadOp(IRDLOperation):
    """`%v = loop.load %t[%i, %j]` in the body of a statement that reads `%t = %T[...]`.

    The positions are of type index and in range: whoever writes one has clamped or masked it.
    """

    name = "loop.load"
    source = operand_def(TensorType)
    positions = var_operand_def(IndexType)
    res = result_def()
    traits = traits_def(Pure())

    @staticmethod
    def make(source: SSAValue, positions: Sequence[SSAValue], location: LocationAttr | None = None) -> LoadOp:
        return LoadOp.create(operands=[source, *positions], result_types=[element_of(source)], location=location)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string("[")
        printer.print_list(self.positions, printer.print_ssa_value)
        printer.print_string("]")

    @classmethod
    def parse(cls, parser: Parser) -> LoadOp:
        source = parse_operand(parser)
        names = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_unresolved_operand)
        positions = [parser.resolve_operand(n, IndexType()) for n in names]
        return LoadOp.make(source, positions)

    def verify_(self) -> None:
        from .verify import fail

        parent = self.parent
        if parent is None or self.source.owner is not parent:
            fail(self, "load: expected a tensor that the statement reads whole, found one from elsewhere")
        if len(self.positions) != len(shape(self.source)):
            want = len(shape(self.source))
            fail(self, f"load: expected {want} positions, one for each dimension, found {len(self.positions)}")
        if self.res.type != element_of(self.source):
            fail(self, f"load: expected result type {element_of(self.source)}, found {self.res.type}")
