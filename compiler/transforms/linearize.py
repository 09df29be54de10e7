"""Reverse mode: linearize (split a jvp into known and linear ops), then transpose the linear ops.

    jvp block (x, dx) -> (y, dy)
      known ops                       -> stay; what the linear ops read of them are the residuals
      linear ops (depend on dx)       -> a straight list, each linear in the operands that depend on dx
    transpose: linear ops in reverse order; the cotangents of a value's readers are added.

    %y = nd.sin %x                          %y = nd.sin %x
    %c = nd.cos %x            ->            %c = nd.cos %x          (%c is the residual)
    %dy = nd.mul %dx, %c                    %ct_x = nd.mul %ct_y, %c

Control flow arrives as a known op and a linear op, which is transposed as a whole (`control_transpose.py`). Effects
are known: they happen once, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from ...dialects.errors import CompileError
from ...dialects.nd.control import Control
from ...dialects.nd.op import Array, NdOp, building, insert, place, zeros_like
from ...dialects.nd.types import is_float
from ..blocks import clone, entry, insert_after, located, return_, terminator
from .jvp import jvp


@dataclass(frozen=True)
class Linearized:
    """A program at a point: its results, and the linear map from the active arguments' tangents to the results'."""

    results: list[Array]
    tangents: list[Array | None]
    """Tangents of the results in terms of `seeds`; None is zero."""
    seeds: tuple[SSAValue, ...]
    ops: tuple[Operation, ...]
    """The linear ops in order; they read seeds, each other, and known values (the residuals)."""

    def residuals(self) -> list[SSAValue]:
        linear = {*self.seeds, *(r for op in self.ops for r in op.results)}
        return list(dict.fromkeys(v for op in self.ops for v in op.operands if v not in linear))


def linearize(block: Block, args: Sequence[Array], active: Sequence[bool]) -> Linearized:
    """Emit the known part of a block's jvp at the current place; the linear part stays aside."""
    scratch = Block(arg_types=[a.type for a, f in zip(args, active, strict=True) if f])
    with building(scratch, place().location):
        seeds = iter(map(Array, scratch.args))
        results, tangents = jvp(block, args, [next(seeds) if f else None for f in active], split=True)
    linear: set[SSAValue] = set(scratch.args)
    ops: list[Operation] = []
    kept: list[Operation] = []
    for op in list(scratch.ops):
        if linear.isdisjoint(op.operands):
            op.detach()
            kept.append(op)
        else:
            linear.update(op.results)
            ops.append(op)
    for op in kept:
        insert(op)
    return Linearized(results, tangents, tuple(scratch.args), tuple(ops))


def transpose(
    program: Linearized, cotangents: Sequence[Array], env: Callable[[SSAValue], SSAValue] = lambda v: v
) -> list[Array | None]:
    """Emit the transposed linear ops at the current place; returns the cotangents of the seeds (None is zero).

    `env` says where a residual is found at the current place.
    """
    seen: dict[SSAValue, Array] = {}
    for t, c in zip(program.tangents, cotangents, strict=True):
        if t is not None:
            seen[t.value] = seen[t.value] + c if t.value in seen else c
    linear = {*program.seeds, *(r for op in program.ops for r in op.results)}
    for op in located(reversed(program.ops)):
        cts = [seen.pop(r, None) for r in op.results]
        if all(ct is None for ct in cts):
            continue
        flags = [v in linear for v in op.operands]
        with _reading(op, env):
            out = _transposed(op, cts, flags)
        for v, flag, c in zip(op.operands, flags, out, strict=True):
            if flag and c is not None:
                seen[v] = seen[v] + c if v in seen else c
    return [seen.get(s) for s in program.seeds]


def _transposed(op: Operation, cts: Sequence[Array | None], flags: Sequence[bool]) -> Sequence[Array | None]:
    if isinstance(op, Control):
        from .control_transpose import control_transpose

        return control_transpose(op, cts, flags)
    assert isinstance(op, NdOp) and cts[0] is not None
    return op.transpose(cts[0], flags)


@contextmanager
def _reading(op: Operation, env: Callable[[SSAValue], SSAValue]) -> Generator[None]:
    """For the time of a rule, the op reads its known operands where the current place finds them."""
    saved = tuple(op.operands)
    moved = [env(v) for v in saved]
    if moved == list(saved):
        yield
        return
    op.operands = moved
    try:
        yield
    finally:
        op.operands = saved


def erase(program: Linearized) -> None:
    """Drop the linear ops once nothing will read them."""
    for op in reversed(program.ops):
        op.detach()
        op.erase(safe_erase=False)


def vjp(
    block: Block, args: Sequence[Array], active: Sequence[bool]
) -> tuple[list[Array], Callable[[Sequence[Array]], list[Array | None]]]:
    """Emit the known part; the returned function emits the backward part and gives a cotangent for each argument."""
    program = linearize(block, args, active)
    for op in program.ops:
        op.drop_all_references()  # transposition reads them; residuals must not count them among their readers

    def backward(cotangents: Sequence[Array]) -> list[Array | None]:
        found = iter(transpose(program, cotangents))
        return [next(found) if f else None for f in active]

    return program.results, backward


