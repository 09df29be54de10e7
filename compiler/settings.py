"""Every MLC_* environment variable: one row each, read at use, printed by `mlc-opt --help-env`.

The layers below `compiler` read their own variables from the environment; a test holds this table complete.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..dialects.errors import CompileError


@dataclass(frozen=True)
class Setting:
    """One variable: its name, the default's text and one line of doc."""

    name: str
    default: str
    doc: str

    def get(self) -> str:
        return os.environ.get(self.name, self.default)

    def on(self) -> bool:
        """The value as a switch: `0`, `no`, `off`, `false` and nothing are off."""
        return self.get().strip().lower() not in ("", "0", "no", "off", "false")


CACHE = Setting("MLC_CACHE", "1", "0 turns the disk cache of compiled kernels off")
CACHE_DIR = Setting("MLC_CACHE_DIR", "", "folder of the disk cache (default: mlc in the user's cache folder)")
CACHE_SIZE = Setting("MLC_CACHE_SIZE", "512", "MiB that the disk cache may hold; the oldest files go first")
CRASH_DIR = Setting("MLC_CRASH_DIR", "", "folder for reproducers of internal errors (default: the temporary folder)")
CUDA_DEVICE = Setting("MLC_CUDA_DEVICE", "0", "the number of the GPU that programs for the target cuda run on")
CUDA_GRAPHS = Setting("MLC_CUDA_GRAPHS", "1", "0 launches every kernel anew, instead of a graph that was recorded once")
CUDA_SYNC = Setting("MLC_CUDA_SYNC", "0", "1 waits for every launch on a GPU, so that errors name the kernel")
DUMP = Setting("MLC_DUMP", "", "print the IR to standard error: all, changed, or pass names separated by commas")
MACHINE = Setting(
    "MLC_MACHINE", "", "a machine description (a file, or a name such as xeon) to compile for instead of the host's"
)
PARALLEL = Setting(
    "MLC_PARALLEL", "pool", "who runs parallel loops: pool, openmp (if the process has loaded it) or serial"
)
POISON = Setting("MLC_POISON", "0", "1 fills the memory of a call with NaN, and checks the bytes around it afterwards")
POOL_SIZE = Setting("MLC_POOL_SIZE", "1024", "MiB that each list of freed memory may hold: arenas, results, a GPU's")
TARGET = Setting("MLC_TARGET", "cpu", "cpu or cuda: what programs are compiled for without `target=`")
THREADS = Setting("MLC_THREADS", "1", "threads of programs that are compiled without `threads=`")
TIME = Setting("MLC_TIME", "0", "1 prints the time of every pass to standard error")
TRACEBACK = Setting("MLC_TRACEBACK", "0", "1 shows the Python traceback below an error of the tools")
TUNED = Setting("MLC_TUNED", "1", "0 leaves the schedules out of account that mlc-tune has recorded")
VECTOR_BITS = Setting("MLC_VECTOR_BITS", "", "128, 256 or 512: vectors to compile for instead of the machine's")
VERIFY = Setting("MLC_VERIFY", "0", "1 verifies the IR after every pass of `mlc.jit` and `mlc.compile` too")

SETTINGS: tuple[Setting, ...] = (
    CACHE,
    CACHE_DIR,
    CACHE_SIZE,
    CRASH_DIR,
    CUDA_DEVICE,
    CUDA_GRAPHS,
    CUDA_SYNC,
    DUMP,
    MACHINE,
    PARALLEL,
    POISON,
    POOL_SIZE,
    TARGET,
    THREADS,
    TIME,
    TRACEBACK,
    TUNED,
    VECTOR_BITS,
    VERIFY,
)


def threads(given: int | None = None) -> int:
    """Threads of a program: as given, or as MLC_THREADS says."""
    text = str(given) if given is not None else THREADS.get().strip() or "1"
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise CompileError(f"threads: expected a number from 1 to 1024, found {text}")
    return int(text)


def describe() -> str:
    """The table for `--help-env`: name, value now, doc."""
    width = max(len(s.name) for s in SETTINGS)
    lines = [f"  {s.name:{width}}  {s.doc}" + (f" [now {s.get()}]" if s.name in os.environ else "") for s in SETTINGS]
    return "\n".join(["Environment variables:", *lines])
