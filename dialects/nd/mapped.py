"""`Mapped`: ops whose property is their dimension map, so that inference, batching and transposition are inherited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute

from . import dimmap
from .dimmap import DimMap
from .dims import Dim, Shape
from .op import Array, NdOp, Props, bind, one_dtype
from .types import Type, shape_of, tensor


class Mapped(NdOp):
    """`shape` holds result sizes that no operand tells (broadcast, windows). `FORM` says what the map must be."""

    FORM: ClassVar[str] = "map"

    @classmethod
    def dim_map(cls, shapes: Sequence[Shape], props: Props) -> DimMap:
        return parsed(props)

    @classmethod
    def check(cls, map_: DimMap) -> bool:
        """Is the map of the op's form?"""
        return True

    @classmethod
    def infer(cls, types: Sequence[Type], props: Props) -> Type:
        map_ = parsed(props)
        if not cls.check(map_):
            raise ValueError(f'expected {cls.FORM}, found "{map_}"')
        known: Mapping[str, Dim] = {}
        if (given := props.get("shape")) is not None:
            out = shape_of(given)
            if len(out) != len(map_.result):
                raise ValueError(f'expected a result of rank {len(map_.result)} for "{map_}", found {given}')
            known = {i.name: d for i, d in zip(map_.result, out, strict=True) if i.name}
        dtype = one_dtype(cls, types)
        shapes = [shape_of(t) for t in types]
        return tensor(map_.infer(shapes, {**known, **cls.known(map_, props)}), cls.result_dtype(dtype))

    @classmethod
    def known(cls, map_: DimMap, props: Props) -> Mapping[str, Dim]:
        """Sizes of names that other properties tell."""
        return {}

    @classmethod
    def result_dtype(cls, dtype: Attribute) -> Attribute:
        return dtype

    @property
    def axes(self) -> tuple[int, ...]:
        """The dimensions of the first operand that the result lacks."""
        map_ = parsed(self.properties)
        return tuple(k for k, i in enumerate(map_.operands[0]) if i not in map_.result)

    def batch(self, args: Sequence[Array], flags: Sequence[bool], size: Dim) -> Array:
        map_ = self.dims.batched(flags, broadcast=False)
        extra = {k: v for k, v in self.properties.items() if k not in ("map", "shape")}
        return mapped(type(self), args, map_, (size, *shape_of(self.type)), **extra)

    def transpose(self, ct: Array, linear: Sequence[bool]) -> Sequence[Array | None]:
        return [rearrange(ct, self.dims.transposed(0), shape_of(self.operands[0].type))]


def parsed(props: Props) -> DimMap:
    text_ = props["map"]
    assert isinstance(text_, StringAttr)
    return dimmap.parse(text_.data)


def distinct_names(*sides: Sequence[dimmap.Index]) -> bool:
    """Bare names only, no two of a side equal."""
    return all(all(i.name for i in side) and len(set(side)) == len(side) for side in sides)


_TEXT: dict[DimMap, StringAttr] = {}


def text(map_: DimMap) -> StringAttr:
    """The canonical text of a map."""
    if (found := _TEXT.get(map_)) is None:
        found = _TEXT[map_] = StringAttr(str(map_.canonical()))
    return found


@lru_cache(None)
def without(rank: int, axes: tuple[int, ...]) -> StringAttr:
    """The map that reduces these dimensions, "a b c -> a c"."""
    return text(dimmap.keep(rank, [k for k in range(rank) if k not in axes]))


def mapped(cls: type[NdOp], args: Sequence[Array], map_: DimMap, shape: Shape, **props: Attribute) -> Array:
    """Bind a Mapped op, stating the result's shape only where the operands do not tell it."""
    if any(not any(i in d for d in map_.operands) for i in map_.result):
        props["shape"] = tensor(shape, args[0].dtype)
    return bind(cls, *args, map=text(map_), **props)


def rearrange(x: Array, map_: DimMap, shape: Shape) -> Array:
    """Any one-operand map: sum what the result lacks, permute, replicate what it adds."""
    from .contraction import contract
    from .movement import Broadcast, Transpose
    from .reduction import reduce

    if any(i.name is None for i in map_.operands[0]):
        return contract([x], map_, shape)
    out = tuple(i for i in map_.result if i in map_.operands[0])
    kept = tuple(i for i in map_.operands[0] if i in map_.result)
    if len(kept) < x.ndim:
        x = reduce("sum", x, [k for k, i in enumerate(map_.operands[0]) if i not in map_.result])
    if kept != out:
        x = mapped(Transpose, [x], DimMap((kept,), out), ())
    return x if len(out) == len(map_.result) else mapped(Broadcast, [x], DimMap((out,), map_.result), shape)


def spread(reduced: Array, map_: DimMap, shape: Shape) -> Array:
    """Put the dimensions back that a reduction of this map took, by replication: shape is the operand's."""
    return rearrange(reduced, DimMap((map_.result,), map_.operands[0]), shape)
