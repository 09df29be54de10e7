"""Emission of memory, shapes, control and whole kernels, run natively."""

# ruff: noqa: E501

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from emit_cases import AVX512, DTYPES, MACHINES, function, native
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.lowering.emit.kernel import emit_kernel
from mlc.lowering.emit.state import Emitter
from mlc.lowering.emit.transpose import spaced
from mlc.runtime import jit
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=16, sums=16)


def strided(strides: tuple[int, ...] | None) -> str:
    return "" if strides is None else f", strided<[{', '.join(map(str, strides))}]>"


def backing(shape: tuple[int, ...], strides: tuple[int, ...] | None, dtype: str) -> np.ndarray:
    """An array of this shape and these strides (in elements) with a guard around it."""
    if strides is None:
        strides = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    spans = [(n - 1) * s for n, s in zip(shape, strides)]
    low, high = sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)
    memory = np.full(high - low + 65, 77, DTYPES[dtype])
    size = memory.itemsize
    return np.ndarray(shape, memory.dtype, memory, (32 - low) * size, [s * size for s in strides])


# Shape of the buffer, its strides, permutation map, shape of the vector
TRANSFERS: list[tuple[tuple[int, ...], tuple[int, ...] | None, str, tuple[int, ...]]] = [
    ((40,), None, "(d0) -> (d0)", (40,)),
    ((40,), None, "(d0) -> (d0)", (3,)),
    ((1,), None, "(d0) -> (d0)", (1,)),
    ((37,), (3,), "(d0) -> (d0)", (37,)),
    ((50,), (2,), "(d0) -> (d0)", (50,)),
    ((23,), (4,), "(d0) -> (d0)", (23,)),
    ((3, 33), (70, 2), "(d0, d1) -> (d0, d1)", (3, 9)),
    ((37,), (-1,), "(d0) -> (d0)", (37,)),
    ((37,), (-2,), "(d0) -> (d0)", (20,)),
    ((6, 33), None, "(d0, d1) -> (d0, d1)", (6, 33)),
    ((6, 33), (1, 6), "(d0, d1) -> (d0, d1)", (6, 33)),
    ((40, 20), (1, 40), "(d0, d1) -> (d0, d1)", (40, 20)),
    ((6, 33), None, "(d0, d1) -> (d1, d0)", (33, 6)),
    ((33, 17), None, "(d0, d1) -> (d1, d0)", (17, 33)),
    ((3, 2), None, "(d0, d1) -> (d1, d0)", (2, 3)),
    ((6, 33), (-40, -1), "(d0, d1) -> (d0, d1)", (6, 33)),
    ((4, 5, 18), None, "(d0, d1, d2) -> (d2, d0)", (18, 4)),
    ((4, 5, 18), None, "(d0, d1, d2) -> (d0, d2, d1)", (4, 18, 5)),
    ((4, 5, 18), (7, 31, 200), "(d0, d1, d2) -> (d0, d1, d2)", (4, 5, 18)),
]
READS = [
    ((6, 33), None, "(d0, d1) -> (d0, 0)", (6, 20)),
    ((6, 33), None, "(d0, d1) -> (0, d1)", (5, 33)),
    ((33,), None, "(d0) -> (0, d0, 0)", (2, 33, 3)),
    ((9,), None, "(d0) -> (0)", (20,)),
]


