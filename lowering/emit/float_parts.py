"""What is several operations and a CPU has an instruction for: products with powers of two, extremes of numbers.

    %k = arith.addi (arith.shli (arith.bitcast %t), 23), (arith.select %small, 190 << 23, 126 << 23)
    %v = arith.mulf %p, (arith.bitcast %k)                     %t = an integer + 1.5 2^23, of which %k has the low bits
    %y = arith.mulf %v, (arith.select %small, 2^-63, 2.0)  ->  call @scalef(%p, %t - 1.5 2^23)

    %y = arith.maximumf %a, %x fastmath<nsz>               ->  call @fixupimm(%x > %a ? %x : %a, %x, NaN where %x is)

The same numbers wherever the powers of two of the first are in the exponent's range, which is all that it is made for.
The power may be 0 where a condition holds by which the product is not chosen, either. The operations stay where a
vector is not a whole register. The parts of logarithms are in logarithm_parts.py.
"""

from __future__ import annotations

from math import log2
from typing import Any, NamedTuple

from xdsl.dialects.arith import FastMathFlagsAttr
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Operation, SSAValue

from .matchers import constant, numbers, operand_by, operand_of, operation
from .state import Emitter
from .text import literal, vector_of
from .values import Lead, Vec


class FloatPart(NamedTuple):
    """An LLVM intrinsic without the suffix of its type, and the target features of which it needs one."""

    intrinsic: str
    features: tuple[str, ...]


FLOAT_PARTS: dict[str, FloatPart] = {
    "scalef": FloatPart("llvm.x86.avx512.mask.scalef", ("+avx512f",)),
    "fixupimm": FloatPart("llvm.x86.avx512.mask.fixupimm", ("+avx512f",)),
    "getexp": FloatPart("llvm.x86.avx512.mask.getexp", ("+avx512f",)),
    "getmant": FloatPart("llvm.x86.avx512.mask.getmant", ("+avx512f",)),
}


class Register(NamedTuple):
    """A register of floats: its lanes, the suffix of intrinsics on it, the type of their mask; the format's bits of a
    fraction and exponent bias."""

    lanes: int
    suffix: str
    mask: str
    fraction: int
    bias: int


REGISTERS = {"float": Register(16, "ps.512", "i16", 23, 127), "double": Register(8, "pd.512", "i8", 52, 1023)}
USUAL_ROUNDING = "i32 4"

NAN = 0x22
"""See `fixed`."""

NUMBER = {"arith.maximumf": "number.maxnumf", "arith.minimumf": "number.minnumf"}
"""The rows that leave the first operand where the second one is NaN."""


def by_scale(e: Emitter, op: Operation, multiplied: Vec) -> Vec:
    """A product with a power of two."""
    found = power_of_two(op, REGISTERS.get(multiplied.kind)) if "scalef" in e.dots else None
    if found is None:
        return multiplied
    value, total, offset = found
    register, values, totals = REGISTERS[multiplied.kind], e.vector(value), e.vector(total)

    def native(lead: Lead, chunk: int) -> str:
        kind = vector_of(multiplied.kind, register.lanes)
        if multiplied.width(chunk) != register.lanes:
            return multiplied.nat(lead, chunk)
        offsets = f"splat ({multiplied.kind} {literal(offset, multiplied.kind)})"
        exponent = e.op(f"fsub {kind} {totals.nat(lead, chunk)}, {offsets}")
        name, mask = f"{FLOAT_PARTS['scalef'].intrinsic}.{register.suffix}", register.mask
        e.declare(kind, name, kind, kind, kind, mask, "i32")
        operands = f"{kind} {values.nat(lead, chunk)}, {kind} {exponent}, {kind} zeroinitializer"
        return e.op(f"call {kind} @{name}({operands}, {mask} -1, {USUAL_ROUNDING})")

    return e.vec(multiplied.kind, multiplied.shape, native, sources=[values, totals])


def power_of_two(op: Operation, register: Register | None) -> tuple[SSAValue, SSAValue, float] | None:
    """p, t and c where an op is p 2^(t - c)."""
    inner, choice = operation(op.operands[0], "arith.mulf"), numbers(op.operands[1])
    power = operand_of(inner.operands[1], "arith.bitcast") if inner is not None else None
    if power is not None and (given := otherwise(power.owner)) is not None:
        none, product = given[0], op.results[0]
        power = given[1] if all(otherwise(use.operation) == (none, product) for use in product.uses) else None
    biased = operation(power, "arith.addi") if power is not None else None
    if register is None or inner is None or choice is None or biased is None:
        return None
    small, *factors = choice
    bits = operand_by(biased.operands[0], "arith.shli", register.fraction)
    total = operand_of(bits, "arith.bitcast") if bits is not None else None
    offsets = numbers(biased.operands[1])
    if total is None or offsets is None or offsets[0] is not small or min(factors) <= 0:
        return None
    shifts = {int(n) / 2**register.fraction - register.bias + log2(f) for n, f in zip(offsets[1:], factors)}
    magic, last = 1.5 * 2.0**register.fraction, total.owner
    if len(shifts) > 1 or not isinstance(last, Operation) or last.name not in ("math.fma", "arith.addf"):
        return None
    if constant(last.operands[-1]) != magic:
        return None
    return inner.operands[0], total, magic - shifts.pop()


def otherwise(op: Any) -> tuple[SSAValue, SSAValue] | None:
    """The condition under which an op gives 0, and what it gives without."""
    choice = isinstance(op, Operation) and op.name == "arith.select" and constant(op.operands[1]) == 0
    return (op.operands[0], op.operands[2]) if choice else None


def fixed(e: Emitter, kind: str, computed: str, operand: str, results: int) -> str:
    """A register of computed values, or what the kind of the operand decides. `results`: four bits for each kind from
    the lowest on, for a quiet and a signalling NaN, 0, 1, -inf, inf, below 0, above 0; 0: the computed value, 2: the
    operand as a quiet NaN, 3: NaN, 4: -inf, 5: inf."""
    register = REGISTERS[kind]
    native, integer = vector_of(kind, register.lanes), "i32" if register.lanes == 16 else "i64"
    integers = vector_of(integer, register.lanes)
    name, mask = f"{FLOAT_PARTS['fixupimm'].intrinsic}.{register.suffix}", register.mask
    e.declare(native, name, native, native, integers, "i32", mask, "i32")
    operands = f"{native} {computed}, {native} {operand}, {integers} splat ({integer} {results})"
    return e.op(f"call {native} @{name}({operands}, i32 0, {mask} -1, {USUAL_ROUNDING})")


def by_number(e: Emitter, op: Operation, extreme: Vec) -> Vec:
    """An extreme without regard to signs of zeros: that of the numbers, where the second operand is one. One
    instruction leaves the first operand where either is NaN."""
    flags = op.properties.get("fastmath")
    any_zero = isinstance(flags, FastMathFlagsAttr) and FastMathFlag.NO_SIGNED_ZEROS in flags.data
    if "fixupimm" not in e.dots or extreme.kind not in REGISTERS or not any_zero:
        return extreme
    first, second = (e.vector(v) for v in op.operands)

    def native(lead: Lead, chunk: int) -> str:
        width = REGISTERS[extreme.kind].lanes
        if extreme.width(chunk) != width:
            return extreme.nat(lead, chunk)
        kept, new = first.nat(lead, chunk), second.nat(lead, chunk)
        return fixed(e, extreme.kind, e.apply(NUMBER[op.name], extreme.kind, [kept, new], width), new, NAN)

    return e.vec(extreme.kind, extreme.shape, native, sources=[first, second])
