"""Where the values of a kernel live: whole => an SSA vector, sliced => memory; and which memory.

A value that its producer completes at once and its readers read at once is one vector of its non-unit dimensions, in
order. Every other value is in memory, and its place is handed from users to producers: a result's tile, a joined
piece, and by `heir` the memory that the last reader writes. Nothing here changes IR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from xdsl.dialects.builtin import IntegerType, MemRefType, VectorType, i1
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from ..dialects.loop.attributes import CARRY, THREADED
from ..dialects.loop.linear import Access, Linear, axes_of
from ..dialects.loop.ops import ForOp, JoinOp, ScatterOp, SortOp, StageOp, shape
from ..dialects.loop.queries import result_index
from ..dialects.loop.threads import fields
from ..dialects.nd.dims import Dim, size

Axes = Sequence[tuple[str, int]]
BYTE = IntegerType(8)
Memory = MemRefType[Attribute]


class View(NamedTuple):
    """A value's memory: `buffer[offset + scale * index]`; with `combine`, a store combines with what is there.

    `swizzle`: elements of a chunk of 16 bytes; chunk c of row r of a matrix lies at c xor (r mod 8), so that the same
    chunk of eight neighbouring rows lies in different banks.
    """

    buffer: SSAValue
    offset: Access
    scale: tuple[int, ...]
    combine: str = ""
    stream: bool = False
    swizzle: int = 0

    def at(self, access: Access) -> Access:
        return tuple(o + f.scaled(s) for o, s, f in zip(self.offset, self.scale, access))

    def within(self, offset: Access, scale: Sequence[int] | None = None) -> View:
        """The memory of a part that begins at `offset` and takes every `scale`-th index."""
        steps = self.scale if scale is None else tuple(a * b for a, b in zip(self.scale, scale))
        return self._replace(offset=self.at(offset), scale=steps)


def whole_view(buffer: SSAValue, rank: int) -> View:
    return View(buffer, (Linear(),) * rank, (1,) * rank)


def stored(element: Attribute) -> Attribute:
    """The element type in memory: a truth value is a byte."""
    return BYTE if element == i1 else element


def vector_of(element: Attribute, axes: Axes) -> Attribute:
    """A vector over axes; a scalar over none."""
    return vector_type(element, tuple([e for _, e in axes])) if axes else element


@lru_cache(1024)
def vector_type(element: Attribute, shape_: tuple[int, ...]) -> Attribute:
    return VectorType(element, shape_)


def vec_axes(stage: StageOp) -> list[tuple[str, int]]:
    """The axes that become dimensions of vectors."""
    return [(a.name, a.extent) for a in stage.axes if a.kind == "vec" and isinstance(a.extent, int) and a.extent > 1]


def seq_axes(stage: StageOp) -> list[tuple[str, Dim]]:
    """The axes that become loops."""
    vec = {n for n, _ in vec_axes(stage)}
    return [(a.name, a.extent) for a in stage.axes if a.name not in vec and a.kind not in THREADED]


def vector_axes(stage: StageOp, access: Access) -> list[tuple[str, int]] | None:
    """The vec axes of an access in order of dimensions; None unless each dimension is one whole vec axis or a unit, or
    is shared out to threads (see `fragment`)."""
    if any(a.kind in THREADED for a in stage.axes):
        found_ = fragment(stage, access)
        return None if found_ is None else [(p.name, p.extent) for parts in found_ for p in parts if not p.mask]
    extents = dict(vec_axes(stage))
    units = [n for n, e in seq_axes(stage) if e == 1]
    found: list[tuple[str, int]] = []
    for form in (f.without(units) for f in access):
        if form.const != 0 or len(form.terms) > 1:
            return None
        for name, c in form.terms:
            if c != 1 or name not in extents or (name, extents[name]) in found:
                return None
            found.append((name, extents[name]))
    return found


class Part(NamedTuple):
    """A digit of an index: a vec axis, or bits of the thread's number."""

    name: str
    extent: int
    mask: int


