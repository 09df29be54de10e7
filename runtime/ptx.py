"""LLVM IR for NVIDIA GPUs -> PTX, from the disk cache or by a process of its own.

    ptx(code.device.llvm_ir, "sm_90a")

LLVM ends its process over what it cannot select, so that a process does the work that nothing else depends on: it is
started when it is first needed (`start` starts it early, without waiting), gets one module after the other, and ends
when this process does. If it ends before that, the module's text is written to a file, the error names it and what LLVM
said, and the next module gets a new process. A fork begins without one.

The PTX version is the lowest that has the architecture: it decides which drivers can load the code.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from ..dialects.errors import CompileError
from . import ptx_child

VERSIONS = {
    **{"sm_70": 60, "sm_72": 61, "sm_75": 63, "sm_80": 70, "sm_86": 71, "sm_87": 74, "sm_88": 90, "sm_89": 78},
    **{"sm_90": 78, "sm_90a": 80, "sm_100": 86, "sm_100a": 86, "sm_103": 88, "sm_103a": 88},
    **{"sm_110": 90, "sm_110a": 90, "sm_120": 87, "sm_120a": 87, "sm_121": 88, "sm_121a": 88},
}
"""PTX ISA, appendix "Release notes": the version that introduced each target, ten times; sm_70's instructions that
wait for a warp need 6.0."""

LEVEL = 3
"""Of LLVM's optimisation: its passes take a few milliseconds for a kernel."""


ENDED = "the code generator's process ended ({})"
KILLED = [ENDED.format(-number) for number in (signal.SIGKILL, signal.SIGTERM)]


class GeneratorError(Exception):
    """LLVM's code generator failed: a fault of the compiler's."""


def version_of(sm: str) -> int:
    """The PTX version for an architecture, ten times."""
    if sm not in VERSIONS:
        raise CompileError(f"expected an architecture of {', '.join(VERSIONS)}, found {sm!r}")
    return VERSIONS[sm]


def ptx(text: str, sm: str, level: int = LEVEL) -> str:
    """PTX of a module for an architecture such as `sm_90a`."""
    from . import cache

    version = version_of(sm)
    key = cache.key("ptx", text, sm, str(version), str(level))
    found = cache.get(key)
    if found is not None:
        return found.decode()
    made = _PROCESS.ask(text, sm, f"+ptx{version}", level)
    if calls := re.findall(r"^\.extern \.func.*?(\w+)[ \n]*\(", made, re.MULTILINE):
        wanted = f"the code generator wants functions that a GPU has not: {', '.join(sorted(set(calls)))}"
        raise GeneratorError(f"{wanted}{_reproducer(text, sm, version, level, wanted)}")
    cache.put(key, made.encode())
    return made


def start() -> None:
    """Start the process, to be ready later."""
    _PROCESS.start()


class _Process:
    """The other process, of which there is one at a time; threads take turns."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.said: IO[bytes] | None = None

    def start(self) -> None:
        with self.lock:
            self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        if self.process is None or self.process.poll() is not None:
            self._stop()
            found = importlib.util.find_spec("llvmlite")
            folders = [str(Path(p).parent) for p in (found.submodule_search_locations if found else None) or ()]
            self.said = tempfile.TemporaryFile()  # noqa: SIM115
            pipe = subprocess.PIPE
            command = [sys.executable, "-P", ptx_child.__file__, *folders]
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.said)
        return self.process

    def ask(self, text: str, sm: str, features: str, level: int) -> str:
        request = json.dumps({"text": text, "sm": sm, "features": features, "level": level}).encode()
        with self.lock:
            answer, what = self._answer(request)
            if what in KILLED:  # by somebody else: not by this module
                answer, what = self._answer(request)
        if answer is not None and answer[:1] == ptx_child.DONE:
            return answer[1:].decode()
        if answer is not None:
            what = answer[1:].decode(errors="replace")
        version = int(features.removeprefix("+ptx"))
        raise GeneratorError(f"LLVM for {sm}: {what}{_reproducer(text, sm, version, level, what)}")

    def _answer(self, request: bytes) -> tuple[bytes | None, str]:
        """The other process's answer; if it has ended instead, what was said, or how it ended."""
        process = self._start()
        assert process.stdin is not None and process.stdout is not None and self.said is not None
        before = self.said.seek(0, os.SEEK_END)
        try:
            ptx_child.send(process.stdin, request)  # pyright: ignore[reportArgumentType]
            answer = ptx_child.receive(process.stdout)  # pyright: ignore[reportArgumentType]
        except BrokenPipeError:
            answer = None
        except BaseException:
            self._stop()  # what comes next would be an answer to this
            raise
        if answer is not None:
            return answer, ""
        code = process.wait()
        self.said.seek(before)
        what = self.said.read().decode(errors="replace")
        self._stop()
        return None, _message(what) or ENDED.format(code)

    def _stop(self) -> None:
        process, self.process, said, self.said = self.process, None, self.said, None
        if process is not None:
            assert process.stdin is not None and process.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()
        if said is not None:
            said.close()

    def stop(self) -> None:
        """End the process, if there is one."""
        with self.lock:
            self._stop()

    def forget(self) -> None:
        """After a fork: it is the parent's."""
        self.lock = threading.Lock()
        process, self.process, said, self.said = self.process, None, self.said, None
        if process is not None:
            process.returncode = 0  # nobody here waits for it
            for stream in (process.stdin, process.stdout, said):
                if stream is not None:
                    stream.close()


def _message(said: str) -> str:
    """LLVM's own words, without the stack of calls behind them."""
    lines = [line for line in said.splitlines() if line.strip()]
    start = next((k for k, line in enumerate(lines) if line.startswith("LLVM ERROR")), None)
    if start is None:
        return "\n".join(lines[-3:])
    end = next((k for k in range(start, len(lines)) if lines[k].startswith(("PLEASE", "Stack dump", "#0"))), len(lines))
    return "\n".join(lines[start:end])


def _reproducer(text: str, sm: str, version: int, level: int, message: str) -> str:
    """A file with the module, as LLVM's `llc` reads it; the line that says where it is."""
    head = f"; llc -mtriple={ptx_child.TRIPLE} -mcpu={sm} -mattr=+ptx{version} -O{level}\n"
    head += "".join(f"; {line}\n" for line in message.splitlines())
    folder = os.environ.get("MLC_CRASH_DIR") or tempfile.gettempdir()
    try:
        os.makedirs(folder, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix="mlc-ptx-", suffix=".ll", dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(head + text)
    except OSError as error:
        return f"\nno reproducer written: {error.strerror or error} ({folder})"
    return f"\nreproducer: {path}"


_PROCESS = _Process()
atexit.register(_PROCESS.stop)
os.register_at_fork(after_in_child=_PROCESS.forget)
