"""Reductions of windows: `nd.reduce_window max %x "a 2*b+c-1 d -> a b d" window [3] to tensor<2x5x4xf32>`.

The map says which element of the operand each point of the windows reads, as in `nd.contract`: strides, dilations of
both sides and padding are the index's numbers. The names that the result lacks are the windows; `window` gives their
sizes in order of appearance. What lies outside of the operand does not take part, as if it were the identity. NaN, the
sign of zero and the order of sums are those of `nd.reduce`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, i64
from xdsl.ir import TypeAttribute
from xdsl.irdl import operand_def, opt_prop_def, prop_def, result_def

from .attributes import DimsAttr, dims_attr
from .constant import full, iota, size_value
from .contraction import contract, unfold
from .dimmap import DimMap, Index, bare
from .dims import Dim, Shape, show, size
from .elementwise import Np, wide
from .mapped import Mapped, mapped, parsed, rearrange
from .op import Array, Cost, Props, Tolerance, number, numbers, op
from .reduction import (
    COMBINER,
    KINDS,
    ByKind,
    ReduceKindAttr,
    check_kind,
    identity,
    product_size,
    product_tangent,
    reduce,
    reduced,
)
from .types import COMPLEX, COMPUTED, Type, is_complex, shape_of, tensor


@op("reduce_window", dtypes=(*COMPUTED, *COMPLEX), tolerance=Tolerance(sums=4))
class ReduceWindow(ByKind, Mapped):
    """`nd.reduce_window max %x "a 2*b+c-1 d -> a b d" window [3] to tensor<..>`."""

    FORM: ClassVar[str] = 'windows of one operand such as "a 2*b+c-1 d -> a b d", the result in different bare names'
    kind = prop_def(ReduceKindAttr)
    x = operand_def(TensorType)
    map = prop_def(StringAttr)
    window = prop_def(DimsAttr)
    shape = opt_prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$kind $x $map `window` $window (`to` $shape^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        read = {n for d in map_.operands for i in d for n, _ in i.terms}
        return (
            len(map_.operands) == 1
            and not any(i.opaque for i in map_.operands[0])
            and all(i.name in read for i in map_.result)
            and len(set(map_.result)) == len(map_.result)
        )

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        check_kind(props["kind"], types[0])
        if is_complex(types[0]) and props["kind"] != KINDS["sum"]:
            raise ValueError(f"expected sums of complex numbers, found {props['kind']} of {types[0]}")
        map_, window = parsed(props), props["window"]
        assert isinstance(window, DimsAttr)
        names = map_.reduced()
        if not cls.check(map_):
            raise ValueError(f'expected {cls.FORM}, found "{map_}"')
        if len(window.data) != len(names) or any(isinstance(d, int) and d < 1 for d in window.data):
            each, found = ", ".join(names), show(window.data)
            raise ValueError(f'expected a window size of at least 1 for each of {each} in "{map_}", found {found}')
        return super().infer(types, props)

    @classmethod
    def known(cls, map_: DimMap, props: Props) -> dict[str, Dim]:
        window = props["window"]
        assert isinstance(window, DimsAttr)
        return dict(zip(map_.reduced(), window.data))

    @property
    def grid(self) -> Shape:
        """The sizes of windows and result: the points that are read."""
        return (*self.window.data, *shape_of(self.type))

    def cost(self) -> Cost:
        x, out = shape_of(self.operands[0].type), shape_of(self.type)
        return Cost(size(self.grid) * self.FLOPS, size(x) + size(out))

    def _read(self, x: Np, outside: Any) -> tuple[Np, tuple[int, ...]]:
        """The windows' elements, and the dimensions in which the windows lie."""
        m = self.dims
        order = (*(i.name or "" for i in m.result), *m.reduced())
        sizes = dict(zip(order, (*numbers(self.type), *map(number, self.window.data))))
        values, names = unfold(x, m.operands[0], order, sizes, outside)
        return np.transpose(values, np.argsort(names)), tuple(range(len(m.result), len(order)))

    def reference(self, x: Np) -> Np:
        return reduced(self.word, *self._read(x, identity(self.word, x.dtype)))

    def magnitude(self, x: Np) -> Any:
        if self.word not in ("sum", "prod"):
            return None
        values, axes = self._read(np.abs(wide(x)), identity(self.word, np.dtype(float)))
        if self.word == "sum":
            return np.sum(values, axes)
        return product_size(values, axes, self.type) * np.sqrt(self.terms(x))

    def terms(self, x: Np) -> int:
        return int(np.prod([number(d) for d in self.window.data], dtype=np.int64))

    def tangent(self, tangents: Sequence[Array | None]) -> Array | None:
        t, x, y = tangents[0], Array(self.x), Array(self.result)
        if t is None:
            return None
        if self.word == "sum":
            return self.again([t])
        m, grid = self.dims, self.grid
        windows = (*map(bare, m.reduced()), *m.result)
        axes = range(len(grid) - y.ndim)
        values, moved = (contract([v], DimMap(m.operands, windows), grid) for v in (x, t))
        inside = within(m.operands[0], x.shape, windows, grid)
        return windows_tangent(self.word, values, moved, y, inside, axes)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        """Each element gets the cotangents of the windows that hold it."""
        assert self.word == "sum", f"{self.name} {self.word} is not linear"
        m, x = self.dims, self.operands[0].type
        ones = full(1, tensor(self.window.data, self.type.element_type))
        both = DimMap((m.operands[0], tuple(map(bare, m.reduced()))), m.result)
        return [contract([ct, ones], both.transposed(0), shape_of(x))]

    def statement(self) -> str:
        return self.dims.statement("{}", COMBINER[self.word])


