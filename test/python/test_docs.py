"""What the documentation says runs: shell and Python blocks of README.md and docs/*.md; the reference is current.

A block that only shows (`mlir`, `llvm`, `text`) right behind one that runs is what that one prints, where a line `...`
stands for any lines. A `sh` block that makes an environment runs its last command with this environment's Python; of
the test command only the collection, since it is what runs this. No block is skipped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {"", "text", "mlir", "llvm", "asm", "toml", "c"}
"""Languages of blocks that are shown, not run."""


def blocks(file: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(file.read_text())


def runnable() -> list[tuple[Path, int]]:
    return [(f, k) for f in FILES for k, (language, _) in enumerate(blocks(f)) if language not in SHOWN]


@pytest.mark.parametrize("file, index", runnable(), ids=lambda v: v.name if isinstance(v, Path) else str(v))
def test_block(file, index, tmp_path_factory):
    language, text = blocks(file)[index]
    assert language in ("sh", "python"), f"{file.name}: block {index}: expected sh or python, found {language}"
    if language == "python":
        command = [sys.executable, "-c", text]
    else:
        command = ["bash", "-euo", "pipefail", "-c", shell(text)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "python"),
        "MLC_CACHE_DIR": str(tmp_path_factory.getbasetemp() / "docs"),
    }
    environment["MLC_MACHINE"] = str(ROOT / "test/transforms/loop/wide.toml")  # what is shown depends on the machine
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, f"{file.name}, block {index}:\n{text}\n{ran.stdout}\n{ran.stderr}"
    if (shown := shown_behind(file, index)) is not None:
        assert matches(shown.splitlines(), ran.stdout.splitlines()), f"{file.name}, block {index} prints\n{ran.stdout}"


def shown_behind(file: Path, index: int) -> str | None:
    """The block that follows directly and shows what this one prints."""
    found = list(BLOCK.finditer(file.read_text()))
    after = found[index + 1 : index + 2]
    if not after or after[0][1] not in SHOWN or file.read_text()[found[index].end() : after[0].start()].strip():
        return None
    return after[0][2]


def matches(shown: list[str], printed: list[str]) -> bool:
    """Equal lines; `...` alone on a line stands for any number of them."""
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(matches(shown[1:], printed[k:]) for k in range(len(printed) + 1))
    return bool(printed) and shown[0].rstrip() == printed[0].rstrip() and matches(shown[1:], printed[1:])


def shell(text: str) -> str:
    """The block with this Python in the place of one that it would set up; the test command only lists its tests."""
    text = re.sub(r"python3 -m venv \.venv && \.venv/bin/pip install -q '\.\[\w+\]' && ", "", text)
    text = re.sub(r"\S*bin/python\b", sys.executable, text)
    return text.replace("test/run.py", "-m pytest --collect-only -q test/python/test_docs.py")


def test_the_readme_begins_with_the_two_commands():
    shells = [text.strip() for language, text in blocks(ROOT / "README.md") if language == "sh"]
    assert shells[:2] == [
        "python3 -m venv .venv && .venv/bin/pip install -q '.[examples]' && .venv/bin/python examples/train_digits.py",
        "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/python test/run.py",
    ]


def test_the_reference_is_current():
    command = [sys.executable, "docs/generate.py", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_links_lead_somewhere():
    for file in FILES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text()):
            assert "://" in target or (file.parent / target).exists(), f"{file.name}: {target}"
