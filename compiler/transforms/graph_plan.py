"""graph-plan: a place for every result of a kernel.

    func.func @main(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
      %0 = graph.launch @exp(%x) : ...
      %1 = graph.launch @sum(%0) : ...
      %2 = nd.transpose %1 "a b -> b a"
      func.return %2
becomes
    func.func @main(%x: tensor<4x8xf32>) -> tensor<8x4xf32> attributes {
        graph.arena = #graph.size<128>, graph.results = [#graph.view<result 0, 0, [1, 8]>]} {
      %0 = graph.launch @exp(%x) {graph.places = [#graph.place<arena 0, 128>]} : ...
      %1 = graph.launch @sum(%0) {graph.places = [#graph.place<result 0, 128>]} : ...

What is returned, be it as a view, has a buffer of its own or that of a donated argument of its type. Everything else is
in one arena, where buffers share memory if one is dead before the other is made. A result takes over the buffer of an
argument of its kernel where that dies there and `replaceable` finds that each element is read only for the one that
replaces it; the kernel's argument is marked `mlc.inplace = <result>`. All other buffers of a launch are apart, which
`llvm.noalias` on the kernel's arguments and results says.

Blocks of regions are planned with the program, in the same arena (`plan_lifetimes`, `plan_buffers`):

    %r, %s = nd.scan 8 carry (%c = %x) -> (tensor<4xf32>, tensor<8x4xf32>) {
      %0 = graph.launch @product(%c) : ...
      nd.yield %0, %0
    }
becomes
    %x_1 = graph.copy %x {graph.places = [#graph.place<arena 0, 16>]}
    %r, %s = nd.scan 8 carry (%c = %x_1) -> (..) attributes {graph.trip = "trip$0", graph.places = [
        #graph.place<arena 64*trip$0 - 128*(trip$0 floordiv 2), 16>, #graph.place<result 0, 128>]} {
      %0 = graph.launch @product(%c) {graph.places = [#graph.place<arena .. (trip$0 + 1) .., 16>]}
      %1 = graph.copy %0 {graph.places = [#graph.place<result 0 at 16*trip$0, 16>]}
      nd.yield %0, %1
    }

A carried value that cannot be overwritten by the next one has two places, which swap; counters of loops are symbols.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.graph.ops import (
    ARENA,
    DONATED,
    INPLACE,
    PLACES,
    RESULTS,
    CopyOp,
    KernelOp,
    LaunchOp,
    PrepareOp,
    donated,
)
from ...dialects.graph.place import Place, PlaceAttr, SizeAttr, Strided, ViewAttr
from ...dialects.graph.regions import PREFIX, TRIP, is_loop, program_ops
from ...dialects.graph.views import view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.control import Control, Yield
from ...dialects.nd.dims import Dim
from ...dialects.nd.effects import EFFECTS
from ...dialects.nd.resource import ResourceOp
from ...dialects.nd.types import shape_of
from ...lowering.stages import replaceable
from .plan_arena import place
from .plan_buffers import Buffer, Regions, Span, bytes_of, whole
from .plan_lifetimes import Lifetimes, add_copies, base_of
from .rewriting import functions

NOALIAS = "llvm.noalias"


class Planner:
    """Plans one program."""

    def __init__(self, main: FuncOp, kernels: dict[str, FuncOp], pairs: dict[str, dict[int, set[int]]]) -> None:
        self.main, self.kernels = main, kernels
        self.block = main.body.block
        self.pairs = pairs
        """For each kernel: the results that share an argument's buffer."""
        number_loops(self.block)
        add_copies(self.block)
        self.times = Lifetimes(self.block)
        self.ops = list(program_ops(self.block))
        last = self.block.last_op
        assert isinstance(last, ReturnOp)
        self.last = last
        self.returned = [view_of(v) for v in last.operands]
        self.slots: dict[SSAValue, int] = {}
        """The first result of the program that each returned buffer is."""
        for k, view in enumerate(self.returned):
            if isinstance(view.base.owner, LaunchOp | CopyOp | Control):
                self.slots.setdefault(view.base, k)
        self.buffers: dict[SSAValue, Buffer] = {}
        self.arguments: dict[SSAValue, Buffer] = {}
        """Donated arguments whose buffer is free for a result."""
        self.paired: dict[SSAValue, SSAValue] = {}
        self.unpaired: list[SSAValue] = []
        self.safe: dict[str, dict[int, list[int]]] = {}
        self.regions = Regions(self.times, self.buffers, self.slots, self._inplace)

    def run(self) -> None:
        self._donations()
        self._pair()
        for value in self.slots:
            if isinstance(value.owner, CopyOp | Control):
                self._return_region(value)
        self.regions.assign(self.block)
        for op in self.ops:
            if isinstance(op, LaunchOp | CopyOp):
                for value in op.results:
                    if value not in self.buffers:
                        self._buffer(op, value)
        arena = self._arena()
        for op in self.ops:
            if isinstance(op, LaunchOp | CopyOp | Control):
                op.attributes[PLACES] = ArrayAttr([PlaceAttr(self._place(r)) for r in op.results])
        self._drop_copies()
        self.main.attributes[RESULTS] = ArrayAttr([ViewAttr(self._view(v)) for v in self.last.operands])
        self.main.attributes[ARENA] = SizeAttr(arena)

    def _donations(self) -> None:
        kept = {v.base for v in self.returned}
        for k in donated(self.main):
            if not 0 <= k < len(self.block.args):
                raise CompileError(
                    f"graph-plan: expected numbers of arguments from 0 to {len(self.block.args) - 1} in {DONATED}, "
                    f"found {k}",
                    self.main.location,
                )
            arg = self.block.args[k]
            if arg not in kept and view_of(arg).rows(shape_of(arg.type)):
                size, last = bytes_of(arg), self.times.last(arg, -1)
                self.arguments[arg] = Buffer(size, -1, last, [Span(-1, last, arg)], Place("argument", k, size))

    def _pair(self) -> None:
        """The n-th result of a type belongs into the n-th donated argument of that type: new parameters into old."""
        free = list(self.arguments)
        for view in self.returned:
            base = view.base
            if base in self.slots and base not in self.paired:
                arg = next((a for a in free if a.type == base.type), None)
                if arg is not None:
                    free.remove(arg)
                    self.paired[base] = arg
        self.unpaired = free

    def _donors(self, value: SSAValue) -> list[SSAValue]:
        """The donated arguments whose buffer a result may have, the best first."""
        mine = self.paired.get(value)
        found = [a for a in [*([] if mine is None else [mine]), *self.unpaired] if a in self.arguments]
        return [a for a in found if a.type == value.type]

    def _result(self, value: SSAValue, first: int) -> Buffer:
        size = bytes_of(value)
        return Buffer(size, first, self.times.count, place=Place("result", self.slots[value], size))

    def _return_region(self, value: SSAValue) -> None:
        """The buffer of a returned value that regions make."""
        for arg in self._donors(value):
            if self.regions.fits(value, self.arguments[arg]):
                buffer = self.arguments.pop(arg)
                break
        else:
            buffer = self._result(value, self.times.count)
        self.regions.give(value, buffer)
        buffer.cover(self.times.count, self.times.count)

    def _buffer(self, op: LaunchOp | CopyOp, value: SSAValue) -> None:
        """Take over an argument's buffer, or start a new one."""
        at = self.times.at[op]
        last = self.times.last(value, at)
        if value in self.slots:
            for arg in self._donors(value):
                buffer = self.arguments[arg]
                if buffer.last < at or self._dies(op, value, arg):
                    del self.arguments[arg]
                    break
            else:
                buffer = self._result(value, at)
            self.buffers[value] = buffer
            buffer.add(Span(at, self.times.count, value))
            return
        for v in op.operands:
            base = base_of(v)
            buffer = self.buffers.get(base)
            if buffer is None or buffer.fixed or buffer.last != at or buffer.latest() is not base:
                continue
            if buffer.bytes == bytes_of(value) and self._dies(op, value, base):
                break
        else:
            buffer = Buffer(bytes_of(value), at, last)
        self.buffers[value] = buffer
        buffer.add(Span(at, last, value))

    def _dies(self, op: LaunchOp | CopyOp, value: SSAValue, base: SSAValue) -> bool:
        """May a result overwrite what its op is the last to read?"""
        return self.times.last(base, -1) == self.times.at[op] and self.regions.in_place(value, base)

    def _inplace(self, op: LaunchOp, value: SSAValue, base: SSAValue) -> bool:
        """May a kernel's result overwrite a buffer that it reads, as one whole argument?"""
        k = op.results.index(value)  # pyright: ignore[reportArgumentType]
        read = [n for n, v in enumerate(op.args) if base_of(v) is base]
        if len(read) != 1 or not whole(op.args[read[0]], base) or op.args[read[0]].type != base.type:
            return False
        taken = self.pairs.setdefault(op.kernel, {})
        if op.kernel not in self.safe:
            self.safe[op.kernel] = replaceable(self.kernels[op.kernel].body.block)
        if k not in self.safe[op.kernel].get(read[0], ()):
            return False
        if any(k in results for n, results in taken.items() if n != read[0]) or taken.get(read[0], {k}) != {k}:
            return False
        taken[read[0]] = {k}
        return True

    def _arena(self) -> Dim:
        """Places in the arena; its size."""
        roots = [b for op in self.ops for r in op.results if r in self.buffers for b in self.buffers[r].roots]
        return place([b for b in {id(b): b for b in roots}.values() if b.place is None])

    def _place(self, value: SSAValue) -> Place:
        return self.buffers[value].where()

    def _drop_copies(self) -> None:
        """Drop copies of what lies in their place already."""
        for op in self.ops:
            if isinstance(op, CopyOp) and whole(op.x, base := base_of(op.x)):
                home = base.owner
                if base in self.buffers:
                    same = self._place(base) == self._place(op.result)
                else:
                    argument = isinstance(base, BlockArgument) and home is self.block
                    same = argument and self._place(op.result)[:2] == ("argument", base.index)  # pyright: ignore
                if same:
                    op.result.replace_all_uses_with(op.x)
                    op.detach()
                    op.drop_all_references()

    def _view(self, value: SSAValue) -> Strided:
        base, offset, strides = view_of(value)
        match base:
            case BlockArgument():
                return Strided("argument", base.index, offset, strides)
            case _ if base in self.buffers:
                place = self._place(base)
                return Strided(place.base, place.number, offset, strides)
            case _:
                owner = base.owner
                assert isinstance(owner, Operation)
                raise CompileError(
                    "graph-plan: expected results of kernels, arguments or views of them to be returned, "
                    f"found {owner.name}; run graph-fuse and graph-outline first",
                    owner.location,
                )


