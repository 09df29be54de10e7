"""Loops whose operands are under way while others are used: `loop.for .. attributes {loop.stages = 3}` on a GPU.

    the first two blocks of the operands begin to be copied       a group of copies each
    scf.for %k ..
      nvgpu.device_async_wait {numGroups = 1}                      the block of this iteration has come
      the block after next begins to be copied                     to where the last iteration's was
      ...                                                          what the loop does with its block

An operand is a stage of the loop that depends on nothing made in it and is read from memory: its memory is a ring of as
many blocks as there are stages. Plain copies are asynchronous; anything else is computed ahead. Blocks behind the last
one are the last one again, so that no iteration differs.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntAttr, IntegerAttr, MemRefType, NoneAttr, StridedLayoutAttr, i1
from xdsl.ir import Operation, SSAValue

from ..dialects.gpu import WORKGROUP
from ..dialects.loop.linear import Access, Linear, coefs
from ..dialects.loop.ops import ForOp, StageOp, element_of, shape
from ..dialects.loop.threads import fields
from ..dialects.nvgpu.ops import COPIED_BYTES, CopyOp, CreateGroupOp, WaitOp
from .loop_memory import memref_of
from .loop_state import nest
from .loop_threads import VECTOR, bytes_of, padded
from .matrix_product import matrix_product
from .storage import Memory, View, needs_memory, seq_axes, vec_axes

if TYPE_CHECKING:
    from .loop_control import Kernel

STAGES = "loop.stages"
SWIZZLED = 8
"""Chunks among which a swizzle exchanges."""

Body = Callable[[list[SSAValue]], list[SSAValue]]


def stages_of(op: ForOp) -> int:
    """How many blocks of its operands the loop has in memory."""
    found = op.attributes.get(STAGES)
    return found.value.data if isinstance(found, IntegerAttr) and op.extent.data != op.stride else 1


def operands_of(op: ForOp) -> list[StageOp]:
    """The stages of a loop that can run ahead of it."""
    block = op.body.block

    def ready(stage: StageOp) -> bool:
        free = all(not isinstance(v.owner, Operation) or v.owner.parent is not block for v in stage.ins)
        return free and all(v.owner is not block for v in stage.ins)

    def local(value: SSAValue) -> bool:
        inside = all(use.operation is not block.last_op for use in value.uses)
        return inside and needs_memory(value) and all(isinstance(d, int) for d in shape(value))

    found = [s for s in block.ops if isinstance(s, StageOp) and ready(s) and all(local(r) for r in s.results)]
    return [s for s in found if not any(t.data.mode for t in s.targets.data)]


def pipelined(kernel: Kernel, op: ForOp, inits: list[SSAValue], build: Body) -> list[SSAValue]:
    """The loop with its operands ahead; `build` makes the rest of an iteration."""
    axis, count, ahead = op.axis.data, stages_of(op), operands_of(op)
    slot = f"{axis}_slot"
    rings(kernel, ahead, count, slot)
    last = kernel.dim(op.extent.data - op.stride)

    def begin(position: SSAValue, place: SSAValue) -> SSAValue:
        kernel.bound_to(axis, position)
        kernel.bound_to(slot, place)
        for stage in ahead:
            kernel.location = stage.location
            if not copied(kernel, stage):
                kernel.stage(stage, {})
        kernel.location = op.location
        return kernel.emit(CreateGroupOp.make([]))

    tokens: list[SSAValue] = []
    for k in range(count - 1):
        first = kernel.index_op(arith.MinSIOp, kernel.number(k * op.stride), last)
        tokens.append(begin(first, kernel.number(k)))
    kernel.done += ahead

    def body(values: list[SSAValue]) -> list[SSAValue]:
        at = kernel.bound(axis)
        number = kernel.index_op(arith.DivUIOp, at, kernel.number(op.stride), head=False)
        kernel.add(WaitOp.make(tokens[-1], count - 2))
        beyond = kernel.index_op(arith.AddiOp, at, kernel.number((count - 1) * op.stride), head=False)
        later = kernel.index_op(arith.AddiOp, number, kernel.number(count - 1), head=False)
        turns = kernel.number(count)
        begin(
            kernel.index_op(arith.MinSIOp, beyond, last, head=False),
            kernel.index_op(arith.RemUIOp, later, turns, head=False),
        )
        kernel.bound_to(axis, at)
        kernel.bound_to(slot, kernel.index_op(arith.RemUIOp, number, turns, head=False))
        return build(values)

    out = kernel.loop(axis, op.extent.data, inits, body, op.stride, op.clamped)
    kernel.location = op.location
    kernel.add(WaitOp.make(tokens[-1], 0))
    return out


def rings(kernel: Kernel, ahead: Sequence[StageOp], count: int, slot: str) -> None:
    """Memory for the operands: swizzled where matrix instructions alone read it, else with rows apart."""
    values = [r for stage in ahead for r in stage.results]
    for value in values:
        kernel.views[value] = ring(kernel, value, count, slot, SWIZZLED)
    for value in values:
        readers = [use.operation for use in value.uses]
        row, width = shape(value)[-1], VECTOR // bytes_of(element_of(value))
        whole = isinstance(row, int) and len(shape(value)) == 2 and row % (SWIZZLED * width) == 0
        stage = value.owner
        if (
            whole
            and isinstance(stage, StageOp)
            and copy_of(kernel, stage) is not None
            and all(isinstance(s, StageOp) and matrix_product(kernel, s) is not None for s in readers)
        ):
            kernel.views[value] = kernel.views[value]._replace(swizzle=width)
            continue
        alloc = kernel.views[value].buffer.owner
        assert isinstance(alloc, Operation)
        kernel.views[value] = ring(kernel, value, count, slot, 0)
        alloc.detach()
        alloc.erase()


def ring(kernel: Kernel, value: SSAValue, count: int, slot: str, swizzled: int) -> View:
    """Memory of a block for several values, of which an axis chooses one."""
    assert kernel.launch is not None
    dims, element = shape(value), element_of(value)
    whole = (dims[0] * count, *dims[1:])
    own = whole if swizzled else padded(whole, element)
    buffer = kernel.allocated(memref_of(own, element, None, WORKGROUP), own, kernel.launch.block, kernel.location)
    buffer.name_hint = value.name_hint
    rows = dims[0]
    assert isinstance(rows, int)
    first = (Linear.axis(slot, rows), *(Linear() for _ in dims[1:]))
    return View(buffer, first, (1,) * len(dims))


class Copy(NamedTuple):
    """How a stage copies: the vec axis along which a thread copies neighbours, if there is one, and how many."""

    lane: str
    width: int


def copy_of(kernel: Kernel, stage: StageOp) -> Copy | None:
    """The stage as plain copies from the program's memory, or None."""
    body = stage.body.block
    if len(stage.ins) != 1 or len(stage.results) != 1 or stage.terminator.operands[0] is not body.args[0]:
        return None
    source, target = kernel.views[stage.ins[0]], kernel.views[stage.results[0]]
    (_, read), written = stage.reads()[0], stage.target(0).access
    element, memory = element_of(stage.results[0]), cast(Memory, source.buffer.type)
    if element == i1 or memory.memory_space != NoneAttr() or not rows_of_neighbours(memory):
        return None
    both = ((source, read), (target, written))
    lanes = (a for a in vec_axes(stage) if all(steps(kernel, v, p, a[0]) == 1 for v, p in both))
    found = Copy(*next(lanes, ("", 1)))
    return found if found.width * bytes_of(element) in COPIED_BYTES else None


