"""Sums of products, one map each.

`nd.contract` is matmul, batched matmul, einsum, convolution of any rank, its two gradients, and sum pooling: window
dimensions are index expressions of the map, reads outside an operand give zero. It is closed under transposition and
batching. The reference accumulates floats in float64; integers wrap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import TypeAttribute
from xdsl.irdl import opt_prop_def, prop_def, result_def, var_operand_def

from .dimmap import DimMap, Dims, bare
from .dims import Dim, Shape
from .elementwise import Np, wide
from .mapped import Mapped, mapped, rearrange
from .op import Array, Linear, Tolerance, number, numbers, op
from .types import FIELD, kind_of, shape_of


@op("contract", linear=Linear.EACH, flops=2, tolerance=Tolerance(sums=4), dtypes=FIELD)
class Contract(Mapped):
    """`nd.contract %x, %w "a b, b c -> a c"`; result sizes that only windows tell stand after `to`."""

    FORM: ClassVar[str] = 'a contraction such as "a b, b c -> a c", the result in different bare names'
    xs = var_operand_def(TensorType)
    map = prop_def(StringAttr)
    shape = opt_prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$xs $map (`to` $shape^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        return (
            all(i.name for i in map_.result)
            and len(set(map_.result)) == len(map_.result)
            and not any(i.opaque for d in map_.operands for i in d)
        )

    def extents(self, xs: Sequence[Np]) -> dict[str, int]:
        """The sizes of all names at run time."""
        m = self.dims
        known: dict[str, Dim] = {i.name or "": d for i, d in zip(m.result, numbers(self.type), strict=True)}
        return {n: number(d) for n, d in m.extents([x.shape for x in xs], known).items()}

    def reference(self, *xs: Np) -> Np:
        return self.evaluate([wide(x) for x in xs]).astype(xs[0].dtype)

    def magnitude(self, *xs: Np) -> Any:
        return self.evaluate([np.abs(wide(x)) for x in xs])

    def evaluate(self, xs: Sequence[Np]) -> Np:
        m, sizes = self.dims, self.extents(xs)
        order = m.names()
        inputs: list[Any] = []
        for x, dims in zip(xs, m.operands, strict=True):
            inputs += unfold(x, dims, order, sizes)
        out = [order.index(i.name or "") for i in m.result]
        return np.einsum(*inputs, out, optimize=len(xs) > 1 and kind_of(xs[0].dtype) in "fc")

    def terms(self, *xs: Np) -> int:
        sizes = self.extents(xs)
        return int(np.prod([sizes[n] for n in self.dims.reduced()], dtype=np.int64))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [self._cotangent(k, ct) if f else None for k, f in enumerate(linear)]

    def _cotangent(self, k: int, ct: Array) -> Array:
        from .functions import eye_mask, full, select

        others = [Array(v) for j, v in enumerate(self.operands) if j != k]
        shape, dims = shape_of(self.operands[k].type), self.dims.operands[k]
        first = {i: at for at, i in reversed([*enumerate(dims)])}
        again = [(first[i], at) for at, i in enumerate(dims) if first[i] != at]
        if not again:
            return contract([ct, *others], self.dims.transposed(k), shape)
        # a diagonal, "a a -> a": the cotangent stands where the repeated indices agree
        renamed = tuple(i if first[i] == at else bare(f"again{at}") for at, i in enumerate(dims))
        operands = (*self.dims.operands[:k], renamed, *self.dims.operands[k + 1 :])
        y = contract([ct, *others], DimMap(operands, self.dims.result).transposed(k), shape)
        return select(eye_mask(shape, again), y, full(0, y.type))

    def statement(self) -> str:
        return self.dims.statement(" * ".join(["{}"] * len(self.operands)), "+")


def unfold(x: Np, dims: Dims, order: Sequence[str], sizes: Mapping[str, int], outside: Any = 0) -> tuple[Np, list[int]]:
    """x read at every point of the names in its dims, zero outside: the dullest reference of a window."""
    if all(i.name for i in dims):
        return x, [order.index(i.name or "") for i in dims]
    used = [n for n in order if any(n == m for i in dims for m, _ in i.terms)]
    grid = dict(zip(used, np.meshgrid(*(np.arange(sizes[n]) for n in used), indexing="ij", sparse=True), strict=True))
    ok: Any = np.ones([sizes[n] for n in used], bool)
    at: list[Any] = []
    for i, d in zip(dims, x.shape, strict=True):
        v: Any = sum((c * grid[n] for n, c in i.terms), np.int64(number(i.offset)))
        ok = ok & (v % i.divisor == 0) & (v // i.divisor >= 0) & (v // i.divisor < d)
        at.append(np.clip(v // i.divisor, 0, max(d - 1, 0)))
    if not x.size:
        return np.full(ok.shape, outside, x.dtype), [order.index(n) for n in used]
    return np.where(ok, x[tuple(at)], outside).astype(x.dtype), [order.index(n) for n in used]


def contract(xs: Sequence[Array], map_: DimMap, shape: Shape) -> Array:
    """A contraction with result `shape`; a name that no operand has is replicated outside."""
    windowed = any(i.name is None for d in map_.operands for i in d)
    present = {n for d in map_.operands for i in d for n, _ in i.terms}
    lacking = [i for i in map_.result if i.name not in present]
    if lacking:
        inner = tuple(i for i in map_.result if i not in lacking)
        sizes = tuple(d for i, d in zip(map_.result, shape, strict=True) if i not in lacking)
        y = contract(xs, DimMap(map_.operands, inner), sizes)
        return rearrange(y, DimMap((inner,), map_.result), shape)
    if len(xs) == 1 and not windowed and len(set(map_.operands[0])) == len(map_.operands[0]):
        return rearrange(xs[0], map_, shape)
    return mapped(Contract, xs, map_, shape)
