"""Margins: what only windows read is stored with the zeros around it that they read, by whatever computes it.

    %1 = nd.max %0, %c : tensor<1x56x56x64xf32>
    %2 = nd.contract %1, %w "a b+c-1 d+e-1 f, c e f -> a b d f" ..
becomes
    %1 = nd.max %0, %c : tensor<1x56x56x64xf32>
    %p = nd.pad %1, %zero low [0, 1, 1, 0] high [0, 1, 1, 0] ..
    %2 = nd.contract %p, %w "a b+c d+e f, c e f -> a b d f" ..

A contraction writes into the middle of a larger buffer as fast as into its own (`fusion_groups`), where its reader
would copy the value. Windows along the last dimension keep their padding: it would move what lies along vectors.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xdsl.ir import Block, Operation, SSAValue

from ....dialects.nd.array import Array
from ....dialects.nd.contraction import Contract, contract
from ....dialects.nd.dimmap import DimMap, Dims
from ....dialects.nd.elementwise import Elementwise
from ....dialects.nd.movement import Broadcast, pad
from ....dialects.nd.op import building
from ....dialects.nd.reduction import Reduce
from ....dialects.nd.types import shape_of

Margin = tuple[tuple[int, int], ...]
"""For each dimension, the elements before and behind."""


def add_margins(block: Block) -> None:
    """Pad what contractions make for windows alone."""
    for op in list(block.ops):
        if not isinstance(op, Contract | Elementwise) or not follows_contraction(op):
            continue
        value = op.results[0]
        readers = list(dict.fromkeys(u.operation for u in value.uses))
        margins = [margin_for(reader, value) for reader in readers]
        if any(m is None for m in margins) or not margins:
            continue
        store(op, readers, [m for m in margins if m is not None])


def follows_contraction(op: Operation) -> bool:
    """Is the value a contraction's result, or what elementwise ops make of one in its kernel? Not where a reduction
    stands between: that is a kernel of rows, which pads nothing."""
    while isinstance(op, Elementwise):
        made = [v.owner for v in op.operands]
        if any(isinstance(o, Broadcast) and isinstance(o.x.owner, Elementwise | Reduce) for o in made):
            return False
        inner = [o for o in made if isinstance(o, Contract | Elementwise) and shape_of(o.type) == shape_of(op.type)]
        if not inner:
            return False
        op = inner[0]
    return isinstance(op, Contract)


def margin_for(reader: Operation, value: SSAValue) -> Margin | None:
    """What the windows of a contraction read around a value; None if they need nothing or it cannot be told."""
    if not isinstance(reader, Contract):
        return None
    found = [k for k, v in enumerate(reader.operands) if v is value]
    if len(found) != 1:
        return None
    known = {i.name or "": d for i, d in zip(reader.dims.result, shape_of(reader.type))}
    sizes = reader.dims.extents([shape_of(v.type) for v in reader.operands], known)
    out: list[tuple[int, int]] = []
    for i, d in zip(reader.dims.operands[found[0]], shape_of(value.type)):
        if i.name is not None:
            out.append((0, 0))
            continue
        ends = [sizes[n] for n, _ in i.terms]
        if i.divisor != 1 or not isinstance(d, int) or not isinstance(i.offset, int):
            return None
        if not all(isinstance(e, int) for e in ends):
            return None
        reach = [c * (e - 1) for (_, c), e in zip(i.terms, ends) if isinstance(e, int)]
        least = i.offset + sum(r for r in reach if r < 0)
        most = i.offset + sum(r for r in reach if r > 0)
        out.append((max(-least, 0), max(most - d + 1, 0)))
    return tuple(out) if any(m != (0, 0) for m in out) and out[-1] == (0, 0) else None


def store(op: Operation, readers: Sequence[Operation], margins: Sequence[Margin]) -> None:
    """Put the padding behind an op, and let its readers begin there."""
    value = op.results[0]
    low = [max(m[k][0] for m in margins) for k in range(len(margins[0]))]
    high = [max(m[k][1] for m in margins) for k in range(len(margins[0]))]
    made = Block()
    with building(made, op.location):
        stored = pad(Array(value), 0, low, high)
    stored.value.name_hint = value.name_hint
    place_behind(made, op)
    for reader in readers:
        assert isinstance(reader, Contract)
        dims = tuple(shifted(d, low) if v is value else d for d, v in zip(reader.dims.operands, reader.operands))
        args = [stored if v is value else Array(v) for v in reader.operands]
        with building(made, reader.location):
            new = contract(args, DimMap(dims, reader.dims.result), shape_of(reader.type))
        new.value.name_hint = reader.results[0].name_hint
        place_behind(made, reader)
        reader.results[0].replace_all_uses_with(new.value)
        reader.detach()
        reader.drop_all_references()


def shifted(dims: Dims, low: Sequence[int]) -> Dims:
    """Indices of a value that begins earlier."""
    return tuple(i if n == 0 else replace(i, offset=i.offset + n) for i, n in zip(dims, low))


def place_behind(made: Block, op: Operation) -> None:
    block = op.parent
    assert block is not None
    last = op
    for new in list(made.ops):
        new.detach()
        block.insert_op_after(new, last)
        last = new
