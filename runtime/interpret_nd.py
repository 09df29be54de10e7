"""The tensor level in the interpreter: every op runs its own reference."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Operation

from ..dialects.nd.dialect import Nd
from ..dialects.nd.op import NdOp, sizes
from . import interpret_control as _control  # its handlers
from .interpreter import HANDLERS, Frame

assert _control


def run(frame: Frame, op: Operation) -> None:
    assert isinstance(op, NdOp)
    with sizes(frame.symbols):
        frame.set(op, [np.asarray(op.reference(*frame.get(op.operands)))])


HANDLERS.update({op.name: run for op in Nd.operations if issubclass(op, NdOp)})
