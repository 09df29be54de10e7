"""The interpreter of the loop level: modes, element types, joins, versions, carried values, empty domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime import interpret_loop
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches

Array = np.ndarray[Any, Any]

CLOSE = Tolerance(ulp=8, sums=8)


def run(text: str, *arrays: Any) -> list[Array]:
    module = parse_module(text, "kernel.mlir")
    verify(module)
    return Interpreter(module).call("f", *arrays)


def reduction(mode: str, element: str, size: int = 5) -> str:
    return f"""func.func @f(%x: tensor<3x{size}x{element}>) -> tensor<3x{element}> {{
      %r = loop.stage s [i: 3, j: {size}] (%a = %x[i, j]) -> {mode} [i] {{ loop.yield %a : {element} }}
      func.return %r : tensor<3x{element}>
    }}"""


TYPES = {"f32": "f4", "f64": "f8", "i32": "i4", "i64": "i8"}
COMBINE = {"add": np.sum, "mul": np.prod, "max": np.max, "min": np.min}


@pytest.mark.parametrize("mode", COMBINE)
@pytest.mark.parametrize("element", TYPES)
def test_combiners(mode: str, element: str) -> None:
    x = np.random.default_rng(0).integers(-4, 5, (3, 5)).astype(TYPES[element])
    (r,) = run(reduction(mode, element), x)
    assert r.dtype == x.dtype
    assert_matches(EXACT, r, COMBINE[mode](x, axis=1).astype(x.dtype))


def test_combiners_of_truth_values() -> None:
    x = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]], np.bool_)
    assert_matches(EXACT, run(reduction("and", "i1"), x)[0], x.all(1))
    assert_matches(EXACT, run(reduction("or", "i1"), x)[0], x.any(1))


@pytest.mark.parametrize(
    ("mode", "element", "identity"),
    [
        ("add", "f32", 0.0),
        ("mul", "i64", 1),
        ("max", "f64", -np.inf),
        ("min", "f32", np.inf),
        ("max", "i32", -(2**31)),
        ("min", "i64", 2**63 - 1),
        ("and", "i1", True),
        ("or", "i32", 0),
    ],
)
def test_reductions_over_nothing_give_the_identity(mode: str, element: str, identity: float) -> None:
    x = np.zeros((3, 0), {**TYPES, "i1": "?"}[element])
    assert run(reduction(mode, element, 0), x)[0].tolist() == [identity] * 3


def test_nan_wins_max_and_min_wherever_it_stands() -> None:
    x = np.full((3, 5), 2.0, "f4")
    x[0, 0] = x[1, 4] = np.nan
    for mode in ("max", "min"):
        assert np.isnan(run(reduction(mode, "f32"), x)[0]).tolist() == [True, True, False]


def test_integers_wrap() -> None:
    x = np.full((3, 5), 2**31 - 1, "i4")
    assert run(reduction("add", "i32"), x)[0].tolist() == [np.int64(5 * (2**31 - 1)).astype("i4")] * 3


def test_accesses_reverse_stride_and_shift() -> None:
    text = """func.func @f(%x: tensor<9xf32>) -> (tensor<9xf32>, tensor<4xf32>, tensor<3x3xf32>) {
      %a = loop.stage reverse [i: 9] (%v = %x[8 - i]) -> [i] { loop.yield %v : f32 }
      %b = loop.stage odd [i: 4] (%v = %x[2 * i + 1]) -> [i] { loop.yield %v : f32 }
      %c = loop.stage turn [i: 3, j: 3] (%v = %x[3 * j + i]) -> [i, j] { loop.yield %v : f32 }
      func.return %a, %b, %c : tensor<9xf32>, tensor<4xf32>, tensor<3x3xf32>
    }"""
    x = np.arange(9, dtype="f4")
    for got, want in zip(run(text, x), (x[::-1], x[1::2], x.reshape(3, 3).T)):
        assert_matches(EXACT, got, want)


def test_carried_values_are_seen_by_the_next_iteration() -> None:
    """Online softmax: a running maximum and a sum that is rescaled whenever the maximum grows."""
    text = """func.func @f(%x: tensor<12xf32>, %least: tensor<1xf32>, %zero: tensor<1xf32>)
        -> (tensor<1xf32>, tensor<1xf32>) {
      %m, %l = loop.for k0 = 12 step 4 with (%mi = %least, %li = %zero) -> carry [0], carry [0] {
        %part = loop.stage part [k: 4] (%a = %x[k + k0]) -> max [0] { loop.yield %a : f32 }
        %new = loop.stage new [] (%a = %mi[0], %b = %part[0]) -> [0] {
          %c = arith.maximumf %a, %b : f32
          loop.yield %c : f32
        }
        %sum = loop.stage sum [k: 4] (%a = %x[k + k0], %b = %new[0]) -> add [0] {
          %d = arith.subf %a, %b : f32
          %e = math.exp %d : f32
          loop.yield %e : f32
        }
        %next = loop.stage next [] (%o = %mi[0], %n = %new[0], %l0 = %li[0], %s = %sum[0]) -> [0] {
          %d = arith.subf %o, %n : f32
          %e = math.exp %d : f32
          %k = arith.mulf %l0, %e : f32
          %r = arith.addf %k, %s : f32
          loop.yield %r : f32
        }
        loop.yield %new, %next : tensor<1xf32>, tensor<1xf32>
      }
      func.return %m, %l : tensor<1xf32>, tensor<1xf32>
    }"""
    x = np.random.default_rng(3).standard_normal(12).astype("f4")
    m, total = run(text, x, np.array([-np.inf], "f4"), np.zeros(1, "f4"))
    assert m[0] == x.max()
    assert_matches(CLOSE, total[0], np.exp(x - x.max()).sum())


@pytest.mark.parametrize("n", [0, 1, 3, 4, 9])
def test_versions_sizes_and_joins(n: int) -> None:
    text = """func.func @f(%x: tensor<?xf32, #nd.sym<n>>) -> tensor<?xf32, #nd.sym<2*n + 1>> {
      loop.size n = %x, 0
      %zero = loop.stage zero [i: 2*n + 1] () -> [i] {
        %z = arith.constant 0.0 : f32
        loop.yield %z : f32
      }
      %neg = loop.if n >= 4 {
        %t = loop.for i0 = n step 4 clamp -> [i0] {
          %u = loop.stage neg [i: 4] (%a = %x[i + i0]) -> [i] {
            %b = arith.negf %a : f32
            loop.yield %b : f32
          }
          loop.yield %u : tensor<4xf32>
        }
        loop.yield %t : tensor<?xf32, #nd.sym<n>>
      } else {
        %t = loop.stage neg [i: n] (%a = %x[i]) -> [i] {
          %b = arith.negf %a : f32
          loop.yield %b : f32
        }
        loop.yield %t : tensor<?xf32, #nd.sym<n>>
      }
      %y = loop.join (%zero at [0], %neg at [2 * d0 + 1]) : tensor<?xf32, #nd.sym<2*n + 1>>
      func.return %y : tensor<?xf32, #nd.sym<2*n + 1>>
    }"""
    x = np.arange(1, n + 1, dtype="f4")
    want = np.zeros(2 * n + 1, "f4")
    want[1::2] = -x
    assert_matches(EXACT, run(text, x)[0], want)


def test_large_domains_are_evaluated_in_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpret_loop, "POINTS", 50)
    text = """func.func @f(%x: tensor<13x17xf64>, %y: tensor<17x7xf64>) -> (tensor<13x7xf64>, tensor<17x13xf64>) {
      %r = loop.stage mm [i: 13, j: 7, k: 17] (%a = %x[i, k], %b = %y[k, j]) -> add [i, j] {
        %p = arith.mulf %a, %b : f64
        loop.yield %p : f64
      }
      %t = loop.stage tr [i: 17, j: 13] (%a = %x[j, i]) -> [i, j] { loop.yield %a : f64 }
      func.return %r, %t : tensor<13x7xf64>, tensor<17x13xf64>
    }"""
    r = np.random.default_rng(0)
    x, y = r.standard_normal((13, 17)), r.standard_normal((17, 7))
    product, turned = run(text, x, y)
    assert_matches(CLOSE, product, x @ y)
    assert_matches(EXACT, turned, x.T)


def test_reads_out_of_bounds_are_found_at_run_time() -> None:
    module = parse_module(
        """func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
          %y = loop.stage s [i: 4] (%a = %x[i + 1]) -> [i] { loop.yield %a : f32 }
          func.return %y : tensor<4xf32>
        }""",
        "kernel.mlir",
    )
    with pytest.raises(CompileError, match="expected reads in bounds, found index"):
        Interpreter(module).call("f", np.zeros(4, "f4"))
