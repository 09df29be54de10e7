"""Tensor cores inside of a launch: tiles that a warp loads together, and products of matrices that it holds in parts.

Thread l of a warp is (g, t) = (l / 4, l % 4). Which elements of a matrix it holds is the same for all element types, by
registers r of 32 bits with `per` elements each (PTX ISA, "Matrix fragments for mma.m16n8k16" and its neighbours):

    a (16 x k):  row g + 8 (r % 2),  column per t + e + 4 per (r / 2)
    b (k x 8):   row per t + e + 4 per r,  column g
    c (16 x 8):  row g + 8 r,  column 2 t + e

Products are exact, and are added exactly before the sum is rounded; cards round in between, in an order of their own.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import VectorType
from xdsl.ir import Operation

from ..dialects.errors import CompileError
from ..dialects.nvgpu import LdMatrixOp, MmaSyncOp
from .interpret_arith import Array
from .interpret_copies import check_aligned, row_map
from .interpret_launch import WARP, whole_warps
from .interpret_thread_memory import note_read, positions
from .interpret_threads import Lanes, Threads, in_launch
from .interpret_vector import buffer_of

ROWS = 8
ROW_BYTES = 16
TF32_BITS = np.uint32(0xFFFFE000)
"""Sign, exponent and the 10 bits of a significand that tensor cores read of an f32."""


def fragment(word: str, registers: int, per: int) -> tuple[Array, Array]:
    """Rows and columns of the elements that a warp's threads hold of matrix a, b or c: [thread, register, element]."""
    lane, r, e = np.ogrid[:WARP, :registers, :per]
    g, t = lane // 4, lane % 4
    rows, columns = {
        "a": (g + 8 * (r % 2), per * t + e + 4 * per * (r // 2)),
        "b": (per * t + e + 4 * per * r, g),
        "c": (g + 8 * r, 2 * t + e),
    }[word]
    shape = (WARP, registers, per)
    return np.broadcast_to(rows, shape), np.broadcast_to(columns, shape)


def check_warps(frame: Threads, op: Operation) -> None:
    whole_warps(frame, op, "divergent warp")
    if frame.count % WARP and frame.active[-1] >= frame.count // WARP * WARP:
        raise CompileError(f"{op.name}: expected whole warps of {WARP}, found {frame.count} threads", op.location)


def spread(frame: Threads, values: Array) -> Lanes:
    """Values of the running threads as those of all."""
    if frame.all_run:
        return Lanes(values)
    out = np.zeros((frame.count, *values.shape[1:]), values.dtype)
    out[frame.active] = values
    return Lanes(out)


@in_launch("nvgpu.ldmatrix")
def _ldmatrix(frame: Threads, op: Operation) -> None:
    assert isinstance(op, LdMatrixOp)
    check_warps(frame, op)
    buffer, tiles = buffer_of(frame, op.src), op.tiles.value.data
    per = 4 // buffer.flat.itemsize
    width = 4 * per
    with frame.only(frame.everyone % WARP < ROWS * tiles):  # the others' indices do not count
        threads = frame.active
        at = positions(frame, op, buffer, op.indices, row_map(buffer), (width,))
        at = np.broadcast_to(at, (len(threads), width))
        check_aligned(frame, op, "row", at, threads, buffer.flat.itemsize, ROW_BYTES)
        note_read(frame, op, buffer, at, threads.reshape(-1, 1))
    rows = buffer.flat[at]
    if op.transposed.value.data:
        out = rows.reshape(-1, tiles, 4, 2, ROWS).transpose(0, 4, 2, 1, 3)
    else:
        out = rows.reshape(-1, tiles, ROWS, 4, per).transpose(0, 2, 3, 1, 4)
    frame.set(op, [spread(frame, out.reshape(-1, tiles, per))])


@in_launch("nvgpu.mma.sync")
def _mma(frame: Threads, op: Operation) -> None:
    assert isinstance(op, MmaSyncOp)
    check_warps(frame, op)
    m, n, k = op.shape
    a, b, c = (
        matrices(frame.lanes(v)[frame.active], word, shape)
        for v, word, shape in ((op.a, "a", (m, k)), (op.b, "b", (k, n)), (op.c, "c", (m, n)))
    )
    if op.tf32 is not None:
        a, b = ((x.view(np.uint32) & TF32_BITS).view(np.float32) for x in (a, b))
    wide = np.int64 if c.dtype.kind == "i" else np.float64
    total = (c.astype(wide) + a.astype(wide) @ b.astype(wide)).astype(c.dtype)
    kind = op.c.type
    assert isinstance(kind, VectorType)
    rows, columns = fragment("c", *kind.get_shape())
    frame.set(op, [spread(frame, total[:, rows, columns].reshape(-1, *kind.get_shape()))])


def matrices(parts: Array, word: str, shape: tuple[int, int]) -> Array:
    """The matrices of all running warps from what their threads hold."""
    parts = parts.reshape(-1, WARP, *parts.shape[1:])
    out = np.zeros((len(parts), *shape), parts.dtype)
    rows, columns = fragment(word, *parts.shape[2:])
    out[:, rows, columns] = parts
    return out
