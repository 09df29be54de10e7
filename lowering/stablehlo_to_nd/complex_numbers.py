"""Complex numbers where StableHLO means more than nd: their order is by the real part, then by the imaginary one.

compare LT, %x, %y    real(x) < real(y), or equal real parts and imag(x) < imag(y)
maximum %x, %y        x where x > y, else y
atan2 %y, %x          -i log((x + i y) / sqrt(x^2 + y^2)), as XLA has it
"""

from __future__ import annotations

from ...dialects.nd.complex import Complex, Imag, Real
from ...dialects.nd.elementwise import Log, Sqrt
from ...dialects.nd.op import Array, bind
from ...dialects.nd.selection import COMPARE, Compare, Select

STRICT = {"LT": "lt", "LE": "lt", "GT": "gt", "GE": "gt"}


def ordered(direction: str, x: Array, y: Array) -> Array:
    """The comparison of complex numbers in one of the directions of `STRICT`."""
    (a, b), (c, d) = ((bind(Real, z), bind(Imag, z)) for z in (x, y))
    first = bind(Compare, a, c, kind=COMPARE[STRICT[direction]])
    same = bind(Compare, a, c, kind=COMPARE["eq"])
    return first | (same & bind(Compare, b, d, kind=COMPARE[direction.lower()]))


def larger(x: Array, y: Array) -> Array:
    return bind(Select, ordered("GT", x, y), x, y)


def smaller(x: Array, y: Array) -> Array:
    return bind(Select, ordered("LT", x, y), x, y)


def turned(z: Array) -> Array:
    """i z"""
    return bind(Complex, -bind(Imag, z), bind(Real, z))


def atan2(y: Array, x: Array) -> Array:
    return -turned(bind(Log, (x + turned(y)) / bind(Sqrt, x * x + y * y)))
