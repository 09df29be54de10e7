"""Kernels that a card may run without complaint, each with the fault that the interpreter of launches must name.

Every kernel is tried as it should be, too: then it computes what it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from launches import Array, kernel, numbers, run, shared
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches

S256, S512, S2 = shared("256xf32"), shared("512xf32"), shared("2x64xf32")

REVERSE = f"""
    %s = memref.alloc() : {S256}
    %v = memref.load %x[%t] : memref<256xf32>
    memref.store %v, %s[%t] : {S256}
    gpu.barrier
    %last = arith.constant 255 : index
    %other = arith.subi %last, %t : index
    %w = memref.load %s[%other] : {S256}
    memref.store %w, %out[%t] : memref<256xf32>"""

COPY = f"""
    %s = memref.alloc() : {S256}
    %k = nvgpu.device_async_copy %x[%t], %s[%t], 1 : memref<256xf32> to {S256}
    %g = nvgpu.device_async_create_group %k
    nvgpu.device_async_wait %g {{numGroups = 0 : i32}}
    gpu.barrier
    %last = arith.constant 255 : index
    %other = arith.subi %last, %t : index
    %w = memref.load %s[%other] : {S256}
    memref.store %w, %out[%t] : memref<256xf32>"""

VIEW = "memref<256xf32, strided<[1], offset: ?>, #gpu.address_space<workgroup>>"
TWO_TILES = f"""
    %s = memref.alloc() : {S512}
    %p = memref.reinterpret_cast %s to offset: [%c0], sizes: [256], strides: [1] : {S512} to {VIEW}
    %q = memref.reinterpret_cast %s to offset: [%c256], sizes: [256], strides: [1] : {S512} to {VIEW}
    %v = memref.load %x[%t] : memref<256xf32>
    %n = arith.negf %v : f32
    memref.store %v, %p[%t] : {VIEW}
    memref.store %n, %q[%t] : {VIEW}
    gpu.barrier
    %last = arith.constant 255 : index
    %other = arith.subi %last, %t : index
    %a = memref.load %p[%t] : {VIEW}
    %c = memref.load %q[%other] : {VIEW}
    %w = arith.subf %a, %c : f32
    memref.store %w, %out[%t] : memref<256xf32>"""

RING = f"""
    %s = memref.alloc() : {S2}
    %first = nvgpu.device_async_copy %x[%c0, %t], %s[%c0, %t], 1 : memref<4x64xf32> to {S2}
    %g = nvgpu.device_async_create_group %first
    %zero = arith.constant 0.0 : f32
    %end = arith.constant 63 : index
    %other = arith.subi %end, %t : index
    %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> (f32) {{
      %next = arith.addi %i, %c1 : index
      %there = arith.cmpi ult, %next, %c4 : index
      scf.if %there {{
        %into = arith.remui %next, %c2 : index
        %k = nvgpu.device_async_copy %x[%next, %t], %s[%into, %t], 1 : memref<4x64xf32> to {S2}
      }}
      %h = nvgpu.device_async_create_group
      nvgpu.device_async_wait %h {{numGroups = 1 : i32}}
      gpu.barrier
      %stage = arith.remui %i, %c2 : index
      %v = memref.load %s[%stage, %other] : {S2}
      %w = arith.addf %acc, %v : f32
      gpu.barrier
      scf.yield %w : f32
    }}
    memref.store %sum, %out[%t] : memref<64xf32>"""

TILE, TILE_B = shared("16x16xf16"), shared("16x8xf16")
PRODUCT = f"""
    %s = memref.alloc() : {TILE}
    %u = memref.alloc() : {TILE_B}
    %r = arith.remui %t, %c16 : index
    %h = arith.divui %t, %c16 : index
    %col = arith.muli %h, %c8 : index
    %z = arith.constant 0.0 : f16
    %va = vector.transfer_read %x[%r, %col], %z {{in_bounds = [true]}} : memref<16x16xf16>, vector<8xf16>
    vector.transfer_write %va, %s[%r, %col] {{in_bounds = [true]}} : vector<8xf16>, {TILE}
    %half = arith.muli %h, %c4 : index
    %vb = vector.transfer_read %y[%r, %half], %z {{in_bounds = [true]}} : memref<16x8xf16>, vector<4xf16>
    vector.transfer_write %vb, %u[%r, %half] {{in_bounds = [true]}} : vector<4xf16>, {TILE_B}
    gpu.barrier
    %fa = nvgpu.ldmatrix %s[%r, %col] {{numTiles = 4 : i32, transpose = false}} : {TILE} -> vector<4x2xf16>
    %fb = nvgpu.ldmatrix %u[%r, %c0] {{numTiles = 2 : i32, transpose = true}} : {TILE_B} -> vector<2x2xf16>
    %zero = arith.constant dense<0.0> : vector<2x2xf32>
    %d = nvgpu.mma.sync(%fa, %fb, %zero) {{mmaShape = [16, 8, 16]}} :
      (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>
    %row = arith.divui %t, %c4 : index
    %below = arith.addi %row, %c8 : index
    %q = arith.remui %t, %c4 : index
    %at = arith.muli %q, %c2 : index
    %d0 = vector.extract %d[0] : vector<2xf32> from vector<2x2xf32>
    %d1 = vector.extract %d[1] : vector<2xf32> from vector<2x2xf32>
    vector.transfer_write %d0, %out[%row, %at] {{in_bounds = [true]}} : vector<2xf32>, memref<16x8xf32>
    vector.transfer_write %d1, %out[%below, %at] {{in_bounds = [true]}} : vector<2xf32>, memref<16x8xf32>"""

FOLD = f"""
    %s = memref.alloc() : {S256}
    %v = memref.load %x[%t] : memref<256xf32>
    memref.store %v, %s[%t] : {S256}
    gpu.barrier
    %low = arith.cmpi ult, %t, %c128 : index
    scf.if %low {{
      %far = arith.addi %t, %c128 : index
      %a = memref.load %s[%t] : {S256}
      %c = memref.load %s[%far] : {S256}
      %w = arith.addf %a, %c : f32
      memref.store %w, %out[%t] : memref<128xf32>
    }}"""


@dataclass(frozen=True)
class Case:
    """A kernel, the change that breaks it, and what is said then; None: nothing, but the result is wrong."""

    body: str
    arguments: str
    inputs: tuple[Array, ...]
    want: Array
    right: str
    broken: str
    error: str | None
    threads: int = 256


LINE = numbers(256)
ROWS = numbers(4, 64)
LEFT, RIGHT = numbers(16, 16, dtype=np.float16), numbers(16, 8, dtype=np.float16, seed=1)
ONE = "%x: memref<256xf32>, %out: memref<256xf32>"
BARRIER = "    gpu.barrier\n"
CASES = {
    "missing barrier": Case(
        *(REVERSE, ONE, (LINE,), LINE[::-1], BARRIER, ""),
        r"memref\.load: race: a read of what another thread writes: thread 0 of block 0 reads element 255 of workgroup "
        r"memory, which thread 255 of block 0 wrote with no barrier between\n.*%w = (.|\n)*"
        r"note: <string>:\d+:\d+: the other access is memref\.store",
    ),
    "missing wait": Case(
        *(COPY, ONE, (LINE,), LINE[::-1], "    nvgpu.device_async_wait %g {numGroups = 0 : i32}\n", ""),
        r"memref\.load: missing wait: thread 0 of block 0 reads element 255 of workgroup memory, which thread 255 is "
        r"still copying\n(.|\n)*note: <string>:\d+:\d+: the copy begins here",
    ),
    "missing barrier after a wait": Case(
        *(COPY, ONE, (LINE,), LINE[::-1], BARRIER, ""),
        r"memref\.load: race: a read .* the other access is nvgpu\.device_async_copy".replace(" .* ", r"(.|\n)*"),
    ),
    "wrong wait count": Case(
        *(RING, "%x: memref<4x64xf32>, %out: memref<64xf32>", (ROWS,), ROWS.sum(0)[::-1]),
        *("{numGroups = 1 : i32}", "{numGroups = 2 : i32}"),
        r"memref\.load: the wait leaves the group in flight, for 1 of the thread's groups are newer: thread 0 (.|\n)*"
        r"note: <string>:\d+:\d+: the copy begins here\nnote: <string>:\d+:\d+: the wait that does not cover it",
        64,
    ),
    "overlapping shared tiles": Case(
        *(TWO_TILES, ONE, (LINE,), LINE + LINE[::-1], "offset: [%c256]", "offset: [%c128]"),
        r"memref\.store: race: two threads write one element: thread 0 of block 0 writes element 128 of workgroup "
        r"memory, which thread 128 of block 0 wrote(.|\n)*the other access is memref\.store",
    ),
    "write after read on a ring stage": Case(
        *(RING, "%x: memref<4x64xf32>, %out: memref<64xf32>", (ROWS,), ROWS.sum(0)[::-1]),
        *(f"{BARRIER.rstrip()}\n      scf.yield".replace("    gpu", "      gpu"), "      scf.yield"),
        r"nvgpu\.device_async_copy: race: a write of what another thread reads: thread 0 of block 0 writes element 0 "
        r"of workgroup memory, which thread 63 of block 0 read with no barrier(.|\n)*the other access is memref\.load",
        64,
    ),
    "wrong lane map": Case(
        *(PRODUCT, "%x: memref<16x16xf16>, %y: memref<16x8xf16>, %out: memref<16x8xf32>", (LEFT, RIGHT)),
        (LEFT.astype(np.float32) @ RIGHT.astype(np.float32)),
        *("{numTiles = 2 : i32, transpose = true}", "{numTiles = 2 : i32, transpose = false}", None, 32),
    ),
    "shared index out of range": Case(
        *(FOLD, "%x: memref<256xf32>, %out: memref<128xf32>", (LINE,), LINE[:128] + LINE[128:]),
        *("arith.addi %t, %c128 : index", "arith.addi %t, %size : index"),
        r"memref\.load: expected index 0 in \[0, 256\), found 256, in thread 0 of block 0\n.*%c = memref\.load",
    ),
    "divergent barrier": Case(
        *(FOLD, "%x: memref<256xf32>, %out: memref<128xf32>", (LINE,), LINE[:128] + LINE[128:]),
        *("    scf.if %low {\n", "    scf.if %low {\n      gpu.barrier\n"),
        r"gpu\.barrier: divergent barrier: expected all 256 threads of the block, found 128; thread 128 of block 0 "
        r"does not reach it",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_kernel_is_right(name: str) -> None:
    case = CASES[name]
    assert case.body.count(case.right) == 1 or case.right == BARRIER
    assert_matches(EXACT, run(kernel(case.arguments, case.body, case.threads), *case.inputs), case.want)


@pytest.mark.parametrize("name", CASES)
def test_the_fault_is_found(name: str) -> None:
    case = CASES[name]
    text = kernel(case.arguments, case.body.replace(case.right, case.broken), case.threads)
    if case.error is None:
        with pytest.raises(AssertionError):
            assert_matches(EXACT, run(text, *case.inputs), case.want)
        return
    with pytest.raises(CompileError) as error:
        run(text, *case.inputs)
    assert re.search(case.error, str(error.value)), str(error.value)


def test_threads_of_a_launch_without_barriers_yet_go_together() -> None:
    """What `lower-loop` makes: op by op, until `insert-barriers` has seen it."""
    case = CASES["missing barrier"]
    text = kernel(case.arguments, case.body.replace(case.right, ""), case.threads)
    early = text.replace("    gpu.terminator\n  }", "    gpu.terminator\n  } {mlc.lockstep}")
    assert_matches(EXACT, run(early, *case.inputs), case.want)
