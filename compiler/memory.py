"""Memory of a planned program over time: how much of its arena is in use at each kernel, and what holds the most.

    found = memory_of(main)
    found.moments      [Moment("matmul", 1024), Moment("matmul", 2048), ...], in program order, loops and branches once
    found.peak         Peak(2048, 1, (Holder("h", "tensor<16x16xf32>", 1024, "model.py:12:5"), ...))

In use is what will be read again, each buffer in multiples of 64 bytes; a value that takes over the buffer of another
counts once with it, and what a loop carries or stacks counts as long as the loop runs. No arena can be smaller than the
peak. Arguments, constants and results of the program are not part of it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from ..dialects.errors import position
from ..dialects.graph.ops import CopyOp, LaunchOp
from ..dialects.graph.place import Place
from ..dialects.graph.regions import is_counter, places_of, program_ops
from ..dialects.nd.control import Control, Scan, While
from ..dialects.nd.dims import TYPICAL, Dim, Sym, evaluate, typical
from .transforms.plan_buffers import aligned
from .transforms.plan_lifetimes import Lifetimes

ROWS, COLUMNS = 32, 40
"""The most rows of a chart, and the length of its longest bar."""


class Moment(NamedTuple):
    """A kernel and the bytes of the arena that are in use while it runs."""

    kernel: str
    bytes: Dim


class Holder(NamedTuple):
    """A value in the arena: its name, type and bytes, and the line of the program that it comes from; "" if unknown."""

    name: str
    type: str
    bytes: Dim
    source: str

    def __str__(self) -> str:
        name = f"%{self.name}: " if self.name else ""
        return f"{name}{self.type}, {self.bytes} bytes" + (f", {self.source}" if self.source else "")


class Peak(NamedTuple):
    """The most bytes in use: when (the number of the moment), and by what, the largest first."""

    bytes: Dim
    at: int
    holders: tuple[Holder, ...]


class Memory(NamedTuple):
    moments: tuple[Moment, ...]
    peak: Peak

    def plain(self) -> dict[str, Any]:
        """For reports: `kernels`, pairs of a name and bytes; `peak`, the number of one; `holders`."""
        holders = [h._asdict() | {"bytes": plain(h.bytes)} for h in self.peak.holders]
        kernels = [[m.kernel, plain(m.bytes)] for m in self.moments]
        return {"kernels": kernels, "peak": self.peak.at, "holders": holders}


class _Held(NamedTuple):
    """A value and the positions between which it holds bytes of the arena, at typical sizes."""

    first: int
    last: int
    start: int
    end: int
    bytes: Dim
    value: SSAValue


def plain(d: Dim) -> int | str:
    return d if isinstance(d, int) else str(d)


def memory_of(main: FuncOp, named: Callable[[SSAValue], str] | None = None) -> Memory:
    """Occupancy of a planned program's arena; `named` gives names to values. All 0 before the plan."""
    block = main.body.block
    times = Lifetimes(block)
    held = list(_held(block, times))
    starts: dict[int, list[_Held]] = {}
    ends: dict[int, list[_Held]] = {}
    for h in held:
        starts.setdefault(h.first, []).append(h)
        ends.setdefault(h.last, []).append(h)
    kernels = {t: op for op, t in times.at.items() if isinstance(op, LaunchOp | CopyOp)}
    users: dict[tuple[int, int], int] = {}
    moments: list[Moment] = []
    total: Dim = 0
    most: tuple[int, int, int] = (-1, 0, 0)
    """Typical bytes, the number of the moment, the position."""
    for t in range(times.count):
        for h in starts.get(t, ()):
            key = h.start, h.end
            users[key] = users.get(key, 0) + 1
            total = total + h.bytes if users[key] == 1 else total
        if t in kernels:
            op = kernels[t]
            moments.append(Moment(op.kernel if isinstance(op, LaunchOp) else "copy", total))
            most = max(most, (typical(total), -len(moments) + 1, -t))
        for h in ends.get(t, ()):
            key = h.start, h.end
            users[key] -= 1
            total = total - h.bytes if users[key] == 0 else total
    if not moments:
        return Memory((), Peak(0, 0, ()))
    at = -most[1]
    return Memory(tuple(moments), Peak(moments[at].bytes, at, tuple(_holders(held, -most[2], named))))


