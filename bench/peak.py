"""What one core can move at most: its best loops of reads and writes, as LLVM IR text like those of multiply-adds
(`compiler/peak.py`)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from mlc.compiler.machine import Machine
from mlc.compiler.peak import Loop, best_loop, linked, seconds

from .results import Row


def read_text(lanes: int, streams: int, unroll: int = 4) -> str:
    """A function (n, data) that reads `streams` pieces of n vectors each, one beside the other."""
    vector = f"<{lanes} x i32>"
    parts = [(s, u) for s in range(streams) for u in range(unroll)]
    phis, steps = [], []
    for s, u in parts:
        phis.append(f"  %acc{s}.{u} = phi {vector} [zeroinitializer, %entry], [%next{s}.{u}, %loop]")
        steps += [
            f"  %at{s}.{u} = getelementptr {vector}, ptr %piece{s}, i64 %i{u}",
            f"  %v{s}.{u} = load {vector}, ptr %at{s}.{u}, align 64",
            f"  %next{s}.{u} = or {vector} %acc{s}.{u}, %v{s}.{u}",
        ]
    pieces = [
        line
        for s in range(streams)
        for line in (f"  %skip{s} = mul i64 %n, {s}", f"  %piece{s} = getelementptr {vector}, ptr %data, i64 %skip{s}")
    ]
    sums = [f"  store volatile {vector} %next{s}.{u}, ptr %out, align 4" for s, u in parts]
    return "\n".join(
        [
            'define void @loop(i64 %n, ptr %data, ptr %out) nounwind "min-legal-vector-width"="512" {',
            "entry:",
            *pieces,
            "  br label %loop",
            "loop:",
            "  %i0 = phi i64 [0, %entry], [%up, %loop]",
            *phis,
            *(f"  %i{u} = add i64 %i0, {u}" for u in range(1, unroll)),
            *steps,
            f"  %up = add i64 %i0, {unroll}",
            "  %more = icmp ult i64 %up, %n",
            "  br i1 %more, label %loop, label %done",
            "done:",
            *sums,
            "  ret void",
            "}\n",
        ]
    )


MOVED = """
define void @loop(i64 %copied, i64 %read, i64 %written, i64 %times, ptr %x, ptr %y) #0 {
entry:
  br label %again
again:
  %t = phi i64 [0, %entry], [%t.up, %next]
  %any = icmp ult i64 0, %copied
  br i1 %any, label %copy, label %reads
copy:
  %i = phi i64 [0, %again], [%i.up, %copy]
COPY
  %i.up = add i64 %i, 4
  %i.more = icmp ult i64 %i.up, %copied
  br i1 %i.more, label %copy, label %reads
reads:
  %some = icmp ult i64 %copied, %read
  br i1 %some, label %load, label %writes
load:
  %j = phi i64 [%copied, %reads], [%j.up, %load]
READ
  %j.up = add i64 %j, 4
  %j.more = icmp ult i64 %j.up, %read
  br i1 %j.more, label %load, label %writes
writes:
  %rest = icmp ult i64 %copied, %written
  br i1 %rest, label %store, label %next
store:
  %k = phi i64 [%copied, %writes], [%k.up, %store]
WRITE
  %k.up = add i64 %k, 4
  %k.more = icmp ult i64 %k.up, %written
  br i1 %k.more, label %store, label %next
next:
  %t.up = add i64 %t, 1
  %more = icmp ult i64 %t.up, %times
  br i1 %more, label %again, label %done
