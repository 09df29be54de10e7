"""lower-loop: the vector level computes what the loop level means, for every mode, element type, size and stride."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kernel_cases import CASES, DOUBLE, ONLINE, ROWS, SOFTMAX, Case
from mlc.compiler.driver import run
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.interpret_vector import call_kernel
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from xdsl.dialects.builtin import ModuleOp, UnknownLoc

Array = np.ndarray[Any, Any]
CLOSE = Tolerance(ulp=16, sums=32, scale=8)


def lowered(text: str, schedule: str = "") -> ModuleOp:
    module = parse_module(text, "kernel.mlir")
    run(module, [*([schedule] if schedule else []), "lower-loop"])
    return module


def outputs(module: ModuleOp, inputs: list[Array]) -> list[Array]:
    return call_kernel(Interpreter(module), "f", inputs)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_it_computes_what_the_loop_level_means(case: Case) -> None:
    source = parse_module(case.text, f"{case.name}.mlir")
    module = lowered(case.text, case.schedule)
    for n in case.sizes or (0,):
        inputs = case.inputs(n)
        wanted = Interpreter(source).call("f", *inputs)
        for got, want in zip(outputs(module, inputs), wanted, strict=True):
            assert_matches(CLOSE, got != 0 if want.dtype == np.bool_ else got, want)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_its_text_reads_back(case: Case) -> None:
    text = print_ir(lowered(case.text, case.schedule))
    assert print_ir(parse_module(text, "again.mlir")) == text
    assert "loop." not in text


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_no_op_loses_its_place(case: Case) -> None:
    for op in lowered(case.text, case.schedule).walk():
        assert not isinstance(op.location, UnknownLoc), op.name


def test_nan_and_zeros_come_through_extremes() -> None:
    text = """func.func @f(%x: tensor<3x16xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
      %m, %l = loop.stage s [i: 3, j: vec 16] (%a = %x[i, j]) -> max [i], min [i] { loop.yield %a, %a : f32, f32 }
      func.return %m, %l : tensor<3xf32>, tensor<3xf32>
    }"""
    x = np.arange(48, dtype="f4").reshape(3, 16)
    x[1, 5], x[2, 3] = np.nan, -np.inf
    highest, lowest = outputs(lowered(text), [x])
    assert_matches(CLOSE, highest, np.array([15, np.nan, 47], "f4"))
    assert_matches(CLOSE, lowest, np.array([0, np.nan, -np.inf], "f4"))


def test_only_reductions_and_their_products_may_be_contracted() -> None:
    """A sum's terms and additions, not elementwise ops: those are rounded one by one on every machine."""
    text = """func.func @f(%x: tensor<3x16xf32>, %y: tensor<16xf32>) -> (tensor<3xf32>, tensor<3x16xf32>) {
      %d = loop.stage dot [i: 3, j: vec 16] (%a = %x[i, j], %b = %y[j]) -> add [i] {
        %p = arith.mulf %a, %b : f32
        loop.yield %p : f32
      }
      %e = loop.stage each [i: 3, j: vec 16] (%a = %x[i, j], %b = %y[j]) -> [i, j] {
        %p = arith.mulf %a, %b : f32
        %q = arith.addf %p, %b : f32
        loop.yield %q : f32
      }
      func.return %d, %e : tensor<3xf32>, tensor<3x16xf32>
    }"""
    found = [
        line.strip() for line in print_ir(lowered(text)).splitlines() if "arith.mulf" in line or "arith.addf" in line
    ]
    assert ["contract" in line for line in found] == [True, False, False], found


def test_a_whole_value_stays_in_registers_and_a_row_is_made_where_it_is_overwritten() -> None:
    """The exponentials of a row go to the result's memory, the maximum and the sum nowhere."""
    text = print_ir(lowered(SOFTMAX, "loop-nest{axis=i},loop-vectorize{axes=j}"))
    assert "memref.alloc" not in text
    text = print_ir(lowered(ONLINE))
    assert "memref.alloc" not in text and "iter_args" in text


