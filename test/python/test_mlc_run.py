"""mlc-run: inputs, results, checks, timing, errors. Native code and the interpreter alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from device_on_host import on_host
from mlc.dialects.nd.op import EXACT
from mlc.runtime.cuda import driver
from mlc.runtime.matching import assert_matches

ROOT = Path(__file__).resolve().parents[2]
MLP = ROOT / "examples/mlp.mlir"
AFFINE = """\
func.func @main(%x: tensor<?x2xf32, #nd.sym<b>>, %y: tensor<2xf32>) -> tensor<?x2xf32, #nd.sym<b>> {
  %0 = nd.broadcast %y "b -> a b" : tensor<2xf32> -> tensor<?x2xf32, #nd.sym<b>>
  %1 = nd.add %x, %0 : tensor<?x2xf32, #nd.sym<b>>
  func.return %1 : tensor<?x2xf32, #nd.sym<b>>
}
func.func @same(%x: tensor<3xi64>, %p: tensor<2xi1>) -> (tensor<3xi64>, tensor<2xi1>) {
  func.return %x, %p : tensor<3xi64>, tensor<2xi1>
}
"""
HOW = pytest.mark.parametrize("how", [["--interpret"], []], ids=["interpreted", "native"])


def loaded(path) -> list[np.ndarray]:
    with np.load(path) as file:
        return [file[name] for name in file.files]


@HOW
def test_literal_inputs(execute, how):
    ran = execute("-", *how, "--input", "[[1, 2], [3, 4]]", "--input", "[10, -inf]", text=AFFINE)
    assert ran.code == 0, ran.err
    assert ran.out == "result 0: tensor<?x2xf32, #nd.sym<b>>\n[[ 11., -inf],\n [ 13., -inf]]\n"


@HOW
def test_inputs_from_files_and_results_to_a_file(execute, how, tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "x.npy", x)
    ran = execute(
        "-", *how, "--input", f"@{tmp_path}/x.npy", "--input", "[1, 2]", "-o", tmp_path / "out.npz", text=AFFINE
    )
    assert (ran.code, ran.out) == (0, "")
    assert_matches(EXACT, loaded(tmp_path / "out.npz")[0], np.add(x, np.array([1, 2], x.dtype)))


@HOW
def test_several_results_other_entries_other_types(execute, how):
    ran = execute("-", *how, "--entry", "same", "--input", "[1, 2, 3]", "--input", "[true, False]", text=AFFINE)
    assert ran.code == 0, ran.err
    assert ran.out == "result 0: tensor<3xi64>\n[1, 2, 3]\nresult 1: tensor<2xi1>\n[ True, False]\n"


def test_random_inputs_are_seeded(execute, tmp_path):
    def run(*args) -> np.ndarray:
        assert execute("-", "--interpret", "--size", "b=500", "-o", tmp_path / "o.npz", *args, text=AFFINE).code == 0
        return loaded(tmp_path / "o.npz")[0]

    first = run()
    assert_matches(EXACT, first, run("--seed", "0"))
    assert (first != run("--seed", "1")).any()
    centred = first - first.mean(axis=0)  # a standard normal and a shift by another
    assert abs(centred.std() - 1) < 0.1


@pytest.mark.parametrize("b", [0, 1, 7, 64])
def test_check_of_the_perceptron(execute, b):
    ran = execute(MLP, "--size", f"b={b}", "--check")
    assert ran.code == 0 and ran.out.endswith("check passed\n"), ran.err


def test_check_each_of_the_perceptron(execute):
    ran = execute(MLP, "--size", "b=7", "--check-each")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == "same after pass stablehlo-to-nd" and lines[-1] == "same in native code"
    assert any("graph-fuse" in line for line in lines) and any("lower-loop" in line for line in lines)


def test_bench_and_report(execute):
    ran = execute(MLP, "--size", "b=7", "--bench", "--report")
    assert ran.code == 0, ran.err
    assert re.search(r"best [\d.]+ us, median [\d.]+ us, \d+ calls", ran.out) and "kernel" in ran.out


@pytest.mark.parametrize(
    "args, message",
    [
        (["--size", "b=2", "--input", "[[1, 2]]"], "argument 0 (%x): expected size 2 (b) of dimension 0, found 1"),
        (["--input", "[[1, 2, 3]]"], "argument 0 (%x): expected size 2 of dimension 1, found 3"),
        (["--input", "[1, 2]"], "argument 0 (%x): expected rank 2 [b, 2], found shape [2]"),
        (["--input", "[[1, 2]"], "--input: expected a literal such as [[1, 2], [3, 4]] or @file.npy"),
        (["--input", "[[x, 2]]"], "--input: expected a literal"),
        (["--input", "@none.npy"], "--input @none.npy: cannot read it"),
        (["--input", "[[1, 2]]", "--input", "[1, 2]", "--input", "3"], "expected at most 2 --input, found 3"),
        ([], "argument 0 (%x): size 'b' is not known; give it as --size b=N"),
        (["--size", "c=3", "--size", "b=2"], "--size: @main has no size 'c'; its sizes: b"),
        (["--size", "b"], "--size: expected NAME=NUMBER such as b=7, found 'b'"),
        (["--size", "b=-1"], "--size: expected NAME=NUMBER such as b=7, found 'b=-1'"),
        (["--entry", "mian"], "no function @mian; did you mean 'main'?; the module has @main, @same"),
    ],
)
def test_wrong_uses(execute, args, message):
    ran = execute("-", "--interpret", *args, text=AFFINE)
    assert ran.code == 1 and message in ran.err and "Traceback" not in ran.err


def test_a_file_of_another_type(execute, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 2)))
    ran = execute("-", "--interpret", "--input", f"@{tmp_path}/x.npy", text=AFFINE)
    assert ran.code == 1 and "argument 0 (%x): expected elements of float32, found float64" in ran.err


LOOP = """\
func.func @main(%n: tensor<i64>, %x: tensor<3xf32>) -> tensor<3xf32> {
  %zero = nd.constant 0 : tensor<i64>
  %i, %y = nd.while (%m = %n) carry (%k = %zero, %c = %x) -> (tensor<i64>, tensor<3xf32>) {
    %0 = nd.compare lt %k, %m : tensor<i64> -> tensor<i1>
    nd.yield %0 : tensor<i1>
  } do {
    %one = nd.constant 1 : tensor<i64>
    %limit = nd.constant 100.0 : tensor<3xf32>
    %0 = nd.add %k, %one : tensor<i64>
    %1 = nd.add %c, %c : tensor<3xf32>
    %2 = nd.compare lt %1, %limit : tensor<3xf32> -> tensor<3xi1>
    nd.check %2 "below 100" : tensor<3xi1>
    nd.print "trip {}: {}" %k, %1 : tensor<i64>, tensor<3xf32>
    nd.yield %0, %1 : tensor<i64>, tensor<3xf32>
  }
  func.return %y : tensor<3xf32>
}
"""


@HOW
def test_loops_print_and_fail(execute, how):
    ran = execute("-", *how, "--input", "2", "--input", "[1, 2, 3]", text=LOOP)
    assert ran.code == 0, ran.err
    assert ran.out == "trip 0: [2. 4. 6.]\ntrip 1: [ 4.  8. 12.]\nresult 0: tensor<3xf32>\n[ 4.,  8., 12.]\n"
    ran = execute("-", *how, "--input", "9", "--input", "[1, 20, 3]", text=LOOP)
    assert ran.code == 1 and ran.out == "trip 0: [ 2. 40.  6.]\ntrip 1: [ 4. 80. 12.]\n"
    assert ran.err.startswith("<stdin>:12:5: check failed: below 100")


def test_check_each_of_a_loop(execute):
    ran = execute("-", "--check-each", "--report", "--input", "3", "--input", "[1, 2, 3]", text=LOOP)
    assert ran.code == 0, ran.err
    assert "same after pass graph-plan" in ran.out and ran.out.endswith("same in native code\n")


# ---- GPUs
def test_target_cuda(execute, monkeypatch, tmp_path):
    """On the host's CPU in the place of a GPU, numbers in and out."""
    given = ["--target=cuda", "--size", "b=3"]
    with on_host(monkeypatch) as host:
        ran = execute("-", *given, "--check", "--bench", "-o", tmp_path / "o.npz", text=AFFINE)
        assert ran.code == 0, ran.err
        assert re.fullmatch(r"check passed\nbest .* us, median .* us, \d+ calls\n", ran.out)
        assert host.launched and loaded(tmp_path / "o.npz")[0].shape == (3, 2)
        ran = execute("-", *given, "--check-each", text=AFFINE)
        assert ran.code == 0, ran.err
        assert "same after pass lower-loop{launch=true}\n" in ran.out and ran.out.endswith("same in native code\n")


def test_target_cuda_without_a_driver(execute, monkeypatch):
    monkeypatch.setattr(driver, "LIBRARY", "libcuda_that_is_not_there.so.1")
    monkeypatch.setattr(driver, "_loaded", [])
    ran = execute("-", "--target=cuda", "--size", "b=3", text=AFFINE)
    assert ran.code == 1 and ran.err.startswith("error: expected NVIDIA's driver, found no libcuda_that_is_not_there")


def test_target_cuda_has_no_threads(execute):
    ran = execute("-", "--target=cuda", "--threads=2", "--size", "b=3", text=AFFINE)
    assert ran.code == 1 and "threads: expected none for target cuda, found 2" in ran.err
