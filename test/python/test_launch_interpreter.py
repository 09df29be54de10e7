"""Launches in the interpreter: what right kernels compute, and the errors of wrong ones, one rule a test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from launches import LINE, Array, kernel, numbers, refused, run, shared
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime.interpret_launch import shuffled
from mlc.runtime.interpret_vector import call_kernel
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches


# ---- threads and their ways
def test_every_thread_of_every_block_writes_its_element() -> None:
    body = """
    %base = arith.muli %b, %c32 : index
    %i = arith.addi %base, %t : index
    %v = memref.load %x[%i] : memref<64xf32>
    %w = arith.addf %v, %v : f32
    memref.store %w, %out[%i] : memref<64xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel(LINE, body, 32, 2), x), 2 * x)


def test_blocks_and_threads_have_three_dimensions() -> None:
    text = """func.func @f(%out: memref<2x3x4x5xindex>) {
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %c5 = arith.constant 5 : index
      gpu.launch blocks(%bx, %by, %bz) in (%gx = %c3, %gy = %c2, %gz = %c1)
                 threads(%tx, %ty, %tz) in (%sx = %c5, %sy = %c4, %sz = %c1) {
        %v = affine.apply affine_map<(a, b, c, d) -> (a * 1000 + b * 100 + c * 10 + d)> (%by, %bx, %ty, %tx)
        memref.store %v, %out[%by, %bx, %ty, %tx] : memref<2x3x4x5xindex>
        gpu.terminator
      }
      func.return
    }"""
    a, b, c, d = np.ogrid[:2, :3, :4, :5]
    assert_matches(EXACT, run(text), a * 1000 + b * 100 + c * 10 + d)


def test_a_condition_that_differs_runs_both_sides() -> None:
    body = """
    %low = arith.cmpi ult, %t, %c16 : index
    %v = memref.load %x[%t] : memref<64xf32>
    %r = scf.if %low -> (f32) {
      %four = arith.cmpi ult, %t, %c4 : index
      %n = scf.if %four -> (f32) {
        %m = arith.negf %v : f32
        scf.yield %m : f32
      } else {
        scf.yield %v : f32
      }
      scf.yield %n : f32
    } else {
      %i = arith.subi %t, %c16 : index
      %w = memref.load %x[%i] : memref<64xf32>
      scf.yield %w : f32
    }
    memref.store %r, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel(LINE, body, 64), x), np.concatenate([-x[:4], x[4:16], x[:48]]))


@pytest.mark.parametrize(("low", "high"), [("%t", "%c64"), ("%c0", "%t"), ("%c4", "%t")])
def test_trips_of_loops_may_differ(low: str, high: str) -> None:
    body = f"""
    %zero = arith.constant 0.0 : f32
    %r = scf.for %i = {low} to {high} step %c3 iter_args(%acc = %zero) -> (f32) {{
      %v = memref.load %x[%i] : memref<64xf32>
      %w = arith.addf %acc, %v : f32
      scf.yield %w : f32
    }}
    memref.store %r, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    bounds = {"%c0": 0, "%c4": 4, "%c64": 64}
    want = [x[bounds.get(low, t) : bounds.get(high, t) : 3].sum() for t in range(64)]
    assert_matches(EXACT, run(kernel(LINE, body, 64), x), np.array(want, "f4"))


def test_vectors_of_a_thread() -> None:
    """Transfers, products, reductions and parts of vectors have the threads' axis in front of their own."""
    body = """
    %z = arith.constant 0.0 : f32
    %a = vector.transfer_read %x[%t, %c0], %z {in_bounds = [true]} : memref<8x16xf32>, vector<16xf32>
    %m = vector.shape_cast %a : vector<16xf32> to vector<4x4xf32>
    %n = vector.transpose %m, [1, 0] : vector<4x4xf32> to vector<4x4xf32>
    %zero = arith.constant dense<1.0> : vector<4x4xf32>
    %p = vector.contract {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} %m, %n, %zero
      : vector<4x4xf32>, vector<4x4xf32> into vector<4x4xf32>
    %row = vector.extract %p[1] : vector<4xf32> from vector<4x4xf32>
    %q = vector.insert %row, %p[0] : vector<4xf32> into vector<4x4xf32>
    %none = arith.constant dense<0.0> : vector<4xf32>
    %s = vector.multi_reduction <add>, %q, %none [1] : vector<4x4xf32> to vector<4xf32>
    %one = vector.reduction <maximumf>, %s : vector<4xf32> into f32
    %all = vector.broadcast %one : f32 to vector<4xf32>
    %odd = arith.remui %t, %c2 : index
    %even = arith.cmpi eq, %odd, %c0 : index
    %r = arith.select %even, %s, %all : vector<4xf32>
    vector.transfer_write %r, %out[%t, %c0] {in_bounds = [true]} : vector<4xf32>, memref<8x4xf32>"""
    x = numbers(8, 16)
    m = x.reshape(8, 4, 4)
    p: Array = m @ m.transpose(0, 2, 1) + 1
    p[:, 0] = p[:, 1]
    s: Array = p.sum(2)
    want: Array = np.where((np.arange(8) % 2 == 0)[:, None], s, s.max(1, keepdims=True))
    assert_matches(EXACT, run(kernel("%x: memref<8x16xf32>, %out: memref<8x4xf32>", body, 8), x), want)