def windows_tangent(
    kind: str, values: Array, moved: Array, y: Array, inside: Array | None, axes: Sequence[int]
) -> Array:
    """The tangent of a reduction of windows that are written out: `moved` holds their tangents, `inside` says which
    elements there are. max, min: the mean over the places that attain it; products without division."""
    from .functions import convert, logical_and, maximum, select

    if kind == "prod":
        if inside is not None:
            values = select(inside, values, full(1, values.type))
        return product_tangent(values, moved, axes)
    names = tuple(map(bare, (f"n{k}" for k in range(values.ndim))))
    at = values == rearrange(y, DimMap((names[len(axes) :],), names), values.shape)
    at = convert(at if inside is None else logical_and(at, inside), values.dtype)
    return reduce("sum", moved * at, axes) / maximum(reduce("sum", at, axes), 1)


def within(dims: Sequence[Index], shape: Shape, windows: Sequence[Index], grid: Shape) -> Array | None:
    """Which points of the grid read inside of the operand; None: all of them."""
    from .functions import logical_and, remainder

    out: Array | None = None
    for index, d in zip(dims, shape, strict=True):
        if index.name is not None:
            continue
        at: Array | None = None
        low: Dim = index.offset
        high: Dim = index.offset
        for n, c in index.terms:
            k = windows.index(bare(n))
            step = iota(grid, k) * c
            at = step if at is None else at + step
            reach = (grid[k] + -1) * c
            low, high = (low + reach, high) if c < 0 else (low, high + reach)
        assert at is not None
        if index.offset != 0:
            at = at + size_value(index.offset, i64)
        end = (d + -1) * index.divisor
        tests = [at >= 0] if not (isinstance(low, int) and low >= 0) else []
        if not (isinstance(left := end - high, int) and left >= 0):
            tests.append(at <= size_value(end, i64))
        if index.divisor != 1:
            tests.append(remainder(at, index.divisor) == 0)
        for test in tests:
            out = test if out is None else logical_and(out, test)
    return out


def reduce_window(
    kind: str,
    x: Array,
    window: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    base: Sequence[int],
    out: Shape,
) -> Array:
    """Windows over every dimension of x; one of size 1, stride 1 and no padding leaves a dimension as it is."""
    names = [f"o{k}" for k in range(x.ndim)]
    dims: list[Index] = []
    sizes: list[Dim] = []
    for k, (n, w, s, (low, high), d, b) in enumerate(zip(names, window, stride, padding, dilation, base, strict=True)):
        if (w, s, low, high, b) == (1, 1, 0, 0, 1):
            dims.append(bare(n))
            continue
        terms = ((n, s), (f"w{k}", d)) if w != 1 else ((n, s),)
        sizes += [w] * (w != 1)
        dims.append(Index(terms, -low, b, window=True) if terms == ((n, 1),) and not low else Index(terms, -low, b))
    m = DimMap((tuple(dims),), tuple(map(bare, names)))
    if all(i.name for i in dims):
        return x
    return mapped(ReduceWindow, [x], m, out, kind=KINDS[kind], window=dims_attr(sizes))
