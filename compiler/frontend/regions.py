"""Functions of the user as regions of control flow: run once on block arguments, then closed.

trace_region    the function's ops in a block, its results still as the user left them
finish          results as values of given types, and the end of the block
close           traced values from around that regions read become arguments of all of them
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Block, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd.constant import full
from ...dialects.nd.op import Array, building
from ...dialects.nd.promotion import weak
from ...dialects.nd.types import Type
from .locations import user_location
from .pytree import Structure, flatten, unflatten
from .tracing import argument_names, lift, owner_block, refuse_leaks, type_of

Fn = Callable[..., Any]


@dataclass
class Region:
    """A block that has no end yet, and what the function gave."""

    what: str
    block: Block
    leaves: list[Any]
    out: Structure
    location: LocationAttr

    def type_of(self, leaf: Any) -> Type:
        """The type that a result has by itself."""
        try:
            return type_of(leaf)
        except CompileError as error:
            message = f"{self.what}: expected arrays as results, found {type(leaf).__name__}"
            raise CompileError(message, user_location()) from error

    def map_result(self, fn: Callable[[Any], Any]) -> None:
        """Apply `fn` to the only result, at the end of the block."""
        if len(self.leaves) != 1:
            raise CompileError(f"{self.what}: expected one result, found {self.out}", user_location())
        with building(self.block):
            self.leaves = [fn(self.leaves[0])]

    def finish(self, types: Sequence[Type]) -> None:
        """End the block with values of these types; only Python numbers change theirs."""
        with building(self.block):
            values = [full(x, t) if weak(x) else lift(x) for x, t in zip(self.leaves, types, strict=True)]
            assert [v.type for v in values] == list(types)
            control.yield_(values)


def trace_region(
    what: str, fn: Fn, structure: Structure, types: Sequence[Type], shaped: Callable[[Any], Any] = lambda out: out
) -> Region:
    """Run `fn` on trees of block arguments; `shaped` checks what it gives."""
    block = Block(arg_types=types)
    where = user_location()
    for arg, hint in zip(block.args, argument_names(fn, structure), strict=True):
        arg.name_hint, arg.location = hint, where
    with building(block):
        leaves, out = flatten(shaped(fn(*unflatten(structure, [*map(Array, block.args)]))))
    return Region(what, block, leaves, out, where)


def probe(
    fn: Fn, structure: Structure, first: Sequence[Any], types: Sequence[Type], shaped: Callable[[Any], Any]
) -> list[Type | None]:
    """The types of the first results where the Python numbers among `first` stay what they are; nothing is kept.

    Functions that want arrays fail on them: then nothing is known.
    """
    block = Block(arg_types=types)
    args = [x if weak(x) else lift(x) for x in first]
    try:
        with building(block):
            out, _ = flatten(shaped(fn(*unflatten(structure, [*args, *map(Array, block.args)]))))
        found = [None if weak(y) else type_of(y) for y in out[: len(first)]]
    except Exception:
        found = []
    for op in reversed(list(block.ops)):
        op.drop_all_references()
    return found


def close(regions: Sequence[Region]) -> list[Array]:
    """Make what the regions read from around arguments, in front of the others; returns the values."""
    captured: dict[SSAValue, None] = {}
    for region in regions:
        refuse_leaks(region.block)
        for op in region.block.ops:
            captured.update({v: None for v in op.operands if owner_block(v) is not region.block})
    for region in regions:
        moved: dict[SSAValue, SSAValue] = {}
        for k, value in enumerate(captured):
            arg = moved[value] = region.block.insert_arg(value.type, k)
            arg.name_hint = value.name_hint
            arg.location = region.location
        for op in region.block.ops:
            if any(v in moved for v in op.operands):
                op.operands = [moved.get(v, v) for v in op.operands]
    return [Array(v) for v in captured]
