"""Regions, copies and effects in a program's entry: branches, loops, calls of the host.

    %r = nd.scan 16 (%w = %w0) carry (%c = %c0) ...                  br label %loop1
      attributes {graph.trip = "trip$0", ...} {                    loop1:
      %1 = graph.launch @step(%c, %w) ...                            %t1 = phi i64 [ 0, %entry ], [ %n1, %next1 ]
      nd.yield %1                                          ->        %v1 = icmp slt i64 %t1, 16
    }                                                                br i1 %v1, label %body1, label %done1
                                                                   body1:
                                                                     call void @"mlc.step"(...)
                                                                     br label %next1
                                                                   next1:
                                                                     %n1 = add nuw nsw i64 %t1, 1
                                                                     br label %loop1
                                                                   done1:

Values do not move: the plan put what a body yields where the next trip, or the result, is. So offsets that swap or step
are computed from `%t1`, which after the loop is the number of trips. What does not depend on a counter is computed
before the outermost loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xdsl.ir import Block, Operation, SSAValue

from ...dialects.errors import position
from ...dialects.graph.ops import CopyOp, LaunchOp
from ...dialects.graph.regions import counter_name
from ...dialects.nd.complex_boundary import PRINTED, as_complex
from ...dialects.nd.control import If, Scan, While, yields
from ...dialects.nd.dims import Dim, Sym, size
from ...dialects.nd.effects import Check, Print
from ...dialects.nd.types import shape_of
from .entry_pointers import dtype_of, size_json, width_of

if TYPE_CHECKING:
    from .entry import Entry

TRIPS = 64
"""The most trips between two looks for signals."""


def emit_block(e: Entry, block: Block) -> None:
    """The ops of a program or region, in order."""
    for op in block.ops:
        match op:
            case LaunchOp():
                e.launch(op)
            case CopyOp():
                copy(e, op)
            case If():
                branch(e, op)
            case While() | Scan():
                loop(e, op)
            case Check():
                check(e, op)
            case Print():
                print_(e, op)
            case _:
                pass


def copy(e: Entry, op: CopyOp) -> None:
    assert op.place is not None
    source, target = e.pointer(op.x), e.place(op.place)
    e.transfer(target, source, size(shape_of(op.x.type)) * width_of(op.x))


def truth(e: Entry, value: SSAValue) -> str:
    """A predicate, loaded."""
    return e.truth(e.pointer(value))


def branch(e: Entry, op: If) -> None:
    n = e.fresh()
    labels = [f"then{n}", f"else{n}"]
    predicate = truth(e, op.predicate)
    e.open()  # what is computed earlier stands before the branch
    e.line(f"br i1 {predicate}, label %{labels[0]}, label %{labels[1]}")
    before = e.since
    after: list[Dim] = []
    for region, label in zip(op.regions, labels, strict=True):
        e.open()
        e.start_block(label)
        e.since = before
        emit_block(e, region.block)
        after.append(e.since)
        e.line(f"br label %end{n}")
        e.join()
    e.join()
    e.start_block(f"end{n}")
    e.since = more(*after)


def more(a: Dim, b: Dim) -> Dim:
    """The greater amount of work; one that is not known counts as more."""
    if isinstance(a, Sym) or isinstance(b, Sym):
        return a if isinstance(a, Sym) else b
    return max(a, b)


def loop(e: Entry, op: While | Scan) -> None:
    n = e.fresh()
    length = e.number(op.length) if isinstance(op, Scan) else ""
    before = e.label
    e.open()
    e.line(f"br label %loop{n}")
    e.start_block(f"loop{n}")
    trip = f"%t{n}"
    e.line(f"{trip} = phi i64 [ 0, %{before} ], [ %n{n}, %next{n} ]")
    e.set_counter(counter_name(op), trip)
    since, e.since = e.since, 0
    if isinstance(op, Scan):
        more_trips = e.op(f"icmp slt i64 {trip}, {length}")
    else:
        condition = op.regions[0].block
        emit_block(e, condition)
        more_trips = truth(e, yields(condition)[0])
    e.line(f"br i1 {more_trips}, label %body{n}, label %done{n}")
    e.start_block(f"body{n}")
    emit_block(e, op.block)
    look(e, n, trip)
    e.line(f"br label %next{n}")
    e.start_block(f"next{n}")
    e.line(f"%n{n} = add nuw nsw i64 {trip}, 1")
    e.line(f"br label %loop{n}")
    e.join()
    e.start_block(f"done{n}")
    e.since = since
    e.set_counter(counter_name(op), trip)


def look(e: Entry, n: int, trip: str) -> None:
    """Look for signals in some trips of a loop: the fewer, the less work is in one."""
    every, work = TRIPS, e.since
    while isinstance(work, int) and every > 1 and work * every > e.POLL_WORK:
        every //= 2
    if every > 1:
        due = e.op(f"icmp eq i64 {e.op(f'and i64 {trip}, {every - 1}')}, {every - 1}")
        e.line(f"br i1 {due}, label %look{n}, label %on{n}")
        e.start_block(f"look{n}")
    e.poll()
    if every > 1:
        e.line(f"br label %on{n}")
        e.start_block(f"on{n}")


# Effects.


def check(e: Entry, op: Check) -> None:
    n = e.effect(op, {"kind": "check", "text": op.message.data})
    e.line(f"br i1 {truth(e, op.predicate)}, label %holds{n}, label %fails{n}")
    e.start_block(f"fails{n}")
    e.line(f"ret i32 {n + 1}")
    e.start_block(f"holds{n}")


def print_(e: Entry, op: Print) -> None:
    """Call the host with the number of the effect, pointers to the values and their run-time sizes."""
    operands = [{"dtype": dtype_of(v), "shape": [size_json(d) for d in shape_of(v.type)]} for v in op.operands]
    operands = as_complex(op, PRINTED, operands)
    n = e.effect(op, {"kind": "print", "text": op.text.data, "operands": operands})
    sizes = [d for v in op.operands for d in shape_of(v.type) if isinstance(d, Sym)]
    e.most_printed = max(e.most_printed, len(operands))
    e.most_sizes = max(e.most_sizes, len(sizes))
    for k, value in enumerate(op.operands):
        e.line(f"store ptr {e.pointer(value)}, ptr {_at(e, '%printed', 'ptr', k)}")
    for k, d in enumerate(sizes):
        e.line(f"store i64 {e.number(d)}, ptr {_at(e, '%shown', 'i64', k)}")
    call = f"call i32 @mlc.host(ptr %context, i32 {n}, ptr %printed, ptr %shown)"
    status = e.op(call)
    e.line(f"br i1 {e.op(f'icmp eq i32 {status}, 0')}, label %printed{n}, label %stop{n}")
    e.start_block(f"stop{n}")
    e.line(f"ret i32 {status}")
    e.start_block(f"printed{n}")


def _at(e: Entry, base: str, kind: str, k: int) -> str:
    return e.op(f"getelementptr {kind}, ptr {base}, i64 {k}")


def place_json(op: Operation) -> list[Any] | None:
    """File, line and column of an op."""
    found = position(op.location)
    return None if found is None else list(found)


def effects_json(effects: Sequence[tuple[Operation, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{**what, "location": place_json(op)} for op, what in effects]
