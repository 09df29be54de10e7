"""What algorithms on matrices [..., n, n] share: triangles, diagonals, blocks."""

from __future__ import annotations

from xdsl.dialects.builtin import f32, f64

from . import functions as F
from .array import Array
from .constant import iota
from .dims import Sym
from .promotion import fail
from .types import Type, shape_of

FLOAT_32_64 = (f32, f64)


def check_square(t: Type) -> None:
    shape = shape_of(t)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"expected square matrices [..., n, n], found {t}")


def static_size(a: Array, what: str) -> int:
    """n of matrices [..., n, n]."""
    n = a.shape[-1]
    if isinstance(n, Sym):
        raise fail(f"{what}: expected matrices of a size known while the program is built, found {a.type}")
    return n


def grid(n: int, m: int) -> tuple[Array, Array]:
    """The row and the column of each element."""
    return iota((n, m), 0), iota((n, m), 1)


def eye_mask(n: int) -> Array:
    return F.compare("eq", *grid(n, n))


def triangle(a: Array, lower: bool, k: int = 0) -> Array:
    """The lower triangle with the k-th diagonal, or the upper one with the -k-th; zeros else."""
    rows, columns = grid(int(a.shape[-2]), int(a.shape[-1]))  # pyright: ignore[reportArgumentType]
    kept = columns <= rows + k if lower else columns >= rows - k
    return F.where(F.broadcast_to(kept, a.shape), a, 0.0)


def diagonal(a: Array) -> Array:
    n = int(a.shape[-1])  # pyright: ignore[reportArgumentType]
    return F.sum_(F.where(F.broadcast_to(eye_mask(n), a.shape), a, 0.0), -1)


def pad_with_ones(a: Array, more: int) -> Array:
    """Larger matrices, [[a, 0], [0, 1]]."""
    n = int(a.shape[-1])  # pyright: ignore[reportArgumentType]
    a = F.pad(a, [*[(0, 0)] * (a.ndim - 2), (0, more), (0, more)])
    rows, columns = grid(n + more, n + more)
    return F.where(F.broadcast_to((rows == columns) & (rows >= n), a.shape), 1.0, a)


def row_blocks(a: Array, size: int) -> Array:
    """[..., count * size, m] as [count, ..., size, m]."""
    *lead, n, m = a.shape
    blocks = F.reshape(a, (*lead, int(n) // size, size, m))  # pyright: ignore[reportArgumentType]
    return F.moveaxis(blocks, -3, 0)


def column_blocks(a: Array, size: int) -> Array:
    """[..., n, count * size] as [count, ..., n, size]."""
    *lead, n, m = a.shape
    blocks = F.reshape(a, (*lead, n, int(m) // size, size))  # pyright: ignore[reportArgumentType]
    return F.moveaxis(blocks, -2, 0)


def diagonal_blocks(a: Array, size: int) -> Array:
    """[..., count * size, count * size] as [count, ..., size, size]."""
    *lead, n, _ = a.shape
    count = int(n) // size  # pyright: ignore[reportArgumentType]
    if count == 1:
        return F.expand_dims(a, 0)
    both = F.reshape(a, (*lead, count, size, count, size))
    same = F.broadcast_to(F.reshape(eye_mask(count), (count, 1, count, 1)), both.shape)
    return F.moveaxis(F.sum_(F.where(same, both, 0.0), -2), -3, 0)
