"""StableHLO, CHLO and quantised types to `nd`: what a program of JAX enters by.

    func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {      func.func public @main(%x: tensor<4xf32>) -> ... {
      %0 = stablehlo.exponential %x : tensor<4xf32>               ->    %0 = nd.exp %x : tensor<4xf32>
      return %0 : tensor<4xf32>                                         func.return %0 : tensor<4xf32>
    }                                                                 }

Every op has a converter in `table.py` or a reason of refusal, which becomes an error at the op. Regions that read
values from outside become closed ones with arguments. Functions and calls stay; functions that no public one calls go.
A `?` of an argument is a new symbol, which other dimensions are found equal to. Places and names are handed on; layouts
and spaces of arguments stay as they are. Calls with `has_side_effect` are refused, the shardings of
`sdy` dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

DIALECTS = ("stablehlo.", "chlo.", "sdy.")


def has_source_ops(module: ModuleOp) -> bool:
    """Does any function hold an op of these dialects?"""
    work: list[Block] = [b for r in module.regions for b in r.blocks]
    while work:
        for op in work.pop().ops:
            if op.name.startswith(DIALECTS):
                return True
            if op.regions:
                work += [b for r in op.regions for b in r.blocks]
    return False


def stablehlo_to_nd(module: ModuleOp) -> None:
    """Convert every function that a public one reaches; nothing, and nothing loaded, for a module without such ops."""
    if has_source_ops(module):
        from .conversion import Conversion

        Conversion(module).run()


@dataclass(frozen=True)
class StablehloToNd(ModulePass):
    """Convert StableHLO, CHLO and quantised arithmetic to nd.

    %1 = stablehlo.compare LT, %x, %y, FLOAT : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
    %1 = nd.compare lt %x, %y : tensor<4xf32> -> tensor<4xi1>                                     after
    """

    name = "stablehlo-to-nd"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        stablehlo_to_nd(op)
