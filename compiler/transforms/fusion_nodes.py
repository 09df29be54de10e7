"""What fusion knows of an op: a node with axes, one for each dimension of what it runs over, and what it reads.

Axes are numbers with sizes, and may become equal. A gather counts as elementwise over its result's axes, a scatter runs
over those of its updates. What ops with regions and effects do is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from xdsl.ir import Operation, SSAValue

from ...dialects.nd.contraction import Contract
from ...dialects.nd.control import Control
from ...dialects.nd.dims import Dim
from ...dialects.nd.effects import Check, Print
from ...dialects.nd.elementwise import Elementwise
from ...dialects.nd.indexing import OneHot
from ...dialects.nd.indirect import Gather
from ...dialects.nd.reduction import Reducing
from ...dialects.nd.scatter import Scatter
from ...dialects.nd.types import shape_of


@dataclass
class Read:
    """An operand of a node, seen through replication and permutation: dimension k of `root` is dimension `dims[k]` of
    the operand (None: of one element)."""

    operand: SSAValue
    root: SSAValue
    dims: tuple[int | None, ...]
    behind: bool = False
    """Behind a barrier: the root is made by another kernel."""


@dataclass
class Node:
    """An op that computes; `axes` for each dimension it runs over, `result` those of its result, in order."""

    op: Operation
    reads: list[Read]
    axes: tuple[int, ...]
    result: tuple[int, ...]
    operands: list[tuple[int, ...]]
    depends: set[int] = field(default_factory=set[int])
    """The nodes that it reads, also through views."""

    anywhere: SSAValue | None = None
    """What is read or written at computed positions."""
    first_index: int | None = None
    """The first of the operands that are positions."""
    kind: str = field(init=False)
    """`contraction`, `rows`, `scatter`, `elementwise` or `alone`."""

    def __post_init__(self) -> None:
        match self.op:
            case Contract():
                self.kind = "contraction"
            case Reducing():
                self.kind = "rows"
            case Scatter():
                self.kind = "scatter"
            case Elementwise() | OneHot() | Gather():
                self.kind = "elementwise"
            case _:
                self.kind = "alone"


class Axes:
    """Axes by number, with their sizes and what is equal to what."""

    def __init__(self) -> None:
        self.sizes: list[Dim] = []
        self.parent: list[int] = []

    def new(self, size: Dim) -> int:
        self.sizes.append(size)
        self.parent.append(len(self.parent))
        return len(self.parent) - 1

    def find(self, axis: int, trial: Mapping[int, int] | None = None) -> int:
        while True:
            above = trial.get(axis, self.parent[axis]) if trial else self.parent[axis]
            if above == axis:
                return axis
            axis = above

    def joined(self, pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
        """New parents under which all pairs are equal."""
        trial: dict[int, int] = {}
        for a, b in pairs:
            a, b = self.find(a, trial), self.find(b, trial)
            if a != b:
                trial[max(a, b)] = min(a, b)
        return trial


def make_node(op: Operation, reads: list[Read], axes: Axes) -> Node:
    """A node with axes of its own."""
    match op:
        case Control() | Print() | Check():
            return Node(op, [], (), (), [])
        case Contract() | Reducing():
            m = op.dims
            names: dict[str, int] = {}
            for dims, value in zip(m.operands, op.operands):
                for index, size in zip(dims, shape_of(value.type)):
                    if index.name is not None and index.name not in names:
                        names[index.name] = axes.new(size)
            for index, size in zip(m.result, shape_of(op.results[0].type)):
                names.setdefault(index.name or "", axes.new(size))
            for name in m.names():
                names.setdefault(name, axes.new(0))
            operands = [tuple(names[i.name] if i.name else -1 for i in dims) for dims in m.operands]
            result = tuple(names[i.name or ""] for i in m.result)
            return Node(op, reads, tuple(names.values()), result, operands)
        case Gather():
            own = tuple(axes.new(size) for size in shape_of(op.results[0].type))
            names = {i.name or "": axis for i, axis in zip(op.data, own)}
            looked_up = [tuple(names[i.name] if i.name else -1 for i in dims) for dims in (op.place, *op.index_dims)]
            return Node(op, reads, own, own, looked_up, anywhere=reads[0].root, first_index=1)
        case Scatter():
            own = tuple(axes.new(size) for size in op.data_shape)
            names = {i.name or "": axis for i, axis in zip(op.data, own)}
            written = [
                tuple(names[i.name] if i.name else -1 for i in dims) for dims in (op.place, op.data, *op.index_dims)
            ]
            return Node(op, reads, own, own, written, anywhere=reads[0].root, first_index=2)
        case _:
            own = tuple(axes.new(size) for size in shape_of(op.results[0].type))
            labels = own[:-1] if isinstance(op, OneHot) else own
            return Node(op, reads, own, own, [labels] * len(op.operands))
