"""Python's collector of cycles runs seldom while programs are worked on.

IR is one web of cycles that stays alive: a collection walks all of it and frees next to nothing, and the usual
thresholds, made for small heaps, spend a third of the compile time on that. Ops that passes erase are still collected.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

from ..runtime.locks import ForkLock

THRESHOLDS = (500_000, 20, 20)
"""New containers until a young collection, young ones until a middle one, middle ones until a full one."""

_lock = ForkLock()
_inside = 0
_usual = gc.get_threshold()


@contextmanager
def seldom() -> Generator[None]:
    """Within, in any thread, collections are seldom; also a decorator.

    The thresholds that the first to enter finds are restored by the last to leave; a child that was forked in between
    keeps the rare ones. A collector that the user has turned off, or made rarer, stays as it is.
    """
    global _inside, _usual
    with _lock:
        if not _inside:
            _usual = gc.get_threshold()
            if 0 < _usual[0] < THRESHOLDS[0]:
                gc.set_threshold(*THRESHOLDS)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_usual)
