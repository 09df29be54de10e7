"""StableHLO programs of one op each against NumPy: quantised and narrow elements, dynamic shapes, composed ops."""

# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import mlc
import numpy as np
import pytest
from mlc.dialects.chlo.dialect import Chlo
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.dialects.stablehlo.dialect import Stablehlo
from mlc.lowering.stablehlo_to_nd import table
from mlc.runtime.matching import assert_matches
from xdsl.irdl import IRDLOperation

Np = np.ndarray[Any, Any]
CLOSE = Tolerance(ulp=4, sums=16)


def program(arguments: Sequence[str], results: Sequence[str], *lines: str) -> str:
    """Lines that give %r, or %r#0, %r#1, ...; arguments are %0, %1, ..."""
    args = ", ".join(f"%a{k}: {t}" for k, t in enumerate(arguments))
    out = ", ".join(results)
    names = "%r" if len(results) == 1 else ", ".join(f"%r#{k}" for k in range(len(results)))
    body = "\n  ".join(lines)
    return f"func.func public @main({args}) -> ({out}) {{\n  {body}\n  return {names} : {out}\n}}\n"


def run(text: str, *args: Np) -> list[Np]:
    found: Any = mlc.compile(text)(*args)
    results: list[Any] = list(found) if isinstance(found, tuple) else [found]  # pyright: ignore[reportUnknownArgumentType]
    return [np.asarray(a) for a in results]


def same(got: Sequence[Np], want: Sequence[Np], how: Tolerance = EXACT) -> None:
    for a, b in zip(got, want, strict=True):
        assert_matches(how, a, b)


# Every op.


def names(dialect: Any) -> list[str]:
    ends = ("stablehlo.return", "chlo.return")
    ops: list[type[IRDLOperation]] = list(dialect.operations)
    return sorted(op.name for op in ops if op.name.startswith(("stablehlo.", "chlo.")) and op.name not in ends)


@pytest.mark.parametrize("name", [*names(Stablehlo), *names(Chlo)])
def test_has_a_converter_or_a_reason(name: str) -> None:
    assert (name in table._MODULES) != (name in table.REFUSED)  # pyright: ignore[reportPrivateUsage]


def test_rows_name_what_is_there() -> None:
    for module in table.FAMILIES:
        __import__(f"mlc.lowering.stablehlo_to_nd.{module}")
    assert set(table._MODULES) <= set(table.CONVERTERS)  # pyright: ignore[reportPrivateUsage]


def test_refused_op_says_why() -> None:
    token = "!stablehlo.token"
    text = program([], ["tensor<2xf32>"], f"%t = stablehlo.create_token : {token}",
                   f'%r, %u = "stablehlo.infeed"(%t) : ({token}) -> (tensor<2xf32>, {token})')  # fmt: skip
    with pytest.raises(CompileError, match=r"stablehlo.infeed, which exchanges data with another program"):
        mlc.compile(text)


# Quantised elements.

Q = "!quant.uniform<i8:f32, 0.05:-3>"
OUT = "!quant.uniform<i8<-100:100>:f32, 0.0413:7>"
X, Y = np.linspace(-7, 7, 41, dtype=np.float32), np.linspace(5, -6, 41, dtype=np.float32)


def quantize(x: Np, scale: float, point: int, low: int = -128, high: int = 127) -> Np:
    scaled = x.astype(np.float32) / np.float32(scale) + np.float32(point)
    return np.nan_to_num(np.round(np.clip(scaled, low, high)), nan=0).astype(np.int8)


def dequantize(q: Np, scale: float, point: int) -> Np:
    return (q.astype(np.int32) - point).astype(np.float32) * np.float32(scale)


