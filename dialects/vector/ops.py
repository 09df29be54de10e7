"""Upstream `vector` ops that xDSL lacks, or reads or prints in a way that upstream does not.

    %t = vector.transpose %a, [1, 0] : vector<2x3xf32> to vector<3x2xf32>
    %c = vector.shape_cast %a : vector<2x3xf32> to vector<6xf32>
    %s = vector.multi_reduction <add>, %a, %z [1] : vector<2x3xf32> to vector<2xf32>
    %n = vector.step : vector<4xindex>
    %g = vector.gather %m[%c0] [%v], %mask, %none : memref<?xf32>, vector<4xindex>, vector<4xi1>, vector<4xf32>
           into vector<4xf32>
    %d = vector.contract {indexing_maps = [..], iterator_types = [..], kind = #vector.kind<add>} %a, %b, %z
           : vector<2x4xf32>, vector<4x3xf32> into vector<2x3xf32>

The verifiers check what upstream's check. The transfers are xDSL's, and keep attributes such as `nontemporal`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, cast

from xdsl.dialects import vector
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    MemRefType,
    StringAttr,
    TensorType,
    VectorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import BaseAttr, IRDLOperation, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryReadEffect, Pure
from xdsl.utils.exceptions import VerifyException

CombiningKind = vector.CombiningKindFlag
Vector = VectorType[Attribute]


def kind_attribute(kind: str) -> vector.CombiningKindAttr:
    return vector.CombiningKindAttr(CombiningKind(kind))


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a vector, or () of a scalar."""
    return value.type.get_shape() if isinstance(value.type, VectorType) else ()


def element_of(value: SSAValue) -> Attribute:
    return value.type.element_type if isinstance(value.type, VectorType) else value.type


def _print_conversion(printer: Printer, source: SSAValue, result: SSAValue) -> None:
    printer.print_string(" : ")
    printer.print_attribute(source.type)
    printer.print_string(" to ")
    printer.print_attribute(result.type)


def _parse_conversion(parser: Parser) -> tuple[Attribute, Attribute]:
    parser.parse_punctuation(":")
    source = parser.parse_type()
    parser.parse_characters("to")
    return source, parser.parse_type()


def _integers(parser: Parser) -> list[int]:
    return parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)


@irdl_op_definition
class TransposeOp(IRDLOperation):
    """Dimension i of the result is dimension `permutation[i]` of the operand."""

    name = "vector.transpose"
    source = operand_def(VectorType)
    permutation = prop_def(DenseArrayBase.constr(i64))
    res = result_def(VectorType)
    traits = traits_def(Pure())

    @staticmethod
    def make(value: SSAValue, permutation: Sequence[int], kind: Attribute) -> TransposeOp:
        order = DenseArrayBase.from_list(i64, list(permutation))
        return TransposeOp.create(operands=[value], result_types=[kind], properties={"permutation": order})

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        printer.print_string(f", {list(self.permutation.get_values())}")
        printer.print_op_attributes(self.attributes)
        _print_conversion(printer, self.source, self.res)

    @classmethod
    def parse(cls, parser: Parser) -> TransposeOp:
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        order = _integers(parser)
        attributes = parser.parse_optional_attr_dict()
        source, kind = _parse_conversion(parser)
        op = TransposeOp.make(parser.resolve_operand(value, source), order, kind)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        order, shape = list(self.permutation.get_values()), shape_of(self.source)
        if sorted(order) != list(range(len(shape))):
            raise VerifyException(f"expected a permutation of {len(shape)} dimensions, found {order}")
        if (want := tuple(shape[d] for d in order)) != (found := shape_of(self.res)):
            raise VerifyException(f"expected a result of shape {list(want)}, found {list(found)}")
        if element_of(self.source) != element_of(self.res):
            raise VerifyException(f"expected elements of type {element_of(self.source)}, found {element_of(self.res)}")


@irdl_op_definition
class ShapeCastOp(IRDLOperation):
    """The same elements in row-major order under another shape."""

    name = "vector.shape_cast"
    source = operand_def(VectorType)
    res = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($res)"

    def verify_(self) -> None:
        want, found = prod(shape_of(self.source)), prod(shape_of(self.res))
        if want != found:
            raise VerifyException(f"expected a result of {want} elements, found {found}")
        if element_of(self.source) != element_of(self.res):
            raise VerifyException(f"expected elements of type {element_of(self.source)}, found {element_of(self.res)}")


