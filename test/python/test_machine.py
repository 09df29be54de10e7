"""Machine descriptions: the host, files, and what a wrong file is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from mlc.compiler import calibrate
from mlc.compiler import machine as machines
from mlc.compiler.machine import FUNCTIONS, Machine, detect, known_machines
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
        ("exp_ns = -1", "expected exp_ns 0 or more, found -1"),
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


@pytest.mark.parametrize("name", known_machines())
def test_known_machines_have_names(name: str, tmp_path: Path) -> None:
    machine = Machine.load(name)
    (tmp_path / "again.toml").write_text(machine.text())
    assert Machine.load(tmp_path / "again.toml") == machine
    assert machine.l1_bytes <= machine.l2_bytes <= machine.l3_bytes and machine.launch_ns > 0


def test_a_name_takes_the_place_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MACHINE.name, "compute-poor")
    assert Machine.host() == Machine.load("host") == Machine.load("compute-poor")
    monkeypatch.setenv(MACHINE.name, "host")
    assert Machine.host().name != "compute-poor"


@pytest.mark.parametrize("vendor, part", [("AuthenticAMD", 8 << 20), ("GenuineIntel", 4 << 20)])
def test_results_pass_a_cache_that_is_too_small_or_far(monkeypatch: pytest.MonkeyPatch, vendor: str, part: int) -> None:
    monkeypatch.setattr(machines, "_caches", lambda: {1: 48 << 10, 2: 1 << 20, 3: 32 << 20})
    monkeypatch.setattr(machines, "_cpuinfo", lambda: {"vendor_id": vendor, "flags": "avx avx2 fma"})
    assert detect.__wrapped__().stream_bytes == part


def test_gpus_by_architecture() -> None:
    assert Machine.gpu("sm_90a") == Machine.load("sm_90a") == Machine.load("h100")
    assert (Machine.gpu("sm_86").name, Machine.gpu("sm_86").arch) == ("NVIDIA A100", "sm_86")
    with pytest.raises(CompileError, match="from sm_70 on, found sm_60"):
        Machine.gpu("sm_60")


def test_calibration_measures_speeds_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """On caches that hold little, so that it takes no time; what it finds lies within what any machine can be."""
    monkeypatch.setattr(calibrate, "FAR", 1 << 20)
    small = dataclasses.replace(Machine.host(), l2_bytes=1 << 16, l3_bytes=1 << 18)
    shown: list[str] = []
    found = calibrate.calibrate(small, 0.01, lambda _, what: shown.append(what))
    speeds = set(shown)
    for f in dataclasses.fields(Machine):
        new, old = getattr(found, f.name), getattr(small, f.name)
        assert (new > 0) if f.name in speeds else (new == old)
    assert speeds == {"clock_ghz", "launch_ns", "l1_gbs", "l2_gbs", "l3_gbs", "memory_gbs", *FUNCTIONS}
    assert 0.1 < found.clock_ghz < 10 and found.exp_ns < 100


def test_a_gpu_is_not_calibrated() -> None:
    with pytest.raises(CompileError, match="expected a machine of kind cpu, found gpu"):
        calibrate.calibrate(Machine.load("h100"))
