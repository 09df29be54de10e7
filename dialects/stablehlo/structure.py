"""Ops that move, create or combine elements without regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, IntegerAttr, TensorType, i1, i32, i64
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.printer import Printer

from .dimension_numbers import ConvDimensionNumbers, parse_ints
from .op import MANY, op
from .syntax import Syntax, parse_operands, print_dictionary, print_operands
from .syntax_clauses import Algorithm, Bool, Enumeration, Int, Ints, Pair, Precisions, Properties, String, int_array
from .syntax_types import FUNCTION, SAME
from .words import FftType, RngAlgorithm, RngDistribution

PLAIN = Syntax(FUNCTION)


def dims(key: str, name: str) -> Syntax:
    return Syntax(FUNCTION, Ints(key, name))


op("stablehlo.iota", 0, properties="iota_dimension:int", syntax=Syntax(SAME, Int("dim", "iota_dimension")))
op(
    "stablehlo.dynamic_iota",
    1,
    properties="iota_dimension:int",
    syntax=Syntax(FUNCTION, Int("dim", "iota_dimension")),
)
op(
    "stablehlo.broadcast_in_dim",
    1,
    properties="broadcast_dimensions:dims",
    syntax=dims("dims", "broadcast_dimensions"),
)
op(
    "stablehlo.dynamic_broadcast_in_dim",
    2,
    properties="broadcast_dimensions:dims known_expanding_dimensions:dims? known_nonexpanding_dimensions:dims?",
    syntax=dims("dims", "broadcast_dimensions"),
)
op("stablehlo.broadcast", 1, properties="broadcast_sizes:dims", syntax=dims("sizes", "broadcast_sizes"))
op("stablehlo.transpose", 1, properties="permutation:dims", syntax=dims("dims", "permutation"))
op(
    "stablehlo.reverse",
    1,
    properties="dimensions:dims",
    syntax=Syntax(SAME, Ints("dims", "dimensions")),
)
op("stablehlo.reshape", 1, syntax=PLAIN)
op("stablehlo.dynamic_reshape", 2, syntax=PLAIN)
op(
    "stablehlo.concatenate",
    (1, MANY),
    properties="dimension:int",
    syntax=Syntax(FUNCTION, Int("dim", "dimension")),
)
op(
    "stablehlo.pad",
    2,
    properties="edge_padding_low:dims edge_padding_high:dims interior_padding:dims",
    syntax=Syntax(
        FUNCTION,
        Ints("low", "edge_padding_low"),
        Ints("high", "edge_padding_high"),
        Ints("interior", "interior_padding"),
    ),
)
op("stablehlo.dynamic_pad", 5, syntax=PLAIN)
op(
    "stablehlo.dynamic_slice",
    (1, MANY),
    properties="slice_sizes:dims",
    syntax=dims("sizes", "slice_sizes"),
)
op("stablehlo.dynamic_update_slice", (2, MANY), syntax=PLAIN)
op("stablehlo.real_dynamic_slice", 4, syntax=PLAIN)
op(
    "stablehlo.get_dimension_size",
    1,
    properties="dimension:int",
    syntax=Syntax(FUNCTION, Int("dim", "dimension")),
)
op(
    "stablehlo.set_dimension_size",
    2,
    properties="dimension:int",
    syntax=Syntax(FUNCTION, Int("dim", "dimension")),
)
op(
    "stablehlo.gather",
    2,
    properties="dimension_numbers:gather slice_sizes:dims indices_are_sorted:bool?",
)
op(
    "stablehlo.dynamic_gather",
    3,
    properties="dimension_numbers:gather indices_are_sorted:bool?",
)
op("stablehlo.torch_index_select", 2, properties="dim:int batch_dims:int")


class Slice(Syntax):
    """`%x [0:4:2, 1:3]`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands = [parser.parse_unresolved_operand()]
        starts: list[int] = []
        limits: list[int] = []
        strides: list[int] = []

        def part() -> None:
            starts.append(parser.parse_integer(False))
            parser.parse_punctuation(":")
            limits.append(parser.parse_integer(False))
            strides.append(parser.parse_integer(False) if parser.parse_optional_punctuation(":") else 1)

        parser.parse_comma_separated_list(parser.Delimiter.SQUARE, part)
        properties: Properties = {
            "start_indices": int_array(starts),
            "limit_indices": int_array(limits),
            "strides": int_array(strides),
        }
        return self.finish(cls, parser, operands, properties)

    def print(self, op: Operation, printer: Printer) -> None:
        print_operands(printer, op)
        fields = ("start_indices", "limit_indices", "strides")
        values = [cast("DenseArrayBase[Any]", op.properties[f]).get_values() for f in fields]
        parts = [f"{a}:{b}" + (f":{s}" if s != 1 else "") for a, b, s in zip(*values, strict=True)]
        printer.print_string(f" [{', '.join(parts)}]")
        print_dictionary(op, printer, frozenset(fields))
        printer.print_string(" : ")
        self.types.print(printer, op)


