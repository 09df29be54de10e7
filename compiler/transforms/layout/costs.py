"""What a contraction costs with its operands and its result in given orders, and what it converts there.

The schedule decides how a contraction runs, so it is asked: a contraction becomes the stage that it will be, with the
orders as shapes, and `classify` says which axis would carry the lanes and what that costs. Costs are multiply-adds of
one lane at full speed.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import NamedTuple

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, FunctionType, UnitAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Region

from ....dialects.graph.ops import CONSTANT
from ....dialects.loop.attributes import Axis, Target
from ....dialects.loop.combiners import combine
from ....dialects.loop.linear import Linear, axes_of
from ....dialects.loop.ops import StageOp, YieldOp
from ....dialects.nd.dimmap import DimMap, Dims
from ....dialects.nd.dims import Dim, Shape
from ....dialects.nd.types import stored, tensor
from ....lowering.joins import numerators_of
from ...machine import Machine
from ..loop.classify import COPIED, LANES, LOADED, SCATTERED, contraction, cost
from ..loop.own_lanes import AGAIN
from ..loop.reorder import TYPICAL, axis_stride
from ..loop.rows import lane_axis, places
from ..loop.steptext import extent

WIDE = Machine(vector_bytes=64)
"""A machine with the vectors that costs are counted in."""


class Work(NamedTuple):
    """What a contraction does in given orders."""

    time: float
    copied: tuple[bool, ...] = ()
    """Of each operand: are its elements brought into another order before they are multiplied, with every call?"""
    turned: bool = False
    """Is the result brought into another order before it is stored?"""
    lanes: str = ""
    """The name in the map along which the lanes run."""


def elements(shape: Shape) -> int:
    return prod(d if isinstance(d, int) else TYPICAL for d in shape)


@lru_cache(4096)
def work(m: DimMap, shapes: tuple[Shape, ...], out: Shape, dtype: Attribute, constants: tuple[bool, ...]) -> Work:
    """Of a contraction by this map of operands and a result of these shapes; `constants` never change."""
    sizes = m.extents(shapes, {i.name or "": d for i, d in zip(m.result, out)})
    windowed = [tuple(d for i, d in zip(dims, shape) if i.name is None) for dims, shape in zip(m.operands, shapes)]
    stage = stage_of(*neighbours_joined(m, sizes), windowed, dtype, constants)
    points = prod(max(extent(stage, a.name), 1) for a in stage.axes)
    found = contraction(stage)
    if found is None:
        return by_rows(stage, points, constants)
    copied = tuple(k == found.rhs and found.transposed and not found.constant for k in range(len(shapes)))
    return Work(cost(found) * points, copied, found.result_stride(found.n) != 1, found.n)


def neighbours_joined(m: DimMap, sizes: dict[str, Dim]) -> tuple[DimMap, dict[str, Dim]]:
    """Dimensions that are neighbours wherever they stand are one axis, as `collapse-axes` makes of them."""
    sides = [*m.operands, m.result]
    windows = {n for side in sides for i in side if i.name is None for n, _ in i.terms}

    def follows(a: str, b: str) -> bool:
        for side in sides:
            names = [i.name for i in side]
            if (a in names) != (b in names) or (a in names and names[names.index(a) + 1 :][:1] != [b]):
                return False
        return True

    pairs = dict.fromkeys((i.name, j.name) for side in sides for i, j in pairwise(side))
    for a, b in pairs:
        if a is None or b is None or {a, b} & windows or not follows(a, b):
            continue
        sides = [tuple(x for x in s if x.name != a) for s in sides]
        sizes = {n: sizes[a] * d if n == b else d for n, d in sizes.items() if n != a}
    return DimMap(tuple(sides[:-1]), sides[-1]), sizes


def stage_of(
    m: DimMap, sizes: Mapping[str, Dim], windowed: Sequence[Shape], dtype: Attribute, constants: Sequence[bool]
) -> StageOp:
    """The stage of a contraction, alone in a function; `windowed`: of each operand the dimensions that windows read."""
    kind = stored(dtype)
    types = [tensor(lying(dims, sizes, widths), kind) for dims, widths in zip(m.operands, windowed)]
    block, body = Block(arg_types=types), Block(arg_types=[kind] * len(types))
    value = body.args[0]
    for factor in body.args[1:]:
        product = combine("mul", value, factor)
        body.add_op(product)
        value = product.results[0]
    body.add_op(YieldOp.create(operands=[value]))
    axis = {n: n for n in sizes}
    reads = [(arg, tuple(numerators_of(dims, axis))) for arg, dims in zip(block.args, m.operands)]
    target = Target("add", tuple(Linear.axis(i.name or "") for i in m.result))
    stage = StageOp.make("mm", [Axis(n, d) for n, d in sizes.items()], reads, [target], Region(body))
    block.add_op(stage)
    marks = ArrayAttr([DictionaryAttr({CONSTANT: UnitAttr()} if c else {}) for c in constants])
    FuncOp("contraction", FunctionType.from_lists(types, []), Region(block), arg_attrs=marks)
    return stage


def lying(dims: Dims, sizes: Mapping[str, Dim], windowed: Shape) -> Shape:
    widths = iter(windowed)
    return tuple(next(widths) if i.name is None else sizes[i.name] for i in dims)


def by_rows(stage: StageOp, points: int, constants: Sequence[bool]) -> Work:
    """Of one that is scheduled like other reductions: each operand is read as a vector along one axis, or element by
    element where they lie apart."""
    *reads, (target, strides) = places(stage)
    if not stage.axes:
        return Work(float(points))
    lane = lane_axis([stage], stage, WIDE)
    n, spread = max(extent(stage, lane), 1), axes_of(target)
    apart = tuple(axis_stride(access, steps, lane) > 1 for access, steps in reads)
    turned = lane in spread and axis_stride(target, strides, lane) > 1
    each = 0.0
    for (access, _), scattered, constant in zip(reads, apart, constants):
        # what is read again and again is copied once (`own_lanes`)
        share = elements(tuple(extent(stage, a) for a in axes_of(access))) / points
        copied = 0.0 if constant else COPIED * (share if AGAIN * share <= 1 else 1.0)
        each += copied if scattered else LOADED
    reduced = points / max(elements(tuple(extent(stage, a) for a in spread)), 1)
    time = -(-n // LANES) * LANES / n * (1 + each) + SCATTERED / reduced * turned
    return Work(time * points, tuple(a and not c for a, c in zip(apart, constants)), turned, lane)
