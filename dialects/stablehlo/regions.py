"""Ops with regions, and what ends a region.

The short form of a reduction, `applies stablehlo.add`, is expanded when it is read and printed where the region is one
commutative op on the block's arguments in order.
"""

from __future__ import annotations

from typing import Any, cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Block, Operation, Region
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer
from xdsl.traits import IsTerminator, RecursiveMemoryEffect
from xdsl.utils.mlir_lexer import MLIRTokenKind

from .dimension_numbers import ints_text, parse_ints
from .elementwise import COMMUTATIVE
from .op import MANY, OPS, op
from .syntax import Syntax, build, parse_operands, print_dictionary, print_operands
from .syntax_clauses import Properties, int_array, spaced
from .syntax_types import here

RECURSIVE = (RecursiveMemoryEffect(),)


class Return(Syntax):
    """`%a, %b : T, U`, or nothing."""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands, _ = parse_operands(parser)
        attributes = parser.parse_optional_attr_dict() if here(parser) is MLIRTokenKind.L_BRACE else {}
        at = parser.pos
        types: list[Attribute] = []
        if operands:
            parser.parse_punctuation(":")
            types = list(parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type))
        return build(cls, parser, at, operands, types, (), {}, attributes)

    def print(self, op: Operation, printer: Printer) -> None:
        if not op.operands:
            printer.print_string(" ")
        print_operands(printer, op)
        print_dictionary(op, printer)
        if op.operands:
            printer.print_string(" : ")
            printer.print_list([o.type for o in op.operands], printer.print_attribute)


op("stablehlo.return", (0, MANY), 0, syntax=Return(), traits=(IsTerminator(),))


