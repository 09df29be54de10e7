"""The program in chosen orders: every op reads and gives values as they are stored, transposes stand where one is read
in another order.

    %0 = nd.contract %x, %w "a b 2*c+d-1, e b d -> a e c"        %0 = nd.contract %x, %w "a b 2*c+d-1, e b d -> a c e"
    %1 = nd.max %0, %cst                                    ->   %1 = nd.max %0, %cst_1
    %2 = nd.sort %1                                              %2 = nd.transpose %1 "a b c -> a c b"
                                                                 %3 = nd.sort %2
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.concatenation import Concat, concat
from ....dialects.nd.constant import Source, full
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, names
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.mapped import mapped, rearrange
from ....dialects.nd.movement import (
    Broadcast,
    Pad,
    Reshape,
    Reverse,
    Slice,
    Transpose,
    pad_with,
    reshape,
    reverse,
    slice_,
)
from ....dialects.nd.op import NdOp, building
from ....dialects.nd.reduction import Reduce, reduce
from ....dialects.nd.types import shape_of, with_shape
from ....dialects.nd.window import ReduceWindow
from ..rewriting import erase, is_dead
from ..simplify.patterns import splat
from .orders import Order, permuted, read_by_reshape, rows


class Rewriter:
    """Rewrites one block: `orders` of those values that are not rows."""

    def __init__(self, block: Block, orders: Mapping[SSAValue, Order]) -> None:
        self.block, self.orders = block, orders
        self.new: dict[SSAValue, Array] = {}
        """What stands for a value, in its order."""
        self.turned: dict[tuple[SSAValue, Order], Array] = {}
        self.scratch = Block()

    def run(self) -> None:
        old: list[Operation] = []
        for op in list(self.block.ops):
            mine = any(r in self.orders for r in op.results)
            if not mine and not any(v in self.orders for v in op.operands):
                continue
            with building(self.scratch, op.location):
                if mine or isinstance(op, Reduce | Broadcast | Transpose | Reshape | Contract):
                    self._replace(op)
                    old.append(op)
                else:
                    for k, v in enumerate(op.operands):
                        if v in self.orders:
                            op.operands[k] = self.read(v, rows(len(shape_of(v.type)))).value
            for made in list(self.scratch.ops):
                made.detach()
                self.block.insert_op_before(made, op)
        for op in reversed(old):
            sources = [v.owner for v in op.operands]
            erase(op)
            for source in sources:
                if isinstance(source, Source) and source.parent is not None and is_dead(source):
                    erase(source)

    def _replace(self, op: Operation) -> None:
        result = op.results[0]
        new = self._built(op, self.order(result))
        if (last := self.scratch.last_op) is not None and new.value.owner is last:
            new.value.name_hint = result.name_hint
            for name, attribute in op.attributes.items():
                last.attributes.setdefault(name, attribute)
        if result in self.orders:
            self.new[result] = new
        else:
            result.replace_all_uses_with(new.value)

    def order(self, value: SSAValue) -> Order:
        return self.orders.get(value) or rows(len(shape_of(value.type)))

    def stored(self, value: SSAValue) -> Array:
        """A value as it lies."""
        return self.new[value] if value in self.new else Array(value)

    def read(self, value: SSAValue, order: Order) -> Array:
        """A value in an order; one that lies otherwise is transposed, once."""
        own = self.order(value)
        if own == order or not shape_of(value.type):
            return self.stored(value)
        if (c := splat(value)) is not None:
            return full(c, with_shape(value.type, permuted(shape_of(value.type), order)))
        if (value, order) not in self.turned:
            dims = names(len(order))
            m = DimMap((permuted(dims, own),), permuted(dims, order))
            self.turned[value, order] = rearrange(self.stored(value), m, ())
        return self.turned[value, order]

    def _built(self, op: Operation, order: Order) -> Array:
        """The op on what is stored, with a result in `order`."""
        assert isinstance(op, NdOp)
        out = permuted(shape_of(op.type), order)
        match op:
            case Contract():
                return contract([self.stored(v) for v in op.operands], self._map(op, order), out)
            case Broadcast() | Transpose():
                return rearrange(self.stored(op.x), self._map(op, order), out)
            case Reduce():
                return self._reduced(op, order)
            case Reshape():
                return self._reshaped(op, order)
            case ReduceWindow():
                return self._windows(op, order)
            case _:
                args = [self.read(v, order) for v in op.operands]
                return again(op, args, order)

    def _map(self, op: NdOp, order: Order) -> DimMap:
        m = op.dims
        operands = tuple(permuted(d, self.order(v)) for d, v in zip(m.operands, op.operands))
        return DimMap(operands, permuted(m.result, order))

    def _reduced(self, op: Reduce, order: Order) -> Array:
        """Over the dimensions where they lie; those that stay come in their order, and are turned if need be."""
        m = self._map(op, order)
        gone = [k for k, i in enumerate(m.operands[0]) if i not in m.result]
        kept = tuple(i for i in m.operands[0] if i in m.result)
        small = reduce(op.word, self.stored(op.x), gone)
        return rearrange(small, DimMap((kept,), m.result), permuted(shape_of(op.type), order))

    def _reshaped(self, op: Reshape, order: Order) -> Array:
        """In an order that keeps it a reshape, or of rows."""
        source = read_by_reshape(shape_of(op.x.type), shape_of(op.type), order)
        if source is not None:
            return reshape(self.read(op.x, source), permuted(shape_of(op.type), order))
        y = reshape(self.read(op.x, rows(len(shape_of(op.x.type)))), shape_of(op.type))
        dims = names(len(order))
        return rearrange(y, DimMap((dims,), permuted(dims, order)), ())

    def _windows(self, op: ReduceWindow, order: Order) -> Array:
        """The windows' sizes stand in the order in which their names appear."""
        x = self.read(op.x, order)
        m = DimMap((permuted(op.dims.operands[0], order),), permuted(op.dims.result, order))
        sizes = dict(zip(op.dims.reduced(), op.window.data))
        window = type(op.window)(tuple(sizes[n] for n in m.reduced()))
        return mapped(ReduceWindow, [x], m, permuted(shape_of(op.type), order), kind=op.kind, window=window)


def again(op: NdOp, args: Sequence[Array], order: Order) -> Array:
    """An op that keeps dimensions, on operands in another order."""
    match op:
        case Elementwise():
            return op.again(args)
        case Slice():
            out = permuted(shape_of(op.type), order)
            return slice_(args[0], permuted(op.start.data, order), permuted(op.step.data, order), out)
        case Reverse():
            return reverse(args[0], sorted(order.index(k) for k in op.axes.data if isinstance(k, int)))
        case Pad():
            low, high, interior = (permuted(a.data, order) for a in (op.low, op.high, op.interior))
            return pad_with(args[0], args[1], low, high, interior)
        case Concat():
            return concat(args, order.index(op.along))
        case _:
            raise AssertionError(op.name)


def rewrite_in(block: Block, orders: Mapping[SSAValue, Order]) -> None:
    """Rewrite a block so that these values are stored in these orders, all others in rows."""
    Rewriter(block, orders).run()