ELEMENTWISE: dict[str, Any] = {
    "abs": np.abs,
    "add": np.add,
    "ceil": np.ceil,
    "floor": np.floor,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "multiply": np.multiply,
    "negate": np.negative,
    "subtract": np.subtract,
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_on_quantised(name: str) -> None:
    fn = ELEMENTWISE[name]
    t, q, out = (f"tensor<41x{e}>" for e in ("f32", Q, OUT))
    inputs = ["%p", "%q"][: fn.nin]
    text = program(
        [t, t], [t],
        f"%p = stablehlo.uniform_quantize %a0 : ({t}) -> {q}",
        f"%q = stablehlo.uniform_quantize %a1 : ({t}) -> {q}",
        f"%s = stablehlo.{name} {', '.join(inputs)} : ({', '.join([q] * fn.nin)}) -> {out}",
        f"%r = stablehlo.uniform_dequantize %s : ({out}) -> {t}",
    )  # fmt: skip
    reals = [dequantize(quantize(v, 0.05, -3), 0.05, -3) for v in (X, Y)][: fn.nin]
    want = dequantize(quantize(fn(*reals), 0.0413, 7, -100, 100), 0.0413, 7)
    same(run(text, X, Y), [want])


def test_special_numbers_quantised() -> None:
    t, q = "tensor<4xf32>", f"tensor<4x{Q}>"
    x = np.array([np.inf, -np.inf, np.nan, 0.125], np.float32)
    text = program([t], [t], f"%p = stablehlo.uniform_quantize %a0 : ({t}) -> {q}",
                   f"%r = stablehlo.uniform_dequantize %p : ({q}) -> {t}")  # fmt: skip
    same(run(text, x), [dequantize(quantize(x, 0.05, -3), 0.05, -3)])


def test_scale_for_each_row() -> None:
    t, q = "tensor<2x3xf32>", "tensor<2x3x!quant.uniform<i8:f32:0, {0.1, 0.5:4}>>"
    x = np.array([[1.23, -4, 40], [1.23, -4, 40]], np.float32)
    text = program([t], [t], f"%p = stablehlo.uniform_quantize %a0 : ({t}) -> {q}",
                   f"%r = stablehlo.uniform_dequantize %p : ({q}) -> {t}")  # fmt: skip
    want = [dequantize(quantize(x[k], s, z), s, z) for k, (s, z) in enumerate(((0.1, 0), (0.5, 4)))]
    same(run(text, x), [np.stack(want)])


def test_quantised_product_and_sum() -> None:
    a, b, wide = f"tensor<2x3x{Q}>", f"tensor<3x2x{Q}>", "!quant.uniform<i32:f32, 0.0025>"
    text = program(
        ["tensor<2x3xf32>", "tensor<3x2xf32>"], ["tensor<2xf32>"],
        f"%p = stablehlo.uniform_quantize %a0 : (tensor<2x3xf32>) -> {a}",
        f"%q = stablehlo.uniform_quantize %a1 : (tensor<3x2xf32>) -> {b}",
        f"%s = stablehlo.dot_general %p, %q, contracting_dims = [1] x [0] : ({a}, {b}) -> tensor<2x2x{wide}>",
        "%z = stablehlo.constant dense<0.0> : tensor<f32>",
        f"%i = stablehlo.uniform_quantize %z : (tensor<f32>) -> tensor<{wide}>",
        f"%u = stablehlo.reduce(%s init: %i) applies stablehlo.add across dimensions = [1] : "
        f"(tensor<2x2x{wide}>, tensor<{wide}>) -> tensor<2x{wide}>",
        f"%r = stablehlo.uniform_dequantize %u : (tensor<2x{wide}>) -> tensor<2xf32>",
    )  # fmt: skip
    x, y = X[:6].reshape(2, 3), Y[:6].reshape(3, 2)
    p, q = (quantize(v, 0.05, -3).astype(np.int64) + 3 for v in (x, y))
    want = ((p @ q).sum(1) * 0.0025).astype(np.float32)
    same(run(text, x, y), [want], Tolerance(ulp=4))


# Narrow elements.

INTEGERS: dict[str, Any] = {
    "add": np.add,
    "and": np.bitwise_and,
    "maximum": np.maximum,
    "multiply": np.multiply,
    "subtract": np.subtract,
}


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int4", -8, 8), ("uint4", 0, 16), ("int2", -2, 2), ("uint2", 0, 4)]
)
def test_narrow_integers_wrap(dtype: str, low: int, high: int) -> None:
    """All pairs: arithmetic, logical shifts and bit counts."""
    x, y = (v.ravel() for v in np.meshgrid(np.arange(low, high), np.arange(low, high)))
    bits, name = (high - low).bit_length() - 1, dtype.replace("uint", "ui").replace("int", "i")
    t, mask = f"tensor<{x.size}x{name}>", (1 << bits) - 1
    wants = {k: fn(x, y) for k, fn in INTEGERS.items()}
    amount = np.minimum(y & mask, bits)
    wants["shift_left"], wants["shift_right_logical"] = x << amount, (x & mask) >> amount
    lines = [f"%{k} = stablehlo.{k} %a0, %a1 : {t}" for k in wants]
    lines += [f"%popcnt = stablehlo.popcnt %a0 : {t}", f"%clz = stablehlo.count_leading_zeros %a0 : {t}"]
    wants["popcnt"] = np.array([bin(v & mask).count("1") for v in x])
    wants["clz"] = np.array([bits - int(v & mask).bit_length() for v in x])
    text = program([t, t], [t], *lines, "%r = PLACE").replace("  %r = PLACE\n", "")
    text = text.replace(
        "return %r : " + t, f"return {', '.join('%' + k for k in wants)} : {', '.join([t] * len(wants))}"
    )
    text = text.replace(f"-> ({t})", f"-> ({', '.join([t] * len(wants))})")
    kind = np.dtype(getattr(ml_dtypes, dtype))
    for got, (k, want) in zip(run(text, x.astype(kind), y.astype(kind)), wants.items(), strict=True):
        np.testing.assert_array_equal(got.astype(int), (want - low) % (mask + 1) + low, k)


