"""The script that checks programs on a GPU, run for the CPU: no use of a GPU begins with a wrong script."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "cuda" / "check_programs.py"


def test_every_kernel_is_right_on_the_cpu() -> None:
    command = [sys.executable, str(SCRIPT), "--fake", "--sanitize"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and ran.stdout.endswith(" right, 0 wrong\n"), ran.stdout + ran.stderr


def test_processes_for_random_graphs() -> None:
    command = [sys.executable, str(SCRIPT), "--fake", "--only", "random", "--count", "2", "--jobs", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "2 random graphs are right\n2 right, 0 wrong\n"
