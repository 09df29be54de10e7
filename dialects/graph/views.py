"""Views: what a value is in terms of the buffer that holds it, by offset and strides in elements.

    %0 = nd.transpose %x "a b -> b a"                 %x, 0, [1, 4]
    %1 = nd.slice %0 from [1, 0] step [2, -1]         %x, 1 + .., ..
    %2 = nd.broadcast %y "a -> b a"                   %y, 0, [0, 1]
    %3 = nd.reshape %z (of dense rows)                %z, 0, rows of the new shape

An op that is a view costs no kernel and moves no bytes.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import DictionaryAttr, IntAttr, StridedLayoutAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from ..nd.control import Control
from ..nd.dims import Dim
from ..nd.movement import Broadcast, Reshape, Reverse, Slice, Transpose
from ..nd.types import shape_of
from .ops import LAYOUT
from .place import row_major
from .regions import outside

VIEWS = (Transpose, Slice, Reverse, Broadcast, Reshape)


class View(NamedTuple):
    """Element [i, j, ..] of a value is `base[offset + i * strides[0] + j * strides[1] + ..]`."""

    base: SSAValue
    offset: Dim
    strides: tuple[Dim, ...]

    def rows(self, shape: Sequence[Dim]) -> bool:
        """Dense rows from some element on? Strides of dimensions of one element do not matter."""
        return all(s == t or d == 1 for s, t, d in zip(self.strides, row_major(shape), shape)) or 0 in shape

    @property
    def static(self) -> bool:
        return all(isinstance(s, int) for s in self.strides)


def view_of(value: SSAValue) -> View:
    """The view that a value is; itself with dense rows if it is none."""
    op = value.owner
    if isinstance(op, Block):
        if (found := _argument(value)) is not None:
            return found
        layout = layout_of(value)
        return View(value, 0, layout or row_major(shape_of(value.type)))
    if type(op) in VIEWS and (found := through(op, view_of(op.operands[0]))) is not None:
        return found
    return View(value, 0, row_major(shape_of(value.type)))


def _argument(arg: SSAValue) -> View | None:
    """What an argument of a region views outside of it; None of a carried value and of a function's arguments."""
    assert isinstance(arg, BlockArgument)
    if not isinstance(arg.block.parent_op(), Control) or (found := outside(arg)) is None:
        return None
    operand, index = found
    view = view_of(operand)
    if index is None:
        return view
    return View(view.base, view.offset + view.strides[0] * index, view.strides[1:])


def through(op: Operation, view: View) -> View | None:
    """The view that a moving op makes of a view; None if it must move elements."""
    base, offset, strides = view
    out = shape_of(op.results[0].type)
    match op:
        case Transpose():
            return View(base, offset, tuple(strides[k] for k in op.perm))
        case Slice():
            for s, start in zip(strides, op.start.data):
                offset = offset + s * start if 0 not in out else offset
            return View(base, offset, tuple(s * t for s, t in zip(strides, op.step.data)))
        case Reverse():
            axes = op.axes.data
            for k in axes if 0 not in out else ():
                assert isinstance(k, int)
                offset = offset + (out[k] + -1) * strides[k]
            return View(base, offset, tuple(s * -1 if k in axes else s for k, s in enumerate(strides)))
        case Broadcast():
            m = op.dims
            own = dict(zip(m.operands[0], strides))
            return View(base, offset, tuple(own.get(i, 0) for i in m.result))
        case Reshape():
            shape = shape_of(op.x.type)
            if view.rows(shape):
                return View(base, offset, row_major(out))
            if unit_reshape(op):
                wide = iter([s for s, d in zip(strides, shape) if d != 1])
                return View(base, offset, tuple(next(wide) if d != 1 else 1 for d in out))
            return None
        case _:
            return None


def unit_reshape(op: Reshape) -> bool:
    """Does it only add or drop dimensions of one element?"""
    return [d for d in shape_of(op.x.type) if d != 1] == [d for d in shape_of(op.type) if d != 1]


def is_view(op: Operation) -> bool:
    """Can the op stand for elements of its operand's buffer?"""
    return type(op) in VIEWS and through(op, view_of(op.operands[0])) is not None


def layout_of(value: SSAValue) -> tuple[int, ...] | None:
    """The strides that an argument declares by `mlc.layout`; None for dense rows."""
    if not isinstance(value, BlockArgument) or not isinstance(f := value.block.parent_op(), FuncOp):
        return None
    if f.arg_attrs is None:
        return None
    attributes = f.arg_attrs.data[value.index]
    assert isinstance(attributes, DictionaryAttr)
    return strides_of(attributes.data.get(LAYOUT))


def strides_of(layout: Attribute | None) -> tuple[int, ...] | None:
    """The numbers of a `strided<[..]>`; None if there is none or one of them is known at run time only."""
    if not isinstance(layout, StridedLayoutAttr):
        return None
    out = [s.data for s in layout.strides.data if isinstance(s, IntAttr)]
    return tuple(out) if len(out) == len(layout.strides.data) else None


def layout_attr(strides: Sequence[Dim]) -> StridedLayoutAttr:
    numbers = [s for s in strides if isinstance(s, int)]
    assert len(numbers) == len(strides)
    return StridedLayoutAttr(numbers)
