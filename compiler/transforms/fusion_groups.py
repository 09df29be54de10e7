"""Which ops share a kernel: groups that grow along producer and consumer, judged by their axes alone.

Two groups merge along the values that one reads of the other, which makes axes equal (`fusion_nodes`); the union must
be one of

    contraction   one contraction, and elementwise ops over exactly its result's axes; in the end also what makes its
                  operands of narrower ones, if nothing else reads it (`prologues`), and what pads its result
    rows          reductions of the same axes to the same rows, elementwise ops over all axes or over the rows
    scatter       one scatter, and elementwise ops over exactly its updates' axes
    elementwise   elementwise ops over the same axes

and merging must leave the order of groups without cycles. In the end groups may be united to chains of contractions
(`fusion_chains`). Axes of one element do not count. Index operands may be made where they are read, over fewer axes
too; what is read or written at computed positions must be complete before. An op with regions or an effect is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from xdsl.ir import SSAValue

from ...dialects.graph.prologues import of_contraction
from ...dialects.nd.movement import Pad
from .fusion_nodes import Axes, Node


@dataclass
class Group:
    nodes: list[int]
    before: int = 0
    """The groups that must run earlier, as bits of their keys; keys of groups that were merged may be left over."""


class Grouping:
    """Grows groups over the nodes of a program, given in program order."""

    def __init__(
        self,
        nodes: Sequence[Node],
        axes: Axes,
        returned: Set[int],
        links: Sequence[Callable[[Grouping], None]] = (),
        apart: bool = False,
    ) -> None:
        """`links`: what unites groups once all have grown. `apart`: none grows."""
        self.nodes, self.axes, self.returned = nodes, axes, returned
        self.of: dict[SSAValue, int] = {r: k for k, n in enumerate(nodes) for r in n.op.results}
        self.home = list(range(len(nodes)))
        self.groups: dict[int, Group] = {}
        self.users: list[list[int]] = [[] for _ in nodes]
        for k, node in enumerate(nodes):
            before = 0
            for producer in node.depends:
                before |= self.closed(self.home[producer])
                self.users[producer].append(k)
            self.groups[k] = Group([k], before)
            if not apart:
                self._grow(k)
        if apart:
            return
        for k in reversed(range(len(nodes))):
            self._sink(k)
        for link in links:
            link(self)
        number = {n.op: k for k, n in enumerate(nodes)}
        for k, node in enumerate(nodes):
            for found in of_contraction(node.op):
                if found is not None:
                    self._absorb(k, [number[op] for op in found.ops])
        for k, node in enumerate(nodes):
            if isinstance(node.op, Pad):
                self._pad(k)

    def earlier(self, group: int) -> set[int]:
        """The groups whose results a group reads."""
        return {self.home[d] for m in self.groups[group].nodes for d in self.nodes[m].depends} - {group}

    def _sink(self, k: int) -> None:
        """Move a node into the only group that reads it, if what it reads is in memory anyway: e * e into its sum.

        The reader runs after the node's old group, and nothing else reads the node: no order changes.
        """
        home, node = self.home[k], self.nodes[k]
        readers = {self.home[u] for u in self.users[k]}
        if k == home or node.kind != "elementwise" or k in self.returned or len(readers) != 1 or home in readers:
            return
        inner = [p for p in node.depends if self.home[p] == home]
        if not all(p in self.returned or any(self.home[u] != home for u in self.users[p]) for p in inner):
            return
        (reader,) = readers
        others = self.groups[reader].nodes
        self.home[k] = -1
        trial = self._fits(sorted([*others, k]), [k], others)
        if trial is None:
            self.home[k] = home
            return
        self.equate(trial)
        self.groups[home].nodes.remove(k)
        self.groups[reader].nodes = sorted([*others, k])
        self.home[k] = reader

    def _absorb(self, k: int, made: Sequence[int]) -> None:
        """Move what makes an operand of a contraction into its group, if nothing else reads it.

        All readers are in that group then, which runs after the old ones: no order changes.
        """
        inside = {k, *made}
        if any(m in self.returned or not inside.issuperset(self.users[m]) for m in made):
            return
        group = self.groups[self.home[k]]
        for m in made:
            old = self.groups[self.home[m]]
            old.nodes.remove(m)
            if not old.nodes:
                del self.groups[self.home[m]]
            self.home[m] = self.home[k]
        group.nodes = sorted([*group.nodes, *made])

    def _pad(self, k: int) -> None:
        """Move a padding into the contraction's group that makes what it pads, if nothing else reads that.

        Its readers run after both groups: no order changes.
        """
        made = self.of.get(self.nodes[k].op.operands[0])
        if made is None or made in self.returned or self.users[made] != [k] or self.nodes[k].depends != {made}:
            return
        group = self.groups[self.home[made]]
        if self.kind(group.nodes) != "contraction":
            return
        del self.groups[self.home[k]]
        self.home[k] = self.home[made]
        group.nodes = sorted([*group.nodes, k])

    def closed(self, group: int) -> int:
        return self.groups[group].before | 1 << group

    def _grow(self, k: int) -> None:
        """Merge the group of a new node with those of what it reads, contractions first, then the latest."""
        merged = True
        while merged:
            merged = False
            reads = {self.home[self.of[r.root]] for r in self.nodes[k].reads if r.root in self.of and not r.behind}
            reads -= {self.home[k]}
            first = {g: self.groups[g].nodes for g in reads}
            order = sorted(reads, key=lambda g: (self.kind(first[g]) != "contraction", -first[g][0]))
            for other in order:
                if self._merge(other, self.home[k]):
                    merged = True
                    break

    def kind(self, members: Sequence[int]) -> str:
        kinds = {self.nodes[m].kind for m in members}
        return next(k for k in ("alone", "scatter", "contraction", "rows", "elementwise") if k in kinds)

    def _merge(self, producer: int, consumer: int) -> bool:
        first, second = self.groups[producer], self.groups[consumer]
        members = sorted(first.nodes + second.nodes)
        if self._cycle(producer, consumer) or (trial := self._fits(members, first.nodes, second.nodes)) is None:
            return False
        self.equate(trial)
        del self.groups[consumer]
        for m in members:
            self.home[m] = producer
        first.nodes = members
        before = (first.before | second.before) & ~(1 << producer | 1 << consumer)
        grown, first.before = before != first.before, before
        self.run_later(first.nodes if grown else second.nodes, self.closed(producer))
        return True

    def unite(self, members: Sequence[int]) -> None:
        """Make one of several groups between which there is no other."""
        first, *others = members
        nodes = sorted(n for g in members for n in self.groups[g].nodes)
        before = 0
        for g in members:
            before |= self.groups[g].before
        for g in others:
            del self.groups[g]
        for n in nodes:
            self.home[n] = first
        self.groups[first] = Group(nodes, before & ~sum(1 << g for g in members))
        self.run_later(nodes, self.closed(first))

    def equate(self, trial: Mapping[int, int]) -> None:
        for axis, above in trial.items():
            self.axes.parent[axis] = above

    def run_later(self, nodes: Sequence[int], earlier: int) -> None:
        """Whatever reads these nodes, and all that reads that, runs after the groups `earlier`."""
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            for u in self.users[node]:
                if (home := self.home[u]) == self.home[nodes[0]]:
                    continue
                group = self.groups[home]
                if group.before | earlier != group.before:
                    group.before |= earlier
                    waiting += group.nodes

    def _cycle(self, a: int, b: int) -> bool:
        """Is there a way from one to the other through a third? Then its last step is from one that runs after both."""
        return any(
            self.groups[g].before >> start & 1
            for start, end in ((a, b), (b, a))
            for g in self.earlier(end)
            if g != start
        )

    def _fits(self, members: list[int], producers: list[int], consumers: list[int]) -> dict[int, int] | None:
        """The axes made equal by the merge, if the union is a legal kernel.

        What one reads of the other must agree. Axes of values that both read may be equal besides: x in `x - mean x`.
        """
        kind = self.kind(members)
        if kind == "alone":
            return None
        made: dict[SSAValue, tuple[int, ...]] = {self.nodes[m].op.results[0]: self.nodes[m].result for m in members}
        if any(node.anywhere in made for m in members if (node := self.nodes[m]).anywhere is not None):
            return None
        if kind == "scatter":
            inside = set(members)
            if any(self.nodes[d].kind == "scatter" for m in members for d in self.nodes[m].depends & inside):
                return None
        seen: dict[SSAValue, list[int | None]] = {}
        for m in producers:
            for read, operand in zip(self.nodes[m].reads, self.nodes[m].operands):
                seen.setdefault(read.root, [operand[d] if d is not None else None for d in read.dims])
        pairs: list[tuple[int, int]] = []
        shared: list[tuple[int, int]] = []
        for m in consumers:
            node = self.nodes[m]
            for read, operand in zip(node.reads, node.operands):
                if (result := made.get(read.root)) is not None:
                    if read.behind or (node.kind == "contraction" and self.home[self.of[read.root]] != self.home[m]):
                        return None
                    pairs += [(a, operand[d]) for a, d in zip(result, read.dims) if d is not None]
                elif (other := seen.get(read.root)) is not None:
                    at = [operand[d] if d is not None else None for d in read.dims]
                    shared += [(a, b) for a, b in zip(other, at) if a is not None and b is not None]
        for attempt in ([*pairs, *shared], pairs) if shared else (pairs,):
            trial = self.axes.joined((a, b) for a, b in attempt if a >= 0 and b >= 0)
            if self._legal(kind, self._witnesses(kind, members, trial), trial):
                return trial
        return None

    def span(self, axes: Sequence[int], trial: Mapping[int, int]) -> frozenset[int] | None:
        """The axes of more than one element; None if one stands twice."""
        found = [a for a in (self.axes.find(x, trial) for x in axes if x >= 0) if self.axes.sizes[a] != 1]
        out = frozenset(found)
        return out if len(out) == len(found) else None

    def _is_position(
        self, m: int, members: Sequence[int], spans: Mapping[int, frozenset[int] | None], widest: frozenset[int]
    ) -> bool:
        """Is a node over fewer axes read as a position only, here?"""
        for u in members:
            node = self.nodes[u]
            for n, read in enumerate(node.reads):
                looked_up = node.first_index is not None and n >= node.first_index
                if read.root is self.nodes[m].op.results[0] and not looked_up and spans[u] == widest:
                    return False
        return (spans[m] or frozenset()) <= widest

    def _witnesses(self, kind: str, members: Sequence[int], trial: Mapping[int, int]) -> Sequence[int]:
        """The members that decide: of an elementwise group those that run over axes of which no earlier one does."""
        if kind != "elementwise":
            return members
        first: dict[tuple[int, ...], int] = {}
        find = self.axes.find
        for m in members:
            first.setdefault(tuple([find(a, trial) for a in self.nodes[m].result]), m)
        return members if len(first) > 1 else [*first.values()]

    def _legal(self, kind: str, members: Sequence[int], trial: Mapping[int, int]) -> bool:
        spans = {m: self.span(self.nodes[m].result, trial) for m in members}
        if any(s is None for s in spans.values()):
            return False
        elementwise = [m for m in members if self.nodes[m].kind == "elementwise"]
        if kind in ("scatter", "elementwise"):
            widest = max((spans[m] or frozenset() for m in members), key=len)
            elementwise = [
                m for m in elementwise if spans[m] == widest or not self._is_position(m, members, spans, widest)
            ]
        pointwise = [spans[m] for m in elementwise]
        if any(pointwise):  # work on single elements fits anywhere
            pointwise = [s for s in pointwise if s]
        if kind == "elementwise":
            return len(set(pointwise)) == 1
        anchors = [m for m in members if self.nodes[m].kind == kind]
        if kind == "scatter":
            others = any(self.nodes[m].kind not in (kind, "elementwise") for m in members)
            return len(anchors) == 1 and not others and set(pointwise) <= {spans[anchors[0]]}
        if kind == "contraction":
            return (
                len(anchors) == 1
                and not any(self.nodes[m].kind == "rows" for m in members)
                and (set(pointwise) <= {spans[anchors[0]]})
            )
        full = {self.span(self.nodes[m].axes, trial) for m in anchors}
        rows = {spans[m] for m in anchors}
        return len(full) == 1 and len(rows) == 1 and set(pointwise) <= full | rows
