"""What the formats of several dialects share."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue
from xdsl.parser import Parser


def parse_operand(parser: Parser) -> SSAValue:
    """A tensor that is defined above; its type follows from there."""
    operand = parser.parse_unresolved_operand("expected a tensor")
    values = parser.ssa_values.get(operand.operand_name, ())
    if operand.index >= len(values):
        parser.raise_error(f"expected a value defined above, found %{operand.operand_name}", operand.span)
    value = values[operand.index]
    if not isinstance(value.type, TensorType):
        parser.raise_error(f"expected a tensor, found {value.type}", operand.span)
    return value
