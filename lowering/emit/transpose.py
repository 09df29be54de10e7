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
    """The elements of some rows in turns: a0 b0 c0 d0 a1 b1 .., of rows a, b, c and d."""
    if len(rows) == 1:
        return rows[0]
    if len(rows) % 2:
        return joined(e, kind, [turn(e, kind, rows, width, part) for part in range(len(rows))], width)
    even, odd = (woven(e, kind, rows[k::2], width) for k in (0, 1))
    count = width * len(rows) // 2
    native = vector_of(kind, count)
    order = [i // 2 + (i % 2) * count for i in range(2 * count)]
    return e.op(f"shufflevector {native} {even}, {native} {odd}, {shuffle_of(order)}")


def turn(e: Emitter, kind: str, rows: Sequence[str], width: int, part: int) -> str:
    """The lanes of one native vector of the woven rows: row after row takes its places."""
    native, found = vector_of(kind, width), rows[0]
    for r in range(1, len(rows)):
        element, row = zip(*(divmod(i, len(rows)) for i in range(part * width, (part + 1) * width)))
        kept = element if r == 1 else range(width)
        order = [width + element[i] if row[i] == r else kept[i] if row[i] < r else 0 for i in range(width)]
        found = e.op(f"shufflevector {native} {found}, {native} {rows[r]}, {shuffle_of(order)}")
    return found


def joined(e: Emitter, kind: str, parts: Sequence[str], width: int) -> str:
    """Native vectors one behind the other."""
    found = parts[0]
    for k, part in enumerate(parts[1:], 1):
        native = vector_of(kind, k * width)
        found = e.op(
            f"shufflevector {native} {found}, {native} {resize(e, part, kind, width, k * width)}, "
            f"{shuffle_of(range((k + 1) * width))}"
        )
    return found
