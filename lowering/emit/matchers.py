"""What a value is made of, for the idioms that emission knows an instruction for."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from .table import FLOAT_PREDICATES


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


def chosen_by(op: Any, predicate: str, bound: float) -> tuple[SSAValue, SSAValue, SSAValue] | None:
    """x and both values of a selection by how x compares with a number."""
    if not isinstance(op, Operation) or op.name != "arith.select":
        return None
    test = operation(op.operands[0], "arith.cmpf")
    if test is None or constant(test.operands[1]) != bound:
        return None
    kind: Any = test.properties["predicate"]
    if FLOAT_PREDICATES[kind.value.data] != predicate:
        return None
    return test.operands[0], op.operands[1], op.operands[2]


def numbers(value: SSAValue) -> tuple[SSAValue, float, float] | None:
    """The condition of a selection between two numbers, and these."""
    choice = operation(value, "arith.select")
    if choice is None:
        return None
    first, second = constant(choice.operands[1]), constant(choice.operands[2])
    return (choice.operands[0], first, second) if first is not None and second is not None else None
