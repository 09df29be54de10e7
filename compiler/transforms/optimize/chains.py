"""Chains of products in another order: (a @ b) @ c -> a @ (b @ c), or the other way round.

The names of both maps are those of one sum over three operands; which two are multiplied first decides how much work
there is. Cancellation moves with the order, so that this needs the level `fast`.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Dims, bare
from ....dialects.nd.dims import Dim
from ....dialects.nd.types import shape_of
from .alternatives import Alternative, Alternatives, Answer

rules = Alternatives("chains")

Factor = tuple[SSAValue, Dims]


@rules.on(Contract, level="fast")
def reassociate(op: Contract) -> Iterator[Alternative]:
    """(a @ b) @ c -> a @ (b @ c), (a @ c) @ b: the two that are multiplied first"""
    for k, v in enumerate(op.operands):
        inner = v.owner
        if isinstance(inner, Contract) and v.has_one_use() and inner.parent is op.parent and len(op.operands) == 2:
            factors = three(op, k, inner)
            if factors is None:
                continue
            a, b, c = factors
            for pair, rest in (((b, c), a), ((a, c), b)):
                if any(i in pair[1][1] for i in pair[0][1]):
                    yield lambda pair=pair, rest=rest, ahead=rest is a: _again(op, pair, rest, ahead)


def three(op: Contract, k: int, inner: Contract) -> tuple[Factor, Factor, Factor] | None:
    """The operands of both contractions, with names of one map; None where an index is no name."""
    outer, m = op.dims, inner.dims
    if len(inner.operands) != 2 or not _bare(outer) or not _bare(m):
        return None
    named = dict(zip(m.result, outer.operands[k], strict=True))
    if len(set(named.values())) < len(named):
        return None
    for n in m.reduced():
        named[bare(n)] = bare(f"{n}_")
    first, second = ((v, tuple(named[i] for i in d)) for v, d in zip(inner.operands, m.operands, strict=True))
    return first, second, (op.operands[1 - k], outer.operands[1 - k])


def _bare(m: DimMap) -> bool:
    return all(i.name and "_" not in i.name for d in m.operands for i in d) and all(
        len(set(d)) == len(d) for d in m.operands
    )


def _again(op: Contract, pair: tuple[Factor, Factor], rest: Factor, ahead: bool) -> Answer:
    """Multiply a pair first, then the rest, which stood `ahead` of both or not."""
    sizes: dict[str, Dim] = {}
    for v, dims in (*pair, rest):
        sizes |= {i.name or "": d for i, d in zip(dims, shape_of(v.type), strict=True)}
    needed = {*rest[1], *op.dims.result}
    kept = tuple(i for i in dict.fromkeys((*pair[0][1], *pair[1][1])) if i in needed)
    shape = tuple(sizes[i.name or ""] for i in kept)
    first = contract([Array(v) for v, _ in pair], DimMap(tuple(d for _, d in pair), kept), shape)
    sides = [(Array(rest[0]), rest[1]), (first, kept)] if ahead else [(first, kept), (Array(rest[0]), rest[1])]
    both = DimMap(tuple(d for _, d in sides), op.dims.result)
    return [(op.result, contract([x for x, _ in sides], both, shape_of(op.type)))]