def test_a_gather_reads_where_the_mask_allows() -> None:
    body = """
    %s = vector.step : vector<4xindex>
    %limit = vector.broadcast %t : index to vector<4xindex>
    %mask = arith.cmpi ule, %s, %limit : vector<4xindex>
    %none = arith.constant dense<-1.0> : vector<4xf32>
    %v = vector.gather %x[%t] [%s], %mask, %none : memref<8xf32>, vector<4xindex>, vector<4xi1>, vector<4xf32>
      into vector<4xf32>
    vector.transfer_write %v, %out[%t, %c0] {in_bounds = [true]} : vector<4xf32>, memref<4x4xf32>"""
    x = numbers(8)
    t, s = np.ogrid[:4, :4]
    want = np.where(s <= t, x[t + s], np.float32(-1))
    assert_matches(EXACT, run(kernel("%x: memref<8xf32>, %out: memref<4x4xf32>", body, 4), x), want)


def test_views_may_begin_elsewhere_in_each_thread() -> None:
    body = """
    %i = arith.muli %t, %c4 : index
    %m = memref.reinterpret_cast %x to offset: [%i], sizes: [4], strides: [1]
      : memref<64xf32> to memref<4xf32, strided<[1], offset: ?>>
    %v = memref.load %m[%c3] : memref<4xf32, strided<[1], offset: ?>>
    memref.store %v, %out[%t] : memref<16xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel("%x: memref<64xf32>, %out: memref<16xf32>", body, 16), x), x[3::4])


def test_a_thread_has_memory_of_its_own() -> None:
    own = "memref<4xf32, #gpu.address_space<private>>"
    body = f"""
    %p = memref.alloca() : {own}
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %p[%c3] : {own}
    %w = memref.load %p[%c3] : {own}
    memref.store %w, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel(LINE, body, 64), x), x)
    unwritten = body.replace(f"%w = memref.load %p[%c3] : {own}", f"%w = memref.load %p[%c2] : {own}")
    refused(LINE, unwritten, "thread 0 of block 0 reads element 2 of its own memory, which nothing has written", x)


