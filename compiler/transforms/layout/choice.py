"""The orders of least cost: exact, one group eliminated after the other.

A group is eliminated by a table over those that share a cost with it: for each of their orders, its best one (bucket
elimination: Dechter, 1999). Groups with few neighbours come first, so that tables stay small; where one would be too
large, its group keeps rows. Equal costs are decided for the earlier order, and a choice that gains little for rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod

from .orders import Order
from .problem import Problem

GAIN = 0.01
"""The part of the cost that a choice must save: costs are estimates."""

LARGEST = 4096
"""Entries of a table."""

Assignment = dict[int, int]
"""For each group, which of its orders."""


class Table:
    """A cost for every choice of the groups in its scope."""

    def __init__(self, scope: Sequence[int], costs: Mapping[tuple[int, ...], float]) -> None:
        self.scope, self.costs = tuple(scope), costs

    def at(self, chosen: Mapping[int, int]) -> float:
        return self.costs[tuple(chosen[g] for g in self.scope)]


def choose(problem: Problem) -> list[Order]:
    """An order for each group."""
    sizes = [len(orders) for orders in problem.orders]
    tables = [tabulated(problem, k) for k in range(len(problem.terms))]
    chosen: Assignment = dict.fromkeys(range(len(sizes)), 0)
    for groups, own in connected(sizes, tables):
        found = eliminate(groups, own, sizes)
        before, after = (sum(t.at(c) for t in own) for c in (chosen, {**chosen, **found}))
        if after < (1 - GAIN) * before:
            chosen |= found
    return [orders[chosen[g]] for g, orders in enumerate(problem.orders)]


def tabulated(problem: Problem, k: int) -> Table:
    """A cost by the groups that have several orders."""
    term = problem.terms[k]
    free = [g for g in term.scope if len(problem.orders[g]) > 1]
    costs: dict[tuple[int, ...], float] = {}
    for at in product(*(range(len(problem.orders[g])) for g in free)):
        given = dict(zip(free, at))
        costs[at] = term.cost([problem.orders[g][given.get(g, 0)] for g in term.scope])
    return Table(free, costs)


def connected(sizes: Sequence[int], tables: Sequence[Table]) -> list[tuple[list[int], list[Table]]]:
    """The groups of several orders in parts that share no cost, each with its tables."""
    part = list(range(len(sizes)))

    def find(g: int) -> int:
        while part[g] != g:
            part[g] = part[part[g]]
            g = part[g]
        return g

    for table in tables:
        for g in table.scope[1:]:
            a, b = sorted((find(table.scope[0]), find(g)))
            part[b] = a
    out: dict[int, tuple[list[int], list[Table]]] = {}
    for g, size in enumerate(sizes):
        if size > 1:
            out.setdefault(find(g), ([], []))[0].append(g)
    for table in tables:
        if table.scope:
            out[find(table.scope[0])][1].append(table)
    return list(out.values())


def eliminate(groups: Sequence[int], tables: Sequence[Table], sizes: Sequence[int]) -> Assignment:
    """The best choice for connected groups."""
    of: dict[int, list[Table]] = {g: [t for t in tables if g in t.scope] for g in groups}

    def near(g: int) -> list[int]:
        return sorted({n for t in of[g] for n in t.scope} - {g})

    entries = {g: prod(sizes[n] for n in near(g)) for g in groups}
    best: list[tuple[int, list[int], dict[tuple[int, ...], int]]] = []
    while entries:
        g = min(entries, key=lambda g: (entries[g], g))
        scope, own = near(g), of[g]
        choices = range(sizes[g]) if sizes[g] * entries[g] <= LARGEST else range(1)
        costs: dict[tuple[int, ...], float] = {}
        at: dict[tuple[int, ...], int] = {}
        for place in product(*(range(sizes[n]) for n in scope)):
            given = dict(zip(scope, place))
            found = [sum(t.at({**given, g: c}) for t in own) for c in choices]
            costs[place] = min(found)
            at[place] = found.index(costs[place])
        best.append((g, scope, at))
        del entries[g]
        joined = Table(scope, costs)
        for n in scope:
            of[n] = [*(t for t in of[n] if g not in t.scope), joined]
            entries[n] = prod(sizes[m] for m in near(n))
    chosen: Assignment = {}
    for g, scope, at in reversed(best):
        chosen[g] = at[tuple(chosen[n] for n in scope)]
    return chosen
