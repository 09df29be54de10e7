"""`nd.contract`: products as dot_general, windows as convolution, anything else step by step.

    x[a, b] w[b, c] -> [a, c]                     dot_general
    x[a, 2*b+c-1, d] w[c, d, e] -> [a, b, e]      convolution: stride 2, padding 1
    x[a, (b-c+1)/2, e] w[c, d, e] -> [a, b, d]    convolution: lhs dilation 2, the kernel reversed
    x[a+b, a] -> [b]                              windows written out by gather, repeated names by masks, then as above

Sums of f16 and bf16 are taken in f32. The precision is the highest, since that is what `nd` promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import IntegerAttr, bf16, f16, f32, i64
from xdsl.ir import Attribute

from ...dialects.nd.contraction import Contract
from ...dialects.nd.dimmap import Dims
from ...dialects.nd.types import is_float, tensor
from . import build as b
from .attributes import conv_numbers, dot_numbers, highest, ints, pairs
from .build import Value
from .named import Named, Names, diagonal, merged, ordered, spread, sum_over, unfolded


def contract(op: Contract, *xs: Value) -> Value:
    m, dtype = op.dims, op.type.element_type
    out = tuple(i.name or "" for i in m.result)
    sizes = op.extents(xs)  # pyright: ignore[reportArgumentType]: it looks at shapes alone
    if len(xs) == 2 and xs[0].size and xs[1].size and prod(b.shape_numbers(op.type)):
        for k in (0, 1):
            found = convolution(xs[k], m.operands[k], xs[1 - k], m.operands[1 - k], out, sizes)
            if found is not None:
                return b.convert(found, dtype)
    named = [diagonal(unfolded(x, d, sizes, 0)) for x, d in zip(xs, m.operands, strict=True)]
    return b.convert(products(named, out, sizes), dtype)


def products(xs: Sequence[Named], out: Names, sizes: dict[str, int]) -> Value:
    """One operand after the other; a name is summed over as soon as nobody needs it."""
    first, *rest = xs
    wide = wide_type(first.x)
    for k, x in enumerate(rest):
        needed = {*out, *(n for y in rest[k + 1 :] for n in y.names)}
        first = product(first, x, needed, wide)
    lost = [n for n in first.names if n not in out]
    if lost:
        first = sum_over(Named(b.convert(first.x, wide), first.names), lost)
    return spread(first, out, sizes)


def wide_type(x: Value) -> Attribute:
    return f32 if x.dtype in (f16, bf16) else x.dtype


def product(x: Named, y: Named, needed: set[str], wide: Attribute) -> Named:
    """The product of two, summed over what only they have and nobody needs."""
    x = lonely(x, {*needed, *y.names}, wide)
    y = lonely(y, {*needed, *x.names}, wide)
    both = tuple(n for n in x.names if n in y.names)
    batch = tuple(n for n in both if n in needed)
    summed = tuple(n for n in both if n not in needed)
    free = tuple(tuple(n for n in v.names if n not in both) for v in (x, y))
    names = (*batch, *free[0], *free[1])
    sizes = {**x.sizes(), **y.sizes()}
    if not summed:
        a, c = (spread(Named(b.convert(v.x, wide), v.names), names, sizes) for v in (x, y))
        return Named(a * c, names)
    left, right = x.x, y.x
    if left.dtype != right.dtype:
        left, right = b.convert(left, wide), b.convert(right, wide)
    numbers = dot_numbers(
        lhs_batching_dimensions=[x.names.index(n) for n in batch],
        rhs_batching_dimensions=[y.names.index(n) for n in batch],
        lhs_contracting_dimensions=[x.names.index(n) for n in summed],
        rhs_contracting_dimensions=[y.names.index(n) for n in summed],
    )
    t = tensor(tuple(sizes[n] for n in names), wide)
    more = highest() if is_float(wide) else {}
    return Named(b.one("dot_general", [left, right], t, dot_dimension_numbers=numbers, **more), names)


def lonely(x: Named, needed: set[str], wide: Attribute) -> Named:
    """Sum over the names that nobody else has."""
    lost = [n for n in x.names if n not in needed]
    return sum_over(Named(b.convert(x.x, wide), x.names), lost) if lost else x


def convolution(x: Value, dims: Dims, w: Value, other: Dims, out: Names, sizes: dict[str, int]) -> Value | None:
    """x with windows, w and the result with bare names; None where this is no convolution.

    An index (s*o + d*k + offset) / L of x, where o is in the result only and k in w only, is a spatial dimension with
    stride s, dilation |d| of the kernel, which is reversed where d < 0, and dilation L of x.
    """
    if not any(i.name is None for i in dims) or any(i.name is None for i in other):
        return None
    kernel = tuple(i.name or "" for i in other)
    plain = tuple(i.name for i in dims if i.name is not None)
    terms = [n for i in dims for n, _ in i.terms]
    if len(set(terms)) < len(terms) or len(set(kernel)) < len(kernel):
        return None
    spatial = [(k, i) for k, i in enumerate(dims) if i.name is None]
    windows: list[tuple[str, int, str, int]] = []
    for _, i in spatial:
        o = [(n, c) for n, c in i.terms if n in out and n not in kernel]
        r = [(n, c) for n, c in i.terms if n in kernel and n not in out]
        if len(i.terms) != 2 or len(o) != 1 or len(r) != 1 or o[0][1] < 1:
            return None
        windows.append((*o[0], *r[0]))
    if not all(n in (*plain, *terms, *kernel) for n in out):
        return None
    groups = tuple(n for n in plain if n in kernel and n in out)
    inputs = tuple(n for n in plain if n in kernel and n not in out)
    batch = tuple(n for n in plain if n in out and n not in kernel)
    features = tuple(n for n in kernel if n in out and n not in groups)
    taps = tuple(k for _, _, k, _ in windows)
    if any(n not in (*batch, *inputs, *groups) for n in plain) or any(
        n not in (*taps, *inputs, *groups, *features) for n in kernel
    ):
        return None

    places = tuple(f"place {k}" for k, _ in spatial)
    names = tuple(f"place {k}" if i.name is None else i.name for k, i in enumerate(dims))
    left = merged(Named(x, names), [batch, *((p,) for p in places), (*groups, *inputs)])
    right = merged(Named(w, kernel), [*((t,) for t in taps), inputs, (*groups, *features)])
    right = b.reverse(right, [k for k, (_, _, _, d) in enumerate(windows) if d < 0])

    padding: list[tuple[int, int]] = []
    for (k, i), (o, s, r, d) in zip(spatial, windows, strict=True):
        reach = abs(d) * (sizes[r] - 1)
        low = (reach if d < 0 else 0) - b.number(i.offset)
        dilated = (x.shape[k] - 1) * i.divisor + 1
        padding.append((low, (sizes[o] - 1) * s + reach + 1 - dilated - low))
    rank = len(spatial)
    places_out = tuple(o for o, _, _, _ in windows)
    count = prod(sizes[n] for n in groups)
    wide = wide_type(x)
    channels = prod(sizes[n] for n in (*groups, *features))
    shape = (prod(sizes[n] for n in batch), *(sizes[o] for o in places_out), channels)
    where = list(range(1, rank + 1))
    y = b.one(
        "convolution",
        [left, right],
        tensor(shape, wide),
        window_strides=ints([s for _, s, _, _ in windows]),
        padding=pairs(padding),
        lhs_dilation=ints([i.divisor for _, i in spatial]),
        rhs_dilation=ints([abs(d) for _, _, _, d in windows]),
        dimension_numbers=conv_numbers(
            input_batch_dimension=0,
            input_feature_dimension=rank + 1,
            input_spatial_dimensions=where,
            kernel_input_feature_dimension=rank,
            kernel_output_feature_dimension=rank + 1,
            kernel_spatial_dimensions=list(range(rank)),
            output_batch_dimension=0,
            output_feature_dimension=rank + 1,
            output_spatial_dimensions=where,
        ),
        feature_group_count=IntegerAttr(count, i64),
        batch_group_count=IntegerAttr(1, i64),
        **(highest() if is_float(wide) else {}),
    )
    apart = (*batch, *places_out, *groups, *features)
    return ordered(Named(b.reshape(y, [sizes[n] for n in apart]), apart), out)


ROWS = {"contract": contract}
