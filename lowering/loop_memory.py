"""Reading, writing, filling and copying memory: accesses of n-D vectors, whatever their strides.

An access of which each vec axis steps by one through a dimension of its own is a transfer with a permutation map:

    %A[i + i0, k] over (i: 6)   vector.transfer_read %A[%i0, %k] {permutation_map = affine_map<(d0, d1) -> (d0)>}

Any other (strided, reversed, diagonal) is a transfer on a memref.reinterpret_cast that has one dimension per vec axis.
A truth value is a byte in memory: converted at each read and write.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import cast

from xdsl.dialects import arith, memref, vector
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    IntegerAttr,
    LocationAttr,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    UnitAttr,
    i1,
    i32,
    i64,
)
from xdsl.dialects.utils import FastMathFlag
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from ..dialects.loop.combiners import combine
from ..dialects.loop.linear import Access, Linear, coefs
from ..dialects.loop.ops import element_of, shape
from ..dialects.nd.dims import Dim, Shape
from ..dialects.vector.arith import ExtUIOp, TruncIOp
from ..dialects.vector.ops import TransferReadOp, TransferWriteOp
from .loop_state import State, nest
from .storage import BYTE, Axes, Memory, View, stored, vector_of, whole_view

CONTRACT = arith.FastMathFlagsAttr([FastMathFlag.ALLOW_CONTRACT])
MAY_CONTRACT = ("arith.addf", "arith.subf", "arith.mulf")
"""What may become a part of a fused multiply-add; nothing else may change its value."""

WIDTHS = (64, 32, 16, 8)
"""Widths of the vectors by which memory is filled and copied."""


@lru_cache(256)
def access_map(rank: int, dims: tuple[int | None, ...]) -> AffineMapAttr:
    """(d0, ..) -> (dK, 0, ..): which dimension each vector dimension steps through; None: it repeats."""
    results = tuple(AffineExpr.constant(0) if d is None else AffineExpr.dimension(d) for d in dims)
    return AffineMapAttr(AffineMap(rank, 0, results))


@lru_cache(16)
def all_in_bounds(rank: int) -> ArrayAttr[BoolAttr]:
    return ArrayAttr([BoolAttr.from_bool(True)] * rank)


def with_contract(op: Operation) -> Operation:
    """Allow an addition, subtraction or multiplication to be contracted."""
    if op.name in MAY_CONTRACT:
        op.properties["fastmath"] = CONTRACT
    return op


@lru_cache(1024)
def memref_of(
    shape_: Shape, element: Attribute, layout: StridedLayoutAttr | None = None, space: Attribute | None = None
) -> Memory:
    """The memory type of a tensor."""
    sizes = [d if isinstance(d, int) else DYNAMIC_INDEX for d in shape_]
    return MemRefType(stored(element), sizes, layout or NoneAttr(), space or NoneAttr())


def row_major(dims: Shape) -> list[Dim]:
    steps: list[Dim] = []
    total: Dim = 1
    for d in reversed(dims):
        steps.insert(0, total)
        total = total * d
    return steps


def stride_of(access: Access, axis: str, steps: Sequence[Dim]) -> Dim:
    """Elements that an access moves by when the axis moves by one."""
    total: Dim = 0
    for c, step in zip(coefs(access, axis), steps):
        total = total + step * c
    return total


class MemoryState(State):
    """Adds memory: `strides` holds the elements between neighbours of each dimension of every buffer."""

    strides: dict[SSAValue, list[Dim]]
    shapes: dict[SSAValue, Shape]
    """The sizes of every buffer."""
    unchanging: Collection[SSAValue] = ()
    """Buffers of which an element is read once by each thread: its registers are nearer than the caches."""

    # ---- places
    def transfer(self, view: View, access: Access, axes: Axes) -> tuple[SSAValue, list[SSAValue], AffineMapAttr]:
        """Buffer, first indices and permutation map of an access over vec axes."""
        assert not view.swizzle, "only copies and matrix instructions know where a swizzled element lies"
        access = view.at(access)
        names = {n for n, _ in axes}
        dims: list[int | None] = []
        for name, _ in axes:
            spread = [(d, c) for d, c in enumerate(coefs(access, name)) if c]
            if len(spread) > 1 or any(c != 1 or len(access[d].names & names) > 1 for d, c in spread):
                return self.strided(view.buffer, access, axes)
            dims.append(spread[0][0] if spread else None)
        first = [self.index(form.without(names)) for form in access]
        return view.buffer, first, access_map(len(access), tuple(dims))

    def strided(self, buffer: SSAValue, access: Access, axes: Axes) -> tuple[SSAValue, list[SSAValue], AffineMapAttr]:
        """Any affine access as a view with one dimension for each vec axis that it uses."""
        names = {n for n, _ in axes}
        steps = self.strides[buffer]
        offset = self.flat([form.without(names) for form in access], steps)
        strides = [stride_of(access, n, steps) for n, _ in axes]
        used = [(e, s) for (_, e), s in zip(axes, strides) if s != 0]
        static = [s if isinstance(s, int) else DYNAMIC_INDEX for _, s in used]
        layout = StridedLayoutAttr([s if isinstance(s, int) else None for _, s in used], None)
        memory = cast(Memory, buffer.type)
        kind = MemRefType(memory.element_type, [e for e, _ in used], layout, memory.memory_space)
        dynamic = [self.dim(s) for _, s in used if not isinstance(s, int)]
        operands = [buffer, offset, *dynamic]
        properties: dict[str, Attribute] = {
            "static_offsets": DenseArrayBase.from_list(i64, [DYNAMIC_INDEX]),
            "static_sizes": DenseArrayBase.from_list(i64, [e for e, _ in used]),
            "static_strides": DenseArrayBase.from_list(i64, static),
            "operandSegmentSizes": segments(1, 1, 0, len(dynamic)),
        }

        def make() -> SSAValue:
            cast_ = memref.ReinterpretCastOp.create(operands=operands, result_types=[kind], properties=properties)
            return self.emit(cast_)

        view = self.once((kind, *operands), make)
        places = iter(range(len(used)))
        dims = tuple(None if s == 0 else next(places) for s in strides)
        return view, [self.number(0)] * len(used), access_map(len(used), dims)

    def flat(self, access: Sequence[Linear], steps: Sequence[Dim]) -> SSAValue:
        """The distance from the buffer's first element, in elements."""
        fixed = Linear()
        moving: list[tuple[Linear, Dim]] = []
        for form, step in zip(access, steps):
            if isinstance(step, int):
                fixed += form.scaled(step)
            else:
                fixed += Linear(form.const * step)
                moving += [(Linear.axis(n), step * c) for n, c in form.terms if self.axis[n] is not None]
        total = self.index(fixed)
        for form, step in moving:
            part = self.index_op(arith.MuliOp, self.index(form), self.dim(step), head=False)
            total = self.index_op(arith.AddiOp, total, part, head=False)
        return total

    # ---- reading and writing
    def read(self, view: View, access: Access, axes: Axes, element: Attribute, ahead: int = 0) -> SSAValue:
        """The elements of an access, as a vector over all of `axes`; memory `ahead` bytes further is asked for."""
        kept = [a for a in axes if any(coefs(access, a[0]))]
        memory = stored(element)
        if not kept:
            operands = [view.buffer, *(self.index(f) for f in view.at(access))]
            value = self.read_once(view.buffer, memref.LoadOp, operands, memory, {})
        else:
            buffer, first, amap = self.transfer(view, access, axes)
            properties: dict[str, Attribute] = {
                "in_bounds": all_in_bounds(len(axes)),
                "permutation_map": amap,
                "operandSegmentSizes": segments(1, len(first), 1, 0),
            }
            operands = [buffer, *first, self.number(0, memory)]
            value = self.read_once(view.buffer, TransferReadOp, operands, vector_of(memory, axes), properties)
            if ahead:
                value.owner.attributes["mlc.prefetch"] = IntegerAttr(ahead, i64)  # pyright: ignore
        if element == i1:
            kind = vector_of(i1, axes if kept else [])
            value = self.emit(TruncIOp.create(operands=[value], result_types=[kind]))
        if axes and not kept:
            value = self.emit(vector.BroadcastOp.create(operands=[value], result_types=[vector_of(element, axes)]))
        return value

    def read_once(
        self,
        buffer: SSAValue,
        cls: type[Operation],
        operands: list[SSAValue],
        kind: Attribute,
        properties: dict[str, Attribute],
    ) -> SSAValue:
        """A read; of memory that nothing changes, what was read before."""

        def make() -> SSAValue:
            return self.emit(cls.create(operands=operands, result_types=[kind], properties=properties))

        if buffer not in self.unchanging:
            return make()
        return self.once((cls, kind, properties.get("permutation_map"), *operands), make)

    def loaded(self, buffer: SSAValue, *at: SSAValue) -> SSAValue:
        """One element of a buffer."""
        kind = buffer.type
        assert isinstance(kind, MemRefType)
        return self.emit(memref.LoadOp.create(operands=[buffer, *at], result_types=[kind.element_type], properties={}))

    def write(self, value: SSAValue, view: View, access: Access, axes: Axes, element: Attribute) -> None:
        """Store a vector over `axes`, or combine it with what is there."""
        if view.combine:
            old = self.read(view, access, axes, element)
            value = self.emit(with_contract(combine(view.combine, old, value)))
        if element == i1:
            value = self.emit(ExtUIOp.create(operands=[value], result_types=[vector_of(BYTE, axes)]))
        if not axes:
            operands = [value, view.buffer, *(self.index(f) for f in view.at(access))]
            self.add(memref.StoreOp.create(operands=operands, properties={}))
            return
        buffer, first, amap = self.transfer(view, access, axes)
        properties: dict[str, Attribute] = {
            "in_bounds": all_in_bounds(len(axes)),
            "permutation_map": amap,
            "operandSegmentSizes": segments(1, 1, len(first), 0),
        }
        op = TransferWriteOp.create(operands=[value, buffer, *first], properties=properties)
        if view.stream:
            op.attributes["nontemporal"] = UnitAttr()
        self.add(op)

    # ---- whole values
    def sweep(self, view: View, dims: Shape, value: Callable[[Access, Axes], SSAValue], element: Attribute) -> None:
        """Write `value(index, axes)` all over a view, a vector of the last dimension at a time."""
        last = dims[-1] if dims else 1
        width = last if isinstance(last, int) and 1 < last <= WIDTHS[0] else 1
        if isinstance(last, int) and last > WIDTHS[0]:
            width = next((w for w in WIDTHS if last % w == 0), WIDTHS[1])
        rest = last % width if isinstance(last, int) else 0
        names = [f"_{d}" for d in range(len(dims))]
        for count, lanes, first in ((last // width, width, 0), (1, rest, last - rest))[: 2 if rest else 1]:
            axes = [("_lane", lanes)] if lanes > 1 else []
            extents = [*dims[:-1], count] if dims else []
            access = [Linear.axis(n) for n in names]
            if dims and (axes or first != 0):
                access[-1] = access[-1].scaled(width) + Linear(first) + (Linear.axis("_lane") if axes else Linear())

            def body(_: list[SSAValue], axes: Axes = axes, access: Access = tuple(access)) -> list[SSAValue]:
                self.write(value(access, axes), view, access, axes, element)
                return []

            nest(self, list(zip(names, extents)), [], body)

    def fill(self, view: View, dims: Shape, x: float, element: Attribute) -> None:
        """Write one number all over a view."""
        plain = view._replace(combine="")
        self.sweep(plain, dims, lambda _, axes: self.number(x, vector_of(element, axes)), element)

    def copy(self, value: SSAValue, to: View) -> None:
        """Write a tensor value, from registers or from its memory, to a view."""
        element = element_of(value)
        if value in self.vectors:
            access, axes = whole_axes(value)
            self.write(self.vectors[value], to, access, axes, element)
            return
        self.move(self.views[value], to, value)

    def move(self, source: View, to: View, value: SSAValue) -> None:
        """Copy between two memories of a tensor value."""
        element = element_of(value)
        self.sweep(to, shape(value), lambda at, axes: self.read(source, at, axes, element), element)

    def whole(self, value: SSAValue) -> SSAValue:
        """A tensor value in registers."""
        if value in self.vectors:
            return self.vectors[value]
        access, axes = whole_axes(value)
        return self.read(self.views[value], access, axes, element_of(value))

    def alloc(self, value: SSAValue) -> View:
        """New memory for a value, allocated outside of every plain loop."""
        location = value.owner.location if isinstance(value.owner, Operation) else self.location
        buffer = self.allocated(memref_of(shape(value), element_of(value)), shape(value), self.home[-1], location)
        buffer.name_hint = value.name_hint
        return whole_view(buffer, len(shape(value)))

    def allocated(self, kind: Memory, dims: Shape, home: Block, location: LocationAttr) -> SSAValue:
        """A buffer at the end of a block."""
        dynamic = [self.dim(d) for d in dims if not isinstance(d, int)]
        op = memref.AllocOp.create(
            operands=dynamic,
            result_types=[kind],
            properties={"alignment": IntegerAttr(64, i64), "operandSegmentSizes": segments(len(dynamic), 0)},
            location=location,
        )
        home.add_op(op)
        buffer = op.results[0]
        self.strides[buffer], self.shapes[buffer] = row_major(dims), dims
        return buffer


def whole_axes(value: SSAValue) -> tuple[Access, list[tuple[str, int]]]:
    """Names for the non-unit dimensions of a static value, and the access that reads all of it."""
    axes = [(f"_{d}", e) for d, e in enumerate(shape(value)) if isinstance(e, int) and e != 1]
    names = dict(axes)
    access = tuple(Linear.axis(f"_{d}") if f"_{d}" in names else Linear() for d in range(len(shape(value))))
    return access, axes


@lru_cache(256)
def segments(*sizes: int) -> DenseArrayBase:
    """The sizes of an op's operand groups."""
    return DenseArrayBase.from_list(i32, sizes)
