"""Programs for NVIDIA GPUs: host code as for the CPU, and for each kernel the PTX of what it launches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..dialects.errors import CompileError
from ..runtime.abi import Image, Program
from ..runtime.cuda.executable import CudaExecutable
from .compile import Compiled
from .emission import ptx_of

if TYPE_CHECKING:
    from ..lowering.emit.entry import ProgramCode
    from .options import CompileOptions


class CompiledCuda(Compiled, CudaExecutable):
    """A program for a GPU, which is looked for at the first call."""

    def assembly(self) -> str:
        """PTX of the kernels, in the order of their launches."""
        return "\n".join(self.ptx().values())

    def llvm_ir(self) -> str:
        """LLVM IR of the kernels for the device, of those for the host, then of the entry."""
        code = self._code()
        devices = [k.device.llvm_ir for k in code.kernels if k.device is not None]
        return "\n".join([*devices, *(k.llvm_ir for k in code.kernels), code.entry])


def with_images(
    program: Program, objects: list[bytes], code: ProgramCode, options: CompileOptions
) -> tuple[Program, list[bytes]]:
    """The program with the code of its launches, which comes last among the objects."""
    made = [(k, k.device) for k in code.kernels if k.device is not None and k.device.names]
    most = options.machine.shared_bytes
    for kernel, device in made:
        for bytes_ in device.shared:
            if bytes_ > most:
                expected = f"expected at most {most} bytes of memory of a block, as {options.arch} has"
                raise CompileError(
                    f"kernel {kernel.name}: {expected}, found {bytes_}; use smaller tiles or fewer stages"
                )
    images = [Image(k.name, list(d.names), list(d.shared), options.arch) for k, d in made]
    texts = [ptx_of(d, options.arch).encode() for _, d in made]
    return replace(program, images=images), [*objects, *texts]
