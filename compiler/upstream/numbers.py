"""Floats with the digits of APFloat, and truth values as bits."""

from __future__ import annotations

import math
from typing import Any


def packed(data: bytes) -> bytes:
    """Truth values as bits, as older printers have them in hex."""
    out = bytearray((len(data) + 7) // 8)
    for index, value in enumerate(data):
        out[index >> 3] |= bool(value) << (index & 7)
    return bytes(out)


def float_text(value: float, kind: Any) -> str:
    """The text of a float of a type: six digits if they read back exactly, else as many as the type needs, else hex."""
    bits = kind.pack((value,))
    if not math.isfinite(value):
        return f"0x{int.from_bytes(bits, 'little'):X}"
    if value == 0:
        return "-0.000000e+00" if math.copysign(1, value) < 0 else "0.000000e+00"
    minus = "-" if value < 0 else ""
    digits, exponent = decimal(abs(value), 6)
    leading = exponent + len(digits) - 1
    short = f"{minus}{digits[0]}.{digits[1:]:0<6}e{'-' if leading < 0 else '+'}{abs(leading):02}"
    if kind.pack((float(short),)) == bits:
        return short
    precision = 2 + PRECISION.get(kind.name, 4) * 59 // 196
    text = padded(*decimal(abs(value), precision), precision)
    return minus + text if "." in text else f"0x{int.from_bytes(bits, 'little'):X}"


PRECISION = {"f64": 53, "f32": 24, "tf32": 11, "f16": 11, "bf16": 8, "f80": 64, "f128": 113}
"""Bits of the significand, the leading one included; of smaller types six digits say all."""


def decimal(value: float, precision: int) -> tuple[str, int]:
    """At most `precision` digits and the power of ten of the last one, as llvm::APFloat::toString finds them.

    It divides by a power of ten that leaves about `precision` digits, dropping the rest, and rounds halves up only in
    what is then left too much; so the last digit may be one less than that of the nearest decimal.
    """
    number, denominator = value.as_integer_ratio()
    exponent = 1 - denominator.bit_length()  # number * 2**exponent, a power of two below the line
    number *= 5**-exponent
    surplus = number.bit_length() - (precision * 196 + 58) // 59  # 196/59 is a little more than log2(10)
    if surplus > 0:
        dropped = surplus * 59 // 196
        number //= 10**dropped
        exponent += dropped
    digits = str(number)
    if (extra := len(digits) - precision) > 0:
        exponent += extra
        digits = str(int(digits[:precision]) + (digits[precision] >= "5"))
    kept = digits.rstrip("0")
    return kept, exponent + len(digits) - len(kept)


def padded(digits: str, exponent: int, precision: int) -> str:
    """Plain where at most three zeros pad the digits, else scientific."""
    count = len(digits)
    leading = exponent + count - 1
    if exponent >= 0:
        if exponent <= 3 and count + exponent <= precision:
            return digits + "0" * exponent
    elif leading >= 0:
        return f"{digits[: leading + 1]}.{digits[leading + 1 :]}"
    elif -leading <= 3:
        return f"0.{'0' * (-leading - 1)}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{'-' if leading < 0 else '+'}{abs(leading)}"
