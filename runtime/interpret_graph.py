"""The graph level in the interpreter: a kernel runs its region, a launch its function.

A launch of a function that writes into buffers (below the loop level) gets new ones, filled with poison, so that what a
kernel leaves out shows in the numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from xdsl.ir import Attribute, Operation

from ..dialects.graph.ops import KernelOp, LaunchOp
from ..dialects.nd.types import NUMPY, element, shape_of
from .interpreter import Frame, handles


def poisoned(frame: Frame, t: Attribute) -> np.ndarray[Any, Any]:
    """A new array of a result's type: NaN, or the least integer; truth values as bytes."""
    dtype = NUMPY[element(t)]
    dims = [frame.size(d) for d in shape_of(t)]
    if dtype.kind == "b":
        return np.zeros(dims, np.int8)
    return np.full(dims, np.nan if dtype.kind == "f" else np.iinfo(dtype).min, dtype)


@handles("graph.kernel")
def _kernel(frame: Frame, op: Operation) -> None:
    assert isinstance(op, KernelOp)
    inner = Frame(frame.interpreter, frame.symbols)
    frame.set(op, inner.run(op.body.block, frame.get(op.args)))


@handles("graph.launch")
def _launch(frame: Frame, op: Operation) -> None:
    assert isinstance(op, LaunchOp)
    callee = frame.interpreter.function(op.kernel)
    args = frame.get(op.args)
    if callee.function_type.outputs.data:
        frame.set(op, frame.interpreter.run(callee, args, frame.symbols))
        return
    outs = [poisoned(frame, r.type) for r in op.results]
    frame.interpreter.run(
        callee, [*(a.view(np.int8) if a.dtype == np.bool_ else a for a in args), *outs], frame.symbols
    )
    arrays = zip(outs, op.results)
    frame.set(
        op, [(a != 0) if element(r.type) in NUMPY and NUMPY[element(r.type)].kind == "b" else a for a, r in arrays]
    )
