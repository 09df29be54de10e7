"""The disk cache: what comes back, what counts as absent, what stays within bounds, who may write to it."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from mlc.runtime import cache

HEAD = len(cache.MAGIC) + cache.DIGEST


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MLC_CACHE", raising=False)
    monkeypatch.delenv("MLC_CACHE_SIZE", raising=False)
    return tmp_path / "cache"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != cache.MARK)


# ---- keys


def test_bytes_come_back(folder: Path) -> None:
    name = cache.key("kernel", "text", b"more")
    assert cache.get(name) is None
    cache.put(name, b"object" * 100)
    assert cache.get(name) == b"object" * 100
    assert names(folder) == [name]


def test_keys_depend_on_every_part_and_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {cache.key("kernel", *parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""))}
    keys.add(cache.key("program", "abc"))
    monkeypatch.setattr(cache, "compiler_hash", lambda: "another compiler")
    keys.add(cache.key("kernel", "abc"))
    monkeypatch.setattr(cache, "host_hash", lambda: "another machine")
    keys.add(cache.key("kernel", "abc"))
    assert len(keys) == 7


def test_emulated_processes_are_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may see the same /proc/cpuinfo as those of the machine that emulates them."""
    own, found = cache.host_hash.__wrapped__(), list(os.uname())
    monkeypatch.setattr(os, "uname", lambda: os.uname_result([*found[:4], "another"]))
    assert cache.host_hash.__wrapped__() != own


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler of one file; and one package that it stands on."""
    for name in ("compiler", "below"):
        (tmp_path / name).mkdir()
    (tmp_path / "compiler/passes.py").write_text("one = 1\n")
    (tmp_path / "below/__init__.py").write_text("__version__ = '1.0'\n")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    monkeypatch.setattr(cache, "VERSIONED", ("below",))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_an_edit_that_keeps_size_and_time_is_seen(compiler: Path) -> None:
    path = compiler / "compiler/passes.py"
    before, status = cache.compiler_hash.__wrapped__(), path.stat()
    path.write_text("one = 2\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size and path.stat().st_mtime_ns == status.st_mtime_ns
    assert cache.compiler_hash.__wrapped__() != before


@pytest.mark.parametrize("change", [
    lambda root, patch: (root / "below/__init__.py").write_text("__version__ = '1.1'\n"),
    lambda root, patch: (root / "compiler/passes.py").rename(root / "compiler/moved.py"),
    lambda root, patch: (root / "compiler/more.py").write_text(""),
    lambda root, patch: patch.setattr(cache.sys, "version", "3.99"),
])  # fmt: skip
def test_versions_and_names_are_part_of_every_key(
    compiler: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, pytest.MonkeyPatch], object]
) -> None:
    before = cache.compiler_hash.__wrapped__()
    assert cache.compiler_hash.__wrapped__() == before
    change(compiler, monkeypatch)
    assert cache.compiler_hash.__wrapped__() != before


def test_what_a_changed_compiler_makes_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_unchanged", {})
    monkeypatch.setattr("mlc.LOADED", time.time() + 60)
    assert not cache.edited()
    monkeypatch.setattr("mlc.LOADED", time.time() - 60)
    assert not cache.edited()  # what is loaded has been looked at
    path = tmp_path / "late.py"
    path.write_text("")
    module = ModuleType("mlc.late")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    module.__spec__ = ModuleSpec(module.__name__, None, origin=str(path))
    assert cache.edited() and cache.edited()
    monkeypatch.setattr("mlc.LOADED", time.time() + 60)
    assert not cache.edited()
    monkeypatch.setattr("mlc.LOADED", time.time() - 60)
    module.__spec__ = ModuleSpec(module.__name__, None, origin=str(path))  # loaded again
    assert cache.edited()
    path.unlink()
    assert cache.edited()


# ---- damage

WRONG: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda b: b[:-1],
    "cut in the head": lambda b: b[:10],
    "empty": lambda b: b"",
    "longer": lambda b: b + b"\0",
    "another magic number": lambda b: b"mlc1" + b[4:],
    "no head": lambda b: b[HEAD:],
}


@pytest.mark.parametrize("damage", WRONG)
def test_damaged_files_count_as_absent(folder: Path, damage: str) -> None:
    cache.put("name", b"payload!")
    path = folder / "name"
    path.write_bytes(WRONG[damage](path.read_bytes()))
    assert cache.get("name") is None
    cache.put("name", b"payload!")
    assert cache.get("name") == b"payload!"


def test_every_flipped_bit_is_found(folder: Path) -> None:
    cache.put("name", b"payload!")
    path = folder / "name"
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        assert cache.get("name") is None, bit


def test_a_file_under_another_name_counts_as_absent(folder: Path) -> None:
    cache.put("name", b"payload")
    (folder / "name").rename(folder / "other")
    assert cache.get("other") is None


# ---- places


def test_off_switch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE", "0")
    cache.put("name", b"payload")
    assert cache.get("name") is None
    assert not folder.exists()


def test_only_the_user_can_read_it(folder: Path) -> None:
    old = os.umask(0)
    try:
        cache.put("name", b"payload")
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "name").stat().st_mode & 0o777 == 0o600


def _file(path: Path) -> None:
    path.write_text("in the way")


def _writable_by_others(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _missing_parent(path: Path) -> None:
    _file(path.parent / "file")
    os.environ["MLC_CACHE_DIR"] = str(path.parent / "file" / "cache")


def _no_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [_file, _writable_by_others, _missing_parent, _no_loop])
def test_a_place_that_cannot_hold_a_cache_is_no_error(folder: Path, spoil: Callable[[Path], None]) -> None:
    spoil(folder)
    cache.put("name", b"payload")
    assert cache.get("name") is None
    assert cache.clear() == 0 and cache.describe()


def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put("name", b"payload")
    monkeypatch.setattr(cache.os, "geteuid", lambda: os.getuid() + 1)
    assert cache.get("name") is None
    cache.put("other", b"payload")
    assert names(folder) == ["name"]
    assert "belongs to user" in cache.describe()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file")
def test_a_file_of_somebody_else_is_not_used(folder: Path) -> None:
    cache.put("name", b"payload")
    os.chown(folder / "name", 12345, -1)
    assert cache.get("name") is None


@pytest.mark.parametrize("make", [lambda p, q: p.symlink_to(q), lambda p, q: p.mkdir(), lambda p, q: os.mkfifo(p)])
def test_what_is_no_plain_file_is_not_read(folder: Path, make: Callable[[Path, Path], None]) -> None:
    cache.put("name", b"payload")
    (folder / "name").rename(folder / "elsewhere")
    make(folder / "name", folder / "elsewhere")
    assert cache.get("name") is None


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    cache.put("name", b"payload")
    assert cache.get("name") is None and names(folder) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_still_gives(folder: Path) -> None:
    cache.put("name", b"payload")
    folder.chmod(0o500)
    cache.put("other", b"payload")
    assert cache.get("name") == b"payload" and names(folder) == ["name"]


@pytest.mark.parametrize("home", ["/nonexistent/home", "/dev/null", ""])
def test_a_program_runs_without_a_home(home: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("MLC_CACHE_DIR", "XDG_CACHE_HOME")} | {"HOME": home}
    code = "import mlc, numpy as np; assert mlc.jit(lambda x: x + x)(np.ones(3)).sum() == 6"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


# ---- bounds


@pytest.mark.parametrize("size", ["nonsense", "-1", "", "1e400"])
def test_a_wrong_bound_is_no_error(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE_SIZE", size)
    cache.put("name", b"payload")
    assert cache.bound() >= 0


def test_the_least_recently_used_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(8):
        cache.put(f"name{i}", bytes(200_000))
        os.utime(folder / f"name{i}", ns=(i * 10**9, i * 10**9))
    assert cache.get("name0") is not None
    monkeypatch.setenv("MLC_CACHE_SIZE", "1")
    cache.put("last", bytes(200_000))
    left = names(folder)
    assert "last" in left and "name0" in left and "name1" not in left
    assert sum(p.stat().st_size for p in folder.iterdir()) <= 1 << 20


def test_small_files_are_bounded_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_FILES", 16)
    monkeypatch.setattr(cache, "_due", lambda mark: True)
    for i in range(40):
        cache.put(f"name{i:02}", b"x")
        assert len(names(folder)) <= 16
    assert "name39" in names(folder)


def test_leftovers_of_dead_writers_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_due", lambda mark: True)
    cache.put("name", b"payload")
    for name, age in (("old", 100), ("new", 0)):
        path = folder / f"{cache.TEMPORARY}{name}"
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age, time.time() - age))
    cache.put("other", b"payload")
    assert names(folder) == [f"{cache.TEMPORARY}new", "name", "other"]


def test_the_folder_is_looked_through_once_a_minute(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    assert cache._due(folder / cache.MARK) and not cache._due(folder / cache.MARK)
    os.utime(folder / cache.MARK, (time.time() - 100, time.time() - 100))
    assert cache._due(folder / cache.MARK)


# ---- by hand


def test_inspect_and_clear(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cache.main([]) == 0
    assert capsys.readouterr().out == f"{folder}: empty\n"
    cache.put("program-1", b"x")
    cache.put("object-1", b"x")
    cache.put("object-2", b"x")
    assert cache.main([]) == 0
    assert "of 512 MiB: 2 of kind object, 1 of kind program" in capsys.readouterr().out
    assert cache.main(["clear"]) == 0
    assert capsys.readouterr().out.startswith("removed 3 files") and names(folder) == []
    assert cache.main(["destroy"]) == 2


# ---- several processes


def payload(n: int) -> bytes:
    return random.Random(n).randbytes(1000 + 997 * n % 50_000)


def _work(worker: int, seconds: float) -> None:
    rng, end = random.Random(worker), time.monotonic() + seconds
    while time.monotonic() < end:
        n = rng.randrange(40)
        cache.put(f"name-{n}", payload(n))
        m = rng.randrange(40)
        found = cache.get(f"name-{m}")
        assert found is None or found == payload(m)
        if rng.random() < 0.02:
            cache.clear()


@pytest.mark.own_process
def test_writers_readers_and_removers_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE_SIZE", "0.3")
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_work, args=(i, 1.0)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]


@pytest.mark.own_process
def test_killed_writers_lose_nothing(folder: Path, stress: int) -> None:
    """`kill -9` at any time in a write: what was there stays, and what is there is whole."""
    cache.put("kept", b"kept" * 1000)
    context = multiprocessing.get_context("fork")
    for n in range(3 * stress):
        worker = context.Process(target=_work_without_clearing, args=(n,))
        worker.start()
        time.sleep(random.Random(n).uniform(0.01, 0.06))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert cache.get("kept") == b"kept" * 1000
        for k in range(40):
            path = folder / f"name-{k}"
            assert not path.exists() or cache.get(path.name) == payload(k)
    later = time.time() + 2 * cache.STALE_SECONDS
    os.utime(folder / cache.MARK, (0, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache.time, "time", lambda: later)
        cache.put("last", b"last")
    assert not [name for name in names(folder) if name.startswith(cache.TEMPORARY)]


def _work_without_clearing(worker: int) -> None:
    rng = random.Random(worker)
    while True:
        n = rng.randrange(40)
        cache.put(f"name-{n}", payload(n))


PROGRAM = """
import sys, numpy as np, mlc, mlc.numpy as mnp
x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
for k in range(3):
    y = mlc.jit(lambda x: mnp.tanh(x @ x) * k + x)(x)
    assert np.allclose(y, np.tanh(x @ x) * k + x, atol=1e-5)
    print(y.tobytes().hex())
"""


def test_processes_share_a_cold_cache(folder: Path) -> None:
    """They start together; then each program is there, and a third process gets the same from it."""
    compiler = cache.compiler_hash.__wrapped__()
    starts = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    done = [process.communicate() for process in starts]
    assert [process.returncode for process in starts] == [0, 0], done
    before = names(folder)
    third = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done[0][0] == done[1][0] == third.stdout
    if cache.compiler_hash.__wrapped__() == compiler:  # nobody edits it at the moment
        assert names(folder) == before
    assert any(name.startswith("object-") for name in before)
    assert not [name for name in before if name.startswith(cache.TEMPORARY)]
