"""A kernel function at the vector level -> LLVM IR text of one function, or of two where stores pass the caches.

    func.func @k(%x: memref<?x64xf32>, %out0: memref<?x64xf32>) { ... }
        becomes
    define void @"mlc.k"(ptr %a0, i64 %a0_s0, ptr %a1, i64 %a1_s0, ptr %ws)

The signature follows from the type: for each memref a pointer to element 0, then its run-time sizes, then its run-time
strides; scalars by value; then the workspace, `workspace_bytes` aligned to 64; the call's context, if loops are
parallel. One count of lanes holds for the whole function: a native vector of its narrowest elements fills the machine's
vectors, where bytes do not count if there are wider elements.

Stores past the caches need aligned vectors. A kernel with such stores looks at the pointers and calls one of two
functions, of which the second stores as usual.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, IndexType, MemRefType, NoneAttr, StridedLayoutAttr, VectorType

from . import contract, control, elementwise, memory, reductions, shapes, transfer
from .elementwise import element_of
from .memory import layout_of
from .state import ALIGNMENT, Emitter, Fact, Ref
from .text import Writer, bytes_of, kind_of

if TYPE_CHECKING:
    from .launch import DeviceCode

HANDLER_MODULES = (contract, control, elementwise, memory, reductions, shapes, transfer)


class Parameter(NamedTuple):
    """An argument of a kernel: its LLVM element type; dimensions whose size or stride is passed; is it a buffer?"""

    kind: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    buffer: bool


class KernelCode(NamedTuple):
    name: str
    llvm_ir: str
    workspace_bytes: int
    signature: tuple[Parameter, ...]
    parallel: bool = False
    """Does it call `mlc_parallel`?"""
    device: DeviceCode | None = None
    """Functions for the GPU, which it launches."""

    @property
    def in_context(self) -> bool:
        """Does it take the call's context as its last argument?"""
        return self.parallel or self.device is not None

    @property
    def symbol(self) -> str:
        return symbol_of(self.name)


def symbol_of(name: str) -> str:
    """The kernel's name for the linker: none of C's, so that a kernel `sin` is not what calls of the C library find."""
    return f"mlc.{name}"


