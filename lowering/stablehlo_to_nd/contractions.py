"""StableHLO to nd: dot, dot_general and convolution, each one `nd.contract`.

    dot_general, batching [0] x [0], contracting [2] x [1]      nd.contract %x, %y "a b c, a c d -> a b d"
    convolution [b, 0, f]x[0, i, o]->[b, 0, f], stride 2        nd.contract %x, %y "a 2*b+c d, c d e -> a b e"

Groups are one more batch letter; a reversed window is a reversed view of the kernel. Operands are converted before they
are multiplied: to the widest of their types and the result's, or to what an algorithm says. Products of i1 are `and`,
their sums `or`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from xdsl.dialects.builtin import ComplexType, f32, i1, i32
from xdsl.ir import Attribute, Operation

from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.contraction import contract
from ...dialects.nd.convolution import window_count
from ...dialects.nd.dimmap import DimMap, Dims, Index, bare
from ...dialects.nd.dims import Dim
from ...dialects.nd.functions import compare
from ...dialects.nd.selection import convert
from ...dialects.nd.types import STORAGE, is_float, width
from ...dialects.stablehlo.access import flags, ints, number, pairs
from ...dialects.stablehlo.dimension_numbers import ConvDimensionNumbers, DotDimensionNumbers
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


def computing(dtypes: Sequence[Attribute]) -> Attribute:
    """The type in which values of these types are multiplied and added."""
    if complexes := [t for t in dtypes if isinstance(t, ComplexType)]:  # pyright: ignore[reportUnknownVariableType]
        return max(cast(list[Attribute], complexes), key=width)
    some = [t for t in dtypes if is_float(t)] or dtypes
    most = max(map(width, some))
    widest = {t: None for t in some if width(t) == most}
    found = next(iter(widest))
    if len(widest) > 1 or found in STORAGE:  # f16 and bf16; f8; the sign of integers is the result's
        return f32 if is_float(found) else i32 if found in STORAGE else dtypes[-1]
    return found


def product(x: Array, y: Array, map_: DimMap, shape: Sequence[Dim], out: Attribute, algorithm: Any = None) -> Array:
    """The contraction with elements of type `out`."""
    if out == i1 or x.dtype == i1 or y.dtype == i1:
        x, y = (convert(v, i32) for v in (x, y))
        return convert(compare("ne", contract([x, y], map_, tuple(shape)), 0), out)
    dtype = computing([x.dtype, y.dtype, out])
    if algorithm is not None:
        x, y = rounded(x, algorithm, "lhs"), rounded(y, algorithm, "rhs")
        dtype = computing([algorithm.value("accumulation_type"), f32])
    return convert(contract([convert(x, dtype), convert(y, dtype)], map_, tuple(shape)), out)


def rounded(x: Array, algorithm: Any, side: str) -> Array:
    """An operand in the type that the algorithm multiplies; several components hold what one leaves out."""
    to: Attribute = algorithm.value(f"{side}_precision_type")
    plain = algorithm.value(f"{side}_component_count") == 1 and is_float(to) and hasattr(to, "bitwidth")
    return convert(x, to) if plain and width(to) < width(x.dtype) and to.name != "tf32" else x


@converter("stablehlo.dot_general")
def dot_general(op: Operation, xs: list[Array], c: Conversion) -> Array:
    d = op.properties["dot_dimension_numbers"]
    assert isinstance(d, DotDimensionNumbers)
    x, y = xs
    mine: list[Index] = [bare(f"x{k}") for k in range(x.ndim)]
    other: list[Index] = [bare(f"y{k}") for k in range(y.ndim)]
    shared = (
        (d.lhs_batching_dimensions, d.rhs_batching_dimensions),
        (d.lhs_contracting_dimensions, d.rhs_contracting_dimensions),
    )
    for left, right in shared:
        for p, q in zip(left, right, strict=True):
            other[q] = mine[p]
    result = [mine[k] for k in d.lhs_batching_dimensions]
    contracted = [mine[k] for k in d.lhs_contracting_dimensions]
    result += [i for i in (*mine, *other) if i not in result and i not in contracted]
    sizes = dict(zip((*mine, *other), (*x.shape, *y.shape)))
    map_ = DimMap((tuple(mine), tuple(other)), tuple(result))
    algorithm = op.properties.get("algorithm")
    return product(x, y, map_, [sizes[i] for i in result], c.declared(op), algorithm)


@converter("stablehlo.dot")
def dot(op: Operation, xs: list[Array], c: Conversion) -> Array:
    """The last dimension of x with the first of y."""
    x, y = xs
    mine = tuple(bare(f"x{k}") for k in range(x.ndim))
    other = (mine[-1], *(bare(f"y{k}") for k in range(1, y.ndim)))
    map_ = DimMap((mine, other), (*mine[:-1], *other[1:]))
    return product(x, y, map_, (*x.shape[:-1], *y.shape[1:]), c.declared(op))


@converter("stablehlo.convolution")
def convolution(op: Operation, xs: list[Array], c: Conversion) -> Array:
    d = op.properties["dimension_numbers"]
    assert isinstance(d, ConvDimensionNumbers)
    rank = len(d.input_spatial_dimensions)
    return convolved(op, xs, pairs(op, "padding", rank), c)


def convolved(op: Operation, xs: Sequence[Array], pads: Sequence[tuple[int, int]], c: Conversion) -> Array:
    d = op.properties["dimension_numbers"]
    assert isinstance(d, ConvDimensionNumbers)
    x, w = xs
    rank = len(d.input_spatial_dimensions)
    one = [1] * rank
    strides, base, dilation = (ints(op, n, one) for n in ("window_strides", "lhs_dilation", "rhs_dilation"))
    turned = flags(op, "window_reversal", [False] * rank)
    if turned := [k for k, r in zip(d.kernel_spatial_dimensions, turned, strict=True) if r]:
        w = movement.reverse(w, turned)
    features, batches = (number(op, n, 1) for n in ("feature_group_count", "batch_group_count"))
    group: Dims = (bare("g"),) if max(features, batches) > 1 else ()
    sides: list[dict[int, Dims]] = [
        {d.input_batch_dimension: (bare("n"),), d.input_feature_dimension: (bare("c"),)},
        {d.kernel_input_feature_dimension: (bare("c"),), d.kernel_output_feature_dimension: (*group, bare("o"))},
        {d.output_batch_dimension: (bare("n"),), d.output_feature_dimension: (*group, bare("o"))},
    ]
    split = d.input_batch_dimension if batches > 1 else d.input_feature_dimension
    sides[0][split] = (*group, *sides[0][split])
    out: dict[int, Dim] = {
        d.output_batch_dimension: over(x.shape[d.input_batch_dimension], batches),
        d.output_feature_dimension: w.shape[d.kernel_output_feature_dimension],
    }
    spatial = (d.input_spatial_dimensions, d.kernel_spatial_dimensions, d.output_spatial_dimensions)
    for k, (i, f, o) in enumerate(zip(*spatial, strict=True)):
        (low, high), st, di, b, size_ = pads[k], strides[k], dilation[k], base[k], w.shape[f]
        plain = (size_, st, low, high, b) == (1, 1, 0, 0, 1)
        sides[0][i] = (bare(f"s{k}") if plain else Index(((f"s{k}", st), (f"k{k}", di)), -low, b),)
        sides[1][f], sides[2][o] = (bare(f"k{k}"),), (bare(f"s{k}"),)
        out[o] = window_count(x.shape[i], size_, st, low, high, di, b)
    many = max(features, batches)
    x, w = (movement.reshape(v, parted(v.shape, side, many)) for v, side in zip((x, w), sides))
    shape = tuple(out[k] for k in range(len(out)))
    map_ = DimMap((flat(sides[0]), flat(sides[1])), flat(sides[2]))
    y = product(x, w, map_, parted(shape, sides[2], many), c.declared(op))
    return movement.reshape(y, shape)


def over(d: Dim, by: int) -> Dim:
    return d if by == 1 else d // by


def flat(side: dict[int, Dims]) -> Dims:
    return tuple(i for k in range(len(side)) for i in side[k])


def parted(shape: Sequence[Dim], side: dict[int, Dims], groups: int) -> tuple[Dim, ...]:
    """The shape in which a dimension of two names is one of groups and one of their elements."""
    out: list[Dim] = []
    for k, d in enumerate(shape):
        out += [d] if len(side[k]) == 1 else [groups, over(d, groups)]
    return tuple(out)
