"""The graph level in the interpreter: a kernel runs its region, a launch its function.

After `graph-plan` results live where the plan puts them, in one arena per call, so that a plan which puts a value over
one that is still needed shows in the numbers. A launch of a function that writes into buffers (below the loop level)
gets these buffers themselves; what it does not read first is filled with poison, so that what a kernel leaves out shows
too. Buffers of arguments are copies: the caller's arrays are never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation

from ..dialects.graph.ops import ARENA, CopyOp, KernelOp, LaunchOp, PrepareOp
from ..dialects.graph.place import Place, SizeAttr
from ..dialects.nd.selection import limits
from ..dialects.nd.types import NUMPY, dtype_of, element, kind_of, of_numpy, shape_of, stored
from .interpreter import Frame, handles

Array = np.ndarray[Any, np.dtype[Any]]


def poison(array: Array) -> None:
    """Fill with NaN, or the least integer."""
    kind = kind_of(array.dtype)
    array[...] = False if kind == "b" else np.nan if kind == "f" else limits(of_numpy(array.dtype))[0]


def buffer(frame: Frame, t: Attribute, place: Place | None, op: Operation) -> Array:
    """The memory of a result of `op`: new, or where the plan puts it."""
    dtype, dims = NUMPY[element(t)], [frame.size(d) for d in shape_of(t)]
    if place is None:
        return np.empty(dims, dtype)
    count = dtype.itemsize * int(np.prod(dims, dtype=np.int64))
    memory, start = _memory(frame, place, count, op)
    return memory[start : start + count].view(dtype).reshape(dims)


def _memory(frame: Frame, place: Place, count: int, op: Operation) -> tuple[Array, int]:
    """The bytes that a place lies in, and where it begins in them."""
    key = place.base if place.base == "arena" else (place.base, place.number)
    start = frame.size(place.number if place.base == "arena" else place.at)
    if key not in frame.memory:
        main = op.parent_op()
        while not isinstance(main, FuncOp):
            assert main is not None
            main = main.parent_op()
        if place.base == "arena":
            size = main.attributes[ARENA]
            assert isinstance(size, SizeAttr)
            frame.memory[key] = np.zeros(frame.size(size.data), np.uint8)
        elif place.base == "argument":
            assert isinstance(place.number, int)
            argument = main.body.block.args[place.number]
            copy = np.array(frame[argument], order="C")
            frame[argument] = copy
            frame.memory[key] = copy.reshape(-1).view(np.uint8)
        else:
            frame.memory[key] = np.zeros(count, np.uint8)
    return frame.memory[key], start


@handles("graph.kernel")
def _kernel(frame: Frame, op: Operation) -> None:
    assert isinstance(op, KernelOp)
    inner = Frame(frame.interpreter, frame.symbols)
    frame.set(op, inner.run(op.body.block, frame.get(op.args)))


@handles("graph.launch")
def _launch(frame: Frame, op: Operation) -> None:
    assert isinstance(op, LaunchOp)
    places = [p.data for p in op.places] if op.places is not None else [None] * len(op.results)
    _call(frame, op, [buffer(frame, r.type, p, op) for r, p in zip(op.results, places, strict=True)])


@handles("graph.prepare")
def _prepare(frame: Frame, op: Operation) -> None:
    assert isinstance(op, PrepareOp)
    _call(frame, op, [buffer(frame, op.result.type, None, op)])


def _call(frame: Frame, op: LaunchOp | PrepareOp, results: list[Array]) -> None:
    callee = frame.interpreter.function(op.kernel)
    args = frame.get(op.args)
    if callee.function_type.outputs.data:
        args = [_stored(a, t) for a, t in zip(args, callee.function_type.inputs.data, strict=True)]
        for result, value in zip(results, frame.interpreter.run(callee, args, frame.symbols), strict=True):
            result[...] = np.asarray(value).view(result.dtype)
    else:
        for result in results:
            if not any(np.may_share_memory(result, a) for a in args):
                poison(result)
        frame.interpreter.run(callee, _as_bytes([*args, *results]), frame.symbols)
    frame.set(op, results)


@handles("graph.copy")
def _copy(frame: Frame, op: Operation) -> None:
    assert isinstance(op, CopyOp)
    result = buffer(frame, op.result.type, op.place, op)
    result[...] = frame[op.x]
    frame.set(op, [result])


def _as_bytes(arrays: Sequence[Array]) -> list[Array]:
    """Arrays as kernels of the vector level see them: truth values are bytes, too."""
    return [a.view(np.int8) if a.dtype == np.bool_ else a.view(NUMPY[stored(dtype_of(a))]) for a in arrays]


def _stored(a: Array, t: Attribute) -> Array:
    """An array as a kernel of the loop level sees it."""
    return a if NUMPY[element(t)] == a.dtype else a.view(NUMPY[element(t)])
