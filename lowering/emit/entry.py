"""The planned program -> its native entry (see the program ABI in runtime/abi.py) and the description of its interface.

    func.func @main(%x: tensor<?x64xf32, #nd.sym<b>>) -> ... {
      %0 = graph.launch @softmax(%x) {graph.places = [#graph.place<result 0, 256*b>]} : ...
      func.return %0
    }
        becomes
    define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {
      ...
      call void @"mlc.softmax"(ptr %b0, i64 %b, ptr %b1, i64 %b, ptr %arena)
      ret i32 0
    }

Views are pointers with an offset; sizes, strides and offsets over symbols are computed from `sizes`. The arena starts
with the workspace that the kernels share, one after the other.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, OpResult, SSAValue

from ...dialects.errors import CompileError
from ...dialects.graph.ops import ARENA, DONATED, RESULTS, LaunchOp
from ...dialects.graph.place import Place, SizeAttr, Strided, ViewAttr, row_major
from ...dialects.graph.views import View, is_view, layout_of, view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dims import Dim, FloorDiv, Sym, size
from ...dialects.nd.resource import ResourceOp, data_of
from ...dialects.nd.types import shape_of
from .kernel import KernelCode, emit_kernel
from .table import Types, prepare
from .text import Writer

ENTRY = "mlc_entry"
CALL = "mlc_call"
DATA_FIELD, FLAGS_FIELD, WRITEABLE = 16, 64, 0x400
"""Where a NumPy array object holds its data pointer and its flags, and one of these: part of NumPy's C ABI."""
ALIGNMENT = 64
POLL_FIELD = 40
"""Where `mlc_context` holds `poll`: see runtime/abi.py."""
POLL_WORK = 100_000_000
"""Picoseconds between two looks for signals."""
INTERRUPTED = -2
POLL = f"""\
define internal i32 @mlc.poll(ptr %context) nounwind {{
  %none = icmp eq ptr %context, null
  br i1 %none, label %go, label %given
given:
  %at = getelementptr i8, ptr %context, i64 {POLL_FIELD}
  %poll = load ptr, ptr %at
  %nobody = icmp eq ptr %poll, null
  br i1 %nobody, label %go, label %ask
ask:
  %stop = call i32 %poll(ptr %context)
  ret i32 %stop
go:
  ret i32 0
}}
"""
BYTES = {"f64": 8, "f32": 4, "i64": 8, "i32": 4, "i1": 1}


class ProgramCode(NamedTuple):
    """What the run time needs: texts to compile, the interface as JSON, the constants: bytes, or a resource's array."""

    kernels: tuple[KernelCode, ...]
    entry: str
    interface: dict[str, Any]
    constants: tuple[bytes | np.ndarray[Any, Any], ...]


def emit_program(
    main: FuncOp,
    kernels: Mapping[str, FuncOp],
    vector_bytes: int = 64,
    work: Mapping[str, Dim] | None = None,
    total: Dim = 0,
) -> ProgramCode:
    """`kernels`: the lowered functions that the program launches, by name. `work`, `total`: picoseconds of a launch of
    each, and of the program; 0 is not known."""
    launches = [op for op in main.body.block.ops if isinstance(op, LaunchOp)]
    used = list(dict.fromkeys(op.kernel for op in launches))
    unaligned = {name for op in launches for name in [op.kernel] if not _arena_aligned(op)}
    codes = {name: emit_kernel(kernels[name], vector_bytes, stream=name not in unaligned) for name in used}
    entry = _Entry(main, codes, work or {}, total)
    for op in main.body.block.ops:
        if isinstance(op, LaunchOp):
            entry.launch(op)
    return ProgramCode(tuple(codes.values()), entry.text(), entry.interface(), tuple(entry.constants.values()))


def _arena_aligned(op: LaunchOp) -> bool:
    """Are all places in the arena multiples of 64 bytes, whatever the symbols?"""
    offsets = [p.data.number for p in op.places or [] if p.data.base == "arena"]
    return all(k % ALIGNMENT == 0 for offset in offsets for _, k in _terms(offset))


