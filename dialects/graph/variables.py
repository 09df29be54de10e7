"""The variables of a rule's side: which sizes, element types and index functions its types and properties mention."""

from __future__ import annotations

from typing import NamedTuple

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Attribute, Block

from ..nd import dimmap
from ..nd.attributes import DimsAttr, DTypeVar
from ..nd.dims import Shape, Sym, symbol
from ..nd.mapped import Mapped
from ..nd.types import Type, element, shape_of

PACK = "..."
"""The name of the size that stands for any number of leading dimensions."""


class Variables(NamedTuple):
    """Names in order of appearance."""

    sizes: dict[str, None]
    dtypes: dict[str, None]
    indices: dict[str, None]

    def sorts(self) -> dict[str, str]:
        pairs = zip(("size", "dtype", "index"), self, strict=True)
        return {name: sort for sort, names in pairs for name in names}


def variables(block: Block) -> Variables:
    found = Variables({}, {}, {})
    for a in block.args:
        _add(a.type, found)
    for op in block.ops:
        for r in op.results:
            _add(r.type, found)
        for name, attribute in op.properties.items():
            _add(attribute, found)
            if name == "map" and isinstance(op, Mapped) and isinstance(attribute, StringAttr):
                map_ = dimmap.parse(attribute.data)
                for index in (i for dims in (*map_.operands, map_.result) for i in dims):
                    if index.function:
                        found.indices[index.function] = None
    return found


def _add(attribute: Attribute, found: Variables) -> None:
    if isinstance(attribute, TensorType):
        _add_type(attribute, found)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(attribute, DTypeVar):
        found.dtypes[attribute.data] = None
    elif isinstance(attribute, DimsAttr):
        _add_shape(attribute.data, found)


def _add_type(t: Type, found: Variables) -> None:
    _add_shape(shape_of(t), found)
    _add(element(t), found)


def _add_shape(shape: Shape, found: Variables) -> None:
    for d in shape:
        if isinstance(d, Sym):
            found.sizes.update(dict.fromkeys(d.names()))


def pack_places(t: Attribute) -> tuple[int, ...]:
    """Where `...` stands in a tensor type."""
    shape = shape_of(t)
    return tuple(k for k, d in enumerate(shape) if isinstance(d, Sym) and PACK in d.names())


def is_pack(d: object) -> bool:
    return d is symbol(PACK)