def test_float_of_eight_bits() -> None:
    kind = np.dtype(ml_dtypes.float8_e4m3fn)
    x, y = X[::5].astype(kind), Y[::5].astype(kind)
    t = f"tensor<{x.size}xf8E4M3FN>"
    (got,) = run(program([t, t], [t], f"%r = stablehlo.multiply %a0, %a1 : {t}"), x, y)
    np.testing.assert_array_equal(
        got.astype(np.float32), (x.astype(np.float32) * y.astype(np.float32)).astype(kind).astype(np.float32)
    )


def test_few_sums_of_f16_are_rounded_each() -> None:
    body = "^bb0(%x: tensor<f16>, %y: tensor<f16>):\n %s = stablehlo.add %x, %y : tensor<f16>\n stablehlo.return %s : tensor<f16>"
    numbers = "#stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>"
    text = program(["tensor<1xf16>", "tensor<2x1xi32>", "tensor<2xf16>"], ["tensor<1xf16>"],
                   f'%r = "stablehlo.scatter"(%a0, %a1, %a2) <{{scatter_dimension_numbers = {numbers}}}> ({{\n{body}\n}}) : '
                   "(tensor<1xf16>, tensor<2x1xi32>, tensor<2xf16>) -> tensor<1xf16>")  # fmt: skip
    x, u = np.array([-1.88574], np.float16), np.array([-2.11719, 4.11328], np.float16)
    same(run(text, x, np.zeros((2, 1), np.int32), u), [x + u[0] + u[1]])


