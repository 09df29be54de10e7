"""Where an n-D vector lies in memory, and the loads and stores of native vectors that lie next to each other there."""

from __future__ import annotations

from typing import NamedTuple

from .memory import memory_kind
from .state import Emitter
from .text import bytes_of, mangled, mask, vector_of
from .values import Lead

Guard = str | None

WAYS = (2, 3, 4, 8)
"""Rows that are woven into one vector."""


class Access(NamedTuple):
    """An n-D vector's place in memory: pointer to its first element, stride of each vector axis (0: broadcast)."""

    e: Emitter
    base: str
    kind: str
    shape: tuple[int, ...]
    steps: tuple[int | str, ...]
    limits: tuple[str | None, ...]
    """Elements that exist from the base on, per vector axis; None: all of them do."""

    @property
    def alternating(self) -> int | None:
        """The lead axis whose elements take turns in memory, which is dense along it and the lanes together."""
        across = self.across
        return across if across is not None and self.shape[across] == self.steps[-1] in WAYS else None

    @property
    def across(self) -> int | None:
        """The lead axis along which memory is contiguous, if the lanes are not."""
        if self.steps[-1] in (0, 1, -1) or self.shape[-1] == 1 or any(self.limits):
            return None
        return next((i for i, s in enumerate(self.steps[:-1]) if s == 1), None)

    def at(self, index: Lead) -> str:
        """The pointer to an element."""
        e, kind, pointer, constant = self.e, memory_kind(self.kind), self.base, 0
        for i, step in zip(index, self.steps):
            if isinstance(step, int):
                constant += i * step
            elif i:
                offset = e.once(("mul", step, i), lambda i=i, step=step: e.op(f"mul i64 {step}, {i}"))
                pointer = e.gep(pointer, kind, offset)
        return e.gep(pointer, kind, constant)

    def exists(self, index: Lead) -> Guard:
        """i1: does the element exist? None: yes."""
        tests = [self.inside(i, limit) for i, limit in zip(index, self.limits) if limit is not None]
        return self.all(tests)

    def inside(self, i: int, limit: str) -> str:
        return self.e.once(("inside", i, limit), lambda: self.e.op(f"icmp slt i64 {i}, {limit}"))

    def all(self, tests: list[str]) -> Guard:
        if not tests:
            return None
        total = tests[0]
        for test in tests[1:]:
            total = self.e.op(f"and i1 {total}, {test}")
        return total

    def lanes(self, lead: Lead, chunk: int, count: int, width: int) -> Guard:
        """The mask of the lanes to access; None: all `width` of them."""
        e = self.e
        clipped = self.all([self.inside(i, n) for i, n in zip(lead, self.limits) if n is not None])
        limit = self.limits[-1]
        if clipped is None and limit is None:
            return None if count == width else mask(count, width)
        kind = vector_of("i1", width)
        total = mask(count, width) if count < width else ""
        if limit is not None:
            numbers = ", ".join(f"i64 {chunk * e.lanes + i}" for i in range(width))
            below = e.op(f"icmp slt {vector_of('i64', width)} <{numbers}>, {e.splat(limit, 'i64', width)}")
            total = e.op(f"and {kind} {below}, {total}") if total else below
        if clipped is not None:
            every = e.splat(clipped, "i1", width)
            total = e.op(f"and {kind} {every}, {total}") if total else every
        return total


def load(e: Emitter, kind: str, pointer: str, width: int, lanes: Guard, other: str = "zeroinitializer") -> str:
    stored = memory_kind(kind)
    native = vector_of(stored, width)
    if lanes is None:
        value = e.op(f"load {native}, ptr {pointer}, {e.known(pointer, kind)}")
    else:
        bits, name = vector_of("i1", width), f"llvm.masked.load.{mangled(stored, width)}.p0"
        e.declare(native, name, "ptr", "i32", bits, native)
        value = e.op(f"call {native} @{name}(ptr {pointer}, i32 {bytes_of(kind)}, {bits} {lanes}, {native} {other})")
    return e.op(f"trunc {native} {value} to {vector_of('i1', width)}") if kind == "i1" else value


def store(e: Emitter, kind: str, value: str, pointer: str, width: int, lanes: Guard, stream: bool = False) -> None:
    stored = memory_kind(kind)
    native = vector_of(stored, width)
    if kind == "i1":
        value = e.op(f"zext {vector_of('i1', width)} {value} to {native}")
    if lanes is None:
        end = f"align {min(64, bytes_of(kind) * width)}, !nontemporal !0" if stream else e.known(pointer, kind)
        e.line(f"store {native} {value}, ptr {pointer}, {end}")
        return
    bits, name = vector_of("i1", width), f"llvm.masked.store.{mangled(stored, width)}.p0"
    e.declare("void", name, native, "ptr", "i32", bits)
    e.line(f"call void @{name}({native} {value}, ptr {pointer}, i32 {bytes_of(kind)}, {bits} {lanes})")
