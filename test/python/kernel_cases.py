"""Kernels of the loop level with what is special about their lowering: texts, schedules and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cases_lookups
import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """One function `@f`, lowered after a schedule; `sizes` are the values that its symbol `n` is tried at."""

    name: str
    text: str
    schedule: str = ""
    sizes: tuple[int, ...] = ()

    def inputs(self, n: int = 0) -> list[Array]:
        """Random arrays for the arguments; small integers, so that ties and matches occur."""
        from mlc.compiler.parsing import parse_module
        from mlc.dialects.nd.dims import evaluate
        from mlc.dialects.nd.types import NUMPY, shape_of
        from xdsl.dialects.func import FuncOp

        module = parse_module(self.text, f"{self.name}.mlir")
        f = next(op for op in module.body.block.ops if isinstance(op, FuncOp))
        r = np.random.default_rng(n + len(self.text))
        arrays: list[Array] = []
        for t in f.function_type.inputs:
            shape = [evaluate(d, {"n": n, "m": 5}) for d in shape_of(t)]
            kind = NUMPY[t.element_type]
            values = r.standard_normal(shape) * 3 if kind.kind == "f" else r.integers(-4, 5, shape)
            arrays.append((values > 0 if kind.kind == "b" else np.asarray(values)).astype(kind))
        return arrays


COPY = "{ loop.yield %a : f32 }"
SCALE = "{ %p = arith.mulf %a, %b : f32\n loop.yield %p : f32 }"
DOUBLE = "{ %twice = arith.addf %a, %a : f32\n loop.yield %twice : f32 }"

MATMUL = f"""func.func @f(%A: tensor<13x9xf32>, %B: tensor<9x21xf32>, %bias: tensor<21xf32>) -> tensor<13x21xf32> {{
  %acc = loop.stage mm [i: 13, j: 21, k: 9] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {SCALE}
  %C = loop.stage epi [i: 13, j: 21] (%a = %acc[i, j], %b = %bias[j]) -> [i, j] {{
    %x = arith.addf %a, %b : f32
    %y = math.tanh %x : f32
    loop.yield %y : f32
  }}
  func.return %C : tensor<13x21xf32>
}}"""

SOFTMAX = f"""func.func @f(%X: tensor<?x37xf32, #nd.sym<n>>) -> tensor<?x37xf32, #nd.sym<n>> {{
  loop.size n = %X, 0
  %m = loop.stage max [i: n, j: 37] (%a = %X[i, j]) -> max [i] {COPY}
  %e, %s = loop.stage exp [i: n, j: 37] (%a = %X[i, j], %t = %m[i]) -> [i, j], add [i] {{
    %d = arith.subf %a, %t : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }}
  %Y = loop.stage scale [i: n, j: 37] (%a = %e[i, j], %b = %s[i]) -> [i, j] {{
    %q = arith.divf %a, %b : f32
    loop.yield %q : f32
  }}
  func.return %Y : tensor<?x37xf32, #nd.sym<n>>
}}"""

LAYERNORM = f"""func.func @f(%X: tensor<5x64xf32>, %G: tensor<64xf32>)
    -> (tensor<5x64xf32>, tensor<5xf32>, tensor<5xf32>) {{
  %s = loop.stage sum [i: 5, j: 64] (%a = %X[i, j]) -> add [i] {COPY}
  %mean = loop.stage mean [i: 5] (%t = %s[i]) -> [i] {{
    %n = arith.constant 0.015625 : f32
    %u = arith.mulf %t, %n : f32
    loop.yield %u : f32
  }}
  %q = loop.stage var [i: 5, j: 64] (%a = %X[i, j], %u = %mean[i]) -> add [i] {{
    %d = arith.subf %a, %u : f32
    %dd = arith.mulf %d, %d : f32
    loop.yield %dd : f32
  }}
  %Y = loop.stage norm [i: 5, j: 64] (%a = %X[i, j], %u = %mean[i], %v = %q[i], %g = %G[j]) -> stream [i, j] {{
    %d = arith.subf %a, %u : f32
    %n = arith.divf %d, %v : f32
    %y = arith.mulf %n, %g : f32
    loop.yield %y : f32
  }}
  func.return %Y, %mean, %q : tensor<5x64xf32>, tensor<5xf32>, tensor<5xf32>
}}"""

ARGMAX = """func.func @f(%X: tensor<9x32xf32>) -> (tensor<9xi64>, tensor<9xi1>) {
  %m = loop.stage max [i: 9, j: 32] (%a = %X[i, j]) -> max [i] { loop.yield %a : f32 }
  %at, %any = loop.stage arg [i: 9, j: 32] (%x = %X[i, j], %t = %m[i]) -> min [i], or [i] {
    %same = arith.cmpf oeq, %x, %t : f32
    %c = loop.index j : index
    %w = arith.index_cast %c : index to i64
    %far = arith.constant 32 : i64
    %r = arith.select %same, %w, %far : i64
    %three = arith.constant 3.0 : f32
    %big = arith.cmpf ogt, %x, %three : f32
    loop.yield %r, %big : i64, i1
  }
  func.return %at, %any : tensor<9xi64>, tensor<9xi1>
}"""

TRUTH = """func.func @f(%x: tensor<7x16xi1>, %y: tensor<16xi1>) -> (tensor<7x16xi1>, tensor<7xi1>, tensor<7x16xi32>) {
  %r, %s, %t = loop.stage s [i: 7, j: 16] (%a = %x[i, j], %b = %y[15 - j]) -> [i, j], and [i], [i, j] {
    %c = arith.xori %a, %b : i1
    %true = arith.constant true
    %d = arith.xori %c, %true : i1
    %w = arith.extui %c : i1 to i32
    loop.yield %c, %d, %w : i1, i1, i32
  }
  func.return %r, %s, %t : tensor<7x16xi1>, tensor<7xi1>, tensor<7x16xi32>
}"""

IOTA = """func.func @f(%x: tensor<8x12xf64>) -> (tensor<12x8xf64>, tensor<8x12xi64>) {
  %r, %k = loop.stage s [i: 8, j: 12] (%a = %x[7 - i, j]) -> [j, i], [i, j] {
    %c = loop.index 10 * i + 2 * j - 3 : index
    %w = arith.index_cast %c : index to i64
    %d = arith.sitofp %w : i64 to f64
    %e = arith.mulf %a, %d : f64
    loop.yield %e, %w : f64, i64
  }
  func.return %r, %k : tensor<12x8xf64>, tensor<8x12xi64>
}"""

BOTH_SUMS = """func.func @f(%x: tensor<6x10xi32>) -> (tensor<6xi32>, tensor<10xi32>, tensor<i32>, tensor<6x10xi32>) {
  %r, %c, %s, %d = loop.stage s [i: 6, j: 10] (%a = %x[i, j]) -> add [i], max [j], min [], [i, j] {
    %b = arith.muli %a, %a : i32
    loop.yield %b, %a, %a, %b : i32, i32, i32, i32
  }
  func.return %r, %c, %s, %d : tensor<6xi32>, tensor<10xi32>, tensor<i32>, tensor<6x10xi32>
}"""

OVERLAP = f"""func.func @f(%x: tensor<4xf32>, %y: tensor<9xf32>) -> (tensor<9xf32>, tensor<10xf32>, tensor<4xf32>) {{
  %b = loop.stage second [i: 4] (%a = %x[i]) -> [i] {DOUBLE}
  %a = loop.stage first [i: 9] (%a = %y[i]) -> [i] {DOUBLE}
  %p = loop.join (%a at [0], %b at [2 * d0 + 1]) : tensor<9xf32>
  %q = loop.join (%y at [1], %x at [0], %b at [6]) : tensor<10xf32>
  func.return %p, %q, %b : tensor<9xf32>, tensor<10xf32>, tensor<4xf32>
}}"""

COPIES = f"""func.func @f(%x: tensor<3x100xf32>)
    -> (tensor<3x100xf32>, tensor<3x100xf32>, tensor<3x100xf32>, tensor<3x200xf32>) {{
  %y = loop.stage s [i: 3, j: 100] (%a = %x[i, j]) -> [i, j] {DOUBLE}
  %z = loop.join (%y at [0, 0], %y at [0, 100]) : tensor<3x200xf32>
  func.return %x, %y, %y, %z : tensor<3x100xf32>, tensor<3x100xf32>, tensor<3x100xf32>, tensor<3x200xf32>
}}"""

VERSIONS = f"""func.func @f(%x: tensor<?xf32, #nd.sym<n>>)
    -> (tensor<?xf32, #nd.sym<2*n + 1>>, tensor<?xf32, #nd.sym<n>>) {{
  loop.size n = %x, 0
  %zero = loop.stage zero [i: 2*n + 1] () -> [i] {{
    %z = arith.constant -0.0 : f32
    loop.yield %z : f32
  }}
  %neg = loop.if n >= 4 {{
    %t = loop.for i0 = n step 4 clamp -> [i0] {{
      %u = loop.stage neg [i: vec 4] (%a = %x[-i - i0 + (n - 1)]) -> [i] {DOUBLE}
      loop.yield %u : tensor<4xf32>
    }}
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  }} else {{
    %t = loop.stage neg [i: n] (%a = %x[-i + (n - 1)]) -> [i] {DOUBLE}
    loop.yield %t : tensor<?xf32, #nd.sym<n>>
  }}
  %y = loop.join (%zero at [0], %neg at [2 * d0 + 1]) : tensor<?xf32, #nd.sym<2*n + 1>>
  func.return %y, %neg : tensor<?xf32, #nd.sym<2*n + 1>>, tensor<?xf32, #nd.sym<n>>
}}"""

RUN_TIME_STRIDES = f"""func.func @f(%x: tensor<5x?x?xf32, #nd.sym<n, n + 1>>)
    -> (tensor<?x5x?xf32, #nd.sym<n, n + 1>>, tensor<5xf32>, tensor<?xf32, #nd.sym<n>>) {{
  loop.size n = %x, 1
  %y = loop.stage turn [i: vec 5, j: n, k: n + 1] (%a = %x[i, j, -k + (n)]) -> [j, i, k] {DOUBLE}
  %s = loop.stage sum [i: vec 5, j: n, k: n + 1] (%a = %x[i, j, k]) -> add [i] {COPY}
  %d = loop.stage diagonal [i: vec 5, j: n] (%a = %x[i, j, j]) -> max [j] {COPY}
  func.return %y, %s, %d : tensor<?x5x?xf32, #nd.sym<n, n + 1>>, tensor<5xf32>, tensor<?xf32, #nd.sym<n>>
}}"""

LAYOUT = f"""func.func @f(%x: tensor<6x8xf32> {{mlc.layout = strided<[1, 6]>}},
    %y: tensor<8xf32> {{mlc.layout = strided<[-2]>}})
    -> (tensor<6x8xf32>, tensor<6xf32>) {{
  %r = loop.stage s [i: 6, j: vec 8] (%a = %x[i, j], %b = %y[j]) -> [i, j] {SCALE}
  %d = loop.stage d [i: vec 6] (%a = %x[i, i], %b = %y[i]) -> [i] {SCALE}
  func.return %r, %d : tensor<6x8xf32>, tensor<6xf32>
}}"""

RUN_TIME_LAYOUT = f"""func.func @f(%x: tensor<6x6xf32> {{mlc.layout = strided<[?, ?]>}})
    -> (tensor<6xf32>, tensor<6x6xf32>) {{
  %d = loop.stage d [i: vec 6] (%a = %x[i, 5 - i]) -> [i] {COPY}
  %e = loop.stage e [i: 6, j: vec 6] (%a = %x[i, j]) -> [i, j] {DOUBLE}
  func.return %d, %e : tensor<6xf32>, tensor<6x6xf32>
}}"""

ONLINE = """func.func @f(%x: tensor<48xf32>, %m0: tensor<1xf32>, %l0: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %m, %l = loop.for k0 = 48 step 16 with (%m1 = %m0, %l1 = %l0) -> carry [0], carry [0] {
    %top = loop.stage top [k: vec 16] (%a = %x[k + k0]) -> max [0] { loop.yield %a : f32 }
    %m2 = loop.stage next [] (%a = %m1[0], %b = %top[0]) -> [0] {
      %c = arith.maximumf %a, %b : f32
      loop.yield %c : f32
    }
    %s = loop.stage sum [k: vec 16] (%a = %x[k + k0], %b = %m2[0]) -> add [0] {
      %d = arith.subf %a, %b : f32
      %e = math.exp %d : f32
      loop.yield %e : f32
    }
    %l2 = loop.stage total [] (%a = %l1[0], %b = %m1[0], %c = %m2[0], %d = %s[0]) -> [0] {
      %e = arith.subf %b, %c : f32
      %g = math.exp %e : f32
      %h = arith.mulf %a, %g : f32
      %i = arith.addf %h, %d : f32
      loop.yield %i : f32
    }
    loop.yield %m2, %l2 : tensor<1xf32>, tensor<1xf32>
  }
  func.return %m, %l : tensor<1xf32>, tensor<1xf32>
}"""

SCAN = f"""func.func @f(%x: tensor<6x20xf32>, %a0: tensor<20xf32>, %b0: tensor<20xf32>)
    -> (tensor<20xf32>, tensor<20xf32>, tensor<6x20xf32>) {{
  %s, %t, %all = loop.for i = 6 with (%u = %a0, %v = %b0) -> carry [0], carry [0], [i, 0] {{
    %w = loop.stage add [j: 20] (%a = %u[j], %b = %x[i, j]) -> [j] {{
      %p = arith.addf %a, %b : f32
      loop.yield %p : f32
    }}
    %row = loop.stage row [j: 20] (%a = %u[19 - j]) -> [0, j] {COPY}
    loop.yield %v, %w, %row : tensor<20xf32>, tensor<20xf32>, tensor<1x20xf32>
  }}
  func.return %s, %t, %all : tensor<20xf32>, tensor<20xf32>, tensor<6x20xf32>
}}"""

NESTED_SUMS = f"""func.func @f(%x: tensor<4x6x16xf32>) -> (tensor<16xf32>, tensor<16xf32>, tensor<4x16xf32>) {{
  %s, %m, %parts = loop.for i = 4 -> add [0], max [0], [i, 0] {{
    %p, %most = loop.for j = 6 -> add [0], max [0] {{
      %u = loop.stage one [k: vec 16] (%a = %x[i, j, k]) -> add [k] {COPY}
      loop.yield %u, %u : tensor<16xf32>, tensor<16xf32>
    }}
    %row = loop.stage row [k: vec 16] (%a = %p[k]) -> [0, k] {COPY}
    loop.yield %p, %most, %row : tensor<16xf32>, tensor<16xf32>, tensor<1x16xf32>
  }}
  func.return %s, %m, %parts : tensor<16xf32>, tensor<16xf32>, tensor<4x16xf32>
}}"""

MEMORY_SUMS = f"""func.func @f(%x: tensor<4x6x15xf32>) -> (tensor<6x15xf32>, tensor<15xf32>) {{
  %s, %m = loop.for i = 4 -> add [0, 0], max [0] {{
    %u = loop.stage one [j: 6, k: 15] (%a = %x[i, j, k]) -> [j, k] {DOUBLE}
    %v = loop.for j = 6 -> add [0] {{
      %w = loop.stage two [k: 15] (%a = %u[j, k]) -> [k] {COPY}
      loop.yield %w : tensor<15xf32>
    }}
    loop.yield %u, %v : tensor<6x15xf32>, tensor<15xf32>
  }}
  func.return %s, %m : tensor<6x15xf32>, tensor<15xf32>
}}"""

PARALLEL = f"""func.func @f(%x: tensor<8x24xf32>) -> tensor<8x24xf32> {{
  %y = loop.for i = 8 step 2 parallel -> [i, 0] {{
    %t = loop.stage s [k: 2, j: 24] (%a = %x[k + i, 23 - j]) -> [k, j] {DOUBLE}
    %u = loop.stage s [k: 2, j: 24] (%a = %t[k, 23 - j]) -> [k, j] {COPY}
    loop.yield %u : tensor<2x24xf32>
  }}
  func.return %y : tensor<8x24xf32>
}}"""

EMPTY = f"""func.func @f(%x: tensor<3x0xf32>, %y: tensor<0x4xf32>)
    -> (tensor<3xf32>, tensor<3x4xf32>, tensor<0x4xf32>) {{
  %m = loop.stage max [i: 3, j: 0] (%a = %x[i, j]) -> max [i] {COPY}
  %p = loop.stage mm [i: 3, j: vec 4, k: 0] (%a = %x[i, k], %b = %y[k, j]) -> add [i, j] {SCALE}
  %z = loop.stage s [i: 0, j: vec 4] (%a = %y[i, j]) -> [i, j] {DOUBLE}
  func.return %m, %p, %z : tensor<3xf32>, tensor<3x4xf32>, tensor<0x4xf32>
}}"""

CUMULATIVE = """func.func @f(%x: tensor<19x?x6xf32, #nd.sym<n>>) -> tensor<19x?x6xf32, #nd.sym<n>> {
  loop.size n = %x, 1
  %z = loop.stage init [i: 19, k: 6] () -> [i, 0, k] {
    %0 = arith.constant 0.0 : f32
    loop.yield %0 : f32
  }
  %s, %y = loop.for j = n with (%c = %z) -> carry [0, 0, 0], [0, -j + (n - 1), 0] {
    %t, %u = loop.stage sum [i: 19, k: 6] (%a = %c[i, 0, k], %b = %x[i, -j + (n - 1), k]) -> [i, 0, k], [i, 0, k] {
      %1 = arith.addf %a, %b : f32
      loop.yield %1, %1 : f32, f32
    }
    loop.yield %t, %u : tensor<19x1x6xf32>, tensor<19x1x6xf32>
  }
  func.return %y : tensor<19x?x6xf32, #nd.sym<n>>
}"""


def sorts(element: str) -> str:
    return f"""func.func @f(%x: tensor<2x?x{element}, #nd.sym<n>>, %y: tensor<19x{element}>)
        -> (tensor<2x?x{element}, #nd.sym<n>>, tensor<2x?xi64, #nd.sym<n>>, tensor<19x{element}>, tensor<19xi64>) {{
      loop.size n = %x, 1
      %a = loop.sort %x along 1 descending
      %b = loop.sort %x along 0 positions
      %c = loop.sort %y along 0
      %d = loop.sort %y along 0 descending positions
      func.return %a, %b, %c, %d
        : tensor<2x?x{element}, #nd.sym<n>>, tensor<2x?xi64, #nd.sym<n>>, tensor<19x{element}>, tensor<19xi64>
    }}"""


def elementwise(element: str) -> str:
    add, mul = ("arith.addf", "arith.mulf") if element.startswith("f") else ("arith.addi", "arith.muli")
    return f"""func.func @f(%x: tensor<5x19x{element}>, %y: tensor<19x{element}>)
        -> (tensor<5x19x{element}>, tensor<5x{element}>) {{
      %r, %s = loop.stage s [i: 5, j: 19] (%a = %x[i, j], %b = %y[j]) -> [i, j], min [i] {{
        %c = {add} %a, %b : {element}
        %d = {mul} %c, %a : {element}
        loop.yield %d, %c : {element}, {element}
      }}
      func.return %r, %s : tensor<5x19x{element}>, tensor<5x{element}>
    }}"""


TILED = "loop-tile{axis=i size=6},loop-tile{axis=j size=16},loop-vectorize{axes=i,j}"
PACKED = (
    "loop-tile{axis=j size=16},loop-pack{value=B axes=k,j},"
    "loop-tile{axis=i size=6 only=mm,epi},loop-vectorize{axes=i,j}"
)
ROWS = "loop-nest{axis=i},loop-split{axis=j size=16},loop-vectorize{axes=j}"
SIZES = (0, 1, 3, 4, 5, 9)

BYTES = """func.func @f(%A: tensor<6x16xi8>, %B: tensor<16x20xi8>) -> tensor<6x20xi32> {
  %c = loop.stage mm [i: 6, j: 20, k: 16] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extsi %a : i8 to i32
    %y = arith.extsi %b : i8 to i32
    %p = arith.muli %x, %y : i32
    loop.yield %p : i32
  }
  func.return %c : tensor<6x20xi32>
}"""
WORDS = (
    "loop-offset{value=B},loop-split{axis=k size=4 only=mm},"
    "loop-pack{value=B axes=k0,j,k convert=true narrow=true only=mm},loop-reorder{axes=k,j only=pack_B},"
    "loop-vectorize{axes=k,j only=pack_B},loop-vectorize{axes=i,j,k only=mm},loop-vectorize{axes=i,j only=mm_offset}"
)

PAIRS = """func.func @f(%A: tensor<6x16xbf16>, %B: tensor<16x20xbf16>) -> tensor<6x20xf32> {
  %c = loop.stage mm [i: 6, j: 20, k: 16] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {
    %x = arith.extf %a : bf16 to f32
    %y = arith.extf %b : bf16 to f32
    %p = arith.mulf %x, %y : f32
    loop.yield %p : f32
  }
  func.return %c : tensor<6x20xf32>
}"""

CASES = [
    Case("bytes", BYTES),
    Case("bytes_words", BYTES, WORDS),
    Case("bytes_vec", BYTES, "loop-vectorize{axes=i,j,k}"),
    Case("pairs", PAIRS, "loop-split{axis=k size=2},loop-vectorize{axes=i,j,k}"),
    Case("matmul", MATMUL),
    Case("matmul_tiled", MATMUL, TILED),
    Case(
        "matmul_packed",
        MATMUL,
        PACKED,
    ),
    Case("softmax", SOFTMAX, "", SIZES),
    Case("softmax_rows", SOFTMAX, "loop-nest{axis=i},loop-vectorize{axes=j}", SIZES),
    Case("layernorm", LAYERNORM, ROWS),
    Case("argmax", ARGMAX),
    Case("argmax_rows", ARGMAX, ROWS),
    Case("argmax_whole", ARGMAX, "loop-vectorize{axes=i,j}"),
    Case("truth", TRUTH),
    Case("truth_vec", TRUTH, "loop-vectorize{axes=j}"),
    Case("iota", IOTA),
    Case("iota_vec", IOTA, "loop-vectorize{axes=i,j}"),
    Case("both_sums", BOTH_SUMS),
    Case("both_sums_vec", BOTH_SUMS, "loop-vectorize{axes=j}"),
    Case("both_sums_whole", BOTH_SUMS, "loop-vectorize{axes=i,j}"),
    Case("overlap", OVERLAP),
    Case("overlap_vec", OVERLAP, "loop-vectorize{axes=i}"),
    Case("copies", COPIES),
    Case("versions", VERSIONS, "", SIZES),
    Case("run_time_strides", RUN_TIME_STRIDES, "", SIZES),
    Case("layout", LAYOUT),
    Case("run_time_layout", RUN_TIME_LAYOUT),
    Case("online", ONLINE),
    Case("scan", SCAN),
    Case("scan_vec", SCAN, "loop-vectorize{axes=j}"),
    Case("cumulative", CUMULATIVE, "", SIZES),
    Case("cumulative_tiled", CUMULATIVE, "loop-tile{axis=i size=4},loop-vectorize{axes=i,k}", SIZES),
    Case(
        "cumulative_in_memory", CUMULATIVE, "loop-tile{axis=i size=4 only=sum},loop-vectorize{axes=k only=sum}", (0, 5)
    ),
    Case("cumulative_parallel", CUMULATIVE, "loop-nest{axis=i kind=parallel},loop-vectorize{axes=k}", (0, 5)),
    Case("cumulative_nested", CUMULATIVE, "loop-nest{axis=i},loop-tile{axis=k size=4}", SIZES),
    *(Case(f"sorts_{t}", sorts(t), "", (0, 1, 11)) for t in ("f32", "i1", "i64")),
    Case("nested_sums", NESTED_SUMS),
    Case("memory_sums", MEMORY_SUMS),
    Case("parallel", PARALLEL),
    Case("empty", EMPTY),
    *(Case(f"elementwise_{t}", elementwise(t), "loop-vectorize{axes=j}") for t in ("f32", "f64", "i32", "i64")),
    *(Case(f"elementwise_tiled_{t}", elementwise(t), TILED) for t in ("f32", "i64")),
    *cases_lookups.cases(Case),
]
