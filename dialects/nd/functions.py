"""The array language: what users' programs and the ops' rules are written in. Names follow NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import f32, i1, i64

from . import dimmap, movement
from .array import Array, Axis
from .composite import CrossEntropy, Gelu, LogSoftmax, Mean, Mse, Relu, Softmax, Variance
from .constant import constant as constant
from .constant import full, iota
from .constant import size_value as size_value
from .contraction import Contract
from .contraction import conv as conv
from .dimmap import DimMap, Index, bare
from .dims import Dim, Shape, Sym, exact_div, show, size
from .elementwise import (
    Abs,
    Add,
    And,
    Cos,
    Div,
    Exp,
    Floor,
    Log,
    Max,
    Min,
    Mul,
    Neg,
    Not,
    Or,
    Pow,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    Sub,
    Tanh,
    Unary,
    Xor,
)
from .indexing import Argmax, Argmin, one_hot_as
from .mapped import rearrange, text, without
from .op import bind
from .promotion import as_dtype, asarray, axes_of, broadcast_shapes, common_dtype, fail, one_axis, promote, same_shape
from .reduction import reduce as reduce_axes
from .selection import COMPARE, Compare, Select
from .selection import convert as convert_to
from .types import INTEGER, is_float, tensor

# Elementwise.


def add(x: Any, y: Any) -> Array:
    return bind(Add, *promote(x, y))


def sub(x: Any, y: Any) -> Array:
    return bind(Sub, *promote(x, y))


def mul(x: Any, y: Any) -> Array:
    return bind(Mul, *promote(x, y))


def div(x: Any, y: Any) -> Array:
    """`nd.div` itself: of integers the floor of the quotient."""
    return bind(Div, *promote(x, y))


def true_divide(x: Any, y: Any) -> Array:
    """`/`: integers become f32 first."""
    x, y = promote(x, y)
    return bind(Div, floats(x), floats(y))


def floor_divide(x: Any, y: Any) -> Array:
    q = div(x, y)
    return bind(Floor, q) if is_float(q.dtype) else q


def remainder(x: Any, y: Any) -> Array:
    """`%`: x - floor(x / y) y, with the sign of y."""
    x, y = promote(x, y)
    return bind(Sub, x, bind(Mul, floor_divide(x, y), y))


def power(x: Any, y: Any) -> Array:
    """`**`; a small whole exponent becomes products."""
    if isinstance(x, Array) and isinstance(y, int) and not isinstance(y, bool):
        if 0 < y <= 4 or (y > 0 and not is_float(x.dtype)):
            half = power(x, y // 2) if y > 1 else None
            return x if half is None else half * half * x if y % 2 else half * half
        if y == 0:
            return ones_like(x)
    x, y = promote(x, y)
    return bind(Pow, floats(x), floats(y))


def maximum(x: Any, y: Any) -> Array:
    return bind(Max, *promote(x, y))


def minimum(x: Any, y: Any) -> Array:
    return bind(Min, *promote(x, y))


def clip(x: Any, low: Any = None, high: Any = None) -> Array:
    x = asarray(x) if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def floats(x: Any) -> Array:
    """As a float array: integers and i1 become f32."""
    x = asarray(x)
    return x if is_float(x.dtype) else convert_to(x, f32)


def _numeric(cls: type[Unary], x: Any) -> Array:
    x = asarray(x)
    return bind(cls, convert_to(x, i64) if x.dtype == i1 else x)


def neg(x: Any) -> Array:
    return _numeric(Neg, x)


def abs_(x: Any) -> Array:
    return _numeric(Abs, x)


def sign(x: Any) -> Array:
    return _numeric(Sign, x)


def floor(x: Any) -> Array:
    x = asarray(x)
    return bind(Floor, x) if is_float(x.dtype) else x


def exp(x: Any) -> Array:
    return bind(Exp, floats(x))


def log(x: Any) -> Array:
    return bind(Log, floats(x))


def tanh(x: Any) -> Array:
    return bind(Tanh, floats(x))


def sin(x: Any) -> Array:
    return bind(Sin, floats(x))


def cos(x: Any) -> Array:
    return bind(Cos, floats(x))


def sqrt(x: Any) -> Array:
    return bind(Sqrt, floats(x))


def rsqrt(x: Any) -> Array:
    return bind(Rsqrt, floats(x))


def logical_and(x: Any, y: Any) -> Array:
    return bind(And, *promote(x, y))


def logical_or(x: Any, y: Any) -> Array:
    return bind(Or, *promote(x, y))


def logical_xor(x: Any, y: Any) -> Array:
    return bind(Xor, *promote(x, y))


def logical_not(x: Any) -> Array:
    return bind(Not, asarray(x))


def compare(kind: str, x: Any, y: Any) -> Array:
    return bind(Compare, *promote(x, y), kind=COMPARE[kind])


def equal(x: Any, y: Any) -> Array:
    return compare("eq", x, y)


def not_equal(x: Any, y: Any) -> Array:
    return compare("ne", x, y)


def less(x: Any, y: Any) -> Array:
    return compare("lt", x, y)


def less_equal(x: Any, y: Any) -> Array:
    return compare("le", x, y)


def greater(x: Any, y: Any) -> Array:
    return compare("gt", x, y)


def greater_equal(x: Any, y: Any) -> Array:
    return compare("ge", x, y)


def select(p: Array, x: Array, y: Array) -> Array:
    """`nd.select` itself: all of one shape."""
    return bind(Select, p, x, y)


def where(p: Any, x: Any, y: Any) -> Array:
    p = truth(asarray(p))
    x, y = promote(x, y)
    return bind(Select, *same_shape(p, x, y))


def truth(x: Array) -> Array:
    return x if x.dtype == i1 else compare("ne", x, 0)


def convert(x: Any, dtype: Any) -> Array:
    return convert_to(asarray(x), as_dtype(dtype))


# Creation.


def zeros(shape: Any, dtype: Any = f32) -> Array:
    return full(0, tensor(shape_tuple(shape), as_dtype(dtype)))


def ones(shape: Any, dtype: Any = f32) -> Array:
    return full(1, tensor(shape_tuple(shape), as_dtype(dtype)))


def zeros_like(x: Array) -> Array:
    return full(0, x.type)


def ones_like(x: Array) -> Array:
    return full(1, x.type)


def shape_tuple(shape: Any) -> Shape:
    given = (shape,) if isinstance(shape, int | Sym) else tuple(shape)
    for d in given:
        if not isinstance(d, int | Sym) or isinstance(d, bool) or (isinstance(d, int) and d < -1):
            raise fail(f"expected sizes (numbers from 0, or symbols) as a shape, found {d!r}")
    return given


def eye_mask(shape: Shape, pairs: Sequence[tuple[int, int]]) -> Array:
    """True where the two coordinates of each pair of dimensions agree."""
    out: Array | None = None
    for p, q in pairs:
        same = compare("eq", iota(shape, p), iota(shape, q))
        out = same if out is None else bind(And, out, same)
    return out if out is not None else full(True, tensor(shape, i1))


# Movement.


def reshape(x: Any, shape: Any) -> Array:
    """One size may be -1: what is left."""
    x, want = asarray(x), shape_tuple(shape)
    unknown = [k for k, d in enumerate(want) if d == -1]
    if len(unknown) > 1:
        raise fail(f"expected at most one -1 in a shape, found {show(want)}")
    if unknown:
        left = exact_div(x.size, size(d for d in want if d != -1))
        if left is None:
            raise fail(f"expected a shape of {x.size} elements, found {show(want)} for {x.type}")
        want = tuple(left if d == -1 else d for d in want)
    return movement.reshape(x, want)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    x = asarray(x)
    if axes is None:
        return movement.transpose(x, range(x.ndim)[::-1])
    perm = [one_axis(a, x.ndim) for a in axes]
    if sorted(perm) != list(range(x.ndim)):
        raise fail(f"expected a permutation of {x.ndim} axes, found {list(axes)}")
    return movement.transpose(x, perm)


def swapaxes(x: Array, a: int, b: int) -> Array:
    perm = list(range(x.ndim))
    a, b = one_axis(a, x.ndim), one_axis(b, x.ndim)
    perm[a], perm[b] = b, a
    return movement.transpose(x, perm)


def moveaxis(x: Array, source: int, destination: int) -> Array:
    perm = list(range(x.ndim))
    perm.insert(one_axis(destination, x.ndim), perm.pop(one_axis(source, x.ndim)))
    return movement.transpose(x, perm)


def broadcast_to(x: Any, shape: Any) -> Array:
    x, want = asarray(x), shape_tuple(shape)
    if len(want) < x.ndim or broadcast_shapes(x.shape, want) != want:
        raise fail(f"expected a shape that broadcasts to {show(want)}, found {show(x.shape)}")
    return movement.broadcast_to(x, want)


def expand_dims(x: Any, axis: int) -> Array:
    x = asarray(x)
    at = one_axis(axis, x.ndim + 1)
    return movement.reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: Array, axis: Axis = None) -> Array:
    axes = [k for k, d in enumerate(x.shape) if d == 1] if axis is None else axes_of(x, axis)
    if bad := [k for k in axes if x.shape[k] != 1]:
        raise fail(f"expected size 1 in axis {bad[0]}, found {x.shape[bad[0]]}")
    return movement.reshape(x, tuple(d for k, d in enumerate(x.shape) if k not in axes))


def flip(x: Array, axis: Axis = None) -> Array:
    return movement.reverse(x, axes_of(x, axis))


def concatenate(xs: Sequence[Any], axis: int = 0) -> Array:
    arrays = [asarray(x) for x in xs]
    if not arrays:
        raise fail("expected at least one array to concatenate, found none")
    dtype = arrays[0].dtype
    for a in arrays:
        dtype = common_dtype(dtype, a.dtype)
    if not arrays[0].ndim:
        raise fail("expected arrays of at least one dimension to concatenate, found rank 0; use stack")
    return movement.concat([convert_to(a, dtype) for a in arrays], one_axis(axis, arrays[0].ndim))


def stack(xs: Sequence[Any], axis: int = 0) -> Array:
    return concatenate([expand_dims(x, axis) for x in xs], axis)


def pad(x: Any, width: Any, value: Any = 0) -> Array:
    """`width`: (low, high) for each dimension, one pair for all, or one number."""
    x = asarray(x)
    pairs = [(width, width)] * x.ndim if isinstance(width, int | Sym) else list(width)
    if pairs and isinstance(pairs[0], int | Sym):
        pairs = [tuple(pairs)] * x.ndim
    if len(pairs) != x.ndim:
        raise fail(f"expected {x.ndim} pairs of (low, high), one for each dimension, found {len(pairs)}")
    return movement.pad(x, value, [lo for lo, _ in pairs], [hi for _, hi in pairs])


def index(x: Array, key: Any) -> Array:
    """x[key]: numbers, slices, None and `...`. In a symbolic dimension bounds are taken as given, not clamped."""
    keys: list[Any] = list(cast(tuple[Any, ...], key)) if isinstance(key, tuple) else [key]
    used = sum(k is not None and k is not Ellipsis for k in keys)
    if used > x.ndim:
        raise fail(f"expected at most {x.ndim} indices for {x.type}, found {used}")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    start: list[Dim] = []
    step: list[int] = []
    count: list[Dim] = []
    out: list[Dim] = []
    for k in keys:
        if k is None:
            out.append(1)
            continue
        d = x.shape[len(start)]
        s, t, n = _one_slice(k, d, len(start))
        start.append(s)
        step.append(t)
        count.append(n)
        if isinstance(k, slice):
            out.append(n)
    return movement.reshape(movement.slice_(x, start, step, count), tuple(out))


def _one_slice(k: Any, d: Dim, at: int) -> tuple[Dim, int, Dim]:
    """Start, step and count of one index in a dimension of size d."""
    if isinstance(k, slice):
        return _slice_of(cast(Any, k), d)
    if not isinstance(k, int) or isinstance(k, bool):
        what = f"a value of type {k.type}" if isinstance(k, Array) else repr(k)
        raise fail(f"expected an index of numbers, slices, None or ..., found {what}; select with one_hot or where")
    if isinstance(d, int) and not -d <= k < d:
        raise fail(f"expected an index from {-d} to {d - 1} in dimension {at}, found {k}")
    return (k if k >= 0 else d + k), 1, 1


def _slice_of(k: Any, d: Dim) -> tuple[Dim, int, Dim]:
    step: Any = 1 if k.step is None else k.step
    if not isinstance(step, int) or step == 0:
        raise fail(f"expected a step that is a number other than 0, found {step}")
    if isinstance(d, int) and all(v is None or isinstance(v, int) for v in (k.start, k.stop)):
        r = range(*cast(slice, k).indices(d))
        return (r.start if len(r) else 0), step, len(r)

    def bound(v: Any, default: Dim) -> Dim:
        return default if v is None else d + v if isinstance(v, int) and v < 0 else v

    if step > 0:
        first, stop = bound(k.start, 0), bound(k.stop, d)
        return first, step, (stop + -1 * first + (step - 1)) // step
    first, stop = bound(k.start, d + -1), bound(k.stop, -1)
    return first, step, (first + -1 * stop + (-step - 1)) // -step


# Contraction.


def contract(map_: str, *xs: Any) -> Array:
    """Index notation, `"a b, b c -> a c"`, windows too: `nd.contract` itself."""
    try:
        m = dimmap.parse(map_)
    except ValueError as e:
        raise fail(str(e)) from None
    return bind(Contract, *alike(xs), map=text(m))


def einsum(spec: str, *xs: Any) -> Array:
    """NumPy's: every letter is an index; `...` stands for the leading rest."""
    arrays = alike(xs)
    left, arrow, right = spec.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        raise fail(f'expected {len(terms)} operands for "{spec}", found {len(arrays)}')
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        right = "..." * ("..." in left) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    rest = max(
        (a.ndim - len(t.replace("...", "")) for t, a in zip(terms, arrays, strict=True) if "..." in t), default=0
    )

    def dims(term: str, rank: int) -> tuple[Index, ...]:
        before, dots, after = term.partition("...")
        n = rank - len(before) - len(after) if dots else 0
        middle = [bare(f"rest{k}") for k in range(rest - n, rest)]
        return (*(bare(f"i{ord(c)}") for c in before), *middle, *(bare(f"i{ord(c)}") for c in after))

    operands = tuple(dims(t, a.ndim) for t, a in zip(terms, arrays, strict=True))
    out = dims(right, rest + len(right.replace("...", "")))
    return bind(Contract, *arrays, map=text(DimMap(operands, out)))