@irdl_op_definition
class MultiReductionOp(IRDLOperation):
    """Combines the elements along some dimensions, and the accumulator."""

    name = "vector.multi_reduction"
    source = operand_def(VectorType)
    acc = operand_def()
    kind = prop_def(vector.CombiningKindAttr)
    reduction_dims = prop_def(DenseArrayBase.constr(i64))
    res = result_def()
    traits = traits_def(Pure())

    @staticmethod
    def make(kind: str, value: SSAValue, acc: SSAValue, dims: Sequence[int]) -> MultiReductionOp:
        properties = {"kind": kind_attribute(kind), "reduction_dims": DenseArrayBase.from_list(i64, list(dims))}
        return MultiReductionOp.create(operands=[value, acc], result_types=[acc.type], properties=properties)

    def print(self, printer: Printer) -> None:
        printer.print_string(f" <{self.kind.data.value}>, ")
        printer.print_list((self.source, self.acc), printer.print_ssa_value)
        printer.print_string(f" {list(self.reduction_dims.get_values())}")
        printer.print_op_attributes(self.attributes)
        _print_conversion(printer, self.source, self.res)

    @classmethod
    def parse(cls, parser: Parser) -> MultiReductionOp:
        with parser.in_angle_brackets():
            kind = parser.parse_str_enum(CombiningKind)
        parser.parse_punctuation(",")
        value = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        acc = parser.parse_unresolved_operand()
        dims = _integers(parser)
        attributes = parser.parse_optional_attr_dict()
        source, result = _parse_conversion(parser)
        operands = parser.resolve_operand(value, source), parser.resolve_operand(acc, result)
        op = MultiReductionOp.make(kind.value, *operands, dims)
        op.attributes |= attributes
        return op

    def verify_(self) -> None:
        dims, shape = list(self.reduction_dims.get_values()), shape_of(self.source)
        if any(not 0 <= d < len(shape) for d in dims) or len(set(dims)) < len(dims):
            raise VerifyException(f"expected different dimensions below {len(shape)}, found {dims}")
        want = tuple(size for d, size in enumerate(shape) if d not in dims)
        if self.acc.type != self.res.type or element_of(self.res) != element_of(self.source):
            raise VerifyException(
                f"expected accumulator and result of one type, found {self.acc.type}, {self.res.type}"
            )
        if want != (found := shape_of(self.res)):
            raise VerifyException(f"expected a result of shape {list(want)}, found {list(found)}")


@irdl_op_definition
class StepOp(IRDLOperation):
    """0, 1, 2 ... as a vector of `index`."""

    name = "vector.step"
    res = result_def(VectorType)
    traits = traits_def(Pure())
    assembly_format = "attr-dict `:` type($res)"

    def verify_(self) -> None:
        if len(shape_of(self.res)) != 1 or not isinstance(element_of(self.res), IndexType):
            raise VerifyException(f"expected a result of one dimension of index, found {self.res.type}")


