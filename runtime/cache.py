"""Bytes on disk by key: objects of kernels, whole programs, and prepared constants, which are mapped.

    python -m mlc.runtime.cache            where it is, whether it is used, how much is in it
    python -m mlc.runtime.cache clear      remove everything in it

MLC_CACHE_DIR names the folder (default: mlc in the user's cache folder), MLC_CACHE=0 turns it off, MLC_CACHE_SIZE
bounds it in MiB (default 512). A key hashes what the bytes depend on; the contents of the compiler's own source, the
versions below it and the CPU belong to every key.

What is read is run, so a file counts only if it is the user's own, in a folder of the user's own that others cannot
write to, and whole: it begins with a hash of its name and its bytes. Everything else is the same as absent, and a
folder that cannot be used is the same as none. Writers write a file of their own and move it into place: readers and
other writers see a whole file or none, whenever a writer dies; what a dead writer leaves goes after a minute. Nobody
changes a file, so that one that is mapped stays what it is, also when it is removed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import mmap
import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple, Protocol

MAGIC = b"mlc2"
DIGEST = 16
HEAD = 64
"""Bytes before the data of a file that is mapped, which begin at a multiple of 64."""
PACKAGE = Path(__file__).parent.parent
FOLDERS = ("compiler", "dialects", "lowering", "runtime")
VERSIONED = ("llvmlite", "xdsl", "numpy", "ml_dtypes")
TEMPORARY = ".tmp-"
STALE_SECONDS = 60.0
DEFAULT_MIB = 512.0
MOST_FILES = 20_000
MARK = ".trimmed"
"""An empty file, touched when the folder was last looked through."""


def directory() -> Path | None:
    """Where the cache is; None: there is none."""
    if os.environ.get("MLC_CACHE", "1") == "0":
        return None
    given = os.environ.get("MLC_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "mlc" if os.path.isabs(base) else None


def bound() -> int:
    """Bytes that the folder may hold."""
    try:
        mib = float(os.environ.get("MLC_CACHE_SIZE") or DEFAULT_MIB)
    except ValueError:
        mib = DEFAULT_MIB
    return int(max(0.0, min(mib, 1e9)) * (1 << 20))


# ---- keys


def _sources() -> Iterator[str]:
    """Paths of the compiler's own source, in the same order everywhere."""
    for folder in FOLDERS:
        for path, names, files in os.walk(PACKAGE / folder):
            names.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    yield f"{path}{os.sep}{name}"


