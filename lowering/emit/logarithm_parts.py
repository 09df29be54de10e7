"""What logarithms make of several operations and a CPU has an instruction for: exponents, fractions, ends of the range.

    %s = arith.select (%x < 2^-126), (%x 2^24), %x
    %o = arith.select (%x < 2^-126), 3/4 + (24 << 23), 3/4     3/4: its bits as an integer
    %a = arith.subi (arith.bitcast %s), %o
    %m = arith.bitcast ((%a & fraction) + 3/4)             ->  call @getmant(%x, from 3/4 to its double)
    %e = arith.sitofp (arith.shrsi %a, 23)                 ->  call @getexp(%x) - call @getexp(%m)

    %f = arith.select (%x < inf), %inside, %x
    %n = arith.select (%x == 0.0), -inf, nan
    %y = arith.select (%x > 0.0), %f, %n                   ->  call @fixupimm(%inside, %x, a result for each kind of %x)

The same %m and %e wherever %x is positive and finite, which is all that they are made for, and the same %y. Where %x
has no sign and %inside is the sum of %e and an entry of a table, %y is %inside: getexp is infinite or NaN where a
logarithm is. The operations stay where a vector is not a whole register.
"""

from __future__ import annotations

from math import inf, isnan

from xdsl.ir import Operation, SSAValue

from .float_parts import FLOAT_PARTS, REGISTERS, USUAL_ROUNDING, Register, fixed
from .matchers import chosen_by, constant, numbers, operand_by, operand_of, operation
from .state import Emitter
from .text import vector_of
from .values import Lead, Vec

FROM_THREE_QUARTERS, WITHOUT_SIGN = 3, 1 << 2
"""What getmant is asked for: fractions from 3/4 to its double; of |x|. getexp never looks at a sign."""

LOGARITHM = 0x0353_0422
"""What it is of every kind of operand: see `fixed`."""


# ---- exponents and fractions
def by_fraction(e: Emitter, op: Operation, moved: Vec) -> Vec:
    """m of x = 2^e m, 3/4 <= m < 3/2, from its bits."""
    register = REGISTERS.get(moved.kind)
    found = of_fraction(op.operands[0], register) if register is not None and "getmant" in e.dots else None
    if register is None or found is None:
        return moved
    lanes, (x, signs) = register.lanes, without_sign(e, found)

    def native(lead: Lead, chunk: int) -> str:
        if moved.width(chunk) != lanes:
            return moved.nat(lead, chunk)
        return getmant(e, moved.kind, x.nat(lead, chunk), signs)

    return e.vec(moved.kind, moved.shape, native, sources=[x])


def by_exponent(e: Emitter, op: Operation, converted: Vec) -> Vec:
    """e of the same."""
    register = REGISTERS.get(converted.kind)
    found = of_exponent(op, register) if register is not None and "getexp" in e.dots else None
    if register is None or found is None:
        return converted
    lanes, (x, signs) = register.lanes, without_sign(e, found)

    def native(lead: Lead, chunk: int) -> str:
        if converted.width(chunk) != lanes:
            return converted.nat(lead, chunk)
        whole = x.nat(lead, chunk)
        parts = [getexp(e, converted.kind, v) for v in (whole, getmant(e, converted.kind, whole, signs))]
        return e.op(f"fsub {vector_of(converted.kind, lanes)} {', '.join(parts)}")

    return e.vec(converted.kind, converted.shape, native, sources=[x])


def without_sign(e: Emitter, value: SSAValue) -> tuple[Vec, int]:
    """x where a value is |x|, and how to ask getmant for the latter's fraction."""
    inner = operand_of(value, "math.absf")
    return (e.vector(value), 0) if inner is None else (e.vector(inner), WITHOUT_SIGN)


def getmant(e: Emitter, element: str, operand: str, signs: int) -> str:
    """Once for an operand."""
    register = REGISTERS[element]
    name, mask, kind = intrinsic("getmant", register), register.mask, vector_of(element, register.lanes)
    e.declare(kind, name, kind, "i32", kind, mask, "i32")
    rest = f"i32 {FROM_THREE_QUARTERS | signs}, {kind} zeroinitializer, {mask} -1, {USUAL_ROUNDING}"
    return e.once(("getmant", operand, signs), lambda: e.op(f"call {kind} @{name}({kind} {operand}, {rest})"))


