"""Names for the dimensions of a kernel: those along which elements meet have one name (`i` in a, b and a + b).

The names only say which loops may be shared; accesses are computed from the ops. Two dimensions of one op never get the
same name, so `x + transpose x` keeps `i` and `j` apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ..dialects.nd.concatenation import Concat
from ..dialects.nd.contraction import Contract
from ..dialects.nd.dims import Sym
from ..dialects.nd.indexing import OneHot
from ..dialects.nd.indirect import Gather
from ..dialects.nd.movement import Broadcast, Pad, Reshape, Reverse, Slice, Transpose
from ..dialects.nd.reduction import Reducing
from ..dialects.nd.scatter import Scatter
from ..dialects.nd.types import shape_of
from ..dialects.nd.window import ReduceWindow

LETTERS = "ijklmnopqrstuvwxyzabcdefgh"
Dimension = tuple[SSAValue | Operation, int | str]


class AxisNames:
    """Finds the names of a block's dimensions; `(op, name)` is an axis of a dimension map that the result lacks."""

    def __init__(self, block: Block) -> None:
        self.parent: dict[Dimension, Dimension] = {}
        self.ops: dict[Dimension, set[int]] = {}
        self.names: dict[Dimension, str] = {}
        self.taken: set[str] = set()
        self.stem = 0
        for number, op in enumerate(block.ops):
            for value in op.results:
                for k, d in enumerate(shape_of(value.type)):
                    self.ops[(value, k)] = {number}
                    if isinstance(d, Sym):
                        self.taken.update(d.names())
            self._meet(op, number)
        for arg in block.args:
            for d in shape_of(arg.type):
                if isinstance(d, Sym):
                    self.taken.update(d.names())

    def find(self, x: Dimension) -> Dimension:
        root = x
        while (above := self.parent.get(root, root)) != root:
            root = above
        while x != root:  # the next search is short
            self.parent[x], x = root, self.parent[x]
        return root

    def join(self, a: Dimension, b: Dimension) -> None:
        a, b = self.find(a), self.find(b)
        mine, other = self.ops.get(a, set[int]()), self.ops.get(b, set[int]())
        if a != b and mine.isdisjoint(other):
            self.parent[b] = a
            small, large = sorted((mine, other), key=len)
            large.update(small)
            self.ops[a] = large

    def _meet(self, op: Operation, number: int) -> None:
        """Join the dimensions of operands and result that an op runs over together."""
        if not op.results:
            return
        out = op.results[0]
        match op:
            case Contract() | Reducing() | ReduceWindow() | Transpose() | Broadcast():
                m = op.dims
                at: dict[str, Dimension] = {i.name: (out, k) for k, i in enumerate(m.result) if i.name}
                for name in m.names():
                    if name not in at:
                        at[name] = (op, name)
                        self.ops[(op, name)] = {number}
                for value, dims in zip(op.operands, m.operands):
                    for k, i in enumerate(dims):
                        if i.name:
                            self.join(at[i.name], (value, k))
            case Gather():
                at = {i.name or "": (out, k) for k, i in enumerate(op.data)}
                for value, dims in zip(op.operands, (op.place, *op.index_dims)):
                    for k, i in enumerate(dims):
                        if i.name:
                            self.join(at[i.name], (value, k))
            case Scatter():
                self._same(op.x, out, range(len(op.place)))
                at = {i.name or "": (op.updates, k) for k, i in enumerate(op.data)}
                for value, dims in ((out, op.place), *zip(op.index_operands, op.index_dims)):
                    for k, i in enumerate(dims):
                        if i.name:
                            self.join(at[i.name], (value, k))
            case Reshape():
                shape, new = shape_of(op.x.type), shape_of(op.type)
                wide = [k for k, d in enumerate(shape) if d != 1], [k for k, d in enumerate(new) if d != 1]
                pairs = zip(*wide)
                for k, n in pairs:
                    if shape[k] != new[n]:
                        break
                    self.join((out, n), (op.x, k))
            case Slice():
                shape, new = shape_of(op.x.type), shape_of(op.type)
                self._same(op.x, out, (k for k, s in enumerate(op.step.data) if s == 1 and shape[k] == new[k]))
            case Reverse():
                self._same(op.x, out, (k for k in range(len(shape_of(op.type))) if k not in op.axes.data))
            case Pad() | Concat():
                new = shape_of(out.type)
                for value in op.operands[:1] if isinstance(op, Pad) else op.operands:
                    shape = shape_of(value.type)
                    self._same(value, out, (k for k, d in enumerate(shape) if d == new[k]))
            case OneHot():
                self._same(op.labels, out, range(len(shape_of(op.labels.type))))
            case _:
                for value in op.operands:
                    self._same(value, out, range(len(shape_of(value.type))))

    def _same(self, value: SSAValue, out: SSAValue, dims: Iterable[int]) -> None:
        for k in dims:
            self.join((out, k), (value, k))

    def name(self, x: Dimension) -> str:
        """The name of a dimension; names are given in the order in which they are asked for."""
        root = self.find(x)
        if root not in self.names:
            self.names[root] = self.fresh()
        return self.names[root]

    def of(self, value: SSAValue) -> list[str]:
        return [self.name((value, k)) for k in range(len(shape_of(value.type)))]

    def fresh(self) -> str:
        while True:
            round_, letter = divmod(self.stem, len(LETTERS))
            self.stem += 1
            name = LETTERS[letter] + (f"_{round_}" if round_ else "")
            if name not in self.taken:
                return name


def distinct(names: Sequence[str]) -> bool:
    return len(set(names)) == len(names)
