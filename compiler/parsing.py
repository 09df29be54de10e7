"""Text to IR with a place for everything: ops and block arguments get file:line:col unless the text says `loc(...)`.

Every way in which text can be wrong becomes a CompileError at its place: parse errors, failing verifiers of types and
attributes, and xDSL's internal failures on malformed input. Aliases may be used before they are defined, as upstream
prints locations.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AnyFloat,
    ComplexType,
    FileLineColLoc,
    IndexType,
    IntAttr,
    IntegerType,
    LocationAttr,
    ModuleOp,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import AttributeInvT, Block, BlockArgument, Operation, SSAValue
from xdsl.parser import AttrParser, Parser, UnresolvedOperand
from xdsl.utils.exceptions import (
    DiagnosticException,
    MultipleSpansParseError,
    ParseError,
    UnregisteredConstructException,
)
from xdsl.utils.lexer import Span

from ..dialects.errors import SOURCES, CompileError
from .context import DIALECTS, context
from .wording import reword

_ALIAS = re.compile(r"^#[A-Za-z_][\w$.]*(?=\s*=\s*loc\b)", re.MULTILINE)


def parse_module(text: str, name: str = "<string>", ctx: Context | None = None) -> ModuleOp:
    """The module that `text` holds; `name` is what locations say."""
    SOURCES[name] = text
    parser: LocatedParser | None = None
    try:
        parser = LocatedParser(ctx or context(), text, name)
        return parser.parse_module()
    except ParseError as error:
        raise _located(error, text, name) from error
    except RecursionError as error:
        raise CompileError("expected nesting that Python's stack can hold, found deeper regions") from error
    except CompileError as error:
        if isinstance(error.location, UnknownLoc) and parser is not None:
            raise CompileError(error.message, parser.here(), error.notes) from error
        raise
    except Exception as error:
        # xDSL fails with whatever Python raises on some malformed input: the place is where the reader stands.
        place = parser.here() if parser is not None else _place(name, 1, 1)
        raise CompileError(_message(error), place) from error


class LocatedParser(Parser):
    """xDSL's parser that notes where each op and block argument begins, and names the nearest op for an unknown one."""

    def __init__(self, ctx: Context, text: str, name: str) -> None:
        self.file = StringAttr(name)
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.open: list[int] = []
        self.first_uses: dict[str, Span[str]] = {}
        super().__init__(ctx, text, name)

    def place(self, at: int) -> LocationAttr:
        line = bisect_right(self.starts, at)
        return FileLineColLoc(self.file, IntAttr(line), IntAttr(at - self.starts[line - 1] + 1))

    def here(self) -> LocationAttr:
        """The beginning of the op that is being read, or where the reader stands outside of any."""
        return self.place(self.open[-1] if self.open else self._current_token.span.start)

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        self._hoist_location_aliases()
        try:
            module = super().parse_module(allow_implicit_module)
        except ParseError as error:
            for name in self.forward_ssa_references if error.msg.startswith("values used") else ():
                self.raise_error(f"expected a value that is defined, found %{name}", self.first_uses[name])
            raise
        if isinstance(module.location, UnknownLoc):
            module.location = self.place(0)
        return module

    def parse_operation(self) -> Operation:
        at = self._current_token.span.start
        self.open.append(at)
        op = super().parse_operation()
        self.open.pop()
        if isinstance(op.location, UnknownLoc):
            op.location = self.place(at)
        return op

    def _parse_block(self) -> Block:
        label = self._current_token
        try:
            return super()._parse_block()
        except KeyError as error:  # xDSL's, for a second block of a label that was branched to before
            if error.args != (label.text[1:],):
                raise
            self.raise_error(f"expected a label that is not defined yet, found {label.text}", label.span)

    def resolve_operand(self, operand: UnresolvedOperand, type: AttributeInvT) -> SSAValue[AttributeInvT]:
        self.first_uses.setdefault(operand.operand_name, operand.span)
        known = self.ssa_values.get(operand.operand_name, ())
        if operand.index < len(known) and (found := known[operand.index].type) != type:
            name = operand.span.text
            self.raise_error(f"expected {name} with the type of its definition, {found}, found {type}", operand.span)
        return super().resolve_operand(operand, type)

    def _parse_tensor_literal_element(self) -> AttrParser._TensorLiteralElement:
        hexadecimal = self._current_token.text[:2].lower() == "0x"
        element = super()._parse_tensor_literal_element()
        return HexadecimalElement(element.is_negative, element.value, element.span) if hexadecimal else element

    def _register_ssa_definition(self, name: str, values: Sequence[SSAValue], span: Span[str]) -> None:
        super()._register_ssa_definition(name, values, span)
        for value in values:
            if isinstance(value, BlockArgument) and isinstance(value.location, UnknownLoc):
                value.location = self.place(span.start)

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if found is not None:
            return found
        # The name's token is behind us: the error belongs to it, not to what follows.
        start = self.lexer.input.content.rfind(name, 0, self._current_token.span.start)
        message, dialect = f"unknown operation {name}", name.partition(".")[0]
        known = [op.name for op in self.ctx.loaded_ops]
        if "." in name and dialect not in DIALECTS:
            message = f"unknown dialect {dialect!r} of operation {name}, expected one of {', '.join(DIALECTS)}"
            known = []
        if close := difflib.get_close_matches(name, known, n=1):
            message += f"; did you mean {close[0]}?"
        self.raise_error(message, start, start + len(name))

    def _hoist_location_aliases(self) -> None:
        """Upstream prints `#loc3 = loc(...)` at the end of the file; read these first."""
        text = self.lexer.input.content
        found = [m.start() for m in _ALIAS.finditer(text)]
        if not found:
            return
        for at in found:
            self._resume_from(at)
            self._parse_alias_def()
        self._hoisted = {
            text[at : at + len(n)] for n in self.attribute_aliases for at in found if text.startswith(n, at)
        }
        self._resume_from(0)

    _hoisted: set[str] = set()

    def _parse_alias_def(self) -> None:
        name = self._current_token.text
        if name in self._hoisted:
            self._hoisted.discard(name)
            del self.attribute_aliases[name]
        super()._parse_alias_def()


