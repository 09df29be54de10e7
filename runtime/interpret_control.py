"""Control flow and effects in the interpreter: regions run in the frame of their function, whose symbols they see."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from xdsl.ir import Block, Operation

from ..dialects.errors import CheckError
from ..dialects.nd.control import If, Scan, While, yields
from ..dialects.nd.effects import Check, Print, formatted
from ..dialects.nd.types import NUMPY, element, shape_of
from .interpreter import Frame, handles


@handles("nd.if")
def run_if(frame: Frame, op: Operation) -> None:
    assert isinstance(op, If)
    taken = op.then if frame[op.predicate] else op.orelse
    frame.set(op, frame.run(taken.block, frame.get(op.invariants)))


@handles("nd.while")
def run_while(frame: Frame, op: Operation) -> None:
    assert isinstance(op, While)
    invariants, carried = frame.get(op.invariants), frame.get(op.inits)
    while frame.run(op.condition.block, [*invariants, *carried])[0]:
        carried = frame.run(op.body.block, [*invariants, *carried])
    frame.set(op, carried)


@handles("nd.scan")
def run_scan(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Scan)
    invariants, carried, sequences = frame.get(op.invariants), frame.get(op.inits), frame.get(op.sequences)
    count, length, block = len(carried), frame.size(op.length), op.body.block
    stacks = [stack_of(frame, block, k, length) for k in range(count, len(op.results))]
    trips = range(length)
    for t in reversed(trips) if op.reverse else trips:
        out = frame.run(block, [*invariants, *carried, *(x[t] for x in sequences)])
        carried = out[:count]
        for stack, y in zip(stacks, out[count:], strict=True):
            stack[t] = y
    frame.set(op, [*carried, *stacks])


def stack_of(frame: Frame, block: Block, k: int, length: int) -> np.ndarray[Any, Any]:
    """Room for what a region yields at number k, `length` times."""
    t = yields(block)[k].type
    return np.zeros((length, *map(frame.size, shape_of(t))), NUMPY[element(t)])


@handles("nd.print")
def run_print(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Print)
    sys.stdout.write(formatted(op.text.data, frame.get(op.args)) + "\n")


@handles("nd.check")
def run_check(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Check)
    if not np.all(frame[op.predicate]):
        raise CheckError(op.message.data, op.location)
