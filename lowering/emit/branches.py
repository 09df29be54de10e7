"""Values that pass between blocks, and ways that meet: each is emitted apart, then all stand behind one branch."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import IndexType, VectorType
from xdsl.ir import SSAValue

from .elementwise import element_of
from .state import Emitter
from .values import Vec

Pieces = list[tuple[str, str]]


def pieces(e: Emitter, value: SSAValue) -> Pieces:
    """(type, text) of what a value consists of."""
    found = e.env.get(value)
    if isinstance(found, Vec):
        return list(zip(found.types(), found.all()))
    if is_token(value):
        return []
    return [(element_of(value.type), e.scalar(value))]


def is_token(value: SSAValue) -> bool:
    """Is it the name of a copy or of some, which is nothing at run time?"""
    return value.type.name == "nvgpu.device.async.token"


def bind(e: Emitter, value: SSAValue, names: list[str]) -> None:
    """Let `value` consist of `names`, defined in the innermost scope."""
    kind = value.type
    if isinstance(kind, IndexType):
        e.index[value] = e.name_index(names[0], len(e.scopes) - 1)
    elif isinstance(kind, VectorType) and kind.get_num_dims():
        vec = e.vec(element_of(kind), kind.get_shape(), lambda lead, chunk: table[lead, chunk])
        table = dict(zip(vec.pieces(), names))
        e.env[value] = vec
    elif not is_token(value):
        e.env[value] = names[0]


class Way(NamedTuple):
    """Lines that begin with a label, the label of their last block, what they hand on."""

    label: str
    end: str
    lines: list[str]
    values: list[Pieces]

    def follow(self, e: Emitter) -> None:
        """Go on with these lines."""
        e.start_block(self.label)
        e.scopes[-1] += self.lines
        e.label = self.end


def way(e: Emitter, label: str, body: Callable[[], Sequence[SSAValue]]) -> Way:
    """What `body` emits, which gives the values that are handed on."""
    before, e.label = e.label, label
    e.open()
    values = [pieces(e, value) for value in body()]
    end, e.label = e.label, before
    return Way(label, end, e.close(), values)


def meet(e: Emitter, condition: str, ways: Sequence[Way], label: str, results: Sequence[SSAValue]) -> None:
    """Take the first way if the condition holds, else the second, if there is one; go on behind them."""
    e.line(f"br i1 {condition}, label %{ways[0].label}, label %{ways[1].label if len(ways) > 1 else label}")
    for one in ways:
        one.follow(e)
        e.line(f"br label %{label}")
    e.start_block(label)
    for i, result in enumerate(results):
        first, second = ways
        pairs = zip(first.values[i], second.values[i])
        bind(e, result, [e.op(f"phi {t} [ {a}, %{first.end} ], [ {b}, %{second.end} ]") for (t, a), (_, b) in pairs])
