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
with the workspace that the kernels share, one after the other. `entry_regions` emits loops, branches and effects.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, DictionaryAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects.errors import CompileError
from ...dialects.graph.ops import ARENA, DONATED, LAYOUT, RESULTS, LaunchOp, PrepareOp
from ...dialects.graph.place import PLACES, Place, PlaceAttr, SizeAttr, Strided, ViewAttr, row_major
from ...dialects.graph.regions import is_loop, program_ops
from ...dialects.graph.views import View, layout_attr, layout_of, view_of
from ...dialects.nd.complex_boundary import ARGUMENTS, as_complex
from ...dialects.nd.complex_boundary import RESULTS as COMPLEX_RESULTS
from ...dialects.nd.constant import Constant
from ...dialects.nd.dims import Dim, Sym, size
from ...dialects.nd.effects import Print
from ...dialects.nd.resource import ResourceOp
from ...dialects.nd.types import shape_of
from .entry_call import ENTRY, call_text
from .entry_pointers import ALIGNMENT, Pointers, constant_bytes, dtype_of, size_json, width_of
from .entry_regions import effects_json, emit_block
from .entry_services import HOST, INTERRUPTED, POLL
from .kernel import KernelCode, emit_kernel

POLL_WORK = 100_000_000
"""Picoseconds between two looks for signals."""
DIRECT = (1, 2, 4, 8)
"""Bytes that are copied by one load and store."""


class ProgramCode(NamedTuple):
    """What the run time needs: texts to compile, the interface as JSON, the constants: bytes, or a resource's array."""

    kernels: tuple[KernelCode, ...]
    entry: str
    interface: dict[str, Any]
    constants: tuple[bytes | np.ndarray[Any, Any] | None, ...]
    preparations: dict[str, ProgramCode]
    """By the hash of its text: what makes constants of constants (`made` in the interface)."""
    sources: dict[str, ResourceOp]
    """By hash: the resources of which constants are made."""
    loops: bool
    """Does the entry have some, which run its code often?"""

    @property
    def digest(self) -> str:
        """A hash of the texts, which do not hold constants, and of the arguments' shapes: one code may read several."""
        devices = [k.device.llvm_ir for k in self.kernels if k.device is not None]
        shapes = json.dumps([a["shape"] for a in self.interface["arguments"]])
        texts = "\0".join([*(k.llvm_ir for k in self.kernels), *devices, self.entry, shapes])
        return hashlib.blake2b(texts.encode(), digest_size=16).hexdigest()


def emit_program(
    main: FuncOp,
    kernels: Mapping[str, FuncOp],
    vector_bytes: int = 64,
    work: Mapping[str, Dim] | None = None,
    total: Dim = 0,
    threads: int = 1,
    dots: Sequence[str] = (),
    gpu: bool = False,
) -> ProgramCode:
    """`kernels`: the lowered functions that the program launches, by name. `work`, `total`: picoseconds of a launch of
    each, and of the program; 0 is not known. `threads`: of parallel loops, at most. `dots`, `gpu`: see `emit_kernel`.
    """
    launches = [op for op in program_ops(main.body.block) if isinstance(op, LaunchOp)]
    used = list(dict.fromkeys(op.kernel for op in launches))
    kind, known = Entry, dict[str, tuple[int, ...]]()
    if gpu:
        from .entry_device import DeviceEntry, alignments

        kind, known = DeviceEntry, alignments(main, launches)
    codes = {name: emit_kernel(kernels[name], vector_bytes, threads, dots, gpu, known.get(name, ())) for name in used}
    entry = kind(main, codes, work or {}, total, threads)
    for op in program_ops(main.body.block):
        if isinstance(op, PrepareOp) and op.kernel not in entry.makers:
            program, kernel = preparation(op, kernels[op.kernel])
            code = emit_program(program, {kernel.sym_name.data: kernel}, vector_bytes, dots=dots, gpu=gpu)
            entry.makers[op.kernel] = code.digest, code
    emit_block(entry, main.body.block)
    return ProgramCode(
        tuple(codes.values()),
        entry.text(),
        entry.interface(),
        tuple(entry.constants.values()),
        dict(entry.makers.values()),
        entry.sources,
        any(map(is_loop, program_ops(main.body.block))),
    )


