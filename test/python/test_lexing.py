"""The lexer gives what xDSL's gives: the same tokens at the same places, and the same errors."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from mlc.compiler.lexing import QuickLexer
from sampling import FULL
from xdsl.utils.exceptions import ParseError
from xdsl.utils.lexer import Input
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRTokenKind

ROOT = Path(__file__).parents[2]
PIECES = [
    *'%%%##!^@"".->{}[]()<>:,=+*/?|\\\n\t_$xé0١ ',
    *(
        "0x",
        "0xF",
        "1.5e-3",
        "1.",
        "...",
        "->",
        "{-#",
        "#-}",
        "//",
        "// c\n",
        '"a\\0A"',
        '"é"',
        "%0#1",
        "tensor<4x?xf32>",
    ),
    *("bare.name", "@f", '@"q r"', "#loc1", "^bb0", "!t.x<", "-1", "  " * 40, '"open', "\r\n", "\x00", "\u2028"),
]


class Reference(MLIRLexer):
    """xDSL's; of strings without an end its own expression takes exponential time."""

    _unescaped_characters_regex = QuickLexer._unescaped_characters_regex  # pyright: ignore[reportPrivateUsage]


def tokens(lexer: MLIRLexer) -> list[object]:
    out: list[object] = []
    try:
        while True:
            token = lexer.lex()
            out.append((token.kind, token.span.start, token.span.end, token.text))
            if token.kind is MLIRTokenKind.EOF:
                return out
    except ParseError as error:
        return [*out, error.msg, error.span.start, error.span.end]
    except UnicodeError as error:
        return [*out, type(error)]


def check(text: str) -> None:
    assert tokens(QuickLexer(Input(text, "t"))) == tokens(Reference(Input(text, "t")))


@pytest.mark.parametrize("folder", ["test/dialects", "test/lowering", "examples"])
def test_files(folder: str):
    files = sorted((ROOT / folder).rglob("*.mlir"))
    assert files
    for path in files[:: 1 if len(files) < 40 else len(files) // 20]:
        check(path.read_text())


def test_pieces():
    rng = random.Random(7)
    for _ in range(200_000 if FULL else 2000):
        check("".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 12))))


def test_long_blanks_take_no_time():
    check(" " * 100_000 + "//" + " " * 100_000)


@pytest.mark.parametrize("text", ['"' + "a" * 100_000, '@"' + "a " * 50_000 + "\n"])
def test_a_string_without_an_end_takes_no_time(text: str):
    with pytest.raises(ParseError, match="before closing string"):
        QuickLexer(Input(text, "t")).lex()


def test_strings_are_those_of_xdsl():
    own = MLIRLexer._unescaped_characters_regex  # pyright: ignore[reportPrivateUsage]
    possessive = QuickLexer._unescaped_characters_regex  # pyright: ignore[reportPrivateUsage]
    for text in ['""', '"a"', '"a\\"b"', '"\\0A\\n"', '"a\\z"', '"a\nb"', '"a', '"é\\t" "b"']:
        found, want = possessive.match(text), own.match(text)
        assert (found and found.span()) == (want and want.span()), text
