"""Regions in a program: what an argument of one is outside of it, counters of loops, the parts that trips take in turn.

    %r = nd.scan 16 (%w = %w0) carry (%c = %c0) each (%x = %xs) ...
      %w   is %w0
      %x   is %xs[trip$0], a view whose offset names the counter
      %c   has memory of its own, which the plan gives it

A counter is a symbol, `trip$` and the number of the loop in its program, which `graph-plan` writes on the op as
`graph.trip`. It counts trips from 0; after the loop it stands for how many there were.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ..nd.control import Control, Scan, While
from ..nd.dims import Dim, Sym, symbol
from .place import PLACES, Place, PlaceAttr

TRIP = "graph.trip"
"""On a loop: the name of its counter."""

PREFIX = "trip$"


def is_loop(op: Operation | None) -> bool:
    return isinstance(op, While | Scan)


def counter_name(op: Operation) -> str:
    """The name of a loop's counter; before the plan all have one."""
    found = op.attributes.get(TRIP)
    return found.data if isinstance(found, StringAttr) else PREFIX


def counter(op: Operation) -> Sym:
    return symbol(counter_name(op))


def is_counter(name: str) -> bool:
    return name.startswith(PREFIX)


def region_of(arg: SSAValue) -> Control | None:
    """The op in whose region a value is an argument."""
    if not isinstance(arg, BlockArgument):
        return None
    op = arg.block.parent_op()
    return op if isinstance(op, Control) else None


def carried(arg: BlockArgument) -> int | None:
    """Which carried value of a loop an argument is."""
    op = arg.block.parent_op()
    if not isinstance(op, While | Scan):
        return None
    invariants, inits = op.groups[:2]
    k = arg.index - len(invariants)
    return k if 0 <= k < len(inits) else None


def outside(arg: BlockArgument) -> tuple[SSAValue, Dim | None] | None:
    """The operand that an argument stands for, and which element of its leading dimension (None: all of it); None of a
    carried value."""
    op = arg.block.parent_op()
    assert isinstance(op, Control)
    at = arg.index
    for number, group in enumerate(op.groups):
        if at < len(group):
            return (
                None if number == 1 else (group[at], turn(op, counter(op)) if isinstance(op, Scan) and number else None)
            )
        at -= len(group)
    raise AssertionError(arg)


def turn(op: Scan, trip: Dim) -> Dim:
    """The element of its sequences that a trip of a scan takes."""
    return op.length + -1 - trip if op.reverse else trip


def swapped(size: Dim, trip: Dim) -> Dim:
    """0 in even trips, `size` in odd ones: the offset of two places that swap."""
    half: Dim = trip // 2
    return (trip + half * -2) * size


def replaced(dim: Dim, name: str, by: Dim) -> Dim:
    """An expression with another in place of a symbol."""
    if not isinstance(dim, Sym) or name not in dim.names():
        return dim
    total: Dim = 0
    for monomial, coefficient in dim.terms:
        term: Dim = coefficient
        for atom in monomial:
            if isinstance(atom, str):
                term = term * (by if atom == name else symbol(atom))
            else:
                term = term * (replaced(atom.num, name, by) // atom.den)
        total = total + term
    return total


def places_of(op: Operation) -> list[Place] | None:
    """Where the results live; None before the plan."""
    found = op.attributes.get(PLACES)
    if not isinstance(found, ArrayAttr):
        return None
    return [p.data for p in found.data if isinstance(p, PlaceAttr)]  # pyright: ignore


def program_blocks(block: Block) -> Iterator[Block]:
    """A program's block and those of the regions in it, outer ones first."""
    yield block
    for op in block.ops:
        if isinstance(op, Control):
            for region in op.regions:
                yield from program_blocks(region.block)


def program_ops(block: Block) -> Iterator[Operation]:
    """The ops of a program in order, each region op before what is in it."""
    for op in block.ops:
        yield op
        if isinstance(op, Control):
            for region in op.regions:
                yield from program_ops(region.block)
