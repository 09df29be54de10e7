"""Small values behind a contraction, and what two contractions have in common behind them.

    %0 = nd.contract %x, %u ..        %2 = nd.contract %x, %v ..
    %1 = nd.add %0, %a (replicated)   %3 = nd.add %2, %b (replicated)     common: the addition of a and b

A value is small if it has dimensions of the weights only: then it can be put together as the weights are.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Attribute, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.concatenation import concat
from ....dialects.nd.constant import full
from ....dialects.nd.dimmap import DimMap, bare
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.mapped import rearrange
from ....dialects.nd.movement import Broadcast, reshape
from ....dialects.nd.op import NdOp, bind
from ....dialects.nd.types import element, shape_of, tensor
from ..simplify.patterns import splat
from .products import Fit, Product

MOST = 16
"""Steps behind a contraction, at most."""


def small(p: Product, v: SSAValue) -> tuple[SSAValue, tuple[str, ...]] | None:
    """What is replicated to v, with the names of its dimensions of more than one element, if only the weights have
    them; a constant of one value has none."""
    if splat(v) is not None:
        return v, ()
    b = v.owner
    if not isinstance(b, Broadcast):
        return None
    named = {i: n.name or "" for i, n in zip(b.dims.result, p.result, strict=True)}
    found = tuple(named[i] for i, d in zip(b.dims.operands[0], shape_of(b.x.type), strict=True) if d != 1)
    return (b.x, found) if all(n in p.features for n in found) else None


def line(p: Product, v: SSAValue) -> Array:
    """A small value over the names of the weights that the result has, in their order."""
    found = small(p, v)
    assert found is not None
    value, names = found
    shape = tuple(p.sizes[n] for n in p.features)
    if (number := splat(value)) is not None:
        return full(number, tensor(shape, element(value.type)))
    narrow = reshape(Array(value), tuple(p.sizes[n] for n in names))
    return rearrange(narrow, DimMap((tuple(map(bare, names)),), tuple(map(bare, p.features))), shape)


def spread(p: Product, v: Array, over: Array) -> Array:
    """A line of the weights' names over a result of the product."""
    return rearrange(v, DimMap((tuple(map(bare, p.features)),), p.result), over.shape)


@dataclass(frozen=True)
class Step:
    """The same op behind both contractions; `others` are their second operands, which stand at `at`."""

    op: NdOp
    results: tuple[SSAValue, SSAValue]
    others: tuple[SSAValue, SSAValue] | None = None
    at: int = 1


def common(found: Fit) -> list[Step]:
    """What is done to the results of both products alike, as long as nothing else reads them."""
    p, q = found.like, found.product
    aligned = [found.names[n] for n in q.features] == list(p.features)
    steps: list[Step] = []
    one, other = p.op.result, q.op.result
    while aligned and len(steps) < MOST and (step := _step(p, q, one, other)) is not None:
        steps.append(step)
        one, other = step.results
    return steps


def _step(p: Product, q: Product, one: SSAValue, other: SSAValue) -> Step | None:
    first, second = _reader(one), _reader(other)
    if first is None or second is None or type(first[0]) is not type(second[0]) or first[1] != second[1]:
        return None
    (a, at), (b, _) = first, second
    if a.properties != b.properties or a.parent is not p.op.parent or b.parent is not p.op.parent:
        return None
    if shape_of(a.type) != shape_of(one.type) or shape_of(b.type) != shape_of(other.type):
        return None
    results = (a.results[0], b.results[0])
    if len(a.operands) == 1:
        return Step(a, results)
    if len(a.operands) != 2:
        return None
    others = (a.operands[1 - at], b.operands[1 - at])
    alike = small(p, others[0]) is not None and small(q, others[1]) is not None
    return Step(a, results, others, 1 - at) if alike else None


def _reader(v: SSAValue) -> tuple[Elementwise, int] | None:
    """The only op that reads a value, if it computes every element alone, and which operand it is."""
    use = v.first_use
    if use is None or not v.has_one_use() or not isinstance(use.operation, Elementwise):
        return None
    return use.operation, use.index


def repeated(step: Step, found: Fit, name: str, y: Array) -> Array:
    """A common step on the results together, whose weights are put together along `name`."""
    props: dict[str, Attribute] = dict(step.op.properties)
    if step.others is None:
        return bind(type(step.op), y, **props)
    p, q = found.like, found.product
    both = concat([line(p, step.others[0]), line(q, step.others[1])], p.features.index(name))
    args = [y, spread(p, both, y)]
    return bind(type(step.op), *(args[::-1] if step.at == 0 else args), **props)
