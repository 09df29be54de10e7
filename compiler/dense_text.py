"""The text of `dense<...>`: a splat, nested lists, or the bytes in hex.

It is read by one regular expression for all elements instead of a token for each, without recursion, and a splat of
many elements is kept as the bytes of one (`SPLAT_BYTES`): whoever reads `data` finds all elements or one. Truth values
in hex are a byte each, in texts of older printers a bit each.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import Any, NoReturn, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AnyFloat,
    BytesAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerType,
    MemRefType,
    Signedness,
    TensorType,
    VectorType,
)
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.utils.mlir_lexer import MLIRTokenKind

SPLAT_BYTES = 1 << 16
"""Splats that would take more bytes are kept as one element."""

_ELEMENT = re.compile(
    r"\s*(?://[^\n]*\n\s*)*"
    r"(?:(?P<open>[\[(])|(?P<close>[\])])|(?P<comma>,)|(?P<word>true|false)\b"
    r"|(?P<hex>-?0x[0-9a-fA-F]+)|(?P<float>-?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?)|(?P<int>-?[0-9]+)|(?P<end>>))"
)
_HEX = re.compile(r'\s*"0x([0-9a-fA-F]*)"\s*>')
_EMPTY = re.compile(r"\s*>")
_QUOTE = re.compile(r'\s*"')
_BLANKS = re.compile(r"\s*")

Element = tuple[str, str, int]
"""Kind, text and position of a number."""


def parse_dense(parser: Parser, kind: Attribute | None) -> DenseIntOrFPElementsAttr[Any]:
    """What follows `dense`; the type too unless it is known."""
    token = parser._current_token
    if token.kind is not MLIRTokenKind.LESS:
        parser.raise_error("expected '<' in dense attribute")
    text, start = parser.lexer.input.content, token.span.end
    if (found := _EMPTY.match(text, start)) is not None:
        parser._resume_from(found.end())
        kind = kind or _type(parser)
        if math.prod(_shape(kind)):
            parser.raise_error(f"expected {math.prod(_shape(kind))} elements, found none", start)
        return _attribute(kind, b"")
    if (found := _HEX.match(text, start)) is not None:
        parser._resume_from(found.end())
        kind = kind or _type(parser)
        return _attribute(kind, _from_hex(parser, kind, found.group(1), start))
    if _QUOTE.match(text, start) is not None:
        parser.raise_error('expected hex digits, as in "0x00FF"', start)
    reader = _Reader(parser, text, start)
    reader.read()
    parser._resume_from(reader.end)
    kind = kind or _type(parser)
    return _attribute(kind, reader.data(kind))


def _type(parser: Parser) -> Attribute:
    parser.parse_punctuation(":", " in dense attribute")
    at = parser.pos
    kind = parser.parse_type()
    if not isinstance(kind, TensorType | VectorType | MemRefType):
        parser.raise_error(f"expected a tensor, vector or memref type, found {kind}", at, parser.pos)
    element = _element(cast(Attribute, kind))
    if not isinstance(element, AnyFloat | IntegerType | IndexType | ComplexType) and not hasattr(element, "data"):
        parser.raise_error(f"expected elements that are numbers, found {element}", at, parser.pos)
    if DYNAMIC_INDEX in kind.get_shape():
        parser.raise_error(f"expected a static shape of a constant, found {kind}", at, parser.pos)
    return cast(Attribute, kind)


def _shape(kind: Attribute) -> tuple[int, ...]:
    return cast(Any, kind).get_shape()


def _element(kind: Attribute) -> Any:
    """The element type; of a quantised one, what is stored."""
    found = cast(Any, kind).get_element_type()
    return found.data.storage if getattr(found, "name", "") == "quant.uniform" else found


def _attribute(kind: Attribute, data: bytes) -> DenseIntOrFPElementsAttr[Any]:
    return DenseIntOrFPElementsAttr(cast(Any, kind), BytesAttr(data))


def _spread(data: bytes, count: int) -> bytes:
    """A splat: every element, unless they are too many or none."""
    return data * count if 0 < count * len(data) <= SPLAT_BYTES else data


def _from_hex(parser: Parser, kind: Attribute, digits: str, at: int) -> bytes:
    if len(digits) % 2:
        parser.raise_error(f"expected an even number of hex digits, found {len(digits)}", at)
    data, element, count = bytes.fromhex(digits), _element(kind), math.prod(_shape(kind))
    size = element.compile_time_size
    if len(data) == size and count != 1:
        return _spread(data, count)
    boolean = element == IntegerType(1)
    if boolean and len(data) == (count + 7) // 8 != count:
        return bytes(data[i >> 3] >> (i & 7) & 1 for i in range(count))
    if len(data) != count * size:
        parser.raise_error(
            f"expected {count * size} bytes in hex for {count} elements of {element}, found {len(data)}", at
        )
    if boolean and data.strip(b"\0\1"):
        data = bytes(bool(b) for b in data)
    return data


class _Reader:
    """The elements of nested lists, with the shape that the brackets give."""

    def __init__(self, parser: Parser, text: str, start: int) -> None:
        self.parser, self.text, self.start, self.end = parser, text, start, start
        self.elements: list[Element | tuple[Element, Element]] = []
        self.shape: list[int] | None = None

    def wrong(self, message: str, at: int) -> NoReturn:
        self.parser.raise_error(message, at, at + 1)

    def tokens(self) -> Iterator[tuple[str, str, int]]:
        at = self.start
        while True:
            found = _ELEMENT.match(self.text, at)
            if found is None:
                blanks = cast("re.Match[str]", _BLANKS.match(self.text, at))
                self.wrong("expected a number, true, false, a list or '>' in dense attribute", blanks.end())
            at = found.end()
            yield found.lastgroup or "", found.group(found.lastgroup or 0), found.start(found.lastgroup or 0)

    def read(self) -> None:
        """Depth first: `counts` has how many items each open list has so far."""
        counts: list[int] = []
        extents: dict[int, int] = {}
        depth: int | None = None
        fresh = True  # whether an item may start here
        tokens = self.tokens()
        for kind, word, at in tokens:
            if kind == "end":
                self.end = at + 1
                if counts or fresh:
                    self.wrong("expected ']' or an element in dense attribute", at)
                break
            if kind == "comma":
                if fresh or not counts:
                    self.wrong("expected an element, found ','", at)
                fresh = True
            elif word == "[" and (fresh or counts):
                if not fresh:
                    self.wrong("expected ',' or ']'", at)
                if depth is not None and len(counts) >= depth:
                    self.wrong(f"expected lists of {depth} levels, found more", at)
                counts.append(0)
            elif word == "]":
                if not counts or (fresh and counts[-1]):
                    self.wrong("expected an element, found ']'", at)
                level, count = len(counts) - 1, counts.pop()
                if count == 0 and depth is None:
                    depth = level + 1
                if extents.setdefault(level, count) != count:
                    self.wrong(f"expected a list of {extents[level]} items, found one of {count}", at)
                if counts:
                    counts[-1] += 1
                fresh = False
            else:
                if not fresh or word == ")":
                    self.wrong("expected ',' or the end of a list", at)
                depth = len(counts) if depth is None else depth
                if len(counts) != depth:
                    self.wrong(f"expected lists of {depth} levels, found an element in {len(counts)}", at)
                self.elements.append(self.pair(tokens, at) if word == "(" else (kind, word, at))
                if counts:
                    counts[-1] += 1
                fresh = False
        self.shape = [extents[k] for k in sorted(extents)] if extents else None

    def pair(self, tokens: Iterator[tuple[str, str, int]], at: int) -> tuple[Element, Element]:
        """`(re,im)`"""
        parts = [next(tokens) for _ in range(4)]
        kinds = [k for k, _, _ in parts]
        numbers = ("hex", "float", "int")
        if kinds[0] not in numbers or kinds[1] != "comma" or kinds[2] not in numbers or parts[3][1] != ")":
            self.wrong("expected a complex number such as (1.0,2.0)", at)
        return parts[0], parts[2]

    def data(self, kind: Attribute) -> bytes:
        shape, element = list(_shape(kind)), _element(kind)
        if self.shape is not None and self.shape != shape:
            self.wrong(f"expected elements of shape {shape}, found {self.shape}", self.start)
        if isinstance(element, ComplexType):
            part = cast(Any, element).element_type
            flat: list[Element] = []
            for e in self.elements:
                if isinstance(e[0], str):
                    self.wrong("expected a complex number such as (1.0,2.0)", cast(Element, e)[2])
                flat += cast("tuple[Element, Element]", e)
            data = self.pack(part, flat)
        else:
            for e in self.elements:
                if not isinstance(e[0], str):
                    self.wrong(f"expected numbers of type {element}, found a complex one", cast(Any, e)[0][2])
            data = self.pack(element, cast("list[Element]", self.elements))
        return _spread(data, math.prod(shape)) if self.shape is None else data

    def pack(self, element: Any, numbers: list[Element]) -> bytes:
        if isinstance(element, AnyFloat):
            return self.pack_floats(element, numbers)
        return element.pack([self.integer(element, e) for e in numbers])

    def pack_floats(self, element: Any, numbers: list[Element]) -> bytes:
        size = element.compile_time_size
        if all(kind == "float" for kind, _, _ in numbers):
            try:
                return element.pack([float(word) for _, word, _ in numbers])
            except OverflowError:
                pass
        return b"".join(self.float(element, size, e) for e in numbers)

    def float(self, element: Any, size: int, number: Element) -> bytes:
        kind, word, at = number
        if kind == "word":
            self.wrong(f"expected a number of type {element}, found {word}", at)
        if kind == "hex":
            bits = int(word, 16)
            if not 0 <= bits < 1 << 8 * size:
                self.wrong(f"expected the bits of a {element}, at most {2 * size} hex digits, found {word}", at)
            return bits.to_bytes(size, "little")
        value = float(word) if len(word) < 400 or kind == "float" else math.inf
        try:
            return element.pack([value])
        except (OverflowError, struct.error):
            return element.pack([math.copysign(math.inf, value)])

    def integer(self, kind_of: Any, number: Element) -> int:
        element: Any = kind_of
        kind, word, at = number
        if kind == "float":
            self.wrong(f"expected an integer of type {element}, found {word}", at)
        if kind == "word":
            if element != IntegerType(1):
                self.wrong(f"expected an integer of type {element}, found {word}", at)
            return int(word == "true")
        width = 64 if isinstance(kind_of, IndexType) else element.width.data
        signedness = element.signedness.data if isinstance(kind_of, IntegerType) else None
        value = int(word, 16) if kind == "hex" else int(word[:40])
        unsigned, signed = signedness is Signedness.UNSIGNED, signedness is Signedness.SIGNED
        low = 0 if unsigned else -(1 << width - 1)
        high = (1 << width - 1) - 1 if signed else (1 << width) - 1
        if not low <= value <= high or len(word) > 40:
            self.wrong(f"expected an integer of type {element}, found {word[:40]}", at)
        if width == 1:
            return value & 1
        return value if unsigned or value < 1 << width - 1 else value - (1 << width)
