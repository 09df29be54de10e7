"""A kernel function at the vector level -> LLVM IR text of one function.

    func.func @k(%x: memref<?x64xf32>, %out0: memref<?x64xf32>) { ... }
        becomes
    define void @"mlc.k"(ptr %a0, i64 %a0_s0, ptr %a1, i64 %a1_s0, ptr %ws)

The signature follows from the type: for each memref a pointer to element 0, then its run-time sizes, then its run-time
strides; scalars by value; then the workspace, `workspace_bytes` aligned to 64; the call's context, if loops are
parallel. One count of lanes holds for the whole function: a native vector of its narrowest elements fills the machine's
vectors, where bytes do not count if there are wider elements.
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
from .text import bytes_of, kind_of

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
    name = f.sym_name.data
    # LLVM aligns vectors on the stack only where it has kept a register for the frame; others cross the caches' lines.
    attributes = f'"prefer-vector-width"="{8 * vector_bytes}" "frame-pointer"="all"'
    if gpu:
        from .device import VECTOR_BYTES
        from .launch import host_emitter

        e = host_emitter(lanes_for(f, VECTOR_BYTES), symbol_of(name), "")
    else:
        e = Emitter(lanes_for(f, vector_bytes), True, threads, symbol_of(name), attributes, dots)
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
        if gpu:
            e.facts[given] = Fact(alignments[i] if alignments else ALIGNMENT)
        e.refs[argument] = Ref(given, sizes, strides, kind_of(kind.element_type), argument, given)
    parameters.append("ptr noalias %ws")
    e.types.update({p.rpartition(" ")[2]: p.partition(" ")[0] for p in parameters})
    e.region(f.body.block)
    body = "\n".join(e.scopes[0])
    device = e.launches.code() if gpu else None
    parameters += ["ptr %context"] if e.parts or gpu else []
    head = f'define void @"{symbol_of(name)}"({", ".join(parameters)}) nounwind'
    text = "\n".join(
        [
            *e.globals,
            *sorted(e.declarations),
            *e.parts,
            f"{head} {e.attributes} {{\nentry:\n{body}\n  ret void\n}}",
            "!0 = !{i32 1}\n",
        ]
    )
    return KernelCode(name, text, e.space.bytes, signature_of(f), bool(e.parts), device)


def _attribute(f: func.FuncOp, position: int, name: str) -> bool:
    attributes = f.arg_attrs
    return attributes is not None and name in attributes.data[position].data
