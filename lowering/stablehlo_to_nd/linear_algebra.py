"""StableHLO to nd: triangular_solve, cholesky and random bits: nd's own, by other names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute, Operation

from ...dialects.errors import CompileError
from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.selection import convert
from ...dialects.nd.types import is_complex, width
from ...dialects.stablehlo.access import flag, word
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


def solving(dtype: Attribute) -> Attribute:
    """The type in which systems of this one are solved."""
    return f32 if not is_complex(dtype) and width(dtype) < 32 else dtype


@converter("stablehlo.triangular_solve")
def triangular_solve_(op: Operation, xs: list[Array], c: Conversion) -> Array:
    a, b = xs
    return solved(
        a,
        b,
        flag(op, "left_side"),
        flag(op, "lower"),
        word(op, "transpose_a", "NO_TRANSPOSE"),
        flag(op, "unit_diagonal"),
    )


def solved(a: Array, b: Array, left: bool, lower: bool, transpose: str, unit: bool) -> Array:
    from ...dialects.nd.triangular import triangular_solve

    dtype = b.dtype
    a, b = (convert(v, solving(dtype)) for v in (a, b))
    if transpose == "ADJOINT":
        a = conjugate(a)
    if is_complex(dtype):
        return complex_solved(a, b, left, lower, transpose != "NO_TRANSPOSE", unit)
    return convert(triangular_solve(a, b, not left, lower, transpose != "NO_TRANSPOSE", unit), dtype)


def complex_solved(a: Array, b: Array, left: bool, lower: bool, transpose: bool, unit: bool) -> Array:
    from ...dialects.nd import matrices
    from ...dialects.nd.decompositions import substitute

    turned = F.swapaxes(b, -1, -2) if not left else b
    flipped = transpose == left  # x op(a) = b is op(a)^T x^T = b^T
    a = F.swapaxes(a, -1, -2) if flipped else a
    x = substitute(a, turned, matrices.static_size(a, "triangular_solve"), lower != flipped, unit)
    return F.swapaxes(x, -1, -2) if not left else x


def conjugate(x: Array) -> Array:
    if not is_complex(x.type):
        return x
    from ...dialects.nd.complex import conj

    return conj(x)


@converter("stablehlo.cholesky")
def cholesky_(op: Operation, xs: list[Array], c: Conversion) -> Array:
    return factor(xs[0], flag(op, "lower"))


def factor(a: Array, lower: bool) -> Array:
    """The triangle l of a = l l^H, or u of u^H u; the other triangle of a is not read, that of the result 0."""
    from ...dialects.nd.cholesky import cholesky

    dtype = a.dtype
    a = convert(a, solving(dtype))
    if is_complex(dtype):
        from ...dialects.nd import decompositions, matrices

        low = decompositions.cholesky(a if lower else adjoint(a), matrices.static_size(a, "cholesky"))
        return low if lower else adjoint(low)
    if lower:
        return convert(cholesky(a), dtype)
    return convert(adjoint(cholesky(adjoint(a))), dtype)


def adjoint(a: Array) -> Array:
    order = [*range(a.ndim - 2), a.ndim - 1, a.ndim - 2]
    return conjugate(movement.transpose(a, order))


@converter("stablehlo.rng_bit_generator")
def rng_bit_generator(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    from ...dialects.nd.generators import generate

    return generate(word(op, "rng_algorithm").lower(), xs[0], drawn_shape(op, 1, c), c.declared(op, 1))


@converter("stablehlo.rng")
def rng(op: Operation, xs: list[Array], c: Conversion) -> Array:
    from ...dialects.nd.generators import distribution

    c.draws += 1
    return distribution(word(op, "rng_distribution").lower(), xs[0], xs[1], drawn_shape(op, 0, c), c.draws)


def drawn_shape(op: Operation, k: int, c: Conversion) -> tuple[int, ...]:
    shape = c.result_shape(op, k)
    if min(shape, default=0) < 0:
        raise CompileError(f"{op.name}: expected a result of known sizes, found {op.results[k].type}", op.location)
    return shape
