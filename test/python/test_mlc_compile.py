"""mlc-compile: LLVM IR, assembly, objects and PTX; what it refuses."""

from __future__ import annotations

import ctypes
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlc.lowering.emit import table
from mlc.runtime import jit

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "examples/layer.mlir"
LAUNCHES = ROOT / "test/lowering/ptx_reduction.mlir"
PROGRAM = """\
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}
"""
TWO = PROGRAM + PROGRAM.replace("@main", "@other")
KERNEL = """\
func.func @k(%x: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<4xf32>
  %w = math.exp %v : f32
  memref.store %w, %x[%c0] : memref<4xf32>
  func.return
}
"""


def test_llvm_ir_of_a_program(compile_file, tmp_path):
    ran = compile_file(text=PROGRAM)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("; exp\n") and "; main (entry)\n" in ran.out
    assert "define i32 @mlc_entry(ptr %buffers" in ran.out and "fma" in ran.out
    assert compile_file(LAYER, "-o", tmp_path / "out.ll").out == ""
    assert "@mlc_entry" in (tmp_path / "out.ll").read_text()


def test_an_object_runs(compile_file, tmp_path):
    """The object's entry, called as docs/api.md says."""
    path = tmp_path / "exp.o"
    assert compile_file("--emit=obj", "-o", path, text=PROGRAM).code == 0
    linked = jit.Linked([path.read_bytes()])
    x, y = np.float32([1, 2, 3, 4]), np.zeros(4, np.float32)
    buffers = (ctypes.c_void_p * 2)(x.ctypes.data, y.ctypes.data)
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 4)(linked.address("mlc_entry"))
    assert entry(ctypes.addressof(buffers), None, None, None) == 0
    assert np.allclose(y, np.exp(x))


def test_an_object_to_standard_output(tmp_path):
    command = [sys.executable, "-m", "mlc.tools.mlc_compile", "-", "--emit=obj"]
    done = subprocess.run(command, input=PROGRAM.encode(), capture_output=True, check=True)
    assert done.stdout[1:4] == b"ELF" and done.stderr == b""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="this host's assembly is another one")
def test_assembly_of_several_machines(compile_file):
    here = compile_file("--emit=asm", text=PROGRAM).out
    assert ".globl\tmlc_entry" in here and "mlc.exp" in here
    arm = compile_file("--emit=asm", "--triple=aarch64-unknown-linux-gnu", "--cpu=neoverse-v1", LAYER).out
    assert re.search(r"\tfmla\tv\d+\.4s", arm)
    x86 = compile_file("--emit=asm", "--triple=x86_64-unknown-linux-gnu", "--features=+avx2", LAYER).out
    assert "vmulps" in x86


def test_kernels_are_compiled_as_they_are(compile_file):
    """Only functions that are no instructions are expanded."""
    ran = compile_file(text=KERNEL)
    assert ran.code == 0 and 'define void @"mlc.k"' in ran.out and "math" not in ran.out and "fma" in ran.out
    assert compile_file("-p", "cse", text=KERNEL).err.startswith("<stdin>:4:3: error: math.exp: expected an operation")


@pytest.mark.parametrize("arch, version", [("sm_80", "7.0"), ("sm_90a", "8.0")])
def test_ptx_of_programs_and_kernels(compile_file, arch, version):
    for ran in (
        compile_file("--target=cuda", "--emit=ptx", f"--arch={arch}", text=PROGRAM),
        compile_file(LAUNCHES, "--target=cuda", "--emit=ptx", f"--arch={arch}"),
    ):
        assert ran.code == 0, ran.err
        assert ran.out.count(".version") == 1 and f".version {version}\n.target {arch}\n" in ran.out
        assert ".visible .entry" in ran.out


