"""loop.scatter as loops in the order of its axes, with one load, combination and store for each point.

    %r = loop.scatter add s [i: 5, j: 70] (%u = %U[i, j], %k = %K[i]) into %x { .. loop.yield %u, %k, %j, %ok }
becomes
    copy %x to %r, where they are not the same memory
    scf.for %i ..
      scf.if %ok
        scf.for %b = 0 to 2    32 elements at %r[%k, 32 * %b] as a vector: read, add, write
        the 6 that are left    the same

An axis that walks along memory at the place becomes the last one, in vectors, if no two of its points have one place:
then it does not matter which of them comes first.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xdsl.dialects import scf
from xdsl.ir import Block, Region, SSAValue

from ..dialects.loop.attributes import AccessAttr, Axis, DomainAttr
from ..dialects.loop.linear import Linear
from ..dialects.loop.ops import ScatterOp, element_of
from .loop_body import BodyValues
from .loop_state import nest
from .storage import View

if TYPE_CHECKING:
    from .loop_control import Kernel

WIDTH = 32
"""Elements of a vector."""


def scatter(kernel: Kernel, op: ScatterOp) -> None:
    view = kernel.views[op.res]
    kernel.base(op)
    axes = [(a.name, a.extent) for a in op.axes]
    if any(extent == 0 for _, extent in axes):
        return
    lane = lane_axis(kernel, op, view)
    if lane is None:
        nest(kernel, axes, [], lambda _: guarded(kernel, op, lambda values: written(values, view)))
        return
    outer = [a for a in axes if a[0] != lane.name]
    nest(kernel, outer, [], lambda _: guarded(kernel, op, lambda values: line(values, view, lane)))


def line(values: BodyValues, view: View, lane: Axis) -> None:
    """The points along the lane axis: blocks, and what is left, which is one vector if its size is known."""
    kernel, op = values.state, values.s
    assert isinstance(op, ScatterOp)
    for v in (v for p in op.positions for v in values.split(p)[1]):
        values.at(v, ())
    block, blocks = f"{lane.name}_block", lane.extent // WIDTH
    rest, first = lane.extent - blocks * WIDTH, Linear(blocks * WIDTH)
    base = Linear.axis(block, WIDTH)
    if blocks != 0:
        nest(kernel, [(block, blocks)], [], lambda _: row(values, view, lane.name, WIDTH, base))
    if isinstance(rest, int) and rest:
        row(values, view, lane.name, rest, first)
    elif rest != 0:
        one = first + Linear.axis(block)
        nest(kernel, [(block, rest)], [], lambda _: row(values, view, lane.name, 1, one))


def lane_axis(kernel: Kernel, op: ScatterOp, view: View) -> Axis | None:
    """The axis to take as vectors: a coordinate of the place that steps by one element, and that nothing else of the
    place depends on. One that a start is added to must be the last: windows may overlap."""
    values = BodyValues(kernel, op, [(a.name, 2) for a in op.axes])
    splits = [values.split(p) for p in op.positions]
    computed = {n for _, rest in splits for v in rest for n in values.spread(v)}
    computed |= values.spread(op.valid) if op.valid is not None else frozenset[str]()
    strides = kernel.strides[view.buffer]
    for axis in reversed(op.axes):
        if axis.extent == 1 or axis.name in computed:
            continue
        at = [d for d, (form, _) in enumerate(splits) if form.coef(axis.name)]
        if len(at) != 1:
            continue
        form, rest = splits[at[0]]
        step = strides[at[0]] * view.scale[at[0]] * form.coef(axis.name)
        alone = not rest and form.names == frozenset((axis.name,))
        if step == 1 and (alone or axis is op.axes[-1]):
            return axis
    return None


def row(outer: BodyValues, view: View, lane: str, width: int, first: Linear) -> list[SSAValue]:
    """Some neighbours along the lane axis. Scalars that are known outside of it are as they are there."""
    kernel, op = outer.state, outer.s
    assert isinstance(op, ScatterOp)
    at = first + Linear.axis(lane)
    copies: dict[SSAValue, SSAValue] = {}
    part = op.clone(copies)
    part.properties["domain"] = DomainAttr(tuple(Axis(a.name, width) if a.name == lane else a for a in op.axes))
    part.properties["accesses"] = type(op.accesses)(
        [AccessAttr(tuple(f.subst({lane: at}) for f in a.data)) for a in op.accesses.data]
    )
    for index in part.index_ops():
        index.set_linear(index.linear.subst({lane: at}))
    if width == 1:
        kernel.axis[lane] = None
    values = BodyValues(kernel, part, [(lane, width)] if width > 1 else [])
    values.found.update(((copies[v], axes), scalar) for (v, axes), scalar in outer.found.items() if not axes)
    written(values, view)
    part.erase(safe_erase=False)
    return []


def guarded(kernel: Kernel, op: ScatterOp, body: Callable[[BodyValues], None]) -> list[SSAValue]:
    """A point of the loops, where it is written at all."""
    kernel.location = op.location
    values = BodyValues(kernel, op, [])
    if op.valid is None:
        body(values)
        return []
    condition = values.at(op.valid, ())
    block = Block()
    with kernel.inside(block):
        body(values)
        kernel.add(scf.YieldOp.create())
    kernel.location = op.location
    kernel.add(scf.IfOp.create(operands=[condition], regions=[Region(block), Region()]))
    return []


def written(values: BodyValues, view: View) -> None:
    """The updates at one point, or at one vector of points."""
    kernel, op = values.state, values.s
    assert isinstance(op, ScatterOp)
    values.run([op.value])
    access = tuple(values.index(*values.split(p)) for p in op.positions)
    kernel.location = op.location
    mode = "" if op.kind.data == "set" else op.kind.data
    kernel.write(values.at(op.value, values.vec), view._replace(combine=mode), access, values.vec, element_of(op.into))
