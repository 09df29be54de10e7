"""The disk cache: what comes back, what counts as absent, what stays within bounds."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from mlc.runtime import cache


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MLC_CACHE", raising=False)
    return tmp_path / "cache"


def test_bytes_come_back(folder: Path) -> None:
    name = cache.key("kernel", "text", b"more")
    assert cache.get(name) is None
    cache.put(name, b"object" * 100)
    assert cache.get(name) == b"object" * 100
    assert [p.name for p in folder.iterdir()] == [name]


def test_keys_depend_on_every_part_and_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {cache.key("kernel", *parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""))}
    keys.add(cache.key("program", "abc"))
    monkeypatch.setattr(cache, "compiler_hash", lambda: "another compiler")
    keys.add(cache.key("kernel", "abc"))
    monkeypatch.setattr(cache, "host_hash", lambda: "another machine")
    keys.add(cache.key("kernel", "abc"))
    assert len(keys) == 7


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:10], lambda b: b"", lambda b: b[:-1] + b"\0"])
def test_damaged_files_count_as_absent(folder: Path, damage) -> None:
    cache.put("name", b"payload!")
    path = folder / "name"
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get("name") is None
    cache.put("name", b"payload!")
    assert cache.get("name") == b"payload!"


def test_off_switch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE", "0")
    cache.put("name", b"payload")
    assert cache.get("name") is None
    assert not folder.exists()


def test_a_place_that_cannot_hold_a_cache_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    monkeypatch.setenv("MLC_CACHE_DIR", str(file))
    cache.put("name", b"payload")
    assert cache.get("name") is None


def test_the_least_recently_used_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for i in range(8):
        cache.put(f"name{i}", bytes(200_000))
        os.utime(folder / f"name{i}", ns=(i * 10**9, i * 10**9))
    os.utime(folder / "name0", ns=(10**12, 10**12))
    monkeypatch.setenv("MLC_CACHE_SIZE", "1")
    cache.put("last", bytes(200_000))
    left = {p.name for p in folder.iterdir()}
    assert "last" in left and "name0" in left and "name1" not in left
    assert sum(p.stat().st_size for p in folder.iterdir()) <= 1 << 20


def _write(worker: int) -> None:
    for _ in range(50):
        cache.put("shared", bytes([worker]) * 4096)
        found = cache.get("shared")
        assert found is not None and len(set(found)) == 1


def test_writers_do_not_disturb_readers() -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write, args=(i,)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(worker.exitcode == 0 for worker in workers)
