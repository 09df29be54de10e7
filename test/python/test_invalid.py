"""test/invalid: every wrong input is refused at a place, with its line, a caret and what was expected and found."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "test" / "invalid").rglob("*.mlir"))
ERROR = re.compile(
    r"(?P<file>\S+\.mlir):(?P<line>\d+):(?P<column>\d+): error: (?P<message>.+)\n  (?P<source>.*)\n(?P<caret> *\^)$",
    re.M,
)


def run_lines(text: str) -> list[list[str]]:
    """The options that a file's RUN lines give mlc-opt, so that errors are printed."""
    lines = re.findall(r"RUN: (?:not )?mlc-opt %s (.*?)(?: 2>&1.*)?$", text, re.M)
    assert lines, "expected `RUN: mlc-opt %s ... --verify-diagnostics` or `RUN: not mlc-opt %s ... 2>&1 | FileCheck %s`"
    return [[word for word in shlex.split(line) if word != "--verify-diagnostics"] for line in lines]


def expected(text: str) -> int:
    """How many errors a file has: its expectations, or one for each part."""
    return text.count("expected-error") or 1 + text.count("// -----")


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT / "test" / "invalid")))
def test_refused_with_a_place_and_reasons(file, opt):
    text = file.read_text()
    errors: list[re.Match[str]] = []
    for options in run_lines(text):
        ran = opt(file, *options)
        assert ran.code == 1 and "Traceback" not in ran.err
        errors += ERROR.finditer(ran.err)
    assert len(errors) == expected(text), errors
    lines = text.splitlines()
    for e in errors:
        line, column = int(e["line"]), int(e["column"])
        assert e["source"] == lines[line - 1] and len(e["caret"]) == column + 2, e[0]
        assert re.search("expected|unknown", e["message"]) and re.search("found|unknown", e["message"]), e[0]


def test_there_are_many():
    assert sum(expected(f.read_text()) for f in FILES) >= 40
