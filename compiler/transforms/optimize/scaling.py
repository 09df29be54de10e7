"""Scales and shifts behind a contraction: one of each, made of small values once, and the scale within the weights.

    ((conv(x, w) - m) * r) * s + b   ->   conv(x, w * k) + (b - m * k)     where k = r * s: a batch norm is gone
                                     ->   conv(x, w) * k + (b - m * k)     where scaling the weights costs more

The small values have dimensions of the weights only. A shift before a scale may cancel what it is added to; the
contraction's own error is that of its terms, which are no smaller than what is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.constant import full
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dimmap import DimMap, bare
from ....dialects.nd.elementwise import Add, Div, Mul, Neg, Sub
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.op import NdOp, bind
from ....dialects.nd.types import element, is_float, shape_of
from ..simplify.affine import from_constants
from ..simplify.patterns import splat
from .alternatives import Alternative, Alternatives, Answer
from .epilogues import MOST, line, small, spread
from .products import Product, products

rules = Alternatives("scaling")


@dataclass
class Chain:
    """What is done to each result of a contraction, in order: `kind` with a small value; `last` is what it gives."""

    steps: list[tuple[type[NdOp], SSAValue]] = field(default_factory=list[tuple[type[NdOp], SSAValue]])
    last: SSAValue | None = None

    @property
    def scales(self) -> bool:
        return any(kind in (Mul, Div) for kind, _ in self.steps)

    @property
    def differs(self) -> bool:
        """Is a scale not one number for all results? Such a number costs nothing where the results are computed."""
        return any(kind in (Mul, Div) and splat(v) is None for kind, v in self.steps)


@rules.on(Contract, level="ieee")
def fold_scale(op: Contract) -> Iterator[Alternative]:
    """f(x, w) * k + b -> f(x, w * k) + b;  also quotients, and shifts before"""
    for p in _scalable(op):
        chain = chain_of(p)
        if chain.scales and (chain.differs or from_constants(p.w)):
            yield lambda p=p, chain=chain: _folded(p, chain)


@rules.on(Contract, level="ieee")
def collapse_scales(op: Contract) -> Iterator[Alternative]:
    """((f(x, w) - m) * r) * s + b -> f(x, w) * (r * s) + (b - m * (r * s))"""
    for p in _scalable(op):
        chain = chain_of(p)
        if chain.scales and len(chain.steps) > 2:
            yield lambda p=p, chain=chain: _collapsed(p, chain)


def _scalable(op: Contract) -> Iterator[Product]:
    if is_float(element(op.result.type)) and op.result.has_one_use():
        yield from (p for p in products(op) if p.features)


def chain_of(p: Product) -> Chain:
    """The scales and shifts behind a product by values that have dimensions of its weights only."""
    chain, value = Chain(), p.op.result
    while len(chain.steps) < MOST and value.has_one_use() and (use := value.first_use) is not None:
        reader = use.operation
        if reader.parent is not p.op.parent or not isinstance(reader, Add | Sub | Mul | Div):
            break
        other = reader.operands[1 - use.index]
        if (isinstance(reader, Sub | Div) and use.index == 1) or small(p, other) is None:
            break
        chain.steps.append((type(reader), other))
        value = chain.last = reader.results[0]
    return chain


def _combined(p: Product, chain: Chain) -> tuple[Array | None, Array | None]:
    """The one scale and the one shift that a chain comes to."""
    k: Array | None = None
    b: Array | None = None
    for kind, v in chain.steps:
        value = line(p, v)
        if kind in (Mul, Div):
            k = (
                bind(kind, k if k is not None else full(1, value.type), value)
                if kind is Div or k is not None
                else value
            )
            b = bind(kind, b, value) if b is not None else None
        elif b is not None:
            b = bind(kind, b, value)
        else:
            b = bind(Neg, value) if kind is Sub else value
    return k, b


def _folded(p: Product, chain: Chain) -> Answer:
    k, b = _combined(p, chain)
    assert k is not None and chain.last is not None
    over = rearrange(k, DimMap((tuple(map(bare, p.features)),), p.w_dims), shape_of(p.w.type))
    y = p.again(Array(p.x), bind(Mul, Array(p.w), over))
    return [(chain.last, y if b is None else bind(Add, y, spread(p, b, y)))]


def _collapsed(p: Product, chain: Chain) -> Answer:
    k, b = _combined(p, chain)
    assert k is not None and chain.last is not None
    y = bind(Mul, Array(p.op.result), spread(p, k, Array(p.op.result)))
    return [(chain.last, y if b is None else bind(Add, y, spread(p, b, y)))]
