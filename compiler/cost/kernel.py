"""What one kernel does: seconds of arithmetic and of math functions, and the bytes that it reads and writes.

Contractions are asked of the model by which their schedules are chosen (`transforms/loop/classify.py`). Functions take
the machine's time for an element, or what their operations take at the speed of vectors. What a kernel makes of
constants alone is made before the program runs (`hoist-constants`), unless it grows by that.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ...dialects.graph.views import VIEWS, view_of
from ...dialects.nd.constant import Source
from ...dialects.nd.contraction import Contract
from ...dialects.nd.dims import size
from ...dialects.nd.indirect import Gather
from ...dialects.nd.op import NdOp
from ...dialects.nd.reduction import Reduce
from ...dialects.nd.types import NUMPY, element, shape_of
from ..report import works
from ..transforms.graph_outline import GROWTH
from ..transforms.layout.orders import Order
from ..transforms.layout.problem import contraction_work, dense
from ..transforms.loop.classify import SKINNY
from .device import arithmetic, contraction

if TYPE_CHECKING:
    from .program import Pricing

MATH = {
    "nd.exp": ("exp_ns", 1.0),
    "nd.exp2": ("exp_ns", 1.0),
    "nd.expm1": ("tanh_ns", 1.0),
    "nd.log": ("log_ns", 1.0),
    "nd.log2": ("log_ns", 1.0),
    "nd.log10": ("log_ns", 1.0),
    "nd.log1p": ("log_ns", 1.0),
    "nd.tanh": ("tanh_ns", 1.0),
    "nd.erf": ("erf_ns", 1.0),
    "nd.sin": ("sin_ns", 1.0),
    "nd.cos": ("sin_ns", 1.0),
    "nd.pow": ("pow_ns", 1.0),
    "nd.div": ("div_ns", 1.0),
    "nd.sqrt": ("sqrt_ns", 1.0),
    "nd.rsqrt": ("sqrt_ns", 2.0),
}
"""The field of the machine that holds nanoseconds of an f32 element, and how many of these an op takes."""


@dataclass
class Work:
    """Seconds of `operations` and `math`; bytes read of each argument by its place, of what was made of constants
    before, written, and `copied` on the way from the operand of a contraction's lanes; the `count` of operations."""

    operations: float = 0.0
    math: float = 0.0
    reads: dict[int, int] = field(default_factory=dict[int, int])
    derived: int = 0
    written: int = 0
    copied: int = 0
    count: int = 0


def work_of(body: Block, constants: Sequence[bool], pricing: Pricing) -> Work:
    """Of a kernel's body of tensor ops; of one that is written at the loop level, the bytes."""
    last = body.last_op
    assert last is not None
    out = Work(written=returned(last, pricing))
    if not all(isinstance(op, NdOp) for op in body.ops if op is not last):
        return Work(reads={a.index: pricing.bytes_of(a) for a in body.args}, written=out.written)
    fixed = made_of_constants(body, constants, pricing)
    read: dict[SSAValue, int] = {}
    for op in body.ops:
        if not isinstance(op, NdOp) or not works(op) or op.results[0] in fixed:
            continue
        bases = [view_of(v).base for v in op.operands]
        for k, (value, base) in enumerate(zip(op.operands, bases)):
            used = op.results[0] if isinstance(op, Gather) and not k else value
            read[base] = max(read.get(base, 0), min(pricing.bytes_of(used), pricing.bytes_of(base)))
        add(out, op, [v in fixed for v in bases], pricing)
    for value in last.operands:
        base = view_of(value).base
        read.setdefault(base, min(pricing.bytes_of(value), pricing.bytes_of(base)))
    for base, n in read.items():
        if isinstance(base, BlockArgument):
            out.reads[base.index] = n
        elif base in fixed:
            out.derived += n
    return out


def made_of_constants(body: Block, constants: Sequence[bool], pricing: Pricing) -> dict[SSAValue, int]:
    """The values that depend on constants alone and do not grow, each with the bytes of those."""
    out: dict[SSAValue, int] = {a: pricing.bytes_of(a) for a, c in zip(body.args, constants) if c}
    for op in body.ops if out else ():
        sources = dict.fromkeys(b for v in op.operands if not isinstance((b := view_of(v).base).owner, Source))
        if isinstance(op, NdOp) and sources and all(v in out for v in sources):
            given = sum(out[v] for v in sources)
            if type(op) in VIEWS or pricing.bytes_of(op.results[0]) <= GROWTH * given:
                out[op.results[0]] = given
    return out


def returned(last: Operation, pricing: Pricing) -> int:
    """Bytes of a kernel's results."""
    return sum(pricing.bytes_of(v) for v in dict.fromkeys(last.operands))


def add(work: Work, op: NdOp, constants: Sequence[bool], pricing: Pricing) -> None:
    """Add what one op does."""
    machine = pricing.machine
    width = max(4, NUMPY[element((op.operands[0] if op.operands else op.results[0]).type)].itemsize)
    count = pricing.number(op.cost().flops)
    work.count += count
    if isinstance(op, Contract):
        if machine.kind == "gpu":
            work.operations += contraction(op, pricing)
        else:
            by_schedule(work, op, constants, pricing)
        return
    name, times = MATH.get(op.name, ("", 0.0))
    each = getattr(machine, name) if name else 0.0
    if machine.kind == "gpu":
        seconds = arithmetic(op, pricing)
    elif each:
        seconds = times * each * 1e-9 * count / max(op.FLOPS, 1) * width / 4
    else:
        seconds = 2 * count / machine.flops(width)
        if isinstance(op, Reduce) and len(shape_of(op.x.type)) - 1 in op.axes:
            seconds += pricing.number(size(shape_of(op.type))) * ACROSS / (1e9 * machine.clock_ghz)
    if each or op.FLOPS > ARITHMETIC:
        work.math += seconds
    else:
        work.operations += seconds


ARITHMETIC = 3
"""Operations of an element from which an op is a function."""

ACROSS = 12
"""Cycles to add up the lanes of a vector."""


def by_schedule(work: Work, op: Contract, constants: Sequence[bool], pricing: Pricing) -> None:
    """Add a contraction on a CPU, in the orders in which its operands lie."""
    width = max(4, NUMPY[element(op.operands[0].type)].itemsize)
    rate = pricing.machine.flops(width) / 2
    if not dense(op.dims):
        work.operations += pricing.number(op.cost().flops) / 2 / rate
        return
    orders = [order_of(v) for v in op.operands]
    found = contraction_work(op, orders, tuple(range(len(shape_of(op.type)))), constants)
    work.operations += found.time / rate
    for k, dims in enumerate(op.dims.operands):
        if any(i.name == found.lanes for i in dims) and not (constants[k] or found.copied[k]):
            rows = pricing.number(size(tuple(d for i, d in zip(op.dims.result, shape_of(op.type)) if i not in dims)))
            moved = pricing.bytes_of(op.operands[k])
            far = 4 * moved >= pricing.machine.l2_bytes  # near ones are copied in the shadow of what is computed
            work.copied += moved if far and rows > SKINNY and all(i.name for i in dims) else 0


def order_of(value: SSAValue) -> Order:
    """Dimensions from the outermost in memory to the innermost, as views turn them."""
    strides = view_of(value).strides
    if not all(isinstance(s, int) and s for s in strides):
        return tuple(range(len(strides)))
    return tuple(sorted(range(len(strides)), key=lambda k: -abs(strides[k])))  # pyright: ignore
