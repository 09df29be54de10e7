"""What the transforms of control flow share: the groups of a region's arguments, each followed by its tangents.

(w, v | c | x, y), active (1, 0 | 1 | 0, 1)   ->   (w, v, dw | c, dc | x, y, dy)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from xdsl.ir import Attribute, Block, SSAValue

from ...dialects.nd.control import Control, yield_
from ...dialects.nd.op import Array, building, place, zeros_like

T = TypeVar("T")
Tangents = list[Array | None]


def split(items: Sequence[T], sizes: Sequence[int]) -> list[list[T]]:
    """Consecutive parts."""
    out: list[list[T]] = []
    start = 0
    for n in sizes:
        out.append(list(items[start : start + n]))
        start += n
    return out


def chosen(items: Sequence[T], flags: Sequence[bool]) -> list[T]:
    return [x for x, f in zip(items, flags, strict=True) if f]


def spread(items: Sequence[T], flags: Sequence[bool]) -> list[T | None]:
    """The items at the flagged places, None elsewhere."""
    rest = iter(items)
    return [next(rest) if f else None for f in flags]


def filled(tangents: Sequence[Array | None], flags: Sequence[bool], like: Sequence[Array]) -> list[Array]:
    """The flagged tangents, zeros where there is none."""
    return [t if t is not None else zeros_like(y) for t, f, y in zip(tangents, flags, like, strict=True) if f]


def sizes(op: Control) -> list[int]:
    """How many operands each group has: invariants, carried, sequences."""
    return [len(g) for g in op.groups]


@dataclass(frozen=True)
class Groups:
    """Arguments in groups, of which the flagged ones have a tangent."""

    sizes: list[int]
    flags: list[bool]

    def joined(self, values: Sequence[T], tangents: Sequence[T | None]) -> list[list[T]]:
        """Each group with its tangents behind; a missing tangent must not be flagged."""
        out: list[list[T]] = []
        parts = zip(split(values, self.sizes), split(tangents, self.sizes), split(self.flags, self.sizes), strict=True)
        for group, ts, flags in parts:
            behind = [t for t, f in zip(ts, flags, strict=True) if f]
            out.append([*group, *(t for t in behind if t is not None)])
        return out

    def apart(self, joined: Sequence[T]) -> tuple[list[T], list[T | None]]:
        """Values and tangents of what `joined` gave, in one list."""
        values: list[T] = []
        tangents: list[T | None] = []
        flags = split(self.flags, self.sizes)
        parts = split(joined, [n + sum(f) for n, f in zip(self.sizes, flags, strict=True)])
        for part, f in zip(parts, flags, strict=True):
            values += part[: len(f)]
            tangents += spread(part[len(f) :], f)
        return values, tangents

    def block(self, like: Block) -> Block:
        """A block with arguments for the joined groups."""
        return block_of([a for g in self.joined(like.args, like.args) for a in g], self._names(like))

    def _names(self, like: Block) -> list[str | None]:
        hints: list[Any] = [a.name_hint or "" for a in like.args]
        return [h or None for g in self.joined(hints, [h and f"d{h}" for h in hints]) for h in g]


def block_of(like: Sequence[SSAValue], names: Sequence[str | None] = ()) -> Block:
    """A block with arguments of these values' types and names."""
    block = Block(arg_types=[v.type for v in like])
    hints = names or [v.name_hint for v in like]
    for arg, hint in zip(block.args, hints, strict=True):
        arg.name_hint = hint
        arg.location = place().location or arg.location
    return block


def ended(block: Block, values: Callable[[], Sequence[Array]]) -> Block:
    """The block with its end, for which `values` may build ops."""
    with building(block, place().location):
        yield_(values())
    return block


def types(values: Sequence[Array]) -> list[Attribute]:
    return [v.type for v in values]
