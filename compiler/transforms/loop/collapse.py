"""collapse-axes: axes that lie next to each other in memory, wherever they are used, become one.

Two axes i, j of a stage are one where every access of the stage has neither, or has them as neighbouring dimensions
`[.., i + c, j, ..]` of which j walks the whole inner one, or in one index as `e * i + j` with e the extent of j. A
value whose dimensions are merged is merged for all who read and make it: what one of them refuses, all do. So a
convolution of 1 x 1 has one axis of pixels, and matrices that are multiplied by one matrix are the rows of one.

A kernel's arguments and results change their shapes, not their bytes: where it is launched, `nd.reshape` is a view.
Left alone are values that a loop, join, scatter, sort or `loop.load` takes or makes, arguments with a layout, inner
axes of run-time extent, and kernels that were written at the loop level, whose axes have their author's names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects import builtin, func
from xdsl.dialects.builtin import FunctionType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ....dialects.graph.ops import INPLACE, LAYOUT, LaunchOp, PrepareOp
from ....dialects.graph.regions import program_ops
from ....dialects.loop.attributes import Axis
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import SizeOp, StageOp, shape
from ....dialects.nd.dims import Dim
from ....dialects.nd.movement import Reshape
from ....dialects.nd.types import element, shape_of, tensor
from ...schedules import SCHEDULE
from ..graph_wrap import WRITTEN

Dims = tuple[SSAValue, int]
"""Dimension d of a value and the one behind it."""
Pair = tuple[StageOp, str, str]
"""Two axes of a stage, the outer one first."""
Node = Dims | Pair


class Collapse:
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


def chains(pairs: Sequence[tuple[Any, Any]]) -> list[list[Any]]:
    """Pairs as lists: (a, b), (b, c) are a, b, c."""
    after = dict(pairs)
    heads = [a for a in after if a not in after.values()]
    out: list[list[Any]] = []
    for head in heads:
        chain = [head]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        out.append(chain)
    return out


def one_number(stage: StageOp, pairs: list[tuple[str, str]]) -> dict[str, tuple[str, int]]:
    """Each merged axis as the name of the new one and its factor in it; the stage gets the new domain."""
    extents = {a.name: a.extent for a in stage.axes}
    # of two pairs with one axis, the first: the other one is found again in what this makes
    left, right = set[str](), set[str]()
    kept: list[tuple[str, str]] = []
    for i, j in pairs:
        if i not in left and j not in right:
            kept.append((i, j))
            left.add(i)
            right.add(j)
    out: dict[str, tuple[str, int]] = {}
    new: dict[str, Axis] = {}
    used = set(extents)
    for chain in chains(kept):
        name = "".join(chain)
        name = name if name not in used else next(n for k in count() if (n := f"{name}{k}") not in used)
        used.add(name)
        factor = 1
        for axis in reversed(chain[1:]):
            out[axis] = name, factor
            extent = extents[axis]
            assert isinstance(extent, int)
            factor *= extent
        out[chain[0]] = name, factor
        new[chain[0]] = Axis(name, extents[chain[0]] * factor)
    stage.set_axes([new.get(a.name, a) for a in stage.axes if a.name not in out or a.name in new])
    return out


def merge_forms(access: Access, dims: Sequence[Dim], groups: list[list[int]], by: dict[str, tuple[str, int]]) -> Access:
    """An access over merged axes and merged dimensions."""
    out: list[Linear] = []
    for group in groups:
        form = Linear()
        for d in group:
            form = (form if d == group[0] else form.scaled(cast(int, dims[d]))) + access[d]
        out.append(renamed(form, by))
    return tuple(out)


def renamed(form: Linear, by: dict[str, tuple[str, int]]) -> Linear:
    """`e * i + j` as the merged axis."""
    if not any(n in by for n, _ in form.terms):
        return form
    terms: dict[str, int] = {}
    for name, c in form.terms:
        new, factor = by.get(name, (name, 1))
        assert terms.get(new, c // factor) == c // factor and c % factor == 0
        terms[new] = c // factor
    return Linear.of(form.const, terms)


def groups_of(rank: int, joined: Sequence[int]) -> list[list[int]]:
    """Dimensions in runs: d and d + 1 are in one where d is `joined`."""
    out: list[list[int]] = []
    for d in range(rank):
        if d and d - 1 in joined:
            out[-1].append(d)
        else:
            out.append([d])
    return out


def merged_type(t: Attribute, groups: list[list[int]]) -> Attribute:
    dims = shape_of(t)
    sizes: list[Dim] = []
    for group in groups:
        size: Dim = 1
        for d in group:
            size = size * dims[d]
        sizes.append(size)
    return tensor(tuple(sizes), element(t))


def collapse(f: func.FuncOp) -> bool:
    """Merge axes of a kernel; whether there were any."""
    changed = False
    while once(f):
        changed = True
    return changed


def once(f: func.FuncOp) -> bool:
    found = Collapse(f)
    dims, axes = found.merged()
    if not axes:
        return False
    block = f.body.block
    groups = {v: groups_of(len(shape(v)), joined) for v, joined in dims.items()}
    before = {v: shape(v) for v in dims}
    for op in block.ops:
        if isinstance(op, SizeOp) and op.of in groups:
            place = next(k for k, g in enumerate(groups[op.of]) if op.dimension in g)
            op.properties["dim"] = SizeOp.make(op.symbol.data, op.of, place).dim
    for stage in found.stages:
        by = one_number(stage, axes[stage]) if stage in axes else {}

        def access(value: SSAValue, at: Access, by: dict[str, tuple[str, int]] = by) -> Access:
            plain = [[d] for d in range(len(at))]
            return merge_forms(at, before.get(value, ()), groups.get(value, plain), by)

        stage.set_reads([access(v, a) for v, a in stage.reads()])
        stage.set_targets(
            [t.data._replace(access=access(r, t.data.access)) for r, t in zip(stage.results, stage.targets.data)]
        )
        for op in stage.index_ops():
            op.set_linear(renamed(op.linear, by))
    for value in dims:
        if value.owner is block:
            cast(Any, value)._type = merged_type(value.type, groups[value])
    for stage in found.stages:
        stage.retype()
    last = block.last_op
    assert last is not None
    types = FunctionType.from_lists(list(block.arg_types), [v.type for v in last.operands])
    f.properties["function_type"] = types
    return True


def adapt(call: LaunchOp | PrepareOp, types: FunctionType) -> list[Reshape]:
    """A launch of a kernel whose shapes have changed: views of what it takes and makes."""
    views: list[Reshape] = []
    for k, (value, want) in enumerate(zip(call.args, types.inputs.data)):
        if shape(value) != shape_of(want):
            call.operands[k] = viewed(value, want, call, views)
    for result, want in zip(call.results, types.outputs.data):
        if shape(result) != shape_of(want):
            old = result.type
            cast(Any, result)._type = tensor(shape_of(want), element(old))
            home = call.parent
            assert home is not None
            back = reshape(result, old)
            home.insert_ops_after([back], call)
            for use in [u for u in result.uses if u.operation is not back]:
                use.operation.operands[use.index] = back.result
            views.append(back)
    return views


def viewed(value: SSAValue, want: Attribute, before: Operation, views: list[Reshape]) -> SSAValue:
    """A value in another shape; a reshape of a reshape is one."""
    name = value.name_hint
    if isinstance(op := value.owner, Reshape):
        views.append(op)
        value = op.x
    if shape(value) == shape_of(want):
        return value
    home = before.parent
    assert home is not None
    view = reshape(value, tensor(shape_of(want), element(value.type)))
    view.result.name_hint = name
    home.insert_ops_before([view], before)
    return view.result


def reshape(value: SSAValue, t: Attribute) -> Reshape:
    location = value.owner.location if isinstance(value.owner, Operation) else cast(Any, value).location
    op = Reshape.create(operands=[value], result_types=[t], properties={"shape": t}, location=location)
    op.result.name_hint = value.name_hint
    return op


@dataclass(frozen=True)
class CollapseAxes(ModulePass):
    """Make one axis of neighbours that are one in memory, in every kernel that is launched.

        %0 = graph.launch @relu(%x) : (tensor<8x50xf32>) -> tensor<8x50xf32>
        ..
        func.func private @relu(%x: tensor<8x50xf32>) -> tensor<8x50xf32> {
          %y = loop.stage relu [i: 8, j: 50] (%a = %x[i, j]) -> [i, j] {..}
    becomes
        %0 = nd.reshape %x : tensor<8x50xf32> -> tensor<400xf32>
        %1 = graph.launch @relu(%0) : (tensor<400xf32>) -> tensor<400xf32>
        %2 = nd.reshape %1 : tensor<400xf32> -> tensor<8x50xf32>
        ..
        func.func private @relu(%x: tensor<400xf32>) -> tensor<400xf32> {
          %y = loop.stage relu [ij: 400] (%a = %x[ij]) -> [ij] {..}

    Names, locations and the places of results stay. Without axes to merge, nothing changes.
    """

    name = "collapse-axes"

    def apply(self, ctx: Context, op: builtin.ModuleOp) -> None:
        functions = [f for f in op.ops if isinstance(f, func.FuncOp) and f.body.blocks]
        changed = {f.sym_name.data: f for f in functions if eligible(f) and collapse(f)}
        if not changed:
            return
        views: list[Reshape] = []
        for f in functions:
            for call in list(program_ops(f.body.block)) if f.sym_name.data not in changed else ():
                if isinstance(call, LaunchOp | PrepareOp) and call.kernel in changed:
                    views += adapt(call, changed[call.kernel].function_type)
        for view in dict.fromkeys(views):
            if view.result.first_use is None:
                view.detach()
                view.erase()


def eligible(f: func.FuncOp) -> bool:
    """Is it a kernel of the loop level that no one but launches of the module calls, with no schedule yet?"""
    private = f.sym_visibility is not None and f.sym_visibility.data == "private"
    if not private or SCHEDULE in f.attributes or WRITTEN in f.attributes:
        return False
    return any(isinstance(op, StageOp) for op in f.body.block.ops)
