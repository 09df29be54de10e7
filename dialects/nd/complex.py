"""Complex numbers from their parts, and their parts: `nd.complex %re, %im`, `nd.real %z`, `nd.imag %z`.

Complex types (`complex<f32>`, `complex<f64>`) exist at this level only: `expand-complex` makes two real values of each.
All other ops on them are the ordinary ones. A cotangent c of z = x + iy stands for the linear map dz -> re(c dz), so
that the rules of ops that are complex-linear are those of real numbers, without conjugates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import VarConstraint, operand_def, result_def

from .elementwise import Elementwise, Np, same_type
from .op import EXACT, Array, Linear, Props, bind, one_dtype, op, zeros_like
from .promotion import asarray, floats, numeric, promote
from .selection import convert
from .types import COMPLEX, Type, complex_of, f32, f64, is_complex, part_of, shape_of, tensor


@op("complex", linear=Linear.JOINT, tolerance=EXACT, flops=0, dtypes=(f32, f64))
class Complex(Elementwise):
    """`nd.complex %re, %im`: re + i im."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    re = operand_def(T)
    im = operand_def(T)
    result = result_def(TensorType)
    assembly_format = "$re `,` $im attr-dict `:` functional-type(operands, results)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        same_type(types)
        return tensor(shape_of(types[0]), complex_of(one_dtype(cls, types)))

    def reference(self, re: Np, im: Np) -> Np:
        out = np.empty(np.shape(re), np.result_type(re.dtype, np.complex64))
        out.real, out.imag = re, im
        return out

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        # re(c (x + iy)) = re(c) x - im(c) y
        return [real(ct) if linear[0] else None, -imag(ct) if linear[1] else None]


class Part(Elementwise):
    x = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        return tensor(shape_of(types[0]), part_of(one_dtype(cls, types)))


@op("real", linear=Linear.JOINT, tolerance=EXACT, flops=0, dtypes=COMPLEX)
class Real(Part):
    """`nd.real %z`: the real part."""

    def reference(self, x: Any) -> Np:
        return x.real.copy()

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [bind(Complex, ct, zeros_like(ct))]


@op("imag", linear=Linear.JOINT, tolerance=EXACT, flops=0, dtypes=COMPLEX)
class Imag(Part):
    """`nd.imag %z`: the imaginary part."""

    def reference(self, x: Any) -> Np:
        return x.imag.copy()

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        # re(-i c z) = c im(z)
        return [bind(Complex, zeros_like(ct), -ct)]


# In the array language.


def complex_(re: Any, im: Any) -> Array:
    """re + i im, with no arithmetic: parts keep NaN, infinities and signs of zeros."""
    re, im = promote(floats(re), floats(im))
    dtype = part_of(complex_of(re.dtype))
    return bind(Complex, convert(re, dtype), convert(im, dtype))


def real(x: Any) -> Array:
    """The real part; a real number is its own."""
    x = numeric(asarray(x))
    return bind(Real, x) if is_complex(x.dtype) else x


def imag(x: Any) -> Array:
    """The imaginary part; 0 of a real number."""
    x = numeric(asarray(x))
    return bind(Imag, x) if is_complex(x.dtype) else zeros_like(x)


def conj(x: Any) -> Array:
    """The complex conjugate; a real number is its own."""
    x = numeric(asarray(x))
    return bind(Complex, bind(Real, x), -bind(Imag, x)) if is_complex(x.dtype) else x


def angle(x: Any) -> Array:
    """The angle of the number's direction, in [-pi, pi]; of real numbers 0 or pi."""
    from .functions import atan2

    x = floats(x)
    return atan2(imag(x), real(x))
