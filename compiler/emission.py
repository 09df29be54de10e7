"""The LLVM IR text of a module at the vector level: what `mlc-opt --pipeline=llvm` prints and the JIT compiles."""

from __future__ import annotations

from typing import Any

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, MemRefType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from ..lowering.emit.entry import emit_program, kernels_of
from ..lowering.emit.kernel import emit_kernel
from . import settings
from .machine import Machine


def llvm_ir(module: ModuleOp, machine: Machine | None = None, threads: int | None = None) -> str:
    """The kernels and the entry of each program; of a module without programs, its functions as kernels.

    `threads`: of parallel loops; None: MLC_THREADS.
    """
    machine, threads = machine or Machine.host(), settings.threads(threads)
    kernels = kernels_of(module)
    functions = [op for op in module.body.block.ops if isinstance(op, FuncOp) and not op.is_declaration]
    programs = [f for f in functions if "graph.results" in f.attributes or launches(f)]
    if not programs:
        for f in functions:
            require(f, (MemRefType, IndexType, IntegerType, AnyFloat), "buffers and scalars, as after lower-loop")
        return _joined(
            {
                f.sym_name.data: emit_kernel(f, machine.vector_bytes, threads=threads, dots=machine.dots).llvm_ir
                for f in functions
            }
        )
    texts: dict[str, str] = {}
    for program in programs:
        require(program, (TensorType,), "tensors")
        if "graph.results" not in program.attributes:
            raise CompileError("expected a program after graph-plan, found one without a memory plan", program.location)
        code = emit_program(program, kernels, machine.vector_bytes, threads=threads, dots=machine.dots)
        texts |= {k.name: k.llvm_ir for k in code.kernels}
        texts[f"{program.sym_name.data} (entry)"] = code.entry
    return _joined(texts)


def require(f: FuncOp, kinds: Any, expected: str) -> None:
    """Every argument's type is one of these kinds."""
    for arg in f.body.block.args:
        if not isinstance(arg.type, kinds):
            raise CompileError(
                f"@{f.sym_name.data}: expected arguments that are {expected}, found {arg.type}", arg.location
            )


def launches(f: FuncOp) -> bool:
    return any(op.name == "graph.launch" for op in f.walk())


def _joined(texts: dict[str, str]) -> str:
    return "\n".join(f"; {name}\n{text.rstrip()}\n" for name, text in texts.items())