@irdl_op_definition
class GatherOp(IRDLOperation):
    """Elements of flat memory, or of a constant table: `base[offset + indices[i]]`, or that of `pass_thru` where the
    mask is not set."""

    name = "vector.gather"
    base = operand_def(BaseAttr(MemRefType) | BaseAttr(TensorType))
    offset = operand_def(IndexType)
    indices = operand_def(VectorType)
    mask = operand_def(VectorType)
    pass_thru = operand_def(VectorType)
    res = result_def(VectorType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = (
        "$base `[` $offset `]` `[` $indices `]` `,` $mask `,` $pass_thru attr-dict `:` type($base) `,` type($indices) "
        "`,` type($mask) `,` type($pass_thru) `into` type($res)"
    )

    def verify_(self) -> None:
        memory = cast(MemRefType[Attribute] | TensorType[Attribute], self.base.type)
        if memory.get_num_dims() != 1:
            raise VerifyException(f"expected memory of one dimension, found {memory}")
        if self.pass_thru.type != self.res.type or element_of(self.res) != memory.element_type:
            raise VerifyException(
                f"expected values of {memory.element_type}, found {self.pass_thru.type}, {self.res.type}"
            )
        for value in (self.indices, self.mask):
            if shape_of(value) != shape_of(self.res):
                raise VerifyException(f"expected vectors of shape {list(shape_of(self.res))}, found {value.type}")


@irdl_op_definition
class ContractOp(IRDLOperation):
    """A sum of products: `acc[..] (kind)= lhs[..] * rhs[..]`, with an indexing map for each of the three."""

    name = "vector.contract"
    lhs = operand_def(VectorType)
    rhs = operand_def(VectorType)
    acc = operand_def()
    indexing_maps = prop_def(ArrayAttr[AffineMapAttr])
    iterator_types = prop_def(ArrayAttr[Attribute])
    kind = prop_def(vector.CombiningKindAttr)
    res = result_def()
    traits = traits_def(Pure())

    @staticmethod
    def make(
        lhs: SSAValue, rhs: SSAValue, acc: SSAValue, maps: Sequence[AffineMap], iterators: Sequence[str]
    ) -> ContractOp:
        properties = {
            "indexing_maps": ArrayAttr([AffineMapAttr(m) for m in maps]),
            "iterator_types": ArrayAttr([StringAttr(word) for word in iterators]),
            "kind": kind_attribute("add"),
        }
        return ContractOp.create(operands=[lhs, rhs, acc], result_types=[acc.type], properties=properties)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_attr_dict(self.properties | self.attributes)
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_string(" : ")
        printer.print_list((self.lhs.type, self.rhs.type), printer.print_attribute)
        printer.print_string(" into ")
        printer.print_attribute(self.res.type)

    @classmethod
    def parse(cls, parser: Parser) -> ContractOp:
        attributes = parser.parse_optional_attr_dict()
        names = [parser.parse_unresolved_operand()]
        while parser.parse_optional_punctuation(","):
            names.append(parser.parse_unresolved_operand())
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        parser.parse_keyword("into")
        result = parser.parse_type()
        if len(names) != 3 or len(types) != 2:
            parser.raise_error(f"expected three operands and two types, found {len(names)} and {len(types)}")
        attributes.setdefault("kind", kind_attribute("add"))
        words = ("indexing_maps", "iterator_types", "kind")
        if missing := [word for word in words if word not in attributes]:
            parser.raise_error(f"expected {missing[0]} among the attributes")
        return ContractOp.create(
            operands=[parser.resolve_operand(n, t) for n, t in zip(names, (*types, result))],
            result_types=[result],
            properties={word: attributes.pop(word) for word in words},
            attributes=attributes,
        )

    def verify_(self) -> None:
        maps = [m.data for m in self.indexing_maps.data]
        count = len(self.iterator_types.data)
        if len(maps) != 3 or any(m.num_dims != count or m.num_symbols for m in maps):
            raise VerifyException(f"expected three indexing maps over {count} iterators")
        extents: dict[int, int] = {}
        for value, m in zip(self.operands, maps):
            if len(m.results) != len(shape_of(value)):
                raise VerifyException(f"expected a map of {len(shape_of(value))} results, found {m}")
            for expression, size in zip(m.results, shape_of(value)):
                if not isinstance(expression, AffineDimExpr):
                    raise VerifyException(f"expected a projected permutation, found {m}")
                if extents.setdefault(expression.position, size) != size:
                    want = extents[expression.position]
                    raise VerifyException(f"expected iterator d{expression.position} of size {want}, found {size}")


class TransferReadOp(vector.TransferReadOp):
    """xDSL's, with every attribute kept by the parser."""

    @classmethod
    def parse(cls, parser: Parser) -> vector.TransferReadOp:
        return _keeping_attributes(super().parse, parser)


class TransferWriteOp(vector.TransferWriteOp):
    """xDSL's, with every attribute kept by the parser."""

    @classmethod
    def parse(cls, parser: Parser) -> vector.TransferWriteOp:
        return _keeping_attributes(super().parse, parser)


def _keeping_attributes(parse: Any, parser: Parser) -> Any:
    """Run a parser of a transfer, which drops what it does not know from the attribute dictionary."""
    seen: dict[str, Attribute] = {}
    read = parser.parse_optional_attr_dict

    def remember() -> dict[str, Attribute]:
        seen.update(read())
        return seen

    cast(Any, parser).parse_optional_attr_dict = remember
    try:
        op = parse(parser)
    finally:
        del cast(Any, parser).parse_optional_attr_dict
    op.attributes |= {k: v for k, v in seen.items() if k not in op.properties and k != "operandSegmentSizes"}
    return op
