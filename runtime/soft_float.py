"""Conversions of f16 and bf16 that code calls where the CPU has no instruction for them, as LLVM IR.

Compilers' libraries have them under these names, but not every process has such a library. Each rounds once, to the
nearest, ties to even; a NaN becomes quiet and keeps the upper bits of its payload.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .locks import once

NAMES = ("__extendhfsf2", "__truncsfhf2", "__truncdfhf2", "__truncsfbf2", "__truncdfbf2")

MARK = b"mlc.soft_float"
"""In the object of these functions itself."""

TEXT = """
@mlc.soft_float = constant i8 0

; the bits of %x with so many bits of mantissa and this bias of the exponent
define internal i16 @narrow(double %x, i64 %mantissa, i64 %bias) nounwind {
entry:
  %bits = bitcast double %x to i64
  %sign.up = lshr i64 %bits, 48
  %sign = and i64 %sign.up, 32768
  %size = and i64 %bits, 9223372036854775807
  %infinity.up = mul i64 %bias, 2
  %infinity.exponent = add i64 %infinity.up, 1
  %infinity = shl i64 %infinity.exponent, %mantissa
  %fraction = and i64 %bits, 4503599627370495
  %cut = sub i64 52, %mantissa
  %nan = icmp ugt i64 %size, 9218868437227405312
  br i1 %nan, label %quiet, label %number
quiet:
  %payload = lshr i64 %fraction, %cut
  %above = sub i64 %mantissa, 1
  %flag = shl i64 1, %above
  %loud = or i64 %infinity, %payload
  %nan.bits = or i64 %loud, %flag
  br label %done
number:
  %exponent.up = lshr i64 %size, 52
  %exponent = sub i64 %exponent.up, 1023
  %large = icmp sgt i64 %exponent, %bias
  br i1 %large, label %done, label %finite
finite:
  %least = sub i64 1, %bias
  %normal = icmp sge i64 %exponent, %least
  %biased = add i64 %exponent, %bias
  %base.normal = shl i64 %biased, %mantissa
  %base = select i1 %normal, i64 %base.normal, i64 0
  %whole = or i64 %fraction, 4503599627370496
  %digits = select i1 %normal, i64 %fraction, i64 %whole
  %below = sub i64 %least, %exponent
  %deep = add i64 %cut, %below
  %shift.any = select i1 %normal, i64 %cut, i64 %deep
  %tiny = icmp ugt i64 %shift.any, 54
  %shift = select i1 %tiny, i64 54, i64 %shift.any
  %kept = lshr i64 %digits, %shift
  %back = shl i64 %kept, %shift
  %rest = sub i64 %digits, %back
  %half.shift = sub i64 %shift, 1
  %half = shl i64 1, %half.shift
  %more = icmp ugt i64 %rest, %half
  %tie = icmp eq i64 %rest, %half
  %odd.bit = and i64 %kept, 1
  %odd = icmp eq i64 %odd.bit, 1
  %tie.up = and i1 %tie, %odd
  %up = or i1 %more, %tie.up
  %one = zext i1 %up to i64
  %sum = add i64 %base, %kept
  %rounded = add i64 %sum, %one
  br label %done
done:
  %magnitude = phi i64 [ %nan.bits, %quiet ], [ %infinity, %number ], [ %rounded, %finite ]
  %all = or i64 %magnitude, %sign
  %short = trunc i64 %all to i16
  ret i16 %short
}

define half @__truncdfhf2(double %x) nounwind {
  %bits = call i16 @narrow(double %x, i64 10, i64 15)
  %y = bitcast i16 %bits to half
  ret half %y
}

define half @__truncsfhf2(float %x) nounwind {
  %wide = fpext float %x to double
  %bits = call i16 @narrow(double %wide, i64 10, i64 15)
  %y = bitcast i16 %bits to half
  ret half %y
}

define bfloat @__truncdfbf2(double %x) nounwind {
  %bits = call i16 @narrow(double %x, i64 7, i64 127)
  %y = bitcast i16 %bits to bfloat
  ret bfloat %y
}

define bfloat @__truncsfbf2(float %x) nounwind {
  %wide = fpext float %x to double
  %bits = call i16 @narrow(double %wide, i64 7, i64 127)
  %y = bitcast i16 %bits to bfloat
  ret bfloat %y
}

define float @__extendhfsf2(half %x) nounwind {
  %short = bitcast half %x to i16
  %bits = zext i16 %short to i32
  %sign.down = and i32 %bits, 32768
  %sign = shl i32 %sign.down, 16
  %exponent.up = lshr i32 %bits, 10
  %exponent = and i32 %exponent.up, 31
  %fraction = and i32 %bits, 1023
  %digits = shl i32 %fraction, 13
  %biased = add i32 %exponent, 112
  %place = shl i32 %biased, 23
  %normal = or i32 %place, %digits
  %count = uitofp i32 %fraction to float
  %small = fmul float %count, 0x3E70000000000000
  %subnormal = bitcast float %small to i32
  %special.loud = or i32 %digits, 2139095040
  %quieted = or i32 %special.loud, 4194304
  %infinite = icmp eq i32 %fraction, 0
  %special = select i1 %infinite, i32 2139095040, i32 %quieted
  %is.small = icmp eq i32 %exponent, 0
  %is.special = icmp eq i32 %exponent, 31
  %finite = select i1 %is.small, i32 %subnormal, i32 %normal
  %magnitude = select i1 %is.special, i32 %special, i32 %finite
  %all = or i32 %magnitude, %sign
  %y = bitcast i32 %all to float
  ret float %y
}
"""


@once
def _library() -> Any:
    from . import jit

    return jit.Linked([jit.stored_object(TEXT)])


def symbols(objects: Iterable[bytes]) -> dict[str, int]:
    """The addresses of those that objects ask for."""
    objects = [data for data in objects if MARK not in data]
    found = [name for name in NAMES if any(name.encode() in data for data in objects)]
    return {name: _library().address(name) for name in found}
