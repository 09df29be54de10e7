"""`loop.scatter`: the one statement whose results' places are computed."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, LocationAttr, StringAttr, TensorType
from xdsl.ir import Operation, Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..syntax import parse_operand
from .attributes import COMBINERS, AccessAttr, Axis, DomainAttr, domain_text, parse_domain
from .linear import Access
from .scoped import parse_body
from .statement import Statement, parse_reads, print_reads

KINDS = ("set", *COMBINERS)


@irdl_op_definition
class ScatterOp(Statement):
    """`%r = loop.scatter add s [i: 5, j: 8] (%u = %U[i, j], %k = %K[i]) into %x { .. loop.yield %u, %p, %q, %ok : .. }`

    %x, and for each point of the domain, in the order of its axes, the element at `[%p, %q]` combined with (`set`:
    replaced by) the first value that the body yields. Positions are in range wherever the last value, an i1 that may be
    left out, holds; where it does not, nothing happens.
    """

    name = "loop.scatter"
    ins = var_operand_def(TensorType)
    into = operand_def(TensorType)
    kind = prop_def(StringAttr)
    body = region_def("single_block")
    res = result_def(TensorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(
        kind: str,
        label: str,
        axes: Sequence[Axis],
        reads: Sequence[tuple[SSAValue, Access]],
        into: SSAValue,
        body: Region,
        location: LocationAttr | None = None,
    ) -> ScatterOp:
        return ScatterOp.create(
            operands=[*(v for v, _ in reads), into],
            result_types=[into.type],
            regions=[body],
            properties={
                "kind": StringAttr(kind),
                "label": StringAttr(label),
                "domain": DomainAttr(tuple(axes)),
                "accesses": ArrayAttr([AccessAttr(a) for _, a in reads]),
            },
            location=location,
        )

    @property
    def terminator(self) -> Operation:
        op = self.body.block.last_op
        assert op is not None
        return op

    @property
    def value(self) -> SSAValue:
        return self.terminator.operands[0]

    @property
    def positions(self) -> Sequence[SSAValue]:
        return self.terminator.operands[1 : 1 + self.rank]

    @property
    def valid(self) -> SSAValue | None:
        """Whether the element is written at all."""
        return next(iter(self.terminator.operands[1 + self.rank :]), None)

    @property
    def rank(self) -> int:
        kind = self.into.type
        assert isinstance(kind, TensorType)
        return kind.get_num_dims()

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.kind.data} {self.label.data} {domain_text(self.axes)} ")
        print_reads(printer, self.body.block.args, self.ins, self.accesses)
        printer.print_string(" into ")
        printer.print_ssa_value(self.into)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)

    @classmethod
    def parse(cls, parser: Parser) -> ScatterOp:
        start = parser.pos
        kind = parser.parse_identifier("expected set or a combiner")
        if kind not in KINDS:
            parser.raise_error(f"expected one of {', '.join(KINDS)}, found {kind}", start)
        label = parser.parse_identifier("expected the statement's label")
        axes = parse_domain(parser)
        reads, args = parse_reads(parser)
        parser.parse_keyword("into")
        into = parse_operand(parser)
        assert isinstance(into.type, TensorType)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        body = parse_body(parser, args)
        op = ScatterOp.make(kind, label, axes, reads, into, body)
        op.attributes |= attributes.data if attributes else {}
        return op

    def verify_(self) -> None:
        from .verify import verify_scatter

        verify_scatter(self)
