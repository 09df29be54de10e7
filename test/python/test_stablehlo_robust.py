"""Malformed StableHLO: a located error with the line and a caret, in little time, without a traceback."""

from __future__ import annotations

import time

import mlc
import pytest
from mlc.compiler.parsing import decode, parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from mlc.tools.mlc_opt import main as opt
from mlc.tools.mlc_run import main as run

DEEP = 10_000


def body(line: str) -> str:
    return f"func.func @main(%a: tensor<f32>) -> tensor<f32> {{\n  {line}\n  return %a : tensor<f32>\n}}\n"


def constant(value: str) -> str:
    return body(f"%0 = stablehlo.constant {value}")


ABS = "%0 = stablehlo.abs %a"
DEPTH = "expected nesting that Python's stack can hold"
RECURSION = """func.func @main(%a: tensor<f32>) -> tensor<f32> {
  %0 = call @g(%a) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
func.func private @g(%a: tensor<f32>) -> tensor<f32> {
  %0 = call @main(%a) : (tensor<f32>) -> tensor<f32>
  return %0 : tensor<f32>
}
"""
CASES: dict[str, tuple[str, str]] = {
    "truncated": (body(f"{ABS} : tensor<f32>")[:70], "the end of the input"),
    "truncated string": (body('%0 = stablehlo.custom_call @f(%a) {backend_config = "ab'), "string literal"),
    "wrong type": (body(f"{ABS} : tensor<2xf32>"), "with the type of its definition, tensor<f32>"),
    "unknown op": (body("%0 = stablehlo.abz %a : tensor<f32>"), "did you mean stablehlo.abs"),
    "unknown dialect": (body('%0 = "nope.abs"(%a) : (tensor<f32>) -> tensor<f32>'), "unknown dialect 'nope'"),
    "unknown attribute": (body(f"{ABS} {{x = #stablehlo.nope}} : tensor<f32>"), "stablehlo.nope"),
    "unknown attribute alias": (body(f"{ABS} {{x = #nope}} : tensor<f32>"), "unknown alias #nope"),
    "unknown type alias": (body(f"{ABS} : !nope"), "unknown alias !nope"),
    "unknown value": (body("%0 = stablehlo.abs %b : tensor<f32>"), "found %b"),
    "unknown function": (body("%0 = call @nope(%a) : (tensor<f32>) -> tensor<f32>"), "a function of the module"),
    "unknown block": (body('"stablehlo.abs"(%a)[^nope] : (tensor<f32>) -> tensor<f32>'), "a block with this label"),
    "alias cycle": ("#a = #b\n#b = #a\n", "unknown alias #b"),
    "location cycle": ("#loc1 = loc(#loc2)\n#loc2 = loc(#loc1)\n", "unknown alias #loc2"),
    "type cycle": ("!t = tuple<!t>\n", "unknown alias !t"),
    "regions": (body('"stablehlo.if"(%a) ({' * DEEP), DEPTH),
    "closed regions": (body('"stablehlo.if"(%a) ({' * DEEP + "}) : () -> ()" * DEEP), DEPTH),
    "blocks of a module": (f"module {{\n{body(f'{ABS} : tensor<f32>')}^bb0(%x: tensor<f32>):\n}}", "a single block"),
    "modules": ("module {" * DEEP, DEPTH),
    "parentheses": ("(" * DEEP, "expected an operation"),
    "function types": (body(f"{ABS} : " + "(" * DEEP), DEPTH),
    "types": (body(f"{ABS} : " + "tuple<" * DEEP), DEPTH),
    "attributes": (body(f"{ABS} {{x = " + "[" * DEEP), DEPTH),
    "dictionaries": (body(f"{ABS} {{x = " + "{a = " * DEEP), DEPTH),
    "locations": (body(f"{ABS} : tensor<f32> loc(" + "fused[" * DEEP), DEPTH),
    "lists": (constant("dense<" + "[" * DEEP), "expected a number"),
    "dimension of a result": (constant("dense<0> : tensor<99999999999999999999xi32>"), "at most 64 bits"),
    "dimension of digits": (body(f"{ABS} : tensor<{'9' * 5000}xf32>"), "at most 4300 digits"),
    "integer": (body(f"%0 = stablehlo.iota dim = {'9' * 23} : tensor<4xf32>"), "an integer of type i64"),
    "bounds of a slice": (body(f"%0 = stablehlo.slice %a [{'9' * 20}:1] : (tensor<f32>) -> tensor<f32>"), "type i64"),
    "float bits": (constant("dense<0x1FFFFFFFFFFFFFFFF> : tensor<f32>"), "at most 8 hex digits"),
    "invalid hex": (constant('dense<"0xZZ"> : tensor<1xi8>'), "expected hex digits"),
    "odd hex": (constant('dense<"0x001"> : tensor<1xi8>'), "an even number of hex digits"),
    "short hex": (constant('dense<"0x0011"> : tensor<3xi8>'), "expected 3 bytes in hex"),
    "storage": (body(f"{ABS} : tensor<4x!quant.uniform<i{'9' * 20}:f32, 1.0>>"), "at most 32 bits"),
    "zero byte": (body("%0 = stablehlo.\0abs %a : tensor<f32>"), "the beginning of a token"),
    "convolution": (
        body("%0 = stablehlo.convolution(%a, %a) dim_numbers = [b, 7, f]x[0, i, o]->[b, 0, f], window = {} : ()"),
        "expected each of b, f",
    ),
    "op of a short form": (
        body(
            "%0 = stablehlo.reduce(%a init: %a) applies stablehlo.xor across dimensions = []"
            " : (tensor<f32>, tensor<f32>) -> tensor<f32>"
        ),
        "stablehlo.xor: expected a result with elements that are truth values",
    ),
    "reducer": (body("%0 = stablehlo.reduce(%a init: %a) applies stablehlo.x across dimensions = [0] :"), "binary"),
}


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    text, message = CASES[name]
    with pytest.raises(CompileError) as caught:
        verify(parse_module(text, "wrong.mlir"))
    found = str(caught.value)
    assert found.startswith("wrong.mlir:") and ": error: " in found.split("\n")[0], found[:300]
    assert message in found and found.rstrip().endswith("^"), found[:300]
    file = tmp_path / "wrong.mlir"
    file.write_text(text)
    with pytest.raises(CompileError, match=r"wrong\.mlir:\d+:\d+: error: "):
        mlc.compile(str(file))
    for tool in (opt, run):
        assert tool([str(file)]) == 1
        error = capsys.readouterr().err
        assert f"{file}:" in error and message in error and "Traceback" not in error


def test_recursion_of_functions(tmp_path) -> None:
    file = tmp_path / "calls.mlir"
    file.write_text(RECURSION)
    with pytest.raises(CompileError, match="calls without recursion"):
        mlc.compile(str(file))


def test_bytes_that_are_no_text(tmp_path) -> None:
    with pytest.raises(CompileError, match=r"w\.mlir:2:4: error: expected UTF-8 text, found byte 0xff"):
        decode(b"module {\n// \xff\n}\n", "w.mlir")
    file = tmp_path / "w.mlir"
    file.write_bytes(b"module {\n// \xff\n}\n")
    assert opt([str(file)]) == 1


def test_a_long_line_takes_time_in_proportion() -> None:
    """200,000 elements on one line; the error behind them is found in seconds."""
    text = constant("dense<[" + "1.5, " * 200_000 + "oops]> : tensor<9xf32>")
    began = time.perf_counter()
    with pytest.raises(CompileError, match="expected a number"):
        parse_module(text, "long.mlir")
    assert time.perf_counter() - began < 20
