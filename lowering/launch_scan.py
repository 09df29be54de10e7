"""A loop that carries an associative combination, as launches over all of its iterations.

    %last, %y = loop.for i = n with (%c = %init) -> carry [0], [i] { loop.stage (%a = %c[0], %b = %x[i]) { %a + %b } }
becomes
    made[i] = %x[i], and at 0 combined with %init
    for d = 1, 2, 4, .. below n:  other[i] = made[i - d] + made[i], the first d as they are;  the buffers change places
    %y[i] = made[i]

Sums of floats are added in pairs of pairs, always the same ones. Lines are scanned beside each other. A size known at
run time has as many passes as any size needs; those beyond it have an empty grid.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import MemRefType, i1
from xdsl.ir import Operation, SSAValue

from ..dialects.loop.attributes import CARRY, THREADED
from ..dialects.loop.combiners import FLOAT, INTEGER
from ..dialects.loop.linear import Access
from ..dialects.loop.ops import ForOp, StageOp, element_of
from ..dialects.nd.dims import size
from .launch_elements import BELOW, elements
from .loop_body import BodyValues
from .loop_memory import memref_of

if TYPE_CHECKING:
    from .loop_control import Kernel

PAIRS = 16
"""Pairs of passes of a size known at run time: 4 ** 16 iterations."""

LEAST = 64
"""Iterations from which on passes pay."""

ASSOCIATIVE = (*FLOAT.values(), *INTEGER.values(), arith.XOrIOp)
NOT_LESS = 5


class Scan(NamedTuple):
    """A loop that can be scanned: its stage, the combination, and which of its operands is new."""

    stage: StageOp
    combination: Operation
    fresh: SSAValue
    carried: int
    """The result that is carried."""
    read: Access
    """Where the stage reads what is carried."""


def scan_of(loop: ForOp) -> Scan | None:
    """What a loop scans, if it does that and nothing else."""
    inside = list(loop.body.block.ops)
    stage = inside[0]
    plain = not loop.kind.data and loop.stride == 1 and not loop.clamped and len(loop.inits) == 1
    if not plain or len(inside) != 2 or not isinstance(stage, StageOp) or list(inside[1].operands) != [*stage.results]:
        return None
    if any(t.data.mode for t in stage.targets.data) or any(a.kind in ("vec", *THREADED) for a in stage.axes):
        return None
    modes = [t.data.mode for t in loop.targets.data]
    if sorted(modes) != ["", CARRY] and modes != [CARRY]:
        return None
    carried, argument = modes.index(CARRY), loop.body.block.args[0]
    reads = [k for k, (value, _) in enumerate(stage.reads()) if value is argument]
    if len(reads) != 1 or stage.whole(reads[0]) or element_of(argument) == i1:
        return None
    before, read = stage.body.block.args[reads[0]], stage.accesses.data[reads[0]].data
    users = [use.operation for use in before.uses]
    if len(users) != 1 or not isinstance(users[0], ASSOCIATIVE) or stage.target(carried).access != read:
        return None
    combination = users[0]
    if stage.terminator.operands[carried] is not combination.results[0]:
        return None
    fresh = combination.operands[1 if combination.operands[0] is before else 0]
    return Scan(stage, combination, fresh, carried, read)


class LaunchScan:
    """The lowering of one loop."""

    def __init__(self, kernel: Kernel, loop: ForOp, scan: Scan) -> None:
        self.kernel, self.loop, self.scan = kernel, loop, scan
        self.axes = [(a.name, a.extent) for a in scan.stage.axes]
        self.lines = size(extent for _, extent in self.axes)
        self.length = loop.extent.data
        dims = (self.lines, self.length)
        element = element_of(loop.inits[0])
        home = kernel.home[-1]
        self.buffers = [kernel.allocated(memref_of(dims, element), dims, home, kernel.location) for _ in range(2)]

    def run(self) -> None:
        elements(self.kernel, self.lines, self.length, self.first)
        of, reach = 0, 1
        if isinstance(self.length, int):
            while reach < self.length:
                self.step(of, self.kernel.number(reach))
                of, reach = 1 - of, 2 * reach
        else:
            self.run_time_passes()
        elements(self.kernel, self.lines, self.length, lambda row, k: self.last(of, row, k))

    def run_time_passes(self) -> None:
        """Pairs of passes, which end in the buffer where they begin."""
        kernel = self.kernel

        def pair(_: SSAValue, reaches: list[SSAValue]) -> list[SSAValue]:
            (reach,) = reaches
            below = kernel.compared(BELOW, reach, kernel.dim(self.length))
            twice = self.sum(reach, reach)
            self.step(0, reach, below)
            self.step(1, twice, below)
            return [self.sum(twice, twice)]

        one = kernel.number(1)
        kernel.counted(kernel.number(0), kernel.number(PAIRS), one, [one], pair)

    def sum(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.kernel.index_op(arith.AddiOp, a, b, head=False)

    # ---- launches
    def bind(self, row: SSAValue, k: SSAValue) -> BodyValues:
        """The stage's body at an iteration of a line."""
        kernel = self.kernel
        kernel.unravel(row, self.axes)
        kernel.bound_to(self.loop.axis.data, k)
        kernel.location = self.scan.stage.location
        return BodyValues(kernel, self.scan.stage, [])

    def first(self, row: SSAValue, k: SSAValue) -> None:
        """What an iteration adds; the first one adds it to what is carried into the loop."""
        kernel = self.kernel
        own = self.bind(row, k).at(self.scan.fresh, ())
        view = kernel.views[self.loop.inits[0]]
        begin = self.kernel.loaded(view.buffer, *(kernel.index(f) for f in view.at(self.scan.read)))
        leads = kernel.compared(0, k, kernel.number(0))
        self.store(self.select(leads, self.combined(begin, own), own), self.buffers[0], row, k)

    def step(self, of: int, reach: SSAValue, where: SSAValue | None = None) -> None:
        """Combine each iteration with the one that is so far in front of it."""
        kernel = self.kernel

        def one(row: SSAValue, k: SSAValue) -> None:
            reaches = kernel.compared(NOT_LESS, k, reach)
            back = self.select(reaches, reach, kernel.number(0))
            before = self.kernel.loaded(self.buffers[of], row, kernel.index_op(arith.SubiOp, k, back, head=False))
            own = self.kernel.loaded(self.buffers[of], row, k)
            self.store(self.select(reaches, self.combined(before, own), own), self.buffers[1 - of], row, k)

        elements(kernel, self.lines, self.length, one, where)

    def last(self, of: int, row: SSAValue, k: SSAValue) -> None:
        """What an iteration places, and what is carried out of the loop."""
        kernel, stage = self.kernel, self.scan.stage
        values = self.bind(row, k)
        total = self.kernel.loaded(self.buffers[of], row, k)
        values.found[self.scan.combination.results[0], ()] = total
        for number, result in enumerate(self.loop.results):
            view, target = kernel.views[result], self.loop.target(number)
            if number != self.scan.carried:
                at = [kernel.index(f) for f in view.within(target.access).at(stage.target(number).access)]
                self.store(values.at(stage.terminator.operands[number], ()), view.buffer, *at)
            elif result.first_use is not None:
                at = [view.buffer, *(kernel.index(f) for f in view.at(stage.target(number).access))]
                end = kernel.index_op(arith.SubiOp, kernel.dim(self.length), kernel.number(1))
                kernel.guarded([kernel.compared(0, k, end)], partial(self.store, total, *at))

    # ---- ops
    def combined(self, a: SSAValue, b: SSAValue) -> SSAValue:
        op = self.scan.combination
        kinds = [op.results[0].type]
        return self.kernel.emit(type(op).create(operands=[a, b], result_types=kinds, properties=dict(op.properties)))

    def select(self, p: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.kernel.emit(arith.SelectOp.create(operands=[p, a, b], result_types=[a.type]))

    def store(self, value: SSAValue, buffer: SSAValue, *at: SSAValue) -> None:
        kind = buffer.type
        assert isinstance(kind, MemRefType)
        if value.type == i1:
            value = self.kernel.emit(arith.ExtUIOp.create(operands=[value], result_types=[kind.element_type]))
        self.kernel.add(memref.StoreOp.create(operands=[value, buffer, *at], properties={}))


def launch_scan(kernel: Kernel, loop: ForOp) -> bool:
    """Lower a loop that scans; False: it does not."""
    scan = scan_of(loop)
    if scan is None or any(d == 0 for d in (loop.extent.data, *(a.extent for a in scan.stage.axes))):
        return False
    if isinstance(loop.extent.data, int) and loop.extent.data < LEAST:
        return False
    LaunchScan(kernel, loop, scan).run()
    kernel.location = loop.location
    return True
