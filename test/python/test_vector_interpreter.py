"""The interpreter of the vector level, op by op."""

from __future__ import annotations

from typing import Any

import numpy as np
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.nd.op import EXACT
from mlc.runtime.interpret_vector import call_kernel
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches

Array = np.ndarray[Any, Any]


def evaluate(body: str, result: str, out: str, *inputs: tuple[str, Array]) -> Array:
    """Run a function of vectors `%a0`, `%a1` .., read whole from memory, whose value `%r` is written out."""
    reads: list[str] = []
    for n, (shape, array) in enumerate(inputs):
        indices = ", ".join(["%c0"] * array.ndim)
        zero = f"  %z{n} = arith.constant {'0.0' if array.dtype.kind == 'f' else '0'} : {shape.split('x')[-1]}\n"
        bounds = ", ".join(["true"] * array.ndim)
        reads.append(
            f"{zero}  %a{n} = vector.transfer_read %m{n}[{indices}], %z{n} {{in_bounds = [{bounds}]}} : "
            f"memref<{shape}>, vector<{shape}>"
        )
    rank = out.count("x")
    write = (
        f"  vector.transfer_write %r, %out[{', '.join(['%c0'] * rank)}] {{in_bounds = "
        f"[{', '.join(['true'] * rank)}]}} : {result}, memref<{out}>"
    )
    arguments = ", ".join([*(f"%m{n}: memref<{s}>" for n, (s, _) in enumerate(inputs)), f"%out: memref<{out}>"])
    lines = ["  %c0 = arith.constant 0 : index", *reads, body, write, "  func.return"]
    module = parse_module(f"func.func @f({arguments}) {{\n" + "\n".join(lines) + "\n}")
    verify(module)
    return call_kernel(Interpreter(module), "f", [a for _, a in inputs])[0]


def numbers(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype("f4")


def test_transpose() -> None:
    x = numbers(2, 3, 4)
    body = "  %r = vector.transpose %a0, [2, 0, 1] : vector<2x3x4xf32> to vector<4x2x3xf32>"
    assert_matches(EXACT, evaluate(body, "vector<4x2x3xf32>", "4x2x3xf32", ("2x3x4xf32", x)), x.transpose(2, 0, 1))


def test_shape_cast_and_broadcast() -> None:
    x = numbers(6)
    body = """  %s = vector.shape_cast %a0 : vector<6xf32> to vector<3x1x2xf32>
      %r = vector.broadcast %s : vector<3x1x2xf32> to vector<3x4x2xf32>"""
    want = np.broadcast_to(x.reshape(3, 1, 2), (3, 4, 2))
    assert_matches(EXACT, evaluate(body, "vector<3x4x2xf32>", "3x4x2xf32", ("6xf32", x)), want)


def test_a_reduction_keeps_nan_and_the_accumulator() -> None:
    x = np.array([[1, np.nan, 2], [4, 3, 5]], "f4")
    acc = np.array([0, 9], "f4")
    body = "  %r = vector.multi_reduction <maximumf>, %a0, %a1 [1] : vector<2x3xf32> to vector<2xf32>"
    got = evaluate(body, "vector<2xf32>", "2xf32", ("2x3xf32", x), ("2xf32", acc))
    assert_matches(EXACT, got, np.array([np.nan, 9], "f4"))


def test_contract() -> None:
    a, b, c = (
        np.random.default_rng(s).integers(-9, 9, n).astype("i4") for s, n in ((0, (2, 4)), (1, (4, 3)), (2, (2, 3)))
    )
    body = """  %r = vector.contract {indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
        affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]} %a0, %a1, %a2
        : vector<2x4xi32>, vector<4x3xi32> into vector<2x3xi32>"""
    got = evaluate(body, "vector<2x3xi32>", "2x3xi32", ("2x4xi32", a), ("4x3xi32", b), ("2x3xi32", c))
    assert_matches(EXACT, got, a @ b + c)


def test_step_and_select() -> None:
    x = numbers(4)
    body = """  %s = vector.step : vector<4xindex>
      %w = arith.index_cast %s : vector<4xindex> to vector<4xi32>
      %two = arith.constant dense<2> : vector<4xi32>
      %small = arith.cmpi slt, %w, %two : vector<4xi32>
      %minus = arith.negf %a0 : vector<4xf32>
      %r = arith.select %small, %a0, %minus : vector<4xi1>, vector<4xf32>"""
    want = np.where(np.arange(4) < 2, x, -x)
    assert_matches(EXACT, evaluate(body, "vector<4xf32>", "4xf32", ("4xf32", x)), want)


def test_memory_lies_as_its_type_says() -> None:
    """A view made by strides sees a column-major argument's elements in the order of its memory."""
    x = numbers(3, 4)
    module = parse_module("""func.func @f(%x: memref<3x4xf32, strided<[1, 3]>>, %out: memref<12xf32>) {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      %m = memref.reinterpret_cast %x to offset: [%c0], sizes: [12], strides: [1]
        : memref<3x4xf32, strided<[1, 3]>> to memref<12xf32, strided<[1], offset: ?>>
      %v = vector.transfer_read %m[%c0], %z {in_bounds = [true]}
        : memref<12xf32, strided<[1], offset: ?>>, vector<12xf32>
      vector.transfer_write %v, %out[%c0] {in_bounds = [true]} : vector<12xf32>, memref<12xf32>
      func.return
    }""")
    verify(module)
    assert_matches(EXACT, call_kernel(Interpreter(module), "f", [x])[0], x.T.ravel())
