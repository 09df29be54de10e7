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
from typing import Any, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    UNKNOWN_LOC,
    DenseIntOrFPElementsAttr,
    FileLineColLoc,
    FunctionType,
    FusedLoc,
    IntAttr,
    LocationAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
    UnknownLoc,
)
from xdsl.ir import Attribute, AttributeInvT, Block, BlockArgument, Operation, SSAValue, TypeAttribute
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.parser.generic_parser import ParserState
from xdsl.utils.exceptions import (
    DiagnosticException,
    MultipleSpansParseError,
    ParseError,
    UnregisteredConstructException,
)
from xdsl.utils.lexer import Span
from xdsl.utils.mlir_lexer import MLIRTokenKind, PunctuationSpelling

from ..dialects.errors import SOURCES, CompileError, position
from ..dialects.locations import PLACED, make_range
from .collecting import seldom
from .context import DIALECTS, context
from .dense_text import parse_dense
from .lexing import QuickLexer, Word
from .wording import reword

_PLAIN_TENSOR = re.compile(r"tensor<(?:[1-9][0-9]*x|\?x)*(?:f64|f32|f16|bf16|u?i[1-9][0-9]?)>", re.ASCII)
_PLAIN_FUNCTION = re.compile(rf"\((?:{_PLAIN_TENSOR.pattern}(?:, (?!\)))?)*\) -> (?:{_PLAIN_TENSOR.pattern})", re.ASCII)
_ALIAS = re.compile(r"^#[A-Za-z_][\w$.]*(?=\s*=\s*loc\b)", re.MULTILINE)


@seldom()
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
        place = parser.place(parser._current_token.span.start) if parser is not None else _place(name, 1, 1)
        raise CompileError("expected nesting that Python's stack can hold, found deeper nesting", place) from error
    except CompileError as error:
        if isinstance(error.location, UnknownLoc) and parser is not None:
            raise CompileError(error.message, parser.here(), error.notes) from error
        raise
    except Exception as error:
        # xDSL fails with whatever Python raises on some malformed input: the place is where the reader stands.
        place = parser.here() if parser is not None else _place(name, 1, 1)
        raise CompileError(_message(error), place) from error


