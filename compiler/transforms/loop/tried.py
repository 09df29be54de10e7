"""What functions are after schedules that were tried on copies of them, so that the chosen one need not run again.

A result counts as long as its function is what it was when the trials began.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from xdsl.dialects import func

from ...fingerprint import fingerprint


class Tried:
    """Results by the text of the schedule, for one function."""

    def __init__(self, f: func.FuncOp) -> None:
        self.function, self.results = fingerprint(f), dict[str, func.FuncOp]()


_tried: WeakKeyDictionary[func.FuncOp, Tried] = WeakKeyDictionary()


def begin(f: func.FuncOp) -> None:
    """Trials begin with the function as it is now."""
    _tried[f] = Tried(f)


def note(f: func.FuncOp, steps: Sequence[str], result: func.FuncOp) -> None:
    """The steps make `result` of the function."""
    _tried[f].results[",".join(steps)] = result


def take(f: func.FuncOp, schedule: str) -> bool:
    """Make the function what the schedule makes of it; False, with nothing done, if that is not known."""
    found = _tried.pop(f, None)
    result = found.results.get(schedule) if found is not None else None
    if found is None or result is None or fingerprint(f) != found.function:
        return False
    block, old = result.body.block, f.body.block
    result.body.detach_block(block)
    f.body.detach_block(old)
    old.erase(safe_erase=False)
    f.body.add_block(block)
    f.properties.update(result.properties)
    return True
