"""What stages and loops share: results formed by targets, bodies, and the syntax of both."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, IndexType, TensorType
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsTerminator

from ..nd.dims import Dim
from ..nd.types import shape_of
from .attributes import (
    Target,
    TargetAttr,
    parse_target,
    target_text,
)

INDEX = IndexType()
Tensor = TensorType[Attribute]


def element_of(value: SSAValue) -> Attribute:
    return cast(Tensor, value.type).element_type


def shape(value: SSAValue) -> tuple[Dim, ...]:
    return shape_of(cast(Tensor, value.type))


def print_targets(printer: Printer, targets: ArrayAttr[TargetAttr]) -> None:
    if targets.data:
        printer.print_string(" -> ")
        printer.print_list(targets.data, lambda t: printer.print_string(target_text(t.data)))


def parse_targets(parser: Parser) -> list[Target]:
    if not parser.parse_optional_punctuation("->"):
        return []
    return parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_target(parser))


def parse_body(parser: Parser, args: Sequence[Parser.Argument], count: int | None = None) -> Region:
    """A region of one block that ends in `loop.yield`, of as many values as there are results if that is known."""
    start = parser.pos
    region = parser.parse_region(args)
    last = region.block.last_op if len(region.blocks) == 1 else None
    if not isinstance(last, YieldOp):
        parser.raise_error("expected one block that ends in loop.yield", start)
    if count is not None and len(last.args) != count:
        parser.raise_error(f"expected {count} yielded values, one for each result, found {len(last.args)}", start)
    return region


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends every region of the dialect: a stage yields elements, a loop or a version tensors."""

    name = "loop.yield"
    args = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($args^ `:` type($args))? attr-dict"


class Scoped(IRDLOperation):
    """Shared by stages and loops: results formed by targets from what one body yields."""

    targets = prop_def(ArrayAttr[TargetAttr])
    body = region_def("single_block")
    res = var_result_def(TensorType)

    def target(self, k: int) -> Target:
        return self.targets.data[k].data

    def set_targets(self, targets: Sequence[Target]) -> None:
        self.properties["targets"] = ArrayAttr([TargetAttr(t) for t in targets])

    @property
    def terminator(self) -> Operation:
        op = self.body.block.last_op
        assert op is not None
        return op

    def infer_types(self) -> list[Tensor]:
        raise NotImplementedError

    def retype(self) -> None:
        """Recompute the result types after a step changed extents or accesses."""
        for result, new in zip(self.results, self.infer_types()):
            cast(Any, result)._type = new
