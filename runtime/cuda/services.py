"""`mlc_gpu_*`: what the native host code of a program for a GPU calls, as native code around the driver's functions.

    void mlc_gpu_launch(ptr context, ptr function, i64 grid, i64 threads, i64 shared, ptr params)
    ptr  mlc_gpu_alloc(ptr context, i64 bytes)                     memory in stream order; NULL for 0 bytes
    void mlc_gpu_free(ptr context, ptr memory)
    void mlc_gpu_copy(ptr context, ptr to, ptr from, i64 bytes)    device to device
    void mlc_gpu_read(ptr context, ptr to, ptr from, i64 bytes)    device to host, after everything before

A `CudaContext` is an `mlc_context` (runtime/context.py) with the stream and the first error behind its fields. After an
error nothing is done but to free memory, and what is read is 0, so that loops that wait for a value end; the caller
looks at `failed` before anything else. `launches` and `waits` count what was asked for: a program with waits cannot be
recorded in a graph. With `blocking` every launch is waited for, so that an error is that launch's.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..context import Context
from ..locks import once

if TYPE_CHECKING:
    from .driver import Driver

REPLAY = "mlc_gpu_replay"
"""`int mlc_gpu_replay(ptr)`: launch a graph in its context; three words: context, graph, stream."""
LAUNCH, ALLOC, FREE, COPY, READ = "mlc_gpu_launch", "mlc_gpu_alloc", "mlc_gpu_free", "mlc_gpu_copy", "mlc_gpu_read"
NAMES = (LAUNCH, ALLOC, FREE, COPY, READ, REPLAY)
CALLED = (
    "cuLaunchKernel",
    "cuStreamSynchronize",
    "cuMemAllocAsync",
    "cuMemFreeAsync",
    "cuMemcpyDtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuCtxGetCurrent",
    "cuCtxPushCurrent_v2",
    "cuCtxPopCurrent_v2",
    "cuGraphLaunch",
)
"""The driver's functions that they call; in another process, or after another driver, at other addresses."""


class CudaContext(Context):
    """`mlc_context` of a call on a GPU."""

    _fields_ = (
        ("cuda_stream", ctypes.c_void_p),
        ("failed", ctypes.c_int32),
        ("blocking", ctypes.c_int32),
        ("function", ctypes.c_void_p),
        ("grid", ctypes.c_int64),
        ("block", ctypes.c_int64),
        ("shared", ctypes.c_int64),
        ("launches", ctypes.c_int64),
        ("waits", ctypes.c_int64),
    )
    """`failed`: the first CUresult that is not 0; then `function` is what was launched, and `grid`, `block`, `shared`
    its numbers; where no launch failed it is NULL, and `grid` a number of bytes."""

    def restart(self, stream: int, blocking: bool) -> None:
        self.failed = self.launches = self.waits = 0
        self.cuda_stream, self.blocking = stream, blocking


