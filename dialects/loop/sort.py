"""`loop.sort`: the lines of one dimension in order, as values or as the positions they come from."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from xdsl.dialects.builtin import LocationAttr, TensorType, UnitAttr, i64
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, opt_prop_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..nd.types import tensor
from ..syntax import parse_operand
from .attributes import ExtentAttr
from .scoped import element_of, shape

FLAGS = ("descending", "unsigned", "positions")


@irdl_op_definition
class SortOp(IRDLOperation):
    """`%r = loop.sort %x along 1 descending`: stable; -0 and +0 are equal, NaN is last in either order.

    `unsigned` compares integers as such; `positions` gives where each element comes from, as i64, and no values.
    """

    name = "loop.sort"
    x = operand_def(TensorType)
    axis = prop_def(ExtentAttr)
    descending = opt_prop_def(UnitAttr)
    unsigned = opt_prop_def(UnitAttr)
    positions = opt_prop_def(UnitAttr)
    res = result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(
        x: SSAValue,
        along: int,
        descending: bool,
        positions: bool,
        unsigned: bool,
        location: LocationAttr | None = None,
    ) -> SortOp:
        given = {"descending": descending, "unsigned": unsigned, "positions": positions}
        return SortOp.create(
            operands=[x],
            result_types=[tensor(shape(x), i64 if positions else element_of(x))],
            properties={"axis": ExtentAttr(along), **{k: UnitAttr() for k, v in given.items() if v}},
            location=location,
        )

    @property
    def along(self) -> int:
        axis = self.axis.data
        assert isinstance(axis, int)
        return axis

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.x)
        printer.print_string(f" along {self.along}")
        for flag in FLAGS:
            if flag in self.properties:
                printer.print_string(f" {flag}")

    @classmethod
    def parse(cls, parser: Parser) -> SortOp:
        x = parse_operand(parser)
        parser.parse_keyword("along")
        along = parser.parse_integer(allow_boolean=False, allow_negative=False)
        descending, unsigned, positions = (parser.parse_optional_keyword(f) is not None for f in FLAGS)
        return SortOp.make(x, along, descending, positions, unsigned)

    def verify_(self) -> None:
        from .verify import fail

        dims = shape(self.x)
        if self.along >= len(dims):
            fail(self, f"sort: expected a dimension below {len(dims)}, found {self.along}")
        want = tensor(dims, i64 if self.positions is not None else element_of(self.x))
        if self.res.type != want:
            fail(self, f"sort: expected result type {want}, found {self.res.type}")
