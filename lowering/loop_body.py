"""The values of one statement's body at a point, over all vec axes or over those that a position depends on.

`loop.load` reads at positions. What of them moves along vec axes decides how:

    %0 = loop.index j                        only coordinates do (a row of a table, a slice): a transfer like any read,
    %v = loop.load %t[%k, %0]                at an index that is a scalar
    %v = loop.load %t[%k] over j, %k = %i[j]     a computed position does: vector.gather of flat memory

A value that is the same along a vec axis and needed for a position only is lowered without that axis.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from xdsl.dialects import arith, memref, vector
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    IntegerType,
    MemRefType,
    StridedLayoutAttr,
    i1,
    i64,
)
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..dialects.loop.combiners import combine
from ..dialects.loop.linear import Access, Linear, axes_of
from ..dialects.loop.load import LoadOp
from ..dialects.loop.ops import ForOp, IndexOp, ScatterOp, StageOp, element_of
from ..dialects.loop.queries import enclosing
from ..dialects.nd.dims import Dim
from ..dialects.vector.arith import TruncIOp
from ..dialects.vector.ops import GatherOp, StepOp
from .first_copies import source_of
from .loop_memory import segments
from .storage import Axes, Memory, View, reads_whole, vector_axes, vector_of

if TYPE_CHECKING:
    from .loop_stage import StageState

Split = tuple[Linear, list[SSAValue]]
"""A position: coordinates, and values that are added to them."""


LAST_SIGNED = 5
"""Of the predicates of `arith.cmpi`; they are eq, ne, slt, sle, sgt, sge."""


def coordinates(op: arith.CmpiOp) -> tuple[Linear, Linear] | None:
    """The coordinates that a signed comparison is of."""
    found: list[Linear] = []
    for value in op.operands:
        cast_ = value.owner
        index = cast_.operands[0].owner if isinstance(cast_, arith.IndexCastOp) and width(value) >= 32 else cast_
        if not isinstance(index, IndexOp):
            return None
        found.append(index.linear)
    return (found[0], found[1]) if op.predicate.value.data <= LAST_SIGNED else None


def compares_coordinates(op: Operation) -> bool:
    return isinstance(op, arith.CmpiOp) and coordinates(op) is not None


def width(value: SSAValue) -> int:
    return value.type.width.data if isinstance(value.type, IntegerType) else 64


def fits_word(op: Operation, forms: Sequence[Linear]) -> bool:
    """Is every difference of two coordinates a number of 32 bits?"""
    extents: dict[str, Dim] = {loop.axis.data: loop.extent.data for loop in enclosing(op)}
    if isinstance(op, StageOp):
        extents |= {a.name: a.extent for a in op.axes}
    bounds = [end for form in forms if form.names <= extents.keys() for end in form.range(extents)]
    return len(bounds) == 2 * len(forms) and all(isinstance(n, int) and abs(n) < 1 << 30 for n in bounds)


def ahead(s: StageOp | ScatterOp, operand: int) -> int:
    """How many bytes ahead of an operand's vectors memory is asked for."""
    found = s.attributes.get("loop.prefetch")
    return int(found.get_values()[operand]) if isinstance(found, DenseArrayBase) else 0