def read_text(dtype: str, shape: tuple, strides: Any, perm: str, vector: tuple, write: bool = False) -> str:
    sizes, wanted = "x".join(map(str, shape)), "x".join(map(str, vector))
    zeros, zeros_out = ", ".join(["%c0"] * len(shape)), ", ".join(["%c0"] * len(vector))
    memory, dense = f"memref<{sizes}x{dtype}{strided(strides)}>", f"memref<{wanted}x{dtype}>"
    identity = ", ".join(f"d{i}" for i in range(len(vector)))
    flags = ", ".join(["true"] * len(vector))
    zero = "false" if dtype == "i1" else "0.0" if dtype[0] == "f" else "0"
    constant = f"%z = arith.constant {zero}" + ("" if dtype == "i1" else f" : {dtype}")
    source, target = (dense, memory) if write else (memory, dense)
    maps = [perm, f"({identity}) -> ({identity})"]
    indices = [zeros, zeros_out]
    if write:
        maps.reverse()
        indices.reverse()
    return f"""func.func @k(%x: {source}, %out: {target}) {{
      %c0 = arith.constant 0 : index
      {constant}
      %v = vector.transfer_read %x[{indices[0]}], %z {{in_bounds = [{flags}], permutation_map = affine_map<{maps[0]}>}} : {source}, vector<{wanted}x{dtype}>
      vector.transfer_write %v, %out[{indices[1]}] {{in_bounds = [{flags}], permutation_map = affine_map<{maps[1]}>}} : vector<{wanted}x{dtype}>, {target}
      func.return
    }}"""


def picked(x: np.ndarray, perm: str, vector: tuple[int, ...]) -> np.ndarray:
    """The vector that a permutation map reads from the start of an array."""
    results = re.findall(r"d\d|0", perm.split("->")[1])
    out = np.empty(vector, x.dtype)
    for at in product(*map(range, vector)):
        index = [0] * x.ndim
        for r, i in zip(results, at):
            if r != "0":
                index[int(r[1:])] = i
        out[at] = x[tuple(index)]
    return out


def fill(x: np.ndarray) -> None:
    x[...] = (np.arange(x.size) % 2 if x.dtype == bool else np.arange(x.size) % 127).reshape(x.shape)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64", "i64", "i8", "i1"])
@pytest.mark.parametrize("case", TRANSFERS + READS, ids=str)
def test_reads(case: tuple[Any, ...], dtype: str, machine: str) -> None:
    shape, strides, perm, vector = case
    x, out = backing(shape, strides, dtype), backing(vector, None, dtype)
    fill(x)
    native(read_text(dtype, shape, strides, perm, vector), machine)(x, out)
    assert_matches(EXACT, out, picked(x, perm, vector))


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("dtype", ["f32", "f64", "i1"])
@pytest.mark.parametrize("case", TRANSFERS, ids=str)
def test_writes(case: tuple[Any, ...], dtype: str, machine: str) -> None:
    """Just the elements named are written: everything around keeps its value."""
    shape, strides, perm, vector = case
    x, out, want = backing(vector, None, dtype), backing(shape, strides, dtype), backing(shape, strides, dtype)
    fill(x)
    results = [int(r[1:]) for r in re.findall(r"d\d", perm.split("->")[1])]
    for at in product(*map(range, vector)):
        index = [0] * len(shape)
        for r, i in zip(results, at):
            index[r] = i
        want[tuple(index)] = x[at]
    native(read_text(dtype, shape, strides, perm, vector, write=True), machine)(x, out)
    assert_matches(EXACT, _whole(out), _whole(want))


def _whole(x: np.ndarray) -> np.ndarray:
    while x.base is not None:
        x = x.base
    return x


@pytest.mark.parametrize("machine", MACHINES)
def test_out_of_bounds_elements_are_padding(machine: str) -> None:
    kernel = native(
        """func.func @k(%x: memref<?x?xf32>, %out: memref<4x20xf32>, %i: index, %j: index) {
      %c0 = arith.constant 0 : index
      %p = arith.constant 9.0 : f32
      %v = vector.transfer_read %x[%i, %j], %p {in_bounds = [false, false], permutation_map = affine_map<(d0, d1) -> (d0, d1)>} : memref<?x?xf32>, vector<4x20xf32>
      vector.transfer_write %v, %out[%c0, %c0] {in_bounds = [true, true]} : vector<4x20xf32>, memref<4x20xf32>
      func.return
    }""",
        machine,
    )
    x = np.arange(5 * 30, dtype=np.float32).reshape(5, 30)
    for i, j in ((0, 0), (0, 15), (3, 0), (4, 29), (1, 10)):
        out = np.zeros((4, 20), np.float32)
        kernel(x, out, i, j)
        padded = np.full((20, 60), 9, np.float32)
        padded[:5, :30] = x
        assert_matches(EXACT, out, padded[i : i + 4, j : j + 20])


