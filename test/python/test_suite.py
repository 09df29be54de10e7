"""The programs of `bench/suite`: small ones here, all with MLC_TEST_FULL=1; `python -m bench suite --check` by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sampling import FULL

from bench.suite.command import main
from bench.suite.programs import PROGRAMS, SMALL


def test_nineteen_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    names = capsys.readouterr().out.split()
    assert len(names) == 19 and set(SMALL) < set(names)


def test_one_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tiny_8x16"]) == 0
    assert "tiny_8x16" in capsys.readouterr().out


def test_unknown_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["huge"])
    assert "expected a program of attention_12x512x64" in capsys.readouterr().err


def test_bench_knows_the_suite() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "bench", "suite", "--help"]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "--check" in found.stdout


@pytest.mark.parametrize("name", PROGRAMS if FULL else SMALL)
def test_agrees_with_jax(name: str) -> None:
    import jax_oracle

    from bench.suite.check import check

    assert jax_oracle
    outcome = check(PROGRAMS[name])
    assert outcome.error < 1e-4 and outcome.back_error < 1e-4