@functools.cache
def compiler_hash() -> str:
    """The contents of the compiler's source files, of those that version what it stands on, and Python's version."""
    digest = hashlib.blake2b(sys.version.encode(), digest_size=DIGEST)
    digest.update(f"{sys.implementation.cache_tag}\n".encode())
    for path in _sources():
        with open(path, "rb") as file:
            data = file.read()
        digest.update(f"{os.path.relpath(path, PACKAGE)} {len(data)}\n".encode() + data)
    for package in VERSIONED:
        spec = importlib.util.find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            for name in ("__init__.py", "_version.py", "version.py"):
                with contextlib.suppress(OSError), open(os.path.join(place, name), "rb") as file:
                    data = file.read()
                    digest.update(f"{package}/{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


_unchanged: dict[str, ModuleSpec] = {}
"""Loaded modules of the compiler whose source was found as it was before; one that is reloaded has another spec."""


def edited() -> bool:
    """Has source of the compiler that this process loaded changed since it began to load it? What it compiles then
    belongs to no key. A module that was found unchanged stays what it is in memory, and need not be looked at again."""
    compiler_hash()  # what changes between hashing and loading is seen here
    began: float = vars(sys.modules["mlc"])["LOADED"]
    for name, module in list(sys.modules.items()):
        if not name.startswith("mlc.") or (spec := module.__spec__) is None or spec is _unchanged.get(name):
            continue
        try:
            if spec.origin is None or os.stat(spec.origin).st_ctime > began:
                return True
        except OSError:
            return True
        _unchanged[name] = spec
    return False


@functools.cache
def host_hash() -> str:
    """The architecture of this process, and the CPU's model and features, without asking LLVM."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        import platform

        lines = [f"model name {platform.processor()}"]
    kept = [
        line
        for line in lines
        if line.startswith(("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU "))
    ]
    return hashlib.blake2b("\n".join((os.uname().machine, *kept)).encode(), digest_size=DIGEST).hexdigest()


def key(kind: str, *parts: str | bytes) -> str:
    """The name under which bytes that depend on `parts` are kept."""
    digest = hashlib.blake2b(f"{kind} {compiler_hash()} {host_hash()}".encode(), digest_size=DIGEST)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return f"{kind}-{digest.hexdigest()}"


# ---- the folder


def refusal(where: Path) -> str | None:
    """Why an existing folder is not used; None: it is."""
    try:
        found = os.stat(where)
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(found.st_mode):
        return "it is no folder"
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write to it (mode {stat.S_IMODE(found.st_mode):o})"
    return None


class Buffer(Protocol):
    """Bytes, or an array of them."""

    def __len__(self) -> int: ...

    def __buffer__(self, flags: int, /) -> memoryview: ...


def _head(name: str, payload: Buffer) -> bytes:
    digest = hashlib.blake2b(name.encode() + b"\0", digest_size=DIGEST)
    digest.update(payload)
    return MAGIC + digest.digest()


def _read(path: Path, mapped: bool = False) -> bytes | mmap.mmap | None:
    """A regular file of the user's own."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            return None
        if mapped:
            return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    finally:
        os.close(handle)


def get(name: str) -> bytes | None:
    """The bytes of a key, or None."""
    where = directory()
    if where is None or refusal(where) is not None:
        return None
    path = where / name
    data = _read(path)
    if data is None:
        return None
    size = len(MAGIC) + DIGEST
    payload = bytes(data[size:])
    if data[:size] != _head(name, payload):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the least recently used files go first
    return payload


def get_mapped(name: str) -> memoryview | None:
    """What `put_mapped` kept, read-only and mapped, or None."""
    where = directory()
    if where is None or refusal(where) is not None:
        return None
    path = where / name
    data = _read(path, mapped=True)
    if data is None or len(data) < HEAD:
        return None
    payload = memoryview(data)[HEAD:]
    if data[: len(MAGIC) + DIGEST] != _head(name, payload):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return payload


def put(name: str, payload: bytes) -> None:
    """Keep bytes; nothing happens where that is not possible."""
    _put(name, [_head(name, payload), payload], len(payload))


def put_mapped(name: str, payload: Buffer) -> None:
    """Keep bytes for `get_mapped`; nothing happens where that is not possible."""
    _put(name, [_head(name, payload).ljust(HEAD, b"\0"), payload], len(payload))


def _put(name: str, parts: Sequence[Buffer], size: int) -> None:
    where = directory()
    if where is None:
        return
    with contextlib.suppress(OSError):
        where.parent.mkdir(parents=True, exist_ok=True)
        where.mkdir(mode=0o700, exist_ok=True)
        if refusal(where) is None:
            _write(where, name, parts)
            _trim(where, size)


def _write(where: Path, name: str, parts: Sequence[Buffer]) -> None:
    temporary = where / f"{TEMPORARY}{os.getpid()}-{os.urandom(8).hex()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
        os.replace(temporary, where / name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class Entry(NamedTuple):
    used: float
    size: int
    """What it takes on disk."""
    path: str

    @property
    def name(self) -> str:
        return os.path.basename(self.path)


def entries(where: Path) -> list[Entry]:
    """The files of the cache, the least recently used first; others may remove them at any time."""
    found: list[Entry] = []
    with contextlib.suppress(OSError), os.scandir(where) as scan:
        for entry in scan:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and entry.name != MARK:
                    found.append(Entry(status.st_mtime, max(status.st_size, status.st_blocks * 512), entry.path))
    return sorted(found)


_written: dict[Path, int] = {}


def _trim(where: Path, size: int) -> None:
    """Once a minute at most, and whenever a process has written a sixteenth of what fits: what dead writers left goes,
    and the least recently used files until there is room again."""
    most = bound()
    written = _written[where] = _written.get(where, 0) + size
    if written < most // 16 and not _due(where / MARK):
        return
    _written[where] = 0
    now = time.time()
    left: list[Entry] = []
    for entry in entries(where):
        if not entry.name.startswith(TEMPORARY):
            left.append(entry)
        elif now - entry.used > STALE_SECONDS:
            _remove(entry)
    total, count = sum(entry.size for entry in left), len(left)
    if total <= most and count <= MOST_FILES:
        return
    for entry in left:
        if total <= most - most // 8 and count <= MOST_FILES - MOST_FILES // 8:
            return
        _remove(entry)
        total, count = total - entry.size, count - 1


def _due(mark: Path) -> bool:
    """Is it a minute since anybody looked through the folder? Then it is this process's turn."""
    with contextlib.suppress(OSError):
        if 0 <= time.time() - os.stat(mark).st_mtime < STALE_SECONDS:
            return False
    mark.touch(mode=0o600)
    return True


def _remove(entry: Entry) -> bool:
    try:
        os.unlink(entry.path)
    except OSError:  # another process was faster, or may not
        return False
    return True


# ---- by hand


def describe() -> str:
    """Where the cache is, whether it is used, and what is in it."""
    where = directory()
    if where is None:
        return "no cache: MLC_CACHE=0, or no home"
    if not os.path.lexists(where):
        return f"{where}: empty"
    if (why := refusal(where)) is not None:
        return f"{where}: not used: {why}"
    found = entries(where)
    total = sum(entry.size for entry in found)
    kinds = [entry.name.split("-")[0] for entry in found if not entry.name.startswith(TEMPORARY)]
    parts = ", ".join(f"{kinds.count(kind)} of kind {kind}" for kind in sorted(set(kinds)))
    return f"{where}: {total / (1 << 20):.1f} of {bound() / (1 << 20):.0f} MiB" + (f": {parts}" if parts else "")


def clear() -> int:
    """Remove every file of the cache; how many there were."""
    where = directory()
    if where is None or refusal(where) is not None:
        return 0
    return sum(_remove(entry) for entry in entries(where))


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["clear"]):
        print("usage: python -m mlc.runtime.cache [clear]", file=sys.stderr)
        return 2
    if arguments:
        print(f"removed {clear()} files")
    print(describe())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
