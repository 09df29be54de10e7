"""loop.sort as loops over memory: runs by insertion, then merges of neighbouring runs, from one buffer to the other.

    keys <- a line;  sorted runs of RUN elements
    for p = 0 to passes / 2, width = RUN * 4 ** p
      merge keys -> other, runs of width;  merge other -> keys, runs of 2 * width
    the line <- keys (or the positions, which move with their keys)

A merge takes, for each place of its result, from the right run where the left one's element is strictly behind its own,
by selects: no branch depends on the data. Runs of one width are merged from both ends at once: two chains of loads and
comparisons instead of one. A pass over a single run copies it. Nothing is allocated but the four buffers.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    MemRefType,
    i1,
    i32,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue

from ..dialects.loop.combiners import NO_FLAGS
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import SortOp, element_of, shape
from ..dialects.nd.dims import Dim
from .loop_state import nest
from .storage import stored

if TYPE_CHECKING:
    from .loop_control import Kernel

RUN = 8
"""Elements of a run that is sorted by insertion."""

PASSES = 60
"""Of a size known at run time: as many as any size needs; those beyond the size do nothing."""

ORDERED, GREATER, LESS = 7, 9, 11
"""Of floats: both are numbers; greater, less, or not ordered."""

BELOW, NOT_MORE, ABOVE, NOT_LESS = 2, 3, 4, 5
"""Of integers with a sign; those without have the number 4 higher."""


class Sorting:
    """The lowering of one sort."""

    def __init__(self, kernel: Kernel, op: SortOp) -> None:
        self.kernel, self.op = kernel, op
        self.length: Dim = shape(op.x)[op.along]
        self.n = kernel.dim(self.length)
        self.given = stored(element_of(op.x))
        self.key = IntegerType(self.given.bitwidth) if isinstance(self.given, AnyFloat) else self.given
        kinds = [self.key] if op.positions is None else [self.key, i64]
        self.buffers = [[self.alloc(kind) for kind in kinds] for _ in range(2)]
        """Two of keys, and beside each one of positions."""

    def alloc(self, kind: Attribute) -> SSAValue:
        n = self.length
        static = isinstance(n, int)
        op = memref.AllocOp.create(
            operands=[] if static else [self.n],
            result_types=[MemRefType(kind, [n if isinstance(n, int) else DYNAMIC_INDEX])],
            properties={
                "alignment": IntegerAttr(64, i64),
                "operandSegmentSizes": DenseArrayBase.from_list(i32, [0 if static else 1, 0]),
            },
        )
        op.location = self.kernel.location
        launch = self.kernel.launch
        home = launch.host if launch is not None and launch.bits == 0 else self.kernel.home[-1]
        home.add_op(op)
        return op.results[0]

    # ---- scalars

    def op_(self, cls: type[Operation], a: SSAValue, b: SSAValue) -> SSAValue:
        return self.kernel.index_op(cls, a, b, head=False)

    def add(self, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.op_(arith.AddiOp, a, b)

    def number(self, n: int) -> SSAValue:
        return self.kernel.number(n)

    def test(self, predicate: int, a: SSAValue, b: SSAValue) -> SSAValue:
        """A comparison of integers or floats."""
        properties: dict[str, Attribute] = {"predicate": IntegerAttr(predicate, i64)}
        cls: type[Operation] = arith.CmpiOp
        if isinstance(a.type, AnyFloat):
            cls, properties["fastmath"] = arith.CmpfOp, NO_FLAGS
        return self.kernel.emit(cls.create(operands=[a, b], result_types=[i1], properties=properties))

    def both(self, cls: type[Operation], a: SSAValue, b: SSAValue) -> SSAValue:
        return self.kernel.emit(cls.create(operands=[a, b], result_types=[i1]))

    def select(self, p: SSAValue, a: SSAValue, b: SSAValue) -> SSAValue:
        return self.kernel.emit(arith.SelectOp.create(operands=[p, a, b], result_types=[a.type]))

    def made(self, cls: type[Operation], to: Attribute, *operands: SSAValue) -> SSAValue:
        return self.kernel.emit(cls.create(operands=operands, result_types=[to]))

    def after(self, x: SSAValue, y: SSAValue) -> SSAValue:
        """Is x strictly behind y? Of floats: y is a number, and x is NaN or on the wrong side of y."""
        down = self.op.descending is not None
        if self.given != self.key and self.op.positions is None:
            x, y = (self.made(arith.BitcastOp, self.given, v) for v in (x, y))
            beyond = self.test(LESS if down else GREATER, x, y)
            return self.both(arith.AndIOp, beyond, self.test(ORDERED, y, y))
        unsigned = self.op.unsigned is not None or element_of(self.op.x) == i1
        return self.test((BELOW if down else ABOVE) + 4 * unsigned, x, y)

    def key_of(self, x: SSAValue) -> SSAValue:
        """What is moved and compared: of floats the bits, since selects of floats would be branches.

        Where only positions are wanted, integers in the order of the floats: the bits with all but the sign turned of
        those below 0, +0 for -0, an end of the range for NaN.
        """
        if self.given == self.key:
            return x
        if self.op.positions is None:
            return self.made(arith.BitcastOp, self.key, x)
        assert isinstance(self.key, IntegerType)
        top = (1 << (self.key.width.data - 1)) - 1
        highest, zero, plus_zero = (
            self.kernel.number(n, k) for n, k in ((top, self.key), (0, self.key), (0.0, self.given))
        )
        plus = arith.AddfOp.create(
            operands=[x, plus_zero], result_types=[self.given], properties={"fastmath": NO_FLAGS}
        )
        bits = self.made(arith.BitcastOp, self.key, self.kernel.emit(plus))
        turned = self.made(arith.XOrIOp, self.key, bits, highest)
        key = self.select(self.test(BELOW, bits, zero), turned, bits)
        last = highest if self.op.descending is None else self.kernel.number(-top - 1, self.key)
        return self.select(self.test(ORDERED, x, x), key, last)

    # ---- memory

    def load(self, buffer: SSAValue, *at: SSAValue) -> SSAValue:
        return self.kernel.loaded(buffer, *at)

    def store(self, value: SSAValue, buffer: SSAValue, *at: SSAValue) -> None:
        self.kernel.add(memref.StoreOp.create(operands=[value, buffer, *at], properties={}))

    def loads(self, which: int, at: SSAValue) -> list[SSAValue]:
        """The key (and position) at a place of a buffer."""
        return [self.load(b, at) for b in self.buffers[which]]

    def stores(self, values: list[SSAValue], which: int, at: SSAValue) -> None:
        for value, buffer in zip(values, self.buffers[which]):
            self.store(value, buffer, at)

    def loop(
        self,
        low: SSAValue,
        high: SSAValue,
        step: SSAValue,
        values: list[SSAValue],
        body: Callable[[SSAValue, list[SSAValue]], list[SSAValue]],
    ) -> list[SSAValue]:
        return self.kernel.counted(low, high, step, values, body)

    # ---- the algorithm

    def line(self, names: dict[int, str]) -> None:
        """Sort one line."""
        kernel, op = self.kernel, self.op
        zero, one = self.number(0), self.number(1)
        source, result = kernel.views[op.x], kernel.views[op.res]

        def place(buffer: SSAValue, view_at: Access, i: SSAValue) -> list[SSAValue]:
            kernel.axis["_line"] = i
            at = [kernel.index(f) for f in view_at]
            kernel.axis.pop("_line")
            return [buffer, *at]

        access: Access = tuple(
            Linear.axis("_line") if k == op.along else Linear.axis(names[k]) for k in range(len(shape(op.x)))
        )

        def take(i: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
            x = self.load(*place(source.buffer, source.at(access), i))
            self.store(self.key_of(x), self.buffers[0][0], i)
            if op.positions is not None:
                whole = arith.IndexCastOp.create(operands=[i], result_types=[i64])
                self.store(kernel.emit(whole), self.buffers[0][1], i)
            return []

        def give(i: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
            value = self.load(self.buffers[0][-1], i)
            if op.positions is None and self.given != self.key:
                value = self.made(arith.BitcastOp, self.given, value)
            self.store(value, *place(result.buffer, result.at(access), i))
            return []

        self.loop(zero, self.n, one, [], take)
        self.runs()
        self.merges()
        self.loop(zero, self.n, one, [], give)

    def runs(self) -> None:
        """Insertion: an element moves down, changing places with every one that is strictly behind it."""
        zero, one, run = self.number(0), self.number(1), self.number(RUN)

        def sorted_run(low: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
            high = self.op_(arith.MinSIOp, self.add(low, run), self.n)

            def insert(at: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
                def down(s: SSAValue, moving: list[SSAValue]) -> list[SSAValue]:
                    above = self.op_(arith.SubiOp, at, s)
                    below = self.op_(arith.SubiOp, above, one)
                    there = self.loads(0, below)
                    behind = self.after(there[0], moving[0])
                    self.stores([self.select(behind, t, m) for t, m in zip(there, moving)], 0, above)
                    return [self.select(behind, m, t) for t, m in zip(there, moving)]

                last = self.loop(zero, self.op_(arith.SubiOp, at, low), one, self.loads(0, at), down)
                self.stores(last, 0, low)
                return []

            self.loop(self.add(low, one), high, one, [], insert)
            return []

        self.loop(zero, self.n, run, [], sorted_run)

    def merges(self) -> None:
        """Pairs of passes, each of runs twice as wide as the one before."""
        n, passes = self.length, 0
        if isinstance(n, int):
            while RUN << passes < n:
                passes += 1
        else:
            passes = PASSES
        if not passes:
            return

        def pair(_: SSAValue, widths: list[SSAValue]) -> list[SSAValue]:
            (width,) = widths
            twice, four = self.add(width, width), self.number(4)
            # nothing to do where there is one run already
            end = self.n if isinstance(n, int) else self.select(self.test(BELOW, width, self.n), self.n, self.number(0))
            self.merge_all(0, 1, width, twice, end)
            self.merge_all(1, 0, twice, self.add(twice, twice), end)
            return [self.op_(arith.MuliOp, width, four)] if isinstance(n, int) else [self.wider(width, four)]

        self.loop(self.number(0), self.number(-(-passes // 2)), self.number(1), [self.number(RUN)], pair)

    def wider(self, width: SSAValue, four: SSAValue) -> SSAValue:
        """Four times the width, unless that is beyond the size: it stays there."""
        return self.select(self.test(BELOW, width, self.n), self.op_(arith.MuliOp, width, four), width)

    def merge_all(self, of: int, to: int, width: SSAValue, twice: SSAValue, end: SSAValue) -> None:
        """One pass: pairs of whole runs from both ends, what is left at the end by the general way."""

        def merge(low: SSAValue, _: list[SSAValue]) -> list[SSAValue]:
            beyond = self.add(low, twice)
            whole = self.test(NOT_MORE, beyond, self.n)
            middle = self.op_(arith.MinSIOp, self.add(low, width), self.n)
            high = self.op_(arith.MinSIOp, beyond, self.n)
            self.merge_whole(of, to, low, middle, high, self.select(whole, width, self.number(0)))
            self.merge_rest(of, to, self.select(whole, high, low), middle, high)
            return []

        self.loop(self.number(0), end, twice, [], merge)

    def merge_whole(self, of: int, to: int, low: SSAValue, middle: SSAValue, high: SSAValue, width: SSAValue) -> None:
        """Two runs of a width: so many of the first elements in order, and so many of the last, at the same time.

        Neither side can leave a run before its last step, so that nothing is tested but the order.
        """
        zero, one = self.number(0), self.number(1)
        left_end, end = self.op_(arith.SubiOp, middle, one), self.op_(arith.SubiOp, high, one)

        def step(s: SSAValue, taken: list[SSAValue]) -> list[SSAValue]:
            right, left = taken  # from the front of the right run, from the back of the left run
            first = self.add(low, s)
            x, y = self.loads(of, self.op_(arith.SubiOp, first, right)), self.loads(of, self.add(middle, right))
            later = self.after(x[0], y[0])
            self.stores([self.select(later, b, a) for a, b in zip(x, y)], to, first)
            last = self.op_(arith.SubiOp, end, s)
            x, y = self.loads(of, self.op_(arith.SubiOp, left_end, left)), self.loads(of, self.add(last, left))
            behind = self.after(x[0], y[0])
            self.stores([self.select(behind, a, b) for a, b in zip(x, y)], to, last)
            return [self.select(later, self.add(right, one), right), self.select(behind, self.add(left, one), left)]

        self.loop(zero, width, one, [zero, zero], step)

    def merge_rest(self, of: int, to: int, low: SSAValue, middle: SSAValue, high: SSAValue) -> None:
        """Two runs of any lengths."""
        one = self.number(1)
        last = self.op_(arith.SubiOp, self.n, one)

        def step(k: SSAValue, taken: list[SSAValue]) -> list[SSAValue]:
            (j,) = taken  # of the right run; of the left all others
            i = self.op_(arith.SubiOp, self.add(k, middle), j)
            left, right = self.op_(arith.MinSIOp, i, last), self.op_(arith.MinSIOp, j, last)
            x, y = self.loads(of, left), self.loads(of, right)
            wanted = self.both(arith.OrIOp, self.test(NOT_LESS, i, middle), self.after(x[0], y[0]))
            takes = self.both(arith.AndIOp, wanted, self.test(BELOW, j, high))
            self.stores([self.select(takes, b, a) for a, b in zip(x, y)], to, k)
            return [self.select(takes, self.add(j, one), j)]

        self.loop(low, high, one, [middle], step)


def sort(kernel: Kernel, op: SortOp) -> None:
    """Line by line."""
    dims = shape(op.x)
    if 0 in dims:
        return
    sorting = Sorting(kernel, op)
    names = {k: f"_{k}" for k in range(len(dims)) if k != op.along}

    def body(_: list[SSAValue]) -> list[SSAValue]:
        sorting.line(names)
        return []

    nest(kernel, [(n, dims[k]) for k, n in names.items()], [], body)