@pytest.mark.parametrize(("step", "count", "width"), [(2, 16, 16), (2, 9, 16), (3, 16, 16), (4, 5, 8), (4, 16, 16)])
def test_elements_apart_are_read_up_to_the_last(step: int, count: int, width: int) -> None:
    read: set[int] = set()

    def row(first: int, n: int) -> str:
        assert n <= width
        read.update(range(first, first + n))
        return f"%row{first}"

    spaced(Emitter(width), "float", row, step, count, width)
    assert read == set(range((count - 1) * step + 1))


def test_run_time_sizes_and_strides() -> None:
    kernel = native("""func.func @k(%x: memref<?x?xf32, strided<[?, ?]>>, %out: memref<?x?xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %p = arith.constant 0.0 : f32
      %m = memref.dim %x, %c0 : memref<?x?xf32, strided<[?, ?]>>
      %n = memref.dim %x, %c1 : memref<?x?xf32, strided<[?, ?]>>
      scf.for %i = %c0 to %m step %c1 {
        scf.for %j = %c0 to %n step %c1 {
          %v = memref.load %x[%i, %j] : memref<?x?xf32, strided<[?, ?]>>
          memref.store %v, %out[%i, %j] : memref<?x?xf32>
        }
      }
      func.return
    }""")
    base = np.arange(400, dtype=np.float32).reshape(20, 20)
    for x in (base, base.T, base[::-2, 3:7], base[:0], base[:, :0], np.broadcast_to(base[0], (5, 20))):
        out = np.zeros(x.shape, np.float32)
        kernel(x, out)
        assert_matches(EXACT, out, x)


REDUCTIONS: dict[str, tuple[tuple[str, ...], Any]] = {
    "add": (("f32", "f64", "i32", "i64"), np.add),
    "mul": (("f32", "f64", "i32", "i64"), np.multiply),
    "maximumf": (("f32", "f64"), np.maximum),
    "minimumf": (("f32", "f64"), np.minimum),
    "maxsi": (("i32", "i64"), np.maximum),
    "minsi": (("i32", "i64"), np.minimum),
    "and": (("i32", "i1"), np.bitwise_and),
    "or": (("i64", "i1"), np.bitwise_or),
}


