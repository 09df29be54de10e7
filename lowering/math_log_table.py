"""Logarithms of f64 to the bases 2 and 10 by tables of 16 entries: half of the operations of a polynomial for all
fractions. Natural ones have none: random numbers are made of them, and those are the same at every width of vectors.

x = 2^e m, 3/4 <= m < 3/2. By the integer k next to 16 m, 12 to 24, tables have c near 16 / k and -log c:

    log2 x = (e - log2 c) + log2(1 + r),    r = m c - 1

The first sum is exact: log10 2 is two parts, the first with so few bits, and the c are such that -log c is within
2^-65 of a number with as few (Gal and Bachelis, 1991). For k from 15 to 17, c is 1 and -log c is 0: nothing cancels
near 1, and where r is rounded, the result is large beside it.
"""

from __future__ import annotations

from typing import NamedTuple

from xdsl.ir import SSAValue

from .math_builder import F64, MathBuilder
from .math_exponential import magic

LEAST = 0.75
"""The least m; a machine may have instructions for these (lowering/emit/logarithm_parts.py)."""
ENTRIES = 16


class Base(NamedTuple):
    """The logarithms of 2 and of e in two parts each; with tables also c and -log c by the lowest four bits of k,
    which are never 9 to 11."""

    of_two: tuple[float, float]
    of_e: tuple[float, float]
    inverses: tuple[float, ...] = ()
    logarithms: tuple[float, ...] = ()


NATURAL = Base(of_two=(0.6931471805598903, 5.497923018708371e-14), of_e=(1.0, 0.0))
BINARY = Base(
    of_two=(1.0, 0.0),
    of_e=(1.4426950408889634, 2.0355273740931033e-17),
    inverses=(
        *(1.0, 1.0, 0.89002765272744, 0.8417875191662461),
        *(0.80184555798769, 0.7628811246249825, 0.7275498542003334, 0.6956290830858052),
        *(0.6735736730042845, 1.0, 1.0, 1.0),
        *(1.3076866308692843, 1.2314546704292297, 1.1427762827370316, 1.0),
    ),
    logarithms=(
        *(0.0, 0.0, 0.16807793427688011, 0.24847197528970355),
        *(0.3186037063139793, 0.3904698271792313, 0.45888198508873757, 0.5236098443208448),
        *(0.5700923439064809, 0.0, 0.0, 0.0),
        *(-0.38701686021227033, -0.3003635235327238, -0.1925429998987056, 0.0),
    ),
)
DECIMAL = Base(
    of_two=(0.30102999566395283, 2.8363394551044964e-14),
    of_e=(0.4342944819032518, 1.098319650216765e-17),
    inverses=(
        *(1.0, 1.0, 0.8886321894824505, 0.8425616710446775),
        *(0.7997250878252089, 0.7624369342811406, 0.7278286013752222, 0.695181897841394),
        *(0.6737351841293275, 1.0, 1.0, 1.0),
        *(1.3060412118211389, 1.2308177014347166, 1.1433494654484093, 1.0),
    ),
    logarithms=(
        *(0.0, 0.0, 0.05127795908816779, 0.0743983012409899),
        *(0.09705927970719586, 0.1177960735896022, 0.1379708820070391, 0.15790154520431088),
        *(0.17151077211559596, 0.0, 0.0, 0.0),
        *(-0.11595688121479952, -0.09019373357813265, -0.05817899305412766, 0.0),
    ),
)
# log(1 + r) = r + r^2 p(r), |r| <= 3/32
TAIL = (
    *(-0.49999999999999983, 0.3333333333334354, -0.2500000000004661, 0.19999999983563063, -0.16666666626245746),
    *(0.14285722879278157, -0.12500014743689022, 0.11109152163437497, -0.09997395066275563, 0.0929313656161958),
    -0.08554111145028014,
)


def tabled(b: MathBuilder) -> bool:
    """Are logarithms by table here?"""
    return b.format is F64 and bool(b.shape) and b.lookup == ENTRIES


def index_of(b: MathBuilder, m: SSAValue) -> SSAValue:
    """The lowest four bits of the integer next to 16 m."""
    return b.iand(b.bits(b.add(m, magic(b) / 16)), ENTRIES - 1)


def log_of_parts(b: MathBuilder, base: Base, e: SSAValue, m: SSAValue) -> SSAValue:
    """The logarithm of 2^e m to a base that has tables."""
    index, table = index_of(b, m), b.table([*base.inverses, *base.logarithms])
    c, known = b.entry(table, 0, index), b.entry(table, ENTRIES, index)
    (two, two_low), (scale, scale_low) = base.of_two, base.of_e
    whole = b.add(e, known) if two == 1.0 else b.fma(e, two, known)
    r = b.fma(m, c, -1.0)
    square = b.mul(r, r)
    tail = b.halves(r, square, [scale * p for p in TAIL])
    fraction = b.fma(r, scale, b.fma(square, tail, b.mul(r, scale_low)))
    return b.add(whole, b.fma(e, two_low, fraction) if two_low else fraction)
