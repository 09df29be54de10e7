"""Which axes of a kernel may be one: pairs of axes and of dimensions, linked where one needs the other.

Two axes i, j of a stage are one where every access of the stage has neither, or has them as neighbouring dimensions
`[.., i + c, j, ..]` of which j walks the whole inner one, or in one index as `e * i + j` with e the extent of j. A
value whose dimensions are merged is merged for all who read and make it: what one of them refuses, all do.

Left alone are values that a loop, join, scatter, sort or `loop.load` takes or makes, arguments with a layout, and inner
axes of run-time extent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from xdsl.dialects import func
from xdsl.ir import SSAValue

from ....dialects.graph.ops import INPLACE, LAYOUT
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import SizeOp, StageOp, shape
from ....dialects.nd.dims import Dim

Dims = tuple[SSAValue, int]
"""Dimension d of a value and the one behind it."""
Pair = tuple[StageOp, str, str]
"""Two axes of a stage, the outer one first."""
Node = Dims | Pair


class Collapsible:
    """What may be merged in one function: pairs of dimensions and pairs of axes, linked where one needs the other."""

    def __init__(self, f: func.FuncOp) -> None:
        self.function, self.block = f, f.body.block
        self.stages = [op for op in self.block.ops if isinstance(op, StageOp)]
        self.links: dict[Node, list[Node]] = {}
        self.bad: dict[Node, None] = {}
        self.rigid = dict.fromkeys(self.untouchable())
        for stage in self.stages:
            self.link(stage)
        self.share()
        self.spread()

    def untouchable(self) -> Iterator[SSAValue]:
        """Values whose shape is fixed by others than stages."""
        attributes = self.function.arg_attrs.data if self.function.arg_attrs else ()
        for arg, found in zip(self.block.args, attributes):
            if LAYOUT in found.data:
                yield arg
        for top in self.block.ops:
            if isinstance(top, StageOp):
                yield from (v for k, v in enumerate(top.ins) if top.whole(k))
            elif not isinstance(top, SizeOp | func.ReturnOp):
                for op in top.walk():
                    yield from (*op.operands, *op.results)

    def connect(self, a: Node, b: Node) -> None:
        self.links.setdefault(a, []).append(b)
        self.links.setdefault(b, []).append(a)

    def link(self, stage: StageOp) -> None:
        """The pairs of one stage, and what they have to do with the dimensions of what it reads and makes."""
        extents = {a.name: a.extent for a in stage.axes if not a.kind and a.extent != 1}
        accesses = accesses_of(stage)
        forms = long_forms([op.linear for op in stage.index_ops()], stage)
        pairs: dict[tuple[str, str], None] = {}
        for value, access in accesses:
            dims = shape(value)
            for d in range(len(access) - 1):
                found = neighbours(access[d], access[d + 1], dims[d + 1], extents)
                if found is not None:
                    pairs[found] = None
                if found is None or value in self.rigid:
                    self.bad[value, d] = None
        for form in (*forms, *(form for _, access in accesses for form in access)):
            pairs |= dict.fromkeys(digits(form, extents))
        for i, j in pairs:
            pair, extent = (stage, i, j), extents[j]
            assert isinstance(extent, int)
            self.links.setdefault(pair, [])
            if not all(at_once((form,), i, j, extent) == ONE for form in forms):
                self.bad[pair] = None
            for value, access in accesses:
                d = at_once(access, i, j, extent)
                if d is None:
                    self.bad[pair] = None
                elif d != ONE:
                    self.connect(pair, (value, d))

    def share(self) -> None:
        """An argument and a result that may have one buffer are read and written by the same accesses."""
        last = self.block.last_op
        assert last is not None
        attributes = self.function.arg_attrs.data if self.function.arg_attrs else ()
        for arg, found in zip(self.block.args, attributes):
            for value in last.operands if INPLACE in found.data else ():
                if shape(value) == shape(arg):
                    for d in range(len(shape(arg)) - 1):
                        self.connect((arg, d), (value, d))

    def spread(self) -> None:
        """What is linked to a pair that cannot be merged cannot be either."""
        todo = list(self.bad)
        while todo:
            for other in self.links.get(todo.pop(), ()):
                if other not in self.bad:
                    self.bad[other] = None
                    todo.append(other)

    def merged(self) -> tuple[dict[SSAValue, list[int]], dict[StageOp, list[tuple[str, str]]]]:
        """The dimensions that the next one joins, and the axes, by value and stage."""
        dims: dict[SSAValue, list[int]] = defaultdict(list)
        axes: dict[StageOp, list[tuple[str, str]]] = defaultdict(list)
        for node in (n for n in self.links if n not in self.bad):
            if len(node) == 2:
                dims[node[0]].append(node[1])
            else:
                axes[node[0]].append((node[1], node[2]))
        return dims, axes


def accesses_of(stage: StageOp) -> list[tuple[SSAValue, Access]]:
    """What the stage reads and makes, and where, but for axes of one point."""
    reads = [read for k, read in enumerate(stage.reads()) if not stage.whole(k)]
    made = [(r, stage.target(k).access) for k, r in enumerate(stage.results)]
    return [(value, long_forms(access, stage)) for value, access in [*reads, *made]]


def long_forms(access: Iterable[Linear], stage: StageOp) -> Access:
    """An access without axes of one point."""
    units = [a.name for a in stage.axes if a.extent == 1]
    return tuple(form.without(units) for form in access) if units else tuple(access)


def neighbours(outer: Linear, inner: Linear, size: Dim, extents: dict[str, Dim]) -> tuple[str, str] | None:
    """The axes i and j of two indices `i + c` and `j`, where j walks a whole dimension of `size`."""
    if len(outer.terms) != 1 or len(inner.terms) != 1 or inner.const != 0 or not isinstance(outer.const, int):
        return None
    (i, a), (j, b) = outer.terms[0], inner.terms[0]
    if a != 1 or b != 1 or i == j or i not in extents or extents.get(j) != size or not isinstance(size, int):
        return None
    return (i, j) if size > 0 else None


def digits(form: Linear, extents: dict[str, Dim]) -> Iterator[tuple[str, str]]:
    """The axes i and j of an index that has `e * c * i + c * j`, e the extent of j."""
    for i, high in form.terms if len(form.terms) > 1 else ():
        for j, low in form.terms:
            e = extents.get(j)
            if i != j and i in extents and isinstance(e, int) and e > 0 and high == e * low:
                yield i, j


ONE = -1


def at_once(access: Access, i: str, j: str, extent: int) -> int | None:
    """Where an access has two axes as one number: from which dimension on, or ONE if within an index or nowhere; None
    if it has them otherwise."""
    at_i = [d for d, form in enumerate(access) if form.coef(i)]
    at_j = [d for d, form in enumerate(access) if form.coef(j)]
    if len(at_i) != len(at_j) or len(at_i) > 1:
        return None
    if not at_i:
        return ONE
    (d,), (e,) = at_i, at_j
    if d == e:
        return ONE if access[d].coef(i) == extent * access[d].coef(j) else None
    return d if d + 1 == e else None
