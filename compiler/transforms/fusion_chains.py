"""Contractions that feed each other through reductions of their rows share a kernel: softmax(q k^T) v and its kin.

    %s = nd.contract %q, %k "b i d, b j d -> b i j"       the scores, over rows (b, i) and keys (j)
    ...                                                   elementwise over scores or rows, reductions of keys
    %y = nd.contract %p, %v "b i j, b j e -> b i e"       sums over the keys

The groups that lie between the two become one, a *chain*, whose scores need no memory but a block of rows. It is worth
it where the sums are short and the keys are many, so that the scores are larger than all else; and no value over the
scores may be read outside, as it is where a derivative needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from xdsl.ir import SSAValue

from ...dialects.nd.constant import Source
from ...dialects.nd.dims import Dim
from ...dialects.nd.reduction import Reduce
from .fusion_groups import Grouping

DEEP = 512
"""Multiply-adds for each score from which on writing and reading it in memory costs little beside them."""

FEW = 4
"""With this few rows the other operand is read for each of them alone: nothing is gained by what is in the caches."""


def link_chains(grouping: Grouping) -> None:
    """Unite the groups of every chain."""
    for k, node in enumerate(grouping.nodes):
        if node.kind == "contraction" and (found := chain_to(grouping, k)) is not None:
            members, trial = found
            grouping.equate(trial)
            grouping.unite(members)


def chain_to(grouping: Grouping, end: int) -> tuple[list[int], dict[int, int]] | None:
    """The groups of the chain that ends in a contraction, and the axes that become equal."""
    home = grouping.home[end]
    found, starts, todo = {home}, set[int](), [home]
    while todo:
        for g in grouping.earlier(todo.pop()) - found:
            found.add(g)
            if grouping.kind(grouping.groups[g].nodes) == "contraction":
                starts.add(g)
            elif grouping.kind(grouping.groups[g].nodes) in ("rows", "elementwise"):
                todo.append(g)
    for start in sorted(starts):
        members = sorted(g for g in found if g == start or grouping.groups[g].before >> start & 1)
        masks = made_of_positions(grouping, members)
        members = sorted([*members, *masks])
        inside = sorted(n for g in members for n in grouping.groups[g].nodes)
        first = [n for n in grouping.groups[start].nodes if grouping.nodes[n].kind == "contraction"]
        last = [n for n in grouping.groups[home].nodes if grouping.nodes[n].kind == "contraction"]
        if len(first) != 1 or last != [end] or surrounds(grouping, members):
            continue
        trial = joined(grouping, inside)
        anywhere = {n for g in masks for n in grouping.groups[g].nodes}
        if trial is not None and is_chain(grouping, inside, first[0], end, anywhere, trial):
            return members, trial
    return None


def made_of_positions(grouping: Grouping, members: Sequence[int]) -> list[int]:
    """The groups that compute masks of indices and constants alone, for nobody else: each reader may do it again."""
    found: list[int] = []
    todo = list(members)
    while todo:
        for g in sorted(grouping.earlier(todo.pop()) - {*members, *found}):
            if of_positions(grouping, g):
                found.append(g)
                todo.append(g)
    readers = {g: {grouping.home[u] for n in grouping.groups[g].nodes for u in grouping.users[n]} for g in found}
    while kept := [g for g in found if readers[g] <= {*members, *found}]:
        if kept == found:
            break
        found = kept
    return kept


def of_positions(grouping: Grouping, group: int) -> bool:
    """Is a group elementwise, of indices and constants, maybe through other groups? And is it not returned?"""
    nodes = grouping.groups[group].nodes
    if grouping.kind(nodes) != "elementwise" or grouping.returned & set(nodes):
        return False
    for root in (read.root for n in nodes for read in grouping.nodes[n].reads):
        if root not in grouping.of:
            if not isinstance(root.owner, Source):
                return False
        elif (home := grouping.home[grouping.of[root]]) != group and not of_positions(grouping, home):
            return False
    return True


def surrounds(grouping: Grouping, members: Sequence[int]) -> bool:
    """Does a way from one of the groups to another lead through a group outside?"""
    outside = {h for g in members for h in grouping.earlier(g)} - set(members)
    return any(grouping.groups[h].before >> g & 1 for h in outside for g in members)


def joined(grouping: Grouping, inside: Sequence[int]) -> dict[int, int] | None:
    """The axes that are equal if the nodes read each other's elements in one kernel; None: at computed positions, or
    behind a barrier."""
    made: dict[SSAValue, tuple[int, ...]] = {grouping.nodes[n].op.results[0]: grouping.nodes[n].result for n in inside}
    pairs: list[tuple[int, int]] = []
    for n in inside:
        node = grouping.nodes[n]
        if node.anywhere is not None and node.anywhere in made:
            return None
        for read, operand in zip(node.reads, node.operands):
            if (result := made.get(read.root)) is not None:
                if read.behind:
                    return None
                pairs += [(a, operand[d]) for a, d in zip(result, read.dims) if d is not None]
    return grouping.axes.joined((a, b) for a, b in pairs if a >= 0 and b >= 0)


def is_chain(
    grouping: Grouping, inside: Sequence[int], first: int, last: int, masks: Set[int], trial: Mapping[int, int]
) -> bool:
    """Are the nodes what the module says, from the contraction `first` to the contraction `last`? Masks may be over
    fewer dimensions than the scores."""
    nodes = grouping.nodes
    scores, result = grouping.span(nodes[first].result, trial), grouping.span(nodes[last].result, trial)
    summed, whole = grouping.span(nodes[first].axes, trial), grouping.span(nodes[last].axes, trial)
    if scores is None or result is None or summed is None or whole is None:
        return False
    keys, rows, new = whole - result, scores & result, result - scores
    if not keys or not new or scores != rows | keys:
        return False
    if not worth_it(grouping, first, keys, summed - scores, new, trial):
        return False
    reductions = 0
    for n in inside:
        node = nodes[n]
        span = grouping.span(node.result, trial)
        if n not in (first, last):
            if node.kind == "rows":
                reductions += 1
                if not isinstance(node.op, Reduce) or span != rows or grouping.span(node.axes, trial) != scores:
                    return False
            elif n in masks:
                if span is None or not span <= scores:
                    return False
            elif node.kind != "elementwise" or span not in (scores, rows, result, frozenset[int]()):
                return False
        if span is not None and span & keys and (n in grouping.returned or not set(grouping.users[n]) <= set(inside)):
            return False
    fed = [set(nodes[n].depends) & set(inside) for n in (first, last)]
    return reductions > 0 and not fed[0] and len(fed[1]) == 1


def worth_it(
    grouping: Grouping, first: int, keys: Set[int], features: Set[int], new: Set[int], trial: Mapping[int, int]
) -> bool:
    """Are the scores larger than what they are made of and what they make, and there rows enough?"""
    sizes = grouping.axes.sizes
    inner, outer, many = (product(sizes[a] for a in axes) for axes in (features, new, keys))
    if inner is None or outer is None or inner + outer > DEEP:
        return False
    if many is not None and many < max(inner, outer):
        return False
    operands = [{grouping.axes.find(a, trial) for a in axes if a >= 0} for axes in grouping.nodes[first].operands]
    other = set[int]().union(*(axes for axes in operands if axes & keys))
    rows = set[int]().union(*(axes for axes in operands if not axes & keys)) - other
    return any(not isinstance(n, int) or n > FEW for n in (sizes[a] for a in rows))


def product(sizes: Iterable[Dim]) -> int | None:
    """None: known at run time only."""
    total = 1
    for n in sizes:
        if not isinstance(n, int):
            return None
        total *= n
    return total
