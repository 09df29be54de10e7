"""What regions of a program read, before it is fused: operands that have a place in memory, and sizes by an argument.

    %0 = nd.constant 2.0 : tensor<4xf32>                        %r = nd.scan 8 carry (%c = %c0) -> (..) {
    %r = nd.scan 8 (%k = %0) carry (%c = %c0) -> (..) {           %k = nd.constant 2.0 : tensor<4xf32>
      %1 = nd.mul %c, %k : tensor<4xf32>                  ->      %1 = nd.mul %c, %k : tensor<4xf32>
      nd.yield %1 : tensor<4xf32>                                 nd.yield %1 : tensor<4xf32>
    }                                                           }

An invariant that costs nothing to repeat, or replicates, moves into the region with the views on it; one that no region
reads goes. A symbol whose value no argument of a region tells gets one: an argument of the block around it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...dialects.graph.views import VIEWS
from ...dialects.nd.attributes import DimsAttr
from ...dialects.nd.constant import Constant, Source
from ...dialects.nd.control import Control, If, segments
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.dims import symbol as symbol_of
from ...dialects.nd.extents import symbols_of
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.op import Array, building
from ...dialects.nd.reduction import reduce
from ...dialects.nd.resource import is_stored
from ...dialects.nd.types import is_tensor, shape_of

SMALL = 64
"""The most elements of a constant of one value that lies in memory, rather than being filled in by a kernel."""


def prepare_regions(block: Block) -> None:
    """Adapt the invariants of a block's region ops, then of those in their regions."""
    for op in list(block.ops):
        if isinstance(op, Control):
            for k in reversed(range(len(op.groups[0]))):
                _sink(op, k)
            _tell_symbols(op, block)
            for region in op.regions:
                prepare_regions(region.block)


def _views(value: SSAValue) -> list[Operation]:
    """The views between a value and what it views, the first one first."""
    out: list[Operation] = []
    while isinstance(op := value.owner, Operation) and type(op) in VIEWS:
        out.append(op)
        value = op.operands[0]
    return out[::-1]


def _sink(op: Control, k: int) -> None:
    """Move what makes an invariant into the regions, if it has no place in memory; drop it if nothing reads it."""
    value = op.groups[0][k]
    inside = [region.block.args[k] for region in op.regions]
    if not any(a.first_use for a in inside):
        _set_invariants(op, [v for n, v in enumerate(op.groups[0]) if n != k])
        for argument in inside:
            argument.block.erase_arg(argument)
        return
    views = _views(value)
    base = views[0].operands[0] if views else value
    source = base.owner if isinstance(base.owner, Source) and not is_stored(base.owner) else None
    if source is None and not any(isinstance(v, Broadcast) for v in views):
        return
    for argument in inside:
        block = argument.block
        env: dict[SSAValue, SSAValue] = {}
        if source is None:
            new = block.insert_arg(base.type, k + 1, argument.location)
            new.name_hint = base.name_hint
            env[base] = new
        made = [v.clone(env) for v in ([source] if source is not None else []) + views]
        first = block.first_op
        assert first is not None
        block.insert_ops_before(made, first)
        argument.replace_all_uses_with(made[-1].results[0])
        block.erase_arg(argument)
    rest = list(op.groups[0])
    rest[k : k + 1] = [base] if source is None else []
    _set_invariants(op, rest)


def _set_invariants(op: Control, invariants: Sequence[SSAValue]) -> None:
    groups = op.groups
    ahead = list(op.operands)[: len(op.operands) - sum(map(len, groups))]
    groups[0] = list(invariants)
    op.operands = [*ahead, *(v for g in groups for v in g)]
    if "operandSegmentSizes" in op.properties:
        op.properties.update(segments(*groups))


def _tell_symbols(op: Control, block: Block) -> None:
    named = {d for a in op.regions[0].block.args for d in shape_of(a.type)}
    for name in _symbols(op):
        symbol = symbol_of(name)
        if symbol in named:
            continue
        for value in block.args:
            if isinstance(value.type, TensorType) and symbol in shape_of(value.type):
                for region in op.regions:
                    new = region.block.insert_arg(value.type, len(op.groups[0]), value.location)
                    new.name_hint = value.name_hint
                _set_invariants(op, [*op.groups[0], value])
                named.update(shape_of(value.type))
                break


def _symbols(op: Control) -> list[str]:
    """The symbols of what the regions compute."""
    found: dict[str, None] = {}
    for region in op.regions:
        for inner in region.walk():
            found.update(dict.fromkeys(_names(r.type for r in inner.results)))
            found.update(dict.fromkeys(_names(inner.properties.values())))
    return list(found)


def _names(attributes: Iterable[Attribute]) -> list[str]:
    dims: list[Dim] = []
    for attribute in attributes:
        if isinstance(attribute, DimsAttr):
            dims += attribute.data
        elif is_tensor(attribute):
            dims += shape_of(attribute)
    return [n for d in dims for n in symbols_of(d)]


def read_where_it_lies(op: Control, k: int) -> bool:
    """Is an operand read where it lies: a predicate, an invariant, a sequence? What a loop begins with is copied."""
    if isinstance(op, If):
        return True
    groups = op.groups
    return not len(groups[0]) <= k < len(groups[0]) + len(groups[1])


def is_small(op: Constant) -> bool:
    n = size(shape_of(op.type))
    return isinstance(n, int) and n <= SMALL


def all_of(value: SSAValue, before: Operation) -> SSAValue:
    """Are all elements true?"""
    scratch = Block()
    with building(scratch, before.location):
        result = reduce("all", Array(value), tuple(range(len(shape_of(value.type)))))
    assert before.parent is not None
    for op in list(scratch.ops):
        op.detach()
        before.parent.insert_op_before(op, before)
    return result.value
