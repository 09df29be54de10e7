"""`--check-each` can fail: six miscompiles in test/planted, each put into the whole pipeline, each found and named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mlc.compiler.pipelines import PIPELINES

ROOT = Path(__file__).resolve().parents[2]

MATMUL = """\
func.func @main(%x: tensor<{m}x{k}xf32>, %w: tensor<{k}x{n}xf32>) -> tensor<{m}x{n}xf32> {{
  %0 = nd.contract %x, %w "a b, b c -> a c" : (tensor<{m}x{k}xf32>, tensor<{k}x{n}xf32>) -> tensor<{m}x{n}xf32>
  %1 = nd.relu %0 : tensor<{m}x{n}xf32>
  func.return %1 : tensor<{m}x{n}xf32>
}}
"""
RELU = """\
func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = nd.relu %x : tensor<8xf32>
  func.return %0 : tensor<8xf32>
}
"""
CHAIN = """\
func.func @main(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = nd.contract %x, %x "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = nd.contract %x, %0 "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = nd.contract %1, %0 "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = nd.contract %2, %0 "a b, b c -> a c" : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  func.return %3 : tensor<8x8xf32>
}
"""


@dataclass(frozen=True)
class Case:
    """A planted pass, the pass that it follows, and a program that it breaks."""

    name: str
    after: str
    program: str
    inputs: list[str] = field(default_factory=list)

    @property
    def planted(self) -> str:
        return f"planted-{self.name.replace('_', '-')}"

    def passes(self, planted: bool) -> str:
        """The whole pipeline with the planted pass in its place."""
        out = list(PIPELINES["cpu"])
        if planted:
            out.insert(out.index(self.after) + 1, self.planted)
        return ",".join(out)


CASES = [
    Case("clamp_bound", "lower-loop", MATMUL.format(m=13, k=24, n=40)),
    Case("swapped_strides", "nd-to-loop", MATMUL.format(m=16, k=16, n=16)),
    Case("dropped_epilogue", "graph-fuse", MATMUL.format(m=5, k=7, n=9)),
    Case("reduction_identity", "lower-loop", MATMUL.format(m=5, k=7, n=9)),
    Case("nan_swallowing_max", "lower-loop", RELU, ["--input", "[1, nan, -1, 0, -0.0, nan, inf, 2]"]),
    Case("wrong_alias", "graph-plan", CHAIN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_planted_pass_is_named(case, execute):
    file = ROOT / "test/planted" / f"{case.name}.py"
    ran = execute("-", "--load", file, "--check-each", "-p", case.passes(True), *case.inputs, text=case.program)
    assert ran.code == 1, "the miscompile was not found:\n" + ran.out
    assert ran.err.startswith(f"check failed: pass {case.planted} changes the result: result 0: at ["), ran.err
    assert ran.out.splitlines()[-1] == f"same after pass {case.after}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_without_it_nothing_changes(case, execute):
    ran = execute("-", "--check-each", "-p", case.passes(False), *case.inputs, text=case.program)
    assert ran.code == 0, ran.err
    assert len(ran.out.splitlines()) == len(PIPELINES["cpu"])


def test_every_planted_pass_is_tested():
    assert sorted(f.stem for f in (ROOT / "test/planted").glob("*.py")) == sorted(c.name for c in CASES)
