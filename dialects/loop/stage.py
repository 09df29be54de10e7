"""`loop.stage`, one statement of index notation, and `loop.index`, the point where its body stands."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import ArrayAttr, IndexType, LocationAttr, NoneAttr, StringAttr, TensorType
from xdsl.ir import Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..nd.dims import Dim
from ..nd.types import tensor
from ..syntax import parse_operand
from .attributes import (
    AccessAttr,
    Axis,
    DomainAttr,
    Target,
    TargetAttr,
    access_text,
    domain_text,
    parse_domain,
    parse_form,
    parse_read,
)
from .linear import Access, Linear
from .scoped import (
    INDEX,
    Scoped,
    Tensor,
    element_of,
    parse_body,
    parse_targets,
    print_targets,
)


@irdl_op_definition
class StageOp(Scoped):
    """One statement of index notation: for each point of the domain, `result[access] (combiner)= body(reads)`."""

    name = "loop.stage"
    ins = var_operand_def(TensorType)
    label = prop_def(StringAttr)
    domain = prop_def(DomainAttr)
    accesses = prop_def(ArrayAttr[AccessAttr])
    traits = traits_def(Pure())

    @staticmethod
    def make(
        label: str,
        axes: Sequence[Axis],
        reads: Sequence[tuple[SSAValue, Access]],
        targets: Sequence[Target],
        body: Region,
        location: LocationAttr | None = None,
    ) -> StageOp:
        op = StageOp.create(
            operands=[v for v, _ in reads],
            result_types=[NoneAttr()] * len(targets),
            regions=[body],
            properties={
                "label": StringAttr(label),
                "domain": DomainAttr(tuple(axes)),
                "accesses": ArrayAttr([AccessAttr(a) for _, a in reads]),
                "targets": ArrayAttr([TargetAttr(t) for t in targets]),
            },
            location=location,
        )
        op.retype()
        return op

    @property
    def axes(self) -> tuple[Axis, ...]:
        return self.domain.data

    def extent(self, axis: str) -> Dim | None:
        return next((a.extent for a in self.axes if a.name == axis), None)

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

    def infer_types(self) -> list[Tensor]:
        extents = {a.name: a.extent for a in self.axes}
        return [
            tensor(tuple(_span(form, extents) for form in t.data.access), v.type)
            for v, t in zip(self.terminator.operands, self.targets.data)
        ]

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.label.data} {domain_text(self.axes)} ")
        print_reads(printer, self.body.block.args, self.ins, self.accesses)
        print_targets(printer, self.targets)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> StageOp:
        label = parser.parse_identifier("expected the stage's label")
        axes = parse_domain(parser)
        reads, args = parse_reads(parser)
        start = parser.pos
        targets = parse_targets(parser)
        bound = {a.name for a in axes}
        for name in (n for t in targets for form in t.access for n in form.names if n not in bound):
            parser.raise_error(f"stage {label}: expected a result index over its own axes, found {name}", start)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        op = StageOp.make(label, axes, reads, targets, parse_body(parser, args, len(targets)))
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_stage

        verify_stage(self)


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


def _span(form: Linear, extents: dict[str, Dim]) -> Dim:
    """How many elements a result dimension has whose index is `form`."""
    if any(extents[n] == 0 for n in form.names):
        return 0
    return form.range(extents)[1] + 1


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
