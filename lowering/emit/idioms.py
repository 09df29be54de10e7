"""What the levels above make of several operations and a GPU has an instruction for: conversions of bf16, bounds.

    %b = arith.bitcast %x : bf16 to i16                       %y = fpext bfloat %x to float
    %w = arith.extui %b : i16 to i32                    ->
    %s = arith.shli %w, 16
    %y = arith.bitcast %s : i32 to f32

    bits, rounded to nearest even, NaN apart            ->    %y = fptrunc float %x to bfloat

    %p = arith.cmpf ogt, %x, %c : f32                         %y = call float @llvm.minimum.f32(float %x, float %c)
    %y = arith.select %p, %c, %x : f32                  ->    (%c is a constant that is not 0)

What a CPU does with subnormal numbers is its own affair; a GPU's conversions keep them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

from xdsl.dialects import arith
from xdsl.dialects.builtin import BFloat16Type, Float32Type
from xdsl.ir import Operation, SSAValue

from .matchers import constant, element, operand_by, operand_of, operation
from .table import FLOAT_PREDICATES

GREATER, LESS = FLOAT_PREDICATES.index("ogt"), FLOAT_PREDICATES.index("olt")
BOUNDS: dict[int, type[Operation]] = {GREATER: arith.MinimumfOp, LESS: arith.MaximumfOp}


def source(op: Operation) -> tuple[type[Operation], SSAValue] | None:
    """For the bitcast that ends a conversion: the operation that says the same, and what it converts."""
    value, to = op.operands[0], element(op.results[0].type)
    if isinstance(to, Float32Type):
        found = _shifted(value)
        return (arith.ExtFOp, found) if found is not None else None
    if isinstance(to, BFloat16Type):
        found = _rounded(value)
        return (arith.TruncFOp, found) if found is not None else None
    return None


def bound(op: Operation) -> tuple[type[Operation], SSAValue, SSAValue] | None:
    """For a selection between a number and a bound of it: the extreme that it is, and of what. NaN stays NaN."""
    test, limit, x = op.operands
    compared = operation(test, "arith.cmpf")
    if compared is None or compared.operands[0] is not x or compared.operands[1] is not limit:
        return None
    predicate: Any = compared.properties["predicate"]
    extreme = BOUNDS.get(predicate.value.data)
    given = constant(limit)
    if extreme is None or given is None or given == 0 or given != given or not isinstance(element(x.type), Float32Type):
        return None
    return extreme, x, limit


def _shifted(value: SSAValue) -> SSAValue | None:
    """x of `extui(bitcast x) << 16`, a bf16."""
    if (shift := operand_by(value, "arith.shli", 16)) is None:
        return None
    wide = operand_of(shift, "arith.extui")
    bits = operand_of(wide, "arith.bitcast") if wide is not None else None
    return bits if bits is not None and isinstance(element(bits.type), BFloat16Type) else None


def _rounded(value: SSAValue) -> SSAValue | None:
    """x of `trunci(x is NaN ? upper | 0x40 : (bits + 0x7fff + (upper & 1)) >> 16)`, an f32 with these bits."""
    code = operand_of(value, "arith.trunci")
    if code is None or (choice := operation(code, "arith.select")) is None:
        return None
    test, quiet, near = choice.operands
    upper = operand_by(quiet, "arith.ori", 0x40)
    bits = operand_by(upper, "arith.shrui", 16) if upper is not None else None
    x = operand_of(bits, "arith.bitcast") if bits is not None else None
    total = operand_by(near, "arith.shrui", 16)
    if bits is None or x is None or total is None or not isinstance(element(x.type), Float32Type):
        return None
    sum_ = operation(total, "arith.addi")
    if sum_ is None or operand_by(sum_.operands[0], "arith.addi", 0x7FFF) is not bits:
        return None
    if operand_by(sum_.operands[1], "arith.andi", 1) is not upper:
        return None
    compared = operation(test, "arith.cmpf")
    same = compared is not None and compared.operands[0] is x and compared.operands[1] is x
    return x if same else None
