"""Stores past the caches: where they are, that memory may lie anywhere, that only the loops around them stand twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emit_cases import function, native
from mlc.dialects.nd.op import EXACT
from mlc.lowering.emit.kernel import emit_kernel
from mlc.runtime.matching import assert_matches

Array = np.ndarray[Any, np.dtype[np.float32]]

ALONE = """func.func @k(%x: memref<4x{n}xf32>, %y: memref<4x{n}xf32>) {{
  %i = arith.constant {start} : index
  %z = arith.constant 0.0 : f32
  %v = vector.transfer_read %x[%i, %i], %z {{in_bounds = [true, true]}} : memref<4x{n}xf32>, vector<2x32xf32>
  vector.transfer_write %v, %y[%i, %i] {{in_bounds = [true, true], nontemporal}} : vector<2x32xf32>, memref<4x{n}xf32>
  func.return
}}"""

HEAD = """func.func @k(%x: memref<4x64xf32>, %out: memref<4x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
"""

NESTED = f"""{HEAD}  scf.for %i = %c0 to %c4 step %c1 {{
    scf.for %j = %c0 to %c64 step %c32 {{
      %v = vector.transfer_read %x[%i, %j], %z {{in_bounds = [true]}} : memref<4x64xf32>, vector<32xf32>
      vector.transfer_write %v, %out[%i, %j] {{in_bounds = [true], nontemporal}} : vector<32xf32>, memref<4x64xf32>
    }}
  }}
  func.return
}}"""

ACCUMULATED = f"""{HEAD}  %w = arith.constant dense<1.0> : vector<64xf32>
  %t = scf.for %i = %c0 to %c4 step %c1 iter_args(%s = %w) -> (vector<64xf32>) {{
    %r = scf.for %k = %c0 to %c4 step %c1 iter_args(%a = %s) -> (vector<64xf32>) {{
      %v = vector.transfer_read %x[%k, %c0], %z {{in_bounds = [true]}} : memref<4x64xf32>, vector<64xf32>
      %m = arith.maximumf %a, %v : vector<64xf32>
      scf.yield %m : vector<64xf32>
    }}
    vector.transfer_write %r, %out[%i, %c0] {{in_bounds = [true], nontemporal}} : vector<64xf32>, memref<4x64xf32>
    %d = arith.addf %r, %w : vector<64xf32>
    scf.yield %d : vector<64xf32>
  }}
  %h = arith.mulf %t, %t : vector<64xf32>
  vector.transfer_write %h, %out[%c0, %c0] {{in_bounds = [true], nontemporal}} : vector<64xf32>, memref<4x64xf32>
  func.return
}}"""

PARALLEL = f"""{HEAD}  scf.parallel (%i, %j) = (%c0, %c0) to (%c4, %c64) step (%c1, %c32) {{
    %v = vector.transfer_read %x[%i, %j], %z {{in_bounds = [true]}} : memref<4x64xf32>, vector<32xf32>
    vector.transfer_write %v, %out[%i, %j] {{in_bounds = [true], nontemporal}} : vector<32xf32>, memref<4x64xf32>
    scf.reduce
  }}
  func.return
}}"""


def corner(x: Array) -> Array:
    out = np.full_like(x.view(np.uint8), 0xFF).view(np.float32)
    out[:2, :32] = x[:2, :32]
    return out


def accumulated(x: Array) -> Array:
    s, rows = np.ones(64, np.float32), list[Array]()
    for _ in range(4):
        rows.append(np.maximum(s, x.max(0)))
        s = rows[-1] + np.float32(1)
    return np.stack([s * s, *rows[1:]])


KERNELS: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "alone": (ALONE.format(n=64, start=0), corner),
    "nested": (NESTED, np.copy),
    "accumulated": (ACCUMULATED, accumulated),
    "parallel": (PARALLEL, np.copy),
}


@pytest.mark.parametrize("offset", [0, 4, 16, 60])
@pytest.mark.parametrize("name", KERNELS)
def test_streamed_results_may_lie_anywhere(name: str, offset: int) -> None:
    text, reference = KERNELS[name]
    run = native(text)
    x = np.random.default_rng(0).standard_normal((4, 64), np.float32)
    space = np.full(x.nbytes + 128, 0xFF, np.uint8)
    start = -space.ctypes.data % 64 + offset
    out = space[start : start + x.nbytes].view(np.float32).reshape(4, 64)
    run(x, out)
    assert_matches(EXACT, out.view(np.uint32), reference(x).view(np.uint32))
    assert (space[:start] == 0xFF).all() and (space[start + x.nbytes :] == 0xFF).all()


def test_streaming_stores_only_where_lines_are_aligned_if_the_buffer_is() -> None:
    def code(n: int, start: int) -> str:
        return emit_kernel(function(ALONE.format(n=n, start=start))).llvm_ir

    assert code(64, 0).count("!nontemporal") == 4
    for n, start in ((65, 0), (64, 1)):
        assert "!nontemporal" not in code(n, start)


@pytest.mark.parametrize("name, loops", [("alone", 0), ("nested", 3), ("accumulated", 4), ("parallel", 4)])
def test_only_the_loop_around_a_store_stands_twice(name: str, loops: int) -> None:
    text = emit_kernel(function(KERNELS[name][0])).llvm_ir
    assert sum(line.startswith("loop") for line in text.splitlines()) == loops


def test_a_part_of_a_parallel_loop_stands_twice() -> None:
    text = emit_kernel(function(PARALLEL), threads=2).llvm_ir
    parts = [part for part in text.split("define ") if part.startswith("internal")]
    assert ["!nontemporal" in part for part in parts] == [True, False]
