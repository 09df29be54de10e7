"""scf.for, scf.if and scf.parallel (in order, or by `parallel`), and the end of a function.

A loop becomes head -> ... -> head | done with its variables as phis; unless its first trip is certain, a test stands
before it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd

from xdsl.dialects.builtin import IndexType, VectorType
from xdsl.ir import Block, Operation, SSAValue

from .elementwise import element_of
from .memory import root_of
from .parallel import outline
from .state import Emitter, emits
from .values import Vec

Pieces = list[tuple[str, str]]


def pieces(e: Emitter, value: SSAValue) -> Pieces:
    """(type, text) of what a value consists of."""
    found = e.env.get(value)
    if isinstance(found, Vec):
        return list(zip(found.types(), found.all()))
    if is_token(value):
        return []
    return [(element_of(value.type), e.scalar(value))]


def is_token(value: SSAValue) -> bool:
    """Is it the name of a copy or of some, which is nothing at run time?"""
    return value.type.name == "nvgpu.device.async.token"


def bind(e: Emitter, value: SSAValue, names: list[str]) -> None:
    """Let `value` consist of `names`, defined in the innermost scope."""
    kind = value.type
    if isinstance(kind, IndexType):
        e.index[value] = e.name_index(names[0], len(e.scopes) - 1)
    elif isinstance(kind, VectorType) and kind.get_num_dims():
        vec = e.vec(element_of(kind), kind.get_shape(), lambda lead, chunk: table[lead, chunk])
        table = dict(zip(vec.pieces(), names))
        e.env[value] = vec
    elif not is_token(value):
        e.env[value] = names[0]


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

    loop(e, bounds, block.args[0], list(zip(op.operands[3:], block.args[1:], op.results)), body)


@emits("scf.parallel")
def parallel(e: Emitter, op: Operation) -> None:
    block, n = op.regions[0].block, len(op.regions[0].block.args)
    e.force(block)
    written(e, op)
    if e.threads > 1 and not e.space.depth:
        outline(e, op, lambda: e.region(block))
        return
    bounds = [e.scalar(x) for x in op.operands[: 3 * n]]

    def nest(dim: int) -> Sequence[SSAValue]:
        if dim == n:
            e.region(block)
        else:
            loop(e, bounds[dim::n], block.args[dim], (), lambda: nest(dim + 1))
        return ()

    nest(0)


@emits("scf.if")
def if_(e: Emitter, op: Operation) -> None:
    condition = e.scalar(op.operands[0])
    blocks = [r.block for r in op.regions if r.blocks]
    for block in blocks:
        e.force(block)
    written(e, op)
    k, before = e.fresh(), e.label
    labels, bodies = [f"then{k}", f"else{k}"][: len(blocks)], list[list[str]]()
    ends: list[list[Pieces]] = []
    sources: list[str] = []
    for label, block in zip(labels, blocks):
        e.label = label
        e.open()
        e.region(block)
        ends.append([pieces(e, value) for value in terminator(block).operands])
        sources.append(e.label)
        bodies.append(e.close())
    join = f"join{k}"
    e.label = before
    e.line(f"br i1 {condition}, label %{labels[0]}, label %{labels[1] if len(blocks) > 1 else join}")
    for label, lines in zip(labels, bodies):
        e.start_block(label)
        e.scopes[-1] += lines
        e.line(f"br label %{join}")
    e.start_block(join)
    for i, result in enumerate(op.results):
        pairs = zip(ends[0][i], ends[1][i])
        text = [e.op(f"phi {t} [ {a}, %{sources[0]} ], [ {b}, %{sources[1]} ]") for (t, a), (_, b) in pairs]
        bind(e, result, text)


@emits("scf.yield", "scf.reduce", "func.return")
def nothing(e: Emitter, op: Operation) -> None:
    """The enclosing operation reads the operands."""