def _terms(dim: Dim) -> Sequence[tuple[Any, int]]:
    return dim.terms if isinstance(dim, Sym) else (((), dim),)


def size_json(dim: Dim) -> int | list[Any]:
    """[[coefficient, [atom, ...]], ...]; an atom is a symbol or [size, divisor]."""
    if isinstance(dim, int):
        return dim
    return [[k, [_atom_json(a) for a in monomial]] for monomial, k in dim.terms]


def _atom_json(atom: str | FloorDiv) -> Any:
    return atom if isinstance(atom, str) else [size_json(atom.num), atom.den]


def dtype_of(value: SSAValue) -> str:
    assert isinstance(value.type, TensorType)
    return str(value.type.element_type)


class _Entry(Writer):
    def __init__(self, main: FuncOp, kernels: Mapping[str, KernelCode], work: Mapping[str, Dim], total: Dim) -> None:
        super().__init__()
        self.work, self.total = work, total
        self.since: Dim = 0
        """Picoseconds since the last look for signals."""
        self.polls = 0
        self.main, self.kernels = main, kernels
        self.arguments = main.body.block.args
        self.symbols = _symbols(self.arguments)
        self.constants: dict[SSAValue, bytes | np.ndarray[Any, Any]] = {}
        self.workspace = max((-(-k.workspace_bytes // ALIGNMENT) * ALIGNMENT for k in kernels.values()), default=0)
        for op in main.body.block.ops:
            if isinstance(op, Constant) and not is_view(op):
                self.constants[op.results[0]] = _bytes(op)
            elif isinstance(op, ResourceOp):
                self.constants[op.results[0]] = data_of(op)
        self.constant_order = list(self.constants)
        launches = [op for op in main.body.block.ops if isinstance(op, LaunchOp)]
        places = [p.data for op in launches for p in op.places or []]
        numbers = sorted({p.number for p in places if p.base == "result" and isinstance(p.number, int)})
        self.slots: dict[Dim, int] = {number: k for k, number in enumerate(numbers)}
        self.slot_bytes: dict[Dim, Dim] = {p.number: p.bytes for p in places if p.base == "result"}
        self.aligned: set[tuple[str, Dim]] = set()

    # ---- numbers and pointers
    def number(self, dim: Dim) -> str:
        """A size as text: a literal, or computed once."""
        if isinstance(dim, int):
            return str(dim)

        def make() -> str:
            total = ""
            for monomial, k in dim.terms:
                term = str(k) if k != 1 or not monomial else ""
                for atom in monomial:
                    factor = self.atom(atom)
                    term = self.op(f"mul i64 {term}, {factor}") if term else factor
                total = self.op(f"add i64 {total}, {term}") if total else term
            return total

        return self.once(("size", dim), make)

    def atom(self, atom: str | FloorDiv) -> str:
        if isinstance(atom, FloorDiv):
            row = prepare("arith.floordivsi", Types("i64", "i64", "i64", 0, 0))
            operands = [self.number(atom.num), str(atom.den)]
            return self.once(("div", atom), lambda: self.instructions(row.lines, operands))
        position = self.symbols.index(atom)
        return self.once(("symbol", atom), lambda: self.loaded("i64", "%sizes", position))

    def instructions(self, lines: Sequence[str], operands: list[str]) -> str:
        for line in lines:
            operands.append(self.op(line.format(*operands)))
        return operands[-1]

    def loaded(self, kind: str, base: str, position: int) -> str:
        at = self.op(f"getelementptr {kind}, ptr {base}, i64 {position}") if position else base
        return self.op(f"load {kind}, ptr {at}")

    def buffer(self, position: int) -> str:
        return self.once(("buffer", position), lambda: self.loaded("ptr", "%buffers", position))

    def place(self, place: Place) -> str:
        match place.base:
            case "arena":
                return self.moved("%arena", place.number + self.workspace, 1)
            case "result":
                return self.buffer(len(self.arguments) + len(self.constants) + self.slots[place.number])
            case _:
                assert isinstance(place.number, int)
                return self.buffer(place.number)

    def moved(self, pointer: str, offset: Dim, width: int) -> str:
        total = offset * width
        if total == 0:
            return pointer
        text = self.number(total)
        return self.once(("moved", pointer, text), lambda: self.op(f"getelementptr i8, ptr {pointer}, i64 {text}"))

    def base(self, value: SSAValue) -> str:
        """The pointer to the buffer of a value that is no view."""
        if isinstance(value, BlockArgument):
            return self.buffer(value.index)
        if value in self.constants:
            return self.buffer(len(self.arguments) + self.constant_order.index(value))
        assert isinstance(value, OpResult)
        op = value.op
        if not isinstance(op, LaunchOp) or op.places is None:
            name = op.name
            message = f"{name}: expected a launch, a view or a constant in the planned program; run graph-plan first"
            raise CompileError(message, op.location)
        return self.place(op.places[value.index].data)

    # ---- calls
    def poll(self) -> None:
        """Return -2 where the context's `poll` says stop."""
        asked = self.op("call i32 @mlc.poll(ptr %context)")
        stop = self.op(f"icmp ne i32 {asked}, 0")
        self.polls += 1
        self.line(f"br i1 {stop}, label %interrupted, label %go{self.polls}")
        self.start_block(f"go{self.polls}")
        self.since = 0

    def launch(self, op: LaunchOp) -> None:
        code = self.kernels[op.kernel]
        if isinstance(self.since, Sym) or self.since >= POLL_WORK:
            self.poll()
        self.since = self.since + self.work.get(op.kernel, 0)
        texts: list[str] = []
        kinds: list[str] = []
        views = [view_of(v) for v in op.args] + [View(r, 0, row_major(shape_of(r.type))) for r in op.res]
        for i, (value, view, parameter) in enumerate(zip([*op.args, *op.res], views, code.signature, strict=True)):
            width, shape = BYTES[dtype_of(value)], shape_of(value.type)
            texts.append(f"ptr {self.moved(self.base(view.base), view.offset, width)}")
            numbers = [shape[d] for d in parameter.sizes] + [view.strides[d] for d in parameter.strides]
            texts += [f"i64 {self.number(n)}" for n in numbers]
            kinds += ["ptr", *["i64"] * len(numbers)]
            if i in code.streamed:
                self.stream(view.base)
        self.declare("void", f'"{code.symbol}"', *kinds, "ptr")
        self.line(f'call void @"{code.symbol}"({", ".join([*texts, "ptr %arena"])})')

    def stream(self, value: SSAValue) -> None:
        """The kernel writes past the caches, so its caller keeps the buffer aligned."""
        if isinstance(value, OpResult) and isinstance(value.op, LaunchOp) and value.op.places:
            place = value.op.places[value.index].data
            self.aligned.add((place.base, place.number))

    def text(self) -> str:
        body = "\n".join(self.scopes[0])
        head = f"define i32 @{ENTRY}(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) nounwind {{\nentry:\n"
        end = "  ret i32 0\n"
        poll = ""
        if self.polls:
            end += f"interrupted:\n  ret i32 {INTERRUPTED}\n"
            poll = POLL
        return "\n".join([*sorted(self.declarations), f"{poll}{head}{body}\n{end}}}\n", self.call()])

    def call(self) -> str:
        """`mlc_call`, which takes NumPy arrays as they are; "" where more than pointers is needed."""
        donated = _donated(self.main)
        if donated and self.symbols:
            return ""
        n, slots = len(self.arguments), len(self.slots)
        objects = [f"ptr %o{i}" for i in range(n + slots)]
        w = _Call(
            [*objects, "ptr %constants", "ptr %sizes", "ptr %arena", "ptr %context"], n + len(self.constants) + slots
        )
        pointers = [w.data(i) for i in range(n)]
        for i, (a, pointer) in enumerate(zip(self.arguments, pointers)):
            w.store(i, pointer)
            w.refuse_bits(w.op(f"ptrtoint ptr {pointer} to i64"), BYTES[dtype_of(a)] - 1)
        for i in range(len(self.constants)):
            w.store(n + i, w.loaded("ptr", "%constants", i))
        for k in range(slots):
            w.store(n + len(self.constants) + k, w.data(n + k))
        spans = [_span(a) for a in self.arguments]
        for i in sorted(donated):
            w.refuse_read_only(i)
            for k in range(n):
                if k != i:
                    w.refuse_overlap(pointers[i], spans[i], pointers[k], spans[k])
        return w.text()

    # ---- the interface
    def interface(self) -> dict[str, Any]:
        donated = _donated(self.main)
        arena = self.main.attributes.get(ARENA)
        own: Dim = arena.data if isinstance(arena, SizeAttr) else 0
        return {
            "name": self.main.sym_name.data,
            "arguments": [
                {
                    "name": a.name_hint or "",
                    "dtype": dtype_of(a),
                    "shape": [size_json(d) for d in shape_of(a.type)],
                    "strides": list(layout) if (layout := layout_of(a)) is not None else None,
                    "donated": a.index in donated,
                    "aligned": ("argument", a.index) in self.aligned,
                }
                for a in self.arguments
            ],
            "constants": [self._constant(c) for c in self.constants],
            "slots": [self._slot(number) for number in self.slots],
            "results": self._results(),
            "symbols": list(self.symbols),
            "arena": size_json(own + self.workspace),
            "work": size_json(self.total),
        }

    def _constant(self, value: SSAValue) -> dict[str, Any]:
        out = {"dtype": dtype_of(value), "elements": size_json(size(shape_of(value.type)))}
        op = value.owner
        return {**out, "name": op.data.data.name, "hash": op.data.data.hash} if isinstance(op, ResourceOp) else out

    def _slot(self, number: Dim) -> dict[str, Any]:
        """A slot has the dtype of the first value placed in it."""
        return {"bytes": size_json(self.slot_bytes[number]), "aligned": ("result", number) in self.aligned}

    def _results(self) -> list[dict[str, Any]]:
        returned = self.main.body.block.last_op
        assert returned is not None
        views = self.main.attributes.get(RESULTS)
        if not isinstance(views, ArrayAttr):
            message = f"@{self.main.sym_name.data}: expected the attribute {RESULTS}, found none; run graph-plan first"
            raise CompileError(message, self.main.location)
        return [self._result(value, view) for value, view in zip(returned.operands, views.data, strict=True)]

    def _result(self, value: SSAValue, view: Attribute) -> dict[str, Any]:
        assert isinstance(view, ViewAttr)
        base, number, offset, strides = view.data
        shape = shape_of(value.type)
        dense = offset == 0 and strides == row_major(shape)
        index = 0
        if base == "result":
            index = self.slots[number]
        elif base == "arena":
            offset = _elements(view.data, BYTES[dtype_of(value)]) + self.workspace // BYTES[dtype_of(value)]
        else:
            assert isinstance(number, int)
            index = number
        return {
            "dtype": dtype_of(value),
            "shape": [size_json(d) for d in shape],
            "source": "slot" if base == "result" else base,
            "index": index,
            "offset": size_json(offset),
            "strides": None if dense and base != "arena" else [size_json(s) for s in strides],
        }


class _Call(Writer):
    """The text of `mlc_call`. It refuses with -1 what the caller must bring into another form first."""

    def __init__(self, parameters: Sequence[str], buffers: int) -> None:
        super().__init__()
        self.head = f"define i32 @{CALL}({', '.join(parameters)}) nounwind {{\nentry:\n"
        self.buffers = self.op(f"alloca [{max(buffers, 1)} x ptr]")
        self.refusals: list[str] = []

    def loaded(self, kind: str, base: str, position: int) -> str:
        return self.op(f"load {kind}, ptr {self.op(f'getelementptr {kind}, ptr {base}, i64 {position}')}")

    def data(self, i: int) -> str:
        return self.op(f"load ptr, ptr {self.op(f'getelementptr i8, ptr %o{i}, i64 {DATA_FIELD}')}")

    def store(self, position: int, pointer: str) -> None:
        at = self.op(f"getelementptr ptr, ptr {self.buffers}, i64 {position}")
        self.line(f"store ptr {pointer}, ptr {at}")

    def refuse_bits(self, number: str, bits: int) -> None:
        if bits:
            self.refusals.append(self.op(f"icmp ne i64 {self.op(f'and i64 {number}, {bits}')}, 0"))

    def refuse_read_only(self, i: int) -> None:
        flags = self.op(f"load i32, ptr {self.op(f'getelementptr i8, ptr %o{i}, i64 {FLAGS_FIELD}')}")
        self.refusals.append(self.op(f"icmp eq i32 {self.op(f'and i32 {flags}, {WRITEABLE}')}, 0"))

    def refuse_overlap(self, a: str, span: tuple[int, int], b: str, other: tuple[int, int]) -> None:
        """[a + low, a + high) and [b + low, b + high) have a byte in common."""
        low, high = (self.op(f"getelementptr i8, ptr {a}, i64 {s}") for s in span)
        start, end = (self.op(f"getelementptr i8, ptr {b}, i64 {s}") for s in other)
        tests = [self.op(f"icmp ult ptr {low}, {end}"), self.op(f"icmp ult ptr {start}, {high}")]
        self.refusals.append(self.op(f"and i1 {tests[0]}, {tests[1]}"))

    def text(self) -> str:
        refused = "false"
        for refusal in self.refusals:
            refused = self.op(f"or i1 {refused}, {refusal}")
        self.line(f"br i1 {refused}, label %refuse, label %run")
        self.start_block("refuse")
        self.line("ret i32 -1")
        self.start_block("run")
        status = self.op(f"call i32 @{ENTRY}(ptr {self.buffers}, ptr %sizes, ptr %arena, ptr %context)")
        return "\n".join([self.head + self.scopes[0][0], *self.scopes[0][1:], f"  ret i32 {status}\n}}\n"])


def _span(argument: SSAValue) -> tuple[int, int]:
    """The bytes that a static argument takes, from its pointer on."""
    shape = [d for d in shape_of(argument.type) if isinstance(d, int)]
    strides = layout_of(argument) or [int(s) for s in row_major(shape) if isinstance(s, int)]
    width = BYTES[dtype_of(argument)]
    if 0 in shape:
        return 0, 0
    spans = [(n - 1) * s for n, s in zip(shape, strides)]
    return width * sum(min(s, 0) for s in spans), width * (sum(max(s, 0) for s in spans) + 1)


def _elements(view: Strided, width: int) -> Dim:
    """The offset of a view of the arena, from the arena's start, in elements."""
    number, offset = view.number, view.offset
    start = Sym.of({m: k // width for m, k in number.terms}) if isinstance(number, Sym) else number // width
    return start + offset


def _symbols(arguments: Sequence[SSAValue]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for a in arguments:
        for d in shape_of(a.type):
            if isinstance(d, Sym):
                found.update(dict.fromkeys(d.names()))
    return tuple(found)


def _donated(main: FuncOp) -> set[int]:
    found = main.attributes.get(DONATED)
    if isinstance(found, DenseArrayBase):
        return {int(v) for v in found.get_values()}
    return {a.value.data for a in found.data if isinstance(a, IntegerAttr)} if isinstance(found, ArrayAttr) else set()


def _bytes(op: Constant) -> bytes:
    shape = shape_of(op.results[0].type)
    if any(isinstance(d, Sym) for d in shape):
        raise CompileError(
            "nd.constant: expected a static shape where the program itself holds a constant", op.location
        )
    return np.ascontiguousarray(op.reference()).tobytes()


def kernels_of(module: ModuleOp) -> dict[str, FuncOp]:
    """The private functions of a module, which its program launches."""
    functions = [f for f in module.ops if isinstance(f, FuncOp)]
    return {f.sym_name.data: f for f in functions if f.sym_visibility and f.sym_visibility.data == "private"}
