"""winograd: convolutions of three taps with stride 1 by fewer products, at the numerics level `fast`.

    %0 = nd.contract %x, %w "n c h+k-1 w+l-1, f c k l -> n f h w"
becomes
    %1 = nd.pad (nd.transpose %x "a b c d -> a c d b") ...
    %2 = nd.contract %B, %1 "u i, n 4*p+i q c -> u n p q c"
    %3 = nd.contract %B, %2 "v j, u n p 4*q+j c -> u v n p q c"
    %4 = nd.contract %G, %w "u k, f c k l -> u l c f"
    %5 = nd.contract %G, %4 "v l, u l c f -> u v c f"
    %6 = nd.contract %3, %5 "u v n p q c, u v c f -> u v n p q f"
    %7 = nd.contract %A, %6 "b v, u v n p q f -> u n p q b f"
    %8 = nd.contract %A, %7 "a u, u n p q b f -> n f p a q b"
    %0 = nd.reshape %8

as in Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308. F(4, 3) multiplies 4 times
less in two dimensions, F(2, 3) 2.25 times; the estimated time on `machine` (a description; else the host) chooses one
of them or leaves the contraction as it is (`cost.py`); `tile=4` and `tile=2` do not ask.

The transforms multiply rounding errors (`error.py`), and an infinity or NaN reaches all results of its tiles, so that
nothing happens below the level `fast`. Regions are rewritten, too. Sizes known at run time only may be those of the
batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract
from ...machine import Machine
from ..rewriting import LEVELS, Rewrite, blocks, by_class, functions, rewrite
from .cost import cheapest
from .expansion import expanded
from .matching import convolution
from .matrices import ALGORITHMS


def by_tiles(tile: int = 0, machine: Machine | None = None) -> Rewrite:
    """With tiles of this size; 0: of the cheapest size on a machine, if any is cheaper."""

    def apply(op: Any) -> Array | None:  # conv(x, w) -> A ((G w G') * (B x B')) A'
        if (c := convolution(op)) is None:
            return None
        by = ALGORITHMS.get(tile) or cheapest(c, machine or Machine.host())
        return None if by is None else expanded(c, by)

    return Rewrite("winograd", (Contract,), "fast", apply, "winograd")


REWRITES = (by_tiles(),)


@dataclass(frozen=True)
class Winograd(ModulePass):
    """Convolutions of three taps by fewer products."""

    name = "winograd"
    numerics: str = "fast"
    tile: int = 0
    machine: str = ""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.tile and self.tile not in ALGORITHMS:
            raise CompileError(f"winograd: expected a tile of {' or '.join(map(str, ALGORITHMS))}, found {self.tile}")
        if self.numerics not in LEVELS:
            raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {self.numerics}")
        if self.numerics != "fast":
            return
        machine = Machine.load(self.machine) if self.machine else Machine.host()
        rules = by_class([by_tiles(self.tile, machine)])
        for f in functions(op):
            for block in blocks(f):
                rewrite(block, rules)
