"""StableHLO to nd: reduce and map.

    reduce add of [1], init 0                nd.reduce sum %x "a b -> a"
    reduce add of [1], init %v               nd.reduce sum, then nd.add of %v
    reduce of pairs, greater value wins      nd.argmax, then the value there
    reduce of another region, n elements     the region of x[0::2] and x[1::2], again until one is left

The last is a tree whose leaves are in order, so that the region need not commute: log2(n) copies of it, each over all
that is left. What has no neighbour waits behind the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i1
from xdsl.ir import Attribute, Operation

from ...dialects.nd import functions as F
from ...dialects.nd import movement
from ...dialects.nd.array import Array
from ...dialects.nd.dims import Dim, size
from ...dialects.nd.reduction import Reduce, identity
from ...dialects.nd.reduction import reduce as reduce_axes
from ...dialects.nd.selection import convert
from ...dialects.nd.types import NUMPY, takes, ui8
from ...dialects.stablehlo.access import ints, number
from . import bodies
from .expressions import arg_extremum, combiners, constant_of
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion

Body = Callable[[Sequence[Array]], Sequence[Array]]
"""Of the values on the left, then those on the right."""

COMBINE: dict[str, Callable[[Array, Array], Array]] = {
    "add": F.add,
    "mul": F.mul,
    "max": F.maximum,
    "min": F.minimum,
    "and": F.bitwise_and,
    "or": F.bitwise_or,
    "xor": F.bitwise_xor,
}


def reduction_kind(kind: str | None, dtype: Attribute) -> str | None:
    """nd's kind for a combiner of elements of this type."""
    if dtype == i1:
        return {"and": "all", "or": "any"}.get(kind or "")
    found = {"add": "sum", "mul": "prod", "max": "max", "min": "min"}.get(kind or "")
    ordered = dtype in NUMPY and NUMPY[dtype].kind != "c"
    return found if found and takes(Reduce.DTYPES, dtype) and (ordered or found in ("sum", "prod")) else None


def neutral(kind: str, op: Operation, k: int, dtype: Attribute) -> bool:
    """Is operand k, an initial value, known to be the identity of nd's kind?"""
    number = constant_of(op.operands[k])
    return number is not None and number == identity(kind, NUMPY[dtype])


@converter("stablehlo.reduce")
def reduce(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    n = len(xs) // 2
    axes = sorted(ints(op, "dimensions", []))
    block = op.regions[0].block
    types = [c.element_type(a.type) for a in block.args]
    values, inits = ([convert(v, t) for v, t in zip(vs, types)] for vs in (xs[:n], xs[n:]))
    kinds = [reduction_kind(k, t) for k, t in zip(combiners(block), types)]
    if axes and None not in kinds:
        out: list[Array] = []
        for k, (kind, v, init) in enumerate(zip(kinds, values, inits, strict=True)):
            y = reduce_axes(kind or "", v, axes)
            word = combiners(block)[k] or ""
            out.append(y if neutral(kind or "", op, n + k, types[k]) else COMBINE[word](y, init))
        return out
    if (found := extremum_places(op, values, axes)) is not None:
        return found

    def body(pair: Sequence[Array]) -> Sequence[Array]:
        return bodies.apply(op.regions[0], pair, c)

    return folded(op, body, values, inits, axes, c)


def extremum_places(op: Operation, values: Sequence[Array], axes: Sequence[int]) -> Sequence[Array] | None:
    """The greatest or least value along one dimension and its position, where the other operand counts positions."""
    if len(axes) != 1 or len(values) != 2 or (name := arg_extremum(op.regions[0].block)) is None:
        return None
    x, at = values[0], axes[0]
    if x.dtype == i1:
        return bool_places(op, values, at, name)
    start = constant_of(op.operands[2])
    worst = identity("max" if name == "argmax" else "min", NUMPY[x.dtype]) if x.dtype in NUMPY else None
    if not counts(op, at) or start is None or start != worst or constant_of(op.operands[3]) != 0 or x.shape[at] == 0:
        return None
    places = getattr(F, name)(x, at, keepdims=True)
    value = F.take_along_axis(x, places, at, mode="promise")
    kept = tuple(d for k, d in enumerate(x.shape) if k != at)
    return [movement.reshape(value, kept), convert(movement.reshape(places, kept), values[1].dtype)]


def bool_places(op: Operation, values: Sequence[Array], at: int, name: str) -> Sequence[Array] | None:
    """Of truth values as of 0 and 1."""
    start = constant_of(op.operands[2])
    if start is not (name == "argmin") or not counts(op, at) or constant_of(op.operands[3]) != 0:
        return None
    x = values[0]
    if x.shape[at] == 0:
        return None
    kept = tuple(d for k, d in enumerate(x.shape) if k != at)
    places = getattr(F, name)(convert(x, ui8), at, keepdims=True)
    value = reduce_axes("any" if name == "argmax" else "all", x, [at])
    return [value, convert(movement.reshape(places, kept), values[1].dtype)]


def counts(op: Operation, axis: int) -> bool:
    """Does the second operand count along the axis?"""
    value = op.operands[1]
    source = value.owner
    if not isinstance(source, Operation) or source.name != "stablehlo.iota":
        return False
    return number(source, "iota_dimension", -1) == axis


def folded(op: Operation, body: Body, values: Sequence[Array], inits: Sequence[Array], axes: Sequence[int],
           c: Conversion) -> Sequence[Array]:  # fmt: skip
    """The initial values combined with the tree of all elements along the axes."""
    rank = values[0].ndim
    kept = [k for k in range(rank) if k not in axes]
    shape = tuple(values[0].shape[k] for k in kept)
    n = size(values[0].shape[k] for k in axes)
    rows = [movement.reshape(movement.transpose(v, [*axes, *kept]), (n, *shape)) for v in values]
    start = [movement.broadcast_to(v, shape) for v in inits]
    if not isinstance(n, int):
        return bodies.scan(op.regions[0], n, start, rows, lambda carried, row: body([*carried, *row]), c)
    if n == 0:
        return start
    found = [movement.reshape(v, shape) for v in tree(body, rows, n)]
    return body([*start, *found])


def tree(body: Body, rows: Sequence[Array], n: int) -> Sequence[Array]:
    """The n > 0 rows combined into one."""
    behind: Sequence[Array] | None = None
    while n > 1:
        if n % 2:
            last = [part(v, n - 1, 1) for v in rows]
            behind = last if behind is None else body([*last, *behind])
        n //= 2
        rows = body([*(part(v, 0, n, 2) for v in rows), *(part(v, 1, n, 2) for v in rows)])
    return rows if behind is None else body([*rows, *behind])


def part(x: Array, start: int, count: Dim, step: int = 1, axis: int = 0) -> Array:
    """Some of the elements along one dimension."""
    starts = [start if k == axis else 0 for k in range(x.ndim)]
    steps = [step if k == axis else 1 for k in range(x.ndim)]
    return movement.slice_(x, starts, steps, [count if k == axis else d for k, d in enumerate(x.shape)])


@converter("stablehlo.map")
def map_(op: Operation, xs: list[Array], c: Conversion) -> Sequence[Array]:
    return bodies.apply(op.regions[0], xs, c)
