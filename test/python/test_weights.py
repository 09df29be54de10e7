"""Weights that a program holds: by name, from memory and from files, never in its text."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import mlc
import numpy as np
import pytest
from mlc.compiler import weights
from mlc.dialects.nd.contraction import Contract
from mlc.dialects.nd.resource import content_hash, keep
from mlc.runtime.matching import assert_matches

RNG = np.random.default_rng(7)
X = RNG.standard_normal((3, 64)).astype(np.float32)
PRODUCT = """
func.func @main(%x: tensor<3x64xf32>, %w: tensor<64x40xf32>) -> tensor<3x40xf32> {
  %y = nd.contract %x, %w "a b, b c -> a c" : (tensor<3x64xf32>, tensor<64x40xf32>) -> tensor<3x40xf32>
  func.return %y : tensor<3x40xf32>
}
"""


def weight() -> np.ndarray:
    return RNG.standard_normal((64, 40)).astype(np.float32)


def close(got: np.ndarray, x: np.ndarray, w: np.ndarray) -> None:
    magnitude = np.abs(x).astype(np.float64) @ np.abs(w).astype(np.float64)
    tolerance = Contract.TOLERANCE.at(float(magnitude.max()) * np.sqrt(x.shape[-1]))
    assert_matches(tolerance, got, (x.astype(np.float64) @ w.astype(np.float64)).astype(np.float32))


def write_safetensors(path: Path, arrays: dict[str, np.ndarray]) -> None:
    names = {"float32": "F32", "int64": "I64", "bool": "BOOL", "bfloat16": "BF16"}
    header, at = {}, 0
    for name, a in arrays.items():
        header[name] = {"dtype": names[a.dtype.name], "shape": a.shape, "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for a in arrays.values()))


def test_a_parameter_tree_becomes_constants():
    p = {"w": weight(), "b": RNG.standard_normal(40).astype(np.float32)}
    exe = mlc.compile(lambda p, x: x @ p["w"] + 0 * p["b"], mlc.spec(("n", 64)), constants={"p": p})
    assert exe.signature == "lambda(%x: f32[n, 64]) -> (f32[n, 40])"
    assert 'nd.resource "p_w"' in exe.mlir() and len(exe.mlir()) < 2000
    close(exe(X), X, p["w"])


def test_an_argument_of_a_text_becomes_a_constant():
    w = weight()
    exe = mlc.compile(PRODUCT, constants={"w": w})
    assert exe.signature == "main(%x: f32[3, 64]) -> (f32[3, 40])"
    close(exe(X), X, w)


@pytest.mark.parametrize("write", ["stored", "compressed", "safetensors"])
def test_files_of_weights(tmp_path, write):
    arrays = {"w": weight(), "b": np.arange(5), "flags": np.array([True, False]), "none": np.zeros((0, 3), np.float32)}
    path = tmp_path / ("w.safetensors" if write == "safetensors" else "w.npz")
    if write == "safetensors":
        write_safetensors(path, arrays)
    else:
        (np.savez if write == "stored" else np.savez_compressed)(path, **arrays)
    found = weights.load(path)
    assert list(found) == list(arrays)
    for name, a in arrays.items():
        assert found[name].dtype == a.dtype and found[name].tobytes() == a.tobytes() and found[name].shape == a.shape
    if write != "compressed":
        assert isinstance(found["w"], np.memmap) and not found["w"].flags.writeable
    exe = mlc.compile(PRODUCT, constants={"w": found["w"]})
    close(exe(X), X, arrays["w"])
    only = tmp_path / f"only{path.suffix}"
    (write_safetensors if write == "safetensors" else lambda p, a: np.savez(p, **a))(only, {"w": arrays["w"]})
    close(mlc.compile(PRODUCT, constants=only)(X), X, arrays["w"])


def test_a_file_of_bfloat16(tmp_path):
    import ml_dtypes

    a = np.arange(6).astype(ml_dtypes.bfloat16).reshape(2, 3)
    write_safetensors(tmp_path / "b.safetensors", {"b": a})
    assert weights.load(tmp_path / "b.safetensors")["b"].dtype == a.dtype


@pytest.mark.parametrize(
    "damage", [lambda b: b[:40], lambda b: b[:-4], lambda b: b"\xff" * 8 + b[8:], lambda b: b"", lambda b: b"not it"]
)
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_damaged_files_are_errors(tmp_path, suffix, damage):
    path = tmp_path / f"w{suffix}"
    write_safetensors(path, {"w": weight()}) if suffix == ".safetensors" else np.savez(path, w=weight())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(mlc.CompileError, match="constants: cannot read"):
        weights.load(path)


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"v": np.zeros(3)}, r"expected names of arguments or resources \(x, w\), found 'v'"),
        ({"w": np.zeros((64, 41), np.float32)}, r"w: expected float32\[64, 40\], found float32\[64, 41\]"),
        ({"w": np.zeros((64, 40))}, r"w: expected float32\[64, 40\], found float64\[64, 40\]"),
        ("nowhere.npz", "found no file nowhere.npz"),
        (__file__, "expected a file that ends in .npz or .safetensors, found test_weights.py"),
    ],
)
def test_wrong_constants_are_errors(constants, message):
    with pytest.raises(mlc.CompileError, match=message):
        mlc.compile(PRODUCT, constants=constants)


def test_an_unknown_parameter_is_an_error():
    with pytest.raises(mlc.CompileError, match=r"expected parameters \(x\), found 'y'"):
        mlc.compile(lambda x: x, mlc.spec((3,)), constants={"y": np.zeros(3)})


def test_a_resource_needs_its_data_and_no_other():
    w, other = weight(), weight()
    text = f'func.func @main() -> tensor<64x40xf32> {{ %w = nd.resource "w", "{content_hash(w)}" : tensor<64x40xf32>\n'
    text += "func.return %w : tensor<64x40xf32> }"
    with pytest.raises(mlc.CompileError, match='"w": expected its data, found none; give them with constants'):
        mlc.compile(text)
    with pytest.raises(mlc.CompileError, match=f"w: expected the data of hash {content_hash(w)}"):
        mlc.compile(text, constants={"w": other})
    assert mlc.compile(text, constants={"w": w})().tobytes() == w.tobytes()
    del w
    gc.collect()
    with pytest.raises(mlc.CompileError, match='"w": expected its data, found none'):  # though the program is cached
        mlc.compile(text)


def test_the_hash_depends_on_type_shape_and_bytes():
    a = np.arange(12, dtype=np.float32)
    hashes = [a, a.reshape(3, 4), a.view(np.int32), a + 1, a.reshape(3, 4).T]
    assert len({content_hash(x) for x in hashes}) == len(hashes)
    assert content_hash(a.reshape(3, 4).T) == content_hash(a.reshape(3, 4).T.copy())


def test_a_constant_is_used_where_it_lies_and_becomes_read_only():
    w = weight()
    exe = mlc.compile(PRODUCT, constants={"w": w})
    assert any(c is w or c.base is w for c in exe.constants)
    with pytest.raises(ValueError, match="read-only"):
        w[0, 0] = 1


def test_what_a_traced_function_closes_over_is_copied_once():
    w = weight()
    f = mlc.jit(lambda x: x @ w)
    before = w.copy()
    close(f(X), X, before)
    w[...] = 0
    close(f(X), X, before)
    assert keep(before).data.array is keep(before.copy()).data.array


def test_equal_constants_are_one():
    w = weight()
    exe = mlc.compile(lambda x: (x @ w) + (x @ w.copy()), mlc.spec((3, 64)))
    assert len(exe.program.constants) == 1


def test_folding_reads_small_resources():
    w = weight()
    exe = mlc.compile(lambda x: x + (mlc.numpy.asarray(w) * 2.0).sum(0), mlc.spec((3, 40)))
    assert "nd.resource" not in exe.mlir("graph")


MEASURE = """
import re, sys
import numpy as np, mlc
path, count, side = sys.argv[1], int(sys.argv[2]), 1024
def f(p, x):
    for k in range(count):
        x = mlc.numpy.tanh(x @ p[f"w{k}"])
    return x