def test_argmax_of_truth_values() -> None:
    text = """
    func.func public @main(%x: tensor<5xi1>) -> (tensor<i1>, tensor<i32>) {
      %k = stablehlo.iota dim = 0 : tensor<5xi32>
      %f = stablehlo.constant dense<false> : tensor<i1>
      %z = stablehlo.constant dense<0> : tensor<i32>
      %r:2 = stablehlo.reduce(%x init: %f), (%k init: %z) across dimensions = [0]
        : (tensor<5xi1>, tensor<5xi32>, tensor<i1>, tensor<i32>) -> (tensor<i1>, tensor<i32>)
        reducer(%a: tensor<i1>, %b: tensor<i1>) (%i: tensor<i32>, %j: tensor<i32>) {
        %2 = stablehlo.compare GT, %a, %b, UNSIGNED : (tensor<i1>, tensor<i1>) -> tensor<i1>
        %3 = stablehlo.compare NE, %a, %a, UNSIGNED : (tensor<i1>, tensor<i1>) -> tensor<i1>
        %4 = stablehlo.or %2, %3 : tensor<i1>
        %5 = stablehlo.compare EQ, %a, %b, UNSIGNED : (tensor<i1>, tensor<i1>) -> tensor<i1>
        %6 = stablehlo.compare LT, %i, %j, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
        %7 = stablehlo.and %5, %6 : tensor<i1>
        %8 = stablehlo.or %4, %7 : tensor<i1>
        %9 = stablehlo.select %4, %a, %b : tensor<i1>, tensor<i1>
        %10 = stablehlo.select %8, %i, %j : tensor<i1>, tensor<i32>
        stablehlo.return %9, %10 : tensor<i1>, tensor<i32>
      }
      return %r#0, %r#1 : tensor<i1>, tensor<i32>
    }"""
    f = mlc.compile(text)
    for x in ([0, 0, 1, 0, 1], [0] * 5, [1] * 5):
        value, at = (np.asarray(v) for v in f(np.array(x, bool)))
        assert (bool(value), int(at)) == (max(x) == 1, x.index(max(x)))


# Dynamic shapes.

DYNAMIC = """
func.func public @main(%x: tensor<?x3xf32>) -> (tensor<?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x3xf32>) {
  %n = stablehlo.get_dimension_size %x, dim = 0 : (tensor<?x3xf32>) -> tensor<i32>
  %three = stablehlo.constant dense<3> : tensor<i32>
  %all = stablehlo.multiply %n, %three : tensor<i32>
  %flat = stablehlo.reshape %all : (tensor<i32>) -> tensor<1xi32>
  %0 = stablehlo.dynamic_reshape %x, %flat : (tensor<?x3xf32>, tensor<1xi32>) -> tensor<?xf32>
  %rows = stablehlo.reshape %n : (tensor<i32>) -> tensor<1xi32>
  %columns = stablehlo.constant dense<2> : tensor<1xi32>
  %shape = stablehlo.concatenate %rows, %columns, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
  %1 = stablehlo.dynamic_iota %shape, dim = 0 : (tensor<2xi32>) -> tensor<?x?xf32>
  %low = stablehlo.constant dense<[1, 0]> : tensor<2xi32>
  %high = stablehlo.constant dense<[2, -1]> : tensor<2xi32>
  %none = stablehlo.constant dense<0> : tensor<2xi32>
  %one = stablehlo.constant dense<1.0> : tensor<f32>
  %2 = stablehlo.dynamic_pad %x, %one, %low, %high, %none
    : (tensor<?x3xf32>, tensor<f32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?x?xf32>
  %limit = stablehlo.concatenate %rows, %three1, dim = 0 : (tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
  %steps = stablehlo.constant dense<1> : tensor<2xi32>
  %3 = stablehlo.real_dynamic_slice %x, %low, %limit, %steps
    : (tensor<?x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?x3xf32>
  return %0, %1, %2, %3 : tensor<?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x3xf32>
}
""".replace("  %limit", "  %three1 = stablehlo.reshape %three : (tensor<i32>) -> tensor<1xi32>\n  %limit")


