"""Orders of steps that keep less in memory at once: list scheduling, forwards and backwards.

    problem = Problem(steps, sizes, kept)
    order, bytes = search(problem)

To find the order with the lowest peak is NP-complete (Sethi, Complete Register Allocation Problems, 1975). Of the steps
that may come next, a forward schedule takes one that frees more than it makes, a backward schedule, from the end, one
that makes more than it reads for the last time; where there is none, `near` schedules keep to the written order and the
others take what grows memory least. The best of these and the written order is the answer, and of equals the one that
is nearer to what was written.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple


class Step(NamedTuple):
    """What runs at one time; values and steps are numbers."""

    reads: tuple[int, ...]
    makes: tuple[int, ...]
    over: tuple[tuple[int, int], ...] = ()
    """Pairs of a value that is read and one that is made, which may take its memory if nothing reads that later."""
    inside: int = 0
    """The bytes that it needs while it runs, besides its values."""
    after: tuple[int, ...] = ()
    """Steps that must come before, besides those that make what it reads."""


class Problem(NamedTuple):
    steps: Sequence[Step]
    """In the written order."""
    sizes: Sequence[int]
    """Of values; 0 of what lies elsewhere."""
    kept: frozenset[int] = frozenset()
    """Values that are needed after the last step."""


def peak(problem: Problem, order: Sequence[int]) -> int:
    """The most bytes that are in use at one time if the steps run in this order."""
    left = _readers(problem)
    live = most = 0
    for s in order:
        step = problem.steps[s]
        taken: set[int] = set()
        for v in step.makes:
            donor = next((r for r, made in step.over if made == v and left[r] == 1 and r not in taken), None)
            if donor is None:
                live += problem.sizes[v]
            else:
                taken.add(donor)
        most = max(most, live + step.inside)
        for r in step.reads:
            left[r] -= 1
            if not left[r] and r not in taken:
                live -= problem.sizes[r]
        live -= sum(problem.sizes[v] for v in step.makes if not left[v])
    return most


def search(problem: Problem) -> tuple[list[int], int]:
    """The best order found, and its peak."""
    written = list(range(len(problem.steps)))
    best, least = written, peak(problem, written)
    forward, backward = _Forward(problem), _Backward(problem)
    near = forward.run(written, True)
    orders = (near, backward.run(written, True), backward.run(near, True), forward.run(written), backward.run(written))
    for order in orders:
        if (bytes_ := peak(problem, order)) < least:
            best, least = order, bytes_
    return best, least


def _readers(problem: Problem) -> list[int]:
    """For each value how many steps read it; one more for what is kept."""
    left = [int(v in problem.kept) for v in range(len(problem.sizes))]
    for step in problem.steps:
        for r in step.reads:
            left[r] += 1
    return left


class _Lists:
    """List scheduling in one direction: `grows` says by how much a step changes what is in use."""

    def __init__(self, problem: Problem) -> None:
        self.steps, self.sizes, self.problem = problem.steps, problem.sizes, problem
        maker = {v: s for s, step in enumerate(self.steps) for v in step.makes}
        self.before = [sorted({maker[r] for r in step.reads if r in maker} | set(step.after)) for step in problem.steps]
        self.later: list[list[int]] = [[] for _ in self.steps]
        self.readers: list[list[int]] = [[] for _ in self.sizes]
        for s, step in enumerate(self.steps):
            for b in self.before[s]:
                self.later[b].append(s)
            for r in step.reads:
                self.readers[r].append(s)

    def schedule(self, rank: Sequence[int], needs: Sequence[Sequence[int]], near: bool) -> list[int]:
        """Steps after those that they need; which of the ready ones, `grows` says, and the lower rank among equals."""
        gives: list[list[int]] = [[] for _ in needs]
        for s, needed in enumerate(needs):
            for n in needed:
                gives[n].append(s)
        waits = [len(n) for n in needs]
        done = [False] * len(needs)
        heap: list[tuple[int, int, int]] = []

        def push(s: int) -> None:
            growth = self.grows(s)
            heapq.heappush(heap, (min(growth, 0) if near else growth, rank[s], s))

        for s, n in enumerate(waits):
            if not n:
                push(s)
        out: list[int] = []
        while heap:
            s = heapq.heappop(heap)[2]
            if done[s]:
                continue
            done[s] = True
            out.append(s)
            changed = self.take(s)
            for g in gives[s]:
                waits[g] -= 1
                if not waits[g]:
                    push(g)
            for c in changed:
                if not done[c] and not waits[c]:
                    push(c)
        return out

    def grows(self, s: int) -> int:
        raise NotImplementedError

    def take(self, s: int) -> list[int]:
        """Schedule a step; those whose growth it has lowered."""
        raise NotImplementedError


class _Forward(_Lists):
    def run(self, written: Sequence[int], near: bool = False) -> list[int]:
        self.left = _readers(self.problem)
        rank = [0] * len(written)
        for n, s in enumerate(written):
            rank[s] = n
        return self.schedule(rank, self.before, near)

    def grows(self, s: int) -> int:
        step = self.steps[s]
        made = sum(self.sizes[v] for v in step.makes if self.left[v])
        return made - sum(self.sizes[r] for r in step.reads if self.left[r] == 1)

    def take(self, s: int) -> list[int]:
        changed: list[int] = []
        for r in self.steps[s].reads:
            self.left[r] -= 1
            if self.left[r] == 1 and self.sizes[r]:
                changed += self.readers[r]
        return changed


class _Backward(_Lists):
    def run(self, written: Sequence[int], near: bool = False) -> list[int]:
        self.live = [v in self.problem.kept for v in range(len(self.sizes))]
        rank = [0] * len(written)
        for n, s in enumerate(written):
            rank[s] = -n
        return self.schedule(rank, self.later, near)[::-1]

    def grows(self, s: int) -> int:
        step = self.steps[s]
        read = sum(self.sizes[r] for r in step.reads if not self.live[r])
        return read - sum(self.sizes[v] for v in step.makes if self.live[v])

    def take(self, s: int) -> list[int]:
        changed: list[int] = []
        for r in self.steps[s].reads:
            if not self.live[r] and self.sizes[r]:
                self.live[r] = True
                changed += self.readers[r]
        return changed
