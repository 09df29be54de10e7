"""Schedules change how a kernel is computed, never what: random ones, and every prefix of every chosen one.

A backend runs a scheduled module: the interpreter of the loop level, or native code. A random step is either right or
refused with a message.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler import registry
from mlc.compiler.context import context
from mlc.compiler.machine import Machine
from mlc.compiler.native import compile_kernel
from mlc.compiler.parsing import parse_module
from mlc.compiler.transforms.loop.apply_schedule import run_schedule, steps_of
from mlc.compiler.transforms.loop.choose_schedule import schedule
from mlc.compiler.transforms.loop.copies import LoopCopies
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from mlc.dialects.loop.ops import StageOp
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.dialects.nd.types import NUMPY, element, shape_of
from mlc.runtime.interpret_loop import call
from mlc.runtime.matching import assert_matches
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp

Array = np.ndarray[Any, Any]
Backend = Callable[[ModuleOp, list[Array]], list[Array]]


def function_of(module: ModuleOp) -> func.FuncOp:
    return next(op for op in module.walk() if isinstance(op, func.FuncOp))


def interpret(module: ModuleOp, arrays: list[Array]) -> list[Array]:
    return call(function_of(module), *arrays)


def native(module: ModuleOp, arrays: list[Array]) -> list[Array]:
    """Results start as garbage: what is not written shows."""
    lowered = module.clone()
    outputs = function_of(lowered).function_type.outputs.data
    results = [np.full(shape_of(t), 77, NUMPY[element(t)]) for t in outputs]
    registry.lookup("lower-loop")().apply(context(), lowered)
    verify(lowered)
    registry.lookup("expand-math")().apply(context(), lowered)
    compile_kernel(function_of(lowered))(*(np.ascontiguousarray(a) for a in arrays), *results)
    return results


CLOSE = Tolerance(ulp=32, sums=32, scale=8)
"""Sums of up to 60 products in any order, and a few functions of them."""

BACKENDS: dict[str, Backend] = {"interpreter": interpret, "native": native}

MACHINES = {
    "wide": Machine(vector_bytes=64, registers=32, has_fma=True, fma_per_cycle=2),
    "narrow": Machine(vector_bytes=16, registers=16, l2_bytes=1 << 12),
}


@dataclass(frozen=True)
class Kernel:
    """A function of the loop level, its inputs, and what it means in NumPy (double precision)."""

    name: str
    text: str
    inputs: list[Array]
    reference: Callable[..., list[Array]]

    def check(self, module: ModuleOp, backend: Backend) -> None:
        results = backend(module, self.inputs)
        wanted = self.reference(*(a.astype(np.float64) if a.dtype.kind == "f" else a for a in self.inputs))
        for got, want in zip(results, wanted, strict=True):
            assert_matches(CLOSE, got, want.astype(got.dtype) if want.dtype.kind == "f" else want)


def normal(*dims: int, seed: int = 0, dtype: str = "f4") -> Array:
    return np.random.default_rng(seed).standard_normal(dims).astype(dtype)


def integers(*dims: int, seed: int = 0, dtype: str = "i4") -> Array:
    return np.random.default_rng(seed).integers(-9, 9, dims).astype(dtype)


def soft(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


SCALE = "{ %p = arith.mulf %a, %b : f32\n loop.yield %p : f32 }"
COPY = "{ loop.yield %x : f32 }"

MATMUL = f"""func.func @matmul(%A: tensor<13x11xf32>, %B: tensor<11x21xf32>, %bias: tensor<21xf32>)
    -> tensor<13x21xf32> {{
  %acc = loop.stage mm [i: 13, j: 21, k: 11] (%a = %A[i, k], %b = %B[k, j]) -> add [i, j] {SCALE}
  %C = loop.stage epi [i: 13, j: 21] (%s = %acc[i, j], %t = %bias[j]) -> [i, j] {{
    %x = arith.addf %s, %t : f32
    %y = math.tanh %x : f32
    loop.yield %y : f32
  }}
  func.return %C : tensor<13x21xf32>
}}"""

SOFTMAX = f"""func.func @softmax(%X: tensor<7x37xf32>) -> tensor<7x37xf32> {{
  %m = loop.stage max [i: 7, j: 37] (%x = %X[i, j]) -> max [i] {COPY}
  %e, %s = loop.stage exp [i: 7, j: 37] (%x = %X[i, j], %t = %m[i]) -> [i, j], add [i] {{
    %d = arith.subf %x, %t : f32
    %p = math.exp %d : f32
    loop.yield %p, %p : f32, f32
  }}
  %r = loop.stage inv [i: 7] (%t = %s[i]) -> [i] {{
    %one = arith.constant 1.0 : f32
    %q = arith.divf %one, %t : f32
    loop.yield %q : f32
  }}
  %Y = loop.stage scale [i: 7, j: 37] (%a = %e[i, j], %b = %r[i]) -> [i, j] {SCALE}
  func.return %Y : tensor<7x37xf32>
}}"""

LAYERNORM = f"""func.func @layernorm(%X: tensor<5x37xf32>, %G: tensor<37xf32>)
    -> (tensor<5x37xf32>, tensor<5xf32>, tensor<5xf32>) {{
  %s = loop.stage sum [i: 5, j: 37] (%x = %X[i, j]) -> add [i] {COPY}
  %mean = loop.stage mean [i: 5] (%t = %s[i]) -> [i] {{
    %n = arith.constant 0.02702702702702703 : f32
    %u = arith.mulf %t, %n : f32
    loop.yield %u : f32
  }}
  %q = loop.stage var [i: 5, j: 37] (%x = %X[i, j], %u = %mean[i]) -> add [i] {{
    %d = arith.subf %x, %u : f32
    %dd = arith.mulf %d, %d : f32
    loop.yield %dd : f32
  }}
  %r = loop.stage rstd [i: 5] (%t = %q[i]) -> [i] {{
    %n = arith.constant 0.02702702702702703 : f32
    %v = arith.mulf %t, %n : f32
    %sd = math.rsqrt %v : f32
    loop.yield %sd : f32
  }}
  %Y = loop.stage norm [i: 5, j: 37] (%x = %X[i, j], %u = %mean[i], %v = %r[i], %g = %G[j]) -> [i, j] {{
    %d = arith.subf %x, %u : f32
    %n = arith.mulf %d, %v : f32
    %y = arith.mulf %n, %g : f32
    loop.yield %y : f32
  }}
  func.return %Y, %mean, %r : tensor<5x37xf32>, tensor<5xf32>, tensor<5xf32>
}}"""

MULADD = """func.func @muladd(%A: tensor<100xf32>, %B: tensor<100xf32>, %C: tensor<100xf32>) -> tensor<100xf32> {
  %E = loop.stage e [i: 100] (%a = %A[i], %b = %B[i], %c = %C[99 - i]) -> [i] {
    %s = arith.addf %a, %b : f32
    %p = arith.mulf %s, %c : f32
    loop.yield %p : f32
  }
  func.return %E : tensor<100xf32>
}"""


def convolution(step: int) -> str:
    n = 8 // step + 1
    at = "" if step == 1 else f"{step} * "
    return f"""func.func @conv(%X: tensor<3x9x9xf32>, %W: tensor<11x3x3x3xf32>) -> tensor<11x{n}x{n}xf32> {{
  %z = loop.stage zero [c: 3, y: 11, z: 11] () -> [c, y, z] {{
    %z0 = arith.constant 0.0 : f32
    loop.yield %z0 : f32
  }}
  %in = loop.stage pad [c: 3, y: 9, z: 9] (%x = %X[c, y, z]) -> [c, y, z] {COPY}
  %Xp = loop.join (%z at [0, 0, 0], %in at [0, 1, 1]) : tensor<3x11x11xf32>
  %acc = loop.stage conv [y: {n}, x: {n}, o: 11, c: 3, kh: 3, kw: 3]
    (%a = %Xp[c, {at}y + kh, {at}x + kw], %b = %W[o, c, kh, kw]) -> add [y, x, o] {SCALE}
  %O = loop.stage out [y: {n}, x: {n}, o: 11] (%x = %acc[y, x, o]) -> [o, y, x] {COPY}
  func.return %O : tensor<11x{n}x{n}xf32>
}}"""


def conv_reference(step: int) -> Callable[[Array, Array], list[Array]]:
    def run(x: Array, w: Array) -> list[Array]:
        p, n = np.pad(x, ((0, 0), (1, 1), (1, 1))), 8 // step + 1
        end = step * (n - 1) + 1
        taps = [(i, j) for i in range(3) for j in range(3)]
        return [
            sum(np.einsum("chw,oc->ohw", p[:, i : i + end : step, j : j + end : step], w[:, :, i, j]) for i, j in taps)
        ]

    return run


ATTENTION = f"""func.func @attention(%Q: tensor<2x14x9xf32>, %K: tensor<2x14x9xf32>, %V: tensor<2x14x9xf32>)
    -> tensor<2x14x9xf32> {{
  %sc = loop.stage qk [h: 2, q: 14, s: 14, d: 9] (%a = %Q[h, q, d], %b = %K[h, s, d]) -> add [h, q, s] {SCALE}
  %m = loop.stage max [h: 2, q: 14, s: 14] (%x = %sc[h, q, s]) -> max [h, q] {COPY}
  %pr, %l = loop.stage exp [h: 2, q: 14, s: 14] (%x = %sc[h, q, s], %t = %m[h, q]) -> [h, q, s], add [h, q] {{
    %d = arith.subf %x, %t : f32
    %e = math.exp %d : f32
    loop.yield %e, %e : f32, f32
  }}
  %acc = loop.stage pv [h: 2, q: 14, e: 9, s: 14] (%a = %pr[h, q, s], %b = %V[h, s, e]) -> add [h, q, e] {SCALE}
  %O = loop.stage norm [h: 2, q: 14, e: 9] (%a = %acc[h, q, e], %b = %l[h, q]) -> [h, q, e] {{
    %y = arith.divf %a, %b : f32
    loop.yield %y : f32
  }}
  func.return %O : tensor<2x14x9xf32>
}}"""

EINSUM = f"""func.func @einsum(%A: tensor<2x17x19xf32>, %B: tensor<2x23x17xf32>) -> tensor<2x19x23xf32> {{
  %C = loop.stage ein [b: 2, i: 19, j: 23, k: 17] (%a = %A[b, k, i], %b = %B[b, j, k]) -> add [b, i, j] {SCALE}
  func.return %C : tensor<2x19x23xf32>
}}"""

POOL = f"""func.func @pool(%X: tensor<3x21x21xf32>) -> tensor<3x10x10xf32> {{
  %Y = loop.stage mp [c: 3, y: 10, x: 10, kh: 3, kw: 3] (%x = %X[c, 2 * y + kh, 2 * x + kw]) -> max [c, y, x] {COPY}
  func.return %Y : tensor<3x10x10xf32>
}}"""


def pool_reference(x: Array) -> list[Array]:
    return [np.max([x[:, i : i + 19 : 2, j : j + 19 : 2] for i in range(3) for j in range(3)], axis=0)]


COLUMNS = f"""func.func @columns(%X: tensor<37x75xf32>) -> (tensor<75xf32>, tensor<75x37xf32>) {{
  %s = loop.stage sum [i: 37, j: 75] (%x = %X[i, j]) -> add [j] {COPY}
  %t = loop.stage tr [i: 37, j: 75] (%x = %X[i, j]) -> [j, i] {COPY}
  func.return %s, %t : tensor<75xf32>, tensor<75x37xf32>
}}"""

INTEGERS = """func.func @integers(%X: tensor<9x33xi64>, %Y: tensor<33x10xi64>)
    -> (tensor<9x10xi64>, tensor<9xi32>, tensor<9xi1>) {
  %p = loop.stage mm [i: 9, j: 10, k: 33] (%a = %X[i, k], %b = %Y[k, j]) -> add [i, j] {
    %p = arith.muli %a, %b : i64
    loop.yield %p : i64
  }
  %m = loop.stage max [i: 9, j: 33] (%x = %X[i, j]) -> max [i] { loop.yield %x : i64 }
  %at, %any = loop.stage arg [i: 9, j: 33] (%x = %X[i, j], %t = %m[i]) -> min [i], or [i] {
    %same = arith.cmpi eq, %x, %t : i64
    %c = loop.index j : index
    %w = arith.index_cast %c : index to i32
    %far = arith.constant 33 : i32
    %r = arith.select %same, %w, %far : i32
    %eight = arith.constant 8 : i64
    %big = arith.cmpi eq, %x, %eight : i64
    loop.yield %r, %big : i32, i1
  }
  func.return %p, %at, %any : tensor<9x10xi64>, tensor<9xi32>, tensor<9xi1>
}"""

DOUBLES = """func.func @doubles(%X: tensor<19x45xf64>, %v: tensor<45xf64>) -> (tensor<19xf64>, tensor<f64>) {
  %y = loop.stage mv [i: 19, k: 45] (%a = %X[i, k], %b = %v[k]) -> add [i] {
    %p = arith.mulf %a, %b : f64
    loop.yield %p : f64
  }
  %n = loop.stage norm [k: 45] (%a = %v[k], %b = %v[44 - k]) -> add [] {
    %p = arith.mulf %a, %b : f64
    loop.yield %p : f64
  }
  func.return %y, %n : tensor<19xf64>, tensor<f64>
}"""

KERNELS = [
    Kernel("matmul", MATMUL, [normal(13, 11), normal(11, 21, seed=1), normal(21, seed=2)],
           lambda a, b, c: [np.tanh(a @ b + c)]),
    Kernel("softmax", SOFTMAX, [normal(7, 37)], lambda x: [soft(x)]),
    Kernel("layernorm", LAYERNORM, [normal(5, 37), normal(37, seed=1)], lambda x, g: [
        (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) * g, x.mean(1), 1 / x.std(1)]),
    Kernel("muladd", MULADD, [normal(100, seed=s) for s in range(3)], lambda a, b, c: [(a + b) * c[::-1]]),
    Kernel("conv", convolution(1), [normal(3, 9, 9), normal(11, 3, 3, 3, seed=1)], conv_reference(1)),
    Kernel("conv_strided", convolution(2), [normal(3, 9, 9), normal(11, 3, 3, 3, seed=1)], conv_reference(2)),
    Kernel("attention", ATTENTION, [normal(2, 14, 9, seed=s) for s in range(3)],
           lambda q, k, v: [soft(q @ k.transpose(0, 2, 1)) @ v]),
    Kernel("einsum", EINSUM, [normal(2, 17, 19), normal(2, 23, 17, seed=1)],
           lambda a, b: [np.einsum("bki,bjk->bij", a, b)]),
    Kernel("pool", POOL, [normal(3, 21, 21)], pool_reference),
    Kernel("columns", COLUMNS, [normal(37, 75)], lambda x: [x.sum(0), x.T]),
    Kernel("integers", INTEGERS, [integers(9, 33, dtype="i8"), integers(33, 10, seed=1, dtype="i8")],
           lambda x, y: [x @ y, x.argmax(1).astype("i4"), (x == 8).any(1)]),
    Kernel("doubles", DOUBLES, [normal(19, 45, dtype="f8"), normal(45, dtype="f8", seed=1)],
           lambda x, v: [x @ v, np.asarray(v @ v[::-1])]),
]  # fmt: skip


def random_step(r: random.Random, axes: list[str], labels: list[str], values: list[str]) -> str:
    axis = r.choice(axes)
    only = f" only={','.join(r.sample(labels, r.randint(1, len(labels))))}" if r.random() < 0.4 else ""
    kind = r.choice(["tile"] * 3 + ["nest"] + ["split"] * 2 + ["vectorize"] * 2 + ["pack", "reorder"])
    several = ",".join(r.sample(axes, min(len(axes), r.randint(1, 3))))
    if kind == "tile":
        option = r.choice(["", "", " balanced=true", " clamp=false", f" through={r.choice(axes)}0"])
        return f"loop-tile{{axis={axis} size={r.choice([1, 2, 3, 5, 6, 8, 16])}{option}{only}}}"
    if kind == "nest":
        return f"loop-nest{{axis={axis}{only}}}"
    if kind == "split":
        return f"loop-split{{axis={axis} size={r.choice([2, 3, 8, 16])}{only}}}"
    if kind == "pack":
        order = ",".join(r.sample(axes, len(axes)))
        return f"loop-pack{{value={r.choice(values)} axes={order}{r.choice(['', '', ' recompute=true'])}{only}}}"
    return f"loop-{kind}{{axes={several}{only}}}"


def random_step_for(r: random.Random, module: ModuleOp) -> str:
    """A step over what the program has, now and then over what it has not."""
    found = [s for s in module.walk() if isinstance(s, StageOp)]
    axes = sorted({a.name for s in found for a in s.axes}) or ["i"]
    labels = sorted({s.label.data for s in found})
    values = sorted({v.name_hint for s in found for v in s.ins if v.name_hint})
    return random_step(r, [*axes, "i0"] if r.random() < 0.1 else axes, labels, values)


def round_trip(module: ModuleOp) -> None:
    text = str(module)
    assert str(parse_module(text, "again.mlir")) == text


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chunk", range(10))
def test_random_schedules_are_right_or_refused(chunk: int, backend: str) -> None:
    outcome: Counter[str] = Counter()
    for seed in range(30 * chunk, 30 * chunk + 30):
        r = random.Random(seed)
        kernel = r.choice(KERNELS)
        module = parse_module(kernel.text, f"{kernel.name}.mlir")
        done: list[str] = []
        for _ in range(r.randint(1, 6)):
            step, before = random_step_for(r, module), str(module)
            try:
                run_schedule(function_of(module), step)
            except CompileError as error:
                assert error.message.startswith("loop-") and "expected" in error.message, error.message
                assert str(module) == before, f"refused, but changed by {step} after {done}"
                outcome["refused"] += 1
            else:
                done.append(step)
        try:
            verify(module)
            round_trip(module)
            kernel.check(module, BACKENDS[backend])
        except Exception as error:
            raise AssertionError(f"seed {seed}, {kernel.name}, {','.join(done)}") from error
        outcome["right"] += len(done)
    assert outcome["right"] >= 60


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_every_prefix_of_the_chosen_schedule_is_right(kernel: Kernel, machine: str, backend: str) -> None:
    module = parse_module(kernel.text, f"{kernel.name}.mlir")
    LoopCopies().on(function_of(module))
    text = schedule(function_of(module), MACHINES[machine])
    assert text, f"{kernel.name} stays unscheduled"
    kernel.check(module, BACKENDS[backend])
    for step in steps_of(text):
        step.on(function_of(module))
        verify(module)
        round_trip(module)
        kernel.check(module, BACKENDS[backend])


@pytest.mark.parametrize("lines", [7, 33, 70])
@pytest.mark.parametrize("length", [5, 63, 128])
def test_short_lines_go_through_each_stage_together(lines: int, length: int) -> None:
    def program(x: Any) -> Any:
        shifted = x - mnp.mean(x, axis=-1, keepdims=True)
        return shifted / mnp.max(mnp.abs(shifted), axis=-1, keepdims=True), mnp.argmax(x, axis=-1)

    x = np.random.default_rng(length).integers(-8, 9, (lines, length)).astype(np.float32)
    wide = x.astype(np.float64)
    shifted = wide - wide.mean(-1, keepdims=True)
    got, places = mlc.compile(program, x)(x)
    want = shifted / np.abs(shifted).max(-1, keepdims=True)
    assert_matches(Tolerance(ulp=16, sums=16), got, want.astype(np.float32))
    assert_matches(EXACT, places, x.argmax(-1))
