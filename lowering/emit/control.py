"""scf.for, scf.if and scf.parallel (in order, or by `parallel`), and the end of a function.

A loop becomes head -> ... -> head | done with its variables as phis; unless its first trip is certain, a test stands
before it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import gcd

from xdsl.dialects.builtin import IndexType
from xdsl.ir import Block, Operation, SSAValue

from .branches import bind, meet, pieces, way
from .elementwise import element_of
from .memory import root_of
from .parallel import outline
from .state import Emitter, emits
from .streaming import in_two_ways, stores_past

WRITES = ("vector.transfer_write", "vector.store", "vector.maskedstore", "memref.store")


def written_memory(op: Operation) -> Sequence[SSAValue]:
    """The memrefs that an operation writes."""
    if op.name == "nvgpu.device_async_copy":
        return op.operands[:1]
    return op.operands[1:2] if op.name in WRITES else ()


def written(e: Emitter, op: Operation) -> None:
    """A nested region's writes come after every read that stands before it."""
    for inner in op.walk():
        for memory in written_memory(inner):
            e.writes(root_of(memory), None)
        if inner.name == "gpu.barrier":
            e.arrive()


def loop(
    e: Emitter,
    bounds: Sequence[str],
    variable: SSAValue,
    carried: Sequence[tuple[SSAValue, SSAValue, SSAValue]],
    body: Callable[[], Sequence[SSAValue]],
) -> None:
    """`carried`: (initial value, block argument, result) of each value that the loop hands on."""
    low, high, step = bounds
    certain = all(b.lstrip("-").isdigit() for b in (low, high))
    starts = [pieces(e, init) for init, _, _ in carried]
    if certain and int(low) >= int(high):
        for (_, _, result), start in zip(carried, starts):
            bind(e, result, [text for _, text in start])
        return
    k, before = e.fresh(), e.label
    head, done, entry, counter = f"loop{k}", f"done{k}", before, f"%i{k}"
    phis = [[f"%p{e.fresh()}" for _ in start] for start in starts]
    e.open()
    e.label = head
    if isinstance(variable.type, IndexType):
        e.index[variable] = e.name_index(counter, len(e.scopes) - 1)
        if low.isdigit() and step.isdigit():
            e.multiples[counter] = gcd(int(low), int(step))
    else:
        e.env[variable] = counter
    e.types[counter] = element_of(variable.type)
    for (_, argument, _), names, start in zip(carried, phis, starts):
        bind(e, argument, names)
        e.types.update(zip(names, (kind for kind, _ in start)))
    ends = [pieces(e, value) for value in body()]
    latch = e.label
    lines = e.close()
    kind = element_of(variable.type)
    if not certain:
        e.line(f"%g{k} = icmp slt {kind} {low}, {high}")
        e.line(f"br i1 %g{k}, label %pre{k}, label %{done}")
        entry = f"pre{k}"
        e.start_block(entry)
    e.line(f"br label %{head}")
    e.start_block(head)
    e.line(f"{counter} = phi {kind} [ {low}, %{entry} ], [ %n{k}, %{latch} ]")
    for names, start, end in zip(phis, starts, ends):
        for name, (piece, first), (_, next_) in zip(names, start, end):
            e.line(f"{name} = phi {piece} [ {first}, %{entry} ], [ {next_}, %{latch} ]")
    e.scopes[-1] += lines
    e.line(f"%n{k} = add nsw {kind} {counter}, {step}")
    e.line(f"%c{k} = icmp slt {kind} %n{k}, {high}")
    e.line(f"br i1 %c{k}, label %{head}, label %{done}")
    e.start_block(done)
    for (_, _, result), start, end in zip(carried, starts, ends):
        names = [text for _, text in end]
        if not certain:
            merged = zip(start, end)
            names = [e.op(f"phi {t} [ {a}, %{before} ], [ {b}, %{latch} ]") for (t, a), (_, b) in merged]
        bind(e, result, names)


def terminator(block: Block) -> Operation:
    last = block.last_op
    assert last is not None
    return last


@emits("scf.for")
def for_(e: Emitter, op: Operation) -> None:
    block = op.regions[0].block
    bounds = [e.scalar(x) for x in op.operands[:3]]
    e.force(block)
    written(e, op)

    def body() -> Sequence[SSAValue]:
        e.region(block)
        return terminator(block).operands

    def emit() -> None:
        loop(e, bounds, block.args[0], list(zip(op.operands[3:], block.args[1:], op.results)), body)

    if stores_past(e, block):
        in_two_ways(e, emit, op.results)
    else:
        emit()


@emits("scf.parallel")
def parallel(e: Emitter, op: Operation) -> None:
    block, n = op.regions[0].block, len(op.regions[0].block.args)
    e.force(block)
    written(e, op)

    def nest(bounds: Sequence[str], dim: int) -> Sequence[SSAValue]:
        if dim == n:
            e.region(block)
        else:
            loop(e, bounds[dim::n], block.args[dim], (), lambda: nest(bounds, dim + 1))
        return ()

    def emit() -> None:
        if e.threads > 1 and not e.space.depth:
            outline(e, op, lambda: e.region(block))
        else:
            nest([e.scalar(x) for x in op.operands[: 3 * n]], 0)

    if stores_past(e, block):
        in_two_ways(e, emit)
    else:
        emit()


@emits("scf.if")
def if_(e: Emitter, op: Operation) -> None:
    condition = e.scalar(op.operands[0])
    blocks = [r.block for r in op.regions if r.blocks]
    for block in blocks:
        e.force(block)
    written(e, op)
    k = e.fresh()

    def body(block: Block) -> Sequence[SSAValue]:
        e.region(block)
        return terminator(block).operands

    ways = [way(e, f"{name}{k}", partial(body, block)) for name, block in zip(("then", "else"), blocks)]
    meet(e, condition, ways, f"join{k}", op.results)


@emits("scf.yield", "scf.reduce", "func.return")
def nothing(e: Emitter, op: Operation) -> None:
    """The enclosing operation reads the operands."""
