"""Locks that a forked child does not inherit as somebody else's.

    LOCK = ForkLock()
    with LOCK: ...

A thread of the parent that held it does not exist in the child, where it would never be released: the child has a new
one. It is reentrant, so that a signal handler may enter what it interrupted.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ForkLock:
    __slots__ = ("lock", "process")

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lock = threading.RLock()

    def __enter__(self) -> None:
        process = os.getpid()
        if process != self.process:
            self.lock, self.process = threading.RLock(), process
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # a child that was forked inside, and entered again since
            self.lock.release()


def once(make: Callable[[], T]) -> Callable[[], T]:
    """What `make` loads into the process, once: of two, one would be freed while another thread runs in it.

    The lock is LLVM's, which loading takes anyway.
    """
    made: list[T] = []

    @functools.wraps(make)
    def get() -> T:
        if not made:
            from .jit import LOCK

            with LOCK:
                if not made:
                    made.append(make())
        return made[0]

    return get