TEXT = """
declare i32 @cuLaunchKernel(ptr, i32, i32, i32, i32, i32, i32, i32, ptr, ptr, ptr)
declare i32 @cuStreamSynchronize(ptr)
declare i32 @cuMemAllocAsync(ptr, i64, ptr)
declare i32 @cuMemFreeAsync(ptr, ptr)
declare i32 @cuMemcpyDtoDAsync_v2(ptr, ptr, i64, ptr)
declare i32 @cuMemcpyDtoHAsync_v2(ptr, ptr, i64, ptr)
declare i32 @cuCtxGetCurrent(ptr)
declare i32 @cuCtxPushCurrent_v2(ptr)
declare i32 @cuCtxPopCurrent_v2(ptr)
declare i32 @cuGraphLaunch(ptr, ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

define internal void @add(ptr %context, i64 %field) {{
  %at = getelementptr i8, ptr %context, i64 %field
  %n = load i64, ptr %at
  %more = add i64 %n, 1
  store i64 %more, ptr %at
  ret void
}}

define internal i1 @broken(ptr %context) {{
  %at = getelementptr i8, ptr %context, i64 {failed}
  %code = load i32, ptr %at
  %is = icmp ne i32 %code, 0
  ret i1 %is
}}

define internal ptr @stream(ptr %context) {{
  %at = getelementptr i8, ptr %context, i64 {cuda_stream}
  %stream = load ptr, ptr %at
  ret ptr %stream
}}

; remember the first error
define internal void @note(ptr %context, i32 %code, ptr %function, i64 %grid, i64 %block, i64 %shared) {{
  %bad = icmp ne i32 %code, 0
  br i1 %bad, label %first, label %done
first:
  %was = call i1 @broken(ptr %context)
  br i1 %was, label %done, label %keep
keep:
  %code.at = getelementptr i8, ptr %context, i64 {failed}
  store i32 %code, ptr %code.at
  %function.at = getelementptr i8, ptr %context, i64 {function}
  store ptr %function, ptr %function.at
  %grid.at = getelementptr i8, ptr %context, i64 {grid}
  store i64 %grid, ptr %grid.at
  %block.at = getelementptr i8, ptr %context, i64 {block}
  store i64 %block, ptr %block.at
  %shared.at = getelementptr i8, ptr %context, i64 {shared}
  store i64 %shared, ptr %shared.at
  br label %done
done:
  ret void
}}

define void @mlc_gpu_launch(ptr %context, ptr %function, i64 %grid, i64 %threads, i64 %shared, ptr %params) nounwind {{
  %was = call i1 @broken(ptr %context)
  %empty.grid = icmp sle i64 %grid, 0
  %empty.block = icmp sle i64 %threads, 0
  %empty = or i1 %empty.grid, %empty.block
  %nothing = or i1 %was, %empty
  br i1 %nothing, label %done, label %see
see:
  ; more blocks than a grid has, or sizes that do not fit 32 bits, are invalid values to the driver
  %grid.much = icmp ugt i64 %grid, 2147483647
  %block.much = icmp ugt i64 %threads, 1024
  %shared.much = icmp ugt i64 %shared, 2147483647
  %much.0 = or i1 %grid.much, %block.much
  %much = or i1 %much.0, %shared.much
  br i1 %much, label %invalid, label %go
invalid:
  call void @note(ptr %context, i32 1, ptr %function, i64 %grid, i64 %threads, i64 %shared)
  ret void
go:
  call void @add(ptr %context, i64 {launches})
  %stream = call ptr @stream(ptr %context)
  %x = trunc i64 %grid to i32
  %t = trunc i64 %threads to i32
  %s = trunc i64 %shared to i32
  %code = call i32 @cuLaunchKernel(ptr %function, i32 %x, i32 1, i32 1, i32 %t, i32 1, i32 1, i32 %s, ptr %stream,
    ptr %params, ptr null)
  %launched = icmp eq i32 %code, 0
  br i1 %launched, label %wait, label %wrong
wait:
  %blocking.at = getelementptr i8, ptr %context, i64 {blocking}
  %blocking = load i32, ptr %blocking.at
  %free = icmp eq i32 %blocking, 0
  br i1 %free, label %done, label %synchronize
synchronize:
  %after = call i32 @cuStreamSynchronize(ptr %stream)
  br label %wrong
wrong:
  %found = phi i32 [ %code, %go ], [ %after, %synchronize ]
  call void @note(ptr %context, i32 %found, ptr %function, i64 %grid, i64 %threads, i64 %shared)
  br label %done
done:
  ret void
}}

define i32 @mlc_gpu_replay(ptr %words) nounwind {{
  %now.at = alloca ptr
  store ptr null, ptr %now.at
  %asked = call i32 @cuCtxGetCurrent(ptr %now.at)
  %now = load ptr, ptr %now.at
  %context = load ptr, ptr %words
  %graph.at = getelementptr ptr, ptr %words, i64 1
  %graph = load ptr, ptr %graph.at
  %stream.at = getelementptr ptr, ptr %words, i64 2
  %stream = load ptr, ptr %stream.at
  %is = icmp eq ptr %now, %context
  br i1 %is, label %here, label %push
here:
  %code = call i32 @cuGraphLaunch(ptr %graph, ptr %stream)
  ret i32 %code
push:
  %pushed = call i32 @cuCtxPushCurrent_v2(ptr %context)
  %good = icmp eq i32 %pushed, 0
  br i1 %good, label %there, label %bad
there:
  %code.there = call i32 @cuGraphLaunch(ptr %graph, ptr %stream)
  %popped = call i32 @cuCtxPopCurrent_v2(ptr %now.at)
  ret i32 %code.there
bad:
  ret i32 %pushed
}}

define ptr @mlc_gpu_alloc(ptr %context, i64 %bytes) nounwind {{
  %place = alloca ptr
  store ptr null, ptr %place
  call void @add(ptr %context, i64 {waits})
  %was = call i1 @broken(ptr %context)
  %empty = icmp sle i64 %bytes, 0
  %nothing = or i1 %was, %empty
  br i1 %nothing, label %done, label %go
go:
  %stream = call ptr @stream(ptr %context)
  %code = call i32 @cuMemAllocAsync(ptr %place, i64 %bytes, ptr %stream)
  call void @note(ptr %context, i32 %code, ptr null, i64 %bytes, i64 0, i64 0)
  br label %done
done:
  %memory = load ptr, ptr %place
  ret ptr %memory
}}

define void @mlc_gpu_free(ptr %context, ptr %memory) nounwind {{
  %none = icmp eq ptr %memory, null
  br i1 %none, label %done, label %go
go:
  %stream = call ptr @stream(ptr %context)
  %code = call i32 @cuMemFreeAsync(ptr %memory, ptr %stream)
  call void @note(ptr %context, i32 %code, ptr null, i64 0, i64 0, i64 0)
  br label %done
done:
  ret void
}}

define void @mlc_gpu_copy(ptr %context, ptr %to, ptr %from, i64 %bytes) nounwind {{
  %was = call i1 @broken(ptr %context)
  %empty = icmp sle i64 %bytes, 0
  %nothing = or i1 %was, %empty
  br i1 %nothing, label %done, label %go
go:
  call void @add(ptr %context, i64 {launches})
  %stream = call ptr @stream(ptr %context)
  %code = call i32 @cuMemcpyDtoDAsync_v2(ptr %to, ptr %from, i64 %bytes, ptr %stream)
  call void @note(ptr %context, i32 %code, ptr null, i64 %bytes, i64 0, i64 0)
  br label %done
done:
  ret void
}}

define void @mlc_gpu_read(ptr %context, ptr %to, ptr %from, i64 %bytes) nounwind {{
  call void @add(ptr %context, i64 {waits})
  %was = call i1 @broken(ptr %context)
  br i1 %was, label %nothing, label %go
go:
  %empty = icmp sle i64 %bytes, 0
  br i1 %empty, label %done, label %copy
copy:
  %stream = call ptr @stream(ptr %context)
  %code = call i32 @cuMemcpyDtoHAsync_v2(ptr %to, ptr %from, i64 %bytes, ptr %stream)
  call void @note(ptr %context, i32 %code, ptr null, i64 %bytes, i64 0, i64 0)
  %after = call i32 @cuStreamSynchronize(ptr %stream)
  call void @note(ptr %context, i32 %after, ptr null, i64 %bytes, i64 0, i64 0)
  %now = call i1 @broken(ptr %context)
  br i1 %now, label %nothing, label %done
nothing:
  call void @llvm.memset.p0.i64(ptr %to, i8 0, i64 %bytes, i1 false)
  br label %done
done:
  ret void
}}
"""


def text() -> str:
    fields: list[str] = [str(f[0]) for f in CudaContext._fields_]
    return TEXT.format(**{name: getattr(CudaContext, name).offset for name in fields})


@once
def _object() -> bytes:
    from ..jit import stored_object

    return stored_object(text())


def replay_of(driver: Driver) -> Any:
    """`REPLAY` as it is called from Python."""
    found = driver.typed.get(REPLAY)
    if found is None:
        found = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(addresses(driver)[REPLAY])
        driver.typed[REPLAY] = found
    return found


def addresses(driver: Driver) -> Mapping[str, int]:
    """Where the services are, over this driver's functions."""
    if driver.services is None:
        from ..jit import Linked

        linked = Linked([_object()], {name: driver.address(name) for name in CALLED})
        driver.services = linked, {name: linked.address(name) for name in NAMES}
    return driver.services[1]