def copied(kernel: Kernel, stage: StageOp) -> bool:
    """Begin the copies of a stage, if it is a plain copy that can be made so."""
    found = copy_of(kernel, stage)
    if found is None:
        return False
    source, target = kernel.views[stage.ins[0]], kernel.views[stage.results[0]]
    (_, read), written = stage.reads()[0], stage.target(0).access
    kernel.share(fields(stage.axes))
    others = [a for a in vec_axes(stage) if a[0] != found.lane]

    def each(_: list[SSAValue]) -> list[SSAValue]:
        for point in product(*(range(e) for _, e in others)):
            at = {n: Linear(p) for (n, _), p in zip(others, point)} | {found.lane: Linear()}
            begin = kernel.indices(source, tuple(f.subst(at) for f in read))
            end = kernel.indices(target, tuple(f.subst(at) for f in written))
            kernel.add(CopyOp.make(source.buffer, begin, target.buffer, end, found.width))
        return []

    kernel.guarded(kernel.conditions(stage, written), lambda: nest(kernel, seq_axes(stage), [], each).clear())
    return True


def rows_of_neighbours(memory: MemRefType) -> bool:
    layout = memory.layout
    return not isinstance(layout, StridedLayoutAttr) or layout.strides.data[-1] == IntAttr(1)


def steps(kernel: Kernel, view: View, access: Access, axis: str) -> object:
    """Elements that the place of an access moves by with an axis."""
    total = 0
    for c, scale, stride in zip(coefs(access, axis), view.scale, kernel.strides[view.buffer]):
        total = total + stride * (c * scale)
    return total
