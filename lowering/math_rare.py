"""What an expansion does about arguments that its short path does not serve: one element after the other, in a loop.

%any = vector.multi_reduction <or>, %rare, %false
%out = scf.if %any -> (vector<64xf32>) {
  ...                                     operands and %short into memory
  scf.for %i = %c0 to %c64 step %c1 {
    %r = scf.if %rare_i -> (f32) { ... } else { %short_i }
    memref.store %r, %place[%i]
  }
  ...                                     and back
} else { scf.yield %short }
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BoolAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    NoneAttr,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.ir.affine import AffineMap

from ..dialects.vector import TransferReadOp, TransferWriteOp
from .math_builder import MathBuilder

INDEX = IndexType()
Function = Callable[..., SSAValue]
"""Of a builder and the operands."""


def unless(b: MathBuilder, rare: Function, operands: Sequence[SSAValue], short: SSAValue, long: Function) -> SSAValue:
    """`short`, but where `rare` holds of an element's operands, `long` of them."""
    if not b.shape:
        return choose(b, rare(b, *operands), lambda inner: long(inner, *operands), short)
    anywhere = b.any(rare(b, *operands))
    return choose(b, anywhere, lambda inner: patched(inner, rare, operands, short, long), short)


def choose(b: MathBuilder, condition: SSAValue, then: Callable[[MathBuilder], SSAValue], other: SSAValue) -> SSAValue:
    """`other`, unless the condition (one for all elements) holds."""
    inner = b.inner()
    value = then(inner)
    regions = [Region(Block([*inner.ops, ended(value)])), Region(Block([ended(other)]))]
    op = scf.IfOp.create(operands=[condition], result_types=[b.kind], regions=regions)
    return b.add_op(op).results[0]


def ended(*values: SSAValue) -> scf.YieldOp:
    return scf.YieldOp.create(operands=values)


def patched(b: MathBuilder, rare: Function, operands: Sequence[SSAValue], short: SSAValue, long: Function) -> SSAValue:
    """`short` with its rare elements replaced."""
    element = b.format.scalar
    origin = [number(b, 0)] * len(b.shape)
    buffers = [allocated(b) for _ in (*operands, short)]
    for value, buffer in zip((*operands, short), buffers, strict=True):
        sizes = segments(1, 1, len(origin), 0)
        write = TransferWriteOp.create(operands=[value, buffer, *origin], properties={**transfer(b.shape), **sizes})
        b.add_op(write)

    def body(inner: MathBuilder, places: list[SSAValue]) -> None:
        *xs, y = (inner.emit_scalar(memref.LoadOp, [buffer, *places], element) for buffer in buffers)
        new = choose(inner, rare(inner, *xs), lambda deep: long(deep, *xs), y)
        inner.add_op(memref.StoreOp.create(operands=[new, buffers[-1], *places]))

    nest(MathBuilder(element, b.location, b.ops, b.space), b.shape, [], body)
    padding = MathBuilder(element, b.location, b.ops, b.space).f(0.0)
    sizes = segments(1, len(origin), 1, 0)
    read = TransferReadOp.create(
        operands=[buffers[-1], *origin, padding], result_types=[b.kind], properties={**transfer(b.shape), **sizes}
    )
    return b.add_op(read).results[0]


def nest(
    b: MathBuilder, sizes: Sequence[int], places: list[SSAValue], body: Callable[[MathBuilder, list[SSAValue]], None]
) -> None:
    """A loop for each dimension around `body`, which gets the place."""
    if not sizes:
        return body(b, places)
    block = Block(arg_types=[INDEX])
    inner = b.inner()
    nest(inner, sizes[1:], [*places, block.args[0]], body)
    block.add_ops([*inner.ops, ended()])
    bounds = [number(b, n) for n in (0, sizes[0], 1)]
    b.add_op(scf.ForOp.create(operands=bounds, regions=[Region(block)]))
    return None


def repeated(
    b: MathBuilder, count: int, start: SSAValue, body: Callable[[MathBuilder, SSAValue], SSAValue]
) -> SSAValue:
    """body(body(... start))"""
    block = Block(arg_types=[INDEX, b.kind])
    inner = b.inner()
    value = body(inner, block.args[1])
    block.add_ops([*inner.ops, ended(value)])
    bounds = [number(b, n) for n in (0, count, 1)]
    loop = scf.ForOp.create(operands=[*bounds, start], result_types=[b.kind], regions=[Region(block)])
    return b.add_op(loop).results[0]


def number(b: MathBuilder, value: int) -> SSAValue:
    return b.emit_scalar(arith.ConstantOp, (), INDEX, {"value": IntegerAttr(value, INDEX)})


def allocated(b: MathBuilder) -> SSAValue:
    kind = MemRefType(b.format.scalar, b.shape, memory_space=b.space or NoneAttr())
    return b.emit_scalar(memref.AllocOp, (), kind, {"alignment": IntegerAttr(64, i64), **segments(0, 0)})


def transfer(shape: Sequence[int]) -> dict[str, Attribute]:
    """The properties of a transfer of a whole buffer."""
    inside = ArrayAttr([BoolAttr.from_bool(True)] * len(shape))
    return {"in_bounds": inside, "permutation_map": AffineMapAttr(AffineMap.identity(len(shape)))}


def segments(*sizes: int) -> dict[str, Attribute]:
    return {"operandSegmentSizes": DenseArrayBase.from_list(i32, sizes)}
