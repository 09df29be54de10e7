"""nd-to-loop for scatters: what is written to stands in memory first, then come the updates in their order.

    %y = nd.scatter add drop %x, %u, %i "b a, b -> @0 a"
becomes
    %y = loop.scatter add scatter [i: 5, j: 8] (%k = %i[i], %v = %u[i, j]) into %x {
      %0 = arith.cmpi ule, %k, %c3
      %1 = arith.minui %k, %c3
      %2 = arith.index_castui %1 : i64 to index
      %3 = loop.index j
      loop.yield %v, %2, %3, %0 : f32, index, index, i1
    }

The updates are computed where they are written. Sums and products of f16 and bf16 are kept in f32, like those of
reductions.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Region, SSAValue

from ..dialects.loop.attributes import Axis, Target
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import ScatterOp, YieldOp, element_of
from ..dialects.nd.scatter import Scatter
from ..dialects.nd.types import element, is_unsigned, shape_of, stored
from .axis_names import distinct
from .positions import access_of, nowhere
from .scalar_bodies import combined

if TYPE_CHECKING:
    from .nd_to_loop import Kernel


def scatter(kernel: Kernel, op: Scatter) -> SSAValue:
    dtype = element(op.type)
    sums = op.combiner in ("add", "mul")
    kept = combined(dtype) if sums else stored(dtype)
    into = base(kernel, op, kept)
    if nowhere(op):
        return into
    names = kernel.plan.names.of(op.updates)
    if not distinct(names):
        names = [kernel.plan.names.fresh() for _ in names]
    axes = dict(zip(names, shape_of(op.updates.type)))
    at: Access = tuple(Linear.axis(n) for n in names)
    scalars = kernel.scalars(axes, op.location)
    access, valid = access_of(scalars, op, dict(zip((i.name or "" for i in op.data), at)))
    value = scalars.at(op.updates, at)
    value = scalars.body.wide(value) if sums else value
    positions = [scalars.positions.value(form) for form in access]
    block = scalars.body.block
    ends = [value, *positions, *([] if valid is None else [valid])]
    block.add_op(YieldOp.create(operands=ends, location=op.location))
    domain = [Axis(n, d) for n, d in axes.items()]
    label, mode = kernel.label("scatter"), combiner(op.combiner, dtype)
    new = ScatterOp.make(mode, label, domain, scalars.reads, into, Region(block), op.location)
    kernel.new.append(new)
    return new.res


def combiner(word: str, dtype: Attribute) -> str:
    return f"u{word}" if word in ("max", "min") and is_unsigned(dtype) and dtype != i1 else word


def base(kernel: Kernel, op: Scatter, kept: Attribute) -> SSAValue:
    """What is written to, as a tensor of the type in which elements are combined."""
    found = kernel.tensors.get(op.x)
    if found is not None and element_of(found) == kept:
        return found
    names = [kernel.plan.names.fresh() for _ in shape_of(op.x.type)]
    at: Access = tuple(Linear.axis(n) for n in names)
    axes = dict(zip(names, shape_of(op.x.type)))
    scalars = kernel.scalars(axes, op.location)
    value = scalars.at(op.x, at)
    value = scalars.body.wide(value) if kept != value.type else value
    return kernel.stage("base", axes, scalars, [value], [Target("", at)])[0]
