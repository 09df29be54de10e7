"""Asynchronous copies and products of tensor cores in the interpreter of launches."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from launches import LINE, kernel, numbers, refused, run, shared
from mlc.dialects.nd.op import EXACT
from mlc.runtime.interpret_tensor_cores import fragment
from mlc.runtime.matching import assert_matches

IN = "in_bounds = [true, true]"


def test_a_copy_may_read_less_than_it_writes() -> None:
    tile = shared("4x4xf32")
    body = f"""
    %s = memref.alloc() : {tile}
    %first = arith.muli %t, %c4 : index
    %left = arith.subi %c10, %first : index
    %none = arith.maxsi %left, %c0 : index
    %n = arith.minsi %none, %c4 : index
    %k = nvgpu.device_async_copy %x[%first], %s[%t, %c0], 4, %n : memref<10xf32> to {tile}
    %g = nvgpu.device_async_create_group %k
    nvgpu.device_async_wait %g
    %z = arith.constant 0.0 : f32
    %v = vector.transfer_read %s[%t, %c0], %z {{in_bounds = [true]}} : {tile}, vector<4xf32>
    vector.transfer_write %v, %out[%t, %c0] {{in_bounds = [true]}} : vector<4xf32>, memref<4x4xf32>"""
    x = numbers(10)
    ten = "    %c10 = arith.constant 10 : index\n"
    text = kernel("%x: memref<10xf32>, %out: memref<4x4xf32>", ten + body, 4)
    assert_matches(EXACT, run(text, x), np.concatenate([x, np.zeros(6, "f4")]).reshape(4, 4))


def test_a_copy_wants_aligned_rows() -> None:
    body = f"""
    %s = memref.alloc() : {shared("64xf32")}
    %i = arith.addi %t, %c1 : index
    %k = nvgpu.device_async_copy %x[%i], %s[%c0], 4 : memref<64xf32> to {shared("64xf32")}"""
    refused(
        LINE, body, "expected a source at a multiple of 16 bytes, found element 1 of 4 bytes", numbers(64), threads=1
    )


def test_a_copy_of_less_wants_them_too() -> None:
    body = f"""
    %s = memref.alloc() : {shared("64x4xf32")}
    %i = arith.muli %t, %c3 : index
    %k = nvgpu.device_async_copy %x[%i], %s[%t, %c0], 4, %t : memref<64xf32> to {shared("64x4xf32")}"""
    refused(
        LINE, body, "source at a multiple of 16 bytes, found element 3 of 4 bytes, in thread 1", numbers(64), threads=4
    )


ELEMENTS: dict[str, tuple[Any, str, int]] = {
    "f16": (np.float16, "f32", 2),
    "bf16": (ml_dtypes.bfloat16, "f32", 2),
    "f32": (np.float32, "f32", 1),
    "i8": (np.int8, "i32", 4),
}


@pytest.mark.parametrize("element", ELEMENTS)
def test_products_of_tensor_cores(element: str) -> None:
    """Each thread loads its parts by the maps of `fragment`; sum and product are those of whole matrices."""
    dtype, total, per = ELEMENTS[element]
    k = 8 * per
    shape = f"mmaShape = [16, 8, {k}]{', tf32Enabled' if element == 'f32' else ''}"
    a_type, b_type, c_type = f"vector<4x{per}x{element}>", f"vector<2x{per}x{element}>", f"vector<2x2x{total}>"
    zero = "0" if element == "i8" else "0.0"
    body = f"""
    %z = arith.constant {zero} : {element}
    %y = arith.constant {zero} : {total}
    %fa = vector.transfer_read %a[%t, %c0, %c0], %z {{{IN}}} : memref<32x4x{per}x{element}>, {a_type}
    %fb = vector.transfer_read %bb[%t, %c0, %c0], %z {{{IN}}} : memref<32x2x{per}x{element}>, {b_type}
    %fc = vector.transfer_read %cc[%t, %c0, %c0], %y {{{IN}}} : memref<32x2x2x{total}>, {c_type}
    %d = nvgpu.mma.sync(%fa, %fb, %fc) {{{shape}}} : ({a_type}, {b_type}, {c_type}) -> {c_type}
    vector.transfer_write %d, %out[%t, %c0, %c0] {{{IN}}} : {c_type}, memref<32x2x2x{total}>"""
    arguments = (
        f"%a: memref<32x4x{per}x{element}>, %bb: memref<32x2x{per}x{element}>, %cc: memref<32x2x2x{total}>, "
        f"%out: memref<32x2x2x{total}>"
    )
    sums = np.int32 if total == "i32" else np.float32
    a, b, c = numbers(16, k, dtype=dtype), numbers(k, 8, dtype=dtype, seed=1), numbers(16, 8, dtype=sums, seed=2)
    parts = [x[fragment(word, n, p)] for word, x, n, p in (("a", a, 4, per), ("b", b, 2, per), ("c", c, 2, 2))]
    got = run(kernel(arguments, body, 32), *parts)
    want = a.astype(sums) @ b.astype(sums) + c
    assert_matches(EXACT, got, want[fragment("c", 2, 2)])


def test_fragments_are_those_of_the_ptx_manual() -> None:
    """The formulas of "Matrix Fragments for mma.m16n8k16 with floating point type" and of m16n8k32."""
    for lane in range(32):
        g, t = lane // 4, lane % 4
        rows, columns = fragment("a", 4, 2)
        for i in range(8):
            want = (g if i < 2 or 4 <= i < 6 else g + 8, t * 2 + (i & 1) + (8 if i >= 4 else 0))
            assert (rows[lane, i // 2, i % 2], columns[lane, i // 2, i % 2]) == want
        rows, columns = fragment("b", 2, 2)
        for i in range(4):
            assert (rows[lane, i // 2, i % 2], columns[lane, i // 2, i % 2]) == (
                t * 2 + (i & 1) + (8 if i >= 2 else 0),
                g,
            )
        rows, columns = fragment("a", 4, 4)
        for i in range(16):
            want = (g if i < 4 or 8 <= i < 12 else g + 8, t * 4 + (i & 3) + (16 if i >= 8 else 0))
            assert (rows[lane, i // 4, i % 4], columns[lane, i // 4, i % 4]) == want


def test_a_product_reads_19_bits_of_an_f32() -> None:
    a, b, c = (f"vector<{n}xf32>" for n in ("4x1", "2x1", "2x2"))
    body = f"""
    %fa = arith.constant dense<1.00048828125> : {a}
    %fb = arith.constant dense<1.0> : {b}
    %fc = arith.constant dense<0.0> : {c}
    %d = nvgpu.mma.sync(%fa, %fb, %fc) {{mmaShape = [16, 8, 8], tf32Enabled}} : ({a}, {b}, {c}) -> {c}
    vector.transfer_write %d, %out[%t, %c0, %c0] {{{IN}}} : {c}, memref<32x2x2xf32>"""
    assert_matches(EXACT, run(kernel("%out: memref<32x2x2xf32>", body, 32)), np.full((32, 2, 2), 8, "f4"))


def test_tensor_cores_want_whole_warps() -> None:
    a, b, c = (f"vector<{n}xf16>" for n in ("4x2", "2x2", "2x2"))
    body = f"""
    %low = arith.cmpi ult, %t, %c16 : index
    scf.if %low {{
      %fa = arith.constant dense<1.0> : {a}
      %fb = arith.constant dense<1.0> : {b}
      %d = nvgpu.mma.sync(%fa, %fb, %fb) {{mmaShape = [16, 8, 16]}} : ({a}, {b}, {c}) -> {c}
    }}"""
    refused("%out: memref<1xf32>", body, "divergent warp: expected all 32 threads of a warp, found 16")