# ---- what threads do together
@pytest.mark.parametrize("width", [4, 32])
@pytest.mark.parametrize("mode", ["xor", "up", "down", "idx"])
def test_shuffles(mode: str, width: int) -> None:
    """Against PTX's own definition, lane by lane."""
    body = f"""
    %v = memref.load %x[%t] : memref<64xf32>
    %o = arith.constant 3 : i32
    %w = arith.constant {width} : i32
    %r, %p = gpu.shuffle {mode} %v, %o, %w : f32
    %none = arith.constant -9.0 : f32
    %s = arith.select %p, %r, %none : f32
    memref.store %s, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    want: list[Any] = []
    for thread in range(64):
        lane, segment = thread % 32, 32 - width
        clamp = 0 if mode == "up" else 31
        last = (lane & segment) | (clamp & ~segment & 31)
        j = {"xor": lane ^ 3, "up": lane - 3, "down": lane + 3, "idx": (lane & segment) | (3 & ~segment)}[mode]
        valid = j >= last if mode == "up" else j <= last
        want.append(x[thread - lane + j] if valid else -9)
    assert_matches(EXACT, run(kernel(LINE, body, 64), x), np.array(want, "f4"))


def test_an_invalid_lane_keeps_its_own_value() -> None:
    lanes = np.arange(8)
    source, valid = shuffled("down", lanes, np.full(8, 2), np.full(8, 4))
    assert source.tolist() == [2, 3, 2, 3, 6, 7, 6, 7] and valid.tolist() == [True, True, False, False] * 2


def test_a_block_adds_its_elements() -> None:
    """Shuffles in a warp, one store for each, a barrier, and the rest by the first warp."""
    adds = "\n".join(
        f"""    %o{k} = arith.constant {k} : i32
    %r{k}, %p{k} = gpu.shuffle xor %v{2 * k}, %o{k}, %w : f32
    %v{k} = arith.addf %v{2 * k}, %r{k} : f32"""
        for k in (16, 8, 4, 2, 1)
    )
    body = f"""
    %s = memref.alloc() : {shared("4xf32")}
    %w = arith.constant 32 : i32
    %base = arith.muli %b, %c128 : index
    %i = arith.addi %base, %t : index
    %v32 = memref.load %x[%i] : memref<384xf32>
{adds}
    %lane = arith.remui %t, %c32 : index
    %warp = arith.divui %t, %c32 : index
    %first = arith.cmpi eq, %lane, %c0 : index
    scf.if %first {{
      memref.store %v1, %s[%warp] : {shared("4xf32")}
    }}
    gpu.barrier
    %one = arith.cmpi eq, %t, %c0 : index
    scf.if %one {{
      %z = arith.constant 0.0 : f32
      %a = vector.transfer_read %s[%c0], %z {{in_bounds = [true]}} : {shared("4xf32")}, vector<4xf32>
      %sum = vector.reduction <add>, %a : vector<4xf32> into f32
      memref.store %sum, %out[%b] : memref<3xf32>
    }}"""
    x = numbers(384)
    text = kernel("%x: memref<384xf32>, %out: memref<3xf32>", body, 128, 3)
    assert_matches(EXACT, run(text, x), x.reshape(3, 128).sum(1))


def test_a_part_of_a_warp_cannot_shuffle() -> None:
    body = """
    %low = arith.cmpi ult, %t, %c16 : index
    %o = arith.constant 1 : i32
    %w = arith.constant 32 : i32
    scf.if %low {
      %v = memref.load %x[%t] : memref<64xf32>
      %r, %p = gpu.shuffle xor %v, %o, %w : f32
    }"""
    refused(LINE, body, "divergent shuffle: expected all 32 threads of a warp, found 16", numbers(64))
    body = body.replace("%low = arith.cmpi ult, %t, %c16", "%low = arith.cmpi ult, %t, %c64")
    refused(
        LINE, body, "thread 39 of block 0 reads the value of thread 38|reads .* not active", numbers(64), threads=39
    )


# ---- memory
def test_shared_memory_must_be_written_before_it_is_read() -> None:
    body = f"""
    %s = memref.alloc() : {shared("64xf32")}
    %v = memref.load %s[%t] : {shared("64xf32")}
    memref.store %v, %out[%t] : memref<64xf32>"""
    refused(
        LINE, body, "thread 0 of block 0 reads element 0 of workgroup memory, which nothing has written", numbers(64)
    )


def test_an_index_out_of_bounds_names_its_thread() -> None:
    body = """
    %i = arith.addi %t, %c4 : index
    %v = memref.load %x[%i] : memref<64xf32>
    memref.store %v, %out[%t] : memref<64xf32>"""
    error = r"expected index 0 in \[0, 64\), found 64, in thread 60 of block 0"
    refused(LINE, body, error, numbers(64))
    guarded = f"""
    %ok = arith.cmpi ult, %t, %c32 : index
    scf.if %ok {{{body}
    }}"""
    out = run(kernel(LINE, guarded, 64), x := numbers(64))
    assert_matches(EXACT, out[:32], x[4:36])


def test_blocks_may_write_equal_values_to_one_place_only() -> None:
    body = """
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel(LINE, body, 64, 3), x), x)
    other = body.replace("%x[%t]", "%x[%b]")
    error = r"two threads write one element: thread 0 of block \d writes element 0 of global memory, which thread 0 of"
    refused(LINE, other, error, np.arange(64, dtype="f4"), blocks=3)


def test_a_block_cannot_see_what_another_writes() -> None:
    body = """
    %last = arith.constant 63 : index
    %other = arith.subi %last, %t : index
    %base = arith.muli %b, %c64 : index
    %i = arith.addi %base, %t : index
    %end = arith.subi %c64, %base : index
    %j = arith.addi %end, %other : index
    %v = memref.load %x[%j] : memref<128xf32>
    memref.store %v, %x[%i] : memref<128xf32>"""
    error = "race: a .* of what another thread .*, which thread .* in this launch"
    refused("%x: memref<128xf32>, %out: memref<1xf32>", body, error, numbers(128), blocks=2)


