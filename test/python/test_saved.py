"""Programs saved to files: what comes back, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler import saved
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=16, sums=16)

W = np.arange(64 * 80, dtype=np.float32).reshape(64, 80)
X = np.ones((3, 64), np.float32)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    exe = mlc.compile(lambda x, w: mnp.tanh(x @ w / 1e4)[1:], mlc.spec(("b", 64)), constants={"w": W.copy()})
    exe.save(tmp_path / "model.mlcx")
    return tmp_path / "model.mlcx"


def test_a_saved_program_runs(file: Path) -> None:
    exe = mlc.load(file)
    assert_matches(NEAR, exe(X), np.tanh(X @ W / 1e4)[1:])
    assert exe.signature.startswith("lambda(%x: f32[b, 64]) -> (f32[")
    assert "nd.contract" in exe.mlir("nd") and exe.report()["kernels"]
    with pytest.raises(mlc.CompileError, match=r"nd\.slice: expected indices"):
        exe(X[:0])
    again = file.with_name("again")
    exe.save(again)
    assert again.read_bytes() == file.read_bytes()
    assert sorted(p.name for p in file.parent.iterdir()) == ["again", "model.mlcx"]


def test_another_process_gets_the_same(file: Path) -> None:
    code = "import sys, mlc, numpy as np; print(mlc.load(sys.argv[1])(np.ones((3, 64), np.float32)).tobytes().hex())"
    done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == mlc.load(file)(X).tobytes().hex()


def test_damaged_and_other_files_are_refused(file: Path) -> None:
    whole = file.read_bytes()
    for data in (whole[:-1], whole + b"\0", whole[:40], bytes([*whole[:-9], whole[-9] ^ 1, *whole[-8:]])):
        file.write_bytes(data)
        with pytest.raises(mlc.CompileError, match="is damaged; save the program again"):
            mlc.load(file)
    for data in (b"", b"mlc", b"\x7fELF" + whole[4:]):
        file.write_bytes(data)
        with pytest.raises(mlc.CompileError, match="expected a saved program, found another file"):
            mlc.load(file)
    with pytest.raises(mlc.CompileError, match=r"expected a saved program, found .*: No such file"):
        mlc.load(file.with_name("nothing"))
    with pytest.raises(mlc.CompileError, match="expected a saved program"):
        mlc.load(file.parent)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "0.0.1"}, "expected a program of mlc .*, found one of 0.0.1; save it again"),
        ({"platform": ["plan9", "mips"]}, "found one for plan9 on mips"),
        ({"features": ["+avx", "+avx2048"]}, "found one that needs .*avx2048"),
    ],
)
def test_programs_for_other_machines_are_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    read = saved._read

    def changed(path: Path) -> Any:
        data, header, at = read(path)
        return data, json.loads(json.dumps(header)) | change, at

    monkeypatch.setattr(saved, "_read", changed)
    with pytest.raises(mlc.CompileError, match=message):
        mlc.load(file)


def test_a_failed_save_leaves_what_was_there(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()
    exe = mlc.load(file)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved.os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        exe.save(file)
    assert file.read_bytes() == before and len(list(file.parent.iterdir())) == 1