def alike(xs: Sequence[Any]) -> list[Array]:
    """Arrays of one element type."""
    arrays = [asarray(x) for x in xs]
    if not arrays:
        raise fail("expected at least one operand, found none")
    if all(a.dtype is arrays[0].dtype for a in arrays) and arrays[0].dtype is not i1:
        return arrays
    dtype = i64 if all(a.dtype == i1 for a in arrays) else arrays[0].dtype
    for a in arrays:
        dtype = common_dtype(dtype, a.dtype)
    return [convert_to(a, dtype) for a in arrays]


MATMUL = text(dimmap.parse("a b, b c -> a c"))


def matmul(x: Any, y: Any) -> Array:
    """NumPy's `@`: vectors, matrices, and batches that broadcast."""
    x, y = alike([x, y])
    if not x.ndim or not y.ndim:
        raise fail(f"expected operands of at least one dimension for @, found {x.type} and {y.type}; use *")
    inner, other = x.shape[-1], y.shape[-2] if y.ndim > 1 else y.shape[0]
    if inner != other:
        raise fail(
            f"expected the last size of {x.type} to equal the second last of {y.type}, found {inner} and {other}"
        )
    if x.ndim == y.ndim == 2:
        return bind(Contract, x, y, map=MATMUL)
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    names = dimmap.names(len(batch) + 3)
    n, (i, k, j) = names[: len(batch)], names[len(batch) :]
    x, nx = _drop_ones(x, batch, n)
    y, ny = _drop_ones(y, batch, n)
    left, right = ((i, k) if x.ndim - len(nx) == 2 else (k,)), ((k, j) if y.ndim - len(ny) == 2 else (k,))
    out = (*n, *left[:-1], *right[1:])
    return _contract_or_rearrange(x, y, DimMap(((*nx, *left), (*ny, *right)), out))