@pytest.mark.parametrize(
    "shape, dims",
    [
        ((21,), (0,)),
        ((5, 40), (1,)),
        ((5, 40), (0,)),
        ((4, 3, 7), (0, 2)),
        ((3, 19), (0, 1)),
        ((21, 3), (1,)),
        ((2, 16, 16), (2,)),
        ((40, 50), (1,)),
        ((3, 5, 1), (2,)),
    ],
)
@pytest.mark.parametrize("kind, dtype", [(k, t) for k, (types, _) in REDUCTIONS.items() for t in types])
def test_reductions(kind: str, dtype: str, shape: tuple[int, ...], dims: tuple[int, ...]) -> None:
    kept = tuple(n for d, n in enumerate(shape) if d not in dims)
    sizes, wanted = "x".join(map(str, shape)), "x".join(map(str, kept))
    source, result = f"vector<{sizes}x{dtype}>", f"vector<{wanted}x{dtype}>" if kept else dtype
    flags, zeros = ", ".join(["true"] * len(shape)), ", ".join(["%c0"] * len(shape))
    out_flags, out_zeros = ", ".join(["true"] * len(kept)), ", ".join(["%c0"] * len(kept))
    zero = "arith.constant false" if dtype == "i1" else f"arith.constant {'0.0' if dtype[0] == 'f' else '0'} : {dtype}"
    if kept:
        target = f"memref<{wanted}x{dtype}>"
        start = f"%a = vector.transfer_read %out[{out_zeros}], %z {{in_bounds = [{out_flags}]}} : {target}, {result}"
        end = f"vector.transfer_write %r, %out[{out_zeros}] {{in_bounds = [{out_flags}]}} : {result}, {target}"
    else:
        target = f"memref<{dtype}>"
        start, end = f"%a = memref.load %out[] : {target}", f"memref.store %r, %out[] : {target}"
    kernel = native(f"""func.func @k(%x: memref<{sizes}x{dtype}>, %out: {target}) {{
      %c0 = arith.constant 0 : index
      %z = {zero}
      %v = vector.transfer_read %x[{zeros}], %z {{in_bounds = [{flags}]}} : memref<{sizes}x{dtype}>, {source}
      {start}
      %r = vector.multi_reduction <{kind}>, %v, %a [{", ".join(map(str, dims))}] : {source} to {result}
      {end}
      func.return
    }}""")
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, shape).astype(DTYPES[dtype])
    if kind == "mul":
        x = rng.choice([1, -1, 2], shape, p=[0.6, 0.3, 0.1]).astype(DTYPES[dtype])
    acc = rng.integers(0, 2, kept).astype(DTYPES[dtype])
    ufunc = REDUCTIONS[kind][1]
    out = np.array(acc)
    kernel(x, out)
    assert_matches(EXACT, out, ufunc(ufunc.reduce(x, axis=dims, dtype=x.dtype), acc))
    if kind in ("maximumf", "minimumf"):
        x[(0,) * len(shape)] = np.nan
        out = np.array(acc)
        kernel(x, out)
        assert_matches(EXACT, out, ufunc(ufunc.reduce(x, axis=dims), acc))


@pytest.mark.parametrize(
    "shape, order", [((3, 5), (1, 0)), ((17, 33), (1, 0)), ((2, 3, 20), (2, 0, 1)), ((4, 3, 18), (1, 0, 2))]
)
@pytest.mark.parametrize("machine", MACHINES)
def test_transposes(shape: tuple[int, ...], order: tuple[int, ...], machine: str) -> None:
    sizes, wanted = "x".join(map(str, shape)), "x".join(str(shape[d]) for d in order)
    zeros, flags = ", ".join(["%c0"] * len(shape)), ", ".join(["true"] * len(shape))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    out = np.zeros([shape[d] for d in order], np.float32)
    native(
        f"""func.func @k(%x: memref<{sizes}xf32>, %out: memref<{wanted}xf32>) {{
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[{zeros}], %z {{in_bounds = [{flags}]}} : memref<{sizes}xf32>, vector<{sizes}xf32>
      %t = vector.transpose %v, {list(order)} : vector<{sizes}xf32> to vector<{wanted}xf32>
      vector.transfer_write %t, %out[{zeros}] {{in_bounds = [{flags}]}} : vector<{wanted}xf32>, memref<{wanted}xf32>
      func.return
    }}""",
        machine,
    )(x, out)
    assert_matches(EXACT, out, x.transpose(order))


def test_broadcast_and_shape_cast() -> None:
    out = np.zeros((3, 20), np.float32)
    native("""func.func @k(%x: memref<3xf32>, %out: memref<3x20xf32>) {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c0], %z {in_bounds = [true]} : memref<3xf32>, vector<3xf32>
      %u = vector.shape_cast %v : vector<3xf32> to vector<3x1xf32>
      %b = vector.broadcast %u : vector<3x1xf32> to vector<3x20xf32>
      vector.transfer_write %b, %out[%c0, %c0] {in_bounds = [true, true]} : vector<3x20xf32>, memref<3x20xf32>
      func.return
    }""")(np.float32([1, 2, 3]), out)
    assert_matches(EXACT, out, np.repeat(np.array([[1], [2], [3]], out.dtype), 20, 1))


