"""NVIDIA's assembler, from the extra `ptxas`: is PTX right, and what does it become?

    for name, used in assembled(text, "sm_90a").items():
        assert used.spilled == 0

No GPU is needed. Warnings of the assembler are errors here.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

ARCHITECTURES = ("sm_80", "sm_90a", "sm_100a")


class Used(NamedTuple):
    """What a function has: registers of a thread, bytes of a thread's stack, bytes that are stored there and loaded
    for want of registers, bytes of static memory of a block, barriers."""

    registers: int
    stack: int
    spilled: int
    shared: int
    barriers: int


@functools.cache
def find() -> Path | None:
    """The assembler, or None."""
    found = importlib.util.find_spec("nvidia")
    for place in (found.submodule_search_locations if found is not None else None) or ():
        for path in sorted(Path(place).glob("*/bin/ptxas")):
            return path
    return None


needs_ptxas = pytest.mark.skipif(find() is None, reason="the extra ptxas (nvidia-cuda-nvcc) is not installed")

FUNCTION = re.compile(r"Compiling entry function '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:, used (\d+) barriers)?")
SHARED = re.compile(r"(\d+) bytes smem")


class Refused(Exception):
    """What the assembler does not take, in its words."""


def assembled(text: str, sm: str, level: int = 3) -> dict[str, Used]:
    """What each entry function of PTX becomes, at a level of the assembler's optimisation."""
    path = find()
    assert path is not None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "code.ptx"
        source.write_text(text)
        command = [str(path), "-v", f"-O{level}", f"-arch={sm}", str(source), "-o", str(Path(folder) / "code.cubin")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode or "warning" in said.lower():
        raise Refused(said)
    return parsed(said)


def parsed(said: str) -> dict[str, Used]:
    found: dict[str, Used] = {}
    name = ""
    for line in said.splitlines():
        if (m := FUNCTION.search(line)) is not None:
            name = m[1]
            found[name] = Used(0, 0, 0, 0, 0)
        elif name and (m := STACK.search(line)) is not None:
            found[name] = found[name]._replace(stack=int(m[1]), spilled=int(m[2]) + int(m[3]))
        elif name and (m := USED.search(line)) is not None:
            shared = SHARED.search(line)
            found[name] = found[name]._replace(
                registers=int(m[1]), barriers=int(m[2] or 0), shared=int(shared[1]) if shared is not None else 0
            )
    return found
