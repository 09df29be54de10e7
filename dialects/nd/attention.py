"""`nd.attention`: softmax(scale q k^T) v, whole for whoever finds a kernel for it.

    nd.attention %q, %k, %v "b h q d, b h k d, b h k e -> b h q e" scale 0.125 causal
    nd.attention %q, %k, %v, %mask "b g h q d, b g k d, b g k e, b q k -> b g h q e" scale 1.0

The map says what the dimensions are: reduced are those of q and k alone (features) and those of k and v alone (keys);
heads that share keys and values are one more name that only q and the result have. The fourth operand is a mask (i1:
where attention is allowed) or what is added to the scores (a float). `causal` allows key j for query i if j <= i.
A query without any allowed key gives 0, not NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, UnitAttr, i1
from xdsl.irdl import opt_prop_def, prop_def, result_def, var_operand_def

from .attributes import NumberAttr
from .composite import Composite
from .contraction import contract
from .dimmap import DimMap, Dims, Index
from .dims import Dim
from .elementwise import Exp, Np, wide
from .mapped import Mapped, distinct_names, parsed, rearrange, text
from .op import Array, Props, Tolerance, bind, one_dtype, op
from .reduction import reduce
from .types import FLOAT, Type, is_float, kind_of, shape_of, tensor


def features(m: DimMap) -> Dims:
    """What the scores are summed over."""
    q, k, v = m.operands[:3]
    return tuple(i for i in q if i in k and i not in v and i not in m.result)


def keys(m: DimMap) -> Dims:
    k, v = m.operands[1:3]
    return tuple(i for i in k if i in v and i not in m.result)


def query(m: DimMap) -> Index:
    """The dimension of queries: the last of the result that q has and v has not."""
    return [i for i in m.result if i in m.operands[0] and i not in m.operands[2]][-1]


def scores(m: DimMap) -> Dims:
    """The dimensions of the scores: the result's, as far as q, k or a mask have them, k's first, then the keys."""
    q, k, _, *mask = m.operands
    own = [i for i in m.result if i in q or i in k or any(i in d for d in mask)]
    return (*sorted(own, key=lambda i: i not in k), *keys(m))


@op("attention", tolerance=Tolerance(ulp=8, sums=8), flops=8, dtypes=FLOAT)
class Attention(Mapped, Composite):
    """See the module."""

    FORM: ClassVar[str] = 'q, k, v and perhaps a mask, such as "b q d, b k d, b k e -> b q e"'
    args_ = var_operand_def(TensorType)
    map = prop_def(StringAttr)
    scale = prop_def(NumberAttr)
    causal = opt_prop_def(UnitAttr)
    result = result_def(TensorType)
    assembly_format = "$args_ $map `scale` $scale (`causal` $causal^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        if len(map_.operands) not in (3, 4) or not distinct_names(*map_.operands, map_.result):
            return False
        inside = {*map_.result, *features(map_), *keys(map_)}
        known = all(i in inside for d in map_.operands for i in d)
        return known and len(keys(map_)) == 1 and all(i in map_.operands[0] + map_.operands[2] for i in map_.result)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        m = parsed(props)
        if not cls.check(m):
            raise ValueError(f'expected {cls.FORM}, found "{m}"')
        dtype = one_dtype(cls, types[:3])
        if len(types) == 4 and types[3].element_type not in (i1, dtype):
            raise ValueError(f"expected a mask of i1 or {dtype}, found {types[3]}")
        if "causal" in props and len([i for i in m.result if i in m.operands[0]]) == 0:
            raise ValueError(f'expected a dimension of queries for `causal`, found "{m}"')
        return tensor(m.infer([shape_of(t) for t in types]), dtype)

    @property
    def query(self) -> Any:
        """The dimension of queries: the last of the result that q has and v has not."""
        return query(self.dims)

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        if not (flags[0] or flags[2]):  # the result's dimensions are those of q and v
            from .op import expand

            args, flags = [expand(args[0], size), *args[1:]], [True, *flags[1:]]
        properties = {**self.properties, "map": text(self.dims.batched(flags, broadcast=False))}
        return bind(Attention, *args, **properties)

    def decompose(self, q: Array, k: Array, v: Array, *mask: Array) -> Array:
        from .functions import convert, full, maximum, select, where

        m = self.dims
        sizes = m.extents([x.shape for x in (q, k, v, *mask)])
        dims = scores(m)
        shape = tuple(sizes[i.name or ""] for i in dims)
        s = contract([q, k], DimMap(m.operands[:2], tuple(i for i in dims if i in q_or_k(m))), _sizes(m, dims, sizes))
        s = rearrange(s, DimMap((tuple(i for i in dims if i in q_or_k(m)),), dims), shape)
        s = s * self.scale.data
        allowed = self._allowed(dims, shape, mask)
        for bias in mask:
            if is_float(bias.dtype):
                s = s + rearrange(convert(bias, s.dtype), DimMap((m.operands[3],), dims), shape)
        if allowed is not None:
            s = select(allowed, s, full(float("-inf"), s.type))
        last = [len(dims) - 1]
        top = reduce("max", s, last)
        top = where(top == float("-inf"), 0.0, top)
        rows = DimMap((dims[:-1],), dims)
        e = bind(Exp, s - rearrange(top, rows, shape))
        total = reduce("sum", e, last)
        total = maximum(total, where(total == 0.0, 1.0, total))
        # one division for each row: the total is at least 1, so that its inverse is finite
        inverse = rearrange(1.0 / total, DimMap((dims[:-1],), m.result), shape_of(self.type))
        return contract([e, v], DimMap((dims, m.operands[2]), m.result), shape_of(self.type)) * inverse

    def _allowed(self, dims: Dims, shape: tuple[Dim, ...], mask: Sequence[Array]) -> Array | None:
        from .functions import compare, iota, logical_and

        out: Array | None = None
        if self.causal is not None:
            out = compare("ge", iota(shape, dims.index(self.query)), iota(shape, len(dims) - 1))
        for x in mask:
            if x.dtype == i1:
                own = rearrange(x, DimMap((self.dims.operands[3],), dims), shape)
                out = own if out is None else logical_and(out, own)
        return out

    def _weights(self, q: Np, k: Np, mask: Sequence[Np]) -> tuple[Np, Np]:
        """Scores and normalised weights in float64."""
        m, dims = self.dims, scores(self.dims)
        own = tuple(i for i in dims if i in q_or_k(m))
        s = einsum([wide(q), wide(k)], m.operands[:2], own) * self.scale.data
        sizes = {i: n for x, d in zip((q, k, *mask), (*m.operands[:2], *m.operands[3:])) for i, n in zip(d, x.shape)}
        s = s.reshape([sizes[i] if i in own else 1 for i in dims])
        for x in mask:
            order = sorted(range(x.ndim), key=lambda a: dims.index(m.operands[3][a]))
            y = np.transpose(x, order).reshape([sizes[i] if i in m.operands[3] else 1 for i in dims])
            s = np.where(y, s, -np.inf) if y.dtype == bool else s + wide(y)
        if self.causal is not None:
            rows, columns = sizes[self.query], sizes[dims[-1]]
            keep = np.tril(np.ones((rows, columns), bool))
            s = np.where(keep.reshape([sizes[i] if i in (self.query, dims[-1]) else 1 for i in dims]), s, -np.inf)
        top = np.max(s, axis=-1, keepdims=True, initial=-np.inf)
        e = np.exp(s - np.where(top == -np.inf, 0, top))
        total = e.sum(-1, keepdims=True)
        return s, e / np.where(total == 0, 1, total)

    def _applied(self, weights: Np, v: Np) -> Np:
        m = self.dims
        return einsum([weights, v], [scores(m), m.operands[2]], m.result)

    def reference(self, q: Np, k: Np, v: Np, *mask: Np) -> Np:
        return self._applied(self._weights(q, k, mask)[1], wide(v)).astype(q.dtype)

    def magnitude(self, q: Np, k: Np, v: Np, *mask: Np) -> Any:
        largest = np.abs(self.scale.data) * largest_finite(q) * largest_finite(k)
        _, weights = self._weights(q, k, mask)
        bias = max((largest_finite(x) for x in mask if kind_of(x.dtype) == "f"), default=0.0)
        return self._applied(weights, np.abs(wide(v))) * (1 + largest * self._features(q) + bias)

    def _features(self, q: Np) -> int:
        m = self.dims
        return int(np.prod([n for i, n in zip(m.operands[0], q.shape) if i in features(m)], dtype=np.int64))

    def terms(self, q: Np, k: Np, v: Np, *mask: Np) -> int:
        m = self.dims
        return self._features(q) + int(np.prod([n for i, n in zip(m.operands[1], k.shape) if i in keys(m)]))


def largest_finite(x: Np) -> float:
    """What is not finite makes its rows so, or leaves no trace."""
    size = np.abs(wide(x))
    return float(np.max(size, initial=0, where=np.isfinite(size)))


def einsum(xs: Sequence[Np], dims: Sequence[Dims], out: Dims) -> Np:
    number = {i: n for n, i in enumerate(dict.fromkeys(i for d in (*dims, out) for i in d))}
    inputs: list[Any] = [part for x, d in zip(xs, dims, strict=True) for part in (x, [number[i] for i in d])]
    return np.einsum(*inputs, [number[i] for i in out])


def q_or_k(m: DimMap) -> Dims:
    return m.operands[0] + m.operands[1]


def _sizes(m: DimMap, dims: Dims, sizes: dict[str, Dim]) -> tuple[Dim, ...]:
    return tuple(sizes[i.name or ""] for i in dims if i in q_or_k(m))


def attention(args: Sequence[Array], map_: DimMap, scale: float, causal: bool) -> Array:
    """Bind `nd.attention`; `args`: q, k, v and perhaps a mask."""
    flag = {"causal": UnitAttr()} if causal else {}
    return bind(Attention, *args, map=text(map_), scale=NumberAttr(float(scale)), **flag)
