"""The program ABI, and the description that whoever calls a program needs.

A program is one native function:

    int32_t mlc_entry(void **buffers, const int64_t *sizes, void *arena, const mlc_context *context);

`buffers`  pointers to the arguments in order, then to the slots in order. A pointer names the element at index 0 in
           every dimension, also where strides are negative. A slot is memory that the program writes: each result that
           is no view of something else is one. A slot may be the buffer of a donated argument.
`sizes`    values of the symbols in the order of `Program.symbols`, then the run-time strides, in elements, of each
           argument that has any, in order of arguments and dimensions.
`arena`    `Program.arena` bytes for what lives only during the call, aligned to 64; no other call may use it meanwhile.
`context`  NULL, or services for the call: { void *pool; void *stream; char *error; }.
returns    0, or the number of a failed check.

Elements are stored in the host's byte order at their own alignment, i1 as a byte; sizes and strides are int64.
Arguments are row-major unless they declare strides. Slots are row-major and, where `Slot.aligned`, aligned to 64. No
two slots overlap, and no slot overlaps an argument, but for the donated one it replaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

ENTRY = "mlc_entry"
ALIGNMENT = 64

Size = int | list[Any]
"""A number, or a polynomial in symbols: [[coefficient, [[symbol, power], ...]], ...]."""

DTYPES = {"f64": "<f8", "f32": "<f4", "f16": "<f2", "i64": "<i8", "i32": "<i4", "i16": "<i2", "i8": "|i1", "i1": "|b1"}


@dataclass(frozen=True)
class Argument:
    """`strides`: in elements, None for row-major; each a number, or None for one that is passed at run time."""

    name: str
    dtype: str
    shape: list[Size]
    strides: list[int | None] | None = None
    donated: bool = False


@dataclass(frozen=True)
class Slot:
    """Memory that the program writes; `donor`: the donated argument whose buffer it is."""

    dtype: str
    elements: Size
    donor: int | None = None
    aligned: bool = False


@dataclass(frozen=True)
class Result:
    """What the caller gets: a view (offset and strides in elements) of a slot, or of an argument."""

    dtype: str
    shape: list[Size]
    source: str  # "slot" | "argument"
    index: int
    offset: Size = 0
    strides: list[Size] | None = None


@dataclass(frozen=True)
class Program:
    name: str
    arguments: list[Argument]
    slots: list[Slot]
    results: list[Result]
    symbols: list[str] = field(default_factory=list[str])
    arena: Size = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Program:
        return Program(
            data["name"],
            [Argument(**a) for a in data["arguments"]],
            [Slot(**s) for s in data["slots"]],
            [Result(**r) for r in data["results"]],
            data["symbols"],
            data["arena"],
        )


def evaluate(size: Size, symbols: Mapping[str, int]) -> int:
    if isinstance(size, int):
        return size
    total = 0
    for coefficient, powers in size:
        for symbol, power in powers:
            coefficient *= symbols[symbol] ** power
        total += coefficient
    return total


def text(size: Size) -> str:
    """`2*b + 1`"""
    if isinstance(size, int):
        return str(size)
    terms: list[str] = []
    for coefficient, powers in size:
        factors = [s if p == 1 else f"{s}^{p}" for s, p in powers]
        terms.append("*".join([str(coefficient)] * (coefficient != 1 or not factors) + factors))
    return " + ".join(terms)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements."""
    out: list[int] = []
    step = 1
    for size in reversed(shape):
        out.append(step)
        step *= size
    return tuple(reversed(out))


def count(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
