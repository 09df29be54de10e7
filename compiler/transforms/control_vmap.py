"""Batching of control flow and effects.

What a loop carries is batched where its start is, or where a trip makes it so (a fixpoint). A condition that is one for
all elements stays a condition. One that differs between elements cannot:

    %r = nd.if %p (%a = %x) {T} else {F}       ->   %t = T(%x)  %f = F(%x)  %r = nd.select %p, %t, %f
    %c = nd.while carry (%c = %x) {P} do {B}   ->   %c = nd.while carry (%c = %x) { any(P(%c)) } do {
                                                      %c1 = nd.select P(%c), B(%c), %c }

So code runs for elements that the program would not run it for, and its results are dropped. A mask says for which
elements a place is really reached: a loop ends when no such element goes on, whatever the others compute, and a check
asks only those. A print in such a place is an error: it would have to print for some of the elements.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, Block, Operation

from ...dialects.errors import CompileError
from ...dialects.nd import control, dimmap
from ...dialects.nd.checkpoint import Checkpoint, checkpoint
from ...dialects.nd.control import Control, If, Scan, While
from ...dialects.nd.dimmap import DimMap
from ...dialects.nd.dims import Dim
from ...dialects.nd.effects import EFFECTS, Check, check
from ...dialects.nd.elementwise import And, Not, Or
from ...dialects.nd.gradient import stop_gradient
from ...dialects.nd.mapped import mapped
from ...dialects.nd.movement import Broadcast
from ...dialects.nd.op import Array, bind, building, expand, insert, place
from ...dialects.nd.reduction import reduce
from ...dialects.nd.selection import Select
from ...dialects.nd.shaping import moveaxis
from ...dialects.nd.types import element, is_float, shape_of, tensor
from ..blocks import clone
from .control_groups import ended, sizes, split
from .vmap import vmap

Results = tuple[list[Array], list[bool]]


def asks_who(op: Operation) -> bool:
    """Does it matter to an op which elements reach it: a loop that might not end for others, an effect?"""
    return isinstance(op, (While, *EFFECTS)) or any(asks_who(i) for r in op.regions for b in r.blocks for i in b.ops)


def _asks(block: Block) -> bool:
    return any(asks_who(op) for op in block.ops)


def control_vmap(op: Control, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    """Emit the op over a new leading dimension of the operands that `flags` name; which results have it."""
    if mask is not None and not asks_who(op):
        mask = None
    match op:
        case Checkpoint():
            return vmap_checkpoint(op, args, flags, size, mask)
        case If():
            return (vmap_select if flags[0] else vmap_if)(op, args, flags, size, mask)
        case Scan():
            return vmap_scan(op, args, flags, size, mask)
        case While():
            return vmap_while(op, args, flags, size, mask)
        case _:
            raise CompileError(f"vmap: {op.name} has no batching rule", op.location)


def vmap_effect(op: Operation, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> None:
    """A check asks the elements that reach it; a print prints the whole batch."""
    if mask is None:
        insert(clone(op, dict(zip(op.operands, (a.value for a in args), strict=True))))
    elif isinstance(op, Check):
        p = args[0] if flags[0] else expand(args[0], size)
        check(bind(Or, along(bind(Not, mask), p), p), op.message.data)
    else:
        raise CompileError(
            f"vmap: {op.name} in a branch or loop whose condition differs between elements of the batch; print outside "
            "of it, or choose values with mlc.numpy.where",
            op.location,
        )


def along(p: Array, like: Array) -> Array:
    """The truth value of each element of the batch at every place of `like`."""
    names = dimmap.names(like.ndim)
    return mapped(Broadcast, [p], DimMap((names[:1],), names), like.shape) if like.ndim > 1 else p


def chosen(p: Array, x: Array, y: Array) -> Array:
    """x for the elements where p, y for the others."""
    return bind(Select, along(p, x), x, y)


def both(p: Array, mask: Array | None) -> Array:
    return p if mask is None else bind(And, mask, p)


def batched(ys: Sequence[Array], got: Sequence[bool], wanted: Sequence[bool], size: Dim) -> list[Array]:
    """The wanted ones with the new dimension."""
    return [expand(y, size) if w and not g else y for y, g, w in zip(ys, got, wanted, strict=True)]


def batched_type(t: Attribute, size: Dim) -> Attribute:
    return tensor((size, *shape_of(t)), element(t))


def batched_block(like: Block, flags: Sequence[bool], size: Dim, masks: Sequence[Array] = ()) -> Block:
    """A block with the batched arguments, behind a mask if there is one."""
    own = [batched_type(a.type, size) if f else a.type for a, f in zip(like.args, flags, strict=True)]
    block = Block(arg_types=[*(m.type for m in masks), *own])
    for old, arg in zip(like.args, block.args[len(masks) :], strict=True):
        arg.name_hint, arg.location = old.name_hint, old.location
    return block


def vmap_region(
    region: Block, flags: Sequence[bool], size: Dim, masks: Sequence[Array]
) -> tuple[Block, list[Array], list[bool]]:
    """A region batched, without end; the mask, if there is one, is the first argument."""
    block = batched_block(region, flags, size, masks)
    with building(block, place().location):
        args = [*map(Array, block.args)]
        ys, got = vmap(region, args[len(masks) :], flags, size, args[0] if masks else None)
    return block, ys, got


def vmap_checkpoint(
    op: Checkpoint, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None
) -> Results:
    masks = [mask] if mask is not None else []
    block, ys, got = vmap_region(op.body.block, flags, size, masks)
    return checkpoint([*masks, *args], ended(block, lambda: ys), op.policy), got


def vmap_if(op: If, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    masks = [mask] if mask is not None else []
    halves = [vmap_region(region.block, flags[1:], size, masks) for region in op.regions]
    wanted = [any(got[k] for _, _, got in halves) for k in range(len(op.results))]
    then, orelse = (ended(block, lambda ys=ys, got=got: batched(ys, got, wanted, size)) for block, ys, got in halves)
    return control.if_(args[0], [*masks, *args[1:]], then, orelse), wanted


def vmap_select(op: If, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    """Both branches, and a choice for each element.

    A branch gets its batched operands as `select(q, x, stop_gradient(x))`, where q says who takes it: the value x, and
    no derivative of the others, which may be NaN.
    """
    p, rest = args[0], flags[1:]
    reached = [both(q, mask) if _asks(region.block) else None for q, region in zip((p, bind(Not, p)), op.regions)]
    (xs, x_got), (ys, y_got) = (
        vmap(region.block, [_gated(q, x) if f else x for x, f in zip(args[1:], rest, strict=True)], rest, size, m)
        for q, region, m in zip((p, bind(Not, p)), op.regions, reached, strict=True)
    )
    every = [True] * len(xs)
    pairs = zip(batched(xs, x_got, every, size), batched(ys, y_got, every, size), strict=True)
    return [chosen(p, x, y) for x, y in pairs], every


def _gated(q: Array, x: Array) -> Array:
    return chosen(q, x, stop_gradient(x)) if is_float(x.type) else x


def vmap_body(
    op: Scan | While, flags: Sequence[bool], size: Dim, masks: Sequence[Array]
) -> tuple[list[bool], Block, list[Array], list[bool]]:
    """The batched body of a loop, without end, with the flags of what is carried at their fixpoint."""
    flags = list(flags)
    before, count = len(op.invariants), len(op.inits)
    while True:
        block, ys, got = vmap_region(op.body.block, flags, size, masks)
        grown = [f or g for f, g in zip(flags[before : before + count], got[:count], strict=True)]
        if grown == flags[before : before + count]:
            return flags, block, ys, got
        flags[before : before + count] = grown


def vmap_scan(op: Scan, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    masks, count = [mask] if mask is not None else [], len(op.inits)
    grown, block, ys, got = vmap_body(op, flags, size, masks)
    _, carried, _ = split(grown, sizes(op))
    wanted = [*carried, *got[count:]]
    ended(block, lambda: batched(ys, got, wanted, size))
    groups, given = split(args, sizes(op)), split(flags, sizes(op))
    inits = batched(groups[1], given[1], carried, size)
    sequences = [moveaxis(x, 0, 1) if f else x for x, f in zip(groups[2], given[2], strict=True)]
    out = control.scan(op.length, [*masks, *groups[0]], inits, sequences, block, op.reverse)
    stacked = [moveaxis(y, 0, 1) if g else y for y, g in zip(out[count:], got[count:], strict=True)]
    return [*out[:count], *stacked], wanted


def vmap_while(op: While, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    masks = [mask] if mask is not None else []
    grown, block, ys, got = vmap_body(op, flags, size, masks)
    test, (p,), (differs,) = vmap_region(op.condition.block, grown, size, masks)
    if differs:
        return vmap_masked(op, args, flags, size, mask)
    _, carried = split(grown, sizes(op))
    ended(block, lambda: batched(ys, got, carried, size))
    ended(test, lambda: [bind(And, reduce("any", Array(test.args[0]), [0]), p) if masks else p])
    invariants, inits = split(args, sizes(op))
    inits = batched(inits, split(flags, sizes(op))[1], carried, size)
    return control.while_([*masks, *invariants], inits, test, block), carried


def vmap_masked(op: While, args: Sequence[Array], flags: Sequence[bool], size: Dim, mask: Array | None) -> Results:
    """A loop until all elements are done: it carries which ones go on, and keeps the values of the others."""
    before, count = sizes(op)
    condition, body = op.condition.block, op.body.block
    every = [True] * count
    inner = [*flags[:before], *every]

    def goes_on(values: Sequence[Array], so_far: Array | None) -> Array:
        (p,), (own,) = vmap(condition, values, inner, size, so_far)
        return both(p if own else expand(p, size), so_far)

    invariants, inits = list(args[:before]), batched(args[before:], flags[before:], every, size)
    first = goes_on([*invariants, *inits], mask)

    def block_of(region: Block) -> Block:
        block = batched_block(region, inner, size)
        block.insert_arg(first.type, before)
        return block

    def trip() -> list[Array]:
        own = [*map(Array, block.args)]
        so_far, carried = own[before], own[before + 1 :]
        ys, got = vmap(body, [*own[:before], *carried], inner, size, so_far)
        ys = [chosen(so_far, y, c) for y, c in zip(batched(ys, got, every, size), carried, strict=True)]
        return [goes_on([*own[:before], *ys], so_far), *ys]

    block, test = block_of(body), block_of(condition)
    ended(block, trip)
    ended(test, lambda: [reduce("any", Array(test.args[before]), [0])])
    return control.while_(invariants, [first, *inits], test, block)[1:], every
