"""The LLVM IR text of a module at the vector level: what `mlc-opt --pipeline=llvm` prints and the JIT compiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import AnyFloat, IndexType, IntegerType, MemRefType, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from ..lowering.emit.entry import emit_program, kernels_of
from ..lowering.emit.kernel import KernelCode, emit_kernel
from . import settings
from .machine import Machine, sm_number

if TYPE_CHECKING:
    from ..lowering.emit.launch import DeviceCode


@dataclass
class Emitted:
    """LLVM IR of a module: the host's by function, and of kernels that launch functions for a GPU, those."""

    host: dict[str, str] = field(default_factory=dict[str, str])
    device: dict[str, DeviceCode] = field(default_factory=dict[str, "DeviceCode"])

    def add(self, code: KernelCode) -> None:
        self.host[code.name] = code.llvm_ir
        if code.device is not None:
            self.device[code.name] = code.device

    def __str__(self) -> str:
        texts = {**self.host, **{f"{name} (GPU)": code.llvm_ir for name, code in self.device.items()}}
        return "\n".join(f"; {name}\n{text.rstrip()}\n" for name, text in texts.items())


def llvm_ir(module: ModuleOp, machine: Machine | None = None, threads: int | None = None) -> str:
    """The kernels and the entry of each program; of a module without programs, its functions as kernels.

    `threads`: of parallel loops; None: MLC_THREADS.
    """
    return str(emitted(module, machine, threads))


def emitted(
    module: ModuleOp, machine: Machine | None = None, threads: int | None = None, gpu: bool | None = None
) -> Emitted:
    """What `llvm_ir` prints. `gpu`: for a GPU; None: if anything is launched on one."""
    machine, threads = machine or Machine.host(), settings.threads(threads)
    gpu = on_gpu(module) if gpu is None else gpu
    kernels, out = kernels_of(module), Emitted()
    functions = functions_of(module)
    programs = [f for f in functions if is_program(f)]
    if not programs:
        for f in functions:
            require(f, (MemRefType, IndexType, IntegerType, AnyFloat), "buffers and scalars, as after lower-loop")
            out.add(emit_kernel(f, machine.vector_bytes, threads=threads, dots=machine.dots, gpu=gpu))
        return out
    for program in programs:
        require(program, (TensorType,), "tensors")
        if "graph.results" not in program.attributes:
            raise CompileError("expected a program after graph-plan, found one without a memory plan", program.location)
        code = emit_program(program, kernels, machine.vector_bytes, threads=threads, dots=machine.dots, gpu=gpu)
        for kernel in code.kernels:
            out.add(kernel)
        out.host[f"{program.sym_name.data} (entry)"] = code.entry
    return out


def functions_of(module: ModuleOp) -> list[FuncOp]:
    return [op for op in module.body.block.ops if isinstance(op, FuncOp) and not op.is_declaration]


def is_program(f: FuncOp) -> bool:
    return "graph.results" in f.attributes or launches(f)


def on_gpu(module: ModuleOp) -> bool:
    """Does a kernel launch functions for a GPU?"""
    return any(op.name == "gpu.launch" for op in module.walk())


def ptx_of(code: DeviceCode, sm: str) -> str:
    """PTX of a kernel's functions for an architecture such as `sm_90a`."""
    from ..runtime.ptx import GeneratorError, ptx
    from .driver import InternalError

    for need in code.needs:
        if sm_number(sm) < need.number:
            expected = f"an architecture from sm_{need.number} on, which has it"
            raise CompileError(f"{need.name}: expected {expected}, found {sm}", need.location)
    try:
        return ptx(code.llvm_ir, sm)
    except GeneratorError as error:
        raise InternalError(str(error)) from error


def require(f: FuncOp, kinds: Any, expected: str) -> None:
    """Every argument's type is one of these kinds."""
    for arg in f.body.block.args:
        if not isinstance(arg.type, kinds):
            raise CompileError(
                f"@{f.sym_name.data}: expected arguments that are {expected}, found {arg.type}", arg.location
            )


def launches(f: FuncOp) -> bool:
    return any(op.name == "graph.launch" for op in f.walk())
