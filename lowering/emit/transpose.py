"""Square blocks of native vectors, transposed in registers, and native vectors of another width."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .state import Emitter
from .text import bytes_of, mangled, shuffle_of, vector_of
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


PIECE = 16
"""Bytes of a part of a vector that is loaded into it, and stored from it, without a shuffle."""


def piece(kind: str, size: int) -> int:
    """Elements of such a part, or of the whole vector where that is no longer, or elements are narrow."""
    count = PIECE // bytes_of(kind)
    return count if bytes_of(kind) >= 4 and size > count else size


def beside(e: Emitter, kind: str, parts: Sequence[str], width: int, size: int) -> str:
    """Parts of `width` lanes one behind the other; the rest of `size` lanes hold anything."""
    wide, narrow = vector_of(kind, size), vector_of(kind, width)
    name = f"llvm.vector.insert.{mangled(kind, size)}.{mangled(kind, width)}"
    e.declare(wide, name, wide, narrow, "i64")
    found = "poison"
    for k, part in enumerate(parts):
        found = e.op(f"call {wide} @{name}({wide} {found}, {narrow} {part}, i64 {k * width})")
    return found


def part_of(e: Emitter, kind: str, value: str, size: int, first: int, width: int) -> str:
    """`width` lanes from a multiple of that on."""
    if width == size:
        return value
    wide, narrow = vector_of(kind, size), vector_of(kind, width)
    name = f"llvm.vector.extract.{mangled(kind, width)}.{mangled(kind, size)}"
    e.declare(narrow, name, wide, "i64")
    return e.op(f"call {narrow} @{name}({wide} {value}, i64 {first})")


def butterfly(e: Emitter, kind: str, rows: list[str], size: int, count: int = 0) -> list[str]:
    """Transpose blocks of `count` rows of `count` lanes, side by side in vectors of `size` (all of it: 0), in
    log2(count) rounds of shuffles; missing rows are poison."""
    native, count = vector_of(kind, size), count or size
    current = rows + ["poison"] * (count - len(rows))
    distance = 1
    while distance < count:
        following = list(current)
        for i in (i for i in range(count) if not i & distance):
            a, b = current[i], current[i + distance]
            if a == b == "poison":
                continue
            low = [k if not k & distance else size + (k & ~distance) for k in range(size)]
            high = [k | distance if not k & distance else size + k for k in range(size)]
            for j, lanes in ((i, low), (i + distance, high)):
                following[j] = e.op(f"shufflevector {native} {a}, {native} {b}, {shuffle_of(lanes)}")
        current, distance = following, 2 * distance
    return current


def transposed(
    e: Emitter,
    vec: Vec,
    lead: Lead,
    chunk: int,
    across: int,
    row: Callable[[Lead, int, int], str],
    parts: bool,
) -> str:
    """One native vector of a value whose lanes run over `row`s.

    `row(index, count, size)`: `count` elements along `across` from `index` on, as a native vector of `size` lanes. The
    block is transposed once for all vectors that it serves. `parts`: rows come from memory, so that their parts may be
    loaded into place, which leaves half of the shuffles.
    """
    size = block_size(vec, across)
    first = lead[across] // size * size
    key = (vec.key, "block", (*lead[:across], first, *lead[across + 1 :]), chunk)
    found = next((scope for scope in e.memo if (key, 0) in scope), None)
    if found is None:
        found = e.memo[-1]
        count = min(size, vec.shape[across] - first)
        n = piece(vec.kind, size) if parts else size
        for start in range(0, count, n):
            corner, part = (*lead[:across], first + start, *lead[across + 1 :]), min(n, count - start)
            rows = [row((*corner, chunk * vec.lanes + lane), part, n) for lane in range(vec.count(chunk))]
            if n < size:
                rows = [beside(e, vec.kind, rows[i::n], n, size) for i in range(n)]
            for i, value in enumerate(butterfly(e, vec.kind, rows, size, n)):
                found[(key, start + i)] = value
    return resize(e, found[(key, lead[across] % size)], vec.kind, size, vec.width(chunk))


def spaced(e: Emitter, kind: str, row: Callable[[int, int], str], step: int, count: int, width: int) -> str:
    """Every `step`-th element, `count` of them: what lies from the first to the last, put together by shuffles.

    `row(first, count)`: `count` elements beside each other, as a native vector of `width` lanes. The last row ends
    where the last element does, and may overlap the one before.
    """
    span = (count - 1) * step + 1
    starts = [*range(0, span - width, width), max(span - width, 0)]
    rows = [row(start, min(span, width)) for start in starts]
    place = [
        divmod(i * step, width) if i * step < starts[-1] else (len(rows) - 1, i * step - starts[-1])
        for i in range(count)
    ]
    place += [(0, 0)] * (width - count)
    native, found = vector_of(kind, width), rows[0]
    for r in range(1, max(len(rows), 2)):
        kept = [lane for _, lane in place] if r == 1 else list(range(width))
        order = [width + lane if k == r else kept[i] if k < r else 0 for i, (k, lane) in enumerate(place)]
        other = rows[r] if r < len(rows) else "poison"
        found = e.op(f"shufflevector {native} {found}, {native} {other}, {shuffle_of(order)}")
    return found


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
