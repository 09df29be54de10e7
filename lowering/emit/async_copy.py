"""Copies of a thread from global memory to its block's, which go on beside what the thread does next.

    %t = nvgpu.device_async_copy %x[%i], %tile[%j], 4 {bypassL1} : memref<?xf32> to memref<256xf32, #shared>
        call void @llvm.nvvm.cp.async.cg.shared.global.16(ptr addrspace(3) %to, ptr addrspace(1) %from)
    %g = nvgpu.device_async_create_group %t          call void @llvm.nvvm.cp.async.commit.group()
    nvgpu.device_async_wait %g {numGroups = 1}       call void @llvm.nvvm.cp.async.wait.group(i32 1)

Tokens are nothing at run time. A copy counts as a write where it begins: what the thread has yet to read there is read
before it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from xdsl.ir import Operation

from ...dialects.nvgpu import CopyOp, WaitOp
from ...dialects.nvgpu.ops import COPIED_BYTES
from .device import on_device
from .state import Emitter
from .text import bytes_of

ARCHITECTURE = 80
"""The first that copies so."""


@on_device("nvgpu.device_async_copy", needs=ARCHITECTURE)
def copy(e: Emitter, op: Operation) -> None:
    assert isinstance(op, CopyOp)
    target, source = e.refs[op.dst], e.refs[op.src]
    size = bytes_of(target.kind)
    total = op.count * size
    e.writes(target.root, None)
    pointers = [
        e.address(ref, [e.index[i] for i in indices])
        for ref, indices in ((target, op.dst_indices), (source, op.src_indices))
    ]
    whole = aligned_part(e, pointers, total)
    if whole < total and op.src_elements is None:
        in_parts(e, pointers, total, whole, target.kind)
        return
    name = f"llvm.nvvm.cp.async.{'cg' if op.bypass_l1 is not None else 'ca'}.shared.global.{total}"
    arguments = shared_and_global(e, pointers)
    if op.src_elements is not None:
        given = e.index[op.src_elements]
        if given.terms:
            arguments.append(("i32", bytes_read(e, e.index_text(given), op.count, size)))
        elif given.constant < op.count:
            arguments.append(("i32", str(max(0, given.constant) * size)))
        if len(arguments) > 2:
            name += ".s"
    e.declare("void", name, *(kind for kind, _ in arguments))
    e.line(f"call void @{name}({', '.join(f'{kind} {text}' for kind, text in arguments)})")


def shared_and_global(e: Emitter, pointers: Sequence[str]) -> list[tuple[str, str]]:
    """Destination and source in their own address spaces."""
    return [
        (f"ptr addrspace({space})", e.op(f"addrspacecast ptr {pointer} to ptr addrspace({space})"))
        for pointer, space in zip(pointers, (3, 1))
    ]


def aligned_part(e: Emitter, pointers: Sequence[str], total: int) -> int:
    """How many of the bytes may be copied at once: what both addresses are known to be multiples of."""
    both = gcd(total, *(e.facts[p].alignment for p in pointers if p in e.facts))
    return both & -both if all(p in e.facts for p in pointers) else 1


def in_parts(e: Emitter, pointers: Sequence[str], total: int, part: int, kind: str) -> None:
    """A copy whose address is not known to be aligned to all of it: smaller ones, below 4 bytes the thread's own."""
    size = max(part, bytes_of(kind))
    for offset in range(0, total, size):
        to, from_ = (e.gep(p, "i8", offset) for p in pointers)
        if size in COPIED_BYTES:
            name = f"llvm.nvvm.cp.async.ca.shared.global.{size}"
            arguments = shared_and_global(e, (to, from_))
            e.declare("void", name, *(k for k, _ in arguments))
            e.line(f"call void @{name}({', '.join(f'{k} {text}' for k, text in arguments)})")
        else:
            value = e.op(f"load {kind}, ptr {from_}, align {size}")
            e.line(f"store {kind} {value}, ptr {to}, align {size}")


def bytes_read(e: Emitter, elements: str, count: int, size: int) -> str:
    """Of a copy of `count` elements of which so many exist."""
    for name, bound in (("smax", 0), ("smin", count)):
        intrinsic = f"llvm.{name}.i64"
        e.declare("i64", intrinsic, "i64", "i64")
        elements = e.op(f"call i64 @{intrinsic}(i64 {elements}, i64 {bound})")
    narrow = e.op(f"trunc i64 {elements} to i32")
    return narrow if size == 1 else e.op(f"mul nuw nsw i32 {narrow}, {size}")


@on_device("nvgpu.device_async_create_group", needs=ARCHITECTURE)
def create_group(e: Emitter, op: Operation) -> None:
    name = "llvm.nvvm.cp.async.commit.group"
    e.declare("void", name)
    e.line(f"call void @{name}()")


@on_device("nvgpu.device_async_wait", needs=ARCHITECTURE)
def wait(e: Emitter, op: Operation) -> None:
    assert isinstance(op, WaitOp)
    newest = op.groups.value.data if op.groups is not None else 0
    name = "llvm.nvvm.cp.async.wait.group"
    e.declare("void", name, "i32")
    e.line(f"call void @{name}(i32 {newest})")
