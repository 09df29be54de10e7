"""A launch of a thread for each element of each line: what sorts and scans are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from ..dialects.nd.dims import Dim
from .launches import SPREAD_BITS

if TYPE_CHECKING:
    from .loop_control import Kernel

BELOW = 2


def elements(
    kernel: Kernel,
    lines: Dim,
    length: Dim,
    body: Callable[[SSAValue, SSAValue], None],
    where: SSAValue | None = None,
) -> None:
    """Run the body for each line and each of its places; `where`: or for none."""
    size, total = 1 << SPREAD_BITS, lines * length
    count, grid, n = kernel.dim(total), kernel.dim((total + (size - 1)) // size), kernel.dim(length)
    if where is not None:
        operands = [where, grid, kernel.number(0)]
        grid = kernel.emit(arith.SelectOp.create(operands=operands, result_types=[grid.type]))
    with kernel.launching(grid, SPREAD_BITS) as launch:
        number = kernel.in_grid(launch)

        def one() -> None:
            row, k = kernel.number(0), number
            if lines != 1:
                row = kernel.index_op(arith.DivUIOp, number, n, head=False)
                k = kernel.index_op(arith.RemUIOp, number, n, head=False)
            body(row, k)

        kernel.guarded([kernel.compared(BELOW, number, count)], one)
