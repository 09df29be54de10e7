"""What functions are after schedules that were tried on copies of them, so that the chosen one need not run again.

A result counts as long as its function is what it was when the trials began.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from xdsl.dialects import func

from ...fingerprint import fingerprint

States = Mapping[tuple[str, ...], func.FuncOp]
"""Functions by the steps before them."""


class Tried(NamedTuple):
    function: str
    """The fingerprint of the function."""
    states: States


_tried: WeakKeyDictionary[func.FuncOp, Tried] = WeakKeyDictionary()


def begin(f: func.FuncOp, states: States) -> None:
    """Trials begin with the function as it is now; they put what it becomes into `states`."""
    _tried[f] = Tried(fingerprint(f), states)


def take(f: func.FuncOp, schedule: str) -> bool:
    """Make the function what the schedule makes of it; False, with nothing done, if that is not known."""
    found = _tried.pop(f, None)
    states = found.states.items() if found is not None else ()
    result = next((state for steps, state in states if ",".join(steps) == schedule), None)
    if found is None or result is None or fingerprint(f) != found.function:
        return False
    block, old = result.body.block, f.body.block
    result.body.detach_block(block)
    f.body.detach_block(old)
    old.erase(safe_erase=False)
    f.body.add_block(block)
    f.properties.update(result.properties)
    return True
