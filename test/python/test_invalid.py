"""test/invalid: every wrong input is refused at a place, with its line, a caret and what was expected and found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "test" / "invalid").rglob("*.mlir"))
ERROR = re.compile(
    r"(?P<file>\S+\.mlir):(?P<line>\d+):(?P<column>\d+): error: (?P<message>.+)\n  (?P<source>.*)\n(?P<caret> *\^)$",
    re.M,
)


def run_line(text: str) -> list[str]:
    """The options that the file's RUN line gives mlc-opt."""
    found = re.search(r"RUN: not mlc-opt %s (.*?) 2>&1", text)
    assert found is not None, "expected `RUN: not mlc-opt %s ... 2>&1 | FileCheck %s`"
    return [w.strip("'\"") for w in re.findall(r"'[^']*'|\"[^\"]*\"|\S+", found[1])]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT / "test" / "invalid")))
def test_refused_with_a_place_and_reasons(file, opt):
    text = file.read_text()
    ran = opt(file, *run_line(text))
    assert ran.code == 1 and "Traceback" not in ran.err
    errors = list(ERROR.finditer(ran.err))
    assert len(errors) == 1 + text.count("// -----"), ran.err
    lines = text.splitlines()
    for e in errors:
        line, column = int(e["line"]), int(e["column"])
        assert e["source"] == lines[line - 1] and len(e["caret"]) == column + 2, e[0]
        assert re.search("expected|unknown", e["message"]) and re.search("found|unknown", e["message"]), e[0]


def test_there_are_many():
    assert sum(1 + f.read_text().count("// -----") for f in FILES) >= 40
