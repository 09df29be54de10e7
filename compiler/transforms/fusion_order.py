"""The order of groups: after those they read; of those ready, the one that begins first in the program.

So a product that is fused into the update of a parameter far behind runs where the product stood, and what it reads is
free early. A group that replaces an argument which may be overwritten waits for all others that read it, as far as
these do not depend on it: a gradient through a weight is computed before the weight's update, which can be in place.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence


def ordered(earlier: Mapping[int, set[int]], begin: Mapping[int, int]) -> Iterator[int]:
    """The groups of `earlier`, which says what each reads, by the first op of each, `begin`."""
    missing = {g: set(needed) for g, needed in earlier.items()}
    later: dict[int, list[int]] = {g: [] for g in missing}
    for g, needed in missing.items():
        for e in sorted(needed):
            later[e].append(g)
    ready = [(begin[g], g) for g, needed in missing.items() if not needed]
    heapq.heapify(ready)
    while ready:
        _, g = heapq.heappop(ready)
        yield g
        for after in later[g]:
            missing[after].remove(g)
            if not missing[after]:
                heapq.heappush(ready, (begin[after], after))


def update_last(earlier: Mapping[int, set[int]], readers: Sequence[int], update: int) -> None:
    """Let one of the readers of a value, which replaces it, wait for those that do not depend on it."""
    for reader in readers:
        if reader != update and not depends(earlier, reader, update):
            earlier[update].add(reader)


def depends(earlier: Mapping[int, set[int]], group: int, other: int) -> bool:
    """Does a group run after another, directly or not?"""
    seen, waiting = {group}, [group]
    while waiting:
        found = earlier[waiting.pop()] - seen
        if other in found:
            return True
        seen |= found
        waiting += found
    return False