def fragment(stage: StageOp, access: Access) -> list[list[Part]] | None:
    """For each dimension its digits, the one with the greatest steps first; None unless vec and mapped axes count it
    whole: `128 * j0 + 4 * j1 + j` over (j0: vec 2, j1: lane 32, j: vec 4)."""
    masks = {f.name: f.mask for f in fields(stage.axes)}
    extents = {a.name: a.extent for a in stage.axes}
    vec = {n for n, _ in vec_axes(stage)}
    units = [n for n, e in extents.items() if e == 1]
    found: list[list[Part]] = []
    seen: set[str] = set()
    for form in (f.without(units) for f in access):
        step, parts = 1, list[Part]()
        for name, c in sorted(form.terms, key=lambda t: t[1]):
            extent = extents.get(name)
            if c != step or name in seen or not isinstance(extent, int) or (name not in vec and name not in masks):
                return None
            seen.add(name)
            parts.insert(0, Part(name, extent, masks.get(name, 0)))
            step *= extent
        if form.const != 0:
            return None
        found.append(parts)
    return found


def made(value: SSAValue) -> tuple[StageOp, Access] | None:
    """The stage that makes a value, through the loops that hand it on, and where."""
    op = value.owner
    while isinstance(op, ForOp):
        value = op.terminator.operands[result_index(value)]
        op = value.owner
    return (op, op.target(result_index(value)).access) if isinstance(op, StageOp) else None


def register_axes(value: SSAValue) -> Axes:
    """The dimensions of a value's vector in registers: of a thread's part, where threads hold parts."""
    source = made(value)
    if source is not None and any(a.kind in THREADED for a in source[0].axes):
        return vector_axes(*source) or []
    return [(f"_{d}", e) for d, e in enumerate(shape(value)) if isinstance(e, int) and e != 1]


def digits(parts: list[list[Part]] | None) -> list[list[tuple[int, int]]] | None:
    """Without names and units: what makes fragments of two stages equal."""
    return None if parts is None else [[(p.extent, p.mask) for p in one if p.extent > 1] for one in parts]


def reads_whole(stage: StageOp, value: SSAValue, access: Access) -> bool:
    """Is every element of the value read at one point of the sequential axes, by the threads that have it?"""
    source = made(value)
    if source is not None and any(a.kind in THREADED for s in (stage, source[0]) for a in s.axes):
        own = digits(fragment(stage, access))
        return own is not None and own == digits(fragment(*source))
    axes = vector_axes(stage, access)
    return axes is not None and [e for _, e in axes] == [d for d in shape(value) if d != 1]


def kept_axes(stage: StageOp, k: int) -> list[tuple[str, Dim]]:
    """The loops over which result k is spread."""
    spread = axes_of(stage.target(k).access)
    return [(n, e) for n, e in seq_axes(stage) if n in spread and e != 1]


def register_loops(stage: StageOp) -> list[tuple[str, Dim]]:
    """The loops inside of which sums start and end: those over which the least spread sum is spread."""
    sums = [kept_axes(stage, k) for k, t in enumerate(stage.targets.data) if t.data.mode]
    return min(sums, key=len) if sums else []


def sums_in_memory(stage: StageOp, k: int) -> bool:
    """Must result k be accumulated in memory, since another sum of the stage wants other loops outside?"""
    return bool(stage.target(k).mode) and kept_axes(stage, k) != register_loops(stage)


def is_vector(value: SSAValue) -> bool:
    """Is the value complete in registers when its producer is done?"""
    op = value.owner
    if isinstance(op, StageOp):
        k = result_index(value)
        return not kept_axes(op, k) and not sums_in_memory(op, k) and vector_axes(op, op.target(k).access) is not None
    if isinstance(op, ForOp):
        k = result_index(value)
        mode = op.target(k).mode
        return carried_in_registers(op, k) if mode == CARRY else bool(mode) and is_vector(op.terminator.operands[k])
    if isinstance(value, BlockArgument) and isinstance(loop := value.owner.parent_op(), ForOp):
        return carried_in_registers(loop, carry_results(loop)[value.index])
    return False


def carry_results(loop: ForOp) -> list[int]:
    """The results that carry, in order of the body's arguments."""
    return [k for k, t in enumerate(loop.targets.data) if t.data.mode == CARRY]


def carried_in_registers(loop: ForOp, k: int) -> bool:
    """Is carried value k made whole by its iteration, and read whole by the next?"""
    value = loop.terminator.operands[k]
    if value.owner is loop.body.block or value.owner.parent is not loop.body.block or not is_vector(value):
        return False
    source = made(value)
    if source is not None and any(a.kind in THREADED for a in source[0].axes):
        return False
    argument = loop.body.block.args[carry_results(loop).index(k)]
    return all(read_whole_by(use.operation, use.index, argument) for use in argument.uses)


def read_whole_by(user: Operation, operand: int, value: SSAValue) -> bool:
    if isinstance(user, SortOp | ScatterOp) or (isinstance(user, StageOp) and user.whole(operand)):
        return False
    return not isinstance(user, StageOp) or reads_whole(user, value, user.accesses.data[operand].data)


