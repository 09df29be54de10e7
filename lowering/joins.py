"""What needs a joined tensor: padding, concatenation, and contractions that read outside of an operand.

    nd.pad %x, %v low [1] high [2] interior [1]
        %p = loop.stage fill [..] () -> [..] { v }
        %q = loop.stage piece [i: 4] (%a = %x[i]) -> [i]
        %r = loop.join (%p at [0], %q at [2 * d0 + 1])

A window "2*b+c-1" reads the same, padded by zeros (by the identity, where windows are reduced); a quotient
"(b-c+1)/2" reads a tensor with zeros between.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

from xdsl.ir import Attribute, SSAValue

from ..dialects.loop.attributes import Target
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import JoinOp
from ..dialects.nd.concatenation import Concat
from ..dialects.nd.dimmap import Dims
from ..dialects.nd.dims import Dim, Shape
from ..dialects.nd.extents import nonnegative
from ..dialects.nd.movement import Pad
from ..dialects.nd.types import element, shape_of, stored, tensor

if TYPE_CHECKING:
    from .nd_to_loop import Kernel

LARGE = 4096
"""Elements of a tensor that is worth more than one stage to fill around a piece."""


class Joins:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def fill(self, shape: Shape, dtype: Attribute, value: SSAValue | float, location: Attribute) -> SSAValue:
        """A tensor of one value: a scalar of the program, or a number."""
        names = [self.kernel.plan.names.fresh() for _ in shape]
        axes = dict(zip(names, shape))
        scalars = self.kernel.scalars(axes, location)
        v = scalars.at(value, ()) if isinstance(value, SSAValue) else scalars.body.literal(value, dtype)
        at: Access = tuple(Linear.axis(n) for n in names)
        return self.kernel.stage("fill", axes, scalars, [v], [Target("", at)])[0]

    def surroundings(
        self,
        shape: Shape,
        low: Sequence[Dim],
        inner: Shape,
        steps: Sequence[int],
        dtype: Attribute,
        value: SSAValue | float,
        location: Attribute,
    ) -> list[tuple[SSAValue, Access]]:
        """One value where a piece of size `inner` at `low` leaves room: everywhere, or of large tensors beside it."""
        whole, at, box = ([d for d in dims if isinstance(d, int)] for dims in (shape, low, inner))
        static = len(whole) == len(at) == len(box) == len(shape)
        if not static or prod(whole) < LARGE or 0 in box or any(step != 1 for step in steps):
            return [(self.fill(shape, dtype, value, location), (Linear(0),) * len(shape))]
        out: list[tuple[SSAValue, Access]] = []
        corner, size = [0] * len(shape), list(whole)  # what no slab covers yet
        for k, (start, n) in enumerate(zip(at, box)):
            for first, count in ((0, start), (start + n, whole[k] - start - n)):
                if count > 0:
                    slab = tuple(count if j == k else m for j, m in enumerate(size))
                    place = tuple(Linear(first if j == k else c) for j, c in enumerate(corner))
                    out.append((self.fill(slab, dtype, value, location), place))
            corner[k], size[k] = start, n
        return out

    def join(
        self, pieces: list[tuple[SSAValue, Access]], shape: Shape, dtype: Attribute, location: Attribute
    ) -> SSAValue:
        op = JoinOp.make(pieces, tensor(shape, stored(dtype)), location)  # pyright: ignore[reportArgumentType]
        self.kernel.new.append(op)
        return op.results[0]

    def pad(self, op: Pad) -> SSAValue:
        shape, dtype = shape_of(op.type), element(op.type)
        steps = [int(k) + 1 for k in op.interior.data]  # pyright: ignore[reportArgumentType]
        piece = self.kernel.copy("piece", op.x, op.location)  # right behind what makes it, to share its loops
        around = self.surroundings(shape, op.low.data, shape_of(op.x.type), steps, dtype, op.value, op.location)
        return self.join([*around, (piece, placed(op.low.data, steps))], shape, dtype, op.location)

    def concat(self, op: Concat) -> SSAValue:
        shape, along = shape_of(op.type), op.along
        pieces: list[tuple[SSAValue, Access]] = []
        start: Dim = 0
        for value in op.operands:
            piece = self.kernel.copy("piece", value, op.location)
            pieces.append((piece, tuple(Linear(start if k == along else 0) for k in range(len(shape)))))
            start = start + shape_of(value.type)[along]
        return self.join(pieces, shape, element(op.type), op.location)

    def window(
        self,
        value: SSAValue,
        numerators: Sequence[Linear],
        divisors: Sequence[int],
        shape: Shape,
        axes: dict[str, Dim],
        location: Attribute,
        outside: float = 0,
    ) -> tuple[SSAValue, Access] | None:
        """The operand with zeros (or `outside`) where indices leave it or do not divide, and the access.

        None if it serves as it is.
        """
        if 0 in axes.values():
            return None
        low: list[Dim] = []
        whole: list[Dim] = []
        needed = False
        for form, divisor, d in zip(numerators, divisors, shape):
            least, most = form.range(axes)
            end = (d - 1) * divisor
            if divisor == 1 and nonnegative(least) and nonnegative(end - most):
                low.append(0)
                whole.append(d)
                continue
            needed = True
            start = 0 if nonnegative(least) else -least if nonnegative(-least) else least * -1
            if nonnegative(most - end) or nonnegative(end - most):
                last = most if nonnegative(most - end) else end
            else:
                last = most + (end if nonnegative(d - 1) else d * divisor)  # the end of no elements is negative
            low.append(start)
            whole.append(start + last + 1)
        if not needed:
            return None
        dtype = element(value.type)
        pieces = self.surroundings(tuple(whole), low, shape, divisors, dtype, outside, location)
        if 0 not in shape:
            pieces.append((self.kernel.copy("piece", value, location), placed(low, divisors)))
        joined = self.join(pieces, tuple(whole), dtype, location)
        return joined, tuple(form + Linear(start) for form, start in zip(numerators, low))


def placed(low: Sequence[Dim], steps: Sequence[int]) -> Access:
    """Offsets, and strides where elements stand apart."""
    return tuple(
        Linear(start, ((f"d{k}", step),) if step != 1 else ()) for k, (start, step) in enumerate(zip(low, steps))
    )


def numerators_of(dims: Dims, axis: Mapping[str, str]) -> list[Linear]:
    """The indices of a map before division, over the loop level's axes."""
    out: list[Linear] = []
    for index in dims:
        form = Linear(index.offset)
        for name, c in index.terms:
            form += Linear.axis(axis[name], c)
        out.append(form)
    return out
