"""Forward mode: every op is followed by the op of its tangent.

    func @main(%x) {                  func @main_jvp(%x, %dx) {
      %y = nd.sin %x          ->        %y = nd.sin %x
      return %y                         %c = nd.cos %x
    }                                   %dy = nd.mul %dx, %c
                                        return %y, %dy
                                      }

A tangent of zero is None and costs nothing. A composite without a derivative of its own is differentiated through its
decomposition. Control flow has rules of its own (`control_jvp.py`); an effect happens once, with the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd.composite import Composite, has_tangent
from ...dialects.nd.control import Control
from ...dialects.nd.effects import EFFECTS
from ...dialects.nd.op import Array, NdOp, building, insert, zeros_like
from ...dialects.nd.types import is_float
from ..blocks import arrays, clone, entry, insert_after, located, return_, terminator, trace_block

Tangents = list[Array | None]


def jvp(
    block: Block, args: Sequence[Array], tangents: Sequence[Array | None], split: bool = False
) -> tuple[list[Array], Tangents]:
    """Emit the block's ops with their tangents at the current place; returns results and their tangents.

    With `split`, control flow becomes an op of known values and one that is linear in the tangents.
    """
    env: dict[SSAValue, SSAValue] = {b: a.value for b, a in zip(block.args, args, strict=True)}
    known: dict[SSAValue, Array] = {b: t for b, t in zip(block.args, tangents, strict=True) if t is not None}
    *ops, last = block.ops
    for op in located(ops):
        found = [known.get(v) for v in op.operands]
        if all(t is None for t in found):
            insert(clone(op, env))
            continue
        known.update((r, t) for r, t in zip(op.results, _rule(op, found, env, split), strict=True) if t is not None)
    return arrays(last.operands, env), [known.get(v) for v in last.operands]


def _rule(op: Operation, tangents: Tangents, env: dict[SSAValue, SSAValue], split: bool) -> Sequence[Array | None]:
    """Emit an op and its tangents; its results enter `env`."""
    if isinstance(op, Control):
        from .control_jvp import control_jvp

        results, out = control_jvp(op, arrays(op.operands, env), tangents, split)
        env.update(zip(op.results, (a.value for a in results), strict=True))
        return out
    if isinstance(op, EFFECTS):
        insert(clone(op, env))
        return []
    if isinstance(op, Composite) and not has_tangent(op):
        body = trace_block(lambda *xs: [op.expand(*xs)], [v.type for v in op.operands], op.location)
        results, out = jvp(body, arrays(op.operands, env), tangents, split)
        env[op.results[0]] = results[0].value
        return out
    if not isinstance(op, NdOp):
        what = "inline the call first" if isinstance(op, CallOp) else "it has no derivative"
        raise CompileError(f"jvp: expected an op of the nd dialect, found {op.name}; {what}", op.location)
    new = insert(clone(op, env))
    assert isinstance(new, NdOp)
    return new.jvp(tangents)


def jvp_function(f: FuncOp, name: str) -> FuncOp:
    """`@name(arguments, tangents of float arguments) -> (results, tangents of float results)`."""
    old = f.body.block
    floats = [a for a in old.args if is_float(a.type)]
    block = Block(arg_types=[a.type for a in (*old.args, *floats)])
    for before, after in zip((*old.args, *floats), block.args, strict=True):
        hint = before.name_hint
        after.name_hint = hint if after.index < len(old.args) or hint is None else f"d{hint}"
        after.location = before.location
    seeds = iter(map(Array, block.args[len(old.args) :]))
    with building(block, terminator(old).location):
        ys, ts = jvp(
            old, [*map(Array, block.args[: len(old.args)])], [next(seeds) if a in floats else None for a in old.args]
        )
        return_(
            [*ys, *(t if t is not None else zeros_like(y) for y, t in zip(ys, ts, strict=True) if is_float(y.type))]
        )
    new = FuncOp(name, (list(block.arg_types), [v.type for v in terminator(block).operands]), Region(block))
    new.location = f.location
    return new


@dataclass(frozen=True)
class Jvp(ModulePass):
    """Add `@entry_jvp`, which takes a tangent for each float argument and gives one for each float result."""

    name = "jvp"
    entry: str = "main"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        f = entry(op, self.entry)
        insert_after(f, jvp_function(f, f"{self.entry}_jvp"))
