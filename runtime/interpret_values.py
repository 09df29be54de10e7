"""Ops of the vector level that make values from values alone: one function each, for one thread and for many.

A function gets the op, its operands, and the leading axes `lead` that operands and result have in front of their own:
none where a value is one thread's, one axis inside of a launch (`interpret_threads`). `PURE` has them all by name.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from xdsl.dialects import affine, vector
from xdsl.dialects.builtin import DYNAMIC_INDEX, VectorType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr

from ..dialects.vector.ops import ContractOp, MultiReductionOp, TransposeOp
from .interpret_arith import NAMES, Array, evaluate, folded, maximum, minimum, unsigned

Lead = tuple[int, ...]
Pure = Callable[[Operation, Sequence[Array], Lead], Array]

PURE: dict[str, Pure] = {}
REDUCE: dict[str, Any] = {
    "add": np.add,
    "mul": np.multiply,
    "maximumf": np.maximum,
    "minimumf": np.minimum,
    "maxnumf": np.fmax,
    "minnumf": np.fmin,
    "maxsi": np.maximum,
    "minsi": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
UNSIGNED: dict[str, np.ufunc] = {"maxui": np.maximum, "minui": np.minimum}


def pure(*names: str) -> Callable[[Pure], Pure]:
    """Put a function into the table."""

    def register(f: Pure) -> Pure:
        PURE.update(dict.fromkeys(names, f))
        return f

    return register


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a vector, or () of a scalar."""
    return value.type.get_shape() if isinstance(value.type, VectorType) else ()


@pure(*NAMES)
def _scalar(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    if lead and op.name == "arith.select":  # one condition for a whole vector
        condition, a, b = args
        own = (1,) * (np.ndim(a) - np.ndim(condition))
        args = [np.reshape(condition, (*np.shape(condition), *own)), a, b]
    return evaluate(op, args)


@pure("affine.apply")
def _apply(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, affine.ApplyOp)
    amap, values = op.map.data, cast("list[int]", [np.asarray(a, np.int64) for a in args])
    return np.broadcast_to(np.int64(amap.eval(values[: amap.num_dims], values[amap.num_dims :])[0]), lead)


@pure("vector.broadcast")
def _broadcast(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    source, sizes = np.asarray(args[0]), shape_of(op.results[0])
    own = source.shape[len(lead) :]
    return np.broadcast_to(source.reshape((*lead, *(1,) * (len(sizes) - len(own)), *own)), (*lead, *sizes))


@pure("vector.shape_cast")
def _shape_cast(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    return np.reshape(args[0], (*lead, *shape_of(op.results[0])))


@pure("vector.transpose")
def _transpose(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, TransposeOp)
    return np.transpose(args[0], (*range(len(lead)), *(len(lead) + d for d in op.permutation.get_values())))


@pure("vector.step")
def _step(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    return np.arange(*shape_of(op.results[0]), dtype=np.int64)


@pure("vector.fma")
def _fma(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    a, b, c = args
    return (a.astype(np.float64) * b + c).astype(c.dtype)


def _place(op: vector.ExtractOp | vector.InsertOp, dynamic: Sequence[Array], lead: Lead) -> tuple[Any, ...]:
    """The index of a part of a vector, whose dynamic numbers may differ between threads."""
    values = iter(dynamic)
    numbers = op.static_position.get_values()
    return (*(np.arange(n) for n in lead), *(next(values) if n == DYNAMIC_INDEX else n for n in numbers))


@pure("vector.extract")
def _extract(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, vector.ExtractOp)
    return np.asarray(args[0])[_place(op, args[1:], lead)]


@pure("vector.insert")
def _insert(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, vector.InsertOp)
    out = np.array(args[1])
    out[_place(op, args[2:], lead)] = args[0]
    return out


def reduced(kind: str, value: Array, axes: tuple[int, ...]) -> Array:
    if kind in UNSIGNED:
        return folded(UNSIGNED[kind], unsigned(value), axes).view(value.dtype)
    return folded(REDUCE[kind], value, axes)


def combine(kind: str, a: Array, b: Array) -> Array:
    if kind in UNSIGNED:
        return np.asarray(UNSIGNED[kind](unsigned(np.asarray(a)), unsigned(np.asarray(b)))).view(np.asarray(a).dtype)
    f: Any = {"maximumf": maximum, "minimumf": minimum}.get(kind, REDUCE[kind])
    return np.asarray(f(a, b)).astype(np.asarray(a).dtype, copy=False)


@pure("vector.multi_reduction")
def _multi_reduction(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, MultiReductionOp)
    kind = op.kind.data.value
    with np.errstate(all="ignore"):
        axes = tuple(len(lead) + d for d in op.reduction_dims.get_values())
        return combine(kind, np.asarray(args[1]), reduced(kind, np.asarray(args[0]), axes))


@pure("vector.reduction")
def _reduction(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, vector.ReductionOp)
    kind = op.kind.data.value
    one = reduced(kind, np.asarray(args[0]), (len(lead),))
    return one if op.acc is None else combine(kind, args[1], one)


@pure("vector.contract")
def _contract(op: Operation, args: Sequence[Array], lead: Lead) -> Array:
    assert isinstance(op, ContractOp)
    threads = "Z" * len(lead)
    lhs, rhs, out = (
        threads + "".join(chr(ord("a") + e.position) for e in m.data.results if isinstance(e, AffineDimExpr))
        for m in op.indexing_maps.data
    )
    total = np.einsum(f"{lhs},{rhs}->{out}", args[0], args[1])
    return combine(op.kind.data.value, np.asarray(args[2]), total)