def test_run_time_strides_are_those_of_the_array() -> None:
    case = next(c for c in CASES if c.name == "run_time_layout")
    x = np.random.default_rng(0).standard_normal((14, 12)).astype("f4")[12:0:-2, ::2]
    diagonal, double = outputs(lowered(case.text), [x])
    assert_matches(CLOSE, diagonal, np.diagonal(x[:, ::-1]))
    assert_matches(CLOSE, double, 2 * x)


INPLACE = """func.func @f(%x: tensor<5x20xf32> {{mlc.inplace = 0 : i64}}, %y: tensor<5x20xf32>) -> tensor<5x20xf32> {{
  %r = loop.stage s [i: 5, j: 20] (%a = %x[{index}], %b = %y[i, j]) -> [i, j] {{
    %p = arith.subf %a, %b : f32
    loop.yield %p : f32
  }}
  func.return %r : tensor<5x20xf32>
}}"""


@pytest.mark.parametrize("schedule", ["", "loop-nest{axis=i},loop-vectorize{axes=j}"])
@pytest.mark.parametrize("index", ["i, j", "i, 19 - j", "4 - i, j"])
def test_a_result_may_share_its_arguments_buffer(index: str, schedule: str) -> None:
    text = INPLACE.format(index=index)
    r = np.random.default_rng(0)
    x, y = (r.standard_normal((5, 20)).astype("f4") for _ in range(2))
    (want,) = Interpreter(parse_module(text)).call("f", x, y)
    module = lowered(text, schedule)
    assert ("memref.alloc" in print_ir(module)) == (index != "i, j")
    Interpreter(module).call("f", x, y, x)
    assert_matches(CLOSE, x, want)


def test_a_clamped_loop_never_overwrites_what_it_reads_again() -> None:
    text = f"""func.func @f(%x: tensor<11xf32> {{mlc.inplace = 0 : i64}}) -> tensor<11xf32> {{
      %r = loop.for i0 = 11 step 4 clamp -> [i0] {{
        %t = loop.stage s [i: vec 4] (%a = %x[i + i0]) -> [i] {DOUBLE}
        loop.yield %t : tensor<4xf32>
      }}
      func.return %r : tensor<11xf32>
    }}"""
    x = np.arange(11, dtype="f4")
    want = 2 * x
    Interpreter(lowered(text)).call("f", x, x)
    assert_matches(CLOSE, x, want)


def test_functions_without_loop_ops_stay() -> None:
    text = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = nd.exp %x : tensor<4xf32>
      func.return %y : tensor<4xf32>
    }"""
    module = parse_module(text, "main.mlir")
    before = print_ir(module)
    run(module, ["lower-loop"])
    assert print_ir(module) == before


def test_streamed_results_are_stored_past_the_caches() -> None:
    case = next(c for c in CASES if c.name == "layernorm")
    text = print_ir(lowered(case.text, ROWS))
    streamed = [line for line in text.splitlines() if "nontemporal" in line]
    assert len(streamed) == 1 and "%out0" in streamed[0]


def test_out_of_bounds_accesses_raise() -> None:
    text = """func.func @f(%x: memref<4xf32>, %out0: memref<4xf32>) {
      %c1 = arith.constant 1 : index
      %z = arith.constant 0.0 : f32
      %v = vector.transfer_read %x[%c1], %z {in_bounds = [true]} : memref<4xf32>, vector<4xf32>
      func.return
    }"""
    with pytest.raises(CompileError, match=r"expected index 0 in \[0, 4\), found 1 to 4"):
        outputs(parse_module(text), [np.zeros(4, "f4")])


def test_unwritten_results_stay_poisoned() -> None:
    text = "func.func @f(%x: memref<2xf32>, %out0: memref<2xf32>, %out1: memref<2xi32>) { func.return }"
    floats, integers = outputs(parse_module(text), [np.zeros(2, "f4")])
    assert np.isnan(floats).all() and (integers == np.iinfo("i4").min).all()