def needs_memory(value: SSAValue) -> bool:
    """Must the value be in memory, whether or not it is a vector too?"""
    if not is_vector(value):
        return True
    return not all(read_whole_by(use.operation, use.index, value) for use in value.uses)


def combinable(value: SSAValue, mode: str) -> bool:
    """May the elements of the value be combined into memory as they are made, each of them once?"""
    op = value.owner
    if isinstance(op, StageOp):
        return not sums_in_memory(op, result_index(value)) or op.target(result_index(value)).mode == mode
    if isinstance(op, ForOp):
        own = op.target(result_index(value)).mode
        return not op.clamped and own != CARRY and (own in ("", mode) or is_vector(value))
    return False


def disjoint(join: JoinOp) -> bool:
    """Do the pieces fill the result without covering each other?"""
    return sum((size(shape(p)) for p in join.pieces), start=0) == size(shape(join.res))


def direct_pieces(join: JoinOp, block: Block, placed: Mapping[SSAValue, View]) -> list[bool]:
    """Which pieces their producers may write in place: what covers them comes later, and is not read."""
    fills = disjoint(join)
    direct: list[bool] = []
    owners: list[Operation] = []
    for k, piece in enumerate(join.pieces):
        op = piece.owner
        free = isinstance(op, Operation) and op.parent is block and piece not in placed
        alone = all(use.operation is join for use in piece.uses) and list(join.pieces).count(piece) == 1
        # One op that makes two of them writes them in turns.
        after = not owners or (owners[-1] is not op and owners[-1].is_before_in_block(op))  # pyright: ignore
        ordered = all(direct) and after
        direct.append(free and list(join.pieces).index(piece) == k and (fills or (alone and ordered)))
        if isinstance(op, Operation):
            owners.append(op)
    return direct


def heir(value: SSAValue, views: Mapping[SSAValue, View], protected: Sequence[SSAValue]) -> View | None:
    """Destination propagation: the memory of a result that its last reader writes exactly where it reads this value.

    Not for streamed results: going through the cache twice is what streaming avoids. Not for protected buffers, whose
    old contents are still read.
    """
    producer = value.owner
    assert isinstance(producer, Operation)
    block = producer.parent
    users = list(dict.fromkeys(u.operation for u in value.uses))
    if block is None or any(not isinstance(u, StageOp) or u.parent is not block for u in users):
        return None
    last = max(users, key=block.get_operation_index, default=None)
    if not isinstance(last, StageOp):
        return None
    if isinstance(producer, JoinOp):
        others = [u.operation for p in producer.pieces for u in p.uses if u.operation is not producer]
        if any(o.parent is not block or o is last or last.is_before_in_block(o) for o in others):
            return None
    accesses = [a for v, a in last.reads() if v is value]
    for k, result in enumerate(last.results):
        view, target = views.get(result), last.target(k)
        if view is None or view.buffer in protected or view.combine or target.mode or target.stream:
            continue
        taken = any(v.buffer is view.buffer for r, v in views.items() if r is not result and in_block(r, block))
        if not taken and accesses == [target.access] and result.type == value.type:
            return view._replace(stream=False)
    return None


def in_block(value: SSAValue, block: Block) -> bool:
    return isinstance(value.owner, Operation) and value.owner.parent is block


def written_in_place(argument: SSAValue, result: SSAValue) -> bool:
    """May a result overwrite an argument: is each element read only for the element that replaces it, once?"""
    if isinstance(scatter := result.owner, ScatterOp):
        uses = [u for u in argument.uses if u.operation.name != "loop.size"]
        return scatter.into is argument and len(uses) == 1
    access: Access = (Linear(),) * len(shape(result))
    value, op = result, result.owner
    while isinstance(op, ForOp):
        target = op.target(result_index(value))
        if op.clamped or target.mode:
            return False
        access = tuple(a + f for a, f in zip(access, target.access))
        value = op.terminator.operands[result_index(value)]
        if in_block(value, op.body.block) is False:
            return False
        op = value.owner
    if not isinstance(op, StageOp) or op.target(result_index(value)).mode or argument.type != result.type:
        return False
    access = tuple(a + f for a, f in zip(access, op.target(result_index(value)).access))
    return all(
        use.operation is op and op.accesses.data[use.index].data == access
        for use in argument.uses
        if use.operation.name != "loop.size"
    )