def number_loops(block: Block) -> None:
    """Names for the counters of loops."""
    loops = [op for op in program_ops(block) if is_loop(op)]
    for k, op in enumerate(loops):
        op.attributes[TRIP] = StringAttr(f"{PREFIX}{k}")


def mark(kernel: FuncOp, shared: dict[int, set[int]]) -> None:
    """Say on a kernel which argument shares its buffer with which result, and that all others are apart."""
    count = len(kernel.body.block.args)
    old = kernel.arg_attrs.data if kernel.arg_attrs is not None else [DictionaryAttr({})] * count
    arguments: list[DictionaryAttr] = []
    for k in range(count):
        attributes: dict[str, Attribute] = dict(old[k].data)
        if k in shared:
            attributes[INPLACE] = IntegerAttr(min(shared[k]), i64)
        else:
            attributes[NOALIAS] = UnitAttr()
        arguments.append(DictionaryAttr(attributes))
    taken = {r for results in shared.values() for r in results}
    results = [
        DictionaryAttr({} if k in taken else {NOALIAS: UnitAttr()})
        for k in range(len(kernel.function_type.outputs.data))
    ]
    kernel.properties["arg_attrs"] = ArrayAttr(arguments)
    kernel.properties["res_attrs"] = ArrayAttr(results)


