"""Tensor cores: tiles that a warp loads together from a block's memory, products of matrices that it holds in parts.

    %a = nvgpu.ldmatrix %tile[%i, %j] {numTiles = 4 : i32, transpose = false} : .. -> vector<4x2xbf16>
        %r = call { i32, i32, i32, i32 } @llvm.nvvm.ldmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %p)
    %d = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]} : (vector<4x2xbf16>, ..) -> vector<2x2xf32>
        %r = call { float, float, float, float } @llvm.nvvm.mma.m16n8k16.row.col.bf16(i32 %a0, .., float %c0, ..)

A register of 32 bits holds a row of a factor's vector: one element of 32 bits, 2 of 16 or 4 of 8. Both are done where
they stand, by whole warps: they are not lazy, and calls are convergent, so that LLVM keeps them out of branches.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

from xdsl.ir import Operation

from ...dialects.nvgpu import LdMatrixOp, MmaSyncOp
from .device import on_device
from .state import Emitter
from .text import vector_of
from .values import Lead, Vec


class Product(NamedTuple):
    """An instruction: its intrinsic's name behind the shape, the types of factors' registers and of the accumulator's,
    how many elements of the accumulator a register has."""

    name: str
    factor: str
    total: str
    each: int = 1


PRODUCTS: dict[tuple[str, str], Product] = {
    ("half", "float"): Product("f32.f32", "<2 x half>", "float"),
    ("half", "half"): Product("f16.f16", "<2 x half>", "<2 x half>", 2),
    ("bfloat", "float"): Product("bf16", "i32", "float"),
    ("float", "float"): Product("tf32", "i32", "float"),
    ("i8", "i32"): Product("s8", "i32", "i32"),
}
"""By the element types of factors and accumulator, in all shapes of an instruction (PTX ISA, "mma")."""


def register(e: Emitter, vec: Vec, lead: Lead, kind: str) -> str:
    """A row of a vector as one register: where there are products, no chunk is narrower."""
    row, text = vec.type(0), vec.nat(lead, 0)
    return text if row == kind else e.op(f"bitcast {row} {text} to {kind}")


def unpacked(e: Emitter, result: str, struct: str, kind: str, shape: tuple[int, ...], each: str) -> Vec:
    """The vector whose rows are the members of a call's result, registers of type `each`."""
    row = vector_of(kind, shape[-1])
    members = [e.op(f"extractvalue {struct} {result}, {i}") for i in range(shape[0])]
    rows = [part if each == row else e.op(f"bitcast {each} {part} to {row}") for part in members]

    def scalar(at: Lead) -> str:
        return e.op(f"extractelement {row} {rows[at[0]]}, i64 {at[1]}")

    whole = e.lanes >= shape[-1]
    return e.vec(kind, shape, (lambda lead, _: rows[lead[0]]) if whole else None, scalar)


@on_device("nvgpu.ldmatrix", needs=75)
def ldmatrix(e: Emitter, op: Operation) -> None:
    assert isinstance(op, LdMatrixOp)
    ref, kind = e.refs[op.src], op.res.type
    place = e.op(f"addrspacecast ptr {e.address(ref, [e.index[i] for i in op.indices])} to ptr addrspace(3)")
    tiles, words = op.tiles.value.data, ".trans" if op.transposed.value.data else ""
    struct = f"{{ {', '.join(['i32'] * tiles)} }}" if tiles > 1 else "i32"
    name = f"llvm.nvvm.ldmatrix.sync.aligned.m8n8.x{tiles}{words}.b16.p3"
    e.declare(struct, name, "ptr addrspace(3)")
    result = e.op(f"call {struct} @{name}(ptr addrspace(3) {place})")
    if tiles == 1:
        struct, result = "{ i32 }", e.op(f"insertvalue {{ i32 }} poison, i32 {result}, 0")
    e.env[op.res] = unpacked(e, result, struct, ref.kind, kind.get_shape(), "i32")


@on_device("nvgpu.mma.sync", needs=80)
def mma(e: Emitter, op: Operation) -> None:
    assert isinstance(op, MmaSyncOp)
    a, b, c = (e.vector(v) for v in (op.a, op.b, op.c))
    m, n, k = op.shape
    row = PRODUCTS[a.kind, c.kind]
    operands = [(row.factor, register(e, v, (i,), row.factor)) for v in (a, b) for i in range(v.shape[0])]
    if row.each == 1:
        operands += [(row.total, c.sca(at)) for at in ((0, 0), (0, 1), (1, 0), (1, 1))]
    else:
        operands += [(row.total, register(e, c, (i,), row.total)) for i in range(2)]
    struct = f"{{ {', '.join([row.total] * (4 // row.each))} }}"
    name = f"llvm.nvvm.mma.m{m}n{n}k{k}.row.col.{row.name}"
    e.declare(struct, name, *(kind for kind, _ in operands))
    arguments = ", ".join(f"{kind} {text}" for kind, text in operands)
    result = e.op(f"call {struct} @{name}({arguments}) convergent")
    if row.each == 1:
        members = [e.op(f"extractvalue {struct} {result}, {i}") for i in range(4)]
        e.env[op.res] = e.vec(c.kind, c.shape, None, lambda at: members[2 * at[0] + at[1]])
    else:
        e.env[op.res] = unpacked(e, result, struct, c.kind, c.shape, row.total)
