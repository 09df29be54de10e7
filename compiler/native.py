"""One kernel of the vector level as a Python function on buffers, for tests and for checks kernel by kernel.

Its workspace and the results that `run_kernel` makes are poisoned before, and the bytes around them checked afterwards.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType

from ..lowering.emit.kernel import KernelCode, emit_kernel
from ..runtime import jit, parallel
from ..runtime import poison as memory
from ..runtime.context import Context
from ..runtime.interpret_vector import poison, run_time_sizes

SCALARS = {
    "float": ctypes.c_float,
    "double": ctypes.c_double,
    "i64": ctypes.c_int64,
    "i32": ctypes.c_int32,
    "i8": ctypes.c_int8,
    "i1": ctypes.c_bool,
}
Array = np.ndarray[Any, Any]
ALIGNMENT = 64


class NativeKernel:
    """Called with an array for each memref (results are written in place) and a number for each scalar."""

    def __init__(self, code: KernelCode, cpu: str | None = None, features: str | None = None, threads: int = 1) -> None:
        self.code, self.context = code, Context()
        symbols: dict[str, int] = {}
        if code.parallel:
            symbols[parallel.SYMBOL] = parallel.address()
            self.context.pool = parallel.pool_of(parallel.kind(), threads)
        self.linked = jit.Linked([jit.compile_object(code.llvm_ir, cpu, features)], symbols)
        kinds: list[Any] = []
        for p in code.signature:
            kinds.append(ctypes.c_void_p if p.buffer else SCALARS[p.kind])
            kinds += [ctypes.c_int64] * (len(p.sizes) + len(p.strides))
        last = [ctypes.c_void_p] * (2 if code.parallel else 1)
        self.native = ctypes.CFUNCTYPE(None, *kinds, *last)(self.linked.address(code.symbol))

    def values(self, arguments: Sequence[Any]) -> list[Any]:
        """What the native function takes for arguments: pointers with sizes and strides, and numbers."""
        values: list[Any] = []
        for argument, p in zip(arguments, self.code.signature, strict=True):
            if not p.buffer:
                values.append(argument)
                continue
            array: Array = argument
            values.append(array.ctypes.data)
            values += [array.shape[d] for d in p.sizes]
            values += [array.strides[d] // array.itemsize for d in p.strides]
        return values

    def __call__(self, *arguments: Any) -> None:
        values = self.values(arguments)
        workspace = memory.take(max(1, self.code.workspace_bytes))
        self.native(*values, workspace.address, *([ctypes.byref(self.context)] if self.code.parallel else []))
        memory.give(workspace)

    def bound(self, *arguments: Array) -> Callable[[], None]:
        """A call on the same arrays each time, as short as can be, to be timed."""
        space = np.empty(max(1, self.code.workspace_bytes) + ALIGNMENT, np.uint8)
        values = [*self.values(arguments), space.ctypes.data + -space.ctypes.data % ALIGNMENT]
        if self.code.parallel:
            values.append(ctypes.byref(self.context))
        types = self.native.argtypes or ()
        native, converted = self.native, [t(v) if isinstance(v, int) else v for t, v in zip(types, values, strict=True)]
        kept = (space, *arguments)

        def call(_: object = kept) -> None:
            native(*converted)

        return call


def compile_kernel(
    f: func.FuncOp,
    vector_bytes: int = 64,
    cpu: str | None = None,
    features: str | None = None,
    threads: int = 1,
    dots: Sequence[str] = (),
) -> NativeKernel:
    return NativeKernel(emit_kernel(f, vector_bytes, threads=threads, dots=dots), cpu, features, threads)


def run_kernel(f: func.FuncOp, inputs: Sequence[Array], vector_bytes: int = 64, threads: int = 1) -> list[Array]:
    """The results of a lowered function: its arguments behind the inputs, poisoned before."""
    outs: list[Array] = []
    kinds, sizes = f.function_type.inputs.data, run_time_sizes(f, inputs)
    for kind, dynamic in zip(kinds[len(inputs) :], sizes[len(inputs) :]):
        assert isinstance(kind, MemRefType)
        rest = iter(dynamic)
        pattern = poison([next(rest) if s == DYNAMIC_INDEX else s for s in kind.get_shape()], kind.element_type)
        outs.append(memory.allocate(pattern.shape, pattern.dtype, False))
        outs[-1][...] = pattern
    seals = memory.seal(inputs)
    compile_kernel(f, vector_bytes, threads=threads)(*inputs, *outs)
    memory.check(inputs, seals, [False] * len(inputs), outs)
    return outs