def arguments_of(f: FuncOp, extra: Sequence[SSAValue] = ()) -> Block:
    old = f.body.block
    block = Block(arg_types=[*(a.type for a in old.args), *(v.type for v in extra)])
    for before, after in zip(old.args, block.args):
        after.name_hint, after.location = before.name_hint, before.location
    return block


def function_of(name: str, block: Block, like: FuncOp) -> FuncOp:
    new = FuncOp(name, (list(block.arg_types), [v.type for v in terminator(block).operands]), Region(block))
    new.location = like.location
    return new


def or_zeros(c: Array | None, like: SSAValue) -> Array:
    return c if c is not None else zeros_like(Array(like))


def vjp_function(f: FuncOp, name: str, wrt: Sequence[int]) -> FuncOp:
    """`@name(arguments, cotangents of float results) -> (results, cotangents of the arguments wrt)`."""
    old = f.body.block
    floats = [v for v in terminator(old).operands if is_float(v.type)]
    block = arguments_of(f, floats)
    args, cts = [*map(Array, block.args[: len(old.args)])], iter(map(Array, block.args[len(old.args) :]))
    for k, arg in enumerate(block.args[len(old.args) :]):
        arg.name_hint, arg.location = f"ct{k}", f.location
    with building(block, terminator(old).location):
        ys, backward = vjp(old, args, [k in wrt for k in range(len(args))])
        given = [next(cts) if is_float(y.type) else y for y in ys]
        found = backward(given)
        return_([*ys, *(or_zeros(found[k], block.args[k]) for k in wrt)])
    return function_of(name, block, f)


def linear_functions(f: FuncOp, wrt: Sequence[int]) -> tuple[FuncOp, FuncOp, FuncOp]:
    """`@f_forward` (results, residuals), `@f_linear` (residuals, tangents -> tangents), `@f_backward` (residuals,
    cotangents -> cotangents): the three parts apart."""
    old, name = f.body.block, f.sym_name.data
    forward = arguments_of(f)
    where = terminator(old).location
    with building(forward, where):
        program = linearize(old, [*map(Array, forward.args)], [k in wrt for k in range(len(old.args))])
        residuals = program.residuals()
        return_([*program.results, *map(Array, residuals)])
    tangents = [(y, t) for y, t in zip(program.results, program.tangents, strict=True) if is_float(y.type)]

    linear = Block(arg_types=[v.type for v in (*residuals, *program.seeds)])
    env: dict[SSAValue, SSAValue] = dict(zip((*residuals, *program.seeds), linear.args, strict=True))
    with building(linear, where):
        for op in program.ops:
            insert(clone(op, env))
        return_([Array(env[t.value]) if t is not None else zeros_like(y) for y, t in tangents])

    backward = Block(arg_types=[*(v.type for v in residuals), *(y.value.type for y, _ in tangents)])
    moved = dict(zip(residuals, backward.args))
    cts = iter(map(Array, backward.args[len(residuals) :]))
    with building(backward, where):
        given = [next(cts) if is_float(y.type) else y for y in program.results]
        found = transpose(program, given, lambda v: moved.get(v, v))
        return_([or_zeros(c, s) for c, s in zip(found, program.seeds, strict=True)])
    erase(program)
    return (
        function_of(f"{name}_forward", forward, f),
        function_of(f"{name}_linear", linear, f),
        function_of(f"{name}_backward", backward, f),
    )


def differentiable(f: FuncOp, wrt: Sequence[int]) -> list[int]:
    """The arguments asked for, or all that are floats."""
    args = f.body.block.args
    for k in wrt:
        if not 0 <= k < len(args):
            raise CompileError(
                f"expected an argument of @{f.sym_name.data} from 0 to {len(args) - 1}, found {k}", f.location
            )
        if not is_float(args[k].type):
            raise CompileError(
                f"expected a float argument to differentiate, found {args[k].type} (argument {k})", f.location
            )
    return list(wrt) or [k for k, a in enumerate(args) if is_float(a.type)]


@dataclass(frozen=True)
class Linearize(ModulePass):
    """Add `@entry_forward`, `@entry_linear` and `@entry_backward`: the program at a point, its linear map, and the
    transposed map. `wrt` are the active arguments (default: all floats).

        func @main(%x) { %y = nd.sin %x  return %y }
            ->
        func @main_forward(%x) { %y = nd.sin %x  %c = nd.cos %x  return %y, %c }
        func @main_linear(%c, %dx) { %dy = nd.mul %dx, %c  return %dy }
        func @main_backward(%c, %ct) { %ct_x = nd.mul %ct, %c  return %ct_x }
    """

    name = "linearize"
    entry: str = "main"
    wrt: tuple[int, ...] = ()

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        f = entry(op, self.entry)
        for new in reversed(linear_functions(f, differentiable(f, self.wrt))):
            insert_after(f, new)
