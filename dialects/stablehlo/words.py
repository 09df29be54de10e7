"""Enumerations: `#stablehlo<comparison_direction LT>` is an attribute of a class whose `data` is the word."""

from __future__ import annotations

from typing import ClassVar

from xdsl.ir import Data, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer


class Word(Data[str]):
    """One of the words in WORDS."""

    WORDS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> str:
        bracket = parser.parse_optional_punctuation("<") is not None
        word = cls.parse_word(parser)
        if bracket:
            parser.parse_punctuation(">")
        return word

    @classmethod
    def parse_word(cls, parser: AttrParser) -> str:
        at = parser.pos
        word = parser.parse_optional_identifier()
        if word not in cls.WORDS:
            parser.raise_error(f"expected one of {', '.join(cls.WORDS)}, found {word}", at, parser.pos)
        return word

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(self.data)


@irdl_attr_definition
class ComparisonDirection(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.comparison_direction"
    WORDS = ("EQ", "NE", "GE", "GT", "LE", "LT")


@irdl_attr_definition
class ComparisonType(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.comparison_type"
    WORDS = ("NOTYPE", "FLOAT", "TOTALORDER", "SIGNED", "UNSIGNED")


@irdl_attr_definition
class FftType(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.fft_type"
    WORDS = ("FFT", "IFFT", "RFFT", "IRFFT")


@irdl_attr_definition
class Precision(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.precision"
    WORDS = ("DEFAULT", "HIGH", "HIGHEST")


@irdl_attr_definition
class RngAlgorithm(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.rng_algorithm"
    WORDS = ("DEFAULT", "THREE_FRY", "PHILOX")


@irdl_attr_definition
class RngDistribution(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.rng_distribution"
    WORDS = ("UNIFORM", "NORMAL")


@irdl_attr_definition
class Transpose(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.transpose"
    WORDS = ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")


@irdl_attr_definition
class CustomCallApiVersion(Word, SpacedOpaqueSyntaxAttribute):
    name = "stablehlo.custom_call_api_version"
    WORDS = (
        "API_VERSION_UNSPECIFIED",
        "API_VERSION_ORIGINAL",
        "API_VERSION_STATUS_RETURNING",
        "API_VERSION_STATUS_RETURNING_UNIFIED",
        "API_VERSION_TYPED_FFI",
    )


class BracketWord(Word):
    """A word that prints as `#dialect.name<WORD>`."""

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")


@irdl_attr_definition
class ResultAccuracyMode(BracketWord):
    name = "stablehlo.result_accuracy_mode"
    WORDS = ("DEFAULT", "HIGHEST", "TOLERANCE")
