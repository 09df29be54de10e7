"""nd-to-loop for windows, cumulative reductions and sorts.

    %0 = nd.reduce_window max %x "a+b-1 -> a" window [3]      a stage over windows of %x between identities
    %1 = nd.cumulative sum %x along [1]
        %z = loop.stage init [i: 8] () -> [i, 0] { 0 }
        %s, %y = loop.for j = 100 with (%c = %z) -> carry [0, 0], [0, j] {
          %t, %u = loop.stage sum [i: 8] (%a = %c[i, 0], %b = %x[i, j]) -> [i, 0], [i, 0] { %a + %b, twice }
    %2 = nd.sort %x along [1]                                 loop.sort %x along 1

A reversed one takes and places element n - 1 - j.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i1
from xdsl.ir import Block, Region, SSAValue

from ..dialects.loop.attributes import CARRY, Target
from ..dialects.loop.combiners import combine, identity
from ..dialects.loop.linear import Access, Linear
from ..dialects.loop.ops import ForOp, SortOp, YieldOp
from ..dialects.nd.cumulative import Cumulative
from ..dialects.nd.dims import Dim
from ..dialects.nd.sorting import Argsort, Sort
from ..dialects.nd.types import element, is_unsigned, shape_of, stored
from ..dialects.nd.window import ReduceWindow
from .joins import numerators_of
from .scalar_bodies import combined, combiner

if TYPE_CHECKING:
    from .nd_to_loop import Kernel


def reduce_window(kernel: Kernel, op: ReduceWindow) -> SSAValue:
    """A reduction over the windows of the operand, which stands between identities where windows leave it."""
    m, names = op.dims, kernel.plan.names
    axis = {i.name or "": names.name((op.results[0], k)) for k, i in enumerate(m.result)}
    axis |= {n: names.name((op, n)) for n in m.reduced()}
    axes: dict[str, Dim] = dict(zip(axis.values(), (*shape_of(op.type), *op.window.data)))
    assert len(axes) == len(axis)
    dtype, dims = element(op.x.type), m.operands[0]
    mode = combiner(op.word, dtype)
    scalars = kernel.scalars(axes, op.location)
    numerators = numerators_of(dims, axis)
    outside = identity(mode, stored(dtype))
    shape = shape_of(op.x.type)
    window = kernel.joins.window(op.x, numerators, [i.divisor for i in dims], shape, axes, op.location, outside)
    value = scalars.at(op.x, tuple(numerators)) if window is None else scalars.read(*window)
    value = scalars.body.wide(value)
    out: Access = tuple(Linear.axis(axis[i.name or ""]) for i in m.result)
    return kernel.stage(f"window_{op.word}", axes, scalars, [value], [Target(mode, out)])[0]


def cumulative(kernel: Kernel, op: Cumulative) -> SSAValue:
    """A loop along the dimension that carries what is combined so far, for all lines at once."""
    shape, along, dtype = shape_of(op.type), op.along, element(op.type)
    mode, kind = combiner(op.word, dtype), combined(dtype)
    fresh = [kernel.plan.names.fresh() for _ in shape]
    axes = {n: d for k, (n, d) in enumerate(zip(fresh, shape)) if k != along}
    place = Linear.axis(fresh[along])
    if op.reverse is not None:
        place = Linear(shape[along] + -1) + place.scaled(-1)
    line: Access = tuple(Linear() if k == along else Linear.axis(n) for k, n in enumerate(fresh))
    at: Access = tuple(place if k == along else Linear.axis(n) for k, n in enumerate(fresh))
    first = kernel.scalars(axes, op.location)
    start = first.body.constant(identity(mode, kind), kind)
    init = kernel.stage("init", axes, first, [start], [Target("", line)])[0]

    outer, kernel.new = kernel.new, []
    block = Block(arg_types=[init.type])
    scalars = kernel.scalars(axes, op.location)
    before = scalars.read(block.args[0], line)
    value = scalars.body.add(combine(mode, before, scalars.wide(op.x, at), op.location))
    both = kernel.stage(
        f"cumulative_{op.word}", axes, scalars, [value, scalars.narrow(value, op.results[0])], [Target("", line)] * 2
    )
    block.add_ops([*kernel.new, YieldOp.create(operands=both, location=op.location)])
    kernel.new = outer
    placed: Access = tuple(place if k == along else Linear() for k in range(len(shape)))
    targets = [Target(CARRY, (Linear(),) * len(shape)), Target("", placed)]
    loop = ForOp.make(fresh[along], shape[along], 1, False, "", targets, Region(block), [init], op.location)
    kernel.new.append(loop)
    return loop.results[1]


def sort(kernel: Kernel, op: Sort | Argsort) -> SSAValue:
    """One op of the loop level, whose operand is a tensor of its own; floats of 16 bits are sorted as f32."""
    x: SSAValue = op.operands[0]
    dtype, positions = element(x.type), isinstance(op, Argsort)
    keys = kernel.tensors.get(x)
    if keys is None or combined(dtype) != stored(dtype):
        fresh = [kernel.plan.names.fresh() for _ in shape_of(op.type)]
        axes: dict[str, Dim] = dict(zip(fresh, shape_of(x.type)))
        at: Access = tuple(Linear.axis(n) for n in fresh)
        scalars = kernel.scalars(axes, op.location)
        keys = kernel.stage("keys", axes, scalars, [scalars.wide(x, at)], [Target("", at)])[0]
    unsigned = is_unsigned(dtype) and dtype != i1
    new = SortOp.make(keys, op.along, op.descending is not None, positions, unsigned, op.location)
    kernel.new.append(new)
    return new.results[0]
