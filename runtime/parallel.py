"""Threads for programs that are compiled for several: who runs a parallel loop, and where `mlc_parallel` is.

MLC_PARALLEL chooses: `pool` (the default), threads of our own; `openmp`, the team of the OpenMP library that is loaded
in the process, or the pool if there is none; `serial`. Where there are no futexes all are serial.

There is one pool for each number of threads, made by the first call that needs it, and again in a forked child; its
threads block all signals, end at exit, and never run Python. Of several calls at the same time one has the pool, the
others run serially: each has a thread already.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import time
from typing import Any

from . import pool
from .locks import ForkLock, once

SYMBOL = "mlc_parallel"
KINDS = ("pool", "openmp", "serial")
LINE = 64
STOP_SECONDS = 0.5
OPENMP = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")

_lock = ForkLock()
_pools: dict[tuple[str, int], int] = {}
"""Addresses of pools, 0 for serial."""
_memory: list[Any] = []
"""What the pools lie in: a thread that exits late may still look at it."""


def kind() -> str:
    """MLC_PARALLEL, as far as this machine goes."""
    given = os.environ.get("MLC_PARALLEL", "").strip().lower()
    return given if given in KINDS and pool.supported() else "pool" if pool.supported() else "serial"


@once
def library() -> Any:
    """The code of the pools, loaded once in the process."""
    from . import jit

    return jit.Linked([jit.stored_object(pool.text())])


def address() -> int:
    """Where `mlc_parallel` is."""
    return library().address(SYMBOL)


def pool_of(how: str, threads: int) -> int | None:
    """The pool for `mlc_context`; None: serial."""
    try:
        return _pools[how, threads] or None
    except KeyError:
        pass
    with _lock:
        if (how, threads) not in _pools:
            _pools[how, threads] = _make(how, threads)
    return _pools[how, threads] or None


def _make(how: str, threads: int) -> int:
    if threads < 2 or how == "serial" or not pool.supported():
        return 0
    memory = ctypes.create_string_buffer(pool.size_of(threads) + LINE)
    _memory.append(memory)
    at = -(-ctypes.addressof(memory) // LINE) * LINE
    found = openmp() if how == "openmp" else None
    if found is not None:
        words = (ctypes.c_int64 * 5).from_address(at)
        words[:] = (library().address("mlc_openmp_run"), threads, *found)
        return at
    start = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(library().address("mlc_pool_start"))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        start(at, threads)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return at


def openmp() -> tuple[int, int, int] | None:
    """The functions of the OpenMP library that the process has loaded, if it has."""
    for path in (None, *_loaded()):
        with contextlib.suppress(OSError, AttributeError):
            found = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW) if path else ctypes.CDLL(None)
            at = [ctypes.cast(getattr(found, name), ctypes.c_void_p).value or 0 for name in OPENMP]
            return at[0], at[1], at[2]
    return None


def _loaded() -> list[str]:
    """Files of OpenMP libraries that are mapped into the process."""
    try:
        with open("/proc/self/maps") as file:
            paths = [line.split(maxsplit=5)[-1].strip() for line in file if "omp" in line]
    except OSError:
        return []
    named = [p for p in dict.fromkeys(paths) if os.path.basename(p).startswith(("libgomp", "libomp", "libiomp"))]
    return [p for p in named if ".so" in p]


def stop() -> None:
    """End the threads of all pools; those that are at work for half a second longer end with the process."""
    with _lock:
        pools = [at for (how, _), at in _pools.items() if at and how == "pool"]
        _pools.clear()
    if not pools:
        return
    end = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(library().address("mlc_pool_stop"))
    last = time.monotonic() + STOP_SECONDS
    for at in pools:
        while not end(at) and time.monotonic() < last:
            time.sleep(0.001)


def _after_fork() -> None:
    """The child has none of the threads."""
    _pools.clear()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(stop)
