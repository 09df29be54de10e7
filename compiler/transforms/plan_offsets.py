"""Offsets of buffers in an arena: buffers that are in use at one time lie apart, and the arena is small.

    pack([Need(128, ((0, 1),)), Need(64, ((1, 2),)), Need(128, ((2, 3),))])  ->  Packing([0, 128, 0], 192, 192)

No arena is smaller than the most bytes that are in use at one time; to come close to that is NP-hard (dynamic storage
allocation). Buffers are placed one after the other, each into the lowest or the tightest gap that those in use with it
leave, in the orders that do well in practice (by size and by breadth: Pisarchyk and Lee, Efficient Memory Management
for Deep Neural Net Inference, arXiv:2001.03288; by area and by time). If none is good enough, the buffers that lie
above the bound are placed earlier and all are placed again (squeaky wheel optimization: Joslin and Clements, 1999), for
a bounded number of steps. No clock decides, so that equal programs have equal plans.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

CLOSE, ENOUGH = 1.005, 1.02
"""The arena over the bound at which the search ends: after a first try, and after some."""

LARGE = 1 << 16
"""Bytes of an arena that is worth a longer search."""

FIRST, LONG = 300_000, 5_000_000
"""Steps of a search, of about 0.1 us: comparisons with buffers that are placed already."""

SHUFFLED = 0.3
"""How often a round also moves any buffer in the order, so that rounds do not repeat."""

ROUNDS = 100
"""From a shuffled order, then again from where the search was."""

FEW = 64
"""Buffers in use with another, up to which plain Python is faster."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


class Need(NamedTuple):
    """A buffer: its bytes, and the first and last of the positions of each stretch in which it is in use, ascending."""

    bytes: int
    times: tuple[tuple[int, int], ...]


class Packing(NamedTuple):
    offsets: list[int]
    total: int
    bound: int
    """The most bytes in use at one time."""


def pack(needs: Sequence[Need]) -> Packing:
    """An offset for each buffer. Offsets are sums of sizes, so multiples of what all sizes are multiples of."""
    return _Packer(needs).run() if needs else Packing([], 0, 0)


def most_at_once(needs: Sequence[Need]) -> tuple[int, Numbers]:
    """The most bytes in use at one time, and those in use at each position."""
    change = np.zeros(max((last for n in needs for _, last in n.times), default=0) + 2, np.int64)
    for need in needs:
        for first, last in need.times:
            change[first] += need.bytes
            change[last + 1] -= need.bytes
    live = np.cumsum(change)
    return int(live.max()), live


def gap(needs: Sequence[Need], offsets: Sequence[int], total: int, need: Need) -> int | None:
    """The lowest offset at which one more buffer fits below `total` between those placed; None if it does not."""
    start = 0
    for low, high in sorted((o, o + n.bytes) for n, o in zip(needs, offsets) if _meet(n.times, need.times)):
        if low - start >= need.bytes:
            break
        start = max(start, high)
    return start if start + need.bytes <= total else None