def test_memory_of_a_loop_is_not_written_in_its_next_trip() -> None:
    body = f"""
    scf.for %i = %c0 to %c2 step %c1 {{
      %s = memref.alloc() : {shared("64xf32")}
      %v = memref.load %x[%t] : memref<64xf32>
      %zero = arith.cmpi eq, %i, %c0 : index
      scf.if %zero {{
        memref.store %v, %s[%t] : {shared("64xf32")}
      }}
      %w = memref.load %s[%t] : {shared("64xf32")}
      memref.store %w, %out[%t] : memref<64xf32>
    }}"""
    refused(LINE, body, "which nothing has written", numbers(64))


# ---- launches
def test_blocks_run_in_a_shuffled_order_and_a_limited_number() -> None:
    body = """
    %v = memref.load %x[%b] : memref<64xf32>
    memref.store %v, %out[%b] : memref<64xf32>"""
    x = numbers(64)
    module = parse_module(kernel(LINE, body, 1, 64))
    parts = [call_kernel(Interpreter(module, seed=s, most_blocks=8), "f", [x])[0] for s in (0, 1)]
    ran = [np.flatnonzero(~np.isnan(p)).tolist() for p in parts]
    assert [len(r) for r in ran] == [8, 8] and ran[0] != ran[1]


def test_a_grid_may_be_empty_and_a_block_has_a_limit() -> None:
    body = """
    %v = memref.load %x[%t] : memref<64xf32>
    memref.store %v, %out[%t] : memref<64xf32>"""
    assert np.isnan(run(kernel(LINE, body, 64, 0), numbers(64))).all()
    refused(LINE, body, "expected 1 to 1024 threads in a block, found 1025", numbers(64), threads=1025)


def test_a_barrier_stands_in_a_launch() -> None:
    with pytest.raises(CompileError, match=r"expected it in a gpu\.launch"):
        run("func.func @f(%out: memref<1xf32>) {\n  gpu.barrier\n  func.return\n}")


# ---- reads that are not used
CLAMPED = """
    %last = arith.constant 32 : index
    %i = arith.minui %t, %last : index
    %v = memref.load %x[%i] : memref<33xf32>
    %w = arith.addf %v, %v : f32
    %end = arith.constant 33 : index
    %in = arith.cmpi ult, %t, %end : index
    scf.if %in {
      memref.store %w, %x[%i] : memref<33xf32>
    }"""


def test_a_thread_that_drops_what_it_reads_does_not_race() -> None:
    """In place, with threads behind the last element, which read it, too."""
    module = parse_module(kernel("%x: memref<33xf32>", CLAMPED, 64))
    x = numbers(33)
    own = x.copy()
    Interpreter(module).run(Interpreter(module).function("f"), [own])
    assert_matches(EXACT, own, 2 * x)


@pytest.mark.parametrize(
    ("change", "to"),
    [
        (
            "scf.if %in {",
            "%more = arith.addi %last, %c2 : index\n %on = arith.cmpi ult, %t, %more : index\n scf.if %on {",
        ),
        ("scf.if %in {", "%o = arith.constant 1 : i32\n %r, %p = gpu.shuffle xor %v, %o, %o : f32\n scf.if %in {"),
        ("%in = arith.cmpi ult, %t, %end : index", "%in = arith.cmpf oge, %v, %v : f32"),
    ],
)
def test_a_thread_that_may_use_it_races(change: str, to: str) -> None:
    """One more thread stores it; it goes to another thread; the condition comes from what was read."""
    error = r"a write of what another thread reads|two threads write one element"
    refused("%x: memref<33xf32>, %out: memref<1xf32>", CLAMPED.replace(change, to), error, numbers(33))


def test_a_choice_is_a_guard_too() -> None:
    body = f"""
    %s = memref.alloc() : {shared("64xf32")}
    %low = arith.cmpi ult, %t, %c32 : index
    %v = memref.load %x[%t] : memref<64xf32>
    scf.if %low {{
      memref.store %v, %s[%t] : {shared("64xf32")}
    }}
    %w = memref.load %s[%t] : {shared("64xf32")}
    %r = arith.select %low, %w, %v : f32
    memref.store %r, %out[%t] : memref<64xf32>"""
    x = numbers(64)
    assert_matches(EXACT, run(kernel(LINE, body, 64), x), x)
    refused(LINE, body.replace("%low, %w, %v", "%low, %v, %w"), "thread 32 .* nothing has written", x)
