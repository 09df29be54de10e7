"""Constants that are prepared before a program runs: what they hold, where they lie, what becomes of bad files."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.dialects.nd.contraction import Contract
from mlc.runtime import cache, prepared
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from sampling import sample

RNG = np.random.default_rng(11)
COMPUTED, CACHED = prepared.COMPUTED, prepared.CACHED


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MLC_CACHE_SIZE", raising=False)
    return tmp_path / "cache"


def normal(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32).astype(dtype)


def product(w: Any, x: Any) -> Any:
    return x @ w


def compiled(w: np.ndarray, rows: int | str = 3, f: Callable[..., Any] = product, **options: Any) -> mlc.Compiled:
    return mlc.compile(f, mlc.spec((rows, w.shape[0])), constants={"w": w}, **options)


def origins(exe: mlc.Compiled) -> list[str | None]:
    return [c.get("from") for c in exe.report()["constants"]]


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name.startswith("constant-"))


def close(got: Any, x: np.ndarray, w: np.ndarray) -> None:
    a, b = x.astype(np.float64), w.astype(np.float64)
    tolerance = Contract.TOLERANCE.at(float((np.abs(a) @ np.abs(b)).max()) * np.sqrt(x.shape[-1]))
    assert_matches(tolerance, np.asarray(got, np.float32), (a @ b).astype(np.float32))


# ---- what they hold

SIZES = [(m, k, n) for m in (1, 4, 7, 33) for k in (1, 30, 96) for n in (1, 15, 16, 33, 100, 131)]
FORMS: dict[str, Callable[[Any, Any], Any]] = {"rows": product, "columns": lambda w, x: x @ w.T}


@pytest.mark.parametrize(("m", "k", "n"), sample(SIZES, 8, "prepared"))
@pytest.mark.parametrize("form", FORMS)
def test_shapes_that_tiles_do_not_divide(form: str, m: int, k: int, n: int) -> None:
    w, x = normal(k, n), normal(m, k)
    given = w if form == "rows" else np.ascontiguousarray(w.T)
    exe = mlc.compile(FORMS[form], mlc.spec(("m", k)), constants={"w": given})
    close(exe(x), x, w)
    close(exe(x[:1]), x[:1], w)


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16, np.int8])
@pytest.mark.parametrize("rows", [1, 40])
def test_narrow_constants_stay_narrow(dtype: Any, rows: int) -> None:
    w, x = normal(96, 512) if dtype != np.int8 else RNG.integers(-99, 99, (96, 512)), normal(rows, 96)
    w = w.astype(dtype)
    exe = compiled(w, rows, lambda w, x: x @ w.astype("float32"))
    close(exe(x), x, w)
    assert origins(exe) == [COMPUTED] and exe.constants[0].nbytes == w.nbytes


@pytest.mark.parametrize("vector_bytes", [16, 32])
def test_narrow_vectors(vector_bytes: int) -> None:
    w, x = normal(40, 50), normal(3, 40)
    close(compiled(w, vector_bytes=vector_bytes)(x), x, w)


def test_threads(shared_work: None) -> None:
    w, x = normal(512, 384), normal(64, 512)
    exe = compiled(w, 64, threads=2)
    assert COMPUTED in origins(exe) and exe.report()["kernels"][0]["parallel"]
    close(exe(x), x, w)


CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "last": ((2, 9, 10, 5), (3, 3, 5, 40), {"padding": 1}),
    "first": ((1, 20, 9, 9), (36, 20, 3, 3), {"layout": "NCHW"}),
    "strided": ((1, 12, 12, 16), (3, 3, 16, 33), {"stride": 2}),
    "groups": ((1, 8, 8, 32), (3, 3, 8, 64), {"groups": 4}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_kernels_of_convolutions(name: str) -> None:
    shape, kernel, options = CONVOLUTIONS[name]
    x, w = normal(*shape), normal(*kernel)

    def f(w: Any, x: Any) -> Any:
        return nn.conv(x, w, **options)

    assert_matches(Contract.TOLERANCE.at(400.0), mlc.compile(f, x, constants={"w": w})(x), mlc.compile(f, w, x)(w, x))


def test_one_code_for_two_shapes() -> None:
    """Columns and rows of a kernel are packed by the same code, and have different strides."""
    x, w, layout = normal(2, 9, 9, 16), normal(16, 16, 3, 3), ("NHWC", "IOHW", "NHWC")

    def f(x: Any) -> Any:
        first, second = w[:, :, 1:2, ::2], w[:, :, ::2, 1:2]
        return nn.conv(x, first, padding=1, layout=layout), nn.conv(x, second, padding=1, layout=layout)

    exe = mlc.compile(f, x)
    assert origins(exe) == ["computed"] * 2
    module = exe.module("nd")
    tolerance = program_tolerance(module, [x], "f")
    for got, want in zip(exe(x), Interpreter(module).call("f", x), strict=True):
        assert_matches(tolerance, got, want)


def test_with_what_follows_and_comes_before() -> None:
    w, x, b = normal(64, 70), normal(9, 64), normal(70)
    exe = mlc.compile(
        lambda w, b, x: mnp.maximum(x @ (w * 2.0) + b, 0.0), mlc.spec((9, 64)), constants={"w": w, "b": b}
    )
    want = np.maximum(x.astype(np.float64) @ (w * 2.0).astype(np.float64) + b, 0).astype(np.float32)
    assert_matches(Contract.TOLERANCE.at(400.0), exe(x), want)


def test_a_kernel_of_constants_alone_is_prepared() -> None:
    w, x = normal(256, 80), normal(3, 256)  # more than the compiler evaluates by itself

    def f(w: Any, x: Any) -> Any:
        return x @ nn.softmax(w)

    exe = compiled(w, f=f)
    assert "graph.prepare" in exe.mlir("graph") and exe.mlir("loop").count("graph.launch") == 1
    assert_matches(Contract.TOLERANCE.at(40.0), exe(x), mlc.compile(f, w, x)(w, x))


def test_loops_read_what_is_prepared() -> None:
    w, x = normal(256, 256) / 16, normal(2, 256)
    exe = compiled(w, 2, lambda w, x: mlc.fori_loop(0, 3, lambda _, c: mnp.tanh(c @ w), x))
    want = x
    for _ in range(3):
        want = np.tanh(want @ w)
    assert COMPUTED in origins(exe)
    assert_matches(Contract.TOLERANCE.at(40.0), exe(x), want)


@pytest.mark.parametrize("level", ["graph", "loop", "vector"])
def test_levels_mean_the_same(level: str) -> None:
    w, x = normal(64, 200), normal(3, 64)
    module = compiled(w).module(level)
    assert ("graph.prepare" in str(module)) == (level != "graph")
    close(Interpreter(module).call("product", x)[0], x, w)


# ---- where they lie


def test_several_programs_share_a_file(folder: Path) -> None:
    w, x = normal(64, 128), normal(3, 64)
    first = compiled(w)
    second = compiled(w, f=lambda w, x: mnp.tanh(x @ w))
    assert origins(first) == [COMPUTED] and origins(second) == [CACHED] and len(files(folder)) == 1
    assert_matches(Contract.TOLERANCE.at(1.0), second(x), np.tanh(first(x)))


RUN = """
import sys, numpy as np, mlc
w = np.arange(64 * 128, dtype=np.float32).reshape(64, 128) % 7
exe = mlc.compile(lambda w, x: x @ w, mlc.spec((3, 64)), constants={"w": w})
x = np.ones((3, 64), np.float32)
assert (exe(x) == x @ w).all()
print(exe.report()["constants"][0]["from"])
"""


def start() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, env=os.environ)


def test_a_later_process_packs_nothing(folder: Path) -> None:
    together = [start(), start()]
    assert all(p.communicate()[0].strip() in (COMPUTED, CACHED) and p.returncode == 0 for p in together)
    assert len(files(folder)) == 1
    assert start().communicate()[0].strip() == CACHED


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:-8], lambda b: b"", lambda b: b[:64], lambda b: b * 2],
)
def test_damaged_files_are_made_again(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    w, x = normal(64, 128), normal(3, 64)
    compiled(w)
    (path,) = files(folder)
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(damage(good))
    exe = compiled(w)
    close(exe(x), x, w)
    assert origins(exe) == [COMPUTED] and path.read_bytes() == good
    assert origins(compiled(w)) == [CACHED]


def test_a_file_that_is_removed_stays_mapped(folder: Path) -> None:
    w, x = normal(64, 128), normal(3, 64)
    compiled(w)
    exe = compiled(w)
    cache.clear()
    assert origins(exe) == [CACHED] and not files(folder)
    close(exe(x), x, w)


@pytest.mark.parametrize("how", ["off", "full", "small"])
def test_without_room_memory_is_private(folder: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    if how == "off":
        monkeypatch.setenv("MLC_CACHE", "0")
    elif how == "full":
        monkeypatch.setattr(cache, "_write", fails)
    else:
        monkeypatch.setenv("MLC_CACHE_SIZE", "0.02")  # less than the constant takes
    w, x = normal(64, 128), normal(3, 64)
    for _ in range(2):
        exe = compiled(w)
        close(exe(x), x, w)
        assert origins(exe) == [COMPUTED]
    assert not folder.exists() or not files(folder)


def test_one_program_does_not_push_its_own_constants_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE_SIZE", str(5 * 2**15 / 2**20))  # five matrices, of which three may be kept
    ws, x = [normal(64, 128) for _ in range(5)], normal(3, 64)
    for _ in range(2):
        exe = mlc.compile(lambda ws, x: [x @ w for w in ws], mlc.spec((3, 64)), constants={"ws": ws})
        for got, w in zip(exe(x), ws, strict=True):
            close(got, x, w)
    assert origins(exe) == [CACHED] * 3 + [COMPUTED] * 2


def test_nothing_keeps_what_was_packed() -> None:
    w, x = normal(128, 256), normal(3, 128)
    copy, gone = w.copy(), weakref.ref(w)
    exe = compiled(w)
    del w
    gc.collect()
    assert gone() is None
    close(exe(x), x, copy)
    assert "mlc.constant" in exe.mlir("loop") and "mlc.matmul" in exe.llvm_ir()


def test_pages_of_a_mapped_source_are_given_back(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", normal(1024, 1024))
    w, x = np.load(tmp_path / "w.npy", mmap_mode="r"), normal(3, 1024)

    def resident() -> int:
        lines = Path("/proc/self/smaps").read_text().splitlines()
        at = next(k for k, line in enumerate(lines) if line.endswith("w.npy"))
        return int(next(line for line in lines[at:] if line.startswith("Rss:")).split()[1])

    assert float(w.sum()) and resident() >= 4096
    exe = compiled(w)
    assert resident() < 256
    close(exe(x), x, w)


def test_changes_in_other_mappings_are_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", normal(128, 256))
    w = np.load(tmp_path / "w.npy", mmap_mode="c")
    w[...] = 1
    close(compiled(w)(np.ones((3, 128), np.float32)), np.ones((3, 128), np.float32), np.ones((128, 256)))
    assert (w == 1).all()


def test_saved_programs_hold_what_is_prepared(tmp_path: Path, folder: Path) -> None:
    w, x = normal(128, 256), normal(3, 128)
    exe = compiled(w)
    exe.save(tmp_path / "a.mlcx")
    cache.clear()
    loaded = mlc.load(tmp_path / "a.mlcx")
    assert origins(loaded) == [prepared.GIVEN] and not files(folder)
    assert (tmp_path / "a.mlcx").stat().st_size < w.nbytes + 100_000
    close(loaded(x), x, w)
    loaded.save(tmp_path / "b.mlcx")
    close(mlc.load(tmp_path / "b.mlcx")(x), x, w)


def test_data_that_nobody_gave() -> None:
    text = f"""func.func @main(%x: tensor<3x64xf32>) -> tensor<3x128xf32> {{
  %w = nd.resource "w", "{"0" * 32}" : tensor<64x128xf32>
  %y = nd.contract %x, %w "a b, b c -> a c" : (tensor<3x64xf32>, tensor<64x128xf32>) -> tensor<3x128xf32>
  func.return %y : tensor<3x128xf32>
}}"""
    with pytest.raises(mlc.CompileError, match=r':2:3: error: nd.resource "w": expected its data, found none'):
        mlc.compile(text)


def test_what_is_no_constant_cannot_be_prepared() -> None:
    text = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = graph.prepare @exp(%x) : (tensor<4xf32>) -> tensor<4xf32>
  %1 = graph.launch @exp(%0) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}
func.func private @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.exp %x : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}"""
    with pytest.raises(
        mlc.CompileError, match=":2:3: error: prepare by @exp: expected constants as operands, found an arg"
    ):
        mlc.compile(text)
