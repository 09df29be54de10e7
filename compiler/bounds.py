"""What a program of symbolic sizes takes for granted of their values: that its slices stay inside of what they read.

Inference checks what it can; the rest is checked once a call, when the sizes are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from ..dialects.nd.dims import Dim, Sym, evaluate
from ..dialects.nd.movement import Slice
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


def bounds_of(f: FuncOp) -> tuple[Bound, ...]:
    """The slices of a function that some value of its symbols could take outside."""
    found: dict[tuple[Dim, ...], Bound] = {}
    for op in f.body.block.ops:
        if isinstance(op, Slice):
            shape, counts = shape_of(op.x.type), shape_of(op.type)
            steps: Sequence[Dim] = op.step.data
            for size, first, step, count in zip(shape, op.start.data, steps, counts, strict=True):
                bound = Bound(size, count, first, first + step * (count + -1), op.location)
                if any(isinstance(d, Sym) for d in bound[:4]):
                    found.setdefault(bound[:4], bound)
    return tuple(found.values())