def getexp(e: Emitter, element: str, operand: str) -> str:
    register = REGISTERS[element]
    name, mask, kind = intrinsic("getexp", register), register.mask, vector_of(element, register.lanes)
    e.declare(kind, name, kind, kind, mask, "i32")
    return e.op(f"call {kind} @{name}({kind} {operand}, {kind} zeroinitializer, {mask} -1, {USUAL_ROUNDING})")


def intrinsic(name: str, register: Register) -> str:
    return f"{FLOAT_PARTS[name].intrinsic}.{register.suffix}"


def of_fraction(bits: SSAValue, register: Register) -> SSAValue | None:
    """The x whose fraction has these bits."""
    kept = operand_by(bits, "arith.addi", least_bits(register))
    above = operand_by(kept, "arith.andi", (1 << register.fraction) - 1) if kept is not None else None
    return measured(above, register) if above is not None else None


def of_exponent(op: Operation, register: Register) -> SSAValue | None:
    """The x whose exponent an op converts."""
    above = operand_by(op.operands[0], "arith.shrsi", register.fraction)
    return measured(above, register) if above is not None else None


def measured(above: SSAValue, register: Register) -> SSAValue | None:
    """The x of which a value says by how many bits it is above 3/4; where it may be subnormal, x or what it becomes."""
    difference, least = operation(above, "arith.subi"), least_bits(register)
    source = operand_of(difference.operands[0], "arith.bitcast") if difference is not None else None
    if difference is None or source is None:
        return None
    if constant(difference.operands[1]) == least:
        return source
    offsets, small = numbers(difference.operands[1]), chosen_by(source.owner, "olt", 2.0 ** (1 - register.bias))
    if offsets is None or small is None or not isinstance(source.owner, Operation):
        return None
    more, (x, scaled, usual) = register.fraction + 1, small
    same = offsets == (source.owner.operands[0], least + (more << register.fraction), least)
    return x if same and x is usual and operand_by(scaled, "arith.mulf", 2.0**more) is x else None


def least_bits(register: Register) -> int:
    """The bits of 3/4."""
    return ((register.bias - 1) << register.fraction) + (1 << (register.fraction - 1))


# ---- ends of the range
def by_kind(e: Emitter, op: Operation, chosen: Vec) -> Vec:
    """A logarithm for every operand, from one that is right between 0 and infinity."""
    register = REGISTERS.get(chosen.kind)
    found = logarithm(op) if register is not None and "fixupimm" in e.dots else None
    if register is None or found is None:
        return chosen
    inside, x = (e.vector(v) for v in found)
    ended = "getexp" in e.dots and has_ends(*found, register)

    def native(lead: Lead, chunk: int) -> str:
        if chosen.width(chunk) != register.lanes:
            return chosen.nat(lead, chunk)
        value = inside.nat(lead, chunk)
        return value if ended else fixed(e, chosen.kind, value, x.nat(lead, chunk), LOGARITHM)

    return e.vec(chosen.kind, chosen.shape, native, sources=[inside] if ended else [inside, x])


def logarithm(op: Operation) -> tuple[SSAValue, SSAValue] | None:
    """The value inside the range, and the operand."""
    outer = chosen_by(op, "ogt", 0.0)
    finite = chosen_by(outer[1].owner, "olt", inf) if outer is not None else None
    end = chosen_by(outer[2].owner, "oeq", 0.0) if outer is not None else None
    if outer is None or finite is None or end is None:
        return None
    operand, low, high = outer[0], constant(end[1]), constant(end[2])
    same = operand is finite[0] and operand is finite[2] and operand is end[0]
    ends = low == -inf and high is not None and isnan(high)
    return (finite[1], operand) if same and ends else None


def has_ends(inside: SSAValue, operand: SSAValue, register: Register) -> bool:
    """Is the value inside the exponent of an |x| and an entry of a table?"""
    total = operation(inside, "arith.addf")
    if total is None or operation(operand, "math.absf") is None:
        return False
    exponent, known = operation(total.operands[0], "arith.sitofp"), operation(total.operands[1], "vector.gather")
    constants = known is not None and operation(known.operands[0], "arith.constant") is not None
    return constants and exponent is not None and of_exponent(exponent, register) is operand
