"""Contractions of one input are one contraction, cut apart; sums of contractions are one over concatenated channels.

    x @ u, x @ v                       ->   y = x @ [u v];  y[:, :p], y[:, p:]
    relu(x @ u + a), relu(x @ v + b)   ->   y = relu(x @ [u v] + [a b]), cut apart
    conv3x3(x, u), conv1x1(x, v)       ->   y = conv3x3(x, [u 0v0]), the halves of its channels
    x @ u + y @ v                      ->   [x y] @ [u; v]

The names of the maps say along what: a name of the result that only the weights have, and one that is summed over.
Kernels with fewer taps are enlarged by zeros where that lets them merge; an infinity or NaN reaches more results then.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.concatenation import concat
from ....dialects.nd.contraction import Contract
from ....dialects.nd.dims import Dim
from ....dialects.nd.elementwise import Add
from ....dialects.nd.movement import slice_, transpose
from ....dialects.nd.op import bind
from ....dialects.nd.types import element, is_float, shape_of
from ..simplify.patterns import static
from .alternatives import Alternative, Alternatives, Answer
from .epilogues import common, repeated
from .products import Fit, Product, at, fit, products

rules = Alternatives("merging")


@rules.on(Contract, level="ieee")
def merge_products(op: Contract) -> Iterator[Alternative]:
    """f(x, u), f(x, v) -> f(x, [u v]) cut in two; queries, keys and values; kernels of an input"""
    for p in products(op):
        for q in _siblings(p):
            found = fit(q, p) or fit(p, q)
            name = _feature(found) if found is not None else None
            if found is not None and name is not None and op.is_before_in_block(q.op):
                yield lambda found=found, name=name: _merged(found, name)


def _siblings(p: Product) -> Iterator[Product]:
    """Other contractions of the same input in the same block."""
    readers = dict.fromkeys(use.operation for use in p.x.uses)
    for reader in reversed(readers):  # the use list is the latest first
        if isinstance(reader, Contract) and reader is not p.op and reader.parent is p.op.parent:
            yield from (q for q in products(reader) if q.x is p.x and q.w is not p.x)


def _feature(found: Fit) -> str | None:
    """The name along which the weights of two products become one: what differs, or else the first."""
    differing = found.differing()
    names = [n for n in found.like.features if not differing or differing == [n]]
    name = names[0] if names else None
    return name if name and static(found.like.sizes[name], found.sizes()[name]) else None


def _merged(found: Fit, name: str) -> Answer:
    p, q = found.like, found.product
    first, second = p.sizes[name], found.sizes()[name]
    w = concat([Array(p.w), found.weights()], at(p.w_dims, name))
    y = p.again(Array(p.x), w, {name: first + second})
    olds = (p.op.result, q.op.result)
    for step in common(found):
        y, olds = repeated(step, found, name, y), step.results

    def part(start: Dim, count: Dim) -> Array:
        starts = [start if i.name == name else 0 for i in p.result]
        counts = [count if i.name == name else d for i, d in zip(p.result, y.shape)]
        return slice_(y, starts, [1] * len(starts), counts)

    return [(olds[0], part(0, first)), (olds[1], transpose(part(first, second), found.order()))]


@rules.on(Add, level="ieee")
def sum_products(op: Add) -> Iterator[Alternative]:
    """f(x, u) + f(y, v) -> f([x y], [u v]) along what is summed over"""
    if not is_float(element(op.result.type)) or _inner(op):
        return
    terms = _terms(op)
    made = [v for v in terms if isinstance(v.owner, Contract) and v.has_one_use()]
    for k, first in enumerate(made):
        for second in made[k + 1 :]:
            for found in _fits(first, second):
                name = _channel(found)
                if name is not None:
                    rest = [v for v in terms if v is not first and v is not second]
                    yield lambda found=found, name=name, rest=rest: _summed(op, found, name, rest)
                    return


def _inner(op: Add) -> bool:
    """Is it a term of a larger sum?"""
    use = op.result.first_use
    return op.result.has_one_use() and use is not None and isinstance(use.operation, Add)


def _terms(op: Add) -> list[SSAValue]:
    """The values that a tree of additions adds, from left to right."""
    out: list[SSAValue] = []
    for v in op.operands:
        inner = v.owner
        same = isinstance(inner, Add) and v.has_one_use() and inner.parent is op.parent
        out += _terms(inner) if same and isinstance(inner, Add) else [v]
    return out


def _fits(first: SSAValue, second: SSAValue) -> Iterator[Fit]:
    assert isinstance(first.owner, Contract) and isinstance(second.owner, Contract)
    for p in products(first.owner):
        for q in products(second.owner):
            for small, large in ((q, p), (p, q)):
                if (found := fit(small, large)) is not None:
                    yield found


def _channel(found: Fit) -> str | None:
    """The name along which two inputs become one: what differs, or else the first, if all else of them is alike."""
    if found.like.x is found.product.x or found.order() != sorted(found.order()):
        return None
    differing = found.differing()
    names = [n for n in found.like.channels if not differing or differing == [n]]
    if not names:
        return None
    along = at(found.like.x_dims, names[0])
    one, other = shape_of(found.like.x.type), shape_of(found.product.x.type)
    alike = all(a == b for k, (a, b) in enumerate(zip(one, other)) if k != along)
    return names[0] if alike and static(one[along], other[along]) else None


def _summed(op: Add, found: Fit, name: str, rest: list[SSAValue]) -> Answer:
    p, q = found.like, found.product
    x = concat([Array(p.x), Array(q.x)], at(p.x_dims, name))
    w = concat([Array(p.w), found.weights()], at(p.w_dims, name))
    y = p.again(x, w, {name: p.sizes[name] + found.sizes()[name]})
    for v in rest:
        y = bind(Add, y, Array(v))
    return [(op.result, y)]
