"""What one kernel's arithmetic takes on a GPU.

Contractions are asked of the models by which their tiles are chosen (`transforms/loop/grid_contractions.py`): waves of
tiles over the multiprocessors, by matrix instructions for the types that have some. Everything else is as fast as the
threads that it gives work to: few elements do not fill the card.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import bf16, f16
from xdsl.ir import Attribute

from ...dialects.nd.contraction import Contract
from ...dialects.nd.op import NdOp
from ...dialects.nd.types import NUMPY, element, shape_of
from ..machine import Machine
from ..transforms.layout.costs import neighbours_joined
from ..transforms.loop.grid_contractions import FRAGMENTS, LEAST, tiles

if TYPE_CHECKING:
    from .program import Pricing

BUSY = 512
"""Threads of a multiprocessor that keep its arithmetic busy."""

WORDS: Mapping[Attribute, str] = {bf16: "bf16", f16: "f16"}
"""Of element types, as `Machine.tensor` has them."""


def filled(elements: float, machine: Machine) -> float:
    """The share of the card that so many elements, one for each thread, keep busy."""
    return min(1.0, max(elements, 1.0) / (machine.cores * BUSY))


def arithmetic(op: NdOp, pricing: Pricing) -> float:
    """Seconds of an op that is no contraction, each of whose operations takes an instruction."""
    machine, shape = pricing.machine, shape_of((op.operands[0] if op.operands else op.results[0]).type)
    elements = prod(pricing.number(d) for d in shape)
    rate = machine.flops(4) / 2 * machine.cores * filled(elements, machine)
    return pricing.number(op.cost().flops) / rate


def contraction(op: Contract, pricing: Pricing) -> float:
    """Seconds of the best tiles; of a contraction that is too small for tiles, those of its points."""
    machine = pricing.machine
    shapes = [shape_of(v.type) for v in op.operands]
    sizes = op.dims.extents(shapes, {i.name or "": d for i, d in zip(op.dims.result, shape_of(op.type))})
    m, sizes = neighbours_joined(op.dims, sizes)
    extents = {n: pricing.number(d) for n, d in sizes.items()}
    result = [i.name for i in m.result if i.name is not None]
    used = [{n for i in side for n, _ in i.terms} for side in m.operands]
    rows = max((n for n in result if n in used[0] and n not in used[-1]), key=lambda n: extents[n], default="")
    lanes = max((n for n in result if n in used[-1] and n not in used[0]), key=lambda n: extents[n], default="")
    high, wide = extents.get(rows, 1), extents.get(lanes, 1)
    batch = prod(extents[n] for n in result if n not in (rows, lanes))
    depth = prod(extents[n] for n in extents if n not in result)
    dtype = element(op.operands[0].type)
    tensor = WORDS.get(dtype, "-") in machine.tensor.split()
    width = max(4, NUMPY[dtype].itemsize)
    if min(high, wide) < LEAST:
        points = high * wide * batch * depth
        return 2 * points / (machine.flops(width) * machine.cores * filled(points, machine))
    found = [t for t in FRAGMENTS if t.rows <= high and t.width <= wide] if tensor else []
    found = found or tiles(high, wide, max(1, machine.vector_bytes // width))
    return min(t.seconds(high, wide, depth, batch, machine) for t in found) * width / 4
