"""Square blocks of native vectors, transposed in registers, and native vectors of another width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .state import Emitter
from .text import shuffle_of, vector_of
from .values import Lead, Vec


def block_size(vec: Vec, across: int) -> int:
    """Rows and lanes of the blocks in which a vector's lanes change places with its lead axis `across`."""
    longest = max(vec.shape[across], vec.shape[-1])
    return min(vec.lanes, 1 << (longest - 1).bit_length())


def resize(e: Emitter, value: str, kind: str, width: int, wanted: int) -> str:
    """The first lanes, or more lanes of which the new ones hold anything."""
    if width == wanted or value == "poison":
        return value
    native = vector_of(kind, width)
    lanes = ", ".join(f"i32 {i}" if i < width else "i32 poison" for i in range(wanted))
    return e.op(f"shufflevector {native} {value}, {native} poison, <{wanted} x i32> <{lanes}>")


def reverse(e: Emitter, value: str, kind: str, width: int, count: int) -> str:
    """The first `count` lanes in the opposite order."""
    lanes = [count - 1 - i if i < count else i for i in range(width)]
    native = vector_of(kind, width)
    return e.op(f"shufflevector {native} {value}, {native} poison, {shuffle_of(lanes)}")


def butterfly(e: Emitter, kind: str, rows: list[str], size: int) -> list[str]:
    """Transpose a block of `size` rows of `size` lanes (missing rows are poison) in log2(size) rounds of shuffles."""
    native = vector_of(kind, size)
    current = rows + ["poison"] * (size - len(rows))
    distance = 1
    while distance < size:
        following = list(current)
        for i in (i for i in range(size) if not i & distance):
            a, b = current[i], current[i + distance]
            if a == b == "poison":
                continue
            low = [k if not k & distance else size + (k & ~distance) for k in range(size)]
            high = [k | distance if not k & distance else size + k for k in range(size)]
            for j, lanes in ((i, low), (i + distance, high)):
                following[j] = e.op(f"shufflevector {native} {a}, {native} {b}, {shuffle_of(lanes)}")
        current, distance = following, 2 * distance
    return current


def transposed(e: Emitter, vec: Vec, lead: Lead, chunk: int, across: int, row: Callable[[Lead, int, int], str]) -> str:
    """One native vector of a value whose lanes run over `row`s.

    `row(index, count, size)`: `count` elements along `across` from `index` on, as a native vector of `size` lanes. The
    block is transposed once for all vectors that it serves.
    """
    size = block_size(vec, across)
    first = lead[across] // size * size
    key = (vec.key, "block", (*lead[:across], first, *lead[across + 1 :]), chunk)
    found = next((scope for scope in e.memo if (key, 0) in scope), None)
    if found is None:
        found = e.memo[-1]
        count = min(size, vec.shape[across] - first)
        corner = (*lead[:across], first, *lead[across + 1 :])
        rows = [row((*corner, chunk * vec.lanes + lane), count, size) for lane in range(vec.count(chunk))]
        for i, value in enumerate(butterfly(e, vec.kind, rows, size)):
            found[(key, i)] = value
    return resize(e, found[(key, lead[across] % size)], vec.kind, size, vec.width(chunk))


def woven(e: Emitter, kind: str, rows: Sequence[str], width: int) -> str:
    """The elements of 2, 4 or 8 rows in turns: a0 b0 c0 d0 a1 b1 .., of rows a, b, c and d."""
    if len(rows) == 1:
        return rows[0]
    even, odd = (woven(e, kind, rows[k::2], width) for k in (0, 1))
    count = width * len(rows) // 2
    native = vector_of(kind, count)
    order = [i // 2 + (i % 2) * count for i in range(2 * count)]
    return e.op(f"shufflevector {native} {even}, {native} {odd}, {shuffle_of(order)}")
