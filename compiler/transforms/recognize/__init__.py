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
from ..rewriting import LEVELS, Rules, Table, blocks, by_class, functions, rewrite
from ..simplify import composite
from . import activation, attention, normalization, softmax

FAMILIES: dict[str, Table] = {
    "activation": activation.rules,
    "normalization": normalization.rules,
    "softmax": softmax.rules,
    "attention": attention.rules,
}
STABLE: dict[str, Table] = {"activation": activation.stable, "normalization": normalization.stable}
REWRITES = tuple(r for table in (*FAMILIES.values(), *STABLE.values()) for r in table.rewrites)
"""Every rule, for lists of rules."""


@cache
def rules(numerics: str = "ieee", stable: bool = False, families: tuple[str, ...] = ()) -> Rules:
    """The forms that are recognised at a numerics level, by the class of op that they start from.

    With the rules of `canonicalize` on composites, which a form may have hidden.
    """
    if numerics not in LEVELS:
        raise CompileError(f"expected numerics to be one of {', '.join(LEVELS)}, found {numerics}")
    for name in families:
        if name not in FAMILIES:
            raise CompileError(f"recognize: expected families of {', '.join(FAMILIES)}, found {name}")
    tables = [t[name] for t in (FAMILIES, STABLE if stable else {}) for name in families or FAMILIES if name in t]
    return by_class([r for table in (*tables, composite.rules) for r in table.rewrites], numerics)


def recognize(block: Block, numerics: str = "ieee", stable: bool = False, families: tuple[str, ...] = ()) -> int:
    """Recognise what a block spells out; returns the number of rewrites."""
    return rewrite(block, rules(numerics, stable, families))


@dataclass(frozen=True)
class Recognize(ModulePass):
    """Recognise spelled-out softmax, normalisations, activations and attention.

        %0 = nd.reduce max %x "a b -> a" : ...
        %1 = nd.broadcast %0 "a -> a b" : ...
        %2 = nd.sub %x, %1 : tensor<4x8xf32>
        %3 = nd.exp %2 : tensor<4x8xf32>            ->      %6 = nd.softmax %x : tensor<4x8xf32>
        %4 = nd.reduce sum %3 "a b -> a" : ...
        %5 = nd.broadcast %4 "a -> a b" : ...
        %6 = nd.div %3, %5 : tensor<4x8xf32>

    Works on programs in normal form, before composites are taken apart; regions too. A form of which anything but the
    result is read elsewhere stays. Rules fire up to the level `numerics`. With `stable`, also forms that are faster
    than the op, and less exact: sigmoid, silu and softplus that may overflow, variances as differences. `families`
    names some of activation, normalization, softmax and attention.
    """

    name = "recognize"
    numerics: str = "ieee"
    stable: bool = False
    families: tuple[str, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in blocks(func):
                recognize(block, self.numerics, self.stable, self.families)
