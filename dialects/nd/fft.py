"""`nd.fft`: discrete Fourier transforms of the last dimensions, of any length.

The complex transform of a dimension is X[k] = sum_j x[j] w^(jk), w = exp(-2 pi i / n); `ifft` has the conjugate roots
and divides by n. `rfft` takes real numbers and gives the n // 2 + 1 first results; `irfft` takes these and gives n real
numbers, without reading what has to be 0: the imaginary parts of the first result and, for even n, of the last.
The way it is computed: `fourier.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import auto
from math import ceil, log2, prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import TensorType, f32, f64
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute
from xdsl.irdl import irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.utils.str_enum import StrEnum

from . import dimmap, fourier
from . import functions as F
from .attributes import DimsAttr, dims_attr
from .complex import complex_, conj, imag, real
from .composite import Composite
from .dimmap import OPAQUE, DimMap
from .dims import Dim, Shape, show
from .elementwise import Np, wide
from .op import Array, Cost, Linear, Props, Tolerance, bind, one_dtype, op
from .types import COMPLEX, NUMPY, Type, complex_of, described, is_complex, part_of, shape_of, tensor


class FftKind(StrEnum):
    fft = auto()
    ifft = auto()
    rfft = auto()
    irfft = auto()


@irdl_attr_definition
class FftKindAttr(EnumAttribute[FftKind]):
    name = "nd.fft_kind"


KINDS = {k.name: FftKindAttr(k) for k in FftKind}
NUMPY_OF = {"fft": np.fft.fftn, "ifft": np.fft.ifftn, "rfft": np.fft.rfftn, "irfft": np.fft.irfftn}
AT_MOST = 3
"""Dimensions of one op."""


def _name(kind: Attribute) -> str:
    assert isinstance(kind, FftKindAttr)
    return kind.data.name


@op("fft", linear=Linear.JOINT, tolerance=Tolerance(ulp=4, sums=2), dtypes=(f32, f64, *COMPLEX))
class Fft(Composite):
    """`nd.fft rfft %x [4, 6]`: over the last dimensions, whose lengths (of the real side) stand in brackets."""

    kind = prop_def(FftKindAttr)
    x = operand_def(TensorType)
    lengths = prop_def(DimsAttr)
    result = result_def(TensorType)
    assembly_format = "$kind $x $lengths attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        lengths = props["lengths"]
        assert isinstance(lengths, DimsAttr)
        n, count = dimmap.names(len(shapes[0])), len(lengths.data)
        dims = (*n[: len(n) - count], *[OPAQUE] * count)
        return DimMap((dims,), dims)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        dtype, shape, kind, lengths = one_dtype(cls, types), shape_of(types[0]), _name(props["kind"]), props["lengths"]
        assert isinstance(lengths, DimsAttr)
        sizes = lengths.data
        if is_complex(dtype) != (kind != "rfft"):
            raise ValueError(
                f"expected elements of {described((f32, f64) if kind == 'rfft' else COMPLEX)} for {kind}, "
                f"found {types[0]}"
            )
        if not 1 <= len(sizes) <= min(AT_MOST, len(shape)) or not all(isinstance(n, int) and n > 0 for n in sizes):
            raise ValueError(
                f"expected lengths from 1 on of 1 to {AT_MOST} dimensions of {types[0]}, found {show(sizes)}"
            )
        half = (*sizes[:-1], sizes[-1] // 2 + 1)
        wanted, given = half if kind == "irfft" else sizes, shape[len(shape) - len(sizes) :]
        if given != wanted:
            raise ValueError(f"expected the last dimensions to be {show(wanted)}, found {types[0]}")
        out = half if kind == "rfft" else sizes
        result = part_of(dtype) if kind == "irfft" else complex_of(dtype)
        return tensor((*shape[: len(shape) - len(sizes)], *out), result)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.lengths.data)  # pyright: ignore[reportArgumentType]

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.sizes), 0))

    def decompose(self, x: Array) -> Array:
        """One dimension after the other: from the first, a real side last; inverse ones are scaled once."""
        kind, scale = _name(self.kind), 1 / prod(self.sizes)
        dims = [(x.ndim + axis, n) for axis, n in zip(self.axes, self.sizes, strict=True)]
        last = self.sizes[-1]
        if kind == "rfft":
            parts = fourier.real_to_complex(x, last)
            for axis, n in dims[:-1]:
                parts = fourier.along(parts, axis, n, False, 1.0)
            return complex_(*parts)
        parts, inverse = [real(x), imag(x)], kind != "fft"
        for k, (axis, n) in enumerate(dims if kind != "irfft" else dims[:-1]):
            parts = fourier.along(parts, axis, n, inverse, scale if kind == "ifft" and k == 0 else 1.0)
        return fourier.complex_to_real(parts, last, scale) if kind == "irfft" else complex_(*parts)

    def reference(self, x: Np) -> Np:
        out = NUMPY_OF[_name(self.kind)](wide(x), self.sizes, self.axes)
        return out.astype(NUMPY[self.type.element_type])

    def magnitude(self, x: Np) -> Any:
        """The root of the sum of squares, by which the transform's rounding errors grow."""
        values, whole = np.abs(wide(x)), prod(self.sizes)
        out = np.sqrt(np.sum(values * values, self.axes, keepdims=True))
        kind = _name(self.kind)
        scale = {"ifft": 1 / whole, "irfft": 2 / whole}.get(kind, 1)
        shape = tuple(int(d) for d in shape_of(self.type)[-len(self.sizes) :])  # pyright: ignore[reportArgumentType]
        return np.broadcast_to(out * scale, (*out.shape[: -len(self.sizes)], *shape))

    def terms(self, x: Np) -> int:
        return prod(self.sizes)

    def cost(self) -> Cost:
        """5 n log2 n of a complex transform, half of it with real numbers on one side."""
        found, whole = super().cost(), prod(self.sizes)
        each = (5 if _name(self.kind) in ("fft", "ifft") else 3) * ceil(log2(max(whole, 2)))
        points: Dim = each * whole
        for d in shape_of(self.type)[: -len(self.sizes)]:
            points = points * d
        return Cost(points, found.accesses)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        """The matrix of the roots is symmetric; where one side is real, a real part and a half are added to it."""
        kind, sizes = _name(self.kind), self.sizes
        n = sizes[-1]
        if kind in ("fft", "ifft"):
            return [self.again([ct])]
        if kind == "rfft":
            # re(sum_k c_k sum_j x_j w^jk) = sum_j x_j re(sum_k c_k w^jk)
            more = [(0, 0)] * (ct.ndim - 1) + [(0, n - (n // 2 + 1))]
            return [real(fft(complex_(F.pad(real(ct), more), F.pad(imag(ct), more)), "fft", sizes))]
        # y_j = re(sum_k m_k / n z_k conj(w)^jk), where m_k counts z_k and its mirror image
        y = conj(fft(ct, "rfft", sizes))
        counts = np.array([1 if k == 0 or 2 * k == n else 2 for k in range(n // 2 + 1)]) / prod(sizes)
        m = F.broadcast_to(F.convert(F.add(counts.astype(np.float64), 0.0), ct.dtype), y.shape)
        return [complex_(real(y) * m, imag(y) * m)]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        return self.again(args)


def fft(x: Array, kind: str, lengths: Sequence[int]) -> Array:
    """A transform of the last dimensions: fft, ifft, rfft or irfft."""
    return bind(Fft, x, kind=KINDS[kind], lengths=dims_attr(lengths))