class _Packer:
    def __init__(self, needs: Sequence[Need]) -> None:
        self.needs = needs
        self.size = np.array([n.bytes for n in needs], np.int64)
        self.first = np.array([n.times[0][0] for n in needs], np.int64)
        self.last = np.array([n.times[-1][1] for n in needs], np.int64)
        self.several = any(len(n.times) > 1 for n in needs)
        self.bound, self.live = most_at_once(needs)
        self.together = [self._together(k) for k in range(len(needs))]
        self.near: list[list[int] | None] = [t.tolist() if len(t) <= FEW else None for t in self.together]
        self.round = sum(20 + len(t) if len(t) <= FEW else 100 + len(t) // 8 for t in self.together)
        """Steps that it takes to place all."""
        self.best: list[int] = []
        self.total = self.steps = 0

    def _together(self, k: int) -> Numbers:
        """The buffers that are in use at some time when buffer `k` is."""
        near = np.flatnonzero((self.first <= self.last[k]) & (self.first[k] <= self.last))
        if len(self.needs[k].times) == 1 and not self.several:
            return near[near != k]
        times = self.needs[k].times
        return np.array([n for n in near.tolist() if n != k and _meet(times, self.needs[n].times)], np.int64)

    def run(self) -> Packing:
        orders = self._orders()
        for tightest in (True, False):
            for order in orders:
                if self._over():
                    break
                self._try(order, tightest)
        self._improve(orders[0])
        return Packing(self.best, self.total, self.bound)

    def _over(self) -> bool:
        """Is what was found good enough for what it took, or the search at its end?"""
        if not self.best:
            return False
        over = self.total / max(self.bound, 1)
        most = LONG if over > ENOUGH and self.total >= LARGE else FIRST
        return over <= CLOSE or self.steps + self.round > most

    def _orders(self) -> list[list[int]]:
        """By size, by breadth (what is in use at a buffer's fullest time), by area, by time; equals by size, number."""
        breadth = [max(int(self.live[a : b + 1].max()) for a, b in n.times) for n in self.needs]
        area = [n.bytes * sum(b - a + 1 for a, b in n.times) for n in self.needs]
        keys = ([-n.bytes for n in self.needs], [-b for b in breadth], [-a for a in area], self.first.tolist())
        count = range(len(self.needs))
        return [sorted(count, key=lambda k, key=key: (key[k], -self.needs[k].bytes, k)) for key in keys]

    def _try(self, order: Sequence[int], tightest: bool) -> list[int]:
        """Place the buffers in this order and keep the result if it is the best."""
        self.steps += self.round
        sizes = [n.bytes for n in self.needs]
        offsets = [-1] * len(sizes)
        placed = np.full(len(sizes), -1, np.int64)
        for k in order:
            near = self.near[k]
            if near is None:
                offsets[k] = self._gap_of_many(k, placed, tightest)
            else:
                taken = sorted([(o, o + sizes[n]) for n in near if (o := offsets[n]) >= 0])
                offsets[k] = _gap(taken, sizes[k], tightest)
            placed[k] = offsets[k]
        total = max(o + n for o, n in zip(offsets, sizes))
        if not self.best or total < self.total:
            self.best, self.total = offsets, total
        return offsets

    def _gap_of_many(self, k: int, offsets: Numbers, tightest: bool) -> int:
        """The same as `_gap`."""
        near = self.together[k]
        low = offsets[near]
        placed = low >= 0
        low = low[placed]
        if not len(low):
            return 0
        by_offset = low.argsort(kind="stable")
        low = low[by_offset]
        ends = np.maximum.accumulate(low + self.size[near][placed][by_offset])
        starts = np.concatenate(([0], ends[:-1]))
        room = low - starts
        fits = (room >= self.size[k]).nonzero()[0]
        if not len(fits):
            return int(ends[-1])
        return int(starts[fits[room[fits].argmin()] if tightest else fits[0]])

    def _improve(self, order: list[int]) -> None:
        """Place what lies above the bound earlier, until it does not or the search is at its end. Every other hundred
        of rounds starts from a shuffled order."""
        pick, tightest, rounds = random.Random(len(order)), False, 0
        kept = order
        while not self._over():
            tightest = not tightest
            offsets = self._try(order, tightest)
            above = {k for k, n in enumerate(self.needs) if offsets[k] + n.bytes > self.bound}
            order = [k for k in order if k in above] + [k for k in order if k not in above]
            if pick.random() < SHUFFLED:
                k = order.pop(pick.randrange(len(order)))
                order.insert(pick.randrange(len(order) + 1), k)
            rounds += 1
            if rounds % ROUNDS == 0:
                shuffled = rounds // ROUNDS % 2
                kept = order if shuffled else kept
                order = pick.sample(order, len(order)) if shuffled else kept


def _gap(taken: Sequence[tuple[int, int]], size: int, tightest: bool) -> int:
    """An offset between what is taken: in the tightest gap that is large enough, or in the lowest."""
    start, found, room = 0, -1, 0
    for low, high in taken:
        if low - start >= size and (found < 0 or low - start < room):
            found, room = start, low - start
            if not tightest:
                return found
        start = max(start, high)
    return found if found >= 0 else start


def _meet(a: Sequence[tuple[int, int]], b: Sequence[tuple[int, int]]) -> bool:
    """Have two ascending lists of stretches a position in common?"""
    i = k = 0
    while i < len(a) and k < len(b):
        if a[i][0] <= b[k][1] and b[k][0] <= a[i][1]:
            return True
        if a[i][1] < b[k][1]:
            i += 1
        else:
            k += 1
    return False
