"""Copies that the first trip of a loop makes beside its own work: it reads the source, and writes what others read.

    %pack = loop.stage pack [k: 768, j: vec 48] (%b = %B[k, j + j0]) -> [k, j] attributes {loop.first} {..}
    %c = loop.for i0 = 128 step 8 -> [i0, 0] { loop.stage mm [..] (%a = %A[i + i0, k], %b = %pack[k, j]) -> ..}
becomes
    for k { %b = read %B[k, j0]; write %b, %pack[k, 0]; .. }        the first trip
    for i0 = 8 to 128 step 8 { for k { %b = read %pack[k, 0]; .. } }

A copy by itself waits for memory; here that waits for multiplications. Where a condition of `filled_by` is missing,
the copy is a stage like others.
"""

from __future__ import annotations

from xdsl.ir import BlockArgument, SSAValue

from ..dialects.loop.linear import Access
from ..dialects.loop.ops import ForOp, StageOp

FIRST = "loop.first"
"""On a stage: the first trip of the loop around its reader may make it."""


def filled_by(copy: StageOp) -> ForOp | None:
    """The plain loop behind a copy of an argument whose every trip reads all of it, once."""
    if FIRST not in copy.attributes or copy.body.block.first_op is not copy.terminator:
        return None
    uses = list(copy.results[0].uses)
    if len(uses) != 1:
        return None
    reader, source = uses[0].operation, copy.ins[0]
    loop = reader.parent_op()
    if not isinstance(reader, StageOp) or not isinstance(loop, ForOp) or loop.parent is not copy.parent:
        return None
    in_order = isinstance(source, BlockArgument) and not isinstance(source.owner.parent_op(), ForOp)
    trips = isinstance(loop.extent.data, int) and loop.extent.data > loop.stride
    plain = not loop.kind.data and loop.bound is None and not any(t.data.mode for t in loop.targets.data)
    return loop if in_order and trips and plain and reads_all(reader, uses[0].index, copy) else None


def reads_all(reader: StageOp, operand: int, copy: StageOp) -> bool:
    """Is every element read at one point of the axes that the copy is read by?"""
    own = [(form.terms[0][0], copy.extent(form.terms[0][0])) for form in copy.target(0).access]
    found = [(form, form.terms[0][0]) for form in reader.reads()[operand][1] if len(form.terms) == 1]
    names = [name for form, name in found if form.const == 0 and form.terms[0][1] == 1]
    return len(set(names)) == len(own) and [reader.extent(n) for n in names] == [extent for _, extent in own]


def source_of(copy: StageOp, access: Access) -> tuple[SSAValue, Access]:
    """Where an element of the copy comes from."""
    by = {form.terms[0][0]: at for form, at in zip(copy.target(0).access, access)}
    ((value, origin),) = copy.reads()
    return value, tuple(form.subst(by) for form in origin)
