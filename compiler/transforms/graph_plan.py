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
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, DictionaryAttr, IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.graph.ops import ARENA, DONATED, INPLACE, PLACES, RESULTS, KernelOp, LaunchOp
from ...dialects.graph.place import Place, PlaceAttr, SizeAttr, Strided, ViewAttr
from ...dialects.graph.views import view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.resource import ResourceOp
from ...dialects.nd.types import NUMPY, element, shape_of
from ...lowering.stages import replaceable
from .rewriting import functions

ALIGNMENT = 64
NOALIAS = "llvm.noalias"


def bytes_of(value: SSAValue) -> Dim:
    return size(shape_of(value.type)) * NUMPY[element(value.type)].itemsize


@dataclass
class Buffer:
    """Memory that values take in turn; `first` and `last` are the launches between which it is in use."""

    bytes: Dim
    first: int
    last: int
    values: list[SSAValue] = field(default_factory=list[SSAValue])
    place: tuple[str, Dim] | None = None


class Planner:
    """Plans one program."""

    def __init__(self, main: FuncOp, kernels: dict[str, FuncOp]) -> None:
        self.main, self.kernels = main, kernels
        self.block = main.body.block
        self.launches = [op for op in self.block.ops if isinstance(op, LaunchOp)]
        self.number = {op: k for k, op in enumerate(self.launches)}
        last = self.block.last_op
        assert isinstance(last, ReturnOp)
        self.returned = [view_of(v) for v in last.operands]
        self.last_use: dict[SSAValue, int] = {}
        for op in self.launches:
            for v in op.args:
                self.last_use[view_of(v).base] = self.number[op]
        self.buffers: dict[SSAValue, Buffer] = {}
        self.arguments: dict[SSAValue, Buffer] = {}
        """Donated arguments whose buffer is free for a result."""
        self.paired: dict[SSAValue, SSAValue] = {}
        self.unpaired: list[SSAValue] = []
        self.pairs: dict[str, dict[int, set[int]]] = {}
        """For each kernel: the results that share an argument's buffer."""
        self.safe: dict[str, dict[int, list[int]]] = {}

    def run(self) -> None:
        self._donations()
        self._pair()
        slots = self._results()
        for op in self.launches:
            for k, value in enumerate(op.results):
                self._buffer(op, k, value, slots)
        arena = self._arena()
        for op in self.launches:
            op.attributes[PLACES] = ArrayAttr([PlaceAttr(self._place(r)) for r in op.results])
        self.main.attributes[RESULTS] = ArrayAttr([ViewAttr(self._view(k)) for k in range(len(self.returned))])
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
                last = self.last_use.get(arg, -1)
                self.arguments[arg] = Buffer(bytes_of(arg), -1, last, [arg], ("argument", k))

    def _pair(self) -> None:
        """The n-th result of a type belongs into the n-th donated argument of that type: new parameters into old."""
        free = list(self.arguments)
        for view in self.returned:
            base = view.base
            if isinstance(base.owner, LaunchOp) and base not in self.paired:
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

    def _results(self) -> dict[SSAValue, int]:
        """The first result of the program that each returned buffer is."""
        slots: dict[SSAValue, int] = {}
        for k, view in enumerate(self.returned):
            if isinstance(view.base.owner, LaunchOp):
                slots.setdefault(view.base, k)
        return slots

    def _buffer(self, op: LaunchOp, k: int, value: SSAValue, slots: dict[SSAValue, int]) -> None:
        """Take over an argument's buffer, or start a new one."""
        at = self.number[op]
        if value in slots:
            for arg in self._donors(value):
                buffer = self.arguments[arg]
                if buffer.last < at or self._inplace(op, k, arg):
                    del self.arguments[arg]
                    self.buffers[value] = buffer
                    buffer.last = len(self.launches)
                    return
            self.buffers[value] = Buffer(bytes_of(value), at, len(self.launches), [value], ("result", slots[value]))
            return
        last = max(self.last_use.get(value, at), at)
        for v in op.args:
            base = view_of(v).base
            buffer = self.buffers.get(base)
            if buffer is None or buffer.place is not None or buffer.last != at or buffer.values[-1] is not base:
                continue
            if buffer.bytes == bytes_of(value) and self._inplace(op, k, base):
                buffer.values.append(value)
                buffer.last = last
                self.buffers[value] = buffer
                return
        self.buffers[value] = Buffer(bytes_of(value), at, last, [value])

    def _inplace(self, op: LaunchOp, k: int, base: SSAValue) -> bool:
        """May result `k` overwrite the buffer that the launch reads, for the last time, as one whole argument?"""
        if self.last_use.get(base) != self.number[op]:
            return False
        read = [n for n, v in enumerate(op.args) if view_of(v).base is base]
        if len(read) != 1 or op.args[read[0]] is not base:
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
        """Offsets in the arena; returns its size. Known sizes first, the largest first, as low as possible."""
        buffers = list(dict.fromkeys(map(id, self.buffers.values())))
        known = {id(b): b for b in self.buffers.values()}
        open_ = [b for b in (known[i] for i in buffers) if b.place is None]
        placed: list[tuple[int, int, Buffer]] = []
        for b in sorted((b for b in open_ if isinstance(b.bytes, int)), key=lambda b: (-_int(b.bytes), b.first)):
            start = 0
            for low, high, other in sorted(placed, key=lambda p: p[0]):
                if other.first <= b.last and b.first <= other.last and low < start + _int(b.bytes) and start < high:
                    start = -(-high // ALIGNMENT) * ALIGNMENT
            b.place = ("arena", start)
            placed.append((start, start + _int(b.bytes), b))
        end: Dim = -(-max((high for _, high, _ in placed), default=0) // ALIGNMENT) * ALIGNMENT
        slots: list[tuple[Dim, list[Buffer]]] = []
        for b in open_:
            if isinstance(b.bytes, int):
                continue
            for start, users in slots:
                if users[0].bytes == b.bytes and all(u.last < b.first or b.last < u.first for u in users):
                    b.place = ("arena", start)
                    users.append(b)
                    break
            else:
                b.place = ("arena", end)
                slots.append((end, [b]))
                end = aligned(end + b.bytes)
        return end

    def _place(self, value: SSAValue) -> Place:
        place = self.buffers[value].place
        assert place is not None
        return Place(*place, bytes_of(value))

    def _view(self, k: int) -> Strided:
        base, offset, strides = self.returned[k]
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


def _int(d: Dim) -> int:
    assert isinstance(d, int)
    return d


def aligned(d: Dim) -> Dim:
    return (d + (ALIGNMENT - 1)) // ALIGNMENT * ALIGNMENT


def donated(main: FuncOp) -> list[int]:
    """The arguments that the program may overwrite."""
    found = main.attributes.get(DONATED)
    if isinstance(found, DenseArrayBase):
        return [int(v) for v in found.get_values()]
    return [a.value.data for a in found.data if isinstance(a, IntegerAttr)] if isinstance(found, ArrayAttr) else []


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
    """A program of launches, views and constants."""
    private = f.sym_visibility is not None and f.sym_visibility.data == "private"
    return not private and all(
        isinstance(op, LaunchOp | ReturnOp | Constant | ResourceOp)
        or (len(op.results) == 1 and view_of(op.results[0]).base is not op.results[0])
        for op in f.body.block.ops
    )


@dataclass(frozen=True)
class GraphPlan(ModulePass):
    """Place every kernel's results."""

    name = "graph-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = {f.sym_name.data: f for f in functions(op)}
        pairs: dict[str, dict[int, set[int]]] = {}
        launched: dict[str, None] = {}
        for f in found.values():
            for inner in f.body.block.ops:
                if isinstance(inner, KernelOp):
                    raise CompileError(
                        "graph-plan: expected launches, found a kernel; run graph-outline", inner.location
                    )
                if isinstance(inner, CallOp):
                    message = f"func.call: expected a program without calls, found one of {inner.callee}"
                    raise CompileError(f"{message}: write its ops in place of it", inner.location)
            if is_planned(f):
                planner = Planner(f, found)
                planner.pairs = pairs
                planner.run()
                launched.update(dict.fromkeys(launch.kernel for launch in planner.launches))
        for name in launched:
            mark(found[name], pairs.get(name, {}))