def test_loops_hand_on_values() -> None:
    """Scalars, vectors and indices through loops of any number of trips."""
    kernel = native("""func.func @k(%x: memref<?xf32>, %sum: memref<2xf32>, %last: memref<1xindex>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %z = arith.constant 0.0 : f32
      %v0 = arith.constant dense<1.0> : vector<2xf32>
      %n = memref.dim %x, %c0 : memref<?xf32>
      %i0 = arith.constant -1 : index
      %s, %v, %l = scf.for %i = %c0 to %n step %c1 iter_args(%a = %z, %b = %v0, %c = %i0) -> (f32, vector<2xf32>, index) {
        %e = memref.load %x[%i] : memref<?xf32>
        %t = arith.addf %a, %e : f32
        %d = vector.broadcast %e : f32 to vector<2xf32>
        %w = arith.addf %b, %d : vector<2xf32>
        scf.yield %t, %w, %i : f32, vector<2xf32>, index
      }
      %q = vector.broadcast %s : f32 to vector<2xf32>
      %r = arith.addf %q, %v : vector<2xf32>
      vector.store %r, %sum[%c0] : memref<2xf32>, vector<2xf32>
      memref.store %l, %last[%c0] : memref<1xindex>
      func.return
    }""")
    for n in (0, 1, 5):
        x, out, last = np.ones(n, np.float32), np.zeros(2, np.float32), np.zeros(1, np.int64)
        kernel(x, out, last)
        assert out.tolist() == [2 * n + 1] * 2 and last[0] == n - 1


def test_if_with_results() -> None:
    kernel = native("""func.func @k(%x: memref<8xf32>, %out: memref<8xf32>, %n: index) {
      %c0 = arith.constant 0 : index
      %c4 = arith.constant 4 : index
      %z = arith.constant 0.0 : f32
      %v = vector.load %x[%c0] : memref<8xf32>, vector<8xf32>
      %c = arith.cmpi slt, %n, %c4 : index
      %r, %k = scf.if %c -> (vector<8xf32>, f32) {
        %a = arith.addf %v, %v : vector<8xf32>
        %one = arith.constant 1.0 : f32
        scf.yield %a, %one : vector<8xf32>, f32
      } else {
        %a = arith.mulf %v, %v : vector<8xf32>
        scf.yield %a, %z : vector<8xf32>, f32
      }
      %b = vector.broadcast %k : f32 to vector<8xf32>
      %s = arith.addf %r, %b : vector<8xf32>
      vector.store %s, %out[%c0] : memref<8xf32>, vector<8xf32>
      func.return
    }""")
    x, out = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    kernel(x, out, 3)
    assert_matches(EXACT, out, x + x + 1)
    kernel(x, out, 4)
    assert_matches(EXACT, out, x * x)


