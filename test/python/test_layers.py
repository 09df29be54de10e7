"""The folders import downwards only, and the package's links lead to them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mlc.dialects.nd import functions

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("compiler", "dialects", "lowering", "runtime", "tools")


@pytest.mark.parametrize("name", FOLDERS)
def test_links(name):
    assert (ROOT / "python" / "mlc" / name).resolve() == ROOT / name
    assert (ROOT / name / "__init__.py").is_file()


def lint(folder) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "python")}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_import_contract():
    ran = lint(ROOT)
    assert ran.returncode == 0, ran.stdout
    assert "1 kept, 0 broken" in ran.stdout


def test_the_contract_can_break(tmp_path):
    """An import upwards in a copy of the layout is found and named."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    package = tmp_path / "python" / "mlc"
    for name in FOLDERS:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    assert lint(tmp_path).returncode == 0
    (package / "dialects" / "wrong.py").write_text("from ..lowering import nothing\n")
    ran = lint(tmp_path)
    assert ran.returncode == 1 and "mlc.dialects.wrong -> mlc.lowering" in ran.stdout


def test_importing_mlc_loads_neither_xdsl_nor_llvmlite():
    code = "import sys, mlc; print([m for m in ('xdsl', 'llvmlite') if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_program_in_the_cache_starts_without_most_ops(tmp_path):
    """What a program does not use is not loaded: families of ops, transforms, lowering."""
    code = "import sys, numpy, mlc\n"
    code += "x = numpy.ones(8, numpy.float32)\nassert (mlc.jit(lambda x: x + x)(x) == 2).all()\n"
    code += "print(*[m for m in sys.modules if m.startswith('mlc.')])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "MLC_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    cold, warm = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
        for _ in "12"
    )
    assert "mlc.dialects.nd.dialect" in cold and "mlc.lowering.nd_to_loop" in cold
    assert "mlc.dialects.nd.dialect" not in warm
    assert not [m for m in warm if m.startswith(("mlc.lowering", "mlc.compiler.transforms"))]


def test_functions_that_load_later_are_those_that_are_typed():
    text = (ROOT / "dialects" / "nd" / "functions.py").read_text()
    typed = re.findall(r"^    from \.(\w+) import (\w+) as \2$", text, re.MULTILINE)
    assert typed == [(m, n) for m, names in functions._LATER.items() for n in names.split()]
    assert all(getattr(functions, name).__name__ for _, name in typed)