exe = mlc.compile(f, mlc.spec((2, side)), constants={"p": path})
assert len(exe.mlir()) < 1 << 20
x = np.ones((2, side), np.float32)
assert np.isfinite(exe(x)).all()
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_memory_of_a_program_with_weights(tmp_path, suffix):
    """At most 1.2 x weights + 400 MB, in a process of its own; MLC_TEST_WEIGHTS=400 measures the whole size."""
    megabytes = int(os.environ.get("MLC_TEST_WEIGHTS", "80"))
    path, count = tmp_path / f"w{suffix}", megabytes // 4
    arrays = {f"w{k}": (RNG.standard_normal((1024, 1024)) / 32).astype(np.float32) for k in range(count)}
    (write_safetensors if suffix == ".safetensors" else lambda p, a: np.savez(p, **a))(path, arrays)
    del arrays
    cache = tmp_path / "cache"
    environment = {**os.environ, "MLC_CACHE_DIR": str(cache)}
    for _ in ("cold", "warm"):
        command = [sys.executable, "-c", MEASURE, str(path), str(count)]
        run = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert run.returncode == 0, run.stderr
        assert int(run.stdout) < 1.2 * megabytes + 400
    sizes = {f.name: f.stat().st_size for f in cache.iterdir()}
    made = [n for name, n in sizes.items() if name.startswith("constant-")]
    assert len(made) == count and sum(made) < 1.01 * (megabytes << 20)
    assert sum(sizes.values()) - sum(made) < 1 << 20
