"""Stores past the caches need aligned memory: what has some is emitted twice, and pointers say which way is taken.

    scf.for %i = .. {                                               %v1 = ptrtoint ptr %a1 to i64 ..
      vector.transfer_write .. {in_bounds = [true], nontemporal}    br i1 %v3, label %streamed1, label %cached1
    }                                                          ->  streamed1:
                                                                      ..  store .., align 64, !nontemporal !0
                                                                    cached1:
                                                                      ..  store .., align 4

This is the innermost loop around a store, which so gets no branch; a store outside of loops alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from xdsl.ir import Block, Operation, SSAValue

from .branches import bind, meet, way
from .state import ALIGNMENT, Emitter


def past_caches(op: Operation) -> bool:
    """Is it a write that had better pass the caches?"""
    return "nontemporal" in op.attributes


def stores_past(e: Emitter, block: Block) -> bool:
    """Is a block to be emitted in two ways?"""
    return e.stream and e.streamed is None and any(map(past_caches, block.ops))


def in_two_ways(e: Emitter, emit: Callable[[], None], results: Sequence[SSAValue] = ()) -> None:
    """Emit something with stores past the caches and, if there are some, also without."""
    k, space, outside = e.fresh(), e.space, dict(e.env)

    def emitted() -> Sequence[SSAValue]:
        emit()
        return results

    e.streamed, before = {}, space.bytes
    first = way(e, f"streamed{k}", emitted)
    roots, e.streamed = e.streamed, None
    if not roots:
        e.line(f"br label %{first.label}")
        first.follow(e)
        for result, values in zip(results, first.values):
            bind(e, result, [text for _, text in values])
        return
    e.env = outside  # a loop computes before it begins what is known of what it reads
    taken, space.bytes, e.stream = space.bytes, before, False
    second = way(e, f"cached{k}", emitted)
    space.bytes, e.stream = max(taken, space.bytes), True
    meet(e, aligned(e, roots), [first, second], f"stored{k}", results)


def aligned(e: Emitter, arguments: Iterable[SSAValue]) -> str:
    """Whether the memory of all of these begins at multiples of ALIGNMENT; found where the function begins."""

    def make() -> str:
        together = "0"
        for argument in arguments:
            together = e.op(f"or i64 {together}, {e.op(f'ptrtoint ptr {e.refs[argument].pointer} to i64', 0)}", 0)
        return e.op(f"icmp eq i64 {e.op(f'and i64 {together}, {ALIGNMENT - 1}', 0)}, 0", 0)

    return e.once(("aligned", *arguments), make, 0)
