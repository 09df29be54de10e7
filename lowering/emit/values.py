"""An n-D vector as a function (lead indices, chunk) -> native vector, evaluated on demand.

The last dimension is cut into chunks of the function's lane count; the last chunk is as wide as the next power of two.
Lanes beyond the dimension hold anything. Elementwise chains come out depth first, one chunk after the other, long ones
some chunks side by side (`woven`); casts, broadcasts and transposes of lead dimensions cost nothing. A value is
remembered in the scope that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, product
from typing import TypeVar

from .text import Writer, vector_of

Lead = tuple[int, ...]
Native = Callable[[Lead, int], str]
Scalar = Callable[[Lead], str]
T = TypeVar("T")

WOVEN, LONG = 4, 12
"""Pieces that are computed side by side, and the fewest steps of each: of long chains one behind the other, a processor
does not look far enough ahead to work on several."""


def grouped(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group


class Vec:
    """`native` and `scalar` are each other's fallback: at least one is given. `constant`: needs no instruction."""

    __slots__ = (
        *("access", "chunks", "constant", "key", "kind", "lanes", "last_width", "native", "rest", "scalar", "shape"),
        *("sources", "writer"),
    )

    def __init__(
        self,
        writer: Writer,
        lanes: int,
        kind: str,
        shape: Sequence[int],
        native: Native | None = None,
        scalar: Scalar | None = None,
        constant: bool = False,
    ) -> None:
        self.writer, self.lanes, self.kind, self.shape = writer, lanes, kind, tuple(shape)
        self.native, self.scalar, self.constant = native, scalar, constant
        self.access: object = None
        """Where it lies in memory, if that is where it is read from."""
        self.sources: Sequence[Vec] = ()
        """What it is computed from, element by element."""
        self.key = writer.fresh()
        self.chunks = -(-self.shape[-1] // lanes)
        self.rest = self.shape[-1] - (self.chunks - 1) * lanes
        self.last_width = min(lanes, 1 << (self.rest - 1).bit_length())

    def count(self, chunk: int) -> int:
        """Lanes in use in a chunk."""
        return self.rest if chunk == self.chunks - 1 else self.lanes

    def width(self, chunk: int) -> int:
        """Lanes of the native vector of a chunk."""
        return self.last_width if chunk == self.chunks - 1 else self.lanes

    def type(self, chunk: int) -> str:
        return vector_of(self.kind, self.width(chunk))

    def leads(self) -> Iterator[Lead]:
        return product(*map(range, self.shape[:-1]))

    def pieces(self) -> Iterator[tuple[Lead, int]]:
        return product(self.leads(), range(self.chunks))

    def nat(self, lead: Lead, chunk: int) -> str:
        key, memo = (self.key, lead, chunk), self.writer.memo
        for scope in memo:
            found = scope.get(key)
            if found is not None:
                return found
        value = memo[-1][key] = (self.native or self.collect)(lead, chunk)
        return value

    def known(self, lead: Lead, chunk: int) -> bool:
        """Has the native vector been made?"""
        return any((self.key, lead, chunk) in scope for scope in self.writer.memo)

    def collect(self, lead: Lead, chunk: int) -> str:
        """A native vector from scalars."""
        value, native = "zeroinitializer", self.type(chunk)
        for lane in range(self.count(chunk)):
            item = self.sca((*lead, chunk * self.lanes + lane))
            value = self.writer.op(f"insertelement {native} {value}, {self.kind} {item}, i64 {lane}")
        return value

    def sca(self, at: Lead) -> str:
        def make() -> str:
            if self.scalar:
                return self.scalar(at)
            chunk, lane = divmod(at[-1], self.lanes)
            return self.writer.op(f"extractelement {self.type(chunk)} {self.nat(at[:-1], chunk)}, i64 {lane}")

        return self.writer.once((self.key, at), make)

    def all(self) -> list[str]:
        return [self.nat(*piece) for group in self.woven(self.pieces()) for piece in group]

    def woven(self, pieces: Iterable[tuple[Lead, int]]) -> Iterator[list[tuple[Lead, int]]]:
        """Pieces in groups; what a group is computed from is made step by step for all of it."""
        steps = self.steps()
        size = WOVEN if self.writer.weaves and len(steps) >= LONG else 1
        for group in grouped(pieces, size):
            for step in steps if size > 1 else ():
                for piece in group:
                    step.nat(*piece)
            yield group

    def steps(self) -> list[Vec]:
        """What it is computed from in order, as far as that goes element by element, and itself."""
        found: dict[int, Vec] = {}

        def visit(v: Vec) -> None:
            for source in v.sources:
                if source.key not in found and source.shape == self.shape:
                    visit(source)
            found[v.key] = v

        visit(self)
        return list(found.values())

    def types(self) -> list[str]:
        return [self.type(chunk) for _, chunk in self.pieces()]


class Assembled(Vec):
    """A vector some of whose sub-vectors, at lead positions of one length, are others: `parts`; the rest is `whole`."""

    __slots__ = ("length", "parts", "whole")

    def __init__(self, whole: Vec, length: int, parts: dict[Lead, Vec]) -> None:
        self.whole, self.length, self.parts = whole, length, parts
        super().__init__(whole.writer, whole.lanes, whole.kind, whole.shape, self.native_of, self.scalar_of)

    def native_of(self, lead: Lead, chunk: int) -> str:
        part = self.parts.get(lead[: self.length])
        return self.whole.nat(lead, chunk) if part is None else part.nat(lead[self.length :], chunk)

    def scalar_of(self, at: Lead) -> str:
        part = self.parts.get(at[: self.length])
        return self.whole.sca(at) if part is None else part.sca(at[self.length :])


Value = str | Vec
