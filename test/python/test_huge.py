"""Programs whose values are larger than any memory compile, and end with a place and the bytes that were wanted."""

from __future__ import annotations

import subprocess
import sys

import mlc
import numpy as np
import pytest
from mlc.compiler.driver import Options, passes_of, run
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.tools.conformance.checked import take_apart
from mlc.tools.mlc_opt import main as opt

N = 10**12
LIMIT = 6_000_000_000
PROGRAMS = {
    "constant": f"func.func @main() -> tensor<{N}xf32> {{\n  %0 = stablehlo.constant dense<1.0> : tensor<{N}xf32>",
    "broadcast": f"func.func @main(%a: tensor<f32>) -> tensor<{N}xf32> {{\n"
    f"  %0 = stablehlo.broadcast_in_dim %a, dims = [] : (tensor<f32>) -> tensor<{N}xf32>",
    "iota": f"func.func @main() -> tensor<{N}xf32> {{\n  %0 = stablehlo.iota dim = 0 : tensor<{N}xf32>",
    "nd": f"func.func @main() -> tensor<{N}xf32> {{\n  %0 = nd.constant 1.0 : tensor<{N}xf32>",
    "argument": f"func.func @main(%a: tensor<{N}xf32>) -> tensor<{N}xf32> {{\n"
    f"  %0 = stablehlo.sine %a : tensor<{N}xf32>",
}
TOOLS = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({LIMIT}, {LIMIT}))
from mlc.tools.mlc_run import main
for file in sys.argv[1:]:
    assert main([file]) == main([file, "--interpret"]) == 1
"""


def text(name: str) -> str:
    return f"{PROGRAMS[name]}\n  func.return %0 : tensor<{N}xf32>\n}}\n"


def test_tools_say_how_many_bytes_were_wanted(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / f"{name}.mlir" for name in PROGRAMS]
    for file in files:
        file.write_text(text(file.stem))
        assert opt([str(file), "--pipeline", "cpu"]) == 0, capsys.readouterr().err
    ran = subprocess.run([sys.executable, "-c", TOOLS, *files], check=True, capture_output=True, text=True, timeout=100)
    errors = [line for line in ran.stderr.splitlines() if "error" in line]
    assert len(errors) == 2 * len(files), ran.stderr
    for file, *lines in zip(files, errors[::2], errors[1::2], strict=True):
        for line in lines:
            assert line.startswith(f"{file}:") and "000000000000 bytes of memory, found less" in line, ran.stderr


def test_a_call_is_a_memory_error(tmp_path) -> None:
    file = tmp_path / "huge.mlir"
    for name in ("constant", "broadcast"):
        file.write_text(text(name).replace(str(N), str(1 << 46)))
        exe = mlc.compile(str(file))
        with pytest.raises(MemoryError, match=f"expected {1 << 48} bytes of memory"):
            exe(*[np.float32(1)][: name == "broadcast"])


@pytest.mark.parametrize("count", [N, 1 << 62])
def test_constants_of_the_importer(count: int) -> None:
    """It looks at the indices of a scatter, and at initial values."""
    source = f"""func.func @main(%x: tensor<4xf32>, %u: tensor<{count}xf32>) -> tensor<4xf32> {{
  %i = stablehlo.constant dense<0> : tensor<{count}x1xi32>
  %0 = "stablehlo.scatter"(%x, %i, %u) <{{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0],
    scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}}> ({{
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %s = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %s : tensor<f32>
  }}) : (tensor<4xf32>, tensor<{count}x1xi32>, tensor<{count}xf32>) -> tensor<4xf32>
  %1 = stablehlo.constant dense<1> : tensor<{count}xi4>
  return %0 : tensor<4xf32>
}}
"""
    module = parse_module(source, "huge.mlir")
    run(module, passes_of("nd"), Options())
    assert "nd.scatter" in str(module)


def test_expected_values_of_a_check() -> None:
    source = f"""func.func @main() {{
  %0 = stablehlo.iota dim = 0 : tensor<{1 << 46}xf32>
  %1 = stablehlo.constant dense<1.0> : tensor<{1 << 46}xf32>
  stablehlo.custom_call @check.expect_eq(%0, %1) : (tensor<{1 << 46}xf32>, tensor<{1 << 46}xf32>) -> ()
  return
}}
"""
    with pytest.raises(CompileError, match=rf"huge\.mlir:3:3: error: .* found one of {1 << 48} bytes"):
        take_apart(parse_module(source, "huge.mlir"), "main", constants=True)
