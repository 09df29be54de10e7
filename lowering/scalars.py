"""The scalar of any value of a kernel at any place, as the body of a stage.

    %2 = nd.transpose %x ; %3 = nd.exp %2           at [i, j]        %a = %x[j, i] ; math.exp %a

What moves elements changes the place and costs nothing, elementwise ops become scalar code (`scalar_bodies`), what is
kept is read. Each scalar is built once for a place.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.dialects.builtin import f32, i64
from xdsl.ir import Attribute, SSAValue

from ..dialects.errors import CompileError
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import LoadOp
from ..dialects.nd.constant import Constant, Iota, Size
from ..dialects.nd.dims import Dim, size
from ..dialects.nd.elementwise import Elementwise
from ..dialects.nd.indexing import OneHot
from ..dialects.nd.indirect import Gather
from ..dialects.nd.movement import Broadcast, Reshape, Reverse, Slice, Transpose
from ..dialects.nd.op import NdOp
from ..dialects.nd.types import element, shape_of
from .conversions import convert, rounded
from .positions import Positions, gathered
from .regroup import regrouped
from .scalar_bodies import Body, computed
from .scalar_rows import ROWS

if TYPE_CHECKING:
    from .nd_to_loop import Kernel


class Scalars:
    """Builds a stage's body: the scalar of any value at any place, with the reads that it needs."""

    def __init__(self, kernel: Kernel, own: set[SSAValue], axes: dict[str, Dim], location: Attribute) -> None:
        self.kernel, self.own, self.axes = kernel, own, axes
        self.body = Body(location)
        self.reads: list[tuple[SSAValue, Access]] = []
        self.known: dict[tuple[SSAValue, Access], SSAValue] = {}
        self.positions = Positions(self.body)
        self.wholes: dict[SSAValue, SSAValue] = {}

    def read(self, tensor: SSAValue, at: Access) -> SSAValue:
        """A new read of a tensor of the loop level; a load where a position is computed."""
        if self.positions.marked(at):
            return self.load(tensor, at)
        argument = self.body.block.insert_arg(element(tensor.type), len(self.body.block.args))
        self.reads.append((tensor, at))
        return argument

    def load(self, tensor: SSAValue, at: Access) -> SSAValue:
        if tensor not in self.wholes:
            self.wholes[tensor] = self.body.block.insert_arg(tensor.type, len(self.body.block.args))
            self.reads.append((tensor, ()))
        positions = [self.positions.value(form) for form in at]
        return self.body.add(LoadOp.make(self.wholes[tensor], positions, self.body.location))

    def index(self, form: Linear, t: Attribute) -> SSAValue:
        """A coordinate as a number."""
        if not self.positions.marked((form,)):
            return self.body.index(form, t)
        return convert(self.body, self.body.op(arith.IndexCastOp, self.positions.value(form), to=i64), t)

    def at(self, value: SSAValue, at: Access) -> SSAValue:
        """The element of a tensor-level value at some place."""
        key = (value, at)
        if key not in self.known:
            kept = self.kernel.tensors.get(value)
            if kept is None or value in self.own:
                self.known[key] = self.made(value, at)
            else:
                self.known[key] = self.narrow(self.read(kept, at), value)
        return self.known[key]

    def narrow(self, scalar: SSAValue, value: SSAValue) -> SSAValue:
        """A sum that is kept in f32, rounded to its own type."""
        return rounded(self.body, scalar, element(value.type)) if scalar.type == f32 else scalar

    def wide(self, value: SSAValue, at: Access) -> SSAValue:
        """The element as it is combined with others: f16 and bf16 in f32."""
        return self.body.wide(self.at(value, at))

    def made(self, value: SSAValue, at: Access) -> SSAValue:
        op = value.owner
        assert isinstance(op, NdOp)
        match op:
            case Elementwise():
                if op.name not in ROWS:
                    raise CompileError(f"nd-to-loop: expected {op.name} to be taken apart by decompose", op.location)
                return computed(self.body, op, [self.at(v, at) for v in op.operands])
            case Constant():
                if (splat := op.splat) is None:
                    raise CompileError(
                        "nd-to-loop: expected an array constant to be an argument of the kernel; run graph-fuse",
                        op.location,
                    )
                assert not isinstance(splat, complex), "complex numbers end in expand-complex"
                return self.body.literal(splat, element(value.type))
            case Iota():
                return self.index(at[op.dim.value.data], element(value.type))
            case Size():
                return self.body.index(Linear(size(op.of.data)), element(value.type))
            case OneHot():
                label = convert(self.body, self.at(op.labels, at[:-1]), i64, element(op.labels.type))
                hit = self.body.compare("eq", label, self.index(at[-1], i64))
                return convert(self.body, hit, element(value.type))
            case Gather():
                return gathered(self, op, at)
            case Transpose() | Broadcast():
                m = op.dims
                where = dict(zip(m.result, at))
                return self.at(op.x, tuple(where[i] for i in m.operands[0]))
            case Slice():
                moved = zip(at, op.start.data, op.step.data)
                return self.at(op.x, tuple(Linear(s) + f.scaled(int(t)) for f, s, t in moved))  # pyright: ignore
            case Reverse():
                flipped = [
                    Linear(d - 1) + f.scaled(-1) if k in op.axes.data else f
                    for k, (f, d) in enumerate(zip(at, shape_of(op.type)))
                ]
                return self.at(op.x, tuple(flipped))
            case Reshape() if self.positions.marked(at):
                return self.at(op.x, self.positions.regrouped(at, shape_of(op.type), shape_of(op.x.type)))
            case Reshape():
                return self.at(op.x, regrouped(at, shape_of(op.type), shape_of(op.x.type), self.axes))
            case _:
                raise CompileError(f"nd-to-loop: expected {op.name} to be taken apart by decompose", op.location)
