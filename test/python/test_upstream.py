"""What mlc prints in upstream's dialects is upstream's: `mlir-opt-22 --verify-roundtrip` accepts it.

Without that program (Debian's mlir-22-tools) the tests are skipped and say so.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from mlc.compiler.driver import run
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from xdsl.dialects.builtin import ModuleOp

ROOT = Path(__file__).resolve().parents[2]
MLIR_OPT = shutil.which("mlir-opt-22")
UPSTREAM = {"builtin", "func", "arith", "math", "scf", "memref", "vector", "affine", "cf"}

needs_mlir_opt = pytest.mark.skipif(MLIR_OPT is None, reason="mlir-opt-22 is not installed (Debian's mlir-22-tools)")


def kernels(module: ModuleOp) -> ModuleOp:
    """The functions that are all upstream's, in a module of their own: the kernels without the program around them."""
    functions = [f for f in module.body.block.ops if all(o.name.partition(".")[0] in UPSTREAM for o in f.walk())]
    return ModuleOp([f.clone() for f in functions])


def program(name: str) -> str:
    return (ROOT / "examples" / name).read_text()


def accepts(text: str) -> subprocess.CompletedProcess[str]:
    assert MLIR_OPT is not None
    command = [MLIR_OPT, "--verify-roundtrip", "-o", "/dev/null"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@needs_mlir_opt
@pytest.mark.parametrize("pipeline", ["vector", "llvm"])
@pytest.mark.parametrize("name", ["mlp.mlir", "layout.mlir"])
@pytest.mark.parametrize("places", [False, True], ids=["", "places"])
def test_upstream_accepts_the_kernels(name, pipeline, places):
    module = parse_module(program(name), name)
    run(module, pipeline)
    found = kernels(module)
    assert len(list(found.body.block.ops)) >= 1
    ran = accepts(print_ir(found, locations=places))
    assert ran.returncode == 0, ran.stderr


@needs_mlir_opt
def test_upstream_can_refuse():
    ran = accepts("func.func @f(%x: f32) -> f64 { func.return %x : f32 }")
    assert ran.returncode != 0 and "error" in ran.stderr
