"""`loop.stage`: one statement of index notation."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, LocationAttr, NoneAttr, StringAttr, TensorType
from xdsl.ir import Region, SSAValue
from xdsl.irdl import (
    irdl_op_definition,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure

from ..nd.dims import Dim
from ..nd.types import tensor
from .attributes import (
    AccessAttr,
    Axis,
    DomainAttr,
    Target,
    TargetAttr,
    domain_text,
    parse_domain,
)
from .linear import Access, Linear
from .scoped import (
    Scoped,
    Tensor,
    parse_body,
    parse_targets,
    print_targets,
)
from .statement import Statement, parse_reads, print_reads


@irdl_op_definition
class StageOp(Statement, Scoped):
    """One statement of index notation: for each point of the domain, `result[access] (combiner)= body(reads)`."""

    name = "loop.stage"
    ins = var_operand_def(TensorType)
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


def _span(form: Linear, extents: dict[str, Dim]) -> Dim:
    """How many elements a result dimension has whose index is `form`."""
    if any(extents[n] == 0 for n in form.names):
        return 0
    return form.range(extents)[1] + 1
