"""Normalisations: layer norm, rms norm, and batch norm of given statistics, from roots of variances.

    d = x - mean(x);    d * rsqrt(mean(d * d) + eps) * scale + bias        nd.layer_norm
                        x * rsqrt(mean(x * x) + eps) * scale               nd.rms_norm
    (x - mean) * rsqrt(variance + eps) * scale + bias                      nd.batch_norm

The factors may stand in any order and be grouped in any way; a root may be a quotient by `sqrt` or a power of -1/2; a
mean a sum over the count, times its inverse, or `nd.mean`; a variance `nd.variance` or mean(x^2) - mean(x)^2, clipped
at 0 or not, than which the op is more accurate. Scale and bias have some of x's dimensions.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.ir import Attribute, Operation

from ....dialects.nd.array import Array
from ....dialects.nd.attributes import NumberAttr, dims_attr
from ....dialects.nd.composite import Mean, Variance
from ....dialects.nd.constant import Size, full
from ....dialects.nd.dims import size
from ....dialects.nd.elementwise import Add, Div, Max, Mul, Pow, Rsqrt, Sqrt, Sub
from ....dialects.nd.normalization import BatchNorm, LayerNorm, RmsNorm, named
from ....dialects.nd.op import bind
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import shape_of, tensor
from ..rewriting import Answer, Replacement, Table
from .polynomials import near, shortest
from .views import (
    MOVING,
    UNIT,
    Label,
    View,
    alone,
    arranged,
    as_type,
    before_reduction,
    climb,
    converted,
    fits,
    into,
    moved,
    number,
    peel,
    unify,
    unwidened,
    view,
    widest,
)

rules = Table()
stable = Table()
"""Forms that are less exact than the op, and faster."""


@rules.on(Rsqrt, Sqrt, Pow, level="ieee")
def normalization(op: Any) -> Answer:  # (x - mean(x)) * rsqrt(variance(x) + eps) -> layer_norm(x); also rms, batch
    return _normalization(op, _is_mean_of_squares)


@stable.on(Rsqrt, Sqrt, Pow, level="ieee")
def normalization_of_difference(op: Any) -> Answer:  # the same of mean(x^2) - mean(x)^2, which loses what they share
    return _normalization(op, _is_difference_of_squares)


IsVariance = Callable[[View, View, View, tuple[Label, ...]], bool]
"""Is a value the variance of x, or of d = x - mean x, over these dimensions?"""


def _normalization(op: Any, is_variance: IsVariance) -> Answer:
    if type(op) is Pow and number(view(op.y)) != -0.5:
        return None
    if into(view(op.operands[0]), Add) is None:
        return None
    readers = climb(op.results[0], (Add, Div, Mul, *MOVING))
    for root in reversed([r for r in readers if type(r) not in MOVING]):
        found = _form(root, op, is_variance)
        if found is not None:
            return _replacement(root, found)
    return None


@dataclass(frozen=True)
class Form:
    """A normalisation that a root is: its values, and over which dimensions or with which statistics."""

    x: View
    over: tuple[Label, ...]
    statistics: tuple[View, ...]
    centred: bool
    scale: View | None
    bias: View | None
    eps: float


def _form(root: Operation, op: Operation, is_variance: IsVariance) -> Form | None:
    """The root as a sum of a product and a bias, one factor of which is the inverse root that the rule started from."""
    out = view(root.results[0])
    sides: list[tuple[View, View | None]] = [(out, None)]
    if type(root) is Add:
        a, b = out.operands()
        sides = [(a, b), (b, a)]
    for y, bias in sides:
        factors = _factors(y)
        if factors is None or (bias is not None and not _is_parameter(bias, out)):
            continue
        deviation = [v for v in factors if v.op is op]
        rest = [v for v in factors if v.op is not op]
        if len(deviation) == 1 and 1 <= len(rest) <= 2:
            found = _of_factors(deviation[0], rest, bias, out, is_variance)
            if found is not None:
                return found
    return None


def _factors(v: View, power: int = 1, depth: int = 5) -> list[View] | None:
    """The factors of a product, in which the root of the variance is inverted; None if another divides."""
    v = peel(v)
    kind = type(v.op)
    if kind is Mul and depth:
        parts = [_factors(x, power, depth - 1) for x in v.operands()]
        return None if any(p is None for p in parts) else [x for p in parts if p for x in p]
    if kind is Div and depth and power == 1:
        above, below = v.operands()
        inverse = _factors(below, -1, depth - 1)
        if inverse is None:
            return None
        if number(above) == 1:
            return inverse
        upper = _factors(above, 1, depth - 1)
        return None if upper is None else upper + inverse
    inverted = kind is Sqrt
    return [v] if inverted == (power == -1) else None


def _is_parameter(v: View, out: View) -> bool:
    """Has a value some of the dimensions of the result, but not all?"""
    return len([d for d in peel(v).shape if d != 1]) < len([d for d in out.shape if d != 1])


def _is_of_channels(statistics: Sequence[View | None]) -> bool:
    """Have mean, variance and at least one of scale and bias the same dimensions?"""
    dims = [{i for i in moved(v).named() if i != UNIT} for v in statistics if v is not None]
    return len(dims) > 2 and all(d == dims[0] for d in dims)


def _of_factors(
    deviation: View, rest: Sequence[View], bias: View | None, out: View, is_variance: IsVariance
) -> Form | None:
    """x or x - mean among the other factors, and what the deviation says of it."""
    found = _variance(deviation)
    if found is None:
        return None
    variance, eps = found
    for k, y in enumerate(rest):
        scale = rest[1 - k] if len(rest) == 2 else None
        if scale is not None and not _is_parameter(scale, out):
            continue
        form = _normalised(y, variance, scale, bias, eps, is_variance)
        if form is not None:
            return form
    return None


def _variance(deviation: View) -> tuple[View, float] | None:
    """v and eps of rsqrt(v + eps)."""
    inner = into(deviation.operands()[0], Add)
    if inner is None:
        return None
    a, b = inner.operands()
    for v, eps in ((a, number(b)), (b, number(a))):
        if eps is not None and eps >= 0:
            return v, shortest(eps, v.dtype)
    return None


def _normalised(
    y: View, variance: View, scale: View | None, bias: View | None, eps: float, is_variance: IsVariance
) -> Form | None:
    d = into(y, Sub)
    x, mean = d.operands() if d is not None else (y, y)
    over = _mean_over(mean, x) if d is not None else None
    if d is not None and over is not None and is_variance(variance, x, d, over):
        return Form(x, over, (), True, scale, bias, eps)
    over = _mean_square_over(variance, y)
    if over is not None and bias is None:
        return Form(y, over, (), False, scale, None, eps)
    if d is not None and _is_parameter(mean, d) and _is_of_channels([mean, variance, scale, bias]):
        return Form(x, (), (mean, variance), True, scale, bias, eps)
    return None


# Means.


def averaged(v: View) -> View | None:
    """What a value is the mean of: a sum over the count or times its inverse, or `nd.mean`."""
    v = peel(v)
    if type(v.op) is Mean:
        return before_reduction(v)
    if type(v.op) not in (Div, Mul):
        return None
    a, b = v.operands()
    for total, count in ((a, b), (b, a)) if type(v.op) is Mul else ((a, b),):
        found = into(total, Reduce)
        if found is not None and found.op.word == "sum" and _is_count(count, found.op, type(v.op) is Mul):
            return before_reduction(found)
    return None


def _is_count(v: View, reduction: Any, inverse: bool) -> bool:
    n = size(shape_of(reduction.x.type)[k] for k in reduction.axes)
    c = number(v)
    if c is not None:
        return isinstance(n, int) and n > 0 and near(c, 1 / n if inverse else n, v.dtype)
    counted = peel(v)
    return not inverse and type(counted.op) is Size and counted.op.of.data == (n,)


def _mean_over(v: View, x: View) -> tuple[Label, ...] | None:
    """The dimensions of x that a value is the mean of x over."""
    inner = averaged(v)
    bound = unify(inner, x) if inner else None
    return tuple(bound.values()) if bound else None


def _mean_square_over(v: View, x: View) -> tuple[Label, ...] | None:
    """The dimensions of x that a value is the mean of x^2 over."""
    inner = averaged(v)
    square = into(inner, Mul, Pow) if inner else None
    if square is None:
        return None
    a, b = square.operands()
    bound = unify(a, x)
    if not bound or not (number(b) == 2 if type(square.op) is Pow else a.value is b.value):
        return None
    return tuple(bound.values())


def _is_mean_of_squares(v: View, x: View, d: View, over: tuple[Label, ...]) -> bool:
    """The mean of (x - mean x)^2, or `nd.variance`."""
    if (whole := into(v, Variance)) is not None:
        bound = unify(before_reduction(whole), x)
        return bound is not None and set(bound.values()) == set(over)
    found = _mean_square_over(v, d)
    return found is not None and set(found) == set(over)


def _is_difference_of_squares(v: View, x: View, d: View, over: tuple[Label, ...]) -> bool:
    """The mean of x^2 less the square of the mean, clipped at 0 or not."""
    if (clipped := into(v, Max)) is not None:
        a, b = clipped.operands()
        v = b if number(a) == 0 else a if number(b) == 0 else v
    difference = into(v, Sub)
    if difference is None:
        return False
    squares, square = difference.operands()
    found, product = _mean_square_over(squares, x), into(square, Mul)
    if found is None or set(found) != set(over) or product is None:
        return False
    return all(_is_mean(m, x, over) for m in product.operands())


def _is_mean(v: View, x: View, over: tuple[Label, ...]) -> bool:
    found = _mean_over(v, x)
    return found is not None and set(found) == set(over)


# Building.


def _replacement(root: Operation, form: Form) -> Answer:
    out = view(root.results[0])
    given = [*form.statistics, *(v for v in (form.scale, form.bias) if v is not None)]
    values = [unwidened(v) for v in given]
    dtype = widest([form.x, *values], out.dtype)
    leaves = [form.x.value, peel(form.x).value, *(v.value for v in values), *(peel(v).value for v in values)]
    over = sorted(k for k in form.over if isinstance(k, int))
    if dtype is None or len(over) < len(form.over) or not fits(form.x, out.labels, out.shape):
        return None
    dims = [[k for k, d in enumerate(out.shape) if k in v.labels and d != 1] for v in values]
    shapes = [tuple(out.shape[k] for k in ks) for ks in dims]
    if not all(fits(v, ks, s) for v, ks, s in zip(values, dims, shapes, strict=True)) or not alone(root, leaves):
        return None
    x = converted(arranged(as_type(form.x, dtype), out.labels, out.shape), dtype)
    arrays = [
        converted(arranged(as_type(v, dtype), ks, s), dtype) for v, ks, s in zip(values, dims, shapes, strict=True)
    ]
    y = _bound(form, x, arrays, dims, over, dtype)
    return Replacement([out.value], [converted(y, out.dtype)], root)


def _bound(
    form: Form, x: Array, arrays: list[Array], dims: list[list[int]], over: list[int], dtype: Attribute
) -> Array:
    """The op, with 1 for a scale and -0.0, which changes nothing, for a bias that the form lacks."""
    count = len(form.statistics)
    own = dims[count] if len(dims) > count else dims[0] if dims else over
    sizes = tuple(x.shape[k] for k in own)
    if form.scale is None:
        arrays.insert(count, full(1.0, tensor(sizes, dtype)))
        dims.insert(count, own)
    if form.bias is None and form.centred:
        arrays.append(full(-0.0, tensor(sizes, dtype)))
        dims.append(own)
    properties: dict[str, Attribute] = {"map": named(x.ndim, *dims), "eps": NumberAttr(form.eps)}
    if form.statistics:
        return bind(BatchNorm, x, *arrays, **properties)
    properties["over"] = dims_attr(over)
    return bind(LayerNorm if form.centred else RmsNorm, x, *arrays, **properties)
