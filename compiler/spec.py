"""The text of pass pipelines, read and written: `loop-tile{axis=i size=6},cse` and upstream's nested form.

    pipeline = element ("," element)*
    element  = name ["{" option (" " option)* "}"] | anchor "(" pipeline ")"      anchor: builtin.module, func.func, any
    option   = key ["=" value ("," value)*]
    value    = integer | float | true | false | word | "quoted text"

Passes are passes on modules, so an anchor only groups: `builtin.module(func.func(cse))` is `cse`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, StringAttr
from xdsl.passes import ModulePass

from ..dialects import errors

Value = int | float | bool | str

ANCHORS = ("builtin.module", "func.func", "any")
SOURCE = "<pipeline>"


@dataclass(frozen=True)
class PassSpec:
    """One pass and its options, each a tuple of values (empty: a flag)."""

    name: str
    options: Mapping[str, tuple[Value, ...]] = field(default_factory=dict[str, "tuple[Value, ...]"])

    def __str__(self) -> str:
        options = [k + ("=" + ",".join(map(_value_text, v)) if v else "") for k, v in self.options.items()]
        return self.name + (f"{{{' '.join(options)}}}" if options else "")


def parse_pipeline(text: str) -> list[PassSpec]:
    """The passes that a pipeline text names, in order; CompileError with a caret for wrong syntax."""
    return Reader(text).read()


def spec_of(pass_: ModulePass) -> PassSpec:
    """The spec that builds this pass again; options at their defaults are left out."""
    spec = pass_.spec()
    return PassSpec(spec.name, {k.replace("_", "-"): v for k, v in spec.parameters.items()})


def text_of(passes: Sequence[ModulePass | PassSpec]) -> str:
    """The pipeline text of passes."""
    return ",".join(str(p if isinstance(p, PassSpec) else spec_of(p)) for p in passes)


_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?(?![\w.-])")
_WORD = re.compile(r"[\w.:/%@-]+")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')


class Reader:
    """Recursive descent over the text; every failure names the column in the source of this name."""

    def __init__(self, text: str, name: str = SOURCE) -> None:
        self.text, self.name, self.at = text, name, 0

    def read(self) -> list[PassSpec]:
        self.skip()
        out = [] if self.at == len(self.text) else self.pipeline()
        if self.at < len(self.text):
            self.fail('expected "," or the end of the pipeline')
        return out

    def pipeline(self) -> list[PassSpec]:
        out = self.element()
        while self.take(","):
            out += self.element()
        return out

    def element(self) -> list[PassSpec]:
        self.skip()
        start = self.at
        name = self.match(_NAME)
        if name is None:
            self.fail("expected the name of a pass")
        if self.take("("):
            if name not in ANCHORS:
                self.at = start
                self.fail(f"expected one of {', '.join(ANCHORS)} in front of a parenthesis")
            self.skip()
            out = [] if self.peek(")") else self.pipeline()
            self.expect(")")
            return out
        return [PassSpec(name, self.options() if self.take("{") else {})]

    def options(self) -> dict[str, tuple[Value, ...]]:
        out: dict[str, tuple[Value, ...]] = {}
        while not self.take("}"):
            start = self.at
            key = self.match(_NAME)
            if key is None:
                self.fail('expected the name of an option or "}"')
            if key in out:
                self.at = start
                self.fail(f"expected each option once, and {key!r} stands twice")
            out[key] = self.values() if self.take("=") else ()
        return out

    def values(self) -> tuple[Value, ...]:
        out = [self.value()]
        while self.take(","):
            out.append(self.value())
        return tuple(out)

    def value(self) -> Value:
        self.skip()
        if (number := self.match(_NUMBER)) is not None:
            return float(number) if any(c in number for c in ".eE") else int(number)
        if (quoted := self.match(_QUOTED)) is not None:
            return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], quoted[1:-1], flags=re.DOTALL)
        word = self.match(_WORD)
        if word is None:
            self.fail("expected a value (a number, true, false, a word or a quoted text)")
        return {"true": True, "false": False}.get(word, word)

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def peek(self, mark: str) -> bool:
        self.skip()
        return self.text.startswith(mark, self.at)

    def take(self, mark: str) -> bool:
        if not self.peek(mark):
            return False
        self.at += len(mark)
        self.skip()
        return True

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            self.fail(f'expected "{mark}"')

    def location(self, at: int) -> FileLineColLoc:
        """The line and column of a place in the text."""
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return FileLineColLoc(StringAttr(self.name), IntAttr(line), IntAttr(column))

    def fail(self, expected: str) -> NoReturn:
        errors.SOURCES[self.name] = self.text
        rest = self.text[self.at : self.at + 20].split("\n")[0]
        found = f'"{rest}"' if rest else "the end"
        raise errors.CompileError(f"{expected}, found {found}", self.location(self.at))


def _value_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and (_WORD.fullmatch(value) is None or value in ("true", "false")):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return str(value)
