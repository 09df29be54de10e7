"""What a function is after steps that are tried on it: each step runs once on each way, however many others follow."""

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
        self.states: dict[tuple[str, ...], func.FuncOp | None] = {(): f}
        tried.begin(f)

    def after(self, steps: Sequence[str]) -> func.FuncOp | None:
        """The function after the steps, not to be changed; None if one of them does not apply."""
        steps = tuple(steps)
        if steps in self.states:
            return self.states[steps]
        at = len(steps) - 1
        while (state := self.states.get(steps[:at])) is None:
            at -= 1
        copy: func.FuncOp | None = state.clone()
        try:
            for one in steps[at:]:
                run_schedule(copy, one)
            tried.note(self.function, steps, copy)
        except CompileError:
            copy = None
        self.states[steps] = copy
        return copy