done:
  ret void
}
attributes #0 = { nounwind "min-legal-vector-width"="512" }
!0 = !{i32 1}
"""


def moved_text(lanes: int, streamed: bool) -> str:
    """A function that copies vectors, reads more or writes more of them, `times` times; four vectors at once."""
    vector, hint = f"<{lanes} x i32>", ", !nontemporal !0" if streamed else ""
    parts: dict[str, list[str]] = {"COPY": [], "READ": [], "WRITE": []}
    for u in range(4):
        for name, at in (("COPY", "i"), ("READ", "j"), ("WRITE", "k")):
            parts[name].append(f"  %{at}{u} = add i64 %{at}, {u}")
        for name, at in (("COPY", "i"), ("READ", "j")):
            parts[name].append(f"  %x{at}{u} = getelementptr {vector}, ptr %x, i64 %{at}{u}")
            volatile = "" if name == "COPY" else "volatile "
            parts[name].append(f"  %v{at}{u} = load {volatile}{vector}, ptr %x{at}{u}, align 64")
        for name, at in (("COPY", "i"), ("WRITE", "k")):
            value = f"%v{at}{u}" if name == "COPY" else "zeroinitializer"
            parts[name].append(f"  %y{at}{u} = getelementptr {vector}, ptr %y, i64 %{at}{u}")
            parts[name].append(f"  store {vector} {value}, ptr %y{at}{u}, align 64{hint}")
    text = MOVED
    for name, lines in parts.items():
        text = text.replace(name, "\n".join(lines))
    return text


SHORT = 50e-6
"""Seconds of a loop that is repeated until it takes so long: calls take about one."""


@lru_cache(8)
def best_move(read: int, written: int) -> Loop:
    """The fastest loop that reads and writes so many bytes, what is written a copy of what is read as far as that goes,
    where they lie in the caches after the last time; its `operations` are times."""
    lanes = Machine.host().lanes(4)
    width = 4 * lanes
    block = lambda size: -(-size // (4 * width)) * 4
    counts = (block(min(read, written)), block(read), block(written))
    data = [np.ones((max(n, 4) + 1) * width, np.uint8) for n in counts[1:]]
    x, y = (-a.ctypes.data % width + a.ctypes.data for a in data)
    loops: list[Loop] = []
    for streamed in (False, True):
        call, code = linked(moved_text(lanes, streamed), 6, whole=4)
        once = min(seconds(lambda call=call: call(*counts, 1, x, y), 3) for _ in range(2))
        times = max(1, int(SHORT / once))
        run = lambda call=call, times=times: call(*counts, times, x, y)
        loops.append(Loop(run, float(times), (code, data)))
    return max(loops, key=lambda loop: loop.operations / seconds(loop.run, 5))


def read_bytes() -> int:
    """How much has to be read for nothing of it to come from a cache."""
    return min(max(256 << 20, 2 * Machine.host().l3_bytes), 1 << 30)


@lru_cache
def best_read(size: int | None = None) -> Loop:
    """The fastest loop that reads so many bytes of memory; its `operations` are bytes."""
    lanes = Machine.host().lanes(4)
    size = size or read_bytes()
    data = np.ones(size + 64, np.uint8)
    start, out = -data.ctypes.data % 64 + data.ctypes.data, np.empty(lanes, np.int32)
    loops: list[Loop] = []
    for streams in (1, 2, 4):
        call, code = linked(read_text(lanes, streams), 3)
        vectors = size // (4 * lanes * streams) // 4 * 4
        run = lambda call=call, n=vectors: call(n, start, out.ctypes.data)
        loops.append(Loop(run, float(vectors * streams * 4 * lanes), (code, data, out)))
    return max(loops, key=lambda loop: loop.operations / seconds(loop.run, 3))


def rows() -> list[Row]:
    """GFLOP/s by type, of the median call, and GB/s of reads."""
    found: list[Row] = []
    for dtype in ("float32", "bfloat16", "int8"):
        loop = best_loop(dtype)
        if loop is None:
            found.append(Row(f"peak_{dtype}", float("nan"), "G/s", note="no such instruction in this CPU"))
        else:
            found.append(Row(f"peak_{dtype}", loop.operations / seconds(loop.run, 50) / 1e9, "G/s"))
    read = best_read()
    note = f"{read_bytes() >> 20} MiB"
    return [*found, Row("peak_read", read.operations / seconds(read.run, 5) / 1e9, "G/s", note=note)]
