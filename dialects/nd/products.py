"""Functions of the array language that multiply and sum: index notation, einsum, matmul."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import dimmap, movement
from .array import Array
from .contraction import Contract
from .dimmap import DimMap, Index, bare
from .dims import Shape
from .mapped import rearrange, text
from .op import bind
from .promotion import asarray, broadcast_shapes, common_dtype, fail, numeric
from .selection import convert


def contract(map_: str, *xs: Any) -> Array:
    """Index notation, `"a b, b c -> a c"`, windows too: `nd.contract` itself."""
    try:
        m = dimmap.parse(map_)
    except ValueError as e:
        raise fail(str(e)) from None
    return bind(Contract, *alike(xs), map=text(m))


def einsum(spec: str, *xs: Any) -> Array:
    """NumPy's: every letter is an index; `...` stands for the leading rest."""
    arrays = alike(xs)
    left, arrow, right = spec.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        raise fail(f'expected {len(terms)} operands for "{spec}", found {len(arrays)}')
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        right = "..." * ("..." in left) + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    rest = max(
        (a.ndim - len(t.replace("...", "")) for t, a in zip(terms, arrays, strict=True) if "..." in t), default=0
    )

    def dims(term: str, rank: int) -> tuple[Index, ...]:
        before, dots, after = term.partition("...")
        n = rank - len(before) - len(after) if dots else 0
        middle = [bare(f"rest{k}") for k in range(rest - n, rest)]
        return (*(bare(f"i{ord(c)}") for c in before), *middle, *(bare(f"i{ord(c)}") for c in after))

    operands = tuple(dims(t, a.ndim) for t, a in zip(terms, arrays, strict=True))
    out = dims(right, rest + len(right.replace("...", "")))
    return bind(Contract, *arrays, map=text(DimMap(operands, out)))


def alike(xs: Sequence[Any]) -> list[Array]:
    """Arrays of one element type."""
    arrays = [asarray(x) for x in xs]
    if not arrays:
        raise fail("expected at least one operand, found none")
    if all(a.dtype is arrays[0].dtype for a in arrays):
        numeric(arrays[0])
        return arrays
    dtype = arrays[0].dtype
    for a in arrays:
        dtype = common_dtype(dtype, a.dtype)
    return [convert(a, dtype) for a in arrays]


MATMUL = text(dimmap.parse("a b, b c -> a c"))


def matmul(x: Any, y: Any) -> Array:
    """NumPy's `@`: vectors, matrices, and batches that broadcast."""
    x, y = alike([x, y])
    if not x.ndim or not y.ndim:
        raise fail(f"expected operands of at least one dimension for @, found {x.type} and {y.type}; use *")
    inner, other = x.shape[-1], y.shape[-2] if y.ndim > 1 else y.shape[0]
    if inner != other:
        raise fail(
            f"expected the last size of {x.type} to equal the second last of {y.type}, found {inner} and {other}"
        )
    if x.ndim == y.ndim == 2:
        return bind(Contract, x, y, map=MATMUL)
    batch = broadcast_shapes(x.shape[:-2], y.shape[:-2])
    names = dimmap.names(len(batch) + 3)
    n, (i, k, j) = names[: len(batch)], names[len(batch) :]
    x, nx = _drop_ones(x, batch, n)
    y, ny = _drop_ones(y, batch, n)
    left, right = ((i, k) if x.ndim - len(nx) == 2 else (k,)), ((k, j) if y.ndim - len(ny) == 2 else (k,))
    out = (*n, *left[:-1], *right[1:])
    return _contract_or_rearrange(x, y, DimMap(((*nx, *left), (*ny, *right)), out))


def _contract_or_rearrange(x: Array, y: Array, m: DimMap) -> Array:
    present = {i for d in m.operands for i in d}
    if all(i in present for i in m.result):
        return bind(Contract, x, y, map=text(m))
    inner = tuple(i for i in m.result if i in present)  # sizes 1 on both sides
    z = bind(Contract, x, y, map=text(DimMap(m.operands, inner)))
    return rearrange(
        z, DimMap((inner,), m.result), tuple(1 if i not in present else z.shape[inner.index(i)] for i in m.result)
    )


def _drop_ones(x: Array, batch: Shape, names: tuple[Index, ...]) -> tuple[Array, tuple[Index, ...]]:
    """Take the batch dimensions of size 1 off; the names of those that stay."""
    own = x.shape[:-2]
    names = names[len(batch) - len(own) :]
    keep = [k for k, d in enumerate(own) if d != 1]
    shape = (*(own[k] for k in keep), *x.shape[len(own) :])
    return movement.reshape(x, shape), tuple(names[k] for k in keep)
