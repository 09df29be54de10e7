"""The `arith` dialect with the ops on vectors that xDSL takes on scalars only: casts, and select by a vector.

The names are upstream's. An op of a loop stage's body may be xDSL's; on vectors it becomes the one here (`on_vectors`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects import arith
from xdsl.dialects.builtin import VectorType, i1
from xdsl.ir import Dialect, Operation
from xdsl.irdl import (
    AnyAttr,
    IRDLOperation,
    VarConstraint,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
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


_OWN: tuple[type[Operation], ...] = (
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
