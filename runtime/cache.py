"""Bytes on disk by key: objects of kernels and whole programs.

MLC_CACHE_DIR names the directory (default: mlc in the user's cache directory), MLC_CACHE=0 turns it off,
MLC_CACHE_SIZE bounds it in MiB (default 512). A key hashes what the bytes depend on; the compiler's own source, the
versions below it and the CPU belong to every key. Writes are atomic; a file that is cut or changed counts as absent; a
directory that cannot be used is the same as none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path

MAGIC = b"mlc1"
DIGEST = 16
PACKAGE = Path(__file__).parent.parent
FOLDERS = ("compiler", "dialects", "lowering", "runtime")


def directory() -> Path | None:
    """Where the cache is; None: there is none."""
    if os.environ.get("MLC_CACHE", "1") == "0":
        return None
    given = os.environ.get("MLC_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "mlc"


@functools.cache
def compiler_hash() -> str:
    """Names, sizes and times of the compiler's own source files, and of those that version what it stands on."""
    digest = hashlib.blake2b(digest_size=DIGEST)
    for folder in FOLDERS:
        for path, names, files in os.walk(PACKAGE / folder):
            names.sort()
            for name in sorted(files):
                if name.endswith(".py"):
                    status = os.stat(os.path.join(path, name))
                    digest.update(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    for package in ("llvmlite", "xdsl", "numpy"):
        spec = importlib.util.find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            for name in ("__init__.py", "_version.py", "version.py"):
                with contextlib.suppress(OSError):
                    status = os.stat(os.path.join(place, name))
                    digest.update(f"{package}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@functools.cache
def host_hash() -> str:
    """The CPU's model and features, without asking LLVM."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n", 1)[0].splitlines()
    except OSError:
        import platform

        lines = [f"model name {platform.machine()} {platform.processor()}"]
    kept = [
        line for line in lines if line.startswith(("vendor_id", "cpu family", "model", "stepping", "flags", "CPU "))
    ]
    return hashlib.blake2b("\n".join(kept).encode(), digest_size=DIGEST).hexdigest()


def key(kind: str, *parts: str | bytes) -> str:
    """The name under which bytes that depend on `parts` are kept."""
    digest = hashlib.blake2b(f"{kind} {compiler_hash()} {host_hash()}".encode(), digest_size=DIGEST)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return f"{kind}-{digest.hexdigest()}"


def get(name: str) -> bytes | None:
    """The bytes of a key, or None."""
    where = directory()
    if where is None:
        return None
    path = where / name
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, payload = data[: len(MAGIC) + DIGEST], data[len(MAGIC) + DIGEST :]
    if head != MAGIC + hashlib.blake2b(payload, digest_size=DIGEST).digest():
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # the least recently used files go first
    return payload


def put(name: str, payload: bytes) -> None:
    """Keep bytes; nothing happens where that is not possible."""
    where = directory()
    if where is None:
        return
    try:
        where.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=where, prefix=".tmp-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.blake2b(payload, digest_size=DIGEST).digest() + payload)
            os.replace(temporary, where / name)
        except OSError:
            os.unlink(temporary)
            raise
        _bound(where, len(payload))
    except OSError:
        return


_written: dict[Path, int] = {}


def _bound(where: Path, size: int) -> None:
    """Now and then, the oldest files go until the directory is within its bound."""
    bound = int(float(os.environ.get("MLC_CACHE_SIZE", "512")) * (1 << 20))
    first = where not in _written
    _written[where] = _written.get(where, 0) + size
    if not first and _written[where] < bound // 16:
        return
    _written[where] = 0
    entries = [(e.stat().st_mtime_ns, e.stat().st_size, e.path) for e in os.scandir(where) if e.is_file()]
    total = sum(entry[1] for entry in entries)
    for _, length, path in sorted(entries):
        if total <= bound:
            return
        os.unlink(path)
        total -= length
