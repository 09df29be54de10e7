"""Where a block is cut: windows of pure ops in program order, between ops that the search cannot look into.

Ops with regions or effects, of several results, of complex numbers, which nothing estimates before `expand-complex`, or
of other dialects end a window. Constants and resources end none: they may be read anywhere. A run that is too long is
cut where the fewest values are in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from xdsl.dialects.builtin import ComplexType
from xdsl.ir import Block, Operation

from ....dialects.nd.constant import Source
from ....dialects.nd.op import NdOp
from ....dialects.nd.types import element, is_tensor
from ..rewriting import is_pure

LARGEST = 60
"""Ops of a window."""


def windows(block: Block) -> list[list[NdOp]]:
    """The windows of two ops or more, in program order."""
    return [w for run in _runs(block) for w in _cut(run) if len(w) > 1]


def _runs(block: Block) -> Iterator[list[NdOp]]:
    run: list[NdOp] = []
    for op in block.ops:
        if isinstance(op, Source):
            continue
        if isinstance(op, NdOp) and _is_open(op):
            run.append(op)
        else:
            yield run
            run = []
    yield run


def _is_open(op: NdOp) -> bool:
    """Can rules replace it?"""
    if op.regions or len(op.results) != 1 or not is_pure(op):
        return False
    return not any(is_tensor(v.type) and isinstance(element(v.type), ComplexType) for v in (*op.results, *op.operands))


def _cut(run: Sequence[NdOp]) -> Iterator[list[NdOp]]:
    alive = _alive(run)
    start = 0
    while len(run) - start > LARGEST:
        ends = range(start + LARGEST, start + LARGEST // 2, -1)
        end = min(ends, key=alive.__getitem__)
        yield list(run[start:end])
        start = end
    yield list(run[start:])


def _alive(run: Sequence[NdOp]) -> list[int]:
    """Before each op of a run, how many of its values are read from there on."""
    at: dict[Operation, int] = {op: k for k, op in enumerate(run)}
    change = [0] * (len(run) + 2)
    for k, op in enumerate(run):
        last = max((at.get(use.operation, len(run)) for use in op.results[0].uses), default=k)
        change[k + 1] += 1
        change[last + 1] -= 1
    return list(accumulate(change))