def is_planned(f: FuncOp) -> bool:
    """A program of launches, views and constants, and of regions and effects with such in them."""
    private = f.sym_visibility is not None and f.sym_visibility.data == "private"
    return not private and all(
        isinstance(op, PLANNED) or (len(op.results) == 1 and view_of(op.results[0]).base is not op.results[0])
        for op in program_ops(f.body.block)
    )


PLANNED = (LaunchOp, CopyOp, PrepareOp, ReturnOp, Constant, ResourceOp, Control, Yield, *EFFECTS)


@dataclass(frozen=True)
class GraphPlan(ModulePass):
    """Place every kernel's results."""

    name = "graph-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = {f.sym_name.data: f for f in functions(op)}
        pairs: dict[str, dict[int, set[int]]] = {}
        launched: dict[str, None] = {}
        for f in found.values():
            for inner in program_ops(f.body.block):
                if isinstance(inner, KernelOp):
                    raise CompileError(
                        "graph-plan: expected launches, found a kernel; run graph-outline", inner.location
                    )
                if isinstance(inner, CallOp):
                    message = f"func.call: expected a program without calls, found one of {inner.callee}"
                    raise CompileError(f"{message}: write its ops in place of it", inner.location)
            if is_planned(f):
                planner = Planner(f, found, pairs)
                planner.run()
                launched.update(dict.fromkeys(op.kernel for op in planner.ops if isinstance(op, LaunchOp)))
        for name in launched:
            mark(found[name], pairs.get(name, {}))
