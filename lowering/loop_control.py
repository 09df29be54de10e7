"""Blocks, loops, versions and joins: destinations go in, from the block's end to its beginning; then ops are lowered.

A loop's combined or carried value that is whole is carried in registers; in memory, a combined one is accumulated
where it lies, a carried one has a second buffer for the value that is being made while the old one is read. A value
that cannot be made in its destination (it has two, or comes from elsewhere) is copied there at the end of its block.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise

from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IntegerAttr, i1, i64
from xdsl.ir import Block, Operation, Region, SSAValue

from ..dialects.errors import CompileError
from ..dialects.loop.attributes import CARRY
from ..dialects.loop.combiners import combine, identity
from ..dialects.loop.ops import ForOp, IfOp, JoinOp, ScatterOp, SortOp, StageOp, element_of, shape
from ..dialects.loop.threads import WARP_BITS
from ..dialects.nd.dims import size
from .first_copies import filled_by
from .launch_scan import launch_scan
from .launch_scatter import launch_scatter
from .launch_sort import launch_sort
from .launches import bits_of, field_of, grid, group_of, iterations, repeats
from .loop_memory import with_contract
from .loop_pipeline import pipelined, stages_of
from .loop_scatter import scatter
from .loop_sort import sort
from .loop_stage import Carried, StageState
from .storage import (
    View,
    carried_in_registers,
    combinable,
    direct_pieces,
    heir,
    in_block,
    is_vector,
    needs_memory,
    register_axes,
    vector_of,
)

NOT_LESS = IntegerAttr(5, i64)


class Kernel(StageState):
    """Adds control: the lowering of one kernel."""

    def body(self, block: Block, targets: Sequence[View | None], carried: Carried) -> None:
        """Lower a block; operand k of its terminator goes to `targets[k]`."""
        late = self.destinations(block, targets)
        copies = self.places(block)
        for op in block.ops:
            if op in self.done:
                continue
            self.location = op.location
            if isinstance(op, JoinOp):
                for piece, view in copies[op]:
                    self.copy(piece, view)
            elif self.host and isinstance(op, SortOp):
                launch_sort(self, op)
            elif self.host and isinstance(op, ScatterOp):
                launch_scatter(self, op)
            elif self.host and isinstance(op, ForOp) and launch_scan(self, op):
                pass
            elif self.host and isinstance(op, StageOp | ForOp) and not repeats(op):
                with self.launched(op):
                    self.statement(op, carried)
            else:
                self.statement(op, carried)
        last = block.last_op
        assert last is not None
        self.location = last.location
        for value, view in late:
            self.copy(value, view)

    def statement(self, op: Operation, carried: Carried) -> None:
        if isinstance(op, StageOp) and self.left_to_loop(op):
            return
        if isinstance(op, StageOp):
            self.stage(op, carried)
        elif isinstance(op, ForOp):
            self.for_(op, carried)
        elif isinstance(op, IfOp):
            self.if_(op)
        elif isinstance(op, SortOp):
            sort(self, op)
        elif isinstance(op, ScatterOp):
            scatter(self, op)

    @contextmanager
    def launched(self, op: Operation) -> Generator[None]:
        """A launch around a statement: a grid of its block loops, and as many threads as its stages share; one of one
        thread where nothing is mapped."""
        loops, bits = grid(op), bits_of(op)
        counts = [(loop.axis.data, iterations(loop)) for loop in loops]
        mapped, blocks = bool(loops or bits), self.dim(size(n for _, n in counts))
        with self.launching(blocks, max(bits, WARP_BITS) if mapped else 0, alone=not mapped) as launch:
            launch.grid = tuple(name for name, _ in counts)
            self.unravel(launch.block.args[0], counts)
            for loop, inner in pairwise(loops):
                if group_of(loop) > 1:
                    self.grouped(loop, inner)
            for loop in loops:
                self.step_of(loop)
            yield

    def grouped(self, loop: ForOp, inner: ForOp) -> None:
        """Number the iterations of two block loops by groups of the outer one's, those of a group first:

        t = outer * columns + inner;  first = t / (columns * group) * group;  rows = min(group, count - first)
        outer = first + t mod (columns * group) mod rows;  inner = t mod (columns * group) / rows
        """
        names = loop.axis.data, inner.axis.data
        count, columns, group = self.dim(iterations(loop)), iterations(inner), group_of(loop)

        def made(cls: type[Operation], a: SSAValue, b: SSAValue) -> SSAValue:
            return self.index_op(cls, a, b, head=False)

        rows, column = (self.bound(name) for name in names)
        first = made(arith.MuliOp, made(arith.DivUIOp, rows, self.number(group)), self.number(group))
        own = made(arith.SubiOp, rows, first)
        within = made(arith.AddiOp, made(arith.MuliOp, own, self.dim(columns)), column)
        size = made(arith.MinUIOp, made(arith.SubiOp, count, first), self.number(group))
        self.axis[names[0]] = made(arith.AddiOp, first, made(arith.RemUIOp, within, size))
        self.axis[names[1]] = made(arith.DivUIOp, within, size)

    def step_of(self, loop: ForOp) -> None:
        """The value of a block loop's axis, from the number of its iteration."""
        name, number = loop.axis.data, self.axis[loop.axis.data]
        if number is not None and loop.stride != 1:
            number = self.index_op(arith.MuliOp, number, self.number(loop.stride), head=False)
        if number is not None and loop.clamped:
            last = self.dim(loop.extent.data - loop.stride)
            number = self.index_op(arith.MinSIOp, number, last, head=False)
        self.axis[name] = number

    def destinations(self, block: Block, targets: Sequence[View | None]) -> list[tuple[SSAValue, View]]:
        """Give each value that a block ends with its place; those that must be copied there are returned."""
        late: list[tuple[SSAValue, View]] = []
        last = block.last_op
        assert last is not None
        for value, view in zip(last.operands, targets):
            if view is None:
                continue
            free = in_block(value, block) and value not in self.views
            whole = not view.combine or (combinable(value, view.combine) and not value.has_more_than_one_use())
            if free and whole:
                self.views[value] = view
            else:
                late.append((value, view))
        return late

    def places(self, block: Block) -> dict[Operation, list[tuple[SSAValue, View]]]:
        """Give memory to every other value that needs it, from users to producers; returns what joins must copy."""
        copies: dict[Operation, list[tuple[SSAValue, View]]] = {}
        for op in reversed(list(block.ops)):
            if not isinstance(op, StageOp | ForOp | IfOp | JoinOp | SortOp | ScatterOp):
                continue
            for value in op.results:
                if value not in self.views and (self.host or needs_memory(value)):
                    inherited = heir(value, self.views, self.protected) if self.launch is None else None
                    self.views[value] = inherited or self.alloc(value)
            if isinstance(op, ScatterOp) and self.takes_over(op, block):
                self.views[op.into] = self.views[op.res]
            if isinstance(op, JoinOp):
                copies[op] = []
                for k, direct in enumerate(direct_pieces(op, block, self.views)):
                    scale = [s for _, s in op.placement(k)]
                    offset = tuple(f.without(f.names) for f in op.offsets.data[k].data)
                    view = self.views[op.res].within(offset, scale)
                    if direct:
                        self.views[op.pieces[k]] = view
                    else:
                        copies[op].append((op.pieces[k], view))
        return copies

    # ---- scatters
    def takes_over(self, op: ScatterOp, block: Block) -> bool:
        """May what is updated be made where the result stands?"""
        free = in_block(op.into, block) and op.into not in self.views and not op.into.has_more_than_one_use()
        return free and self.views[op.res].buffer not in self.protected and not self.views[op.res].combine

    def base(self, op: ScatterOp) -> None:
        """Put what is updated where the result stands, unless it is there."""
        view = self.views[op.res]
        if op.into in self.views:
            own = self.views[op.into]
            if own == view or (own.buffer, view.buffer) in self.shared:
                return
        self.copy(op.into, view)

    # ---- versions
    def if_(self, op: IfOp) -> None:
        operands = [self.dim(op.extent.data), self.number(op.threshold)]
        condition = self.emit(
            arith.CmpiOp.create(operands=operands, result_types=[i1], properties={"predicate": NOT_LESS})
        )
        blocks = [Block(), Block()]
        for block, region in zip(blocks, (op.then, op.other)):
            with self.inside(block, home=True):
                self.body(region.block, [self.views[r] for r in op.results], {})
                self.add(scf.YieldOp.create())
        self.location = op.location
        self.add(scf.IfOp.create(operands=[condition], regions=[Region(b) for b in blocks]))

    # ---- loops
    def for_(self, op: ForOp, carried: Carried) -> None:
        yielded = op.terminator.operands
        targets: list[View | None] = [None] * len(yielded)
        sums: dict[int, SSAValue] = {}
        """Results in registers, and their first value."""
        states: dict[int, tuple[View, View]] = {}
        """Carried results in memory: the current value's view, and the next one's."""
        arguments = iter(zip(op.body.block.args, op.inits))
        for k, (result, target) in enumerate(zip(op.results, (t.data for t in op.targets.data))):
            element = element_of(result)
            if target.mode == CARRY:
                argument, init = next(arguments)
                if carried_in_registers(op, k) and not self.host:
                    sums[k] = self.whole(init)
                else:
                    states[k] = self.views[result], self.alloc(result)
                    self.copy(init, states[k][0])
                    self.views[argument], targets[k] = states[k]
            elif target.mode and is_vector(result) and not self.host:
                none = self.number(identity(target.mode, element), vector_of(element, register_axes(result)))
                sums[k] = carried.get(result, none)
            elif target.mode:
                view = self.views[result]
                if not view.combine:
                    self.fill(view, shape(result), identity(target.mode, element), element)
                targets[k] = view._replace(combine=target.mode)
            else:
                view = self.views[result]
                stream = view._replace(stream=view.stream or target.stream)
                targets[k] = stream.within(target.access)
        through = self.passed_on(op, list(sums))

        def build(values: list[SSAValue]) -> list[SSAValue]:
            self.enter(op, dict(zip(sums, values)))
            inner = {yielded[k]: v for k, v in zip(sums, values) if k in through}
            self.body(op.body.block, targets, inner)
            self.location = op.location
            for k, (current, following) in states.items():
                self.move(following, current, op.results[k])
            return [self.next_value(op, k, value, k in through) for k, value in zip(sums, values)]

        inits = list(sums.values())
        if self.launch is not None and op.kind.data:
            out = self.shared_loop(op, build)
        elif self.launch is not None and not self.launch.alone and stages_of(op) > 1 and op.bound is None:
            out = pipelined(self, op, inits, build)
        else:
            parallel = op.kind.data == "parallel" and not any(t.data.mode for t in op.targets.data)
            bound, start = op.while_positive, self.first_trip(op, build)
            out = self.loop(op.axis.data, op.extent.data, inits, build, op.stride, op.clamped, parallel, bound, start)
        self.location = op.location
        for k, value in zip(sums, out):
            result = op.results[k]
            value.name_hint = value.name_hint or result.name_hint
            self.vectors[result] = value
            if result in self.views:
                self.copy(result, self.views[result])

    def left_to_loop(self, op: StageOp) -> bool:
        """Is it a copy that the first trip of a loop will make? Its source must not be overwritten meanwhile."""
        loop = filled_by(op) if self.launch is None and not self.host else None
        if loop is None or any(self.views[op.ins[0]].buffer is b for b, _ in self.shared):
            return False
        self.waiting[op.results[0]] = loop
        return True

    def first_trip(self, op: ForOp, build: Callable[[list[SSAValue]], list[SSAValue]]) -> int:
        """Emit the trip that makes the copies that a loop's other trips read; returns where these begin."""
        self.filling = {value for value, loop in self.waiting.items() if loop is op}
        if not self.filling:
            return 0
        views, vectors = dict(self.views), dict(self.vectors)
        self.axis[op.axis.data] = None
        build([])
        self.views, self.vectors, self.filling = views, vectors, set()
        return op.stride

    def shared_loop(self, op: ForOp, body: Callable[[list[SSAValue]], list[SSAValue]]) -> list[SSAValue]:
        """A loop whose iterations are the grid's, which the launch has bound, or those of the block's threads."""
        launch = self.launch
        assert launch is not None
        if any(t.data.mode for t in op.targets.data):
            found = next(t.data.mode for t in op.targets.data if t.data.mode)
            message = f"lower-loop: loop {op.axis.data}: expected results that {op.kind.data}s place, found {found}"
            raise CompileError(message, op.location)
        if op.kind.data == "thread" and not launch.alone:
            field = field_of(op)
            self.share([field])
            self.step_of(op)
            conditions = self.owner([field])
            launch.alone = True
            self.guarded(conditions, lambda: body([]).clear(), home=True)
            launch.alone = False
            return []
        if op.axis.data not in launch.grid:
            expected = "expected blocks outside of everything that they share, and threads in blocks"
            message = f"lower-loop: loop {op.axis.data}: {expected}, found a {op.kind.data} loop inside"
            raise CompileError(message, op.location)
        return body([])

    def passed_on(self, op: ForOp, sums: Sequence[int]) -> list[int]:
        """The combined results whose producer may go on from the loop's value: made here, and read by nobody else."""
        through: list[int] = []
        for k in sums:
            value, mode = op.terminator.operands[k], op.target(k).mode
            alone = in_block(value, op.body.block) and not value.has_more_than_one_use()
            producer = value.owner
            if mode != CARRY and alone and isinstance(producer, StageOp | ForOp):
                own = producer.target(producer.results.index(value)).mode
                if own == mode:
                    through.append(k)
        return through

    def enter(self, op: ForOp, values: Mapping[int, SSAValue]) -> None:
        """Bind the body's arguments that are carried in registers."""
        carry = [k for k, t in enumerate(op.targets.data) if t.data.mode == CARRY]
        for k, argument in zip(carry, op.body.block.args):
            if k in values:
                self.vectors[argument] = values[k]

    def next_value(self, op: ForOp, k: int, before: SSAValue, passed: bool) -> SSAValue:
        """What a result in registers is after an iteration."""
        made, mode = self.vectors[op.terminator.operands[k]], op.target(k).mode
        if mode == CARRY or passed:
            return made
        return self.emit(with_contract(combine(mode, before, made)))
