"""What `loop.stage` and `loop.scatter` share: a domain, affine reads, and `loop.index`, the point of a body."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ArrayAttr, IndexType, LocationAttr, StringAttr, TensorType
from xdsl.ir import Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..nd.dims import Dim
from ..syntax import parse_operand
from .attributes import AccessAttr, Axis, DomainAttr, access_text, parse_form, parse_read
from .linear import Access, Linear
from .scoped import INDEX, element_of


class Statement(IRDLOperation):
    """For each point of a domain, a scalar body of what is read there."""

    label = prop_def(StringAttr)
    domain = prop_def(DomainAttr)
    accesses = prop_def(ArrayAttr[AccessAttr])

    if TYPE_CHECKING:
        ins: Sequence[SSAValue]
        body: Region

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.domain.data

    def extent(self, axis: str) -> Dim | None:
        for one in self.domain.data:
            if one.name == axis:
                return one.extent
        return None

    def reads(self) -> list[tuple[SSAValue, Access]]:
        return [(v, a.data) for v, a in zip(self.ins, self.accesses.data)]

    def whole(self, k: int) -> bool:
        """Does the body read operand k at computed positions (`loop.load`), anywhere?"""
        return isinstance(self.body.block.args[k].type, TensorType)

    def set_axes(self, axes: Sequence[Axis]) -> None:
        self.properties["domain"] = DomainAttr(tuple(axes))

    def set_reads(self, accesses: Sequence[Access]) -> None:
        self.properties["accesses"] = ArrayAttr([AccessAttr(a) for a in accesses])

    def index_ops(self) -> Iterator[IndexOp]:
        return (op for op in self.body.block.ops if isinstance(op, IndexOp))


def print_reads(
    printer: Printer, args: Sequence[SSAValue], ins: Sequence[SSAValue], accesses: ArrayAttr[AccessAttr]
) -> None:
    """`(%a = %A[i, k], %t = %T[...])`: `...` where the body reads at computed positions."""

    def read(item: tuple[SSAValue, SSAValue, AccessAttr]) -> None:
        printer.print_ssa_value(item[0])
        printer.print_string(" = ")
        printer.print_ssa_value(item[1])
        printer.print_string("[...]" if isinstance(item[0].type, TensorType) else access_text(item[2].data))

    printer.print_string("(")
    printer.print_list(zip(args, ins, accesses.data), read)
    printer.print_string(")")


def parse_reads(parser: Parser) -> tuple[list[tuple[SSAValue, Access]], list[Parser.Argument]]:
    """Operands with their accesses, and the body's arguments."""
    args: list[Parser.Argument] = []
    reads: list[tuple[SSAValue, Access]] = []

    def read() -> None:
        arg = parser.parse_argument(expect_type=False)
        parser.parse_punctuation("=")
        value = parse_operand(parser)
        access = parse_read(parser)
        reads.append((value, access or ()))
        args.append(parser.Argument(arg.name, value.type if access is None else element_of(value)))

    parser.parse_comma_separated_list(parser.Delimiter.PAREN, read)
    return reads, args


@irdl_op_definition
class IndexOp(IRDLOperation):
    """`%c = loop.index i + i0 : index` in a stage's body: a coordinate of the point, as a linear form over axes."""

    name = "loop.index"
    form = prop_def(AccessAttr)
    res = result_def(IndexType)
    traits = traits_def(Pure())

    @staticmethod
    def make(form: Linear, location: LocationAttr | None = None) -> IndexOp:
        return IndexOp.create(result_types=[INDEX], properties={"form": AccessAttr((form,))}, location=location)

    @property
    def linear(self) -> Linear:
        return self.form.data[0]

    def set_linear(self, form: Linear) -> None:
        self.properties["form"] = AccessAttr((form,))

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.linear} : index")

    @classmethod
    def parse(cls, parser: Parser) -> IndexOp:
        form = parse_form(parser)
        parser.parse_punctuation(":")
        parser.parse_keyword("index")
        return IndexOp.make(form)

    def verify_(self) -> None:
        from .verify import verify_index

        verify_index(self)
