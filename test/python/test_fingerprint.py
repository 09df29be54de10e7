"""Fingerprints of modules: what prints differently has another one, in every process the same."""

from __future__ import annotations

import os
import subprocess
import sys

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.fingerprint import fingerprint
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches

PROGRAM = """
func.func @main(%x: tensor<4x3xf32>, %n: tensor<i64>) -> tensor<4x3xf32> {
  %zero = nd.constant 0.0 : tensor<4x3xf32>
  %y = nd.add %x, %zero : tensor<4x3xf32>
  %z = nd.contract %y, %y "a b, a b -> a b" : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
  func.return %z : tensor<4x3xf32>
}
"""
CHANGES = {
    "a name": ("%x", "%other"),
    "a result's name": ("%y", "%w"),
    "an operand": ("nd.add %x, %zero", "nd.add %zero, %x"),
    "an op": ("nd.add", "nd.sub"),
    "a sign of zero": ("0.0 :", "-0.0 :"),
    "a number": ("0.0 :", "1.0 :"),
    "a type": ("tensor<i64>", "tensor<i32>"),
    "a size": ("x3x", "x5x"),
    "an attribute": ("%x: tensor<4x3xf32>,", "%x: tensor<4x3xf32> {mlc.layout = strided<[1, 4]>},"),
    "an index text": ('"a b, a b -> a b"', '"b a, b a -> b a"'),
    "the function": ("@main", "@f"),
    "a result": ("return %z", "return %y"),
    "a text in a text": ("-> tensor<4x3xf32> {", '-> tensor<4x3xf32> attributes {a = "b\\n", c = "d"} {'),
}


def found(text: str) -> str:
    return fingerprint(parse_module(text, "a.mlir"))


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen(what):
    changed = PROGRAM.replace(*CHANGES[what])
    assert changed != PROGRAM
    assert found(changed) != found(PROGRAM)


def test_what_prints_alike_is_alike():
    module = parse_module(PROGRAM, "a.mlir")
    assert fingerprint(module.clone()) == fingerprint(module) == found("\n\n" + PROGRAM)
    assert found(print_ir(module)) == fingerprint(module)


def test_regions_count():
    text = """
    func.func @main(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
      %r = nd.if %c (%a = %x) -> (tensor<4xf32>) {
        %p = nd.exp %a : tensor<4xf32>
        nd.yield %p : tensor<4xf32>
      } else {
        nd.yield %a : tensor<4xf32>
      }
      func.return %r : tensor<4xf32>
    }"""
    assert found(text) != found(text.replace("nd.exp", "nd.tanh"))


def test_every_process_finds_the_same():
    folder = os.path.dirname(__file__)
    code = "import test_fingerprint as t; print(t.found(t.PROGRAM).encode().hex())"
    code = f"import sys; sys.path.insert(0, {folder!r}); {code}"
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert runs == [found(PROGRAM).encode().hex()] * 2


def test_a_cached_program_knows_its_text(tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))
    x = np.asarray([1.0, 2.0, 3.0], np.float32)
    first, second = (mlc.compile(lambda x: mnp.exp(x) + 1, mlc.spec(3)) for _ in range(2))
    assert first.source == second.source and "nd.exp" in second.source
    assert first.mlir("nd") == second.mlir("nd")
    assert_matches(Tolerance(ulp=0), second(x), first(x))
