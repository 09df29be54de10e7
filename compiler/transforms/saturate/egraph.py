"""The e-graph: values known to be equal, as classes of ops.

After egg (Willsey et al., POPL 2021). A node is an op; a class is named by one of its values, the oldest; all values of
a class have one type. Nodes are hash-consed over the classes of their operands, so that an op is there once, and
classes that merge make equal those readers that differed by them only (congruence), which `rebuild` merges in turn.

Nodes that the program has are its own ops, where they stand; others are in `block`. Everything is kept in the order in
which it came, so that a run repeats itself.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from xdsl.ir import Attribute, Block, SSAValue

from ....dialects.nd.op import NdOp
from ..cse import COMMUTATIVE

Class = SSAValue
"""The value that names a class."""


class EGraph:
    def __init__(self) -> None:
        self.block = Block()
        """The ops that the program does not have."""
        self.members: dict[Class, list[NdOp]] = {}
        """The nodes of each class; none where a value comes from outside."""
        self.readers: dict[Class, list[NdOp]] = {}
        """The nodes that have a value of the class as operand."""
        self.changed: dict[Class, None] = {}
        """The classes that have got nodes or readers since somebody emptied this."""
        self.size = 0
        """The number of nodes."""
        self._parent: dict[SSAValue, SSAValue] = {}
        self._age: dict[SSAValue, int] = {}
        self._known: dict[Hashable, NdOp] = {}
        self._operands: dict[NdOp, tuple[Class, ...]] = {}
        self._stale: list[Class] = []
        """Merged classes, whose readers may have become equal."""

    def find(self, value: SSAValue) -> Class:
        """The class of a value, which becomes one of its own if it is new."""
        parent = self._parent
        if value not in parent:
            parent[value] = value
            self._age[value] = len(self._age)
            self.members[value], self.readers[value] = [], []
            return value
        while (above := parent[value]) is not value:
            parent[value] = parent[above]
            value = above
        return value

    def operands(self, op: NdOp) -> tuple[Class, ...]:
        """The classes that a node reads."""
        found = self._operands[op]
        if any(self._parent[c] is not c for c in found):
            found = self._operands[op] = tuple(map(self.find, found))
        return found

    def add(self, op: NdOp) -> NdOp:
        """The op as a node, or the node that it is equal to."""
        self._operands[op] = tuple(map(self.find, op.operands))
        key = self._key(type(op), self._operands[op], op.properties)
        found = self._known.get(key)
        if found is not None:
            return found
        self._known[key] = op
        self.size += 1
        c = self.find(op.results[0])
        self.members[c].append(op)
        self.changed[c] = None
        for v in dict.fromkeys(self.operands(op)):
            self.readers[v].append(op)
            self.changed[v] = None
        return op

    def known(self, kind: type[NdOp], operands: Sequence[SSAValue], properties: Mapping[str, Attribute]) -> NdOp | None:
        """The node that an op would be, if there is one."""
        return self._known.get(self._key(kind, tuple(map(self.find, operands)), properties))

    def merge(self, a: SSAValue, b: SSAValue) -> None:
        """Say that two values are equal."""
        a, b = self.find(a), self.find(b)
        if a is b:
            return
        assert a.type == b.type, f"expected equal values of one type, found {a.type} and {b.type}"
        if self._age[b] < self._age[a]:
            a, b = b, a
        self._parent[b] = a
        self.members[a] += self.members.pop(b)
        self.readers[a] += self.readers.pop(b)
        self.changed[a] = None
        self._stale.append(a)

    def rebuild(self) -> None:
        """Merge what merging has made equal, until nothing changes, and forget nodes that are there twice."""
        same: set[NdOp] = set()
        while self._stale:
            stale, self._stale = dict.fromkeys(map(self.find, self._stale)), []
            for c in stale:
                for op in dict.fromkeys(self.readers[self.find(c)]):
                    known = self._known.setdefault(self._key(type(op), self.operands(op), op.properties), op)
                    if known is not op and op not in same:
                        same.add(op)
                        self.merge(op.results[0], known.results[0])
        self.changed = dict.fromkeys(map(self.find, self.changed))
        for c in self.changed:
            self.members[c] = [op for op in self.members[c] if op not in same]
            self.readers[c] = [op for op in dict.fromkeys(self.readers[c]) if op not in same]
        self.size -= len(same)

    def drop(self) -> None:
        """Let go of the program's values."""
        for op in self.block.ops:
            op.drop_all_references()

    def _key(self, kind: type[NdOp], operands: tuple[Class, ...], properties: Mapping[str, Attribute]) -> Hashable:
        if issubclass(kind, COMMUTATIVE):
            operands = tuple(sorted(operands, key=self._age.__getitem__))
        return kind, operands, tuple(sorted(properties.items()))
