"""Access by computed positions: gather reads, scatter writes, at places that index operands hold.

    nd.gather clip %x, %i "a @0 c, d -> a d c"               y[a, d, c] = x[a, i[d], c]
    nd.gather fill %x, %i "a @0, a b -> a b"                 y[a, b] = x[a, i[a, b]]: a batch letter in both
    nd.gather clip %x, %i, %j "@0+b @1, a, a -> a b"         y[a, b] = x[i[a] + b, j[a]]: windows of b elements
    nd.scatter add drop %x, %u, %i "a d c, d -> a @0 c"      x[a, i[d], c] += u[a, d, c]

In the map, `@k` stands where the position comes from index operand k, `@k+b` where a window with the offset b starts
there; all other indices are bare names. Each index operand is used once. The side that is read or written at computed
positions is the *place*, the other is the *data*; its names say which index operand's dimension, which window and which
dimension of the place each of its dimensions is. The two ops are each other's transpose, and closed under batching.

Index operands are of any integer type, each of its own; positions are 64-bit. Of a window that does not lie inside:

    clip      its start is moved by as little as is needed
    fill      (gather) its elements are 0
    drop      (scatter) none of it is written
    promise   that there is none, as the program says; it is read or written at the end
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    irdl_attr_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    var_operand_def,
)
from xdsl.utils.str_enum import StrEnum

from .dimmap import DimMap, Dims, Index
from .dims import Dim, Shape, size
from .elementwise import Np
from .mapped import distinct_names, parsed, text
from .op import (
    Array,
    Linear,
    NdOp,
    Props,
    bind,
    number,
    numbers,
    one_dtype,
    op,
    zeros_like,
)
from .types import ANY, INTEGER, Type, shape_of, tensor


class IndexMode(StrEnum):
    clip = "clip"
    fill = "fill"
    drop = "drop"
    promise = "promise"


@irdl_attr_definition
class IndexModeAttr(EnumAttribute[IndexMode]):
    name = "nd.index_mode"


MODES = {k.value: IndexModeAttr(k) for k in IndexMode}

SCATTERED = {"clip": "clip", "fill": "drop", "promise": "promise"}
"""How a scatter treats what a gather treats so."""

FORM = 'a map such as "a @0 c, d -> a d c", each index operand in one dimension of the place'


def check_form(map_: DimMap, place: Dims, data: Dims, count: int) -> None:
    """The place has bare names, and each index operand once; the data has every name."""
    indices = map_.operands[1:]
    if len(indices) != count or not count:
        raise ValueError(f'expected {max(count, 1)} index operands in the map, found {len(indices)} in "{map_}"')
    here = {i.name for i in place if i.name}
    windows = [n for i in place if i.at is not None for n, _ in i.terms]
    kept = {i.name for i in data}
    used = {i.name for d in indices for i in d} | here
    plain = all(i.name or i.at is not None for i in place) and len(here) == sum(bool(i.name) for i in place)
    once = sorted(i.at for i in place if i.at is not None) == list(range(count))
    apart = len(set(windows)) == len(windows) and used.isdisjoint(windows)
    if not (distinct_names(data, *indices) and plain and once and apart and kept == used | set(windows)):
        raise ValueError(f'expected {FORM}, found "{map_}"')


class Indirect(NdOp):
    """`place` and `data` are sides of the map; the shape of a window's data may be told by the property `shape`."""

    MODES: ClassVar[Sequence[str]] = ()

    @classmethod
    def sizes(cls, map_: DimMap, place: Dims, data: Dims, whole: Shape, types: Sequence[Type], part: Shape | None,
              mode: Attribute) -> dict[str, Dim]:  # fmt: skip
        """The size of every name; ValueError says what does not fit. `whole` and `part` are the sides' shapes."""
        check_form(map_, place, data, len(types))
        for k, t in enumerate(types):
            if t.element_type not in INTEGER:
                raise ValueError(f"expected index operands of integers, found {t} (index operand {k})")
        assert isinstance(mode, IndexModeAttr)
        if mode.data.value not in cls.MODES:
            raise ValueError(f"expected {' or '.join(cls.MODES)}, found {mode.data.value}")
        plain = DimMap((place, *map_.operands[1:]), data)
        found = plain.extents([whole, *map(shape_of, types)])
        if part is not None:
            if len(part) != len(data):
                raise ValueError(f'expected rank {len(data)} for "{map_}", found {len(part)}')
            for i, d in zip(data, part, strict=True):
                if found.setdefault(i.name or "", d) != d:
                    raise ValueError(f'expected size {found[i.name or ""]} of "{i.name}" in "{map_}", found {d}')
        empty = any(found.get(i.name or "") == 0 for i in data)
        for i, d in zip(place, whole, strict=True):
            if i.at is None:
                continue
            for n, _ in i.terms:
                if n not in found:
                    raise ValueError(f'expected the result type to tell the size of "{n}" in "{map_}", found none')
            window = window_of(i, found)
            inside = mode.data.value in ("fill", "drop") or empty
            if not inside and isinstance(window, int) and isinstance(d, int) and window > d:
                what = f"a window of at most {d}" if i.terms else "at least one element"
                raise ValueError(f"index operand {i.at}: expected {what} in a dimension of size {d}, found {window}")
        return found

    @property
    def word(self) -> str:
        """clip, fill, drop or promise."""
        return self.properties["mode"].data.value  # pyright: ignore

    @property
    def place(self) -> Dims:
        raise NotImplementedError(self.name)

    @property
    def data(self) -> Dims:
        raise NotImplementedError(self.name)

    @property
    def index_operands(self) -> Sequence[SSAValue]:
        return self.operands[len(self.operands) - len(self.index_dims) :]

    @property
    def place_shape(self) -> Shape:
        return shape_of(self.operands[0].type)

    @property
    def data_shape(self) -> Shape:
        raise NotImplementedError(self.name)

    @property
    def index_dims(self) -> tuple[Dims, ...]:
        return parsed(self.properties).operands[1:]

    def positions(self, whole: Sequence[int], part: Sequence[int], indices: Sequence[Np]) -> tuple[list[Np], Np]:
        """Where each element of the data lies in the place, dimension by dimension, and whether it is inside."""
        names = [i.name or "" for i in self.data]
        extents = dict(zip(names, part, strict=True))
        grid = {n: np.arange(d).reshape([-1 if m == n else 1 for m in names]) for n, d in extents.items()}
        inside = np.ones([1] * len(names), bool)
        at: list[Np] = []
        for index, d in zip(self.place, whole, strict=True):
            if index.at is None:
                at.append(grid[index.name or ""])
                continue
            dims = self.index_dims[index.at]
            start = as_signed(indices[index.at])
            order = sorted(range(len(dims)), key=lambda k: names.index(dims[k].name or ""))
            own = {dims[k].name for k in order}
            start = start.transpose(order).reshape([extents[n] if n in own else 1 for n in names])
            last = d - number(window_of(index, extents))
            if self.word == "promise":
                start = np.where((start < 0) | (start > last), last, start)
            elif self.word != "clip":
                inside = inside & (start >= 0) & (start <= last)
            start = np.clip(start, 0, max(last, 0))
            at.append(start + sum(grid[n] for n, _ in index.terms))
        return at, np.broadcast_to(inside, tuple(part))


