"""Launches, and what the threads of a block do together: whose point is whose, who writes, copies by all of them.

A launch gives its threads numbers; a mapped axis is a field of bits of the number (dialects/loop/threads.py). A value
in registers is on every thread that differs in other bits alone, so one of them writes it:

    %mine = arith.cmpi eq, %rest, %c0 : index        the bits that do not belong to the place are 0
    scf.if %mine { vector.transfer_write .. }
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import (
    AnyFloat,
    IntegerAttr,
    IntegerType,
    UnitAttr,
    i1,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects.errors import CompileError
from ..dialects.gpu import LOCKSTEP, PRIVATE, WORKGROUP, LaunchOp, TerminatorOp
from ..dialects.loop.linear import Access, Linear, axes_of
from ..dialects.loop.ops import StageOp, element_of, shape
from ..dialects.loop.threads import Field, fields, swept
from ..dialects.nd.dims import Dim, Shape, size
from .launches import SPREAD_BITS
from .loop_memory import MemoryState, memref_of
from .storage import Axes, View, made, stored, vector_axes, whole_view

EQUAL, BELOW = 0, 6
"""Predicates of arith.cmpi: equal, unsigned less."""

WORD = 4
"""Bytes of a bank of a block's memory."""

VECTOR = 16
"""Bytes that a thread moves at once."""


@dataclass
class Launch:
    """A launch that is being filled: the thread's number, how many bits it has, and its block."""

    thread: SSAValue
    bits: int
    block: Block
    depth: int
    """Of the block, among those that are open."""
    alone: bool
    """Does each thread run by itself, without the others?"""
    host: Block
    grid: tuple[str, ...] = ()
    """The loops whose iterations are blocks."""
    made: dict[tuple[object, ...], SSAValue] = field(default_factory=dict[tuple[object, ...], SSAValue])


