"""Effects: `nd.print` and `nd.check`, which happen in the order of their block.

    nd.print "x = {}, step {}" %x, %i : tensor<4xf32>, tensor<i64>
    nd.check %p "expected a positive value" : tensor<4xi1>

A print writes its text to standard output, each `{}` (or `{0}`, `{:.3f}`) replaced by a value as NumPy shows it. A
check of which an element is false ends the program with a `CheckError`. Neither has a result; no pass drops, repeats,
reorders or moves one out of its region.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Any

import numpy as np
from xdsl.dialects.builtin import StringAttr, TensorType, i1
from xdsl.ir import SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, prop_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from .array import Array
from .op import format_when_used, here, insert
from .types import element


@irdl_op_definition
class Print(IRDLOperation):
    """`nd.print "x = {}, {:.2f}" %x, %y : types`: writes a line, with the values in place of the fields."""

    name = "nd.print"
    text = prop_def(StringAttr)
    args = var_operand_def(TensorType)

    @classmethod
    def parse(cls, parser: Parser) -> Print:
        """The text says whether values follow: what stands on the next line may look like one."""
        text = parser.parse_str_literal("the text to print")
        values: list[SSAValue] = []
        if "{" in text.replace("{{", ""):
            at = parser.pos
            names = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_unresolved_operand)
            attributes = parser.parse_optional_attr_dict()
            parser.parse_punctuation(":")
            types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
            values += parser.resolve_operands(names, types, at)
        else:
            attributes = parser.parse_optional_attr_dict()
        return cls.create(operands=values, properties={"text": StringAttr(text)}, attributes=attributes)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_string_literal(self.text.data)
        if self.operands:
            printer.print_string(" ")
            printer.print_list(self.operands, printer.print_ssa_value)
        if self.attributes:
            printer.print_string(" ")
            printer.print_attr_dict(self.attributes)
        if self.operands:
            printer.print_string(" : ")
            printer.print_list(self.operand_types, printer.print_attribute)

    def verify_(self) -> None:
        try:
            fields(self.text.data, len(self.operands))
        except ValueError as e:
            raise VerifyException(f"nd.print: {e}") from None


@irdl_op_definition
class Check(IRDLOperation):
    """`nd.check %p "message" : type`: ends the program with a CheckError unless all elements are true."""

    name = "nd.check"
    predicate = operand_def(TensorType)
    message = prop_def(StringAttr)

    def verify_(self) -> None:
        if element(t := self.predicate.type) != i1:
            raise VerifyException(f"nd.check: expected a tensor of i1, found {t}")


format_when_used(Check, "$predicate $message attr-dict `:` type($predicate)")

EFFECTS = (Print, Check)


def fields(text: str, count: int) -> list[tuple[str, int | None, str]]:
    """The parts of a format: literal text, the number of the value after it (None at the end), its format."""
    out: list[tuple[str, int | None, str]] = []
    for literal, name, spec, conversion in Formatter().parse(text):
        if name is None:
            out.append((literal, None, ""))
            continue
        if (name and not name.isdecimal()) or conversion or "{" in (spec or ""):
            raise ValueError(f"expected fields {{}}, {{0}} or {{:.3f}}, found {{{name}}} in {text!r}")
        number = int(name) if name else sum(k is not None for _, k, _ in out)
        out.append((literal, number, spec or ""))
    found = {k for _, k, _ in out if k is not None}
    if found != set(range(count)):
        raise ValueError(f"expected one field for each of the {count} values, found {len(found)} in {text!r}")
    return out


def formatted(text: str, arrays: Sequence[np.ndarray[Any, Any]]) -> str:
    """The line that a print writes."""
    return "".join(
        literal + ("" if k is None else _show(np.asarray(arrays[k]), spec))
        for literal, k, spec in fields(text, len(arrays))
    )


def _show(x: np.ndarray[Any, Any], spec: str) -> str:
    if not x.ndim:
        return format(x[()], spec)
    return np.array2string(x, formatter={"all": lambda v: format(v, spec)}) if spec else str(x)


def print_(text: str, args: Sequence[Array]) -> None:
    """`nd.print` at the current place."""
    values = [a.value for a in args]
    insert(Print.create(operands=values, properties={"text": StringAttr(text)}, location=here()))


def check(predicate: Array, message: str) -> None:
    """`nd.check` at the current place."""
    properties = {"message": StringAttr(message)}
    insert(Check.create(operands=[predicate.value], properties=properties, location=here()))
