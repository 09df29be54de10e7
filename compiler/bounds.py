"""What a program of symbolic sizes takes for granted of their values: that its slices stay inside of what they read,
that there is something where the place of an extremum is asked for, that no dimension is negative.

Inference checks what it can; the rest is checked once a call, when the sizes are known, inside of regions too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from ..dialects.nd.dims import Dim, Sym, evaluate
from ..dialects.nd.dims import size as size_of
from ..dialects.nd.types import shape_of


class Bound(NamedTuple):
    """`reads` indices from `first` to `last` of a dimension of `size`, read at `location`."""

    size: Dim
    reads: Dim
    first: Dim
    last: Dim
    location: LocationAttr

    def check(self, symbols: Mapping[str, int]) -> None:
        size, count, first, last = (evaluate(d, symbols) for d in self[:4])
        if count < 0 or (count and not (0 <= first < size and 0 <= last < size)):
            given = ", ".join(f"{name} = {value}" for name, value in symbols.items())
            message = (
                f"nd.slice: expected indices from 0 to {size - 1}, found {count} from {first} to {last} at {given}"
            )
            raise CompileError(message, self.location)


class Least(NamedTuple):
    """A size that must not be less than a number; `what` it is of."""

    size: Dim
    least: int
    what: str
    location: LocationAttr

    def check(self, symbols: Mapping[str, int]) -> None:
        if (found := evaluate(self.size, symbols)) < self.least:
            given = ", ".join(f"{name} = {value}" for name, value in symbols.items())
            raise CompileError(f"{self.what}: expected at least {self.least}, found {found} at {given}", self.location)


class Room(NamedTuple):
    """A dimension of `size` that has to hold windows of `window` elements, if anything is read or written there."""

    size: Dim
    window: Dim
    elements: Dim
    what: str
    location: LocationAttr

    def check(self, symbols: Mapping[str, int]) -> None:
        size, window, elements = (evaluate(d, symbols) for d in self[:3])
        if elements and window > size:
            given = ", ".join(f"{name} = {value}" for name, value in symbols.items())
            message = f"{self.what}: expected a dimension of at least {window}, found {size} at {given}"
            raise CompileError(message, self.location)


def bounds_of(f: FuncOp) -> tuple[Bound | Least | Room, ...]:
    """What some value of a function's symbols could violate; without symbols the verifier knows all."""
    if not any(isinstance(d, Sym) for v in f.body.block.args for d in shape_of(v.type)):
        return ()
    from ..dialects.nd.contraction import Contract
    from ..dialects.nd.control import Scan
    from ..dialects.nd.dynamic_slices import DynamicSlice, DynamicUpdateSlice
    from ..dialects.nd.extents import nonnegative
    from ..dialects.nd.indexing import Arg
    from ..dialects.nd.indirect import Indirect, window_of
    from ..dialects.nd.movement import Slice
    from ..dialects.nd.window import ReduceWindow

    found: dict[tuple[Any, ...], Bound | Least | Room] = {}
    for op in f.walk():
        if isinstance(op, Arg):
            m = op.dims
            for index, size in zip(m.operands[0], shape_of(op.operands[0].type)):
                if isinstance(size, Sym) and index not in m.result:
                    found.setdefault((op.name, size), Least(size, 1, f"{op.name} over {size} elements", op.location))
        elif isinstance(op, Scan) and isinstance(op.length, Sym) and op.stacked:
            found.setdefault((op.name, op.length), Least(op.length, 0, "the length of nd.scan", op.location))
        elif isinstance(op, Contract | ReduceWindow):
            for size in shape_of(op.type):
                if isinstance(size, Sym) and not nonnegative(size):
                    found.setdefault((op.name, size), Least(size, 0, f"{op.name}: windows that fit", op.location))
        elif isinstance(op, Indirect):
            data = op.data_shape
            extents = dict(zip((i.name or "" for i in op.data), data, strict=True))
            for index, d in zip(op.place, op.place_shape, strict=True):
                room = Room(d, window_of(index, extents), size_of(data), op.name, op.location)
                if index.at is not None and any(isinstance(n, Sym) for n in room[:2]):
                    found.setdefault((op.name, *room[:3]), room)
        elif isinstance(op, DynamicSlice | DynamicUpdateSlice):
            part = shape_of(op.type if isinstance(op, DynamicSlice) else op.update.type)
            for d, n in zip(shape_of(op.x.type), part, strict=True):
                if d != n and (isinstance(d, Sym) or isinstance(n, Sym)):
                    found.setdefault((op.name, d, n), Room(d, n, 1, op.name, op.location))
        elif isinstance(op, Slice):
            shape, counts = shape_of(op.x.type), shape_of(op.type)
            steps: Sequence[Dim] = op.step.data
            for size, first, step, count in zip(shape, op.start.data, steps, counts, strict=True):
                bound = Bound(size, count, first, first + step * (count + -1), op.location)
                if any(isinstance(d, Sym) for d in bound[:4]):
                    found.setdefault(bound[:4], bound)
    return tuple(found.values())
