"""Evaluate ops whose operands are constants, through each op's own `reference`, so folding and running cannot disagree.

    %0 = nd.constant [1.0, 2.0] : tensor<2xf32>
    %1 = nd.constant 3.0 : tensor<2xf32>            ->    %0 = nd.constant [3.0, 6.0] : tensor<2xf32>
    %2 = nd.mul %0, %1 : tensor<2xf32>

Constants never explode: a value that is the same everywhere stays one number, whatever the shape, and a dense result
may have at most `max_bytes`, and no more than its dense operands have unless it is small. Folding goes into regions;
control flow and effects are not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.passes import ModulePass

from ...dialects.nd import dialect as _dialect  # fills OPS
from ...dialects.nd.array import Array
from ...dialects.nd.constant import Constant, Source, constant, full
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.op import OPS, NdOp
from ...dialects.nd.reduction import Reducing
from ...dialects.nd.resource import FOLDED as MAX_BYTES
from ...dialects.nd.resource import is_bound
from ...dialects.nd.types import NUMPY, element, shape_of
from .rewriting import Rewrite, blocks, by_class, functions, rewrite
from .simplify.movement import ELEMENTWISE
from .simplify.patterns import is_constant, splat

assert _dialect
SMALL = 1024
"""Bytes up to which a dense result may be larger than its operands."""


def fold_splat(op: NdOp) -> Array | None:
    """f(c, d) -> f(c, d) where c and d have one value for all elements."""
    for v in op.operands:
        if type(v.owner) is not Constant:
            return None
    values = [splat(v) for v in op.operands]
    if None in values or element(op.type) not in NUMPY:
        return None
    arrays = [np.asarray(x, NUMPY[element(v.type)]) for x, v in zip(values, op.operands, strict=True)]
    return full(np.asarray(_run(op, arrays)).item(), op.type)


def fold_dense(op: NdOp, max_bytes: int) -> Array | None:
    """f(c, d) -> its value, if that is small or no larger than c and d."""
    if not op.operands or not all(map(_known, op.operands)) or element(op.type) not in NUMPY:
        return None
    sizes = [_bytes(op.type), *(_bytes(v.type) for v in op.operands)]
    if any(n is None or n > max_bytes for n in sizes):
        return None
    stored = [isinstance(v.owner, Source) and splat(v) is None for v in op.operands]
    dense = sum(n or 0 for n, here in zip(sizes[1:], stored, strict=True) if here)
    if (sizes[0] or 0) > max(SMALL, dense):
        return None
    return constant(np.asarray(_run(op, [_value(v) for v in op.operands])))


def _run(op: NdOp, args: list[Any]) -> Any:
    with np.errstate(all="ignore"):
        return op.reference(*args)


def _known(v: SSAValue) -> bool:
    """A constant whose data are here, or one that is replicated."""
    owner = v.owner
    return is_constant(v) or is_bound(owner) or (isinstance(owner, Broadcast) and _known(owner.x))


def _value(v: SSAValue) -> Any:
    owner = v.owner
    if isinstance(owner, Broadcast):
        return owner.reference(_value(owner.x))
    assert isinstance(owner, Source)
    return owner.reference()


def _bytes(t: Attribute) -> int | None:
    """The bytes of a value of this type; None where a size is symbolic."""
    shape = [d for d in shape_of(t) if isinstance(d, int)]
    return prod(shape) * NUMPY[element(t)].itemsize if len(shape) == len(shape_of(t)) else None


def splat_rules() -> list[Rewrite]:
    """Folding of constants with one value, which costs nothing at any size."""
    return [Rewrite("fold_splat", ELEMENTWISE, "exact", fold_splat, "fold")]


def shrinking_rules() -> list[Rewrite]:
    """Folding of reductions, whose result is smaller than the constant that it replaces."""
    ops = tuple(c for c in OPS.values() if issubclass(c, Reducing))
    return [Rewrite("fold_reduction", ops, "exact", partial(fold_dense, max_bytes=MAX_BYTES), "fold")]


def fold_rules(max_bytes: int) -> list[Rewrite]:
    """Folding of constants with one value, and of anything small."""
    ops = tuple(c for c in OPS.values() if not issubclass(c, Source))
    return [*splat_rules(), Rewrite("fold_dense", ops, "exact", partial(fold_dense, max_bytes=max_bytes), "fold")]


FOLDS = (*fold_rules(MAX_BYTES), *shrinking_rules())
"""Every fold, for lists of rules."""


def fold_constants(block: Block, max_bytes: int = MAX_BYTES) -> int:
    """Fold in a block to a fixed point; returns the number of ops folded."""
    return rewrite(block, by_class(fold_rules(max_bytes)))


@dataclass(frozen=True)
class FoldConstants(ModulePass):
    """Evaluate ops on constants."""

    name = "fold-constants"
    max_bytes: int = MAX_BYTES

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for func in functions(op):
            for block in blocks(func):
                fold_constants(block, self.max_bytes)
