"""A compiled program in a file: `exe.save("model.mlcx")` in one process, `mlc.load("model.mlcx")` in another.

    magic | hash of the rest | length of the header | header in JSON | program | array | array ...

The program is what the disk cache keeps of it; the arrays are its weights, as the program reads them, mapped from the
file when it is loaded. Each part begins at a multiple of 64. A file is for machines that have the vector instructions
it was compiled for, and for the version of mlc that wrote it; everything else is a CompileError. It holds native code:
load only what you would run.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import struct
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dialects.errors import CompileError
from ..runtime import jit
from ..runtime.abi import numpy_named

if TYPE_CHECKING:
    from .compile import Compiled

MAGIC = b"mlcx\r\n\x1a\n"
DIGEST = 16
ALIGNMENT = 64
MADE = "constant "
"""Begins the names of arrays that are constants which were made of others: `constant 3`."""


def version() -> str:
    return vars(sys.modules["mlc"])["__version__"]


def features_of(exe: Compiled) -> list[str]:
    """The CPU features that the code may use."""
    given = jit.features_for(exe.options.restricted) if exe.options.restricted else jit.host()[1]
    return sorted(f for f in given.split(",") if f.startswith("+"))


def save(exe: Compiled, path: str | Path) -> None:
    """Write the program with its weights; the file appears whole or not at all."""
    arrays = {h: np.ascontiguousarray(a) for h, a in exe.resources.items() if a is not None}
    arrays |= {f"{MADE}{k}": exe.constants[k] for k in exe.prepared}
    parts = [exe.to_bytes(exe.facts), *arrays.values()]
    header = {
        "version": version(),
        "platform": [sys.platform, platform.machine()],
        "features": features_of(exe),
        "source": exe.source,
        "options": asdict(replace(exe.options, schedule_source="")),
        "parts": [len(p) if isinstance(p, bytes) else p.nbytes for p in parts],
        "arrays": [[h, a.dtype.name, list(a.shape)] for h, a in arrays.items()],
    }
    head = json.dumps(header, sort_keys=True).encode()
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            digest = hashlib.blake2b(digest_size=DIGEST)
            file.write(MAGIC + bytes(DIGEST))

            def write(data: Any) -> None:
                digest.update(data)
                file.write(data)

            write(struct.pack("<Q", len(head)) + head)
            for part in parts:
                write(bytes(-file.tell() % ALIGNMENT))
                write(part if isinstance(part, bytes) else part.reshape(-1).view(np.uint8).data)
            file.seek(len(MAGIC))
            file.write(digest.digest())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load(path: str | Path) -> Compiled:
    """The program that `Compiled.save` wrote; CompileError if it cannot run here."""
    from .blocks import entry
    from .bounds import bounds_of
    from .compile import CompileOptions, compiled_class
    from .parsing import parse_module

    path = Path(path)
    data, header, at = _read(path)
    _check(path, header)
    parts: list[np.ndarray[Any, Any]] = []
    for size in header["parts"]:
        at += -at % ALIGNMENT
        parts.append(data[at : at + size])
        at += size
    resources: dict[str, np.ndarray[Any, Any]] = {}
    for part, (name, dtype, shape) in zip(parts[1:], header["arrays"], strict=True):
        resources[name] = part.view(numpy_named(dtype)).reshape(shape)
    made = {int(name.removeprefix(MADE)): resources.pop(name) for name in [*resources] if name.startswith(MADE)}
    options = CompileOptions(**header["options"])
    exe, facts = compiled_class(options.target).from_bytes(parts[0].tobytes(), resources, made)
    exe.source, exe.options, exe.facts = header["source"], options, facts
    exe.resources = resources
    if exe.program.symbols:
        exe.bounds = bounds_of(entry(parse_module(exe.source, exe.program.name), exe.options.entry))
    return exe


def _read(path: Path) -> tuple[np.ndarray[Any, Any], dict[str, Any], int]:
    """The mapped bytes of a whole file, its header, where the parts begin."""
    start = len(MAGIC) + DIGEST
    try:
        size = path.stat().st_size
        data: np.ndarray[Any, Any] = np.asarray(np.memmap(path, np.uint8, "r")) if size else np.empty(0, np.uint8)
    except OSError as error:
        raise CompileError(f"load: expected a saved program, found {path}: {error.strerror}") from None
    if data[: len(MAGIC)].tobytes() != MAGIC:
        raise CompileError(f"load: expected a saved program, found another file in {path}")
    if hashlib.blake2b(data[start:].data, digest_size=DIGEST).digest() != data[len(MAGIC) : start].tobytes():
        raise CompileError(f"load: {path} is damaged; save the program again")
    (length,) = struct.unpack_from("<Q", data[start : start + 8].tobytes())
    end = start + 8 + length
    return data, json.loads(data[start + 8 : end].tobytes()), end


def _check(path: Path, header: dict[str, Any]) -> None:
    if header["version"] != version():
        found = header["version"]
        raise CompileError(f"load: {path}: expected a program of mlc {version()}, found one of {found}; save it again")
    here = [sys.platform, platform.machine()]
    if header["platform"] != here:
        found = " on ".join(header["platform"])
        raise CompileError(f"load: {path}: expected a program for {' on '.join(here)}, found one for {found}")
    missing = sorted(set(header["features"]) - set(jit.host()[1].split(",")))
    if missing:
        names = ", ".join(f[1:] for f in missing)
        raise CompileError(f"load: {path}: expected a program for this CPU, found one that needs {names}")