def test_host_code_of_a_program_for_a_gpu(compile_file, tmp_path):
    ran = compile_file("--target=cuda", "--emit=llvm", text=PROGRAM)
    assert "call void @mlc_gpu_launch" in ran.out and "; exp (GPU)" in ran.out
    assert compile_file("--target=cuda", "--emit=obj", "-o", tmp_path / "a.o", text=PROGRAM).code == 0
    assert b"mlc_gpu_launch" in (tmp_path / "a.o").read_bytes()


def test_several_programs(compile_file):
    assert compile_file(text=TWO).out.count("define i32 @mlc_entry") == 2
    ran = compile_file("--emit=asm", text=TWO)
    assert ran.code == 1 and "expected one program, found main, other; choose one by --entry" in ran.err
    assert compile_file("--emit=asm", "--entry=other", text=TWO).code == 0
    ran = compile_file("--entry=othre", text=TWO)
    assert ran.code == 1 and "unknown program 'othre'; did you mean 'other'?" in ran.err


def test_help_names_every_option(compile_file):
    ran = compile_file("--help")
    assert ran.code == 0
    for option in ("--emit", "--target", "--arch", "--triple", "--cpu", "--features", "--passes", "--entry", "-o"):
        assert option in ran.out


@pytest.mark.parametrize(
    "words, code, message",
    [
        (["--emit=ptx"], 2, "--emit=ptx: expected --target=cuda"),
        (["--emit=elf"], 2, "invalid choice: 'elf'"),
        (["--target=cuda", "--arch=sm_91"], 2, "unknown architecture 'sm_91'; did you mean 'sm_90'?"),
        (["--targt=cuda"], 2, "did you mean '--target'?"),
        (["--emit=asm", "--cpu=pentum"], 1, "'pentum' is not a recognized processor"),
        (["--emit=asm", "--features=+avx3"], 1, "'+avx3' is not a recognized feature"),
        (["--emit=asm", "--triple=vax"], 1, 'No available targets are compatible with triple "vax"'),
        (["--target=cuda", "-p", "cse", "--emit=ptx"], 1, "expected arguments that are buffers and scalars"),
        (["-o", "/nowhere/out"], 1, "cannot write /nowhere/out"),
        (["--emit=obj", "-o", "/nowhere/out"], 1, "cannot write /nowhere/out"),
    ],
)
def test_refusals(compile_file, words, code, message):
    ran = compile_file(*words, text=PROGRAM)
    assert (ran.code, ran.out) == (code, "") and message in ran.err, ran.err


def test_launches_need_a_gpu(compile_file):
    ran = compile_file(LAUNCHES)
    assert ran.code == 1 and "expected --target=cuda for a module with gpu.launch" in ran.err
    ran = compile_file("--target=cuda", "--emit=ptx", text=KERNEL)
    assert ran.code == 3 and "memref.load: expected accesses of memory within launches, found one outside" in ran.err


def test_wrong_text(compile_file):
    ran = compile_file(text=PROGRAM.replace("nd.exp %x", "nd.exp %y"))
    assert ran.code == 1 and ran.err.startswith("<stdin>:2:")
    assert compile_file("/nowhere.mlir").err == "error: cannot read /nowhere.mlir: No such file or directory\n"


def test_what_llvm_cannot_select_is_the_compilers_fault(compile_file, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_CRASH_DIR", str(tmp_path))
    monkeypatch.setitem(table.ON_GPU, "math.sqrt", "call$F $T @llvm.tanh.$M($T {0})")
    text = LAUNCHES.read_text().replace("vector.reduction <add>, %v :", "vector.reduction <add>, %q :")
    text = text.replace("    %s = vector.red", "    %q = math.sqrt %v : vector<4xf32>\n    %s = vector.red")
    ran = compile_file("--target=cuda", "--emit=ptx", text=text)
    assert ran.code == 3 and ran.err.startswith("internal error: LLVM for sm_90a: LLVM ERROR: "), ran.err
    (file,) = tmp_path.glob("*.ll")
    assert f"reproducer: {file}" in ran.err and "@llvm.tanh.v4f32" in file.read_text()
