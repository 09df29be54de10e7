"""Blocks as functions: trace one, copy one into the current place.

A traced block ends in `func.return` of its results. Transforms (jvp, transpose, vmap) read such blocks and emit at the
current place, so that they nest without levels or tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ..dialects.errors import CompileError
from ..dialects.nd.effects import EFFECTS
from ..dialects.nd.op import Array, building, here, insert, place


def trace_block(
    fn: Callable[..., Sequence[Array]], types: Sequence[Attribute], location: LocationAttr | None = None
) -> Block:
    """Run `fn` on block arguments of these types; the block's ops are what it did."""
    block = Block(arg_types=types)
    with building(block, location):
        return_(fn(*map(Array, block.args)))
    return block


def return_(results: Sequence[Array]) -> Operation:
    """End the current block."""
    return insert(ReturnOp.create(operands=[y.value for y in results], location=here()))


def terminator(block: Block) -> Operation:
    op = block.last_op
    assert op is not None, "a block without a terminator"
    return op


def clone(op: Operation, env: dict[SSAValue, SSAValue]) -> Operation:
    """The op on other operands, with its results added to `env`; 3x faster than xDSL's clone."""
    new = type(op).create(
        operands=[env.get(v, v) for v in op.operands],
        result_types=[r.type for r in op.results],
        properties=op.properties,
        attributes=op.attributes,
        regions=[clone_region(r) for r in op.regions] if op.regions else (),
        location=op.location,
    )
    for old, result in zip(op.results, new.results, strict=True):
        result.name_hint = old.name_hint
        env[old] = result
    return new


def clone_region(region: Region) -> Region:
    """A region of one block that reads only its arguments, copied."""
    return Region(clone_block(region.block))


def clone_block(block: Block) -> Block:
    new = alike(block)
    env: dict[SSAValue, SSAValue] = dict(zip(block.args, new.args, strict=True))
    for op in block.ops:
        new.add_op(clone(op, env))
    return new


def alike(block: Block) -> Block:
    """A block without ops, with the same arguments."""
    new = Block(arg_types=[a.type for a in block.args])
    for old, arg in zip(block.args, new.args, strict=True):
        arg.name_hint, arg.location = old.name_hint, old.location
    return new


def inline(block: Block, args: Sequence[Array]) -> list[Array]:
    """Copy a block's ops into the current place; returns what its terminator gives."""
    env: dict[SSAValue, SSAValue] = dict(zip(block.args, (a.value for a in args), strict=True))
    last = terminator(block)
    for op in block.ops:
        if op is not last:
            insert(clone(op, env))
    return [Array(env.get(v, v)) for v in last.operands]


def located(ops: Iterable[Operation]) -> Iterator[Operation]:
    """The ops in turn; what is built at the current place while one is looked at has its location."""
    at = place()
    outside = at.location
    for op in ops:
        at.location = op.location
        yield op
    at.location = outside


def arrays(values: Sequence[SSAValue], env: Mapping[SSAValue, SSAValue]) -> list[Array]:
    return [Array(env.get(v, v)) for v in values]


def has_effects(op: Operation) -> bool:
    """Is it an effect, or one with effects inside?"""
    return isinstance(op, EFFECTS) or any(has_effects(inner) for r in op.regions for b in r.blocks for inner in b.ops)


def entry(module: ModuleOp, name: str) -> FuncOp:
    """The function that a pass works on."""
    functions = [op for op in module.ops if isinstance(op, FuncOp)]
    for f in functions:
        if f.sym_name.data == name:
            return f
    found = ", ".join(f"@{f.sym_name.data}" for f in functions) or "none"
    raise CompileError(f"expected a function @{name}, found {found}", module.location)


def insert_after(f: FuncOp, new: FuncOp) -> None:
    block = f.parent
    assert block is not None
    block.insert_ops_after([new], f)
