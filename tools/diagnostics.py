"""`--split-input-file` and `--verify-diagnostics`: expectations written in the input, as upstream writes them.

// expected-error {{text}}        this line has an error whose message contains the text
// expected-error@+1 {{text}}     the next line; also @-1, @below, @above, @unknown (an error without a place)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..dialects.errors import CompileError, position

SEPARATOR = re.compile(r"^// -----.*\n?", re.MULTILINE)
_EXPECTED = re.compile(r"//.*?expected-error\s*(?:@(?P<at>[+-]\d+|below|above|unknown))?\s*\{\{(?P<text>.*?)\}\}")


def split(text: str) -> list[str]:
    """The parts between `// -----` lines, each behind empty lines, so that its line numbers are those of the file."""
    parts: list[str] = []
    start = 0
    for found in [*SEPARATOR.finditer(text), None]:
        end = len(text) if found is None else found.start()
        parts.append("\n" * text.count("\n", 0, start) + text[start:end])
        start = end if found is None else found.end()
    return parts


@dataclass(frozen=True)
class Expectation:
    """An error that a part of the input must have; `line` None: an error without a place."""

    text: str
    line: int | None

    def met_by(self, error: CompileError) -> bool:
        where = position(error.location)
        return self.text in error.message and (where[1] if where else None) == self.line


def expectations(text: str) -> list[Expectation]:
    """The `expected-error` comments of a text. `@below` and `@above` skip other comment lines."""
    out: list[Expectation] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        for found in _EXPECTED.finditer(line):
            out.append(Expectation(found["text"], _target(found["at"], number, lines)))
    return out


def _target(at: str | None, number: int, lines: list[str]) -> int | None:
    if at is None:
        return number
    if at == "unknown":
        return None
    if at in ("below", "above"):
        step = 1 if at == "below" else -1
        number += step
        while 0 < number <= len(lines) and lines[number - 1].lstrip().startswith("//"):
            number += step
        return number
    return number + int(at)


def mismatches(name: str, text: str, errors: list[CompileError]) -> list[str]:
    """What differs between the errors that a part has and those that it expects, one line each."""
    wanted, out = expectations(text), list[str]()
    for error in errors:
        met = next((w for w in wanted if w.met_by(error)), None)
        if met is None:
            out.append(f"unexpected {error}")
        else:
            wanted.remove(met)
    for w in wanted:
        out.append(f'{name}:{w.line or "unknown"}: error: expected error "{w.text}" was not produced')
    return out
