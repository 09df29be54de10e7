"""Memory orders of a program's arguments, as attributes of its function."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, StridedLayoutAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from ...dialects.graph.ops import LAYOUT


def set_layouts(f: FuncOp, layouts: Sequence[tuple[int, ...] | None]) -> None:
    """Write `mlc.layout = strided<[...]>` on each argument that has strides (in elements) of its own."""
    if all(at is None for at in layouts):
        return
    attributes: list[DictionaryAttr] = []
    for at in layouts:
        entries: dict[str, Attribute] = {} if at is None else {LAYOUT: StridedLayoutAttr(list(at), 0)}
        attributes.append(DictionaryAttr(entries))
    f.properties["arg_attrs"] = ArrayAttr(attributes)
