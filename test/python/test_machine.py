"""Machine descriptions: the host, files, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlc.compiler.machine import Machine
from mlc.compiler.settings import MACHINE
from mlc.dialects.errors import CompileError


def test_the_host_is_found_and_its_text_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MACHINE.name, raising=False)
    host = Machine.host()
    assert host.vector_bytes in (16, 32, 64) and host.cores >= 1 and 0 < host.l1_bytes <= host.l2_bytes
    (tmp_path / "host.toml").write_text(host.text())
    assert Machine.load(tmp_path / "host.toml") == host


def test_a_file_takes_the_place_of_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.toml"
    path.write_text("vector_bytes = 32\nclock_ghz = 2\n")
    monkeypatch.setenv(MACHINE.name, str(path))
    machine = Machine.host()
    assert (machine.lanes(4), machine.lanes(8), machine.clock_ghz) == (8, 4, 2.0)
    assert machine.flops(4) == 2 * 8 * 2e9


def test_bandwidth_falls_with_the_footprint() -> None:
    machine = Machine()
    sizes = (1 << 10, 1 << 19, 4 << 20, 1 << 30)
    found = [machine.bandwidth(size) for size in sizes]
    assert found == sorted(found, reverse=True) and len(set(found)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lanes = 4", "expected one of name, kind, .* found lanes"),
        ("vector_bytes = 0", "expected vector_bytes above 0, found 0"),
        ('cores = "two"', "expected cores to be int, found 'two'"),
        ("cores = ", "expected TOML, found"),
    ],
)
def test_wrong_descriptions_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(CompileError, match=message):
        Machine.load(path)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CompileError, match=r"expected a readable file, host or one of .*h100.*, found nowhere\.toml"):
        Machine.load("nowhere.toml")
