"""Scalar regions on whole arrays: `apply(region, arrays, c)` runs the region on every element at once.

The region is converted once, on scalars (`Conversion.body`). Its block then runs op by op on values that have the
arrays' shape in front of their own: elementwise ops are broadcast, a branch computes both sides and selects, a loop
goes on while any element does and keeps those that are done, every other op is batched by its own rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Block, Operation, Region, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd.control import If, While, Yield
from ...dialects.nd.dims import Dim, Shape, size
from ...dialects.nd.elementwise import Elementwise
from ...dialects.nd.movement import broadcast_to, reshape
from ...dialects.nd.op import Array, NdOp, bind, here, insert
from ...dialects.nd.reduction import reduce
from ...dialects.nd.selection import Select, convert

if TYPE_CHECKING:
    from .conversion import Conversion


def apply(region: Region, arrays: Sequence[Array], c: Conversion) -> list[Array]:
    """The results of a region of scalars on each element of arrays of one shape; rank 0 stands for all elements."""
    body = c.body(region)
    shape = next((a.shape for a in arrays if a.shape), ())
    args: list[Array] = []
    for a, parameter in zip(arrays, body.args, strict=True):
        a = convert(a, parameter.type.element_type)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        args.append(a if a.shape == shape else broadcast_to(a, shape))
    return run(body.block, [*body.captured, *args], [False] * len(body.captured) + [True] * len(args), shape)


def scan(
    region: Region,
    length: Dim,
    inits: Sequence[Array],
    sequences: Sequence[Array],
    step: Callable[[Sequence[Array], Sequence[Array]], Sequence[Array]],
    c: Conversion,
) -> list[Array]:
    """`nd.scan` of `step(carried, slices)`, which may `apply` the region: what that reads from outside is handed in.
    The last carried values, then what a step yields besides them, stacked."""
    captured, count = c.body(region).captured, len(inits)
    types = [*(a.type for a in (*captured, *inits)), *(control.slice_type(a.type) for a in sequences)]

    def trip(*args: Array) -> Sequence[Array]:
        own, rest = args[: len(captured)], args[len(captured) :]
        with c.capturing(region, own):
            return step(rest[:count], rest[count:])

    return control.scan(length, captured, inits, sequences, control.region(trip, types, here()))


def run(block: Block, args: Sequence[Array], wide: Sequence[bool], shape: Shape) -> list[Array]:
    """A block on values of which those that `wide` names have `shape` in front; the results all have it."""
    env: dict[SSAValue, tuple[Array, bool]] = {
        a: (v, w and bool(shape)) for a, v, w in zip(block.args, args, wide, strict=True)
    }
    for op in block.ops:
        given = [env[v] for v in op.operands]
        if isinstance(op, Yield):
            return [_widened(x, w, shape) for x, w in given]
        if not any(w for _, w in given):
            env.update({r: (v, False) for r, v in zip(op.results, _copy(op, env), strict=True)})
        else:
            env.update({r: (v, True) for r, v in zip(op.results, _wide(op, given, shape), strict=True)})
    raise AssertionError("a block that does not end in nd.yield")


def _widened(x: Array, wide: bool, shape: Shape) -> Array:
    return x if wide or not shape else broadcast_to(x, (*shape, *x.shape))


def _copy(op: Operation, env: Mapping[SSAValue, tuple[Array, bool]]) -> list[Array]:
    new = type(op).create(
        operands=[env[v][0].value for v in op.operands],
        result_types=[r.type for r in op.results],
        properties=op.properties,
        attributes=op.attributes,
        regions=[r.clone() for r in op.regions],
        location=here(),
    )
    insert(new)
    return [Array(r) for r in new.results]


def _wide(op: Operation, given: Sequence[tuple[Array, bool]], shape: Shape) -> Sequence[Array]:
    match op:
        case Elementwise():
            return [op.again([_widened(x, w, shape) for x, w in given])]
        case If():
            predicate, invariants = given[0], given[1:]
            args, wide = [x for x, _ in invariants], [w for _, w in invariants]
            then, other = (run(r.block, args, wide, shape) for r in op.regions)
            p = _widened(*predicate, shape)
            return [bind(Select, _spread(p, x.shape), x, y) for x, y in zip(then, other, strict=True)]
        case While():
            return _while(op, given, shape)
        case NdOp():
            flat = [reshape(x, (size(shape), *x.shape[len(shape) :])) if w else x for x, w in given]
            out = op.batch(flat, [w for _, w in given], size(shape))
            return [reshape(out, (*shape, *out.shape[1:]))]
        case _:
            raise CompileError(f"{op.name}: expected ops that act on each element in a region, found one", op.location)


def _spread(p: Array, shape: Shape) -> Array:
    """A predicate for each element of values that have more dimensions behind."""
    if p.shape == shape:
        return p
    return broadcast_to(reshape(p, (*p.shape, *[1] * (len(shape) - p.ndim))), shape)


def _while(op: While, given: Sequence[tuple[Array, bool]], shape: Shape) -> list[Array]:
    """Every element goes on while its own condition holds; the loop while any does."""
    count = len(op.invariants)
    invariants, wide = [x for x, _ in given[:count]], [w for _, w in given[:count]]
    inits = [_widened(x, w, shape) for x, w in given[count:]]
    wide += [True] * len(inits)
    types = [a.type for a in (*invariants, *inits)]

    def condition(*args: Array) -> list[Array]:
        (p,) = run(op.condition.block, args, wide, shape)
        return [reduce("any", p, list(range(p.ndim)))]

    def body(*args: Array) -> list[Array]:
        (p,) = run(op.condition.block, args, wide, shape)
        after = run(op.body.block, args, wide, shape)
        before = args[count:]
        return [bind(Select, _spread(p, x.shape), x, y) for x, y in zip(after, before, strict=True)]

    at = here()
    return control.while_(invariants, inits, control.region(condition, types, at), control.region(body, types, at))


def spliced(block: Block, args: Sequence[Array]) -> list[Array]:
    """The ops of a closed block at the current place: it is used up. What it yields."""
    for arg, a in zip(block.args, args, strict=True):
        arg.replace_all_uses_with(a.value)
    ops = list(block.ops)
    for op in ops:
        op.detach()
        if not isinstance(op, Yield):
            insert(op)
    return [Array(v) for v in ops[-1].operands]
