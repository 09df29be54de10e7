"""The comparison finds what is wrong and lets pass what is allowed; and the interpreter that gives it the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, NdOp, Tolerance
from mlc.runtime.interpreter import Frame, Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from op_cases import CASES
from xdsl.dialects.builtin import f32, i32
from xdsl.ir import Operation

F32 = np.float32


def op(name: str, dtype: Any = f32, label: str = "") -> NdOp:
    return next(c for c in CASES if c.op == name and c.label.startswith(label)).trace(dtype)


def f(*x: float) -> Any:
    return np.array(x, F32)


def refused(how: Any, got: Any, want: Any, message: str, **more: Any) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_matches(how, got, want, **more)


def test_exact_comparison_sees_zeros_and_nans() -> None:
    assert_matches(EXACT, f(np.nan, -0.0, np.inf), f(np.nan, -0.0, np.inf))
    refused(EXACT, f(1, 0.0), f(1, -0.0), r"at \[1\]: got .*0.0.*, want .*-0.0.*, allowed no difference \(1 of 2")
    refused(EXACT, f(np.nan, 1), f(1, 1), r"at \[0\]: got .*nan")
    refused(op("max"), f(1), np.nextafter(f(1), F32(2)), r"at \[0\]")
    refused(EXACT, np.array([1, 2]), np.array([1, 3]), r"at \[1\]: got .*2.*, want .*3")
    refused(op("add", i32), np.array([1], np.int32), np.array([2], np.int32), "no difference")


def test_types_and_shapes() -> None:
    refused(EXACT, f(1), np.array([1.0]), "expected elements of float64, got float32")
    refused(EXACT, f(1), f(1, 2), r"expected shape \[2\], got \[1\]")


def test_elementwise_ulps() -> None:
    x = np.array(1.3, F32)
    exp = next(c for c in CASES if c.op == "exp" and c.shapes == ((),)).trace(f32)
    want = exp.reference(x)
    one, far = np.nextafter(want, F32(9)), want * F32(1 + 1e-6)
    assert_matches(exp, one, want, inputs=[x])
    refused(exp, far, want, r"at \[\]: got .*difference .*allowed", inputs=[x])


def test_the_sign_of_an_exact_zero_counts() -> None:
    sin = next(c for c in CASES if c.op == "sin" and c.shapes == ((),)).trace(f32)
    refused(sin, F32(0.0), F32(-0.0), r"at \[\]", inputs=[np.array(-0.0, F32)])


def test_equal_values_match_where_there_is_no_bound() -> None:
    softmax = next(c for c in CASES if c.op == "softmax" and c.shapes == ((3, 4),)).trace(f32)
    x = np.full((3, 4), 1, F32)
    x[1, 2] = -np.inf  # weight 0, of magnitude 0 * inf
    want = softmax.reference(x)
    assert_matches(softmax, want, want, inputs=[x])
    wrong = np.where(want == 0, F32(0.5), want)
    refused(softmax, wrong, want, r"at \[1, 2\]", inputs=[x])


def test_sums_by_their_terms() -> None:
    matmul = op("contract", label="matmul")
    x, w = np.full((2, 3), 1e4, F32), np.zeros((3, 4), F32)
    w[0], w[1], w[2] = 1, -1, 1e-4
    want = matmul.reference(x, w)
    assert_matches(matmul, want + F32(2e-3), want, inputs=[x, w])  # 4 eps sqrt(3) 2e4 = 1.6e-2
    refused(matmul, want + F32(2e-1), want, "allowed 0.016", inputs=[x, w])
    total = op("reduce", label="sum")
    refused(total, np.full(3, np.nan, F32), f(1, 2, 3), "nan", inputs=[np.ones((2, 3, 5), F32)])


def test_wrong_reduction_of_nan_is_found() -> None:
    largest = op("reduce", label="max")
    x = np.ones((2, 3, 5), F32)
    x[0, 1, 2] = np.nan
    refused(largest, f(1, 1, 1), largest.reference(x), r"at \[1\]: got .*1.0.*, want .*nan", inputs=[x])


MLP = """
func.func @layer(%x: tensor<?x4xf32, #nd.sym<n>>, %w: tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<n>> {
  %0 = nd.contract %x, %w "a b, b c -> a c"
      : (tensor<?x4xf32, #nd.sym<n>>, tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<n>>
  %1 = nd.tanh %0 : tensor<?x4xf32, #nd.sym<n>>
  func.return %1 : tensor<?x4xf32, #nd.sym<n>>
}
func.func @main(%x: tensor<?x4xf32, #nd.sym<b>>, %w: tensor<4x4xf32>) -> (tensor<?x4xf32, #nd.sym<b>>, tensor<f32>) {
  %0 = func.call @layer(%x, %w) : (tensor<?x4xf32, #nd.sym<b>>, tensor<4x4xf32>) -> tensor<?x4xf32, #nd.sym<b>>
  %1 = nd.mean %0 "a b -> " : (tensor<?x4xf32, #nd.sym<b>>) -> tensor<f32>
  func.return %0, %1 : tensor<?x4xf32, #nd.sym<b>>, tensor<f32>
}
"""


def mlp_inputs(b: int) -> list[Any]:
    rng = np.random.default_rng(b)
    return [rng.standard_normal((b, 4)).astype(F32), rng.standard_normal((4, 4)).astype(F32)]


@pytest.mark.parametrize("b", [0, 1, 7])
def test_calls_and_symbols(b: int) -> None:
    module, (x, w) = parse_module(MLP, "mlp.mlir"), mlp_inputs(b)
    y, m = Interpreter(module).call("main", x, w)
    np.testing.assert_allclose(y, np.tanh(x @ w), rtol=1e-5)
    np.testing.assert_allclose(m, np.tanh(x @ w).mean() if b else np.nan, rtol=1e-5)


def test_what_came_from_a_coarser_type_is_no_more_exact() -> None:
    text = (
        "func.func @main(%x: tensor<3xf32>, %y: tensor<3xf64>) -> tensor<3xf64> {{\n  %0 = nd.tanh %{} : tensor<3x{}>\n"
    )
    text += "  %1 = nd.convert %{} to f64 : tensor<3x{}> -> tensor<3xf64>\n  func.return %1 : tensor<3xf64>\n}}"
    inputs = [f(1, 2, 3), np.array([1.0, 2, 3])]
    for name, kind, rounded in (("x", "f32", True), ("y", "f64", False)):
        module = parse_module(text.format(name, kind, "0", kind), "x.mlir")
        (want,) = Interpreter(module).call("main", *inputs)
        if rounded:
            assert_matches(program_tolerance(module, inputs), want + 1e-7, want)
        else:
            refused(program_tolerance(module, inputs), want + 1e-7, want, "allowed")
        refused(program_tolerance(module, inputs), want + 1e-5, want, "allowed")


def test_program_tolerance_is_small_and_scales() -> None:
    module, inputs = parse_module(MLP, "mlp.mlir"), mlp_inputs(7)
    found = program_tolerance(module, inputs)
    assert 0 < found.sums < 100 and 0.5 < found.scale < 50
    want = Interpreter(module).call("main", *inputs)[0]
    assert_matches(found, want * F32(1 + 1e-6), want)
    refused(found, want * F32(1 + 1e-2), want, "allowed")
    assert found == program_tolerance(module, inputs)


def test_tolerances_add_up() -> None:
    assert Tolerance(1, 2, 3).then(Tolerance(4, 5, 1)) == Tolerance(5, 7, 3)
    assert Tolerance(1).at(5) == Tolerance(1, 0, 5) and EXACT.exact


def test_observers_see_every_op() -> None:
    module, seen = parse_module(MLP, "mlp.mlir"), list[str]()

    def observe(frame: Frame, op: Operation) -> None:
        seen.append(op.name)
        assert all(r in frame.values for r in op.results)

    Interpreter(module, [observe]).call("main", *mlp_inputs(2))
    assert seen == ["nd.contract", "nd.tanh", "func.call", "nd.mean"]


WRONG: list[tuple[Any, str]] = [
    (lambda run: run("mian", *mlp_inputs(1)), r"mlp.mlir:1:1.*functions \(@layer, @main\), found @mian"),
    (lambda run: run("main", mlp_inputs(1)[0]), r"mlp.mlir:8:1: .*@main: expected 2 arguments, found 1"),
    (lambda run: run("main", *[x.astype(float) for x in mlp_inputs(1)]), "argument 0: expected elements of float32"),
    (
        lambda run: run("main", mlp_inputs(1)[0].T, mlp_inputs(1)[1]),
        r"mlp.mlir:8:17: .*argument 0: expected tensor<\?x4",
    ),
    (lambda run: run("main", *mlp_inputs(1), symbols={"b": 3}), "dimension 0: expected size 3 of b, found 1"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_calls_are_located(number: int) -> None:
    call, message = WRONG[number]
    with pytest.raises(CompileError, match=message):
        call(Interpreter(parse_module(MLP, "mlp.mlir")).call)


def test_an_op_without_meaning_is_located() -> None:
    text = 'func.func @main() {\n  "test.op"() : () -> ()\n  func.return\n}'
    with pytest.raises(CompileError, match=r"x\.mlir:2:3: error: test\.op: the interpreter has no meaning for it"):
        Interpreter(parse_module(text, "x.mlir")).call("main")


def test_derived_sizes_are_solved() -> None:
    text = "func.func @main(%x: tensor<?xf32, #nd.sym<2*b + 1>>) -> tensor<?xi64, #nd.sym<b>> {\n"
    text += "  %0 = nd.iota 0 : tensor<?xi64, #nd.sym<b>>\n  func.return %0 : tensor<?xi64, #nd.sym<b>>\n}"
    module = parse_module(text, "x.mlir")
    (got,) = Interpreter(module).call("main", np.zeros(7, F32))
    assert got.tolist() == [0, 1, 2]
    with pytest.raises(CompileError, match="symbol b in 2\\*b \\+ 1 is not known"):
        Interpreter(module).call("main", np.zeros(6, F32))
