"""The `arith` dialect with the ops on vectors that xDSL takes on scalars only: casts, comparisons, select.

The names are upstream's. An op of a loop stage's body may be xDSL's; on vectors it becomes the one here (`on_vectors`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, VectorType, i1, i64
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException


class Cast(IRDLOperation):
    """Each element converted; operand and result are scalars, or vectors of one shape."""

    input = operand_def()
    result = result_def()
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `to` type($result)"

    def verify_(self) -> None:
        source, target = (
            v.type.get_shape() if isinstance(v.type, VectorType) else None for v in (self.input, self.result)
        )
        if source != target:
            raise VerifyException(f"expected a result of the operand's shape, found {self.result.type}")


@irdl_op_definition
class ExtSIOp(Cast):
    name = "arith.extsi"


@irdl_op_definition
class ExtUIOp(Cast):
    name = "arith.extui"


@irdl_op_definition
class TruncIOp(Cast):
    name = "arith.trunci"


@irdl_op_definition
class SIToFPOp(Cast):
    name = "arith.sitofp"


@irdl_op_definition
class UIToFPOp(Cast):
    name = "arith.uitofp"


@irdl_op_definition
class FPToSIOp(Cast):
    name = "arith.fptosi"


@irdl_op_definition
class FPToUIOp(Cast):
    name = "arith.fptoui"


@irdl_op_definition
class IndexCastOp(Cast):
    name = "arith.index_cast"


@irdl_op_definition
class IndexCastUIOp(Cast):
    name = "arith.index_castui"


@irdl_op_definition
class RemfOp(IRDLOperation):
    """The remainder of the division rounded towards zero."""

    name = "arith.remf"
    T: ClassVar = VarConstraint("T", AnyAttr())
    lhs = operand_def(T)
    rhs = operand_def(T)
    fastmath = opt_prop_def(arith.FastMathFlagsAttr)
    result = result_def(T)
    traits = traits_def(Pure())
    assembly_format = "$lhs `,` $rhs (`fastmath` $fastmath^)? attr-dict `:` type($result)"


@irdl_op_definition
class SelectOp(IRDLOperation):
    """`lhs` where the condition holds, else `rhs`; a condition for all, or a vector of one for each element."""

    name = "arith.select"
    cond = operand_def()
    lhs = operand_def()
    rhs = operand_def()
    result = result_def()
    traits = traits_def(Pure())

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_list(self.operands, printer.print_ssa_value)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        if self.cond.type != i1:
            printer.print_attribute(self.cond.type)
            printer.print_string(", ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> SelectOp:
        names = [parser.parse_unresolved_operand()]
        for _ in range(2):
            parser.parse_punctuation(",")
            names.append(parser.parse_unresolved_operand())
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        kinds = (types[0] if len(types) > 1 else i1, types[-1], types[-1])
        operands = [parser.resolve_operand(n, t) for n, t in zip(names, kinds)]
        return SelectOp.create(operands=operands, result_types=[types[-1]], attributes=attributes)

    def verify_(self) -> None:
        kind, condition = self.result.type, self.cond.type
        if not self.lhs.type == self.rhs.type == kind:
            raise VerifyException(f"expected two values of the result's type {kind}")
        want = VectorType(i1, kind.get_shape()) if isinstance(kind, VectorType) else i1
        if condition not in (i1, want):
            raise VerifyException(f"expected a condition of type i1 or {want}, found {condition}")


INTEGER_PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
FLOAT_PREDICATES = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)


class Compare(IRDLOperation):
    """Each pair of elements compared; the result is i1, or a vector of it of the operands' shape."""

    predicate = prop_def(IntegerAttr)
    lhs = operand_def()
    rhs = operand_def()
    result = result_def()
    traits = traits_def(Pure())
    WORDS: ClassVar[tuple[str, ...]] = ()

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.WORDS[self.predicate.value.data]}, ")
        printer.print_list((self.lhs, self.rhs), printer.print_ssa_value)
        flags = self.properties.get("fastmath")
        if isinstance(flags, arith.FastMathFlagsAttr) and flags != arith.FastMathFlagsAttr("none"):
            printer.print_string(" fastmath")
            flags.print_parameter(printer)
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.lhs.type)

    @classmethod
    def parse(cls, parser: Parser) -> Compare:
        start = parser.pos
        word = parser.parse_identifier()
        if word not in cls.WORDS:
            parser.raise_error(f"expected one of {', '.join(cls.WORDS)}, found {word}", start)
        parser.parse_punctuation(",")
        a = parser.parse_unresolved_operand()
        parser.parse_punctuation(",")
        b = parser.parse_unresolved_operand()
        properties: dict[str, Attribute] = {"predicate": IntegerAttr(cls.WORDS.index(word), i64)}
        if cls is CmpFOp:
            flags = parser.parse_optional_keyword("fastmath")
            found = arith.FastMathFlagsAttr.parse_parameter(parser) if flags else "none"
            properties["fastmath"] = arith.FastMathFlagsAttr(found)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        kind = parser.parse_type()
        result = VectorType(i1, kind.get_shape()) if isinstance(kind, VectorType) else i1
        operands = [parser.resolve_operand(a, kind), parser.resolve_operand(b, kind)]
        return cls.create(operands=operands, result_types=[result], properties=properties, attributes=attributes)

    def verify_(self) -> None:
        kind = self.lhs.type
        want = VectorType(i1, kind.get_shape()) if isinstance(kind, VectorType) else i1
        if self.rhs.type != kind:
            raise VerifyException(f"expected operands of one type, found {kind} and {self.rhs.type}")
        if self.result.type != want:
            raise VerifyException(f"expected a result of type {want}, found {self.result.type}")
        if not 0 <= self.predicate.value.data < len(self.WORDS):
            raise VerifyException(f"expected a predicate below {len(self.WORDS)}, found {self.predicate.value.data}")


@irdl_op_definition
class CmpIOp(Compare):
    name = "arith.cmpi"
    WORDS: ClassVar = INTEGER_PREDICATES


@irdl_op_definition
class CmpFOp(Compare):
    name = "arith.cmpf"
    WORDS: ClassVar = FLOAT_PREDICATES
    fastmath = opt_prop_def(arith.FastMathFlagsAttr)


_OWN: tuple[type[Operation], ...] = (
    CmpFOp,
    CmpIOp,
    ExtSIOp,
    ExtUIOp,
    FPToSIOp,
    FPToUIOp,
    IndexCastOp,
    IndexCastUIOp,
    RemfOp,
    SIToFPOp,
    SelectOp,
    TruncIOp,
    UIToFPOp,
)
_BY_NAME = {cls.name: cls for cls in _OWN}


def on_vectors(cls: type[Operation]) -> type[Operation]:
    """The class that holds an `arith` op on vectors."""
    return _BY_NAME.get(cls.name, cls)


Arith = Dialect(
    "arith",
    [*(op for op in arith.Arith.operations if op.name not in _BY_NAME), *_OWN],
    list(arith.Arith.attributes),
)
