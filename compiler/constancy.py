"""Which values of a program depend on constants alone, so that they can be made before it runs.

    %w = nd.resource "w", "9f3c.." : tensor<64x64xf32>     constant
    %0 = nd.transpose %w "a b -> b a"                      constant
    %1 = nd.iota 0 : tensor<8xi64>                         constant
    %2 = nd.mul %0, %x                                     not, for an argument %x
    %3 = nd.size [b] : tensor<f32>                         not: sizes are arguments, too
    %4 = nd.broadcast %w "a b -> c a b" : .. #nd.sym<n>    not
    %5 = nd.scan 8 (%v = %w) ..                            not, and neither is %v: only kernels run before

So a value is constant if an `nd` op makes it from constants alone, and no symbol stands in that op. Effects give no
values; what ops with regions give is no constant, nor is an argument of a block, whatever it is bound to.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Sequence
from typing import TypeGuard, TypeVar

from xdsl.ir import Block, Operation, SSAValue

from ..dialects.nd.attributes import DimsAttr
from ..dialects.nd.op import NdOp
from ..dialects.nd.types import shape_of

T = TypeVar("T")


def is_fixed(op: Operation | Block) -> TypeGuard[NdOp]:
    """Do its operands alone decide what it gives, in every call?"""
    if not isinstance(op, NdOp):
        return False
    for result in op.results:
        for d in shape_of(result.type):
            if not isinstance(d, int):
                return False
    for p in op.properties.values():
        if isinstance(p, DimsAttr) and not all(isinstance(d, int) for d in p.data):
            return False
    return True


def follows(op: Operation, operands: Sequence[T], known: Container[T]) -> bool:
    """Is what an op gives constant? `operands` stand for its own, `known` has those that are constant."""
    return is_fixed(op) and all(v in known for v in operands)


class Constancy:
    """Answers about one program, each of which is kept: rewriting may go on between questions, as long as it puts
    values in the place of equal ones."""

    def __init__(self) -> None:
        self._known: dict[SSAValue, bool] = {}

    def holds(self, value: SSAValue) -> bool:
        """Does it depend on constants alone?"""
        return _settle(value, self._known)


def is_constant(value: SSAValue, most: int) -> bool:
    """Is it made of constants alone, by no more than `most` ops? For who asks again and again and keeps nothing."""
    return _settle(value, {}, most)


def _settle(value: SSAValue, known: dict[SSAValue, bool], most: int = sys.maxsize) -> bool:
    """Enter whether a value is constant, and of each that had to be looked at, once; of what depends on one that is
    not constant nothing else is looked at."""
    path: list[tuple[SSAValue, Iterator[SSAValue]]] = []
    """From the value down to where it is being decided, each with its operands that are left."""
    at: SSAValue | None = value
    while True:
        if at is None:
            known[path.pop()[0]] = True
        elif at not in known and is_fixed(at.owner):
            if len(known) + len(path) >= most:
                return False
            path.append((at, iter(at.owner.operands)))
        elif not known.setdefault(at, False):
            known.update((v, False) for v, _ in path)
            return False
        if not path:
            return True
        at = next(path[-1][1], None)