def lanes_for(f: func.FuncOp, vector_bytes: int) -> int:
    """Lanes of a native vector, for all element types of the function."""
    sizes: set[int] = set()
    for op in f.walk():
        for result in op.results:
            if isinstance(result.type, VectorType) and not isinstance(result.type.element_type, IndexType):
                sizes.add(bytes_of(kind_of(result.type.element_type)))
    narrowest = min((s for s in sizes if s >= 4), default=min(sizes, default=4))
    return max(1, vector_bytes // narrowest)


def signature_of(f: func.FuncOp) -> tuple[Parameter, ...]:
    out: list[Parameter] = []
    for kind in f.function_type.inputs:
        if not isinstance(kind, MemRefType):
            out.append(Parameter(element_of(kind), (), (), False))
            continue
        sizes = tuple(d for d, s in enumerate(kind.get_shape()) if s == DYNAMIC_INDEX)
        strides: tuple[int, ...] = ()
        if isinstance(kind.layout, StridedLayoutAttr):
            strides = tuple(d for d, s in enumerate(kind.layout.strides) if isinstance(s, NoneAttr))
        out.append(Parameter(kind_of(kind.element_type), sizes, strides, True))
    return tuple(out)


def emit_kernel(
    f: func.FuncOp,
    vector_bytes: int = 64,
    threads: int = 1,
    dots: Sequence[str] = (),
    gpu: bool = False,
    alignments: Sequence[int] = (),
) -> KernelCode:
    """LLVM IR of one kernel for a machine whose vectors have `vector_bytes`.

    `threads`: how many a parallel loop has at most; 1: it runs in order. `dots`: the machine's (`Machine.dots`).
    `gpu`: it launches functions for a GPU. `alignments`: then, of each argument, what its address is a multiple of;
    none are given: ALIGNMENT of each.
    """
    symbol, width = symbol_of(f.sym_name.data), f'"prefer-vector-width"="{8 * vector_bytes}"'
    if gpu:
        from .device import VECTOR_BYTES
        from .launch import host_emitter

        body = _Body.of(f, host_emitter(lanes_for(f, VECTOR_BYTES), symbol, ""), alignments)
        return _code(f, [body], [body.function(symbol)], body.emitter.launches.code())
    lanes = lanes_for(f, vector_bytes)
    streamed = _Body.of(f, Emitter(lanes, True, threads, symbol, width, dots))
    if not streamed.pointers:
        return _code(f, [streamed], [streamed.function(symbol)])
    cached = _Body.of(f, Emitter(lanes, False, threads, f"{symbol}.cached", width, dots))
    versions = {f"{symbol}.streamed": streamed, f"{symbol}.cached": cached}
    functions = [body.function(name, "internal ") for name, body in versions.items()]
    return _code(f, [streamed, cached], [*functions, streamed.choice(symbol, *versions)])


def _code(
    f: func.FuncOp, bodies: Sequence[_Body], functions: Sequence[str], device: DeviceCode | None = None
) -> KernelCode:
    emitters = [body.emitter for body in bodies]
    lines = dict.fromkeys(
        [
            *(line for e in emitters for line in e.globals),
            *sorted({line for e in emitters for line in e.declarations}),
            *(part for e in emitters for part in e.parts),
            *functions,
            "!0 = !{i32 1}\n",
        ]
    )
    space = max(e.space.bytes for e in emitters)
    return KernelCode(f.sym_name.data, "\n".join(lines), space, signature_of(f), bool(emitters[0].parts), device)


class _Body(NamedTuple):
    """A kernel's function without its head: what was emitted, the parameters, pointers of what is stored past the
    caches, which has to be aligned for that."""

    emitter: Emitter
    parameters: list[str]
    pointers: list[str]

    @staticmethod
    def of(f: func.FuncOp, e: Emitter, alignments: Sequence[int] | None = None) -> _Body:
        """`alignments`: a GPU's, see `emit_kernel`."""
        parameters: list[str] = []
        for i, argument in enumerate(f.body.block.args):
            kind, given = argument.type, f"%a{i}"
            if not isinstance(kind, MemRefType):
                parameters.append(f"{element_of(kind)} {given}")
                if isinstance(kind, IndexType):
                    e.index[argument] = e.name_index(given, 0)
                else:
                    e.env[argument] = given
                continue
            apart = _attribute(f, i, "llvm.noalias")
            sizes, strides, extra = layout_of(e, kind, f"a{i}")
            parameters += [f"ptr {'noalias ' if apart else ''}{given}", *(f"i64 {p}" for p in extra)]
            e.arguments[argument], e.depth[given] = not apart, 0
            if alignments is not None:
                e.facts[given] = Fact(alignments[i] if alignments else ALIGNMENT)
            e.refs[argument] = Ref(given, sizes, strides, kind_of(kind.element_type), argument, given)
        parameters.append("ptr noalias %ws")
        e.types.update({p.rpartition(" ")[2]: p.partition(" ")[0] for p in parameters})
        e.region(f.body.block)
        parameters += ["ptr %context"] if e.parts or alignments is not None else []
        return _Body(e, parameters, [f"%a{i}" for i, a in enumerate(f.body.block.args) if a in e.streamed])

    def function(self, name: str, linkage: str = "") -> str:
        return self._defined(name, self.emitter.scopes[0], linkage)

    def choice(self, name: str, streamed: str, cached: str) -> str:
        """A function that calls the first of two where what it stores past the caches is aligned, else the second."""
        out = Writer()
        together = "0"
        for pointer in self.pointers:
            together = out.op(f"or i64 {together}, {out.op(f'ptrtoint ptr {pointer} to i64')}")
        rest = out.op(f"and i64 {together}, {ALIGNMENT - 1}")
        out.line(f"br i1 {out.op(f'icmp eq i64 {rest}, 0')}, label %streamed, label %cached")
        arguments = ", ".join(p.replace("noalias ", "") for p in self.parameters)
        for label, callee in (("streamed", streamed), ("cached", cached)):
            out.start_block(label)
            out.line(f'call void @"{callee}"({arguments})')
            out.line("br label %end")
        out.start_block("end")
        return self._defined(name, out.scopes[0])

    def _defined(self, name: str, lines: Sequence[str], linkage: str = "") -> str:
        head = f'define {linkage}void @"{name}"({", ".join(self.parameters)}) nounwind {self.emitter.width}'
        return "\n".join([f"{head} {{", "entry:", *lines, "  ret void", "}"])


def _attribute(f: func.FuncOp, position: int, name: str) -> bool:
    attributes = f.arg_attrs
    return attributes is not None and name in attributes.data[position].data
