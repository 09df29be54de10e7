"""The measure of a rule's side, which falls with every use of a `simplify` rule: (work, work behind sums).

Work adds a weight for each op, roughly its cost on equal shapes. Where two sides do the same work, the second number
decides: how many sums stand in front of each elementwise op, so that moving a scale from the result of a convolution to
its weights, which may be constant, goes one way only.
"""

from __future__ import annotations

from xdsl.ir import Block, Operation, SSAValue

from ..nd.composite import Composite
from ..nd.constant import Source
from ..nd.contraction import Contract
from ..nd.elementwise import Elementwise
from ..nd.reduction import Reduce

WEIGHTS: tuple[tuple[type[Operation], int], ...] = (
    (Source, 0),
    (Contract, 16),
    (Composite, 8),
    (Reduce, 8),
    (Elementwise, 4),
)
"""The first that fits counts; whatever moves elements weighs 1."""


def weight(op: Operation) -> int:
    return next((w for kind, w in WEIGHTS if isinstance(op, kind)), 1)


def measure(block: Block) -> tuple[int, int]:
    work = behind = 0
    sums: dict[SSAValue, frozenset[Operation]] = {}
    for op in block.ops:
        if op is block.last_op:
            continue
        before = frozenset(s for v in op.operands for s in sums.get(v, ()))
        work += weight(op)
        if isinstance(op, Elementwise):
            behind += len(before)
        for r in op.results:
            sums[r] = before | {op} if isinstance(op, Contract | Reduce) else before
    return work, behind
