"""Output is a function of the input: every pass prints the same bytes in every process and under every hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "examples").glob("*.mlir"))
SEEDS = ("0", "1", "4242")

DUMP_ALL = """
import io, sys
from mlc.compiler.driver import ALL, Options, run
from mlc.compiler.parsing import parse_module
for path in sys.argv[2:]:
    module = parse_module(open(path).read(), path)
    run(module, sys.argv[1], Options(print_after=frozenset({ALL}), locations=True, dump=sys.stdout))
"""


def dumps(seed: str, pipeline: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", DUMP_ALL, pipeline, *map(str, MODULES)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("pipeline", ["cpu"])
def test_every_pass_prints_the_same_bytes(pipeline):
    first, *others = [dumps(seed, pipeline) for seed in SEEDS]
    assert first.count("IR Dump After") >= 5 * len(MODULES)
    for other in others:
        for mine, its in zip(first.splitlines(), other.splitlines(), strict=True):
            assert mine == its