def as_signed(index: Np) -> Np:
    """Positions as int64; larger ones are its greatest."""
    if index.dtype.kind == "u":
        return np.minimum(index, index.dtype.type(min(np.iinfo(index.dtype).max, (1 << 63) - 1))).astype(np.int64)
    return index.astype(np.int64)


def window_of(index: Index, extents: Any) -> Dim:
    return size(extents[n] for n, _ in index.terms)


@op("gather", linear=Linear.JOINT, flops=0, dtypes=ANY)
class Gather(Indirect):
    """`nd.gather clip %x, %i, %j "@0 @1 c, a, b -> a b c"`: x at the positions that index operands hold (see above).

    StableHLO's gather: one index operand for each element of the index vector (its slices), `@k+w` where the slice
    size is not 1 or its dimension is an offset dimension, `@k` where it is collapsed, a bare name where the operand is
    read whole or is a batching dimension (then an index operand has the name too). Sizes of windows stand after `to`.
    """

    MODES: ClassVar = ("clip", "fill", "promise")
    mode = prop_def(IndexModeAttr)
    x = operand_def(TensorType)
    indices = var_operand_def(TensorType)
    map = prop_def(StringAttr)
    shape = opt_prop_def(TypeAttribute)
    result = result_def(TensorType)
    assembly_format = "$mode $x `,` $indices $map (`to` $shape^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return parsed(props)

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        map_, dtype = parsed(props), one_dtype(cls, types[:1])
        part = shape_of(props["shape"]) if "shape" in props else None
        place, data = map_.operands[0], map_.result
        found = cls.sizes(map_, place, data, shape_of(types[0]), types[1:], part, props["mode"])
        return tensor(tuple(found[i.name or ""] for i in data), dtype)

    @property
    def place(self) -> Dims:
        return parsed(self.properties).operands[0]

    @property
    def data(self) -> Dims:
        return parsed(self.properties).result

    @property
    def data_shape(self) -> Shape:
        return shape_of(self.type)

    def reference(self, x: Np, *indices: Np) -> Np:
        part = numbers(self.type)
        at, inside = self.positions(x.shape, part, indices)
        if not x.size or 0 in part:
            return np.zeros(part, x.dtype)
        return np.where(inside, np.broadcast_to(x[tuple(at)], part), np.zeros((), x.dtype))

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        if not linear[0]:
            return [None] * len(self.operands)
        from .scatter import scatter

        indices = [Array(v) for v in self.indices]
        turned = DimMap((self.data, *self.index_dims), self.place)
        out = scatter("add", zeros_like(Array(self.x)), ct, indices, turned, SCATTERED[self.word])
        return [out, *[None] * len(indices)]

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        map_ = parsed(self.properties).batched(flags, broadcast=False)
        return gather(args[0], args[1:], map_, self.word, (size, *shape_of(self.type)))


def gather(x: Array, indices: Sequence[Array], map_: DimMap, mode: str, shape: Shape) -> Array:
    """`shape` is the result's; only windows need it."""
    props: dict[str, Attribute] = {"mode": MODES[mode], "map": text(map_)}
    if any(i.at is not None and i.terms for i in map_.operands[0]):
        props["shape"] = tensor(tuple(shape), x.dtype)
    return bind(Gather, x, *indices, **props)