op(
    "stablehlo.slice",
    1,
    properties="start_indices:dims limit_indices:dims strides:dims",
    syntax=Slice(FUNCTION),
)

DOT_PRECISION = Precisions("precision", "precision_config", optional=True)
op(
    "stablehlo.dot_general",
    2,
    properties="dot_dimension_numbers:dot precision_config:precisions? algorithm:any?",
    syntax=Syntax(
        FUNCTION,
        Pair("batching_dims", "dot_dimension_numbers", optional=True),
        Pair("contracting_dims", "dot_dimension_numbers"),
        DOT_PRECISION,
        Algorithm("algorithm", "algorithm", optional=True),
    ),
)
op("stablehlo.dot", 2, properties="precision_config:precisions?", syntax=Syntax(FUNCTION, DOT_PRECISION))
op("stablehlo.einsum", 2, properties="einsum_config:str", syntax=Syntax(FUNCTION, String("config", "einsum_config")))
op(
    "stablehlo.unary_einsum",
    1,
    properties="einsum_config:str",
    syntax=Syntax(FUNCTION, String("config", "einsum_config")),
)


def padding_of(pairs: Sequence[Sequence[int]]) -> Attribute:
    """`[[low, high], ...]` as `dense<...> : tensor<nx2xi64>`."""
    return DenseIntOrFPElementsAttr.from_list(TensorType(i64, (len(pairs), 2)), [n for pair in pairs for n in pair])


def padding_pairs(value: Any) -> list[tuple[int, int]]:
    """The other way."""
    shape, numbers = value.get_shape(), value.get_values()
    if len(numbers) == 1:
        numbers = numbers * (2 * shape[0])
    return list(zip(numbers[0::2], numbers[1::2], strict=True))


WINDOW = (
    ("stride", "window_strides"),
    ("pad", "padding"),
    ("lhs_dilate", "lhs_dilation"),
    ("rhs_dilate", "rhs_dilation"),
    ("reverse", "window_reversal"),
)
"""Words of a convolution's window and the properties that they write."""