class BodyValues:
    def __init__(self, state: StageState, s: StageOp | ScatterOp, vec: Axes) -> None:
        self.state, self.s, self.vec = state, s, vec
        self.found: dict[tuple[SSAValue, tuple[str, ...]], SSAValue] = {}
        self.spreads: dict[SSAValue, frozenset[str]] = {}
        self.depths: dict[SSAValue, int] = {}
        self.loads = isinstance(s, ScatterOp) or any(isinstance(op, LoadOp) for op in s.body.block.ops)

    def run(self, results: Sequence[SSAValue] | None = None) -> None:
        """Lower what results need over all vec axes, in the order of the body; all that it yields, unless given."""
        needed = self.needed(results)
        for k, arg in enumerate(self.s.body.block.args):
            if needed is None or (arg in needed and not self.s.whole(k)):
                self.at(arg, self.vec)
        for op in self.s.body.block.ops:
            if isinstance(op, IndexOp) or op is self.s.terminator:
                continue
            if needed is None or op.results[0] in needed:
                self.at(op.results[0], self.vec)

    def needed(self, results: Sequence[SSAValue] | None) -> set[SSAValue] | None:
        """The values that are needed over all vec axes; None: every one."""
        if not self.loads and results is None and not any(compares_coordinates(op) for op in self.s.body.block.ops):
            return None
        every = frozenset(n for n, _ in self.vec)
        needed: set[SSAValue] = set(self.s.terminator.operands if results is None else results)
        for op in reversed(list(self.s.body.block.ops)):
            if not op.results or op.results[0] not in needed:
                continue
            if isinstance(op, LoadOp):
                parts = (v for p in op.positions for v in self.split(p)[1])
                needed.update(v for v in parts if self.spread(v) == every)
            elif not compares_coordinates(op):
                needed.update(op.operands)
        return needed

    def spread(self, value: SSAValue) -> frozenset[str]:
        """The vec axes along which a value of the body may differ."""
        if value not in self.spreads:
            names = frozenset(n for n, _ in self.vec)
            block = self.s.body.block
            for arg, (_, access) in zip(block.args, self.s.reads()):
                self.spreads[arg] = axes_of(access) & names
            for op in block.ops:
                own = op.linear.names & names if isinstance(op, IndexOp) else frozenset[str]()
                for result in op.results:
                    self.spreads[result] = own.union(*(self.spreads[o] for o in op.operands))
        return self.spreads[value]

    def at(self, value: SSAValue, axes: Axes) -> SSAValue:
        """A value over some of the vec axes, which hold those that it differs along."""
        key = value, tuple(n for n, _ in axes)
        if key not in self.found:
            if not axes and self.loads and (depth := self.depth(value)) < len(self.state.blocks) - 1:
                with self.state.outside(depth):
                    made = self.lowered(value, axes)
            else:
                made = self.lowered(value, axes)
            self.found[key] = made
        return self.found[key]

    def lowered(self, value: SSAValue, axes: Axes) -> SSAValue:
        owner = value.owner
        self.state.location = self.s.location if isinstance(owner, Block) else owner.location
        made = self.read(value, axes) if isinstance(owner, Block) else self.made(owner, axes)
        made.name_hint = made.name_hint or value.name_hint
        return made

    def depth(self, value: SSAValue) -> int:
        """How many of the open blocks are needed for a scalar: those of the loops that bind what it is read by. Only
        arguments of the function are complete outside of every loop."""
        state, owner = self.state, value.owner
        if value not in self.depths:
            here = len(state.blocks) - 1
            forms: Access = ()
            if isinstance(owner, IndexOp):
                forms = owner.form.data
            elif isinstance(value, BlockArgument):
                forms = self.s.accesses.data[value.index].data
                source = self.s.ins[value.index]
                complete = isinstance(source, BlockArgument) and not isinstance(source.owner.parent_op(), ForOp)
                if not complete or self.s.whole(value.index):
                    self.depths[value] = here
                    return here
            elif isinstance(owner, LoadOp):
                self.depths[value] = here
                return here
            names = [n for form in forms for n in form.names if state.axis.get(n) is not None]
            inner = [] if isinstance(owner, Block) else [self.depth(o) for o in owner.operands]
            own = state.blocks.index(state.home[-1])  # work that runs in parallel computes what it needs
            self.depths[value] = max([own, *(state.depths[n] for n in names), *inner])
        return self.depths[value]

    def read(self, arg: SSAValue, axes: Axes) -> SSAValue:
        state, s = self.state, self.s
        assert isinstance(arg, BlockArgument)
        k = arg.index
        value, access = s.ins[k], s.accesses.data[k].data
        if isinstance(s, StageOp) and value in state.vectors and reads_whole(s, value, access):
            return state.adapt(state.vectors[value], vector_axes(s, access) or [], axes)
        if value in state.filling:
            return state.adapt(self.filled(value, access), self.own(access), axes)
        return state.read(state.views[value], access, axes, element_of(value), ahead(s, k))

    def own(self, access: Access) -> Axes:
        """The vec axes of an access."""
        return [a for a in self.vec if a[0] in axes_of(access)]

    def filled(self, value: SSAValue, access: Access) -> SSAValue:
        """What is read of a copy, from where it comes, and stored there."""
        state, axes, element, copy = self.state, self.own(access), element_of(value), cast(StageOp, value.owner)
        source, origin = source_of(copy, access)
        read = state.read(state.views[source], origin, axes, element, ahead(copy, 0))
        state.write(read, state.views[value], access, axes, element)
        return read

    def made(self, op: Operation, axes: Axes) -> SSAValue:
        if isinstance(op, LoadOp):
            return self.load(op, axes)
        if axes and isinstance(op, arith.IndexCastOp) and isinstance(op.input.owner, IndexOp):
            self.state.location = op.location
            return self.state.coordinate(op.input.owner.linear, axes, op.result.type)
        if axes and isinstance(op, arith.CmpiOp) and (forms := coordinates(op)) is not None:
            return self.state.coordinates_compared(op, *forms, axes, fits_word(self.s, forms))
        values = {o: self.at(o, axes) for o in op.operands}
        self.state.location = op.location
        self.state.scalar_op(op, axes, values)
        return values[op.results[0]]

    # ---- loads
    def split(self, position: SSAValue) -> Split:
        op = position.owner
        if isinstance(op, IndexOp):
            return op.linear, []
        if isinstance(op, arith.AddiOp) and isinstance(position.type, IndexType):
            (a, p), (b, q) = self.split(op.lhs), self.split(op.rhs)
            return a + b, p + q
        return Linear(), [position]

    def load(self, op: LoadOp, axes: Axes) -> SSAValue:
        state = self.state
        assert isinstance(op.source, BlockArgument)
        value = self.s.ins[op.source.index]
        splits = [self.split(p) for p in op.positions]
        if any(self.spread(v) for _, rest in splits for v in rest):
            return self.gather(op, state.views[value], splits, axes)
        access = tuple(self.index(form, rest) for form, rest in splits)
        state.location = op.location
        return state.read(state.views[value], access, axes, element_of(value))

    def index(self, form: Linear, rest: list[SSAValue]) -> Linear:
        """A position that is a scalar along every vec axis but for coordinates."""
        for v in rest:
            form += self.state.bind(self.at(v, ()))
        return form

    def gather(self, op: LoadOp, view: View, splits: list[Split], axes: Axes) -> SSAValue:
        """Elements from anywhere: their distances from one place in flat memory, as a vector."""
        state, steps = self.state, self.state.strides[view.buffer]
        names = {n for n, _ in axes}
        moving = {n for _, rest in splits for v in rest for n in self.spread(v)}
        moving |= {n for form, _ in splits for n in form.names & names}
        over = [a for a in axes if a[0] in moving]
        total: SSAValue | None = None
        first: list[Linear] = []
        for (form, rest), step, offset, scale in zip(splits, steps, view.offset, view.scale):
            first.append(
                offset + self.index(form.without(names), [v for v in rest if not self.spread(v)]).scaled(scale)
            )
            parts: list[tuple[SSAValue, Dim, Axes]] = []
            for v in rest:
                if own := [a for a in over if a[0] in self.spread(v)]:
                    parts.append((self.at(v, own), step * scale, own))
            for name, extent in over:
                if c := form.coef(name):
                    one = [(name, extent)]
                    state.location = op.location
                    parts.append(
                        (state.emit(StepOp.create(result_types=[vector_of(IndexType(), one)])), step * scale * c, one)
                    )
            state.location = op.location
            for part, factor, own in parts:
                if factor != 1:
                    part = state.emit(combine("mul", part, self.splat(factor, own)))
                part = state.adapt(part, own, over)
                total = part if total is None else state.emit(combine("add", total, part))
        assert total is not None
        value = self.gathered(view.buffer, first, total, over)
        if op.res.type == i1:
            value = state.emit(TruncIOp.create(operands=[value], result_types=[vector_of(i1, over)]))
        return state.adapt(value, over, axes)

    def splat(self, d: Dim, axes: Axes) -> SSAValue:
        kind = vector_of(IndexType(), axes)
        if isinstance(d, int):
            return self.state.number(d, kind)
        return self.state.emit(vector.BroadcastOp.create(operands=[self.state.dim(d)], result_types=[kind]))

    def gathered(self, buffer: SSAValue, first: list[Linear], distances: SSAValue, axes: Axes) -> SSAValue:
        state = self.state
        memory = cast(Memory, buffer.type).element_type
        flat, low = self.flat(buffer)
        start = state.flat(first, state.strides[buffer])
        if low != 0:
            start = state.index_op(arith.AddiOp, start, state.dim(low * -1), head=False)
        operands = [
            flat,
            start,
            distances,
            state.number(1, vector_of(i1, axes)),
            state.number(0, vector_of(memory, axes)),
        ]
        return state.emit(GatherOp.create(operands=operands, result_types=[vector_of(memory, axes)]))

    def flat(self, buffer: SSAValue) -> tuple[SSAValue, Dim]:
        """A buffer as one dimension of neighbours, and where it begins, from the buffer's first element."""
        state = self.state
        kind = cast(Memory, buffer.type)
        low: Dim = 0
        reach: Dim = 1
        for step, n in zip(state.strides[buffer], state.shapes[buffer]):
            backwards = isinstance(step, int) and step < 0
            reach = reach + (n + -1) * (step * -1 if backwards else step)
            low = low + (n + -1) * step if backwards else low
        static = reach if isinstance(reach, int) else DYNAMIC_INDEX
        layout = StridedLayoutAttr([1], None)
        offset = state.dim(low)
        dynamic = [] if isinstance(reach, int) else [state.dim(reach)]
        view = memref.ReinterpretCastOp.create(
            operands=[buffer, offset, *dynamic],
            result_types=[MemRefType(kind.element_type, [static], layout, kind.memory_space)],
            properties={
                "static_offsets": DenseArrayBase.from_list(i64, [DYNAMIC_INDEX]),
                "static_sizes": DenseArrayBase.from_list(i64, [static]),
                "static_strides": DenseArrayBase.from_list(i64, [1]),
                "operandSegmentSizes": segments(1, 1, len(dynamic), 0),
            },
        )
        return state.emit(view), low
