"""The pretty syntax of ops: operands, clauses, an attribute dictionary, types.

    stablehlo.pad %x, %v, low = [0], high = [1], interior = [0] {a = 1 : i32} : (tensor<2xf32>, tensor<f32>) -> ...
                  ------  ------------------------------------  ------------  ----------------------------------------
                  operands            clauses                    dictionary        types

`Syntax` does what most ops have. A clause (`syntax_clauses`) says how one property is written; `Types` (`syntax_types`)
how the types are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.utils.mlir_lexer import MLIRTokenKind

from .records import ResultAccuracy
from .syntax_clauses import Clause, Properties
from .syntax_types import FUNCTION, Types, here

# pyright: reportPrivateUsage=false


def parse_operands(parser: Parser) -> tuple[list[UnresolvedOperand], bool]:
    """`%a, %b`, and whether a comma behind them was read too."""
    out: list[UnresolvedOperand] = []
    if here(parser) is not MLIRTokenKind.PERCENT_IDENT:
        return out, False
    while True:
        out.append(parser.parse_unresolved_operand())
        if parser._parse_optional_token(MLIRTokenKind.COMMA) is None:
            return out, False
        if here(parser) is not MLIRTokenKind.PERCENT_IDENT:
            return out, True


def print_operands(printer: Printer, op: Operation) -> None:
    if op.operands:
        printer.print_string(" ")
        printer.print_list(op.operands, printer.print_ssa_value)


class Syntax:
    """Operands, clauses, dictionary, types."""

    def __init__(self, types: Types = FUNCTION, *clauses: Clause) -> None:
        self.types = types
        self.clauses = clauses
        self.shown = frozenset(n for c in clauses for n in c.names())

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands, comma = parse_operands(parser)
        properties: Properties = {}
        if self.clauses:
            self.parse_clauses(parser, properties, comma or not operands)
        return self.finish(cls, parser, operands, properties)

    def parse_clauses(self, parser: Parser, properties: Properties, started: bool) -> None:
        left = list(self.clauses)
        while started or parser.parse_optional_punctuation(",") is not None:
            started = False
            at = parser.pos
            key = parser.parse_optional_identifier()
            while left and left[0].key != key and left[0].optional:
                del left[0]
            if not left or left[0].key != key:
                expected = " or ".join(c.key for c in left) or "no more"
                parser.raise_error(f"expected {expected}, found {key}", at, parser.pos)
            parser.parse_punctuation("=")
            left.pop(0).parse_value(parser, properties)
        if missing := [c.key for c in left if not c.optional]:
            parser.raise_error(f"expected {missing[0]} = ...")

    def finish(
        self, cls: type[Operation], parser: Parser, operands: list[UnresolvedOperand], properties: Properties
    ) -> Operation:
        """Read dictionary and types, then build the op."""
        attributes = parser.parse_optional_attr_dict() if here(parser) is MLIRTokenKind.L_BRACE else {}
        at = parser.pos
        parser.parse_punctuation(":")
        inputs, outputs = self.types.parse(parser, len(operands))
        return build(cls, parser, at, operands, inputs, outputs, properties, attributes)

    def print(self, op: Operation, printer: Printer) -> None:
        print_operands(printer, op)
        self.print_clauses(op, printer)
        print_dictionary(op, printer, self.shown)
        printer.print_string(" : ")
        self.types.print(printer, op)

    def print_clauses(self, op: Operation, printer: Printer) -> None:
        first = not op.operands
        for clause in self.clauses:
            if clause.present(op):
                printer.print_string(f"{' ' if first else ', '}{clause.key} = ")
                clause.print(printer, op)
                first = False


def build(
    cls: type[Operation],
    parser: Parser,
    at: int,
    operands: Sequence[UnresolvedOperand],
    inputs: Sequence[Attribute],
    outputs: Sequence[Attribute],
    properties: Properties,
    attributes: Mapping[str, Attribute],
    regions: Sequence[Any] = (),
) -> Operation:
    if len(inputs) != len(operands):
        parser.raise_error(f"expected {len(operands)} types of operands, found {len(inputs)}", at, parser.pos)
    values = [parser.resolve_operand(o, t) for o, t in zip(operands, inputs, strict=True)]
    return cls.create(
        operands=values, result_types=outputs, properties=properties, attributes=attributes, regions=regions
    )


Elided = Callable[[Any], bool]

ELIDED: dict[str, Elided] = {"result_accuracy": lambda value: isinstance(value, ResultAccuracy) and value.is_default}
"""Properties that the dictionary does not show where they have their default value."""


def print_dictionary(
    op: Operation,
    printer: Printer,
    shown: frozenset[str] = frozenset(),
    elided: Mapping[str, Elided] = ELIDED,
    keyword: bool = False,
) -> None:
    """What the syntax has not shown yet: properties and attributes."""
    if not op.attributes and len(op.properties) <= len(shown) and shown.issuperset(op.properties):
        return
    left = {n: v for n, v in op.properties.items() if n not in shown and not (n in elided and elided[n](v))}
    left |= op.attributes
    printer.print_op_attributes(dict(sorted(left.items())), print_keyword=keyword)
