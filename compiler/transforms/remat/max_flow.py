"""Minimum cuts of small networks, by blocking flows (Dinic, 1970): O(nodes^2 edges), and exact with whole capacities.

s --3--> a --1--> t     cut of 1: the side of s is {s, a}
"""

from __future__ import annotations

UNBOUNDED = 1 << 62


class Network:
    """Nodes are numbers; 0 is the source, 1 the sink."""

    def __init__(self) -> None:
        self.to: list[int] = []
        self.room: list[int] = []
        """Edge e goes to `to[e]` and has room for so much more flow; e ^ 1 is its way back."""
        self.edges: list[list[int]] = [[], []]

    def node(self) -> int:
        self.edges.append([])
        return len(self.edges) - 1

    def edge(self, start: int, end: int, capacity: int) -> None:
        for a, b, c in ((start, end, capacity), (end, start, 0)):
            self.edges[a].append(len(self.to))
            self.to.append(b)
            self.room.append(c)

    def source_side(self) -> list[bool]:
        """Which nodes are on the source's side of a smallest cut."""
        while (level := self._levels())[1] >= 0:
            following = [0] * len(self.edges)
            while self._push(level, following):
                pass
        return [n >= 0 for n in level]

    def _levels(self) -> list[int]:
        """The distance of each node from the source along edges with room; -1: not reached."""
        level = [-1] * len(self.edges)
        level[0] = 0
        waiting = [0]
        for a in waiting:
            for e in self.edges[a]:
                if self.room[e] and level[self.to[e]] < 0:
                    level[self.to[e]] = level[a] + 1
                    waiting.append(self.to[e])
        return level

    def _push(self, level: list[int], following: list[int]) -> bool:
        """Send flow along one way that goes up the levels; False if there is none. `following` holds the edge of each
        node that is to be tried next."""
        path: list[int] = []
        a = 0
        while a != 1:
            while following[a] < len(self.edges[a]):
                e = self.edges[a][following[a]]
                if self.room[e] and level[self.to[e]] == level[a] + 1:
                    break
                following[a] += 1
            else:
                if not path:
                    return False
                a = self.to[path.pop() ^ 1]
                following[a] += 1
                continue
            path.append(e)
            a = self.to[e]
        flow = min(self.room[e] for e in path)
        for e in path:
            self.room[e] -= flow
            self.room[e ^ 1] += flow
        return True
