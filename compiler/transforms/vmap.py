"""Batching: every op gets a new leading dimension, by its dimension map.

    func @main(%x: tensor<3xf32>, %w)                        func @main_vmap(%x: tensor<8x3xf32>, %w)
      %y = nd.contract %x, %w "a, a b -> b"       ->           %y = nd.contract %x, %w "a b, b c -> a c"

Ops that read nothing batched stay as they are. Control flow and effects have rules of their own (`control_vmap.py`);
symbolic sizes may be batch sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd.control import Control
from ...dialects.nd.dims import Dim, symbol
from ...dialects.nd.effects import EFFECTS
from ...dialects.nd.op import Array, NdOp, building, expand, insert
from ...dialects.nd.types import element, shape_of, tensor
from ..blocks import arrays, clone, entry, insert_after, located, return_, terminator


def vmap(
    block: Block, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None = None
) -> tuple[list[Array], list[bool]]:
    """Emit the block over a new leading dimension of the arguments that `flags` name; which results have it.

    `mask` says which elements reach this place, if not all do.
    """
    env: dict[SSAValue, SSAValue] = {b: a.value for b, a in zip(block.args, args, strict=True)}
    batched: set[SSAValue] = {b for b, f in zip(block.args, flags, strict=True) if f}
    *ops, last = block.ops
    for op in located(ops):
        found = [v in batched for v in op.operands]
        if not any(found) and (mask is None or isinstance(op, NdOp)):
            insert(clone(op, env))
            continue
        results, got = _rule(op, arrays(op.operands, env), found, size, mask)
        env.update(zip(op.results, (y.value for y in results), strict=True))
        batched.update(r for r, f in zip(op.results, got, strict=True) if f)
    return [Array(env.get(v, v)) for v in last.operands], [v in batched for v in last.operands]


def _rule(
    op: Operation, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None
) -> tuple[list[Array], list[bool]]:
    if isinstance(op, NdOp):
        return [op.batch(args, flags, size)], [True]
    from .control_vmap import control_vmap, vmap_effect

    if isinstance(op, Control):
        return control_vmap(op, args, flags, size, mask)
    if isinstance(op, EFFECTS):
        vmap_effect(op, args, flags, size, mask)
        return [], []
    raise CompileError(f"vmap: expected an op of the nd dialect, found {op.name}", op.location)


def vmap_function(f: FuncOp, name: str, axes: Sequence[bool], size: Dim) -> FuncOp:
    """`@name` over a leading dimension of `size` of the flagged arguments and of every result."""
    old = f.body.block
    types = [
        tensor((size, *shape_of(a.type)), element(a.type)) if flag else a.type
        for a, flag in zip(old.args, axes, strict=True)
    ]
    block = Block(arg_types=types)
    for before, after in zip(old.args, block.args, strict=True):
        after.name_hint, after.location = before.name_hint, before.location
    with building(block, terminator(old).location):
        ys, got = vmap(old, [*map(Array, block.args)], axes, size)
        return_([y if g else expand(y, size) for y, g in zip(ys, got, strict=True)])
    new = FuncOp(name, (types, [v.type for v in terminator(block).operands]), Region(block))
    new.location = f.location
    return new


@dataclass(frozen=True)
class Vmap(ModulePass):
    """Add `@entry_vmap`: `@entry` over a new leading dimension, of `size`, or of the symbol `symbol`; `args` are the
    arguments that get it (default: all)."""

    name = "vmap"
    entry: str = "main"
    size: int | None = None
    symbol: str = "n"
    args: tuple[int, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        f = entry(op, self.entry)
        count = len(f.body.block.args)
        for k in self.args:
            if not 0 <= k < count:
                raise CompileError(f"vmap: expected an argument from 0 to {count - 1}, found {k}", f.location)
        axes = [not self.args or k in self.args for k in range(count)]
        size: Dim = symbol(self.symbol) if self.size is None else self.size
        insert_after(f, vmap_function(f, f"{self.entry}_vmap", axes, size))
