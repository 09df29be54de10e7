"""gpu.launch -> a function of a thread for the GPU, and one call in the kernel's host function that launches it.

    gpu.launch blocks(%bx, ..) in (%gx = %n, ..) threads(%tx, ..) in (%sx = %c256, ..) { .. %x .. }
        becomes, in the module of the GPU,
    define ptx_kernel void @mlc_k_0(ptr noalias readonly align 64 %a0, i64 %a0_s0, ..) {
      ...                                                 the region, what it uses of the kernel under the same names
    }
        and in the kernel `void @"mlc.k"(ptr %a0, i64 %a0_s0, .., ptr %ws, ptr %context)`
    store ptr %a0, ptr %l0.0 ..                           the values, at places in the host function's frame
    store ptr %l0.0, ptr %l0.. ..                         and where they are
    %f = load ptr, ptr @"mlc.k.launch0"                   what the run time has put there
    call void @mlc_gpu_launch(ptr %context, ptr %f, i64 %n, i64 256, i64 0, ptr %l0)

The host function computes sizes and runs loops and branches around launches; it reads and writes no elements. Its
static allocations are places in the workspace, others come from the run time until the region ends. Vectors and tables
that a region uses are made in the function itself.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.errors import CompileError
from . import async_copy, tensor_cores
from .control import WRITES, written_memory
from .device import NEEDS, SHARED, SHARED_SYMBOL, TRIPLE, Shared, has_uses, special
from .device import handlers as device_handlers
from .elementwise import element_of
from .memory import VIEWS, bytes_in, place, root_of, sizes_of, workspace
from .parallel import free_names
from .state import ALIGNMENT, HANDLERS, Emitter, Fact, Form, Handler, Ref

GRID, THREADS = 2**31 - 1, 1024
"""The most blocks of a launch, and threads of a block."""
ALLOCATED = 256
"""Bytes that memory of the run time is aligned to."""
END = "!0 = !{}\n"
READS = ("vector.transfer_read", "vector.load", "vector.gather", "vector.maskedload", "memref.load")


HANDLER_MODULES = (async_copy, tensor_cores)
"""What operations of NVIDIA's become."""


class Need(NamedTuple):
    """An operation, where it is, and the number of the first architecture that has it."""

    name: str
    location: Any
    number: int


MATRIX = "@llvm.nvvm.mma."
"""Instructions of tensor cores: that a multiprocessor need have no more than one block lets NVIDIA's assembler keep the
tiles of the next products in registers, which it else does not."""


class DeviceCode(NamedTuple):
    """The launches of a kernel: a module of LLVM IR for the GPU, its functions in the order of the launches, and the
    bytes of a block's memory that each needs. `needs`: operations that not every architecture has."""

    llvm_ir: str
    names: tuple[str, ...]
    shared: tuple[int, ...]
    needs: tuple[Need, ...] = ()


def joined(codes: Sequence[DeviceCode]) -> DeviceCode:
    """The launches of several kernels in one module."""
    head: dict[str, None] = {}
    functions: list[str] = []
    for code in codes:
        lines = code.llvm_ir.splitlines()
        first = next((k for k, line in enumerate(lines) if line.startswith("define ")), len(lines))
        head |= dict.fromkeys(lines[:first])
        functions += lines[first:-1]
    names = tuple(name for code in codes for name in code.names)
    shared = tuple(n for code in codes for n in code.shared)
    needs = tuple(need for code in codes for need in code.needs)
    return DeviceCode("\n".join([*head, *functions, END]), names, shared, needs)