def bytes_of(element: Attribute) -> int:
    kind = stored(element)
    return -(-(kind.bitwidth if isinstance(kind, IntegerType | AnyFloat) else 64) // 8)


def padded(dims: Shape, element: Attribute) -> Shape:
    """Rows of which any eight neighbours begin in different banks: an odd number of vectors apart."""
    row = dims[-1] if len(dims) > 1 else 0
    vectors, rest = divmod(row * bytes_of(element), VECTOR) if isinstance(row, int) else (0, 1)
    return dims if rest or vectors % 2 or not vectors else (*dims[:-1], row + VECTOR // bytes_of(element))


def scattered(dims: Shape, element: Attribute) -> Shape:
    """Rows of which any 32 neighbours begin in different banks: an odd number of words apart."""
    row, word = dims[-1] if len(dims) > 1 else 1, max(1, WORD // bytes_of(element))
    return (*dims[:-1], row + word) if isinstance(row, int) and row // word % 2 == 0 else dims


def across(value: SSAValue) -> bool:
    """Do neighbouring threads read a column of the value?"""
    for use in value.uses:
        stage = use.operation
        if isinstance(stage, StageOp) and not stage.whole(use.index):
            access = stage.accesses.data[use.index].data
            first = next((f.name for f in fields(stage.axes) if f.shift == 0 and f.bits), "")
            if first in axes_of(access[:-1]) and first not in access[-1].names:
                return True
    return False


class ThreadState(MemoryState):
    """Adds launches; `device`: every statement of the function is one."""

    device = False
    launch: Launch | None = None

    def __init__(self, entry: Block) -> None:
        super().__init__(entry)
        self.swept = ""
        """The axis of the stage along which the threads go."""
        self.done: list[Operation] = []
        """Statements that were lowered ahead of their place."""

    @property
    def host(self) -> bool:
        """Is it the host's code that is being filled?"""
        return self.device and self.launch is None

    @contextmanager
    def launching(self, grid: SSAValue, bits: int, alone: bool = False) -> Generator[Launch]:
        """Fill a launch of a grid of blocks of 2 ** bits threads."""
        block, host = LaunchOp.block(), self.block
        for arg in block.args:
            arg.location = self.location
        with self.inside(block, home=True):
            self.launch = Launch(block.args[3], bits, block, len(self.blocks) - 1, alone, host)
            yield self.launch
            self.add(TerminatorOp.create())
        self.launch = None
        self.vectors.clear()
        launch = LaunchOp.make(grid, self.number(1 << bits), self.number(1), Region(block))
        launch.attributes[LOCKSTEP] = UnitAttr()
        self.add(launch)

    def in_grid(self, launch: Launch) -> SSAValue:
        """The thread's number among those of all blocks."""
        first = self.index_op(arith.MuliOp, launch.block.args[0], self.number(1 << launch.bits), head=False)
        return self.index_op(arith.AddiOp, first, launch.thread, head=False)

    # ---- whose point
    def at_launch(self, key: tuple[object, ...], make: Callable[[], SSAValue]) -> SSAValue:
        """What depends on the thread's number alone, computed once in the launch."""
        launch = self.launch
        assert launch is not None
        if key not in launch.made:
            with self.outside(launch.depth):
                launch.made[key] = make()
        return launch.made[key]

    def bits_of(self, shift: int, bits: int) -> SSAValue:
        """A field of bits of the thread's number."""
        launch = self.launch
        assert launch is not None

        def make() -> SSAValue:
            value = launch.thread
            if shift:
                value = self.index_op(arith.ShRUIOp, value, self.number(shift), head=False)
            if shift + bits < launch.bits:
                value = self.index_op(arith.AndIOp, value, self.number((1 << bits) - 1), head=False)
            return value

        return self.at_launch(("bits", shift, bits), make)

    def share(self, mapped: Sequence[Field]) -> None:
        """Bind mapped axes to the thread's points."""
        for f in mapped:
            self.bound_to(f.name, self.point_of(f) if f.bits else None)
            self.depths[f.name] = self.launch.depth if self.launch is not None else 0

    def bound_to(self, axis: str, value: SSAValue | None) -> None:
        """Let an axis stand for a value from here on; forms over it are computed anew if it stood for another."""
        if axis in self.axis and self.axis[axis] is not value:
            for scope in self.known:
                for form in [f for f in scope if isinstance(f, Linear) and axis in f.names]:
                    del scope[form]
        self.axis[axis] = value
        self.depths[axis] = len(self.blocks) - 1

    def point_of(self, f: Field) -> SSAValue:
        """The thread's point: its bits, or the last point."""
        raw, last = self.bits_of(f.shift, f.bits), self.number(f.extent - 1)
        if f.full:
            return raw
        return self.at_launch(("point", f.shift, f.extent), lambda: self.index_op(arith.MinUIOp, raw, last, False))

    def is_point(self, f: Field) -> SSAValue:
        """Has the thread a point of the axis of its own?"""
        raw, count = self.bits_of(f.shift, f.bits), self.number(f.extent)
        return self.at_launch(("own", f.shift, f.extent), lambda: self.compared(BELOW, raw, count))

    def compared(self, predicate: int, a: SSAValue, b: SSAValue) -> SSAValue:
        properties: dict[str, Attribute] = {"predicate": IntegerAttr(predicate, i64)}
        return self.emit(arith.CmpiOp.create(operands=[a, b], result_types=[i1], properties=properties))

    def conditions(self, stage: StageOp, access: Access) -> list[SSAValue]:
        """What holds for the one thread that writes the elements of an access."""
        if self.launch is None or self.launch.alone or swept(stage.axes) in axes_of(access):
            return []
        return self.owner([f for f in fields(stage.axes) if f.name in axes_of(access)])

    def owner(self, own: Sequence[Field]) -> list[SSAValue]:
        """What holds for one of the threads that have the same point of these axes."""
        launch = self.launch
        assert launch is not None
        rest = (1 << launch.bits) - 1
        for f in own:
            rest &= ~f.mask
        found = [self.is_point(f) for f in own if not f.full]
        if rest:
            found.append(
                self.at_launch(("rest", rest), lambda: self.compared(EQUAL, self.masked(rest), self.number(0)))
            )
        return found

    def masked(self, mask: int) -> SSAValue:
        assert self.launch is not None
        return self.index_op(arith.AndIOp, self.launch.thread, self.number(mask), head=False)

    def guarded(self, conditions: Sequence[SSAValue], body: Callable[[], None], home: bool = False) -> None:
        """Run the body where all conditions hold."""
        if not conditions:
            body()
            return
        condition = conditions[0]
        for other in conditions[1:]:
            condition = self.emit(arith.AndIOp.create(operands=[condition, other], result_types=[i1]))
        block = Block()
        with self.inside(block, home=home):
            body()
            self.add(scf.YieldOp.create())
        self.add(scf.IfOp.create(operands=[condition], regions=[Region(block), Region()]))

    def loop(
        self,
        axis: str,
        extent: Dim,
        inits: Sequence[SSAValue],
        body: Callable[[list[SSAValue]], list[SSAValue]],
        step: int = 1,
        clamp: bool = False,
        parallel: bool = False,
        bound: Linear | None = None,
        start: int = 0,
    ) -> list[SSAValue]:
        """A loop, or the thread's part of one along which the threads go."""
        launch = self.launch
        if not axis or axis != self.swept or launch is None or launch.alone:
            return super().loop(axis, extent, inits, body, step, clamp, parallel, bound, start)

        def own(number: SSAValue, values: list[SSAValue]) -> list[SSAValue]:
            self.axis[axis], self.depths[axis] = number, len(self.blocks) - 1
            return body(values)

        return self.counted(launch.thread, self.dim(extent), self.number(1 << launch.bits), inits, own)

    # ---- memory, by all threads
    def indices(self, view: View, access: Access) -> list[SSAValue]:
        """The indices of an element in its buffer."""
        at = [self.index(form) for form in view.at(access)]
        if not view.swizzle:
            return at
        row, column = at
        bits = self.index_op(arith.AndIOp, row, self.number(7), head=False)
        bits = self.index_op(arith.MuliOp, bits, self.number(view.swizzle), head=False)
        return [row, self.index_op(arith.XOrIOp, column, bits, head=False)]

    def alloc(self, value: SSAValue) -> View:
        """Memory of the block, of the thread, or, for a launch of one thread, of the program."""
        launch = self.launch
        if launch is None:
            return super().alloc(value)
        location = value.owner.location if isinstance(value.owner, Operation) else self.location
        dims, home, space = shape(value), self.home[-1], WORKGROUP
        if launch.bits == 0:
            home, space = launch.host, None
        elif launch.alone:
            space = PRIVATE
        if space is not None and not all(isinstance(d, int) for d in dims):
            where = "a thread" if launch.alone else "a block"
            found = f"[{', '.join(map(str, dims))}]"
            raise CompileError(f"lower-loop: expected memory of {where} to have a known size, found {found}", location)
        element = element_of(value)
        own = (scattered(dims, element) if across(value) else padded(dims, element)) if space == WORKGROUP else dims
        buffer = self.allocated(memref_of(own, element, None, space), own, home, location)
        buffer.name_hint = value.name_hint
        return whole_view(buffer, len(dims))

    def copy(self, value: SSAValue, to: View) -> None:
        """As on one thread; what threads hold parts of is written by those that hold them."""
        source = made(value) if value in self.vectors else None
        if source is None or self.launch is None:
            super().copy(value, to)
            return
        stage, access = source
        self.share(fields(stage.axes))
        axes = vector_axes(stage, access) or []

        def write() -> None:
            self.write(self.vectors[value], to, access, axes, element_of(value))

        self.guarded(self.conditions(stage, access), write)

    def sweep(self, view: View, dims: Shape, value: Callable[[Access, Axes], SSAValue], element: Attribute) -> None:
        """Write all over a view, each thread some vectors."""
        if not self.device or (self.launch is not None and self.launch.alone):
            super().sweep(view, dims, value, element)
            return
        last = dims[-1] if dims else 1
        widths = (w for w in (8, 4, 2) if isinstance(last, int) and last % w == 0 and w * bytes_of(element) <= VECTOR)
        width = next(widths, 1)
        names = [f"_{d}" for d in range(len(dims))]
        axes = [("_lane", width)] if width > 1 else []
        access = [Linear.axis(n) for n in names]
        if axes:
            access[-1] = access[-1].scaled(width) + Linear.axis("_lane")
        extents = list(zip(names, [*dims[:-1], last // width] if dims else []))

        def body(number: SSAValue) -> None:
            self.unravel(number, extents)
            self.write(value(tuple(access), axes), view, tuple(access), axes, element)

        self.spread(size(extent for _, extent in extents), body)

    def spread(self, total: Dim, body: Callable[[SSAValue], None]) -> None:
        """Run the body for each number below `total`: the threads of the block, or of a grid, share them out."""
        launch = self.launch
        count = self.dim(total)
        if launch is None:
            width = 1 << SPREAD_BITS
            with self.launching(self.dim((total + width - 1) // width), SPREAD_BITS) as made:
                number = self.in_grid(made)
                whole = isinstance(total, int) and total % width == 0
                self.guarded([] if whole else [self.compared(BELOW, number, count)], lambda: body(number))
            return

        def one(number: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
            body(number)
            return []

        self.counted(launch.thread, count, self.number(1 << launch.bits), [], one)

    def unravel(self, number: SSAValue, extents: Sequence[tuple[str, Dim]]) -> None:
        """Bind axes to the digits of a number, the last of which runs fastest."""
        for k, (name, extent) in enumerate(reversed(extents)):
            self.depths[name] = len(self.blocks) - 1
            if extent == 1:
                self.axis[name] = None
                continue
            last = k == len(extents) - 1
            size = self.dim(extent)
            self.axis[name] = number if last else self.index_op(arith.RemUIOp, number, size, head=False)
            if not last:
                number = self.index_op(arith.DivUIOp, number, size, head=False)


__all__ = ["Launch", "ThreadState"]
