"""`mlc-conformance`: what each status takes, on programs that check themselves."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from mlc.runtime.expectations import expect_almost_eq, expect_close, expect_eq, parts, ulps_apart
from mlc.tools.conformance.judge import CRASH, FOLDED, PASS, TIMEOUT, UNSUPPORTED, WRONG, Outcome, judge
from mlc.tools.conformance.summary import differences, document, families, family, listed, read_list, summary
from mlc.tools.conformance.workers import outcomes
from mlc.tools.mlc_conformance import main

PROGRAM = """
module @jit_main {{
  func.func public @main() -> (tensor<3xf32> {{jax.result_info = ""}}) {{
    %0:2 = call @inputs() : () -> (tensor<3xf32>, tensor<3xf32>)
    %1 = call @expected() : () -> tensor<3xf32>
    %2 = {op} %0#0, %0#1 : tensor<3xf32>
    stablehlo.custom_call @check.{check}(%2, %1) {{has_side_effect = true}} : (tensor<3xf32>, tensor<3xf32>) -> ()
    return %2 : tensor<3xf32>
  }}
  func.func private @inputs() -> (tensor<3xf32>, tensor<3xf32>) {{
    %c = stablehlo.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
    %d = stablehlo.constant dense<0.5> : tensor<3xf32>
    return %c, %d : tensor<3xf32>, tensor<3xf32>
  }}
  func.func private @expected() -> tensor<3xf32> {{
    %c = stablehlo.constant dense<[{want}]> : tensor<3xf32>
    return %c : tensor<3xf32>
  }}
}}
"""

CONSTANT = """
func.func @main() -> tensor<4xi32> {
  %0 = stablehlo.iota dim = 0 : tensor<4xi32>
  %c = stablehlo.constant dense<[0, 1, 2, 3]> : tensor<4xi32>
  stablehlo.custom_call @check.expect_eq(%0, %c) : (tensor<4xi32>, tensor<4xi32>) -> ()
  return %0 : tensor<4xi32>
}
"""

MOVED = """
func.func @main() {
  %0 = call @inputs() : () -> tensor<2x3xi32>
  %1 = stablehlo.constant dense<[[0, 3], [1, 4], [2, 5]]> : tensor<3x2xi32>
  %2 = stablehlo.transpose %0, dims = [1, 0] : (tensor<2x3xi32>) -> tensor<3x2xi32>
  stablehlo.custom_call @check.expect_eq(%2, %1) : (tensor<3x2xi32>, tensor<3x2xi32>) -> ()
  return
}
func.func private @inputs() -> tensor<2x3xi32> {
  %c = stablehlo.constant dense<[[0, 1, 2], [3, 4, 5]]> : tensor<2x3xi32>
  return %c : tensor<2x3xi32>
}
"""

PARTS = """
// RUN: something
func.func @first() {
  %c = stablehlo.constant dense<[1, 2]> : tensor<2xi8>
  %0 = stablehlo.add %c, %c : tensor<2xi8>
  "check.expect_eq_const"(%0) <{value = dense<[2, 4]> : tensor<2xi8>}> : (tensor<2xi8>) -> ()
  return
}
// -----
func.func @second() {
  %c = stablehlo.constant dense<[1, 2]> : tensor<2xi8>
  %0 = stablehlo.multiply %c, %c : tensor<2xi8>
  "check.expect_eq_const"(%0) <{value = dense<[1, WANT]> : tensor<2xi8>}> : (tensor<2xi8>) -> ()
  return
}
// -----
"""


def judged(tmp_path: Path, text: str, name: str = "add_float32_3.mlir") -> Outcome:
    (tmp_path / name).write_text(text)
    return judge(tmp_path / name, name)


def program(op: str = "stablehlo.add", check: str = "expect_close", want: str = "1.5, 2.5, 3.5") -> str:
    return PROGRAM.format(op=op, check=check, want=want)


@pytest.mark.parametrize("check", ["expect_eq", "expect_close", "expect_almost_eq"])
def test_pass(tmp_path: Path, check: str):
    found = judged(tmp_path, program(check=check))
    assert (found.status, found.launches) == (PASS, 1), found


def test_wrong(tmp_path: Path):
    found = judged(tmp_path, program(want="1.5, 2.5, 3.75"))
    assert found.status == WRONG
    assert found.detail.startswith("at [2]: got 3.5, want 3.75, ")


@pytest.mark.parametrize(
    ("check", "want", "status"),
    [
        ("expect_eq", "3.5000002", WRONG),
        ("expect_close", "3.5000005", PASS),  # 2 units in the last place
        ("expect_close", "3.500001", WRONG),  # 4
        ("expect_almost_eq", "3.5009", PASS),
        ("expect_almost_eq", "3.502", WRONG),
    ],
)
def test_bounds(tmp_path: Path, check: str, want: str, status: str):
    assert judged(tmp_path, program(check=check, want=f"1.5, 2.5, {want}")).status == status


def test_unsupported(tmp_path: Path):
    found = judged(tmp_path, program(op="stablehlo.frobnicate"))
    assert found.status == UNSUPPORTED
    assert "add_float32_3.mlir:6:10: error: " in found.detail and "stablehlo.frobnicate" in found.detail
    assert judged(tmp_path, "func.func @main() { return }").status == UNSUPPORTED
    assert judged(tmp_path, "func.func @main(").status == UNSUPPORTED


def test_constant_result(tmp_path: Path):
    assert judged(tmp_path, CONSTANT).status == PASS
    assert judged(tmp_path, CONSTANT.replace("2, 3]", "2, 4]")).status == WRONG


def test_moved_values_are_written_by_a_kernel(tmp_path: Path):
    found = judged(tmp_path, MOVED)
    assert (found.status, found.launches) == (PASS, 1), found


def test_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mlc.tools.conformance.checked.WRITTEN", "mlc.anything")
    assert judged(tmp_path, MOVED).status == FOLDED


def test_parts(tmp_path: Path):
    found = judged(tmp_path, PARTS.replace("WANT", "4"))
    assert (found.status, found.launches) == (PASS, 2), found
    assert judged(tmp_path, PARTS.replace("WANT", "5")).status == WRONG


def faulty(path: Path, name: str) -> Outcome:
    match name[0]:
        case "h":
            time.sleep(60)
        case "k":
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            pass
    return Outcome(name, PASS)


@pytest.mark.own_process
def test_crashes_and_hangs_end_alone(tmp_path: Path):
    names = ["a", "hang", "b", "kill", "c", "d"]
    found = {o.name: o for o in outcomes(tmp_path, names, 2, 0.5, faulty)}
    assert [found[n].status for n in names] == [PASS, TIMEOUT, PASS, CRASH, PASS, PASS]
    assert found["kill"].detail == "the process ended with signal SIGKILL"


@pytest.mark.own_process
def test_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, recorded, page = tmp_path / "in", tmp_path / "list.txt", tmp_path / "page.md"
    (folder / "inner").mkdir(parents=True)
    (folder / "add_float32_3.mlir").write_text(program())
    (folder / "inner" / "add_float64_3.mlir").write_text(program(want="0.0, 0.0, 0.0"))
    command = ["stablehlo", str(folder), "--jobs", "1"]
    assert main([*command, "--list", str(recorded), "--write", str(page)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 passed, 1 failed"
    assert "wrong results:\n  inner/add_float64_3.mlir: at [0]: got 1.5, want 0.0" in out
    assert recorded.read_text() == "pass add_float32_3.mlir\nwrong inner/add_float64_3.mlir\n"
    assert "| add | 2 | 1 | 1 | 0 | 2 |" in page.read_text()
    assert main([*command, "--expect", str(recorded)]) == 0
    assert main([*command, "--filter", "add_float32*"]) == 0
    assert main([*command, "--every", "2", "--quiet"]) == 0
    recorded.write_text("pass add_float32_3.mlir\npass inner/add_float64_3.mlir\n")
    capsys.readouterr()
    assert main([*command, "--expect", str(recorded)]) == 1
    assert "inner/add_float64_3.mlir: wrong, expected pass" in capsys.readouterr().out
    recorded.write_text("unsupported add_float32_3.mlir\nwrong inner/add_float64_3.mlir\n")
    assert main([*command, "--expect", str(recorded)]) == 0
    assert "add_float32_3.mlir: pass, expected unsupported" in capsys.readouterr().out
    assert main(["stablehlo", str(tmp_path / "none")]) == 1
    assert main([*command, "--filter", "nothing*"]) == 1


def test_families():
    names = {
        "scatter_mul_float32_1_50.mlir": "scatter_mul",
        "dot_general_int8_4_3.mlir": "dot_general",
        "atan2_float64_20_20.mlir": "atan2",
        "sign_.mlir": "sign",
        "quantized/add_qi8.mlir": "add",
    }
    assert {n: family(n) for n in names} == names
    found = [Outcome(n, PASS, launches=2) for n in names] + [Outcome("sign_int8.mlir", WRONG, "x")]
    assert [(f.name, f.files, f.launches) for f in families(found)][-1] == ("sign", 2, 2)
    assert summary(found, 1.0).splitlines()[-1] == "5 passed, 1 failed"
    assert read_list(listed(found), "l")["sign_int8.mlir"] == WRONG
    assert differences(found, read_list(listed(found), "l")) == []
    assert "6 files: 5 passed, 1 wrong, 0 refused." in document(found)


def test_comparisons():
    nan, inf = np.nan, np.inf
    a = np.array([0.0, nan, inf, 1.0], np.float32)
    assert expect_eq(a, np.array([-0.0, nan, inf, 1.0], np.float32)) is None
    assert expect_eq(a, np.array([0.0, 0.0, inf, 1.0], np.float32)) is not None
    assert expect_close(a, np.array([-0.0, nan, inf, 1.0000001], np.float32)) is None
    assert expect_close(a, np.array([0.0, nan, -inf, 1.0], np.float32)) is not None
    assert expect_close(np.float64([1.0]), np.float64([1.0]), least=1) is not None
    assert expect_almost_eq(np.float32([1e-5]), np.float32([-1e-5]), 1e-3) is not None  # the signs differ
    assert expect_eq(np.int8([1]), np.int16([1])) == "expected elements of int16, got int8"
    assert expect_eq(np.int8([1]), np.int8([[1]])) == "expected shape [1, 1], got [1]"
    steps = ulps_apart(
        np.array([1e-45, 2.0], np.float32), np.array([-1e-45, np.nextafter(np.float32(2), 3)], np.float32)
    )
    assert steps.tolist() == [2, 1]
    half = np.array([1.0, -2.0], ml_dtypes.bfloat16)
    assert ulps_apart(half, np.array([1.0078125, -2.03125], ml_dtypes.bfloat16)).tolist() == [1, 2]
    assert [name for name, _, _ in parts(np.complex64([1j]), np.complex64([1j]))] == ["real part: ", "imaginary part: "]