def test_index_arithmetic() -> None:
    out = np.zeros(24, np.int64)
    native("""func.func @k(%out: memref<24xindex>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c24 = arith.constant 24 : index
      %c5 = arith.constant 5 : index
      scf.for %i = %c0 to %c24 step %c1 {
        %a = affine.apply affine_map<(d0) -> (d0 floordiv 5 + (d0 mod 5) * 100 - 3)> (%i)
        %b = arith.muli %i, %i : index
        %c = arith.subi %a, %b : index
        %d = arith.remsi %i, %c5 : index
        %e = arith.addi %c, %d : index
        memref.store %e, %out[%i] : memref<24xindex>
      }
      func.return
    }""")(out)
    i = np.arange(24)
    assert_matches(EXACT, out, i // 5 + i % 5 * 100 - 3 - i * i + i % 5)


@pytest.mark.parametrize("offset, target", [(1, 0), (0, 1), (0, 0)])
def test_a_shift_in_place_reads_before_it_writes(offset: int, target: int) -> None:
    out = np.arange(70, dtype=np.float32)
    want = out.copy()
    want[target : target + 60] = out[offset : offset + 60] + 1
    native(f"""func.func @k(%x: memref<70xf32>) {{
      %c0 = arith.constant {offset} : index
      %c1 = arith.constant {target} : index
      %one = arith.constant dense<1.0> : vector<60xf32>
      %v = vector.load %x[%c0] : memref<70xf32>, vector<60xf32>
      %r = arith.addf %v, %one : vector<60xf32>
      vector.store %r, %x[%c1] : memref<70xf32>, vector<60xf32>
      func.return
    }}""")(out)
    assert_matches(EXACT, out, want)


def test_reads_before_a_write_that_something_later_needs() -> None:
    """Also where the write is in a loop, and where two arguments are one array."""
    text = """func.func @k(%x: memref<32xf32>, %y: memref<32xf32>, %out: memref<32xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c32 = arith.constant 32 : index
      %z = arith.constant 0.0 : f32
      %v = vector.load %x[%c0] : memref<32xf32>, vector<32xf32>
      %d = arith.addf %v, %v : vector<32xf32>
      scf.for %i = %c0 to %c32 step %c1 {
        memref.store %z, %y[%i] : memref<32xf32>
      }
      vector.store %d, %out[%c0] : memref<32xf32>, vector<32xf32>
      func.return
    }"""
    x, out = np.arange(32, dtype=np.float32), np.zeros(32, np.float32)
    native(text)(x, x, out)
    assert_matches(EXACT, out, 2 * np.arange(32, dtype=out.dtype))
    assert not x.any()


def test_workspace_and_heap() -> None:
    kernel = native("""func.func @k(%x: memref<?xf32>, %out: memref<?xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %n = memref.dim %x, %c0 : memref<?xf32>
      %fixed = memref.alloc() : memref<3xf32>
      scf.for %r = %c0 to %c3 step %c1 {
        %t = memref.alloc(%n) : memref<?xf32>
        scf.for %i = %c0 to %n step %c1 {
          %e = memref.load %x[%i] : memref<?xf32>
          memref.store %e, %t[%i] : memref<?xf32>
          memref.store %e, %fixed[%r] : memref<3xf32>
        }
        scf.for %i = %c0 to %n step %c1 {
          %e = memref.load %t[%i] : memref<?xf32>
          %f = memref.load %fixed[%r] : memref<3xf32>
          %g = arith.addf %e, %f : f32
          memref.store %g, %out[%i] : memref<?xf32>
        }
        memref.dealloc %t : memref<?xf32>
      }
      func.return
    }""")
    assert kernel.code.workspace_bytes >= 12
    x, out = np.arange(100, dtype=np.float32), np.zeros(100, np.float32)
    kernel(x, out)
    assert_matches(EXACT, out, x + 99)


MATMUL = """func.func @k(%A: memref<256x256xf32>, %B: memref<256x256xf32>, %out: memref<256x256xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %c64 = arith.constant 64 : index
  %c250 = arith.constant 250 : index
  %c256 = arith.constant 256 : index
  %z = arith.constant 0.0 : f32
  scf.for %i0 = %c0 to %c256 step %c6 {
    %i = arith.minsi %i0, %c250 : index
    scf.for %j = %c0 to %c256 step %c64 {
      %zero = arith.constant dense<0.0> : vector<6x64xf32>
      %acc = scf.for %k = %c0 to %c256 step %c1 iter_args(%s = %zero) -> (vector<6x64xf32>) {
        %a = vector.transfer_read %A[%i, %k], %z {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (d0, 0)>} : memref<256x256xf32>, vector<6x64xf32>
        %b = vector.transfer_read %B[%k, %j], %z {in_bounds = [true, true], permutation_map = affine_map<(d0, d1) -> (0, d1)>} : memref<256x256xf32>, vector<6x64xf32>
        %p = arith.mulf %a, %b fastmath<contract> : vector<6x64xf32>
        %q = arith.addf %s, %p fastmath<contract> : vector<6x64xf32>
        scf.yield %q : vector<6x64xf32>
      }
      vector.transfer_write %acc, %out[%i, %j] {in_bounds = [true, true]} : vector<6x64xf32>, memref<256x256xf32>
    }
  }
  func.return
}"""


def test_matmul_keeps_its_tile_in_registers() -> None:
    """24 fused multiply-adds a step, no spill: nothing of a vector's size goes to the stack."""
    text = jit.assembly(emit_kernel(function(MATMUL), 64).llvm_ir, *AVX512)
    loops = re.split(r"^\.LBB\S+:", text, flags=re.M)
    inner = max(loops, key=lambda body: len(re.findall(r"\bvfmadd\S+.*zmm", body)))
    assert len(re.findall(r"\bvfmadd\S+.*zmm", inner)) == 24
    assert not re.findall(r"\(%r[sb]p\).*zmm|zmm.*\(%r[sb]p\)", text)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 256, 256)).astype(np.float32)
    for machine in MACHINES:
        out = np.full((256, 256), np.nan, np.float32)
        native(MATMUL, machine)(a, b, out)
        assert_matches(NEAR, out, a @ b)


