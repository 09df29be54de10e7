"""Control flow and effects in the interpreter: regions run in the frame of their function, whose symbols they see."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from xdsl.ir import Operation

from ..dialects.errors import CheckError
from ..dialects.graph.regions import counter_name, places_of
from ..dialects.nd.checkpoint import Checkpoint
from ..dialects.nd.complex_boundary import PRINTED, numbered, of_parts
from ..dialects.nd.control import If, Scan, While, yields
from ..dialects.nd.effects import Check, Print, formatted
from ..dialects.nd.types import NUMPY, element, shape_of
from .interpreter import Frame, handles


@handles("nd.if")
def run_if(frame: Frame, op: Operation) -> None:
    assert isinstance(op, If)
    taken = op.then if frame[op.predicate] else op.orelse
    frame.set(op, frame.run(taken.block, frame.get(op.invariants)))


@handles("nd.checkpoint")
def run_checkpoint(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Checkpoint)
    frame.set(op, frame.run(op.body.block, frame.get(op.args)))


@handles("nd.while")
def run_while(frame: Frame, op: Operation) -> None:
    assert isinstance(op, While)
    invariants, carried = frame.get(op.invariants), frame.get(op.inits)
    count_trip(frame, op, 0)
    while frame.run(op.condition.block, [*invariants, *carried])[0]:
        carried = frame.run(op.body.block, [*invariants, *carried])
        count_trip(frame, op, frame.symbols[counter_name(op)] + 1)
    frame.set(op, carried)


@handles("nd.scan")
def run_scan(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Scan)
    invariants, carried, sequences = frame.get(op.invariants), frame.get(op.inits), frame.get(op.sequences)
    count, length, block = len(carried), frame.size(op.length), op.body.block
    stacks = [stack_of(frame, op, k, length) for k in range(count, len(op.results))]
    count_trip(frame, op, 0)
    for trip in range(length):
        t = length - 1 - trip if op.reverse else trip
        out = frame.run(block, [*invariants, *carried, *(x[t] for x in sequences)])
        carried = out[:count]
        for stack, y in zip(stacks, out[count:], strict=True):
            stack[t] = y
        count_trip(frame, op, trip + 1)
    frame.set(op, [*carried, *stacks])


def count_trip(frame: Frame, op: Operation, trip: int) -> None:
    """Places of the memory plan may name the counter of a loop."""
    frame.symbols[counter_name(op)] = trip


def stack_of(frame: Frame, op: Scan, k: int, length: int) -> np.ndarray[Any, Any]:
    """Room for what a region yields at number k, `length` times: where the plan puts it, if there is one."""
    if (places := places_of(op)) is not None:
        from .interpret_graph import buffer

        return buffer(frame, op.results[k].type, places[k], op)
    t = yields(op.body.block)[k].type
    return np.zeros((length, *map(frame.size, shape_of(t))), NUMPY[element(t)])


@handles("nd.print")
def run_print(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Print)
    pairs = numbered(op, PRINTED)
    values = [of_parts(x) if k in pairs else x for k, x in enumerate(frame.get(op.args))]
    sys.stdout.write(formatted(op.text.data, values) + "\n")


@handles("nd.check")
def run_check(frame: Frame, op: Operation) -> None:
    assert isinstance(op, Check)
    if not np.all(frame[op.predicate]):
        raise CheckError(op.message.data, op.location)
