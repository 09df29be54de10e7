"""StableHLO's custom calls to nd: LAPACK's routines as JAX names them on CPUs, and calls that stand for an op.

The calls' layouts say how matrices lie in memory; shapes are those of the values, so that layouts mean nothing here.
`info` is 0 where a routine succeeds, else its own number or 1. Where a result is not unique, signs of eigenvectors and
singular vectors, it need not be LAPACK's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, i32
from xdsl.ir import Operation

from ...dialects.errors import CompileError
from ...dialects.nd import decompositions as D
from ...dialects.nd import functions as F
from ...dialects.nd import matrices
from ...dialects.nd.array import Array
from ...dialects.nd.complex import conj
from ...dialects.nd.constant import iota
from ...dialects.stablehlo.access import flag, word
from .linear_algebra import adjoint, factor, solved
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion

IDENTITIES = ("Sharding", "SPMDFullToShardShape", "SPMDShardToFullShape", "annotate_device_placement")
"""Calls that tell a partitioner something; one device holds all."""


@converter("stablehlo.custom_call")
def custom_call(op: Operation, xs: list[Array], c: Conversion) -> Any:
    target = word(op, "call_target_name")
    if target == "shape_assertion":  # what an exported program asks of symbolic sizes
        return []
    if flag(op, "has_side_effect"):
        raise CompileError(f"{op.name}: expected a call without side effects, found @{target}", op.location)
    if target in IDENTITIES:
        return xs
    routine = target.removeprefix("lapack_").removesuffix("_ffi")
    if routine == target or routine[:1] not in "sdcz" or routine[1:] not in ROUTINES:
        known = ", ".join([*IDENTITIES, *(f"lapack_?{n}_ffi" for n in ROUTINES)])
        raise CompileError(f"{op.name}: expected one of the targets {known}, found @{target}", op.location)
    return ROUTINES[routine[1:]](options(op), *xs)


def options(op: Operation) -> dict[str, str]:
    """The call's options, letters by their codes."""
    given = op.attributes.get("mhlo.backend_config", op.properties.get("backend_config"))
    items = given.data.items() if isinstance(given, DictionaryAttr) else ()
    return {k: chr(v.value.data) for k, v in items if isinstance(v, IntegerAttr)}


def sizes(x: Array) -> tuple[int, int]:
    m, n = (matrices.static_size(F.swapaxes(x, -1, axis), "custom_call") for axis in (-2, -1))
    return m, n


def no_info(x: Array) -> Array:
    """Success, for each matrix."""
    return F.zeros(x.shape[:-2], i32)


def potrf(o: dict[str, str], x: Array) -> Sequence[Array]:
    out = factor(x, o["uplo"] == "L")
    bad = F.any_(F.reshape(out != out, (*x.shape[:-2], -1)), -1) if x.size else F.zeros(x.shape[:-2], i32) != 0
    return out, F.convert(bad, i32)


def getrf(o: dict[str, str], x: Array) -> Sequence[Array]:
    m, n = sizes(x)
    packed, pivots = D.lu(x, m, n)
    steps = min(m, n)
    if not steps:
        return packed, pivots, no_info(x)
    zero = matrices.diagonal(F.index(packed, (..., slice(0, steps), slice(0, steps)))) == 0
    first = F.min_(F.where(zero, iota((steps,), 0, i32), steps), -1)  # the first pivot that is 0, from 1
    return packed, pivots + 1, F.where(first == steps, 0, first + 1)


def trsm(o: dict[str, str], a: Array, b: Array) -> Array:
    transpose = {"N": "NO_TRANSPOSE", "T": "TRANSPOSE", "C": "ADJOINT"}[o["trans_x"]]
    return solved(a, b, o["side"] == "L", o["uplo"] == "L", transpose, o["diag"] == "U")


def geqrf(o: dict[str, str], x: Array) -> Sequence[Array]:
    return D.reflectors(x, *sizes(x))


def orgqr(o: dict[str, str], a: Array, tau: Array) -> Array:
    return D.reflected(a, tau, *sizes(a))


def syevd(o: dict[str, str], x: Array) -> Sequence[Array]:
    _, n = sizes(x)
    half = matrices.triangle(x, o["uplo"] == "L", -1)
    own = F.where(F.broadcast_to(matrices.eye_mask(n), x.shape), x, F.zeros_like(x))
    values, vectors = D.eigh(half + adjoint(half) + (own + conj(own)) * 0.5, n)
    return vectors, values, no_info(x)


def gesdd(o: dict[str, str], x: Array) -> Sequence[Array]:
    m, n = sizes(x)
    u, s, vh = D.svd(x, m, n)
    if o["mode"] == "S":
        k = min(m, n)
        u, vh = F.index(u, (..., slice(0, k))), F.index(vh, (..., slice(0, k), slice(None)))
    return x, s, u, vh, no_info(x)


ROUTINES: dict[str, Callable[..., Any]] = {
    "potrf": potrf,
    "getrf": getrf,
    "trsm": trsm,
    "geqrf": geqrf,
    "orgqr": orgqr,
    "ungqr": orgqr,
    "syevd": syevd,
    "heevd": syevd,
    "gesdd": gesdd,
}
"""The routines' names without the letter of the type -> what they compute."""
