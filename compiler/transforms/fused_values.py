"""What graph-fuse asks of values: what they view, where they come from, what costs nothing to repeat."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Block, Operation, SSAValue

from ...dialects.graph.views import VIEWS
from ...dialects.nd.constant import Source
from ...dialects.nd.movement import Transpose
from ...dialects.nd.resource import is_stored
from ...dialects.nd.types import shape_of


def place_of(value: SSAValue) -> LocationAttr:
    """Where a value comes from."""
    owner = value.owner
    return owner.location if isinstance(owner, Operation) else value.location  # pyright: ignore


def identity(value: SSAValue, before: Operation) -> Operation:
    """An op that copies: the permutation that permutes nothing."""
    from ...dialects.nd.dimmap import names
    from ...dialects.nd.mapped import DimMap, text

    dims = names(len(shape_of(value.type)))
    new = Transpose.create(
        operands=[value],
        result_types=[value.type],
        properties={"map": text(DimMap((dims,), dims))},
        location=before.location,
    )
    new.results[0].name_hint = value.name_hint
    assert before.parent is not None
    before.parent.insert_op_before(new, before)
    return new


def is_source(op: Operation | Block) -> bool:
    """Costs nothing to repeat: a constant of one value, iota, a size."""
    return isinstance(op, Source) and not is_stored(op)


def rename(op: Operation, env: Mapping[SSAValue, SSAValue]) -> None:
    """Let an op read what stands for its operands."""
    for k, value in enumerate(op.operands):
        if (new := env[value]) is not value:
            op.operands[k] = new


def chain(value: SSAValue, stop: set[Operation]) -> list[Operation]:
    """The views between a value and what it views, the first one first; `stop` are views that are computed."""
    out: list[Operation] = []
    while isinstance(op := value.owner, Operation) and type(op) in VIEWS and op not in stop:
        out.append(op)
        value = op.operands[0]
    return out[::-1]


def base_of(value: SSAValue, stop: set[Operation]) -> SSAValue:
    views = chain(value, stop)
    return views[0].operands[0] if views else value
