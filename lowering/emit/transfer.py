"""Vectors from and to memory: any permutation, broadcast, strides known or not, reversed, clipped at the end.

How the lanes lie in memory decides: next to each other, a vector access; backwards, one and a shuffle; a few steps
apart, vectors of all that lies between and shuffles; in turns with a few rows of the vector, these woven into one;
along another axis of the vector that is contiguous, blocks transposed in registers; anything else, element by element.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, IntegerAttr, MemRefType, VectorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from .access import Access, load, store
from .elementwise import element_of
from .lookups import entry_of_table, table_in_memory
from .memory import load_scalar, memory_kind, store_scalar
from .state import Emitter, Form, Read, Ref, emits
from .streaming import in_two_ways, past_caches
from .text import bytes_of, mangled, mask, shuffle_of, vector_of
from .transpose import block_size, butterfly, part_of, piece, resize, reverse, spaced, transposed, woven
from .values import Lead, Vec

LINE = 64
"""Bytes that come from memory together."""

SPACED = 4
"""Most steps between lanes at which what lies between them is read, too."""


# ---- operands of the two operations
def _map(op: Operation, ref: Ref, shape: Sequence[int]) -> list[int | None]:
    """The buffer dimension of each vector axis; None: broadcast."""
    found = op.properties.get("permutation_map")
    if not isinstance(found, AffineMapAttr):
        rank = len(ref.sizes)
        return list(range(rank - len(shape), rank))
    return [f.position if isinstance(f, AffineDimExpr) else None for f in found.data.results]


def _access(e: Emitter, op: Operation, buffer: SSAValue, indices: Sequence[SSAValue], kind: VectorType) -> Access:
    ref, shape = e.refs[buffer], kind.get_shape()
    dims, forms = _map(op, ref, shape), [e.index[i] for i in indices]
    steps: tuple[int | str, ...] = tuple(0 if d is None else ref.strides[d] for d in dims)
    bounds = op.properties.get("in_bounds")
    flags = [_flag(b) for b in bounds.data] if isinstance(bounds, ArrayAttr) else [False] * len(shape)
    limits = [
        None if inside or d is None else _limit(e, ref.sizes[d], forms[d], n)
        for inside, d, n in zip(flags, dims, shape)
    ]
    return Access(e, e.address(ref, forms), ref.kind, shape, steps, tuple(limits))


def _flag(attribute: Attribute) -> bool:
    assert isinstance(attribute, IntegerAttr)
    return bool(attribute.value.data)


def _limit(e: Emitter, size: int | str, at: Form, extent: int) -> str | None:
    """size - index, unless that is known to reach `extent`."""
    if isinstance(size, int) and not at.terms:
        return None if at.constant + extent <= size else str(size - at.constant)
    return e.op(f"sub i64 {size}, {e.index_text(at)}")


def _key(op: Operation, buffer: SSAValue, indices: Sequence[SSAValue]) -> object:
    return (buffer, tuple(indices), op.properties.get("permutation_map"))


def _segments(op: Operation) -> list[int]:
    sizes = op.properties["operandSegmentSizes"]
    assert isinstance(sizes, DenseArrayBase)
    return [int(n) for n in sizes.get_values()]


@emits("vector.transfer_read")
def transfer_read(e: Emitter, op: Operation) -> None:
    """Lazy: a native vector is loaded where it is first needed."""
    result, buffer = op.results[0], op.operands[0]
    assert isinstance(result.type, VectorType)
    indices, other = op.operands[1 : 1 + _segments(op)[1]], op.operands[1 + _segments(op)[1]]
    assert _segments(op)[3] == 0, "a masked transfer_read"
    access = _access(e, op, buffer, indices, result.type)
    padding = e.scalar(other) if any(access.limits) else ""
    vec = reading(e, access, padding)
    if isinstance(ahead := op.attributes.get("mlc.prefetch"), IntegerAttr):
        prefetch(e, vec, access, ahead.value.data)
    e.env[result] = vec
    e.reads[-1].append(Read(result, vec, e.refs[buffer].root, _key(op, buffer, indices)))


def prefetch(e: Emitter, vec: Vec, access: Access, distance: int) -> None:
    """Ask for the memory `distance` bytes ahead of a vector, once for each line of it, to be read soon and again."""
    if access.steps[-1] != 1:
        return
    e.declare("void", "llvm.prefetch.p0", "ptr", "i32", "i32", "i32")
    line = max(1, LINE // bytes_of(access.kind))
    for lead in vec.leads():
        if any(k and not step for k, step in zip(lead, access.steps)):
            continue  # the same memory
        for first in range(0, vec.shape[-1], line):
            ahead = e.op(f"getelementptr i8, ptr {access.at((*lead, first))}, i64 {distance}")
            e.line(f"call void @llvm.prefetch.p0(ptr {ahead}, i32 0, i32 3, i32 1)")


def reading(e: Emitter, access: Access, padding: str = "") -> Vec:
    """The n-D vector that lies at an access; elements that do not exist are `padding`."""
    kind, step, across = access.kind, access.steps[-1], access.across

    def scalar(index: Lead) -> str:
        exists = access.exists(index)
        if exists is None:
            return load_scalar(e, kind, access.at(index))
        one = load(e, kind, access.at(index), 1, e.op(f"insertelement <1 x i1> poison, i1 {exists}, i64 0"))
        value = e.op(f"extractelement {vector_of(kind, 1)} {one}, i64 0")
        return e.op(f"select i1 {exists}, {kind} {value}, {kind} {padding}")

    def native(lead: Lead, chunk: int) -> str:
        count, width, first = vec.count(chunk), vec.width(chunk), chunk * e.lanes
        if step == 0:
            return e.splat(vec.sca((*lead, 0)), kind, width)
        lanes = access.lanes(lead, chunk, count, width)
        if step == 1 or vec.shape[-1] == 1:
            value = load(e, kind, access.at((*lead, first)), width, lanes)
            if any(access.limits) and lanes is not None:
                fill = e.splat(padding, kind, width)
                return e.op(
                    f"select {vector_of('i1', width)} {lanes}, {vec.type(chunk)} {value}, {vec.type(chunk)} {fill}"
                )
            return value
        if step == -1 and not any(access.limits):
            value = load(e, kind, access.at((*lead, first + count - 1)), width, lanes)
            return reverse(e, value, kind, width, count)
        if across is None and isinstance(step, int) and 1 < step <= SPACED < count and not any(access.limits):
            start = access.at((*lead, first))
            return spaced(e, kind, lambda at, n: run(e.gep(start, memory_kind(kind), at), n, width), step, count, width)
        if across is None:
            return vec.collect(lead, chunk)
        if (alternating := access.alternating) is not None and count == width:
            return apart(e, access, lead, chunk, alternating, width)
        return transposed(e, vec, lead, chunk, across, row, True)

    def run(pointer: str, count: int, size: int) -> str:
        return load(e, kind, pointer, size, None if count == size else mask(count, size))

    def row(index: Lead, count: int, size: int) -> str:
        return run(access.at(index), count, size)

    vec = e.vec(kind, access.shape, native, scalar)
    vec.access = access
    return vec


def apart(e: Emitter, access: Access, lead: Lead, chunk: int, across: int, width: int) -> str:
    """One of several rows whose elements take turns in memory."""
    ways = access.shape[across]
    first = (*lead[:across], 0, *lead[across + 1 :], chunk * e.lanes)
    both = load(e, access.kind, access.at(first), ways * width, None)
    native = vector_of(access.kind, ways * width)
    order = range(lead[across], ways * width, ways)
    return e.op(f"shufflevector {native} {both}, {native} poison, {shuffle_of(order)}")


@emits("vector.transfer_write")
def transfer_write(e: Emitter, op: Operation) -> None:
    vec, buffer = e.vector(op.operands[0]), op.operands[1]
    indices = op.operands[2 : 2 + _segments(op)[2]]
    kind = op.operands[0].type
    assert isinstance(kind, VectorType) and isinstance(buffer.type, MemRefType)
    access = _access(e, op, buffer, indices, kind)
    e.writes(e.refs[buffer].root, _key(op, buffer, indices))
    past = past_caches(op) and e.stream and _aligned(e, e.refs[buffer], [e.index[i] for i in indices], access)

    def emit() -> None:
        if past and e.streamed is not None:
            e.streamed[e.refs[buffer].root] = None
        writing(e, vec, access, past and e.stream)

    if past and e.streamed is None:
        in_two_ways(e, emit)
    else:
        emit()


def _aligned(e: Emitter, ref: Ref, at: Sequence[Form], access: Access) -> bool:
    """Does every native vector start at a multiple of its size, if the buffer does?"""
    if ref.root not in e.arguments or ref.pointer != ref.base or access.steps[-1] != 1 or any(access.limits):
        return False
    if access.shape[-1] % e.lanes or e.lanes * bytes_of(ref.kind) % 16:
        return False
    offsets: list[int | str] = list(access.steps[:-1])
    for stride, form in zip(ref.strides, at):
        if isinstance(stride, str):
            return False
        factors = [form.constant, *(k * e.multiple_of(n) for n, k in form.terms.items())]
        offsets += [stride * factor for factor in factors]
    return all(isinstance(o, int) and o % e.lanes == 0 for o in offsets)


def writing(e: Emitter, vec: Vec, access: Access, stream: bool = False) -> None:
    """Chunk by chunk: where a source is transposed, few native vectors are alive at a time."""
    kind, step, across, alternating = access.kind, access.steps[-1], access.across, access.alternating
    pieces = ((lead, chunk) for chunk in range(vec.chunks) for lead in vec.leads())
    for group in vec.woven(pieces):
        for lead, chunk in group:
            count, width, first = vec.count(chunk), vec.width(chunk), chunk * e.lanes
            if step == 1 or vec.shape[-1] == 1:
                lanes = access.lanes(lead, chunk, count, width)
                store(e, kind, vec.nat(lead, chunk), access.at((*lead, first)), width, lanes, stream)
            elif step == -1 and not any(access.limits):
                lanes = access.lanes(lead, chunk, count, width)
                value = reverse(e, vec.nat(lead, chunk), kind, width, count)
                store(e, kind, value, access.at((*lead, first + count - 1)), width, lanes)
            elif alternating is not None:
                if lead[alternating] == 0:
                    _store_alternating(e, vec, access, lead, chunk, alternating)
            elif across is None:
                for lane in range(count):
                    _store_one(e, access, (*lead, first + lane), vec.sca((*lead, first + lane)))
            elif lead[across] % block_size(vec, across) == 0:
                _store_block(e, vec, access, lead, chunk, across)


def _store_one(e: Emitter, access: Access, index: Lead, value: str) -> None:
    exists = access.exists(index)
    if exists is None:
        store_scalar(e, access.kind, value, access.at(index))
        return
    one = e.op(f"insertelement {vector_of(access.kind, 1)} poison, {access.kind} {value}, i64 0")
    store(e, access.kind, one, access.at(index), 1, e.op(f"insertelement <1 x i1> poison, i1 {exists}, i64 0"))


def _store_alternating(e: Emitter, vec: Vec, access: Access, lead: Lead, chunk: int, across: int) -> None:
    """The rows along `across` woven into one vector."""
    count, width, ways = vec.count(chunk), vec.width(chunk), access.shape[across]
    rows = [vec.nat((*lead[:across], r, *lead[across + 1 :]), chunk) for r in range(ways)]
    value = woven(e, vec.kind, rows, width)
    lanes = None if count == width else mask(count * ways, width * ways)
    store(e, access.kind, value, access.at((*lead, chunk * vec.lanes)), width * ways, lanes)


def _store_block(e: Emitter, vec: Vec, access: Access, lead: Lead, chunk: int, across: int) -> None:
    """Rows along `across` are contiguous in memory: transpose a block and store its rows."""
    size = block_size(vec, across)
    count = min(size, vec.shape[across] - lead[across])
    natives = [vec.nat((*lead[:across], lead[across] + r, *lead[across + 1 :]), chunk) for r in range(count)]
    rows = [resize(e, value, vec.kind, vec.width(chunk), size) for value in natives]
    n = piece(vec.kind, size)
    blocks = [butterfly(e, vec.kind, rows[k : k + n], size, n) for k in range(0, count, n)]
    for lane in range(vec.count(chunk)):
        for k, block in enumerate(blocks):
            part, index = min(n, count - k * n), (*lead[:across], lead[across] + k * n, *lead[across + 1 :])
            value = part_of(e, vec.kind, block[lane % n], size, lane // n * n, n)
            at = access.at((*index, chunk * vec.lanes + lane))
            store(e, access.kind, value, at, n, None if part == n else mask(part, n))


# ---- elements from anywhere
@emits("vector.gather")
def gather(e: Emitter, op: Operation) -> None:
    """Lazy. The target decides whether a native vector is one instruction or as many loads as it has lanes."""
    if (found := entry_of_table(e, op)) is not None:
        e.env[op.results[0]] = found
        return
    result, buffer = op.results[0], op.operands[0]
    indices, mask_, other = (e.vector(v) for v in op.operands[2:])
    assert isinstance(result.type, VectorType)
    ref = e.refs[buffer] if buffer in e.refs else table_in_memory(e, buffer)
    assert ref.strides == [1], "a gather of flat memory"
    base, stored = e.address(ref, [e.index[op.operands[1]]]), memory_kind(ref.kind)

    def native(lead: Lead, chunk: int) -> str:
        width, count = vec.width(chunk), vec.count(chunk)
        kind, bits, pointers = (vector_of(k, width) for k in (stored, "i1", "ptr"))
        lanes = mask_.nat(lead, chunk)
        if count < width:
            used = mask(count, width)
            lanes = used if lanes == "splat (i1 true)" else e.op(f"and {bits} {lanes}, {used}")
        at = e.op(f"getelementptr {stored}, ptr {base}, {indices.type(chunk)} {indices.nat(lead, chunk)}")
        name = f"llvm.masked.gather.{mangled(stored, width)}.v{width}p0"
        e.declare(kind, name, pointers, "i32", bits, kind)
        arguments = f"{pointers} {at}, i32 {bytes_of(ref.kind)}, {bits} {lanes}, {kind} {other.nat(lead, chunk)}"
        return e.op(f"call {kind} @{name}({arguments})")

    vec = e.vec(ref.kind, result.type.get_shape(), native)
    e.env[result] = vec
    e.reads[-1].append(Read(result, vec, ref.root, None))


# ---- upstream's plainer forms
@emits("vector.load")
def vector_load(e: Emitter, op: Operation) -> None:
    result, buffer, indices = op.results[0], op.operands[0], op.operands[1:]
    assert isinstance(result.type, VectorType)
    ref, shape = e.refs[buffer], result.type.get_shape()
    steps = tuple(ref.strides[len(ref.strides) - len(shape) :])
    access = Access(e, e.address(ref, [e.index[i] for i in indices]), ref.kind, shape, steps, (None,) * len(shape))
    vec = reading(e, access)
    e.env[result] = vec
    e.reads[-1].append(Read(result, vec, ref.root, (buffer, tuple(indices), None)))


@emits("vector.store")
def vector_store(e: Emitter, op: Operation) -> None:
    vec, buffer, indices = e.vector(op.operands[0]), op.operands[1], op.operands[2:]
    ref = e.refs[buffer]
    steps = tuple(ref.strides[len(ref.strides) - len(vec.shape) :])
    base = e.address(ref, [e.index[i] for i in indices])
    e.writes(ref.root, (buffer, tuple(indices), None))
    writing(e, vec, Access(e, base, ref.kind, vec.shape, steps, (None,) * len(vec.shape)))


__all__ = ["element_of", "reading", "writing"]