def preparation(op: PrepareOp, kernel: FuncOp) -> tuple[FuncOp, FuncOp]:
    """The program that makes a constant, and its kernel. Names do not count, so that equal ones are the same text."""
    kernel = kernel.clone()
    kernel.properties["sym_name"] = StringAttr("prepare")
    kinds, made = [v.type for v in op.args], op.result.type
    block = Block(arg_types=kinds)
    launch = LaunchOp.make("prepare", block.args, [made], op.location)
    number = size(shape_of(made)) * width_of(op.result)
    launch.attributes[PLACES] = ArrayAttr([PlaceAttr(Place("result", 0, number))])
    block.add_ops([launch, ReturnOp.create(operands=launch.results, location=op.location)])
    main = FuncOp("prepared", (kinds, [made]), Region(block))
    main.location = op.location
    main.properties["arg_attrs"] = ArrayAttr([_layout(v) for v in op.args])
    main.attributes[RESULTS] = ArrayAttr([ViewAttr(Strided("result", 0, 0, row_major(shape_of(made))))])
    main.attributes[ARENA] = SizeAttr(0)
    return main, kernel


def _layout(value: SSAValue) -> DictionaryAttr:
    view = view_of(value)
    return DictionaryAttr({} if view.rows(shape_of(value.type)) else {LAYOUT: layout_attr(view.strides)})


