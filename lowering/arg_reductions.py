"""nd-to-loop for arg-reductions: the extremum, then the first place that holds it, or NaN.

    %0 = nd.argmax %x "a b -> a"
        %m = loop.stage max [i: 4, j: 8] (%a = %x[i, j]) -> maxnan [i]
        %b = loop.stage max_bound [i: 4] (%a = %m[i]) -> [i] { the number before %a }
        %p = loop.stage argmax [i: 4, j: 8] (%a = %x[i, j], %c = %b[i]) -> min [i] { %a > %c, or unordered? j : most }
        loop.stage argmax_position [i: 4] (%a = %p[i]) -> [i] { %a in 64 bits }

One comparison finds the extremum and NaN. Places are counted in 32 bits where those hold every one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, IntegerType, f64, i1, i32, i64
from xdsl.ir import SSAValue

from ..dialects.loop.attributes import Target
from ..dialects.loop.combiners import NO_FLAGS
from ..dialects.loop.linear import Access, Linear
from ..dialects.nd.dims import Dim
from ..dialects.nd.indexing import Arg
from ..dialects.nd.types import element, shape_of
from .conversions import convert
from .scalar_bodies import combiner, floating

if TYPE_CHECKING:
    from .nd_to_loop import Kernel

BEYOND = {"max": 9, "min": 11}
"""Predicates of `arith.cmpf`: ugt, ult."""


def arg_reduction(kernel: Kernel, op: Arg) -> SSAValue:
    x, names = op.operands[0], kernel.plan.names.of(op.operands[0])
    at: Access = tuple(Linear.axis(n) for n in names)
    kept = tuple(f for f, i in zip(at, op.dims.operands[0]) if i in op.dims.result)
    axes = dict(zip(names, shape_of(x.type)))
    own = {n: axes[n] for form in kept for n in form.names}
    mode = combiner("max" if op.name == "nd.argmax" else "min", element(x.type))
    first = kernel.scalars(axes, op.location)
    value = first.wide(x, at)
    combined = f"{mode}nan" if floating(value.type) else mode
    best = kernel.stage(mode, axes, first, [value], [Target(combined, kept)])[0]
    second = kernel.scalars(axes, op.location)
    b, v = second.body, second.wide(x, at)
    if floating(v.type):
        bound = second.read(before(kernel, best, kept, own, mode, op.location), kept)
        predicate = IntegerAttr(BEYOND[mode], i64)
        hit = b.op(arith.CmpfOp, v, bound, to=i1, predicate=predicate, fastmath=NO_FLAGS)
    else:
        hit = b.compare("eq", v, second.read(best, kept))
    extent, made = axes[names[op.axes[0]]], element(op.type)
    short = i32 if isinstance(extent, int) and extent < 1 << 31 else i64
    place = b.index(at[op.axes[0]], short)
    least = b.select(hit, place, b.constant((1 << (31 if short == i32 else 63)) - 1, short))
    label = op.name.removeprefix("nd.")
    found = kernel.stage(label, axes, second, [least], [Target("min", kept)])[0]
    if short == made:
        return found
    third = kernel.scalars(own, op.location)
    whole = convert(third.body, third.read(found, kept), made)
    return kernel.stage(f"{label}_position", own, third, [whole], [Target("", kept)])[0]


def before(kernel: Kernel, best: SSAValue, at: Access, axes: dict[str, Dim], mode: str, location: Any) -> SSAValue:
    """The last number on the way to each extremum: only the extremum and NaN are beyond it, or unordered.

    Where the extremum is NaN, only NaN is not ordered before the infinity. An extremum that is the other infinity is
    all that there is: what stands before it is NaN by its bits, and the first place is found.
    """
    scalars = kernel.scalars(axes, location)
    b, m = scalars.body, scalars.read(best, at)
    integer = IntegerType(64 if m.type == f64 else 32)
    sign = 1 << (integer.width.data - 1)
    bits, one = b.op(arith.BitcastOp, m, to=integer), b.constant(1, integer)
    towards = b.wrapping(arith.SubiOp, bits, one)  # zero, where the extremum is beyond it
    if mode == "max":
        signed = b.op(arith.OrIOp, bits, b.constant(-sign, integer))
    else:
        signed = b.op(arith.AndIOp, bits, b.constant(sign - 1, integer))
    away = b.wrapping(arith.AddiOp, signed, one)
    beyond = b.compare("gt" if mode == "max" else "lt", m, b.like(0, m))
    near = b.op(arith.BitcastOp, b.select(beyond, towards, away), to=m.type)
    bound = b.select(b.compare("ne", m, m), b.like(math.inf if mode == "max" else -math.inf, m), near)
    return kernel.stage(f"{mode}_bound", axes, scalars, [bound], [Target("", at)])[0]
