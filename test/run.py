"""Runs all checks and tests: lint, format, types, import contract, lit and pytest.

    python test/run.py            everything, in a few minutes on two cores
    python test/run.py lit        one step: lint, format, types, imports, lit or pytest

Every step runs, also after one has failed; the last line counts what passed and failed over all of them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
JOBS = str(max(2, os.cpu_count() or 1))

LIT_TOTALS = re.compile(r"^\s+(Passed|Failed|Unresolved|Timed Out)\s*: (\d+)", re.MULTILINE)
PYTEST_TOTALS = re.compile(r"(\d+) (passed|failed|errors?)\b")


def one(code: int, _: str) -> tuple[int, int]:
    return (1, 0) if code == 0 else (0, 1)


def of_lit(code: int, text: str) -> tuple[int, int]:
    totals = {name: int(n) for name, n in LIT_TOTALS.findall(text)}
    passed = totals.pop("Passed", 0)
    return passed, max(sum(totals.values()), int(code != 0 or not passed))


def of_pytest(code: int, text: str) -> tuple[int, int]:
    totals = {name: int(n) for n, name in PYTEST_TOTALS.findall(text.strip().splitlines()[-1] if text.strip() else "")}
    passed = totals.pop("passed", 0)
    return passed, max(sum(totals.values()), int(code != 0))


Count = Callable[[int, str], tuple[int, int]]

STEPS: dict[str, tuple[list[str], Count]] = {
    "lint": ([PYTHON, "-m", "ruff", "check", "--quiet"], one),
    "format": ([PYTHON, "-m", "ruff", "format", "--check", "--quiet"], one),
    "types": ([PYTHON, "-m", "pyright", "--pythonpath", PYTHON], one),
    "imports": ([PYTHON, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"], one),
    "lit": (
        [PYTHON, "-c", "from lit.main import main; main()", "-sv", "--no-progress-bar", f"-j{JOBS}", "test"],
        of_lit,
    ),
    "pytest": ([PYTHON, "-m", "pytest", "-q", "-n", JOBS], of_pytest),
}


def run(name: str) -> tuple[int, int]:
    """Run a step, showing what it prints; how many passed and failed."""
    command, count = STEPS[name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # processes of tests would compile all modules anew
    print(f"== {name}", flush=True)
    start, lines = time.perf_counter(), list[str]()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    passed, failed = count(process.wait(), "".join(lines))
    print(f"== {name}: {passed} passed, {failed} failed, {time.perf_counter() - start:.0f} s", flush=True)
    return passed, failed


def main(names: list[str]) -> int:
    unknown = [n for n in names if n not in STEPS]
    if unknown:
        print(f"unknown step {unknown[0]}; expected some of {', '.join(STEPS)}", file=sys.stderr)
        return 2
    totals = [run(name) for name in names or STEPS]
    passed, failed = (sum(column) for column in zip(*totals, strict=True))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
