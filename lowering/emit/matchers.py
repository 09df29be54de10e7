"""What a value is made of, for the idioms that emission knows an instruction for."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, VectorType
from xdsl.ir import Attribute, Operation, SSAValue


def element(kind: Attribute) -> Attribute:
    return kind.element_type if isinstance(kind, VectorType) else kind


def operation(value: SSAValue, name: str) -> Operation | None:
    """What makes the value, if it is this operation."""
    owner = value.owner
    return owner if isinstance(owner, Operation) and owner.name == name else None


def operand_of(value: SSAValue, name: str) -> SSAValue | None:
    """The operand of an operation."""
    found = operation(value, name)
    return found.operands[0] if found is not None else None


def operand_by(value: SSAValue, name: str, number: float) -> SSAValue | None:
    """The first operand of an operation whose second one is a number."""
    found = operation(value, name)
    return found.operands[0] if found is not None and constant(found.operands[1]) == number else None


def constant(value: SSAValue) -> float | int | None:
    """A constant in all elements."""
    owner = value.owner
    if not isinstance(owner, Operation):
        return None
    if owner.name in ("vector.broadcast", "vector.splat"):
        return constant(owner.operands[0])
    given: Any = owner.properties.get("value") if owner.name == "arith.constant" else None
    if isinstance(given, IntegerAttr | FloatAttr):
        return given.value.data
    return splat_of(given) if isinstance(given, DenseIntOrFPElementsAttr) else None


def splat_of(given: DenseIntOrFPElementsAttr) -> Any:
    """The value of all elements, by its bits, so that it may be NaN; None: they differ."""
    values, data = given.get_values(), given.data.data
    size = len(data) // max(1, len(values))
    return values[0] if values and data == data[:size] * len(values) else None