class Launches:
    """The functions of a kernel's launches, as they are emitted."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.declarations: dict[str, None] = {}
        self.globals: list[str] = []
        self.names: list[str] = []
        self.shared: list[int] = []
        self.needs: dict[str, Need] = {}
        """The first of each operation."""

    def code(self) -> DeviceCode:
        shared = any(f"@{SHARED} " in f for f in self.functions)
        head = [f'target triple = "{TRIPLE}"', *([SHARED_SYMBOL] if shared else []), *self.globals]
        parts = [*head, *sorted(self.declarations), *self.functions, END]
        return DeviceCode("\n".join(parts), tuple(self.names), tuple(self.shared), tuple(self.needs.values()))


def host_emitter(lanes: int, name: str, width: str) -> Emitter:
    """Of the host function of a kernel: `e.launches` is filled as it goes along."""
    launches = Launches()

    def launch(e: Emitter, op: Operation) -> None:
        outline(e, op, launches)

    handlers = {**HANDLERS, "memref.alloc": allocate, "memref.alloca": allocate, "gpu.launch": launch}
    handlers |= dict.fromkeys((*READS, *WRITES), outside)
    e = Emitter(lanes, False, 1, name, width, handlers=handlers)
    e.launches = launches
    e.facts["%ws"] = Fact(ALIGNMENT)
    return e


def outside(e: Emitter, op: Operation) -> None:
    raise AssertionError(f"{op.name}: expected accesses of memory within launches, found one outside")


def allocate(e: Emitter, op: Operation) -> None:
    """Static: a place in the workspace. Dynamic: from the run time until the region ends."""
    sizes = sizes_of(e, op)
    if all(isinstance(s, int) for s in sizes):
        pointer = workspace(e, op, sizes)
        e.facts[pointer] = Fact(ALIGNMENT)
    else:
        e.declare("ptr", "mlc_gpu_alloc", "ptr", "i64")
        e.declare("void", "mlc_gpu_free", "ptr", "ptr")
        pointer = e.op(f"call ptr @mlc_gpu_alloc(ptr %context, i64 {bytes_in(e, op, sizes)})")
        e.heap[-1].append(f"call void @mlc_gpu_free(ptr %context, ptr {pointer})")
        e.depth[pointer] = len(e.scopes) - 1
        e.facts[pointer] = Fact(ALLOCATED)
    place(e, op, sizes, pointer)


def symbol(name: str, k: int) -> str:
    """A name that PTX accepts."""
    return f"{re.sub('[^A-Za-z0-9_]', '_', name.replace('mlc.', 'mlc_', 1))}_{k}"


def outline(e: Emitter, op: Operation, launches: Launches) -> None:
    number = len(launches.names)
    block = op.regions[0].block
    grid, threads = (e.index[op.operands[k]] for k in (0, 3))
    for k in (1, 2, 4, 5):
        if e.index[op.operands[k]] != Form(1, {}):
            raise CompileError("gpu.launch: expected one dimension of blocks and one of threads", op.location)
    t = _Thread(e, op, launches)
    t.identify(block, grid, threads)
    t.inner.region(block)
    name = symbol(e.name, number)
    parameters = t.function(name, threads)
    launches.names.append(name)
    launches.shared.append(t.inner.space.bytes)
    call(e, parameters, number, e.index_text(grid), e.index_text(threads), t.inner.space.bytes)


def call(e: Emitter, parameters: list[tuple[str, str]], number: int, grid: str, threads: str, shared: int) -> None:
    """The launch, in the host function. Places for the values are made once, at its beginning."""
    frame = f"%l{number}"
    places: list[str] = [f"  {frame} = alloca [{max(1, len(parameters))} x ptr]"]
    for j, (kind, name) in enumerate(parameters):
        places.append(f"  {frame}.{j} = alloca {kind}")
        e.line(f"store {kind} {name}, ptr {frame}.{j}")
        e.line(f"store ptr {frame}.{j}, ptr {e.op(f'getelementptr ptr, ptr {frame}, i64 {j}')}")
    e.scopes[0][:0] = places
    cell = f'@"{e.name}.launch{number}"'
    e.globals.append(f"{cell} = external global ptr")
    e.declare("void", "mlc_gpu_launch", "ptr", "ptr", "i64", "i64", "i64", "ptr")
    function = e.op(f"load ptr, ptr {cell}")
    sizes = f"i64 {grid}, i64 {threads}, i64 {shared}"
    e.line(f"call void @mlc_gpu_launch(ptr %context, ptr {function}, {sizes}, ptr {frame})")


def read_memory(op: Operation) -> Sequence[SSAValue]:
    """The memrefs that an operation reads, or may read."""
    written = set(written_memory(op))
    return () if op.name in VIEWS else [v for v in op.operands if isinstance(v.type, MemRefType) and v not in written]


class _Thread:
    """The function of one launch: what it uses of the kernel, and its text."""

    def __init__(self, e: Emitter, op: Operation, launches: Launches) -> None:
        self.outer, self.launches = e, launches
        self.inner = inner = Emitter(e.lanes, False, 1, e.name, handlers=device_handlers(), gpu=True)
        inner.space = Shared("")
        inner.count, inner.multiples, inner.arguments = e.count, dict(e.multiples), e.arguments
        inner.facts["%"] = Fact(1)  # facts are kept
        self.kinds: dict[str, str] = {}
        """Types of names of the host function."""
        self.roots: dict[str, SSAValue] = {}
        """The memory that a pointer of the host function lies in."""
        block = op.regions[0].block
        ops = list(block.walk())
        self.written = {root_of(v) for o in ops for v in written_memory(o)}
        self.exchanged: set[SSAValue] = set()
        """Memory by which threads may tell each other something: they write it, read it and wait for each other."""
        if any(o.name == "gpu.barrier" for o in ops):
            self.exchanged = self.written & {root_of(v) for o in ops for v in read_memory(o)}
        for found in ops:
            if (number := NEEDS.get(found.name)) is not None:
                launches.needs.setdefault(found.name, Need(found.name, found.location, number))
            for operand in found.operands:
                self.take(operand)

    # ---- values of the host function
    def take(self, value: SSAValue) -> None:
        """Let the function use a value of the kernel, if it is one."""
        e, inner = self.outer, self.inner
        if value in inner.refs or value in inner.index or value in inner.env:
            return
        if value in e.refs:
            ref = e.refs[value]
            if isinstance(ref.root.owner, Operation) and ref.root.owner.name == "memref.get_global":
                self.again(value)
            else:
                inner.refs[value] = self.memory(ref)
        elif value in e.index:
            form = inner.index[value] = e.index[value]
            for name in form.terms:
                self.name(name, "i64")
        elif value in e.env:
            found = e.env[value]
            if isinstance(found, str):
                inner.env[value] = self.name(found, element_of(value.type))
            else:
                self.again(value)

    def again(self, value: SSAValue) -> None:
        """Vectors and constant tables are made by each thread."""
        op = value.owner
        assert isinstance(op, Operation)
        for operand in op.operands:
            self.take(operand)
        self.inner.handlers[op.name](self.inner, op)

    def name(self, text: str, kind: str) -> str:
        if text.startswith("%"):
            self.kinds[text] = kind
            self.inner.depth[text] = 0
        return text

    def memory(self, ref: Ref) -> Ref:
        for pointer in (ref.pointer, ref.base):
            self.name(pointer, "ptr")
            self.roots[pointer] = ref.root
            fact = self.outer.facts.get(pointer, Fact(1))
            self.inner.facts[pointer] = Fact(fact.alignment, self.constant(ref.root))
        for size in (*ref.sizes, *ref.strides):
            if isinstance(size, str):
                self.name(size, "i64")
        return ref

    def constant(self, root: SSAValue) -> bool:
        """Does nobody write the memory during the launch?"""
        shared = self.inner.arguments
        overlaps = shared.get(root, False) and any(shared.get(w, False) for w in self.written)
        return root not in self.written and not overlaps

    # ---- the function
    def identify(self, block: Block, grid: Form, threads: Form) -> None:
        """The arguments of the region: where the thread is, and how many there are."""
        inner, args = self.inner, block.args
        for k, (register, form, most) in {0: ("ctaid.x", grid, GRID), 3: ("tid.x", threads, THREADS)}.items():
            if has_uses(args[k]):
                count = most if form.terms else form.constant
                one = count <= 1
                inner.index[args[k]] = Form(0, {}) if one else inner.name_index(special(inner, register, count), 0)
            inner.index[args[6 + k]] = form
            for name in form.terms:
                self.name(name, "i64")
        for k in (1, 2, 4, 5):
            inner.index[args[k]], inner.index[args[6 + k]] = Form(0, {}), Form(1, {})
            assert isinstance(args[k].type, IndexType)

    def function(self, name: str, threads: Form) -> list[tuple[str, str]]:
        """Add the function to the module; the types and names of its parameters in the host function."""
        inner, out = self.inner, self.launches
        lines = inner.scopes[0]
        names = [n for n in free_names(lines) if n in self.kinds]
        used = [self.roots[n] for n in names if n in self.roots]
        first: list[str] = []
        texts: list[str] = []
        given: list[tuple[str, str]] = []
        for n in names:
            kind, words = self.kinds[n], ""
            if kind == "i1":  # a parameter is a byte at least
                first.append(f"  {n} = trunc i8 {n}.byte to i1")
                given.append(("i8", self.outer.op(f"zext i1 {n} to i8")))
                texts.append(f"i8 {n}.byte")
                continue
            if kind == "ptr":
                words = self.attributes(n, used.count(self.roots[n]) == 1)
            texts.append(f"{kind}{words} {n}")
            given.append((kind, n))
        size = f'"nvvm.maxntid"="{THREADS}"' if threads.terms else f'"nvvm.reqntid"="{threads.constant}"'
        if any(MATRIX in line for line in lines):
            size += ' "nvvm.minctasm"="1"'
        head = f"define ptx_kernel void @{name}({', '.join(texts)}) nounwind {size} {{"
        out.functions.append("\n".join([head, "entry:", *first, *lines, "  ret void", "}"]))
        out.declarations |= inner.declarations
        out.globals += [line for line in inner.globals if line not in out.globals]
        return given

    def attributes(self, pointer: str, single: bool) -> str:
        """What is known of a pointer: nobody writes there, or nobody else reads and writes there; alignment.

        To LLVM, `noalias` says that no barrier changes what is there.
        """
        root, fact = self.roots[pointer], self.inner.facts[pointer]
        own = root in self.written and root not in self.exchanged
        alone = single and own and not self.inner.arguments.get(root, False)
        words = " noalias readonly" if fact.constant else " noalias" if alone else ""
        aligned = fact.alignment & -fact.alignment
        return f"{words} align {aligned}" if aligned > 1 else words


__all__ = ["DeviceCode", "Handler", "Launches", "host_emitter"]