class HexadecimalElement(AttrParser._TensorLiteralElement):
    """`0xFF800000` in a dense literal of floats is the bits of a value, as infinities and NaN are printed."""

    def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType) -> Any:
        if isinstance(type, AnyFloat) and isinstance(self.value, int):
            return next(type.iter_unpack(self.value.to_bytes(type.compile_time_size, "little")))
        return super().to_type(parser, type)


def _located(error: ParseError, text: str, name: str) -> CompileError:
    kept, start = text.rstrip(), error.span.start
    message = reword(error.msg)
    if isinstance(error, MultipleSpansParseError) and message.startswith("expected a block") and error.refs:
        start = error.refs[0][0].start  # the branch, not the end of the region
    if message.startswith("unknown type"):  # the reader has passed the name
        start = max(text.rfind(message.split()[-1], 0, start), 0)
    found = repr(error.span.text.split("\n")[0])
    if start >= len(kept):  # point behind the last thing written
        start, found = len(kept), "the end of the input"
    if not re.search(r"found|unknown|already|but ", message) and found != "''":
        message += f", found {found}"
    line_start = text.rfind("\n", 0, start) + 1
    return CompileError(message, _place(name, text.count("\n", 0, start) + 1, start - line_start + 1))


def _place(name: str, line: int, column: int) -> LocationAttr:
    return FileLineColLoc(StringAttr(name), IntAttr(line), IntAttr(column))


def _message(error: Exception) -> str:
    if isinstance(error, (DiagnosticException, UnregisteredConstructException)):
        return reword(str(error))
    text = str(error).strip().split("\n")[0]
    return f"expected well-formed text, found something that cannot be read ({type(error).__name__}: {text})"
