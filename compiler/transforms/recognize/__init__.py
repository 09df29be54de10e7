"""The pass `recognize`: what a text spells out becomes the op of `nd` that has the name.

One module per family, `views.py` and `polynomials.py` for how patterns look at values. Every rule starts at an op that
is rare in programs without the form (an exponential, a root, erf, tanh), so that these cost one look each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.passes import ModulePass

from ....dialects.errors import CompileError
from ..rewriting import LEVELS, Rewrite, Rules, blocks, by_class, functions, rewrite
from ..simplify import composite
from . import activation, attention, normalization, softmax

FAMILIES = (activation, normalization, softmax, attention, composite)
"""With the rules of composites, which a form may have hidden."""
REWRITES: tuple[Rewrite, ...] = tuple(r for family in FAMILIES for r in family.rules.rewrites)


@cache
def rules(numerics: str = "ieee") -> Rules:
    """The forms that are recognised at a numerics level, by the class of op that they start from."""
    if numerics not in LEVELS:
        raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {numerics}")
    return by_class(REWRITES, numerics)


def recognize(block: Block, numerics: str = "ieee") -> int:
    """Recognise what a block spells out; returns the number of rewrites."""
    return rewrite(block, rules(numerics))


@dataclass(frozen=True)
class Recognize(ModulePass):
    """Recognise spelled-out softmax, normalisations, activations and attention.

        %0 = nd.neg %x : tensor<8xf32>
        %1 = nd.exp %0 : tensor<8xf32>
        %2 = nd.constant 1.0 : tensor<8xf32>        ->      %4 = nd.silu %x : tensor<8xf32>
        %3 = nd.add %2, %1 : tensor<8xf32>
        %4 = nd.div %x, %3 : tensor<8xf32>

    Works on programs in normal form, before composites are taken apart; regions too. A form of which anything but the
    result is read elsewhere stays. Rules fire up to the level `numerics`.
    """

    name = "recognize"
    numerics: str = "ieee"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in blocks(func):
                recognize(block, self.numerics)
