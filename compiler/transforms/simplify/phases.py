"""A window that reads only where a stride divides is several smaller ones, whose results are interleaved.

    y[p] = sum_k x[(p - k + 1) / 2] * w[k]         the input's gradient of a convolution with stride 2
becomes
    y[2 * q + r] = sum_t x[q - t + c] * w[2 * t + k]       for r = 0, 1, where 2 divides r - k + 1

so that none of the products is with a place between the elements of x. A transposed convolution is one, too.
"""

# Rules read the operands and properties of their op by name, so `op` is Any.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

from ....dialects.nd.array import Array
from ....dialects.nd.constant import full
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Index
from ....dialects.nd.dims import Shape
from ....dialects.nd.movement import concat, reshape, slice_
from ....dialects.nd.types import shape_of, tensor
from ..rewriting import Table
from .patterns import A, static

rules = Table()


@dataclass(frozen=True)
class Window:
    """`(p + c*k + offset) / stride`, the index of a dimension of an operand; p counts the result, k the kernel."""

    operand: int
    dimension: int
    index: Index
    p: str
    k: str
    c: int


@rules.on(Contract, level="ieee")
def divided_window(op: Any) -> Array | None:  # sum_k x[(p+c*k)/s] w[k] -> s interleaved sums over every s-th k
    shapes = [shape_of(x.type) for x in op.xs]
    result = shape_of(op.result.type)
    if not static(*result, *(d for s in shapes for d in s)) or (found := window(op.dims)) is None:
        return None
    known = {i.name: d for i, d in zip(op.dims.result, result, strict=True) if i.name}
    sizes: Mapping[str, Any] = op.dims.extents(shapes, known)
    stride, length = found.index.divisor, sizes[found.p]
    if length < 2 * stride:
        return None
    at = next(k for k, i in enumerate(op.dims.result) if i.name == found.p)
    each = (*result[:at], -(-length // stride), *result[at + 1 :])
    apart = (*each[: at + 1], 1, *each[at + 1 :])
    parts = [reshape(phase(op, found, r, sizes[found.k], each), apart) for r in range(stride)]
    whole = reshape(concat(parts, at + 1), (*result[:at], each[at] * stride, *result[at + 1 :]))
    rank = len(result)
    return slice_(whole, [0] * rank, [1] * rank, result)


def window(m: DimMap) -> Window | None:
    """The first index with a divisor that falls apart: p and k stand nowhere else but bare."""
    bare = [i.name for i in m.result]
    for operand, dims in enumerate(m.operands):
        for dimension, index in enumerate(dims):
            p = next((n for n, c in index.terms if c == 1 and n in bare), None)
            others = [(n, c) for n, c in index.terms if n != p]
            if index.divisor == 1 or p is None or len(others) != 1 or not isinstance(index.offset, int):
                continue
            k, c = others[0]
            uses = [i for ds in m.operands for i in ds if i is not index and any(n in (p, k) for n, _ in i.terms)]
            if k not in bare and gcd(c, index.divisor) == 1 and uses and all(i.name == k for i in uses):
                return Window(operand, dimension, index, p, k, c)
    return None


def phase(op: Any, w: Window, r: int, taps: int, shape: Shape) -> Array:
    """Results r, s + r, 2 * s + r, ..: the products with every s-th tap from the first one on that s divides."""
    stride, offset = w.index.divisor, w.index.offset
    assert isinstance(offset, int)
    first = next(k for k in range(stride) if (r + w.c * k + offset) % stride == 0)
    if first >= taps:
        return full(0, tensor(shape, op.result.type.element_type))
    index = Index(((w.p, 1), (w.k, w.c)), (r + w.c * first + offset) // stride)
    operands, dims = [], []
    for j, (x, ds) in enumerate(zip(op.xs, op.dims.operands, strict=True)):
        x = A(x)
        for d, i in enumerate(ds):
            if i.name == w.k:
                rank, count = len(ds), -(-(taps - first) // stride)
                x = slice_(
                    x,
                    [first if e == d else 0 for e in range(rank)],
                    [stride if e == d and count > 1 else 1 for e in range(rank)],
                    [count if e == d else x.shape[e] for e in range(rank)],
                )
        operands.append(x)
        dims.append(tuple(index if (j, d) == (w.operand, w.dimension) else i for d, i in enumerate(ds)))
    return contract(operands, replace(op.dims, operands=tuple(dims)).canonical(), shape)
