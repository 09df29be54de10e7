"""Readable names of kernels: what they do, in order (`matmul_add_max`)."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation

from ...dialects.nd.contraction import Contract
from ...dialects.nd.movement import Transpose
from ...dialects.nd.reduction import Reduce

MOST = 5
"""Words in a name; of longer kernels the middle is left out."""


def word(op: Operation) -> str:
    """What one op is called."""
    match op:
        case Contract():
            m = op.dims
            if any(i.name is None for dims in m.operands for i in dims):
                return "conv"
            return "matmul" if len(m.operands) == 2 and m.reduced() else "contract"
        case Reduce():
            return op.kind.data.name
        case Transpose():
            return "copy"
        case _:
            return op.name.removeprefix("nd.")


def kernel_name(ops: Sequence[Operation]) -> str:
    words = [word(op) for op in ops]
    words = [w for k, w in enumerate(words) if k == 0 or words[k - 1] != w]
    if len(words) > MOST:
        words = [*words[: MOST - 2], *words[-2:]]
    return "_".join(words)