class Reduce(Syntax):
    """`(%x init: %i), (%y init: %j) applies stablehlo.add across dimensions = [0] : (T, U, ...) -> ...`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        inputs: list[UnresolvedOperand] = []
        inits: list[UnresolvedOperand] = []
        while True:
            parser.parse_punctuation("(")
            inputs.append(parser.parse_unresolved_operand())
            parser.parse_keyword("init")
            parser.parse_punctuation(":")
            inits.append(parser.parse_unresolved_operand())
            parser.parse_punctuation(")")
            if parser.parse_optional_punctuation(",") is None:
                break
        combiner = None
        if parser.parse_optional_keyword("applies") is not None:
            at = parser.pos
            combiner = parser.parse_identifier()
            if combiner not in OPS or OPS[combiner].OPERANDS != (2, 2):
                parser.raise_error(f"expected a binary operation, found {combiner}", at, parser.pos)
        parser.parse_keyword("across")
        parser.parse_keyword("dimensions")
        parser.parse_punctuation("=")
        properties: Properties = {"dimensions": int_array(parse_ints(parser))}
        attributes = parser.parse_optional_attr_dict()
        at = parser.pos
        parser.parse_punctuation(":")
        function = parser.parse_function_type()
        if combiner is not None:
            region = combined(parser, combiner, function.inputs.data)
        else:
            region = self.reducer(parser)
        operands = [*inputs, *inits]
        return build(
            cls, parser, at, operands, function.inputs.data, function.outputs.data, properties, attributes, [region]
        )

    def reducer(self, parser: Parser) -> Region:
        parser.parse_keyword("reducer")
        left: list[Parser.Argument] = []
        right: list[Parser.Argument] = []
        while here(parser) is MLIRTokenKind.L_PAREN:
            parser.parse_punctuation("(")
            left.append(_argument(parser))
            parser.parse_punctuation(",")
            right.append(_argument(parser))
            parser.parse_punctuation(")")
        return parser.parse_region([*left, *right])

    def print(self, op: Operation, printer: Printer) -> None:
        half = len(op.operands) // 2
        pairs = zip(op.operands[:half], op.operands[half:], strict=False)
        for index, (value, init) in enumerate(pairs):
            printer.print_string(", (" if index else "(")
            printer.print_ssa_value(value)
            printer.print_string(" init: ")
            printer.print_ssa_value(init)
            printer.print_string(")")
        combiner = short_form(op)
        if combiner is not None:
            printer.print_string(f" applies {combiner}")
        dimensions = cast(Any, op.properties["dimensions"]).get_values()
        printer.print_string(f" across dimensions = {ints_text(dimensions)}")
        print_dictionary(op, printer, frozenset(("dimensions",)))
        printer.print_string(" : ")
        self.types.print(printer, op)
        if combiner is not None:
            return
        new_line(printer)
        printer.print_string(" reducer")
        args = op.regions[0].blocks[0].args
        for left, right in zip(args[:half], args[half:], strict=False):
            printer.print_string("(" if left is args[0] else " (")
            printer.print_block_argument(left)
            printer.print_string(", ")
            printer.print_block_argument(right)
            printer.print_string(")")
        printer.print_string("  ")
        printer.print_region(op.regions[0], print_entry_block_args=False)


def _argument(parser: Parser) -> Parser.Argument:
    out = parser.parse_argument()
    out.location = parser.parse_optional_location()
    return out


def new_line(printer: Printer) -> None:
    printer._print_new_line()  # pyright: ignore[reportPrivateUsage]


def combined(parser: Parser, name: str, types: Any) -> Region:
    """The region of a short form: one op on two elements."""
    kind: Any = types[0] if types else None
    if not isinstance(kind, TensorType):
        parser.raise_error("expected a tensor to reduce")
    scalar: Attribute = TensorType(cast(Any, kind).element_type, ())
    block = Block(arg_types=[scalar, scalar])
    inner: Any = OPS[name].create(operands=block.args, result_types=[scalar])
    end: Any = OPS["stablehlo.return"].create(operands=inner.results)
    block.add_ops([inner, end])
    return Region(block)


def short_form(op: Operation) -> str | None:
    """The op that the region of a reduction applies, if it is all that the region does."""
    region = op.regions[0]
    block = region.blocks.first
    if block is None or block.next_block is not None or not op.operands:
        return None
    inner, end = block.first_op, block.last_op
    if inner is None or end is None or inner.next_op is not end or inner.name not in COMMUTATIVE:
        return None
    if inner.attributes or tuple(inner.operands) != block.args or end.name != "stablehlo.return":
        return None
    kind = op.operands[0].type
    if not isinstance(kind, TensorType) or tuple(end.operands) != tuple(inner.results):
        return None
    scalar: Attribute = TensorType(cast(Any, kind).element_type, ())
    same = inner.operands[0].type == scalar and inner.operands[1].type == scalar and inner.results[0].type == scalar
    return inner.name if same else None


op("stablehlo.reduce", (1, MANY), (1, MANY), properties="dimensions:dims", regions=1, syntax=Reduce(), traits=RECURSIVE)


class While(Syntax):
    """`(%a = %x, %b = %y) : T, U cond { ... } do { ... }`: both regions have these arguments."""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        names: list[Parser.UnresolvedArgument] = []
        operands: list[UnresolvedOperand] = []

        def pair() -> None:
            names.append(parser.parse_argument(expect_type=False))
            parser.parse_punctuation("=")
            operands.append(parser.parse_unresolved_operand())

        parser.parse_comma_separated_list(parser.Delimiter.PAREN, pair)
        at = parser.pos
        types: list[Attribute] = []
        if operands:
            parser.parse_punctuation(":")
            types = list(parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type))
            if len(types) != len(operands):
                parser.raise_error(f"expected {len(operands)} types, found {len(types)}", at, parser.pos)
        attributes = {}
        if parser.parse_optional_keyword("attributes") is not None:
            attributes = parser.parse_optional_attr_dict()
        # Values used in the regions may be named like the arguments: these hide nothing outside.
        parser.parse_keyword("cond")
        cond = parser.parse_region([n.resolve(t) for n, t in zip(names, types, strict=True)])
        parser.parse_keyword("do")
        body = parser.parse_region([n.resolve(t) for n, t in zip(names, types, strict=True)])
        return build(cls, parser, at, operands, types, types, {}, attributes, [cond, body])

    def print(self, op: Operation, printer: Printer) -> None:
        args = op.regions[0].blocks[0].args
        printer.print_string("(")
        for index, (arg, value) in enumerate(zip(args, op.operands, strict=False)):
            printer.print_string(", " if index else "")
            printer.print_ssa_value(arg)
            printer.print_string(" = ")
            printer.print_ssa_value(value)
        printer.print_string(")")
        if op.operands:
            printer.print_string(" : ")
            printer.print_list([o.type for o in op.operands], printer.print_attribute)
        print_dictionary(op, printer, keyword=True)
        new_line(printer)
        printer.print_string(f"{spaced(printer)}cond ")
        printer.print_region(op.regions[0], print_entry_block_args=False)
        printer.print_string(" do ")
        printer.print_region(op.regions[1], print_entry_block_args=False)


op("stablehlo.while", (0, MANY), (0, MANY), regions=2, syntax=While(), arguments=("iterArg",), traits=RECURSIVE)
op("stablehlo.if", 1, (0, MANY), regions=2, traits=RECURSIVE)
op("stablehlo.case", 1, (0, MANY), regions=(1, MANY), traits=RECURSIVE)
op("stablehlo.map", (1, MANY), 1, properties="dimensions:dims", regions=1, traits=RECURSIVE)
WINDOW = "window_dimensions:dims window_strides:dims? base_dilations:dims? window_dilations:dims? padding:any?"
op("stablehlo.reduce_window", (2, MANY), (1, MANY), properties=WINDOW, regions=1, traits=RECURSIVE)
op(
    "stablehlo.select_and_scatter",
    3,
    properties="window_dimensions:dims? window_strides:dims? padding:any?",
    regions=2,
    traits=RECURSIVE,
)
op(
    "stablehlo.scatter",
    (3, MANY),
    (1, MANY),
    properties="scatter_dimension_numbers:scatter indices_are_sorted:bool? unique_indices:bool?",
    regions=1,
    traits=RECURSIVE,
)
op("stablehlo.sort", (1, MANY), (1, MANY), properties="dimension:int? is_stable:bool?", regions=1, traits=RECURSIVE)