def test_contraction_only_where_the_ir_allows_it() -> None:
    text = jit.assembly(emit_kernel(function(MATMUL.replace(" fastmath<contract>", "")), 64).llvm_ir, *AVX512)
    assert "vfmadd" not in text and "vmulps" in text


@pytest.mark.parametrize("steps, together", [(4, 1), (20, 4)])
def test_long_chains_are_computed_side_by_side(steps: int, together: int) -> None:
    lines = [f"%v{k + 1} = arith.addf %v{k}, %v0 : vector<128xf32>" for k in range(steps)]
    text = f"""func.func @k(%x: memref<128xf32>, %out: memref<128xf32>) {{
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %v0 = vector.transfer_read %x[%c0], %z {{in_bounds = [true]}} : memref<128xf32>, vector<128xf32>
      {"; ".join(lines).replace("; ", chr(10))}
      vector.transfer_write %v{steps}, %out[%c0] {{in_bounds = [true]}} : vector<128xf32>, memref<128xf32>
      func.return
    }}"""
    words = re.findall(r"fadd|store", emit_kernel(function(text)).llvm_ir)
    assert words == (["fadd"] * steps * together + ["store"] * together) * (8 // together)
    x, out = np.linspace(-1, 1, 128, dtype=np.float32), np.full(128, np.nan, np.float32)
    native(text)(x, out)
    want = x.copy()
    for _ in range(steps):
        want += x
    assert_matches(EXACT, out, want)


@pytest.mark.parametrize("word, ufunc", [("maxnumf", np.fmax), ("minnumf", np.fmin)])
def test_running_extremes_of_numbers(word: str, ufunc: np.ufunc) -> None:
    """What was found so far is a number: one comparison for each vector, and none that asks for NaN."""
    first = "0xFF800000" if word == "maxnumf" else "0x7F800000"
    text = f"""func.func @k(%x: memref<9x50xf32>, %out: memref<f32>) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c9 = arith.constant 9 : index
      %z = arith.constant 0.0 : f32
      %least = arith.constant {first} : f32
      %start = arith.constant dense<{first}> : vector<50xf32>
      %m = scf.for %i = %c0 to %c9 step %c1 iter_args(%a = %start) -> (vector<50xf32>) {{
        %v = vector.transfer_read %x[%i, %c0], %z {{in_bounds = [true]}} : memref<9x50xf32>, vector<50xf32>
        %b = arith.{word} %a, %v : vector<50xf32>
        scf.yield %b : vector<50xf32>
      }}
      %r = vector.multi_reduction <{word}>, %m, %least [0] : vector<50xf32> to f32
      memref.store %r, %out[] : memref<f32>
      func.return
    }}"""
    x = np.random.default_rng(0).standard_normal((9, 50)).astype(np.float32)
    x[3], x[5, 7] = np.nan, np.nan
    out = np.zeros((), np.float32)
    kernel = native(text)
    for _ in range(2):
        kernel(x, out)
        assert_matches(EXACT, out, ufunc.reduce(x, axis=None))
        x[:] = np.nan
        x[8, 49] = 2.5
    assert "fcmp uno" not in emit_kernel(function(text)).llvm_ir
    two = text.replace(f"arith.{word} %a, %v", f"arith.{word} %v, %a")
    kernel = native(two)
    kernel(x, out)
    assert_matches(EXACT, out, ufunc.reduce(x, axis=None))


@pytest.mark.parametrize("word, ufunc", [("maximumf", np.maximum), ("minimumf", np.minimum)])
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_running_extremes_with_any_zero(word: str, ufunc: np.ufunc, dtype: str) -> None:
    """NaN stays, at any place; which zero comes of two is left open."""
    text = f"""func.func @k(%x: memref<9x50x{dtype}>, %out: memref<50x{dtype}>) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c9 = arith.constant 9 : index
      %z = arith.constant 0.0 : {dtype}
      %start = vector.transfer_read %x[%c0, %c0], %z {{in_bounds = [true]}} : memref<9x50x{dtype}>, vector<50x{dtype}>
      %m = scf.for %i = %c1 to %c9 step %c1 iter_args(%a = %start) -> (vector<50x{dtype}>) {{
        %v = vector.transfer_read %x[%i, %c0], %z {{in_bounds = [true]}} : memref<9x50x{dtype}>, vector<50x{dtype}>
        %b = arith.{word} %a, %v fastmath<nsz> : vector<50x{dtype}>
        scf.yield %b : vector<50x{dtype}>
      }}
      vector.transfer_write %m, %out[%c0] {{in_bounds = [true]}} : vector<50x{dtype}>, memref<50x{dtype}>
      func.return
    }}"""
    rng = np.random.default_rng(0)
    numbers = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-40], DTYPES[dtype])
    x = rng.choice(numbers, (9, 50), p=[0.05, *[0.95 / 7] * 7])
    out = np.zeros(50, x.dtype)
    native(text)(x, out)
    assert np.array_equal(out, ufunc.reduce(x, axis=0), equal_nan=True)