class Entry(Pointers):
    """Emits a program op by op."""

    POLL_WORK = POLL_WORK

    def __init__(
        self, main: FuncOp, kernels: Mapping[str, KernelCode], work: Mapping[str, Dim], total: Dim, threads: int
    ) -> None:
        super().__init__(
            main, max((-(-k.workspace_bytes // ALIGNMENT) * ALIGNMENT for k in kernels.values()), default=0)
        )
        self.work, self.total = work, total
        self.threads = threads if any(k.parallel for k in kernels.values()) else 1
        self.since: Dim = 0
        """Picoseconds since the last look for signals."""
        self.polls = 0
        self.kernels = kernels
        self.makers: dict[str, tuple[str, ProgramCode]] = {}
        """By kernel: what prepares constants, with its hash."""
        self.sources: dict[str, ResourceOp] = {}
        self.effects: list[tuple[Operation, dict[str, Any]]] = []
        self.most_printed = self.most_sizes = 0
        """Values, and run-time sizes, of the print that has the most."""

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
        for value, view, parameter in zip([*op.args, *op.res], views, code.signature, strict=True):
            shape = shape_of(value.type)
            texts.append(f"ptr {self.moved(self.base(view.base), view.offset * width_of(value))}")
            numbers = [shape[d] for d in parameter.sizes] + [view.strides[d] for d in parameter.strides]
            texts += [f"i64 {self.number(n)}" for n in numbers]
            kinds += ["ptr", *["i64"] * len(numbers)]
        last = ["ptr %arena", *(["ptr %context"] if code.in_context else [])]
        self.declare("void", f'"{code.symbol}"', *kinds, *["ptr"] * len(last))
        self.line(f'call void @"{code.symbol}"({", ".join([*texts, *last])})')

    def transfer(self, target: str, source: str, count: Dim) -> None:
        """Copy bytes."""
        if count in DIRECT:
            kind = f"i{8 * count}"  # pyright: ignore[reportOperatorIssue]
            self.line(f"store {kind} {self.op(f'load {kind}, ptr {source}, align 1')}, ptr {target}, align 1")
        elif count != 0:
            self.declare("void", "llvm.memcpy.p0.p0.i64", "ptr", "ptr", "i64", "i1")
            number = self.number(count)
            self.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {number}, i1 false)")

    def truth(self, pointer: str) -> str:
        """Whether the byte at a pointer is not 0."""
        return self.op(f"icmp ne i8 {self.op(f'load i8, ptr {pointer}')}, 0")

    def text(self) -> str:
        body = "\n".join(self.scopes[0])
        head = f"define i32 @{ENTRY}(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) nounwind {{\nentry:\n"
        end = "  ret i32 0\n"
        services = ""
        if self.polls:
            end += f"interrupted:\n  ret i32 {INTERRUPTED}\n"
            services = POLL
        if any(isinstance(op, Print) for op, _ in self.effects):
            services += HOST
            head += f"  %printed = alloca [{max(self.most_printed, 1)} x ptr]\n"
            head += f"  %shown = alloca [{max(self.most_sizes, 1)} x i64]\n"
        return "\n".join([*sorted(self.declarations), f"{services}{head}{body}\n{end}}}\n", self.call()])

    def effect(self, op: Operation, what: dict[str, Any]) -> int:
        """The number of an effect."""
        self.effects.append((op, what))
        return len(self.effects) - 1

    def call(self) -> str:
        """`mlc_call`; "" where more than pointers is needed."""
        donated = _donated(self.main)
        if donated and self.symbols:
            return ""
        return call_text(self.arguments, len(self.constants), len(self.slots), donated)

    # ---- the interface
    def interface(self) -> dict[str, Any]:
        arena = self.main.attributes.get(ARENA)
        own: Dim = arena.data if isinstance(arena, SizeAttr) else 0
        return {
            "name": self.main.sym_name.data,
            "arguments": as_complex(self.main, ARGUMENTS, self._arguments()),
            "constants": [self._constant(c) for c in self.constants],
            "slots": [self._slot(number) for number in self.slots],
            "results": as_complex(self.main, COMPLEX_RESULTS, self._results()),
            "symbols": list(self.symbols),
            "arena": size_json(own + self.workspace),
            "effects": effects_json(self.effects),
            "work": size_json(self.total),
            "threads": self.threads,
        }

    def _arguments(self) -> list[dict[str, Any]]:
        donated = _donated(self.main)
        return [
            {
                "name": a.name_hint or "",
                "dtype": dtype_of(a),
                "shape": [size_json(d) for d in shape_of(a.type)],
                "strides": list(layout) if (layout := layout_of(a)) is not None else None,
                "donated": a.index in donated,
            }
            for a in self.arguments
        ]

    def _constant(self, value: SSAValue) -> dict[str, Any]:
        out = {"dtype": dtype_of(value), "elements": size_json(size(shape_of(value.type)))}
        op = value.owner
        if isinstance(op, PrepareOp):
            return {**out, "name": value.name_hint or "", "made": self._made(op)}
        return {**out, "name": op.data.data.name, "hash": op.data.data.hash} if isinstance(op, ResourceOp) else out

    def _made(self, op: PrepareOp) -> dict[str, Any]:
        """Which preparation makes a constant, and of what: where each of its arguments lies in which constant."""
        sources: list[dict[str, Any]] = []
        for base, offset, strides in map(view_of, op.args):
            owner = base.owner
            if not isinstance(owner, PrepareOp | ResourceOp | Constant) or not isinstance(offset, int):
                found = "an argument" if isinstance(owner, Block) else f"what {owner.name} makes"
                message = f"prepare by @{op.kernel}: expected constants as operands, found {found}"
                raise CompileError(message, op.location)
            if isinstance(owner, ResourceOp):
                source: dict[str, Any] = {"hash": owner.data.data.hash}
                self.sources[owner.data.data.hash] = owner
            elif isinstance(owner, Constant):
                source = {"data": constant_bytes(owner).hex()}
            else:
                source = {"made": self._made(owner)}
            sources.append({**source, "offset": size_json(offset), "strides": [size_json(s) for s in strides]})
        return {"by": self.makers[op.kernel][0], "of": sources}

    def _slot(self, number: Dim) -> dict[str, Any]:
        """A slot has the dtype of the first value placed in it."""
        return {"bytes": size_json(self.slot_bytes[number])}

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
            offset = _elements(view.data, width_of(value)) + self.workspace // width_of(value)
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


def _elements(view: Strided, width: int) -> Dim:
    """The offset of a view of the arena, from the arena's start, in elements."""
    number, offset = view.number, view.offset
    start = Sym.of({m: k // width for m, k in number.terms}) if isinstance(number, Sym) else number // width
    return start + offset


def _donated(main: FuncOp) -> set[int]:
    found = main.attributes.get(DONATED)
    if isinstance(found, DenseArrayBase):
        return {int(v) for v in found.get_values()}
    return {a.value.data for a in found.data if isinstance(a, IntegerAttr)} if isinstance(found, ArrayAttr) else set()


def kernels_of(module: ModuleOp) -> dict[str, FuncOp]:
    """The private functions of a module, which its program launches."""
    functions = [f for f in module.ops if isinstance(f, FuncOp)]
    return {f.sym_name.data: f for f in functions if f.sym_visibility and f.sym_visibility.data == "private"}
