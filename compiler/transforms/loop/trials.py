"""What a function is after steps that are tried on it.

Steps behind others run on what those have made, which is gone then; it is made again if other steps are tried there.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import func

from ....dialects.errors import CompileError
from . import tried
from .apply_schedule import run_schedule


class Trials:
    """States of one function, which stays as it is, by the steps before them."""

    def __init__(self, f: func.FuncOp) -> None:
        self.function = f
        self.states: dict[tuple[str, ...], func.FuncOp] = {}
        self.refused: set[tuple[str, ...]] = set()
        tried.begin(f, self.states)

    def after(self, steps: Sequence[str]) -> func.FuncOp | None:
        """The function after the steps, not to be changed, until more are tried; None if one of them does not apply."""
        steps = tuple(steps)
        if not steps:
            return self.function
        if steps in self.states or steps in self.refused:
            return self.states.get(steps)
        done = max((n for n in range(1, len(steps)) if steps[:n] in self.states), default=0)
        state = self.states.pop(steps[:done]) if done else self.function.clone()
        try:
            for one in steps[done:]:
                run_schedule(state, one)
        except CompileError:
            self.refused.add(steps)
            return None
        self.states[steps] = state
        return state
