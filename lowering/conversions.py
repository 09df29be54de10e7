"""Conversion of one element between any two element types of `nd`, over `arith`.

Below the tensor level integers have no sign and what is only stored is a byte (`stored`), so conversions are told the
types at the tensor level. Floats narrower than f32 are computed in f32.
A result is rounded once: numbers with more bits than f32 are rounded to odd before (Boldo and Melquiond, 2008), which
leaves the last rounding its choice. bf16 and the types of 8 and 4 bits are made of integer operations, so that
subnormal numbers are right on every machine.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import (
    IntegerAttr,
    bf16,
    f4E2M1FN,
    f8E3M4,
    f8E4M3,
    f8E4M3B11FNUZ,
    f8E4M3FN,
    f8E4M3FNUZ,
    f8E5M2,
    f8E5M2FNUZ,
    f16,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue

from ..dialects.nd.types import SMALL, is_float, is_unsigned, stored, width

if TYPE_CHECKING:
    from .scalar_bodies import Body


class Format(NamedTuple):
    """A float of a byte: bits of exponent and mantissa, bias, codes of what is no finite number (None: has none)."""

    exponent: int
    mantissa: int
    bias: int
    largest: int
    """Of the largest finite number."""
    infinity: int | None
    nan: int | None
    signed_zero: bool = True

    @property
    def sign(self) -> int:
        return self.exponent + self.mantissa

    @property
    def overflow(self) -> int:
        """What a number that is too large becomes."""
        found = self.infinity if self.infinity is not None else self.nan
        return self.largest if found is None else found


FORMATS: dict[Attribute, Format] = {
    f8E4M3FN: Format(4, 3, 7, 0x7E, None, 0x7F),
    f8E5M2: Format(5, 2, 15, 0x7B, 0x7C, 0x7E),
    f8E4M3: Format(4, 3, 7, 0x77, 0x78, 0x7C),
    f8E3M4: Format(3, 4, 3, 0x6F, 0x70, 0x78),
    f8E4M3B11FNUZ: Format(4, 3, 11, 0x7F, None, 0x80, False),
    f8E4M3FNUZ: Format(4, 3, 8, 0x7F, None, 0x80, False),
    f8E5M2FNUZ: Format(5, 2, 16, 0x7F, None, 0x80, False),
    f4E2M1FN: Format(2, 1, 1, 0x7, None, None),
}


def convert(b: Body, x: SSAValue, to: Attribute, of: Attribute | None = None) -> SSAValue:
    """x, an element of type `of` (x's own, if that tells all), as one of `to`."""
    of = x.type if of is None else of
    if of == to:
        return x
    if of in FORMATS:
        x, of = decode(b, x, FORMATS[of]), f32
    elif of in (f16, bf16):
        x, of = widened(b, x), f32
    elif of in SMALL:
        x = low_bits(b, zero_extended(b, x) if is_float(to) else x, of)
    if of == to:
        return x
    if to == i1:
        return b.compare("ne", x, b.like(0, x))
    if is_float(to):
        return rounded(b, x, to) if is_float(of) else from_integer(b, x, of, to)
    return saturated(b, x, to) if is_float(of) else integer(b, x, of, to)


# Floats.


def widened(b: Body, x: SSAValue) -> SSAValue:
    """f16 or bf16 as f32."""
    if x.type == f16:
        return b.op(arith.ExtFOp, x, to=f32)
    bits = b.op(arith.ExtUIOp, b.op(arith.BitcastOp, x, to=i16), to=i32)
    return b.op(arith.BitcastOp, b.op(arith.ShLIOp, bits, b.constant(16, i32)), to=f32)


def rounded(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    """f32 or f64 as any float."""
    if x.type == to:
        return x
    if to == f64:
        return b.op(arith.ExtFOp, x, to=f64)
    if to == f32:
        return b.op(arith.TruncFOp, x, to=f32)
    if x.type == f64:
        x = rounded_to_odd(b, x)
    if to == f16:
        return b.op(arith.TruncFOp, x, to=f16)
    return to_bf16(b, x) if to == bf16 else encode(b, x, FORMATS[to])


def rounded_to_odd(b: Body, x: SSAValue) -> SSAValue:
    """f64 as f32: towards zero, with the last bit set where something is lost."""
    near = b.op(arith.TruncFOp, x, to=f32)
    back = b.op(arith.ExtFOp, near, to=f64)
    bits = b.op(arith.BitcastOp, near, to=i32)
    beyond = b.compare("gt", b.float(math.AbsFOp, back), b.float(math.AbsFOp, x))
    less = b.wrapping(arith.SubiOp, bits, b.constant(1, i32))
    bits = b.select(beyond, less, bits)
    lost = b.op(arith.OrIOp, b.compare("lt", back, x), b.compare("gt", back, x))
    odd = b.op(arith.OrIOp, bits, b.op(arith.ExtUIOp, lost, to=i32))
    return b.op(arith.BitcastOp, odd, to=f32)


def to_bf16(b: Body, x: SSAValue) -> SSAValue:
    """The upper half of an f32, to nearest even; NaN stays one."""
    bits = b.op(arith.BitcastOp, x, to=i32)
    upper = b.op(arith.ShRUIOp, bits, b.constant(16, i32))
    even = b.op(arith.AndIOp, upper, b.constant(1, i32))
    up = b.wrapping(arith.AddiOp, b.wrapping(arith.AddiOp, bits, b.constant(0x7FFF, i32)), even)
    near = b.op(arith.ShRUIOp, up, b.constant(16, i32))
    quiet = b.op(arith.OrIOp, upper, b.constant(0x40, i32))
    code = b.select(b.compare("ne", x, x), quiet, near)
    return b.op(arith.BitcastOp, b.op(arith.TruncIOp, code, to=i16), to=bf16)


def decode(b: Body, x: SSAValue, f: Format) -> SSAValue:
    """A byte as f32: its exponent and mantissa where f32 has them, times a power of two; subnormals are right so."""
    code = b.op(arith.ExtUIOp, x, to=i32)
    magnitude = b.op(arith.AndIOp, code, b.constant((1 << f.sign) - 1, i32))
    shifted = b.op(arith.ShLIOp, magnitude, b.constant(23 - f.mantissa, i32))
    value = b.float(arith.MulfOp, b.op(arith.BitcastOp, shifted, to=f32), b.constant(2.0 ** (127 - f.bias), f32))
    if f.infinity is not None:
        infinity = b.constant(float("inf"), f32)
        value = b.select(compare_unsigned(b, "ge", magnitude, f.infinity), infinity, value)
    negative = b.op(arith.AndIOp, code, b.constant(1 << f.sign, i32))
    sign = b.op(arith.ShLIOp, negative, b.constant(31 - f.sign, i32))
    value = b.op(arith.BitcastOp, b.op(arith.OrIOp, b.op(arith.BitcastOp, value, to=i32), sign), to=f32)
    if f.nan is None:
        return value
    nan = b.constant(float("nan"), f32)
    if f.infinity is not None:
        return b.select(compare_unsigned(b, "gt", magnitude, f.infinity), nan, value)
    whole = code if not f.signed_zero else magnitude
    return b.select(b.compare("eq", whole, b.constant(f.nan, i32)), nan, value)


def encode(b: Body, x: SSAValue, f: Format) -> SSAValue:
    """f32 as a byte, to nearest even. Subnormals are rounded by an addition whose last bit is theirs."""
    size = b.float(math.AbsFOp, x)
    bits = b.op(arith.BitcastOp, size, to=i32)
    drop = 23 - f.mantissa
    even = b.op(arith.AndIOp, b.op(arith.ShRUIOp, bits, b.constant(drop, i32)), b.constant(1, i32))
    up = b.wrapping(arith.AddiOp, b.wrapping(arith.AddiOp, bits, b.constant((1 << (drop - 1)) - 1, i32)), even)
    near = b.op(arith.ShRUIOp, up, b.constant(drop, i32))
    normal = b.wrapping(arith.SubiOp, near, b.constant((127 - f.bias) << f.mantissa, i32))
    magic = 2.0 ** (1 - f.bias - f.mantissa + 23)
    added = b.op(arith.BitcastOp, b.float(arith.AddfOp, size, b.constant(magic, f32)), to=i32)
    base = b.op(arith.BitcastOp, b.constant(magic, f32), to=i32)
    small = b.compare("lt", size, b.constant(2.0 ** (1 - f.bias), f32))
    code = b.select(small, b.wrapping(arith.SubiOp, added, base), normal)
    code = b.select(b.compare("gt", code, b.constant(f.largest, i32)), b.constant(f.overflow, i32), code)
    sign = b.op(arith.ShRUIOp, b.op(arith.BitcastOp, x, to=i32), b.constant(31, i32))
    negative = b.op(arith.ShLIOp, sign, b.constant(f.sign, i32))
    signed = b.op(arith.OrIOp, code, negative)
    is_nan = b.compare("ne", x, x)
    if not f.signed_zero:  # the code of -0 is NaN
        signed = b.select(b.compare("eq", code, b.constant(0, i32)), code, signed)
    if f.nan is None:
        signed = b.select(is_nan, b.constant(0, i32), signed)
    else:
        bad = b.constant(f.nan, i32)
        signed = b.select(is_nan, b.op(arith.OrIOp, bad, negative) if f.signed_zero else bad, signed)
        if not f.signed_zero:
            signed = b.select(b.compare("eq", code, bad), bad, signed)
    return b.op(arith.TruncIOp, signed, to=i8)


def compare_unsigned(b: Body, kind: str, x: SSAValue, value: int) -> SSAValue:
    """Both are small and not negative, so the signed comparison is right."""
    return b.compare(kind, x, b.constant(value, i32))


# Integers.


def zero_extended(b: Body, x: SSAValue) -> SSAValue:
    """A byte as i32. What picks bits is done on the wide number: vectors of bytes have no shifts of their own."""
    op = x.owner
    if isinstance(op, arith.AndIOp | arith.ShRUIOp):
        return b.op(type(op), zero_extended(b, op.lhs), zero_extended(b, op.rhs))
    if isinstance(op, arith.SelectOp):
        return b.select(op.cond, zero_extended(b, op.lhs), zero_extended(b, op.rhs))
    if isinstance(op, arith.ConstantOp) and isinstance(number := op.value, IntegerAttr):
        return b.constant(number.value.data & 0xFF, i32)
    return b.op(arith.ExtUIOp, x, to=i32)


def low_bits(b: Body, x: SSAValue, of: Attribute) -> SSAValue:
    """The low bits of an integer, as many as an element has, as a number."""
    if is_unsigned(of):
        return b.op(arith.AndIOp, x, b.like((1 << width(of)) - 1, x))
    above = b.like(width(x.type) - width(of), x)
    return b.op(arith.ShRSIOp, b.op(arith.ShLIOp, x, above), above)


def masked(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    """Zeros above the bits of an element, where it has fewer than its byte."""
    return b.op(arith.AndIOp, x, b.constant((1 << width(to)) - 1, i8)) if to in SMALL else x


def integer(b: Body, x: SSAValue, of: Attribute, to: Attribute) -> SSAValue:
    """The low bits."""
    target = stored(to)
    if width(x.type) < width(target):
        x = b.op(arith.ExtUIOp if is_unsigned(of) else arith.ExtSIOp, x, to=target)
    elif width(x.type) > width(target):
        x = b.op(arith.TruncIOp, x, to=target)
    return masked(b, x, to)


def from_integer(b: Body, x: SSAValue, of: Attribute, to: Attribute) -> SSAValue:
    """An integer as any float."""
    cast = arith.UIToFPOp if is_unsigned(of) else arith.SIToFPOp
    if to in (f32, f64):
        return b.op(cast, x, to=to)
    bits = width(x.type)
    if bits <= 16:
        return rounded(b, b.op(cast, x, to=f32), to)
    return rounded(b, b.op(cast, sticky(b, x, of) if bits == 64 else x, to=f64), to)


def sticky(b: Body, x: SSAValue, of: Attribute) -> SSAValue:
    """64 bits of which f64 holds every one: of a large number, the last that counts says if those behind it are 0."""
    low = b.op(arith.AndIOp, x, b.constant(0x7FF, i64))
    some = b.select(b.compare("ne", low, b.constant(0, i64)), b.constant(0x800, i64), b.constant(0, i64))
    odd = b.op(arith.OrIOp, b.wrapping(arith.SubiOp, x, low), some)
    high = b.op(arith.ShRUIOp if is_unsigned(of) else arith.ShRSIOp, x, b.constant(53, i64))
    small = b.compare("eq", high, b.constant(0, i64))
    if not is_unsigned(of):
        small = b.op(arith.OrIOp, small, b.compare("eq", high, b.constant(-1, i64)))
    return b.select(small, x, odd)


def saturated(b: Body, x: SSAValue, to: Attribute) -> SSAValue:
    """Towards zero; the nearest integer there is for what is out of range, 0 for NaN."""
    bits, target = width(to), stored(to)
    unsigned = is_unsigned(to)
    low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    above, below = b.compare("ge", x, b.like(float(high + 1), x)), b.compare("le", x, b.like(float(low - 1), x))
    least, most = b.like(float(low - 1), x), b.like(float(high + 1), x)
    inside = b.op(arith.AndIOp, b.compare("gt", x, least), b.compare("lt", x, most))
    cast = arith.FPToUIOp if unsigned else arith.FPToSIOp
    whole = b.op(cast, b.select(inside, x, b.like(0, x)), to=target)
    whole = b.select(below, b.constant(low, target), whole)
    limit = high if not unsigned or (target == i8 and bits < 8) else -1
    whole = b.select(above, b.constant(limit, target), whole)
    return masked(b, whole, to)
