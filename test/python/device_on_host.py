"""Functions for a GPU run on the host's CPU: what the emission wrote, as it is, but for what only a GPU has.

    with on_host(monkeypatch) as driver:
        exe = mlc.compile(text, target="cuda")
        exe(x)                                     the whole way: run time, host code, launches

The driver is `cuda_fake`'s. A launch calls its function once for each thread of each block; where threads wait for each
other or exchange values, each thread of a block is a thread of the system, and barriers are the system's.
"""

from __future__ import annotations

import ctypes
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int32, c_void_p
from typing import Any

import numpy as np
import pytest
from cuda_fake import SHIFT, FakeDriver
from mlc.compiler import compile_cuda
from mlc.lowering.emit.launch import DeviceCode
from mlc.runtime import jit
from mlc.runtime.cuda import driver

SHARED_BYTES = 256 << 10
SECONDS = 60.0
SIZES = {"ptr": 8, "i64": 8, "double": 8, "i32": 4, "float": 4, "i16": 2, "half": 2, "bfloat": 2, "i8": 1}

TOGETHER = """
declare i32 @pthread_barrier_wait(ptr)
declare i32 @pthread_barrier_init(ptr, ptr, i32)
@block = internal global [64 x i8] zeroinitializer, align 64
@warps = internal global [32 x [64 x i8]] zeroinitializer, align 64
@slots = internal global [1024 x i32] zeroinitializer, align 64
define void @init(i32 %threads) {
entry:
  %b = call i32 @pthread_barrier_init(ptr @block, ptr null, i32 %threads)
  br label %loop
loop:
  %w = phi i32 [ 0, %entry ], [ %next, %loop ]
  %p = getelementptr [64 x i8], ptr @warps, i32 %w
  %before = mul i32 %w, 32
  %left = sub i32 %threads, %before
  %few = icmp slt i32 %left, 32
  %n = select i1 %few, i32 %left, i32 32
  %i = call i32 @pthread_barrier_init(ptr %p, ptr null, i32 %n)
  %next = add i32 %w, 1
  %after = mul i32 %next, 32
  %more = icmp slt i32 %after, %threads
  br i1 %more, label %loop, label %done
done:
  ret void
}
; copies are done at once
define internal void @copy.4(ptr addrspace(3) %to, ptr addrspace(1) %from) {
  %v = load <4 x i8>, ptr addrspace(1) %from, align 4
  store <4 x i8> %v, ptr addrspace(3) %to, align 4
  ret void
}
define internal void @copy.8(ptr addrspace(3) %to, ptr addrspace(1) %from) {
  %v = load <8 x i8>, ptr addrspace(1) %from, align 8
  store <8 x i8> %v, ptr addrspace(3) %to, align 8
  ret void
}
define internal void @copy.16(ptr addrspace(3) %to, ptr addrspace(1) %from) {
  %v = load <16 x i8>, ptr addrspace(1) %from, align 16
  store <16 x i8> %v, ptr addrspace(3) %to, align 16
  ret void
}
define internal void @commit() {
  ret void
}
define internal void @await(i32 %groups) {
  ret void
}
define internal void @barrier() {
  %r = call i32 @pthread_barrier_wait(ptr @block)
  ret void
}
; PTX ISA, "shfl.sync": where a lane's value comes from, and whether that lane is in its group
define internal { i32, i1 } @shuffle(i32 %tid, i32 %mode, i32 %value, i32 %b, i32 %c) {
  %lane = and i32 %tid, 31
  %warp = lshr i32 %tid, 5
  %p = getelementptr [64 x i8], ptr @warps, i32 %warp
  %own = getelementptr i32, ptr @slots, i32 %tid
  store volatile i32 %value, ptr %own
  %w0 = call i32 @pthread_barrier_wait(ptr %p)
  %bval = and i32 %b, 31
  %cval = and i32 %c, 31
  %high = lshr i32 %c, 8
  %mask = and i32 %high, 31
  %rest = xor i32 %mask, -1
  %least = and i32 %lane, %mask
  %inner = and i32 %cval, %rest
  %most = or i32 %least, %inner
  %up = sub i32 %lane, %bval
  %down = add i32 %lane, %bval
  %bfly = xor i32 %lane, %bval
  %within = and i32 %bval, %rest
  %idx = or i32 %least, %within
  %is0 = icmp eq i32 %mode, 0
  %is1 = icmp eq i32 %mode, 1
  %is2 = icmp eq i32 %mode, 2
  %j0 = select i1 %is2, i32 %bfly, i32 %idx
  %j1 = select i1 %is1, i32 %down, i32 %j0
  %j2 = select i1 %is0, i32 %up, i32 %j1
  %below = icmp sle i32 %j2, %most
  %above = icmp sge i32 %j2, %most
  %valid = select i1 %is0, i1 %above, i1 %below
  %source = select i1 %valid, i32 %j2, i32 %lane
  %first = mul i32 %warp, 32
  %at = add i32 %first, %source
  %other = getelementptr i32, ptr @slots, i32 %at
  %found = load volatile i32, ptr %other
  %w1 = call i32 @pthread_barrier_wait(ptr %p)
  %r0 = insertvalue { i32, i1 } poison, i32 %found, 0
  %r1 = insertvalue { i32, i1 } %r0, i1 %valid, 1
  ret { i32, i1 } %r1
}
"""
RENAMED = {
    **{f"@llvm.nvvm.cp.async.{c}.shared.global.{n}(": f"@copy.{n}(" for c in ("ca", "cg") for n in (4, 8, 16)},
    "@llvm.nvvm.cp.async.commit.group(": "@commit(",
    "@llvm.nvvm.cp.async.wait.group(": "@await(",
    "@llvm.nvvm.barrier.cta.sync.aligned.all(i32 0": "@barrier(",
    "addrspacecast (ptr addrspace(3) @mlc_shared to ptr)": "@mlc_shared",
    "external addrspace(3) global": "external global",
}
MODES = ("up", "down", "bfly", "idx")
HEAD = re.compile(r"^define ptx_kernel void @(\w+)\((.*)\) nounwind .*\{$")
REGISTER = re.compile(r"call range\(i32 0, \d+\) i32 @llvm\.nvvm\.read\.ptx\.sreg\.(tid|ctaid)\.x\(\)")
SHUFFLE = re.compile(r"call \{ i32, i1 \} @llvm\.nvvm\.shfl\.sync\.(\w+)\.i32p\(i32 -1, ")


