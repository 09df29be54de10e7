"""Seeded mutations of StableHLO text: bytes, tokens, numbers, types, lines, and its end; or what stays parseable."""

from __future__ import annotations

import random
import re

from stablehlo_edits import edit

TOKEN = re.compile(r'"[^"\n]*"|[%@#!^]?[\w.$]+|->|\s+|.', re.DOTALL)
NUMBER = re.compile(r"(?<![\w.%@])-?\d+")
TYPE = re.compile(r"\b(?:f64|f32|f16|bf16|u?i(?:1|2|4|8|16|32|64)|complex<f32>|complex<f64>)\b")
TYPES = (
    "f64",
    "f32",
    "f16",
    "bf16",
    "i1",
    "i2",
    "ui2",
    "i4",
    "i8",
    "ui8",
    "i32",
    "ui32",
    "i64",
    "complex<f32>",
    "index",
)
NUMBERS = ("-1", "0", "1", "2", "7", "9223372036854775807", "9223372036854775808", "99999999999999999999")
WINDOW = 4000
"""Token mutations see this much of a text, since constants fill the most of long ones."""


def mutate(text: str, other: str, rng: random.Random) -> str:
    """One to three changes; or one or two that leave the text parseable."""
    if rng.random() < 0.5:
        return edit(text, rng)
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(CHANGES)(text, other, rng) if text else text
    return text


def flip(text: str, other: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ (1 << rng.randrange(7))) + text[at + 1 :]


def tokens(text: str, other: str, rng: random.Random) -> str:
    """Drop, repeat, swap, or replace by a token of another program."""
    start = rng.randrange(max(1, len(text) - WINDOW)) if rng.random() < 0.3 else 0
    words, pool = TOKEN.findall(text[start : start + WINDOW]), TOKEN.findall(other[:WINDOW])
    at, to = rng.randrange(len(words)), rng.randrange(len(words))
    match rng.randrange(4):
        case 0:
            del words[at : at + rng.randint(1, 4)]
        case 1:
            words.insert(at, words[to])
        case 2:
            words[at], words[to] = words[to], words[at]
        case _:
            words[at] = rng.choice(pool or words)
    return text[:start] + "".join(words) + text[start + WINDOW :]


def numbers(text: str, other: str, rng: random.Random) -> str:
    return _replaced(NUMBER, NUMBERS, text, rng)


def types(text: str, other: str, rng: random.Random) -> str:
    """One type, or all of a kind."""
    found = TYPE.search(text, rng.randrange(min(len(text), WINDOW)))
    if found is None or rng.random() < 0.5:
        return _replaced(TYPE, TYPES, text, rng)
    return re.sub(rf"\b{re.escape(found[0])}(?!\w)", rng.choice(TYPES), text)


def cut(text: str, other: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text))]


def lines(text: str, other: str, rng: random.Random) -> str:
    """Drop, repeat, swap or take over a line."""
    rows = text.split("\n")
    at, to = rng.randrange(len(rows)), rng.randrange(len(rows))
    match rng.randrange(4):
        case 0:
            del rows[at]
        case 1:
            rows.insert(at, rows[to])
        case 2:
            rows[at], rows[to] = rows[to], rows[at]
        case _:
            rows[at] = rng.choice(other.split("\n"))
    return "\n".join(rows)


CHANGES = (flip, tokens, tokens, numbers, types, cut, lines)


def _replaced(what: re.Pattern[str], by: tuple[str, ...], text: str, rng: random.Random) -> str:
    """One of the first 50 matches is replaced."""
    found = [m for m, _ in zip(what.finditer(text), range(50), strict=False)]
    if not found:
        return text
    m = rng.choice(found)
    return text[: m.start()] + rng.choice(by) + text[m.end() :]