def decode(data: bytes, name: str) -> str:
    """The text of a file; CompileError at the first byte that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        SOURCES[name] = data.decode(errors="replace")
        place = _place(name, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise CompileError(f"expected UTF-8 text, found byte {data[error.start]:#04x}", place) from error


class LocatedParser(Parser):
    """xDSL's parser that notes where each op and block argument begins, and names the nearest op for an unknown one."""

    def __init__(self, ctx: Context, text: str, name: str) -> None:
        self.file = StringAttr(name)
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.open: list[int] = []
        self.first_uses: dict[str, Span[str]] = {}
        self.types: dict[str, Any] = {}
        """Types by their text, which are most of a program's text and the same few over and over."""
        self.columns: dict[int, IntAttr] = {}
        super().__init__(ctx, text, name)
        self._parser_state = ParserState(QuickLexer(self.lexer.input))

    @property
    def pos(self) -> int:
        """Where the next token begins."""
        return cast(Word, self._current_token).start

    def place(self, at: int) -> LocationAttr:
        line = bisect_right(self.starts, at)
        column = at - self.starts[line - 1] + 1
        if (known := self.columns.get(column)) is None:
            known = self.columns[column] = IntAttr(column)
        return FileLineColLoc(self.file, IntAttr(line), known)

    def here(self) -> LocationAttr:
        """The beginning of the op that is being read, or where the reader stands outside of any."""
        return self.place(self.open[-1] if self.open else self.pos)

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        self._hoist_location_aliases()
        try:
            module = super().parse_module(allow_implicit_module)
        except ParseError as error:
            for name in self.forward_ssa_references if error.msg.startswith("values used") else ():
                self.raise_error(f"expected a value that is defined, found %{name}", self.first_uses[name])
            raise
        if module.location is UNKNOWN_LOC:
            module.location = self.place(0)
        if "stablehlo" in self.ctx._loaded_dialects:
            from ..dialects.stablehlo.spacing import note

            note(module, self.lexer.input.content)
        return module

    def parse_operation(self) -> Operation:
        at = self.pos
        self.open.append(at)
        op = super().parse_operation()
        self.open.pop()
        if op.location is UNKNOWN_LOC:  # the text says nothing; `loc(unknown)` is another object
            op.location = self.place(at)
        elif isinstance(op.location, NameLoc) and position(op.location) is None:  # a name without a file
            op.location = named = NameLoc(op.location.desc, self.place(at))
            PLACED.add(named)
        for region in op.regions:  # a short form stands for ops that the text does not hold
            block = region.blocks.first
            if block is not None and block.first_op is not None and block.first_op.location is UNKNOWN_LOC:
                for inner in block.ops:
                    inner.location = op.location
        return op

    def parse_optional_type(self) -> TypeAttribute | None:
        token = self._current_token
        if token.text != "tensor":
            return super().parse_optional_type()
        found = _PLAIN_TENSOR.match(self.lexer.input.content, self.pos)
        if found is None:
            return self._in_range(super().parse_optional_type(), token.span)
        known = self.types.get(found[0])
        if known is not None:
            self._resume_from(found.end())
            return known
        new = super().parse_optional_type()
        assert new is not None
        self.types[found[0]] = self._in_range(new, token.span)
        return new

    def parse_optional_function_type(self) -> FunctionType | None:
        found = _PLAIN_FUNCTION.match(self.lexer.input.content, self.pos)
        if found is None:
            return super().parse_optional_function_type()
        known = self.types.get(found[0])
        if known is None:
            known = self.types[found[0]] = super().parse_optional_function_type()
        else:
            self._resume_from(found.end())
        return known

    def _parse_op_result_list(self) -> list[tuple[Span[str], int]]:
        out: list[tuple[Span[str], int]] = []
        while self._current_token.kind is MLIRTokenKind.PERCENT_IDENT:
            out.append(self._parse_op_result())
            if self.parse_optional_punctuation(",") is None:
                self.parse_punctuation("=", " after operation result list")
                return out
        if out:
            self._parse_op_result()
        return out

    def parse_optional_punctuation(self, punctuation: PunctuationSpelling) -> PunctuationSpelling | None:
        if self._current_token.text != punctuation:
            return None
        self._parser_state.current_token = self.lexer.lex()
        return punctuation

    def parse_punctuation(self, punctuation: PunctuationSpelling, context_msg: str = "") -> PunctuationSpelling:
        if self.parse_optional_punctuation(punctuation) is None:
            self.raise_error(f"Expected '{punctuation}'" + context_msg)
        return punctuation

    def _in_range(self, found: Any, span: Span[str]) -> Any:
        """A tensor type, if its sizes are numbers of 64 bits."""
        for size in found.get_shape() if type(found) is TensorType else ():
            if size >= 1 << 63:
                self.raise_error(f"expected dimensions of at most 64 bits, found {size}", span)
        return found

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

    def parse_dense_int_or_fp_elements_attr(self, type: Any) -> DenseIntOrFPElementsAttr[Any]:
        return parse_dense(self, type)

    def _register_ssa_definition(self, name: str, values: Sequence[SSAValue], span: Span[str]) -> None:
        super()._register_ssa_definition(name, values, span)
        for value in values:
            if isinstance(value, BlockArgument) and value.location is UNKNOWN_LOC:
                value.location = self.place(span.start)

    def _parse_location(self) -> LocationAttr:
        """xDSL's, with ranges, metadata of fusions, and no error for a location that is none."""
        word = self._current_token.text
        if self._current_token.kind is MLIRTokenKind.STRING_LIT:
            name = StringAttr(self.parse_str_literal())
            if self.parse_optional_punctuation(":") is None:
                inner: Attribute = NoneAttr()
                if self.parse_optional_punctuation("(") is not None:
                    inner = self._parse_location()
                    self.parse_punctuation(")")
                return NameLoc(name, inner)
            line = IntAttr(self.parse_integer(False, False))
            self.parse_punctuation(":")
            column = IntAttr(self.parse_integer(False, False))
            if self.parse_optional_keyword("to") is None:
                return FileLineColLoc(name, line, column)
            last = self.parse_optional_integer(False, False)
            self.parse_punctuation(":")
            end = IntAttr(self.parse_integer(False, False))
            return make_range(name, (line, column), (line if last is None else IntAttr(last), end))
        if word == "fused":
            self.parse_identifier()
            metadata: Attribute = NoneAttr()
            if self.parse_optional_punctuation("<") is not None:
                metadata = self.parse_attribute()
                self.parse_punctuation(">")
            parts = self.parse_comma_separated_list(self.Delimiter.SQUARE, self._parse_location)
            return FusedLoc(tuple(parts), metadata)
        return super()._parse_location()

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


def _located(error: ParseError, text: str, name: str) -> CompileError:
    kept, start = text.rstrip(), error.span.start
    message = reword(error.msg)
    if isinstance(error, MultipleSpansParseError) and message.startswith("expected a block") and error.refs:
        start = error.refs[0][0].start  # the branch, not the end of the region
    if message.startswith(("unknown type", "unknown alias")):  # the reader has passed the name
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
    if isinstance(error, ValueError) and "out of range" in text:
        return reword(text)
    if isinstance(error, ValueError) and "integer string conversion" in text:
        return "expected numbers of at most 4300 digits, found a longer one"
    return f"expected well-formed text, found something that cannot be read ({type(error).__name__}: {text})"
