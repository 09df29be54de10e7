"""Attributes of the loop dialect: a domain, an access, how a result is formed, an extent.

[i: vec 6, j: 2*b + 1]        domain: named axes with a kind and an extent
[i + i0, -j + (n - 1)]        access: one linear form per dimension
add [i, j]                    target: mode and access; `stream [i]` is stored past the caches
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from ..nd.attributes import parse_dim
from ..nd.dims import Dim
from .linear import Access, Linear

KINDS = ("vec", "parallel", "block", "thread", "warp", "lane", "sweep")
"""What an axis may be besides sequential; no size may be called so."""

LOOP_KINDS = ("parallel", "block", "thread")
"""Who runs the iterations of a loop: the threads of a CPU, the blocks of a grid, the threads of a block."""

THREADED = ("thread", "warp", "lane")
"""Axes whose points the threads of a block share out: see dialects/loop/threads.py."""

SWEEP = "sweep"
"""An axis of any extent along which all threads of a block go in steps of their number."""

COMBINERS = ("add", "mul", "max", "min", "maxnan", "minnan", "maxnum", "minnum", "umax", "umin", "and", "or")
CARRY = "carry"


class Axis(NamedTuple):
    """`kind` is `` (sequential) or one of KINDS; the extent may be a run-time size."""

    name: str
    extent: Dim
    kind: str = ""


class Target(NamedTuple):
    """How one result is formed: mode (``: each element once; a combiner; `carry`), access, stored past the caches."""

    mode: str
    access: Access
    stream: bool = False


def parse_axis(parser: AttrParser) -> Axis:
    name = parser.parse_identifier("expected an axis")
    parser.parse_punctuation(":")
    kind = next((k for k in KINDS if parser.parse_optional_keyword(k)), "")
    return Axis(name, parse_dim(parser), kind)


def parse_domain(parser: AttrParser) -> tuple[Axis, ...]:
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_axis(parser)))


def parse_form(parser: AttrParser) -> Linear:
    def term(sign: int) -> Linear:
        if parser.parse_optional_punctuation("("):
            const = parse_dim(parser)
            parser.parse_punctuation(")")
            return Linear(const * sign)
        number = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
        if number is not None and not parser.parse_optional_punctuation("*"):
            return Linear(sign * number)
        return Linear.axis(parser.parse_identifier("expected an axis"), sign * (1 if number is None else number))

    result = term(-1 if parser.parse_optional_punctuation("-") else 1)
    while True:
        if parser.parse_optional_punctuation("+"):
            result += term(1)
        elif parser.parse_optional_punctuation("-"):
            result += term(-1)
        else:
            return result


def parse_access(parser: AttrParser) -> Access:
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, lambda: parse_form(parser)))


def parse_read(parser: AttrParser) -> Access | None:
    """An access, or None for `[...]`: anywhere."""
    parser.parse_punctuation("[")
    if parser.parse_optional_punctuation("..."):
        parser.parse_punctuation("]")
        return None
    if parser.parse_optional_punctuation("]"):
        return ()
    forms = parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_form(parser))
    parser.parse_punctuation("]")
    return tuple(forms)


def parse_target(parser: AttrParser) -> Target:
    word = parser.parse_optional_identifier()
    mode = ""
    if word in (*COMBINERS, CARRY):
        mode, word = word, parser.parse_optional_identifier()
    if word not in (None, "stream"):
        parser.raise_error(f"expected {', '.join(COMBINERS)}, {CARRY}, stream or an access, found {word}")
    return Target(mode, parse_access(parser), word == "stream")


def domain_text(axes: Sequence[Axis]) -> str:
    return f"[{', '.join(f'{a.name}: {a.kind} {a.extent}' if a.kind else f'{a.name}: {a.extent}' for a in axes)}]"


def access_text(access: Access) -> str:
    return f"[{', '.join(map(str, access))}]"


def target_text(target: Target) -> str:
    return f"{target.mode}{' ' * bool(target.mode)}{'stream ' * target.stream}{access_text(target.access)}"


@irdl_attr_definition
class DomainAttr(Data[tuple[Axis, ...]]):
    """The axes of a stage, outermost first."""

    name = "loop.domain"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{domain_text(self.data)}>")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[Axis, ...]:
        with parser.in_angle_brackets():
            return parse_domain(parser)


@irdl_attr_definition
class AccessAttr(Data[Access]):
    """Where a value is read, or a piece placed: one linear form per dimension."""

    name = "loop.access"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{access_text(self.data)}>")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Access:
        with parser.in_angle_brackets():
            return parse_access(parser)


@irdl_attr_definition
class TargetAttr(Data[Target]):
    """How a result is formed."""

    name = "loop.target"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{target_text(self.data)}>")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Target:
        with parser.in_angle_brackets():
            return parse_target(parser)


@irdl_attr_definition
class ExtentAttr(Data[Dim]):
    """A size: an integer or an expression over symbols."""

    name = "loop.extent"

    def print_parameter(self, printer: Printer) -> None:
        printer.print_string(f"<{self.data}>")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Dim:
        with parser.in_angle_brackets():
            return parse_dim(parser)
