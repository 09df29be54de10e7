"""vector operations that move elements: broadcast, shape_cast, transpose, extract, insert; kinds of combination."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import DenseArrayBase, IndexType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from .access import Access, load
from .elementwise import element_of
from .state import Emitter, emits
from .text import mask
from .transpose import part_of, resize, transposed
from .values import Assembled, Lead

# Combining kind: the operation for floats, for integers.
KINDS = {
    "add": ("arith.addf", "arith.addi"),
    "mul": ("arith.mulf", "arith.muli"),
    "maximumf": ("arith.maximumf", ""),
    "minimumf": ("arith.minimumf", ""),
    "maxnumf": ("arith.maxnumf", ""),
    "minnumf": ("arith.minnumf", ""),
    "maxsi": ("", "arith.maxsi"),
    "minsi": ("", "arith.minsi"),
    "maxui": ("", "arith.maxui"),
    "minui": ("", "arith.minui"),
    "and": ("", "arith.andi"),
    "or": ("", "arith.ori"),
    "xor": ("", "arith.xori"),
}


def shape_of(kind: Attribute) -> tuple[int, ...]:
    return kind.get_shape() if isinstance(kind, VectorType) else ()


def bind(e: Emitter, result: SSAValue, value: str) -> None:
    """A scalar result."""
    if isinstance(result.type, IndexType):
        e.index[result] = e.name_index(value, len(e.scopes) - 1)
    else:
        e.env[result] = value


def numbers(attribute: Attribute | None) -> list[int]:
    assert isinstance(attribute, DenseArrayBase)
    return [int(i) for i in attribute.get_values()]


@emits("vector.broadcast", "vector.splat")
def broadcast(e: Emitter, op: Operation) -> None:
    result, operand = op.results[0], op.operands[0]
    shape, kind = shape_of(result.type), element_of(result.type)
    if not shape_of(operand.type):
        text = e.scalar(operand)
        e.env[result] = e.vec(kind, shape, lambda lead, c: e.splat(text, kind, vec.width(c)), lambda at: text)
        vec = e.vector(result)
        return
    source = e.vector(operand)
    skip = len(shape) - len(source.shape)

    def pick(at: Lead) -> Lead:
        return tuple(i if z > 1 else 0 for i, z in zip(at[skip:], source.shape))

    def native(lead: Lead, chunk: int) -> str:
        if source.shape[-1] == 1 and shape[-1] > 1:
            return e.splat(source.sca(pick((*lead, 0))), kind, out.width(chunk))
        return source.nat(pick((*lead, 0))[:-1], chunk)

    out = e.vec(kind, shape, native, lambda at: source.sca(pick(at)))
    e.env[result] = out


@emits("vector.shape_cast")
def shape_cast(e: Emitter, op: Operation) -> None:
    """Elements keep their row-major order; unit dimensions that come and go cost nothing."""
    source, result = e.vector(op.operands[0]), op.results[0]
    shape, kind = shape_of(result.type), element_of(result.type)
    if not shape:
        bind(e, result, source.sca((0,) * len(source.shape)))
        return

    def back(at: Lead) -> Lead:
        flat = 0
        for i, size in zip(at, shape):
            flat = flat * size + i
        out: list[int] = []
        for size in reversed(source.shape):
            flat, i = divmod(flat, size)
            out.insert(0, i)
        return tuple(out)

    def native(lead: Lead, chunk: int) -> str:
        return source.nat(back((*lead, 0))[:-1], chunk)

    out = e.vec(kind, shape, native if shape[-1] == source.shape[-1] else None, lambda at: source.sca(back(at)))
    e.env[result] = out


@emits("vector.transpose")
def transpose(e: Emitter, op: Operation) -> None:
    source, result = e.vector(op.operands[0]), op.results[0]
    order = numbers(op.properties["permutation"])
    n = len(order)
    across = order.index(n - 1)

    def back(at: Lead) -> Lead:
        return tuple(at[order.index(d)] for d in range(n))

    access = source.access
    parts = isinstance(access, Access) and access.steps[-1] == 1 and not any(access.limits)

    def row(index: Lead, count: int, size: int) -> str:
        at = back(index)
        chunk, first = divmod(at[-1], source.lanes)
        if isinstance(access, Access) and parts and not source.known(at[:-1], chunk):
            return load(e, source.kind, access.at(at), size, None if count == size else mask(count, size))
        width = max(size, source.width(chunk)) if parts else size
        found = resize(e, source.nat(at[:-1], chunk), source.kind, source.width(chunk), width)
        return part_of(e, source.kind, found, width, first, size) if parts else found

    def native(lead: Lead, chunk: int) -> str:
        if across == n - 1:
            return source.nat(back((*lead, 0))[:-1], chunk)
        return transposed(e, out, lead, chunk, across, row, parts)

    out = e.vec(source.kind, shape_of(result.type), native, lambda at: source.sca(back(at)))
    e.env[result] = out


@emits("vector.extract")
def extract(e: Emitter, op: Operation) -> None:
    source, result = e.vector(op.operands[0]), op.results[0]
    at = tuple(numbers(op.properties["static_position"]))
    assert len(op.operands) == 1, "vector.extract at a run-time position"
    if not shape_of(result.type):
        bind(e, result, source.sca(at))
        return
    if isinstance(source, Assembled) and source.length == len(at):
        if at in source.parts:
            e.env[result] = source.parts[at]
            return
        source = source.whole
    e.env[result] = e.vec(
        source.kind,
        shape_of(result.type),
        lambda lead, chunk: source.nat((*at, *lead), chunk),
        lambda index: source.sca((*at, *index)),
    )


@emits("vector.insert")
def insert(e: Emitter, op: Operation) -> None:
    """Sub-vectors that are inserted one after the other are in one table, so that a chain of them has no depth."""
    part, whole, result = op.operands[0], e.vector(op.operands[1]), op.results[0]
    at = tuple(numbers(op.properties["static_position"]))
    if shape_of(part.type):
        parts = {at: e.vector(part)}
        if isinstance(whole, Assembled) and whole.length == len(at):
            whole, parts = whole.whole, whole.parts | parts
        e.env[result] = Assembled(whole, len(at), parts)
        return
    text, (chunk_at, lane) = e.scalar(part), divmod(at[-1], e.lanes)

    def native(lead: Lead, chunk: int) -> str:
        old = whole.nat(lead, chunk)
        if (lead, chunk) != (at[:-1], chunk_at):
            return old
        return e.op(f"insertelement {whole.type(chunk)} {old}, {whole.kind} {text}, i64 {lane}")

    e.env[result] = e.vec(whole.kind, whole.shape, native)


@emits("vector.from_elements")
def from_elements(e: Emitter, op: Operation) -> None:
    result, texts = op.results[0], [e.scalar(o) for o in op.operands]
    shape = shape_of(result.type)
    strides = [prod(shape[i + 1 :]) for i in range(len(shape))]
    e.env[result] = e.vec(
        element_of(result.type), shape, None, lambda at: texts[sum(i * s for i, s in zip(at, strides))]
    )