def test_dynamic_shapes_of_sizes() -> None:
    f = mlc.compile(DYNAMIC)
    for n in (2, 5):
        x = X[: 3 * n].reshape(n, 3)
        rows = np.repeat(np.arange(n, dtype=np.float32)[:, None], 2, 1)
        padded = np.pad(x, ((1, 2), (0, 0)), constant_values=1)[:, :-1]
        same([np.asarray(a) for a in f(x)], [x.ravel(), rows, padded, x[1:]])


def test_shape_known_when_run_is_refused() -> None:
    text = program(["tensor<4xf32>", "tensor<2xi32>"], ["tensor<?x?xf32>"],
                   "%r = stablehlo.dynamic_reshape %a0, %a1 : (tensor<4xf32>, tensor<2xi32>) -> tensor<?x?xf32>")  # fmt: skip
    with pytest.raises(CompileError, match="dynamic_reshape: expected a shape made of constants and sizes"):
        mlc.compile(text)


# Composed ops.


def test_batch_norm() -> None:
    x, v = X[:24].reshape(2, 3, 4), X[20:23] + 3
    t, w = "tensor<2x3x4xf32>", "tensor<3xf32>"
    text = program([t, w], [t, w, w], f'%r:3 = "stablehlo.batch_norm_training"(%a0, %a1, %a1) '
                   f"<{{epsilon = 0.01 : f32, feature_index = 1 : i64}}> : ({t}, {w}, {w}) -> ({t}, {w}, {w})")  # fmt: skip
    mean, var = x.astype(np.float64).mean((0, 2)), x.astype(np.float64).var((0, 2))
    wide = [a[None, :, None] for a in (mean, var, v)]
    want = (x - wide[0]) / np.sqrt(wide[1] + 0.01) * wide[2] + wide[2]
    got = run(text, x, v)
    for a, b in zip(got, (want, mean, var), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_einsum_and_index_select() -> None:
    x, y = X[:6].reshape(2, 3), X[6:18].reshape(3, 4)
    text = program(["tensor<2x3xf32>", "tensor<3x4xf32>"], ["tensor<4x2xf32>"],
                   '%r = stablehlo.einsum %a0, %a1, config = "ij,jk->ki" : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<4x2xf32>')  # fmt: skip
    same(run(text, x, y), [(x @ y).T], CLOSE)
    text = program(["tensor<3x4xf32>", "tensor<2xi32>"], ["tensor<3x2xf32>"],
                   '%r = "stablehlo.torch_index_select"(%a0, %a1) <{dim = 1 : i64, batch_dims = 0 : i64}> : '
                   "(tensor<3x4xf32>, tensor<2xi32>) -> tensor<3x2xf32>")  # fmt: skip
    same(run(text, y, np.array([3, 1], np.int32)), [y[:, [3, 1]]])


def test_collective_of_one() -> None:
    text = program(["tensor<2x4xf32>"], ["tensor<2x4xf32>"],
                   '%r = "stablehlo.all_gather"(%a0) <{all_gather_dim = 0 : i64, replica_groups = dense<0> : tensor<1x1xi64>}> : '
                   "(tensor<2x4xf32>) -> tensor<2x4xf32>")  # fmt: skip
    x = X[:8].reshape(2, 4)
    same(run(text, x), [x])


def test_exported_with_symbolic_sizes() -> None:
    jax = pytest.importorskip("jax", reason="JAX is in the extra `test`")
    export, jnp = pytest.importorskip("jax.export"), jax.numpy

    def f(x: Any) -> Any:
        return x[:, : x.shape[1] - 1], jnp.broadcast_to(x[:1], x.shape) + x.mean(), jnp.ones((x.shape[0] // 2, 3))

    spec = jax.ShapeDtypeStruct(export.symbolic_shape("b, c"), jnp.float32)
    g = mlc.compile(export.export(jax.jit(f))(spec).mlir_module())
    for x in (X[:12].reshape(3, 4), X[:10].reshape(5, 2)):
        same([np.asarray(a) for a in g(x)], [np.asarray(a) for a in f(x)], CLOSE)
