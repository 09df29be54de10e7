"""collapse-axes: axes that lie next to each other in memory, wherever they are used, become one.

Which may: `collapsible.py`. So a convolution of 1 x 1 has one axis of pixels, and matrices that are multiplied by one
matrix are the rows of one. A kernel's arguments and results change their shapes, not their bytes: where it is launched,
`nd.reshape` is a view. Kernels that were written at the loop level stay: their axes have their author's names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects import builtin, func
from xdsl.dialects.builtin import FunctionType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from ....dialects.graph.ops import LaunchOp, PrepareOp
from ....dialects.graph.regions import program_ops
from ....dialects.loop.attributes import Axis
from ....dialects.loop.linear import Access, Linear
from ....dialects.loop.ops import SizeOp, StageOp, shape
from ....dialects.nd.dims import Dim
from ....dialects.nd.movement import Reshape
from ....dialects.nd.types import element, shape_of, tensor
from ...schedules import SCHEDULE
from ..graph_wrap import WRITTEN
from .collapsible import Collapsible


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
    found = Collapsible(f)
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