@pytest.mark.parametrize("word, ufunc", [("minsi", np.minimum), ("maxsi", np.maximum)])
def test_extremes_of_what_is_chosen(word: str, ufunc: np.ufunc) -> None:
    """The choice is made after the comparison; with any other number instead, before."""
    nothing = {"minsi": 2**31 - 1, "maxsi": -(2**31)}[word]
    text = f"""func.func @k(%x: memref<50xi32>, %y: memref<50xi32>, %out: memref<50xi32>) {{
      %c0 = arith.constant 0 : index
      %zero = arith.constant 0 : i32
      %none = arith.constant dense<{nothing}> : vector<50xi32>
      %half = arith.constant dense<3> : vector<50xi32>
      %a = vector.transfer_read %x[%c0], %zero {{in_bounds = [true]}} : memref<50xi32>, vector<50xi32>
      %b = vector.transfer_read %y[%c0], %zero {{in_bounds = [true]}} : memref<50xi32>, vector<50xi32>
      %c = arith.cmpi sgt, %b, %half : vector<50xi32>
      %d = arith.select %c, %b, %none : vector<50xi1>, vector<50xi32>
      %e = arith.{word} %a, %d : vector<50xi32>
      vector.transfer_write %e, %out[%c0] {{in_bounds = [true]}} : vector<50xi32>, memref<50xi32>
      func.return
    }}"""
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-9, 9, 50).astype(np.int32) for _ in range(2))
    out = np.zeros(50, np.int32)
    for code, other in ((text, nothing), (text.replace(f"dense<{nothing}>", "dense<2>"), 2)):
        native(code)(x, y, out)
        assert_matches(EXACT, out, ufunc(x, np.where(y > 3, y, other).astype(np.int32)))


def test_equal_input_gives_equal_text() -> None:
    assert emit_kernel(function(MATMUL)).llvm_ir == emit_kernel(function(MATMUL)).llvm_ir


def test_unknown_operations_are_refused_at_their_place() -> None:
    text = "func.func @k(%x: f32) {\n  %y = math.exp %x : f32\n  func.return\n}"
    with pytest.raises(CompileError, match=r"math.exp: .* run expand-math before emission") as error:
        emit_kernel(function(text))
    assert "<test>:2:" in str(error.value)
