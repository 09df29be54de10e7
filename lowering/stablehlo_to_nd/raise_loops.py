"""A `while` that counts becomes `nd.scan`, which has reverse mode, and whose slices and stacks are views.

    nd.while (%xs) carry (%i = 0, %c = %c0, %ys = %z) {         nd.scan n carry (%i = 0, %c = %c0) each (%x = %xs) {
      %i < n                                                      %c1 = f(%c, %x)
    } do {                                                  ->    nd.yield %i + 1, %c1, %c1
      %c1 = f(%c, dynamic_slice %xs at %i, 0)                   }
      nd.yield %i + 1, %c1, (dynamic_update_slice %ys, %c1 at %i, 0)
    }

A loop counts if its condition is `i < n` for a carried integer with a constant start, a constant n, and `i + 1` as
next value. What the body hands on unchanged is an invariant. One of n slices that is read at i (or at n - i - 1: then
the scan runs in reverse) is a sequence as well; a carried value of n slices, of which a trip writes the one at i and
reads none, is a stack. Every other slice stays a dynamic one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue

from ...dialects.nd import control
from ...dialects.nd import functions as F
from ...dialects.nd.constant import Constant
from ...dialects.nd.control import Yield, region, slice_type
from ...dialects.nd.dynamic_slices import DynamicSlice, DynamicUpdateSlice
from ...dialects.nd.elementwise import Add, Sub
from ...dialects.nd.op import Array, here, insert
from ...dialects.nd.selection import COMPARE, Compare
from ...dialects.nd.types import INTEGER, is_tensor, shape_of


@dataclass
class Loop:
    """What a counted while is: `counter` is the position among what is carried."""

    captured: Sequence[Array]
    inits: Sequence[Array]
    body: Block
    counter: int
    start: int
    length: int
    slices: dict[DynamicSlice, SSAValue] = field(default_factory=dict[DynamicSlice, SSAValue])
    """Reads of the slice of a trip, and what of."""
    updates: dict[int, DynamicUpdateSlice] = field(default_factory=dict[int, DynamicUpdateSlice])
    """The carried values that are stacks."""
    reverse: bool = False

    @property
    def carried(self) -> Sequence[BlockArgument]:
        return self.body.args[len(self.captured) :]

    @property
    def yielded(self) -> Sequence[SSAValue]:
        last = self.body.last_op
        assert last is not None
        return last.operands

    def unchanged(self, k: int) -> bool:
        return self.yielded[k] is self.carried[k]

    def outer(self, v: SSAValue) -> Array | None:
        """The value from outside that a value of the body is in every trip."""
        if not isinstance(v, BlockArgument) or v.block is not self.body:
            return None
        k = v.index - len(self.captured)
        if k < 0:
            return self.captured[v.index]
        return self.inits[k] if self.unchanged(k) else None


def raised(captured: Sequence[Array], inits: Sequence[Array], condition: Block, body: Block) -> list[Array] | None:
    """The results of the scan; None, with nothing changed, if the loop does not count."""
    loop = counted(captured, inits, condition, body)
    if loop is None:
        return None
    find_slices(loop)
    return build(loop)


def counted(captured: Sequence[Array], inits: Sequence[Array], condition: Block, body: Block) -> Loop | None:
    last = condition.last_op
    assert last is not None
    test = last.operands[0].owner
    if not isinstance(test, Compare) or test.kind != COMPARE["lt"] or element_type(test.x) not in INTEGER:
        return None
    loop, shift, i = Loop(captured, inits, body, 0, 0, 0), len(captured), test.x
    if not isinstance(i, BlockArgument) or i.index < shift or shape_of(i.type):
        return None
    loop.counter = i.index - shift
    bound = test.y
    if isinstance(bound, BlockArgument):
        outside = loop.outer(body.args[bound.index])
        if outside is None:
            return None
        bound = outside.value
    start, stop, step = number(inits[loop.counter].value), number(bound), loop.yielded[loop.counter].owner
    if start is None or stop is None or not isinstance(step, Add):
        return None
    i, one = loop.carried[loop.counter], (step.x, step.y)
    if not ((one[0] is i and number(one[1]) == 1) or (one[1] is i and number(one[0]) == 1)):
        return None
    loop.start, loop.length = start, max(0, stop - start)
    return loop


def element_type(v: SSAValue) -> Attribute:
    return v.type.element_type if is_tensor(v.type) else v.type


def number(v: SSAValue) -> int | None:
    """A constant integer without dimensions."""
    if not isinstance(v.owner, Constant) or shape_of(v.type) or element_type(v) not in INTEGER:
        return None
    return int(v.owner.reference())


def direction(loop: Loop, starts: Sequence[SSAValue], whole: SSAValue, part: SSAValue) -> bool | None:
    """Is this the slice of the trip? Counted from the end: True; from the first: False; else None."""
    (n, *rest), (one, *others) = shape_of(whole.type) or (0,), shape_of(part.type) or (0,)
    if loop.start != 0 or n != loop.length or one != 1 or rest != others or any(number(s) != 0 for s in starts[1:]):
        return None
    at, i = starts[0], loop.carried[loop.counter]
    if at is i:
        return False
    outer = at.owner
    if isinstance(outer, Sub) and number(outer.y) == 1 and isinstance(inner := outer.x.owner, Sub):
        return True if number(inner.x) == n and inner.y is i else None
    return None


def find_slices(loop: Loop) -> None:
    reads: list[tuple[bool, DynamicSlice]] = []
    for op in loop.body.ops:
        if isinstance(op, DynamicSlice) and loop.outer(op.x) is not None:
            found = direction(loop, op.starts, op.x, op.result)
            if found is not None:
                reads.append((found, op))
    writes: list[tuple[bool, int, DynamicUpdateSlice]] = []
    for k, (arg, v) in enumerate(zip(loop.carried, loop.yielded, strict=True)):
        op = v.owner
        if isinstance(op, DynamicUpdateSlice) and op.x is arg and arg.has_one_use() and v.has_one_use():
            found = direction(loop, op.starts, op.x, op.update)
            if found is not None:
                writes.append((found, k, op))
    ways = [found for found, *_ in (*writes, *reads)]
    loop.reverse = bool(ways) and ways[0]
    loop.slices = {op: op.x for found, op in reads if found == loop.reverse}
    loop.updates = {k: op for found, k, op in writes if found == loop.reverse}


def build(loop: Loop) -> list[Array]:
    """The scan at the current place, of the body's ops; the results of the while."""
    count = len(loop.inits)
    fixed = [k for k in range(count) if loop.unchanged(k)]
    kept = [k for k in range(count) if k not in fixed and k not in loop.updates]
    sequences = list(dict.fromkeys(loop.slices.values()))
    invariants = [*loop.captured, *(loop.inits[k] for k in fixed)]
    inits = [loop.inits[k] for k in kept]
    outer = [a for v in sequences if (a := loop.outer(v)) is not None]
    old = [*loop.body.args[: len(loop.captured)], *(loop.carried[k] for k in (*fixed, *kept))]

    def body(*args: Array) -> list[Array]:
        slices = dict(zip(sequences, args[len(old) :], strict=True))
        aside: list[Operation] = []
        for op in list(loop.body.ops):
            op.detach()
            if isinstance(op, DynamicSlice) and op in loop.slices:
                op.result.replace_all_uses_with(F.reshape(slices[op.x], shape_of(op.result.type)).value)
                aside.append(op)
            elif isinstance(op, Yield) or op in writes:
                aside.append(op)
            else:
                insert(op)
        for v, a in zip(old, args):
            a.value.name_hint = v.name_hint
            v.replace_all_uses_with(a.value)
        stacked = [Array(op.update) for op in loop.updates.values()]
        out = [*(Array(aside[-1].operands[k]) for k in kept), *(F.reshape(u, u.shape[1:]) for u in stacked)]
        for op in aside:
            op.drop_all_references()
        return out

    writes: set[Operation] = set(loop.updates.values())
    types = [*(a.type for a in (*invariants, *inits)), *(slice_type(a.type) for a in outer)]
    results = control.scan(loop.length, invariants, inits, outer, region(body, types, here()), loop.reverse)
    by = dict(zip([*kept, *loop.updates], results, strict=True))
    return [by[k] if k in by else loop.inits[k] for k in range(count)]