def kinds_of(parameters: str) -> list[str]:
    return [p.split()[0] for p in parameters.split(", ")] if parameters else []


def runner(name: str, kinds: list[str]) -> str:
    """A thread's part of a launch: its function for some blocks."""
    lines = [f"define void @run.{name}(ptr %params, i32 %tid, i32 %grid, i32 %together) {{", "entry:"]
    for j, kind in enumerate(kinds):
        lines.append(f"  %p{j} = getelementptr ptr, ptr %params, i64 {j}")
        lines.append(f"  %q{j} = load ptr, ptr %p{j}")
        lines.append(f"  %v{j} = load {kind}, ptr %q{j}")
    values = ", ".join([*(f"{kind} %v{j}" for j, kind in enumerate(kinds)), "i32 %tid", "i32 %b"])
    return "\n".join(
        [
            *lines,
            "  %wait = icmp ne i32 %together, 0",
            "  br label %loop",
            "loop:",
            "  %b = phi i32 [ 0, %entry ], [ %next, %after ]",
            f"  call void @{name}({values})",
            "  br i1 %wait, label %all, label %after",
            "all:",
            "  call void @barrier()",
            "  br label %after",
            "after:",
            "  %next = add i32 %b, 1",
            "  %more = icmp slt i32 %next, %grid",
            "  br i1 %more, label %loop, label %done",
            "done:",
            "  ret void",
            "}",
        ]
    )


