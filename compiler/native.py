"""One kernel of the vector level as a Python function on buffers, for tests and for checks kernel by kernel."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from xdsl.dialects import func

from ..lowering.emit.kernel import KernelCode, emit_kernel
from ..runtime import jit
from ..runtime.arena import Block

SCALARS = {
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "i64": ctypes.c_int64,
    "i32": ctypes.c_int32,
    "i8": ctypes.c_int8,
    "i1": ctypes.c_bool,
}


class NativeKernel:
    """Called with an array for each memref (results are written in place) and a number for each scalar."""

    def __init__(self, code: KernelCode, cpu: str | None = None, features: str | None = None) -> None:
        self.code = code
        self.linked = jit.Linked([jit.compile_object(code.llvm_ir, cpu, features)])
        kinds: list[Any] = []
        for p in code.signature:
            kinds.append(ctypes.c_void_p if p.buffer else SCALARS[p.kind])
            kinds += [ctypes.c_int64] * (len(p.sizes) + len(p.strides))
        self.native = ctypes.CFUNCTYPE(None, *kinds, ctypes.c_void_p)(self.linked.address(code.name))

    def __call__(self, *arguments: Any) -> None:
        values: list[Any] = []
        for argument, p in zip(arguments, self.code.signature, strict=True):
            if not p.buffer:
                values.append(argument)
                continue
            assert isinstance(argument, np.ndarray)
            array: np.ndarray[Any, Any] = argument
            values.append(array.ctypes.data)
            values += [array.shape[d] for d in p.sizes]
            values += [array.strides[d] // array.itemsize for d in p.strides]
        workspace = Block(max(1, self.code.workspace_bytes))
        self.native(*values, workspace.address)


def compile_kernel(
    f: func.FuncOp, vector_bytes: int = 64, cpu: str | None = None, features: str | None = None
) -> NativeKernel:
    return NativeKernel(emit_kernel(f, vector_bytes), cpu, features)
