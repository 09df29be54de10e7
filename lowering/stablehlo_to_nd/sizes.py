"""Sizes that a program computes, as the dimensions that they are: what dynamic shapes are read from.

    %n = nd.size [b] : tensor<i32>; %m = nd.add %n, %two; nd.concat %m, %k            [b + 2, 4] for %k of 4

Looks through ops on integers as far as sizes, constants and arithmetic of both reach; numbers alone go through any op.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add, mul, sub
from typing import Any

import numpy as np
from xdsl.dialects.builtin import i1

from ...dialects.errors import CompileError
from ...dialects.nd import elementwise as E
from ...dialects.nd.arithmetic import Quotient
from ...dialects.nd.array import Array
from ...dialects.nd.concatenation import Concat
from ...dialects.nd.constant import Constant, Size
from ...dialects.nd.dims import Dim, Sym, size
from ...dialects.nd.movement import Broadcast, Reshape, Slice
from ...dialects.nd.op import NdOp, here
from ...dialects.nd.selection import Convert, Select
from ...dialects.nd.types import INTEGER, NUMPY

Dims = np.ndarray[Any, Any]
MOST = 64
"""Of an array with more elements no sizes are read."""

ARITHMETIC: dict[type[NdOp], Callable[[Any, Any], Any]] = {E.Add: add, E.Sub: sub, E.Mul: mul}


def sizes(a: Array, what: str) -> list[Dim]:
    """The elements of an array of rank 1 as dimensions; CompileError where they are not known."""
    found = known(a)
    if found is None:
        raise CompileError(
            f"expected {what} made of constants and sizes of arguments, found values that are known when the program "
            "runs",
            here(),
        )
    return [d if isinstance(d, Sym) else int(d) for d in found.reshape(-1)]


def known(a: Array) -> Dims | None:
    """Each element as a number or symbolic size; None where one is neither."""
    count = size(a.shape)
    if a.dtype not in (*INTEGER, i1) or not isinstance(count, int) or count > MOST:
        return None
    owner = a.value.owner
    if not isinstance(owner, NdOp):
        return None
    if isinstance(owner, Constant):
        return shaped(np.asarray(owner.reference()), a)
    if isinstance(owner, Size):
        return whole(size(owner.of.data))
    if isinstance(owner, Select):
        return chosen(owner, *(known(Array(v)) for v in owner.operands))
    parts = [known(Array(v)) for v in owner.operands]
    if any(p is None for p in parts) or not parts:
        return None
    return computed(owner, [p for p in parts if p is not None], a)


def whole(d: Dim) -> Dims:
    out = np.empty((), object)
    out[()] = d
    return out


def chosen(op: Select, p: Dims | None, x: Dims | None, y: Dims | None) -> Dims | None:
    """An unknown choice of q - 1 or a quotient q rounds q down: of sizes, which are not negative, it is q."""
    if x is None or y is None:
        return None
    if p is not None:
        return np.where(p.astype(bool), x, y)
    if not isinstance(op.operands[2].owner, Quotient):
        return None
    return y if all(a - b == -1 for a, b in zip(x.flat, y.flat, strict=True)) else None


def count_of(a: Array) -> int:
    count = size(a.shape)
    assert isinstance(count, int)
    return count


def shaped(x: np.ndarray[Any, Any], a: Array) -> Dims:
    return x.astype(object).reshape([d for d in a.shape if isinstance(d, int)])


def computed(op: NdOp, xs: Sequence[Dims], a: Array) -> Dims | None:
    if not any(isinstance(d, Sym) for x in xs for d in x.flat):
        dtypes = [NUMPY[v.type.element_type] for v in op.operands]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
        numbers = [x.astype(t) for x, t in zip(xs, dtypes, strict=True)]
        return shaped(np.asarray(op.reference(*numbers)), a)
    match op:
        case Convert() if a.dtype in INTEGER:
            return xs[0]
        case Reshape():
            return shaped(xs[0], a)
        case Broadcast() if xs[0].size == 1:
            return shaped(np.repeat(xs[0].reshape(-1), count_of(a)), a)
        case Concat() if a.ndim == 1:
            return np.concatenate(xs)
        case Slice() if a.ndim == 1:
            start, step, n = op.start.data[0], op.step.data[0], a.shape[0]
            known_ = isinstance(start, int) and isinstance(step, int) and isinstance(n, int)
            return xs[0][start : start + n * step : step] if known_ else None
        case Quotient() if a.ndim == 0 and isinstance(xs[1].item(), int) and xs[1].item() > 0:
            return whole(xs[0].item() // xs[1].item())
        case _ if (fn := ARITHMETIC.get(type(op))) is not None:
            return np.frompyfunc(fn, 2, 1)(*xs) if a.ndim else whole(fn(xs[0].item(), xs[1].item()))
        case _:
            return None
