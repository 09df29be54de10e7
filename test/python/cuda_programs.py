"""Programs of hand-written code for GPUs, and arrays for them, as the tests of the run time use them."""

from __future__ import annotations

import numpy as np
from cuda_fake import view
from mlc.runtime import dlpack, jit
from mlc.runtime.abi import Argument, Image, Program, Result, Slot
from mlc.runtime.cuda.device_array import DeviceArray
from mlc.runtime.cuda.dlpack import make
from mlc.runtime.cuda.executable import CudaExecutable

PTX = ".version 8.0\n.target sm_80\n" + "".join(f".visible .entry {n}\n" for n in ("add", "scale", "last"))


def add(grid, threads, shared, x, y, out, n):
    assert grid == -(-n // 256) and threads == 256
    view(out, n)[:] = view(x, n) + view(y, n)


def scale(grid, threads, shared, x, n):
    view(x, n)[:] *= 2


KERNELS = {"add": ("pppi", add), "scale": ("pi", scale), "last": ("pi", lambda *a: None)}

DECLARED = """
declare void @mlc_gpu_launch(ptr, ptr, i64, i64, i64, ptr)
declare ptr @mlc_gpu_alloc(ptr, i64)
declare void @mlc_gpu_free(ptr, ptr)
declare void @mlc_gpu_copy(ptr, ptr, ptr, i64)
declare void @mlc_gpu_read(ptr, ptr, ptr, i64)
@mlc.k.launch0 = external global ptr
@mlc.k.launch1 = external global ptr
@mlc.k.launch2 = external global ptr
"""

SERVICES = DECLARED.split("@mlc.k")[0]

KERNEL = (
    DECLARED
    + """
; out = x + y, then twice that
define void @mlc.k(ptr %x, ptr %y, ptr %out, i64 %n, ptr %ws, ptr %context) {
  %vx = alloca ptr
  %vy = alloca ptr
  %vo = alloca ptr
  %vn = alloca i64
  store ptr %x, ptr %vx
  store ptr %y, ptr %vy
  store ptr %out, ptr %vo
  store i64 %n, ptr %vn
  %params = alloca [4 x ptr]
  %p1 = getelementptr ptr, ptr %params, i64 1
  %p2 = getelementptr ptr, ptr %params, i64 2
  %p3 = getelementptr ptr, ptr %params, i64 3
  store ptr %vx, ptr %params
  store ptr %vy, ptr %p1
  store ptr %vo, ptr %p2
  store ptr %vn, ptr %p3
  %up = add i64 %n, 255
  %grid = sdiv i64 %up, 256
  %f0 = load ptr, ptr @mlc.k.launch0
  call void @mlc_gpu_launch(ptr %context, ptr %f0, i64 %grid, i64 256, i64 SHARED, ptr %params)
  %f1 = load ptr, ptr @mlc.k.launch1
  call void @mlc_gpu_launch(ptr %context, ptr %f1, i64 %grid, i64 256, i64 0, ptr %p2)
  ret void
}
"""
)


def entry(body: str, buffers: int = 4) -> str:
    """The text of mlc_entry with %b0, %b1, ... loaded."""
    loads = "".join(
        f"  %a{k} = getelementptr ptr, ptr %buffers, i64 {k}\n  %b{k} = load ptr, ptr %a{k}\n" for k in range(buffers)
    )
    head = "define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {\n"
    return f"declare void @mlc.k(ptr, ptr, ptr, i64, ptr, ptr)\n{head}{loads}{body}}}\n"


def built(
    body: str,
    program: Program,
    constants=(),
    extra: str = "",
    shared: int = 0,
    ptx: str = PTX,
    buffers=None,
    device=None,
) -> CudaExecutable:
    n = len(program.arguments) + len(program.constants) + len(program.slots)
    texts = [KERNEL.replace("SHARED", str(shared)), entry(body, n if buffers is None else buffers) + extra]
    objects = [*(jit.stored_object(t) for t in texts), ptx.encode()]
    return CudaExecutable(program, objects, constants, device=device)


IMAGE = Image("k", ["add", "scale", "last"], [0, 0, 0], "sm_80")


def program(n=1000, **given) -> Program:
    fields = {
        "name": "main",
        "arguments": [Argument("x", "f32", [n]), Argument("y", "f32", [n])],
        "slots": [Slot(4 * n)],
        "results": [Result("f32", [n], "slot", 0)],
        "images": [IMAGE],
    }
    return Program(**{**fields, **given})


BODY = "  call void @mlc.k(ptr %b0, ptr %b1, ptr %b2, i64 1000, ptr %arena, ptr %context)\n  ret i32 0\n"


def arrays(n=1000):
    rng = np.random.default_rng(0)
    return rng.normal(size=n).astype(np.float32), rng.normal(size=n).astype(np.float32)


class Foreign:
    """Another library's array on the device, which says what it was asked."""

    def __init__(self, array: DeviceArray, versioned=True, ordinal=0):
        self.array, self.versioned, self.ordinal, self.asked = array, versioned, ordinal, []

    def __dlpack_device__(self):
        return 2, self.ordinal

    def __dlpack__(self, **given):
        self.asked.append(given)
        if not self.versioned and "max_version" in given:
            raise TypeError("unexpected max_version")
        a = self.array
        place = dlpack.Place(self.ordinal, a.address, a.shape, a.steps, a.dtype, self)
        return make(place, self.versioned)