class Convolution(Syntax):
    """`(%x, %k) dim_numbers = [...]x[...]->[...], window = {stride = [2]} {...} : ...`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        parser.parse_punctuation("(")
        operands, _ = parse_operands(parser)
        parser.parse_punctuation(")")
        properties: Properties = {}
        parser.parse_keyword("dim_numbers")
        parser.parse_punctuation("=")
        properties["dimension_numbers"] = ConvDimensionNumbers(ConvDimensionNumbers.parse_layout(parser))
        parser.parse_punctuation(",")
        parser.parse_keyword("window")
        parser.parse_punctuation("=")
        parser.parse_comma_separated_list(parser.Delimiter.BRACES, lambda: self.window(parser, properties))
        return self.finish(cls, parser, operands, properties)

    def window(self, parser: Parser, properties: Properties) -> None:
        at = parser.pos
        word = parser.parse_optional_identifier()
        name = dict(WINDOW).get(word or "")
        if name is None or name in properties:
            left = [w for w, n in WINDOW if n not in properties]
            parser.raise_error(f"expected one of {', '.join(left)}, found {word}", at, parser.pos)
        parser.parse_punctuation("=")
        if word == "pad":
            at = parser.pos
            pairs = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_ints(parser))
            if any(len(p) != 2 for p in pairs):
                parser.raise_error("expected two numbers for each dimension", at, parser.pos)
            properties[name] = padding_of(pairs)
        elif word == "reverse":
            # Booleans, or the numbers 0 and 1.
            items = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parser.parse_integer(True))
            properties[name] = DenseArrayBase.from_list(i1, [int(bool(i)) for i in items])
        else:
            properties[name] = int_array(parse_ints(parser))

    def print(self, op: Operation, printer: Printer) -> None:
        with printer.in_parens():
            printer.print_list(op.operands, printer.print_ssa_value)
        numbers = op.properties["dimension_numbers"]
        assert isinstance(numbers, ConvDimensionNumbers)
        parts = [f"{word} = {self.text(word, op.properties[name])}" for word, name in WINDOW if name in op.properties]
        printer.print_string(f" dim_numbers = {numbers.text}, window = {{{', '.join(parts)}}}")
        print_dictionary(op, printer, frozenset(("dimension_numbers", *(n for _, n in WINDOW))))
        printer.print_string(" : ")
        self.types.print(printer, op)

    def text(self, word: str, value: Any) -> str:
        if word == "pad":
            numbers = padding_pairs(value)
            return "[" + ", ".join(f"[{low}, {high}]" for low, high in numbers) + "]"
        if word == "reverse":
            return "[" + ", ".join("true" if v else "false" for v in value.get_values()) + "]"
        return "[" + ", ".join(map(str, value.get_values())) + "]"


CONVOLUTION = (
    "dimension_numbers:conv feature_group_count:int batch_group_count:int window_strides:dims? padding:any? "
    "lhs_dilation:dims? rhs_dilation:dims? window_reversal:flags? precision_config:precisions?"
)
op("stablehlo.convolution", 2, properties=CONVOLUTION, syntax=Convolution())
op("stablehlo.dynamic_conv", 3, properties=CONVOLUTION)
op(
    "stablehlo.fft",
    1,
    properties="fft_type:fft_type fft_length:dims",
    syntax=Syntax(FUNCTION, Enumeration("type", "fft_type", kind=FftType), Ints("length", "fft_length")),
)
op(
    "stablehlo.cholesky",
    1,
    properties="lower:bool?",
    syntax=Syntax(SAME, Bool("lower", "lower", optional=True)),
)
op(
    "stablehlo.triangular_solve",
    2,
    properties="left_side:bool lower:bool unit_diagonal:bool transpose_a:transpose",
)
op(
    "stablehlo.rng",
    3,
    properties="rng_distribution:rng_distribution",
    syntax=Syntax(FUNCTION, Enumeration("distribution", "rng_distribution", kind=RngDistribution)),
    traits=(),
)
op(
    "stablehlo.rng_bit_generator",
    1,
    2,
    properties="rng_algorithm:rng_algorithm",
    syntax=Syntax(FUNCTION, Enumeration("algorithm", "rng_algorithm", kind=RngAlgorithm)),
    names=("output_state", "output"),
)
NORM = "epsilon:float feature_index:int"
op("stablehlo.batch_norm_inference", 5, properties=NORM)
op(
    "stablehlo.batch_norm_training",
    3,
    3,
    properties=NORM,
    names=("output", "batch_mean", "batch_var"),
)
op(
    "stablehlo.batch_norm_grad",
    5,
    3,
    properties=NORM,
    names=("grad_operand", "grad_scale", "grad_offset"),
)


class Element(Syntax):
    """`%x[1]`"""

    def parse(self, cls: type[Operation], parser: Parser) -> Operation:
        operands: list[UnresolvedOperand] = [parser.parse_unresolved_operand()]
        parser.parse_punctuation("[")
        index = parser.parse_integer(False)
        parser.parse_punctuation("]")
        return self.finish(cls, parser, operands, {"index": IntegerAttr(index, i32)})

    def print(self, op: Operation, printer: Printer) -> None:
        print_operands(printer, op)
        printer.print_string(f"[{cast('IntegerAttr[Any]', op.properties['index']).value.data}]")
        print_dictionary(op, printer, frozenset(("index",)))
        printer.print_string(" : ")
        self.types.print(printer, op)


op("stablehlo.get_tuple_element", 1, properties="index:int", syntax=Element())
