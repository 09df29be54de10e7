"""What NVIDIA's GPUs have besides ordinary code, in upstream's syntax.

    %t = nvgpu.device_async_copy %x[%i], %tile[%j], 4 {bypassL1} : memref<?xf32> to memref<256xf32, #shared>
    %g = nvgpu.device_async_create_group %t
    nvgpu.device_async_wait %g {numGroups = 1 : i32}
    %a = nvgpu.ldmatrix %tile[%i, %j] {numTiles = 4 : i32, transpose = false}
           : memref<16x16xf16, #shared> -> vector<4x2xf16>
    %d = nvgpu.mma.sync(%a, %b, %c) {mmaShape = [16, 8, 16]}
           : (vector<4x2xf16>, vector<2x2xf16>, vector<2x2xf32>) -> vector<2x2xf32>

A copy is one thread's, and under way until a wait of that thread covers its group; `numGroups` is how many of its
latest groups may still be. The other two are a warp's: each thread has its part of every matrix (`fragments`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import (
    ArrayAttr,
    BFloat16Type,
    BoolAttr,
    Float16Type,
    Float32Type,
    IndexType,
    IntAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StridedLayoutAttr,
    UnitAttr,
    VectorType,
    i32,
)
from xdsl.ir import Attribute, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, Pure
from xdsl.utils.exceptions import VerifyException

from ..gpu import WORKGROUP

WARP = 32
COPIED_BYTES = (4, 8, 16)
"""What one asynchronous copy may move."""
TILE_ROW = 16
"""Bytes of a row of a tile of `ldmatrix`."""


@irdl_attr_definition
class AsyncToken(ParametrizedAttribute, TypeAttribute):
    """Names a copy or a group of copies."""

    name = "nvgpu.device.async.token"


def bits_of(kind: Attribute) -> int:
    return cast(Any, kind).bitwidth


def _memory(value: SSAValue) -> MemRefType[Attribute]:
    return cast("MemRefType[Attribute]", value.type)


def _check_shared(value: SSAValue, what: str) -> None:
    if _memory(value).memory_space != WORKGROUP:
        raise VerifyException(f"expected workgroup memory as {what}, found {value.type}")


def _check_indices(value: SSAValue, indices: Any, what: str) -> None:
    if len(indices) != (rank := _memory(value).get_num_dims()):
        raise VerifyException(f"expected {rank} indices of the {what}, found {len(indices)}")


def _check_rows(value: SSAValue, what: str) -> None:
    """The elements of a row must be neighbours."""
    layout = _memory(value).layout
    if isinstance(layout, StridedLayoutAttr) and layout.strides.data and layout.strides.data[-1] != IntAttr(1):
        raise VerifyException(f"expected {what} whose last dimension has stride 1, found {value.type}")


@irdl_op_definition
class CopyOp(IRDLOperation):
    """Begin to copy neighbouring elements of one thread to shared memory; behind `src_elements` they are zeros."""

    name = "nvgpu.device_async_copy"
    dst = operand_def(MemRefType)
    dst_indices = var_operand_def(IndexType)
    src = operand_def(MemRefType)
    src_indices = var_operand_def(IndexType)
    src_elements = opt_operand_def(IndexType)
    dst_elements = prop_def(IntegerAttr[IndexType], prop_name="dstElements")
    bypass_l1 = opt_prop_def(UnitAttr, prop_name="bypassL1")
    token = result_def(AsyncToken)
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$src `[` $src_indices `]` `,` $dst `[` $dst_indices `]` `,` $dstElements (`,` $src_elements^)? attr-dict `:` "
        "type($src) `to` type($dst)"
    )

    @property
    def count(self) -> int:
        return self.dst_elements.value.data

    @staticmethod
    def make(
        src: SSAValue, src_indices: list[SSAValue], dst: SSAValue, dst_indices: list[SSAValue], count: int
    ) -> CopyOp:
        """A copy of `count` elements, past the first cache where that is possible."""
        properties: dict[str, Attribute] = {"dstElements": IntegerAttr(count, IndexType())}
        if count * bits_of(_memory(dst).element_type) == 128:
            properties["bypassL1"] = UnitAttr()
        return CopyOp.build(
            operands=[dst, dst_indices, src, src_indices, None], properties=properties, result_types=[AsyncToken()]
        )

    def verify_(self) -> None:
        _check_shared(self.dst, "destination")
        source, target = _memory(self.src), _memory(self.dst)
        if source.element_type != target.element_type:
            raise VerifyException(f"expected memory of one element type, found {source} and {target}")
        _check_rows(self.src, "a source")
        _check_rows(self.dst, "a destination")
        _check_indices(self.src, self.src_indices, "source")
        _check_indices(self.dst, self.dst_indices, "destination")
        width = bits_of(source.element_type)
        if self.count * width not in (8 * n for n in COPIED_BYTES):
            allowed = ", ".join(str(8 * n // width) for n in COPIED_BYTES if 8 * n >= width)
            raise VerifyException(f"expected {allowed} elements of {width} bits, found {self.count}")
        if self.bypass_l1 is not None and self.count * width != 128:
            raise VerifyException(f"expected bypassL1 with {128 // width} elements, found {self.count}")


@irdl_op_definition
class CreateGroupOp(IRDLOperation):
    """Make the thread's copies that are in no group yet a group."""

    name = "nvgpu.device_async_create_group"
    tokens = var_operand_def(AsyncToken)
    group = result_def(AsyncToken)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$tokens attr-dict"

    @staticmethod
    def make(tokens: list[SSAValue]) -> CreateGroupOp:
        return CreateGroupOp.build(operands=[tokens], result_types=[AsyncToken()])


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Wait until at most `groups` groups of the thread are under way, without a number until none is."""

    name = "nvgpu.device_async_wait"
    token = operand_def(AsyncToken)
    groups = opt_prop_def(IntegerAttr[IntegerType], prop_name="numGroups")
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$token attr-dict"

    @staticmethod
    def make(token: SSAValue, groups: int) -> WaitOp:
        return WaitOp.build(operands=[token], properties={"numGroups": IntegerAttr(groups, i32)})

    def verify_(self) -> None:
        if self.groups is not None and (self.groups.type != i32 or self.groups.value.data < 0):
            raise VerifyException(f"expected a number of groups of type i32, at least 0, found {self.groups}")


@irdl_op_definition
class LdMatrixOp(IRDLOperation):
    """Tiles of 8 rows of 16 bytes from shared memory to a warp.

    Thread 8 t + r has the indices of row r of tile t. Thread 4 r + c of the result has the c-th 4 bytes of row r of
    each tile; transposed, elements 2 c and 2 c + 1 of column r.
    """

    name = "nvgpu.ldmatrix"
    src = operand_def(MemRefType)
    indices = var_operand_def(IndexType)
    transposed = prop_def(BoolAttr, prop_name="transpose")
    tiles = prop_def(IntegerAttr[IntegerType], prop_name="numTiles")
    res = result_def(VectorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$src `[` $indices `]` attr-dict `:` type($src) `->` type($res)"

    @staticmethod
    def make(src: SSAValue, indices: list[SSAValue], tiles: int, transposed: bool) -> LdMatrixOp:
        element = _memory(src).element_type
        properties = {"numTiles": IntegerAttr(tiles, i32), "transpose": BoolAttr.from_bool(transposed)}
        kind = VectorType(element, [tiles, 32 // bits_of(element)])
        return LdMatrixOp.build(operands=[src, indices], properties=properties, result_types=[kind])

    def verify_(self) -> None:
        _check_shared(self.src, "source")
        _check_rows(self.src, "a source")
        _check_indices(self.src, self.indices, "source")
        element, tiles = _memory(self.src).element_type, self.tiles.value.data
        width = bits_of(element)
        if width > 32 or 32 % width:
            raise VerifyException(f"expected elements of 8, 16 or 32 bits, found {element}")
        if tiles not in (1, 2, 4):
            raise VerifyException(f"expected 1, 2 or 4 tiles, found {tiles}")
        if self.transposed.value.data and width != 16:
            raise VerifyException(f"expected elements of 16 bits to transpose, found {element}")
        if self.res.type != (want := VectorType(element, [tiles, 32 // width])):
            raise VerifyException(f"expected a result of type {want}, found {self.res.type}")


ACCUMULATORS: dict[type[Attribute], tuple[type[Attribute], ...]] = {
    Float16Type: (Float16Type, Float32Type),
    BFloat16Type: (Float32Type,),
    Float32Type: (Float32Type,),
    IntegerType: (IntegerType,),
}
"""What products of an element type are added in."""


@irdl_op_definition
class MmaSyncOp(IRDLOperation):
    """`c + a b` of matrices m x k and k x n that the threads of a warp hold in parts."""

    name = "nvgpu.mma.sync"
    a = operand_def(VectorType)
    b = operand_def(VectorType)
    c = operand_def(VectorType)
    mma_shape = prop_def(ArrayAttr[IntegerAttr], prop_name="mmaShape")
    tf32 = opt_prop_def(UnitAttr, prop_name="tf32Enabled")
    res = result_def(VectorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())
    assembly_format = (
        "`` `(` $a `,` $b `,` $c `)` attr-dict `:` `(` type($a) `,` type($b) `,` type($c) `)` `->` type($res)"
    )

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(n.value.data for n in self.mma_shape.data)

    @staticmethod
    def make(a: SSAValue, b: SSAValue, c: SSAValue, shape: tuple[int, int, int]) -> MmaSyncOp:
        """The product; one of f32 factors is that of their leading 19 bits."""
        properties: dict[str, Attribute] = {"mmaShape": ArrayAttr([IntegerAttr(n, 64) for n in shape])}
        if isinstance(cast("VectorType[Attribute]", a.type).element_type, Float32Type):
            properties["tf32Enabled"] = UnitAttr()
        return MmaSyncOp.create(operands=[a, b, c], properties=properties, result_types=[c.type])

    def verify_(self) -> None:
        kinds = [cast("VectorType[Attribute]", v.type) for v in (self.a, self.b, self.c)]
        factor, total = kinds[0].element_type, kinds[2].element_type
        if kinds[1].element_type != factor:
            raise VerifyException(f"expected factors of one element type, found {kinds[0]} and {kinds[1]}")
        if type(total) not in ACCUMULATORS.get(type(factor), ()):
            raise VerifyException(f"expected elements that tensor cores multiply and add, found {factor} and {total}")
        if isinstance(factor, IntegerType) and (bits_of(factor), bits_of(total)) != (8, 32):
            raise VerifyException(f"expected integers of 8 bits and sums of 32, found {factor} and {total}")
        if (self.tf32 is not None) != isinstance(factor, Float32Type):
            raise VerifyException(f"expected tf32Enabled with elements of f32 and no others, found {factor}")
        each = 32 // bits_of(factor)
        allowed = [(16, 8, k) for k in (4 * each, 8 * each)]
        if self.shape not in allowed:
            raise VerifyException(
                f"expected a shape of {' or '.join(map(str, map(list, allowed)))}, found {self.mma_shape}"
            )
        registers = self.shape[2] // (4 * each)
        for word, kind, want in zip("abc", kinds, ((2 * registers, each), (registers, each), (2, 2)), strict=True):
            if kind.get_shape() != want:
                raise VerifyException(f"expected {word} of shape {list(want)}, found {kind}")
        if self.res.type != self.c.type:
            raise VerifyException(f"expected a result of type {self.c.type}, found {self.res.type}")
