"""Replace calls of functions by their bodies, callees first, and checkpoints by theirs.

    func.func private @f(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = nd.exp %x : tensor<4xf32>
      func.return %0 : tensor<4xf32>                               func.func @main(%y: tensor<4xf32>) -> tensor<4xf32> {
    }                                                        ->      %0 = nd.exp %y : tensor<4xf32>
    func.func @main(%y: tensor<4xf32>) -> tensor<4xf32> {            func.return %0 : tensor<4xf32>
      %0 = func.call @f(%y) : ...                                  }
      func.return %0 : tensor<4xf32>
    }

A checkpoint is replaced by its region, and a named value by the value: they speak to differentiation, which is over.

    %y = nd.checkpoint saves dots (%x_1 = %x) -> (tensor<4xf32>) {
      %0 = nd.name %x_1 "in" : tensor<4xf32>
      %1 = nd.exp %0 : tensor<4xf32>                               ->      %y = nd.exp %x : tensor<4xf32>
      nd.yield %1 : tensor<4xf32>
    }

Calls inside of regions too; effects happen where the call stood. The functions stay: `symbol-dce` drops private ones
that nobody names. A call that leads back to its function is an error. An op carries its own place, then the call's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd.checkpoint import Checkpoint, Name
from ..blocks import clone, terminator
from .dce import drop_unused_functions
from .rewriting import erase, functions, fuse


def calls(block: Block) -> Iterator[CallOp]:
    """The calls of a block and of the regions below it."""
    for op in list(block.ops):
        if isinstance(op, CallOp):
            yield op
        for region in op.regions:
            for inner in region.blocks:
                yield from calls(inner)


def inline_calls(module: ModuleOp) -> int:
    """Inline every call of a function with a body; returns their number."""
    named = {f.sym_name.data: f for f in functions(module)}
    done: set[str] = set()
    count = 0

    def visit(f: FuncOp, path: tuple[str, ...]) -> None:
        nonlocal count
        name = f.sym_name.data
        if name in done:
            return
        for call in calls(f.body.block):
            callee = named.get(call.callee.string_value())
            if callee is None:
                continue
            called = callee.sym_name.data
            if called in (*path, name):
                chain = " -> ".join(f"@{n}" for n in (*path, name, called))
                raise CompileError(f"func.call: expected calls without recursion, found {chain}", call.location)
            visit(callee, (*path, name))
            _inline(call, callee)
            count += 1
        done.add(name)

    for f in named.values():
        visit(f, ())
    return count


def _inline(call: CallOp, callee: FuncOp) -> None:
    block = callee.body.block
    assert [a.type for a in block.args] == [v.type for v in call.operands], "verified"
    env: dict[SSAValue, SSAValue] = dict(zip(block.args, call.operands, strict=True))
    last, around = terminator(block), call.parent
    assert around is not None
    for op in block.ops:
        if op is not last:
            new = clone(op, env)
            new.location = fuse([op.location, call.location])
            around.insert_op_before(new, call)
    _stand_for(call, [env.get(v, v) for v in last.operands])


def _stand_for(op: Operation, values: Sequence[SSAValue]) -> None:
    """The values are the op's results from now on."""
    for result, value in zip(op.results, values, strict=True):
        if value.name_hint is None:
            value.name_hint = result.name_hint
        result.replace_all_uses_with(value)
    erase(op)


def open_checkpoints(block: Block) -> None:
    """Put the ops of checkpoints in their place, here and in all regions; drop names."""
    for op in list(block.ops):
        for region in op.regions:
            for inner in region.blocks:
                open_checkpoints(inner)
        if isinstance(op, Name):
            _stand_for(op, [op.x])
        elif isinstance(op, Checkpoint):
            body = op.body.block
            env: dict[SSAValue, SSAValue] = dict(zip(body.args, op.operands, strict=True))
            last = terminator(body)
            for inner in list(body.ops):
                if not env.keys().isdisjoint(inner.operands):
                    inner.operands = [env.get(v, v) for v in inner.operands]
                if inner is not last:
                    inner.detach()
                    block.insert_op_before(inner, op)
            _stand_for(op, last.operands)


@dataclass(frozen=True)
class Inline(ModulePass):
    """Replace calls by the bodies of what they call, and checkpoints by theirs."""

    name = "inline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        inline_calls(op)
        for f in functions(op):
            for block in f.body.blocks:
                open_checkpoints(block)


@dataclass(frozen=True)
class SymbolDce(ModulePass):
    """Drop private functions that nobody names.

    func.func private @unused() { func.return }
    func.func @main() { func.return }                ->    func.func @main() { func.return }
    """

    name = "symbol-dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        drop_unused_functions(op)