class Module:
    """The functions of one kernel's launches as native code."""

    def __init__(self, code: DeviceCode) -> None:
        self.kinds: dict[str, list[str]] = {}
        self.together: set[str] = set()
        lines: list[str] = []
        name = ""
        for line in code.llvm_ir.splitlines():
            if line.startswith(("target triple", "declare ")) and ("nvvm" in line or "triple" in line):
                continue
            if (m := HEAD.match(line)) is not None:
                name = m[1]
                self.kinds[name] = kinds_of(m[2])
                line = (
                    f"define internal void @{name}({', '.join(filter(None, [m[2], 'i32 %tid.x', 'i32 %ctaid.x']))}) {{"
                )
            line = REGISTER.sub(lambda m: f"add i32 %{m[1]}.x, 0", line)
            line = SHUFFLE.sub(lambda m: f"call {{ i32, i1 }} @shuffle(i32 %tid.x, i32 {MODES.index(m[1])}, ", line)
            for word, meant in RENAMED.items():
                line = line.replace(word, meant)
            assert "llvm.nvvm" not in line, f"nothing stands for {line}"
            if "@barrier" in line or "@shuffle" in line:
                self.together.add(name)
            lines.append(line)
        runners = [runner(name, kinds) for name, kinds in self.kinds.items()]
        self.text = "\n".join([TOGETHER, *lines, *runners])
        self.space = np.zeros(SHARED_BYTES + 128, np.uint8)
        start = -self.space.ctypes.data % 128
        self.shared = self.space[start : start + SHARED_BYTES]
        self.linked = jit.Linked([jit.compile_object(self.text)], {"mlc_shared": self.shared.ctypes.data})

    def run(self, name: str, grid: int, threads: int, values: list[bytes]) -> None:
        self.shared[:] = 0xA5
        cells = [ctypes.create_string_buffer(v, 8) for v in values]
        params = (c_void_p * max(1, len(cells)))(*map(ctypes.addressof, cells))
        call = ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_int32, c_int32)(self.linked.address(f"run.{name}"))
        if name not in self.together:
            for thread in range(threads):
                call(ctypes.addressof(params), thread, grid, 0)
            return
        ctypes.CFUNCTYPE(None, c_int32)(self.linked.address("init"))(threads)
        all_ = [
            threading.Thread(target=call, args=(ctypes.addressof(params), t, grid, 1), daemon=True)
            for t in range(threads)
        ]
        for thread in all_:
            thread.start()
        for thread in all_:
            thread.join(SECONDS)
            assert not thread.is_alive(), f"{name}: a thread waits for others that do not come"


class HostDriver(FakeDriver):
    """Launches run the functions that were added."""

    def __init__(self, **options: Any) -> None:
        super().__init__({}, **options)
        self.modules: dict[str, Module] = {}

    def add(self, code: DeviceCode, sm: str) -> str:
        """In the place of generating PTX."""
        module = Module(code)
        self.modules |= dict.fromkeys(code.names, module)
        return f".version 8.0\n.target {sm}\n" + "".join(f".visible .entry {name}\n" for name in code.names)

    def _cuLaunchKernel(self, function, x, y, z, tx, ty, tz, shared, stream, params, extra):
        name = self.handles[function]
        module = self.modules[name]
        kinds = module.kinds[name]
        values: list[bytes] = []
        for kind, place in zip(kinds, (c_void_p * len(kinds)).from_address(params) if kinds else ()):
            data = ctypes.string_at(place, SIZES[kind])
            if kind == "ptr":
                (address,) = struct.unpack("<Q", data)
                data = struct.pack("<Q", address - SHIFT if address else 0)
            values.append(data)

        def work() -> None:
            self.launched.append((name, x, tx, shared))
            module.run(name, x, tx, values)

        return self.enqueue(stream, work)


@contextmanager
def on_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDriver]:
    """Programs for GPUs run on the host."""
    monkeypatch.setenv("MLC_CACHE", "0")
    monkeypatch.setenv("MLC_POISON", "0")
    library = HostDriver()
    monkeypatch.setattr(compile_cuda, "ptx_of", library.add)
    with driver.replaced(library):
        yield library
    assert not [e for e in library.kept if isinstance(e, Exception)]