def _held(block: Block, times: Lifetimes) -> Iterator[_Held]:
    """What lies in the arena; slices of a stack lie in that and are left out."""
    stacks: list[_Held] = []
    slices: list[_Held] = []
    for op in program_ops(block):
        for value, place in zip(op.results, places_of(op) or ()):
            if place.base != "arena":
                continue
            turning = _counters(place)
            numbers = {_number(place, turning, trips) for trips in product((0, 1), repeat=len(turning))}
            first, last = _times(op, value, times)
            found = [
                _Held(first, last, number, number + typical(place.bytes), aligned(place.bytes), value)
                for number in sorted(numbers)
            ]
            if isinstance(op, Scan) and value in op.results[len(op.inits) :] and not turning:
                stacks += found
            if turning:
                slices += found
            else:
                yield from found
    for part in slices:
        if not any(s.start <= part.start and part.end <= s.end and s.first <= part.first <= s.last for s in stacks):
            yield part


def _counters(place: Place) -> Sequence[str]:
    return [n for n in place.number.names() if is_counter(n)] if isinstance(place.number, Sym) else ()


def _number(place: Place, counters: Sequence[str], trips: Sequence[int]) -> int:
    names = place.number.names() if isinstance(place.number, Sym) else ()
    return evaluate(place.number, {**dict.fromkeys(names, TYPICAL), **dict(zip(counters, trips))})


def _times(op: Operation, value: SSAValue, times: Lifetimes) -> tuple[int, int]:
    if not isinstance(op, Control):
        return times.at[op], times.last(value, times.at[op])
    end = times.end[op]
    first = times.inner[op][0] if isinstance(op, While | Scan) else end
    return first, times.last(value, end)


def _holders(held: Sequence[_Held], at: int, named: Callable[[SSAValue], str] | None) -> Iterator[Holder]:
    """What is in use at a position; of values in one place the one that was made last, and one in two places once."""
    live = {(h.start, h.end): h for h in sorted(held, key=lambda h: h.first) if h.first <= at <= h.last}
    twice: dict[SSAValue, _Held] = {}
    for h in live.values():
        twice[h.value] = h._replace(bytes=h.bytes + twice[h.value].bytes) if h.value in twice else h
    for h in sorted(twice.values(), key=lambda h: (-typical(h.bytes), h.start)):
        op = h.value.owner
        where = position(op.location) if isinstance(op, Operation) else None
        name = named(h.value) if named is not None else h.value.name_hint or ""
        yield Holder(name, str(h.value.type), h.bytes, ":".join(map(str, where)) if where else "")


def draw(found: dict[str, Any]) -> list[str]:
    """A chart of `Memory.plain()`: a bar for each kernel, of the fullest of several where there are many; then what
    holds the peak. Sizes known at run time only have no bars."""
    kernels = found["kernels"]
    amounts = [n for _, n in kernels if isinstance(n, int)]
    if not found["holders"]:
        return []
    held = ["held at the peak:", *(f"  {Holder(**h)}" for h in found["holders"])]
    if len(amounts) < len(kernels):
        return held
    width = -(-len(kernels) // ROWS)
    digits = len(str(max(amounts)))
    lines: list[str] = []
    for k in range(0, len(kernels), width):
        rows = range(k, min(k + width, len(kernels)))
        fullest = max(rows, key=lambda n: (amounts[n], n == found["peak"]))
        amount = amounts[fullest]
        bar = "#" * -(-amount * COLUMNS // max(amounts))
        peak = "  <- peak" if found["peak"] in rows else ""
        more = f" (of {len(rows)})" if len(rows) > 1 else ""
        lines.append(f"  {amount:{digits}} {bar:{COLUMNS}} {kernels[fullest][0]}{more}{peak}")
    return [*lines, *held]