def _contract_or_rearrange(x: Array, y: Array, m: DimMap) -> Array:
    present = {i for d in m.operands for i in d}
    if all(i in present for i in m.result):
        return bind(Contract, x, y, map=text(m))
    inner = tuple(i for i in m.result if i in present)  # sizes 1 on both sides
    z = bind(Contract, x, y, map=text(DimMap(m.operands, inner)))
    return rearrange(
        z, DimMap((inner,), m.result), tuple(1 if i not in present else z.shape[inner.index(i)] for i in m.result)
    )


def _drop_ones(x: Array, batch: Shape, names: tuple[Index, ...]) -> tuple[Array, tuple[Index, ...]]:
    """Take the batch dimensions of size 1 off; the names of those that stay."""
    own = x.shape[:-2]
    names = names[len(batch) - len(own) :]
    keep = [k for k, d in enumerate(own) if d != 1]
    shape = (*(own[k] for k in keep), *x.shape[len(own) :])
    return movement.reshape(x, shape), tuple(names[k] for k in keep)


# Reductions.


def reduce(kind: str, x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = asarray(x)
    if kind in ("any", "all"):
        x = truth(x)
    elif x.dtype == i1:
        x = convert_to(x, i64)
    axes = axes_of(x, axis)
    return kept(reduce_axes(kind, x, axes), x, axes, keepdims)


def kept(y: Array, x: Array, axes: Sequence[int], keepdims: bool) -> Array:
    return movement.reshape(y, tuple(1 if k in axes else d for k, d in enumerate(x.shape))) if keepdims else y


def sum_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("sum", x, axis, keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("prod", x, axis, keepdims)


def max_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("max", x, axis, keepdims)


def min_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("min", x, axis, keepdims)


def any_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("any", x, axis, keepdims)


def all_(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    return reduce("all", x, axis, keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Mean, x, map=without(x.ndim, tuple(axes))) if axes else x, x, axes, keepdims)


def variance(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    x = floats(x)
    axes = axes_of(x, axis)
    return kept(bind(Variance, x, map=without(x.ndim, tuple(axes))), x, axes, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmax, asarray(x), axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Array:
    return _arg(Argmin, asarray(x), axis, keepdims)


def _arg(cls: type[Argmax] | type[Argmin], x: Array, axis: int | None, keepdims: bool) -> Array:
    if axis is None:  # the position in the flattened array
        flat = bind(cls, movement.reshape(x, (x.size,)), map=without(1, (0,)))
        return kept(flat, x, range(x.ndim), keepdims)
    at = one_axis(axis, x.ndim)
    return kept(bind(cls, x, map=without(x.ndim, (at,))), x, [at], keepdims)


# Networks.


def relu(x: Any) -> Array:
    return _numeric(Relu, x)


def gelu(x: Any) -> Array:
    return bind(Gelu, floats(x))


def softmax(x: Any, axis: int = -1) -> Array:
    return _along(Softmax, floats(x), axis)


def log_softmax(x: Any, axis: int = -1) -> Array:
    return _along(LogSoftmax, floats(x), axis)


def _along(cls: type[Softmax] | type[LogSoftmax], x: Array, axis: int) -> Array:
    if not x.ndim:
        raise fail(f"expected at least one dimension, found {x.type}")
    at = one_axis(axis, x.ndim)
    return swapaxes(bind(cls, swapaxes(x, at, -1)), at, -1)


def one_hot(labels: Any, classes: Dim, dtype: Any = f32) -> Array:
    """Rows of 0 with a 1 at the label's place; labels must be in 0..classes-1."""
    x = asarray(labels)
    return one_hot_as(x, (*x.shape, classes), as_dtype(dtype))


def cross_entropy(logits: Any, targets: Any) -> Array:
    """One loss for each row; targets are weights like the logits, or integer labels in range."""
    x, t = floats(logits), asarray(targets)
    if t.dtype in INTEGER and x.ndim:
        if t.shape != x.shape[:-1]:
            raise fail(f"expected labels of shape {show(x.shape[:-1])} for logits {x.type}, found {show(t.shape)}")
        t = one_hot_as(t, x.shape, x.dtype)
    x, t = promote(x, floats(t))
    return bind(CrossEntropy, x, t)


def mse(x: Any, y: Any, axis: Axis = None) -> Array:
    """The mean of (x - y)^2."""
    x, y = promote(floats(x), y)
    axes = axes_of(x, axis)
    n = dimmap.names(x.ndim)
    return bind(Mse, x, y, map=text(DimMap((n, n), tuple(i for k, i in enumerate(n) if k not in axes))))
