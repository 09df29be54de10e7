"""`mlc.eager()`: every operation at once, through its reference, so that print and a debugger work inside a model.

    with mlc.eager():
        print(model(parameters, x))        # values, line by line

Programs run unchanged: arguments may be NumPy arrays, functions of `mlc.jit` run as they are written, and gradients are
traced, transformed and then computed op by op. Values are kept until the block ends.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd import array
from ...dialects.nd.op import NdOp, building
from . import locations as _locations  # names the user's frame in errors

assert _locations

Values = dict[SSAValue, np.ndarray[Any, Any]]


class _Active(threading.local):
    """What this thread's open blocks have computed, the innermost last."""

    def __init__(self) -> None:
        self.values: list[Values] = []


_active = _Active()


def active() -> bool:
    """Are operations computed at once?"""
    return bool(_active.values)


def _evaluate(op: Operation) -> None:
    values = _active.values[-1]
    if not isinstance(op, NdOp):
        _interpret(op, values)
        return
    with np.errstate(all="ignore"):
        values[op.results[0]] = np.asarray(op.reference(*(values[v] for v in op.operands)))


def _interpret(op: Operation, values: Values) -> None:
    """Control flow that a transform emitted, and effects."""
    from ...dialects.nd.control import CONTROL
    from ...dialects.nd.effects import EFFECTS
    from ...runtime.interpreter import Frame, Interpreter, handler_of

    if not isinstance(op, (*CONTROL, *EFFECTS)):
        raise CompileError(f"eager: expected an op of the nd dialect, found {op.name}", op.location)
    frame = Frame(Interpreter(ModuleOp([])), {})
    frame.values.update({v: values[v] for v in op.operands})
    handler_of(op)(frame, op)
    values.update({r: np.asarray(frame[r]) for r in op.results})


def _find(value: SSAValue) -> np.ndarray[Any, Any] | None:
    return next((values[value] for values in reversed(_active.values) if value in values), None)


array.concrete[0] = _find


@contextmanager
def eager() -> Generator[None]:
    """Compute every operation of the block at once."""
    active = _active.values
    active.append({} if not active else dict(active[-1]))
    try:
        with building(Block(), evaluate=_evaluate):
            yield
    finally:
        active.pop()
