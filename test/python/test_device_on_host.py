"""Programs for GPUs, their functions run on the host: results against the interpreter's, whole calls through the run
time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import native_cases
import numpy as np
import pytest
import test_control_native
from control_cases import CASES
from device_on_host import HostDriver, on_host
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches
from native_cases import TEMPLATES
from sampling import sample
from test_ops_native import ROWS, one
from test_ptxas import PROGRAMS

NEAR = Tolerance(ulp=16, sums=16)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDriver]:
    with on_host(monkeypatch) as library:
        yield library


def compiled(text: str, target: str, **options: Any) -> Compiled:
    return compile_module(parse_module(text, "<test>"), target=target, **options)


@pytest.mark.parametrize("name", ["elementwise", "softmax", "contraction", "sum"])
def test_programs(name: str, host: HostDriver) -> None:
    cpu, gpu = (compiled(PROGRAMS[name], target) for target in ("cpu", "cuda"))
    rng = np.random.default_rng(0)
    args = [rng.standard_normal([int(n) for n in a.shape]).astype(np.float32) for a in cpu.program.arguments]
    assert_matches(NEAR, np.asarray(gpu(*args)), cpu(*args))
    assert host.launched


LONG = ("triangular_solve", "cholesky", "inverse", "solve")
"""Many launches of many blocks, whose threads are the system's."""
SMALL = [row for row in ROWS if max(row["size"], row["other"]) <= 33 and TEMPLATES[row["op"]].op not in LONG]
CHOSEN = sample(SMALL, 32, "rows on the host")


@pytest.mark.parametrize("chunk", range(0, len(CHOSEN), 8))
def test_ops(chunk: int, host: HostDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some rows of the table of ops, element types, shapes, memory orders and values."""
    monkeypatch.setattr(native_cases, "compile_module", partial(compile_module, target="cuda"))
    ones = [one(row, chunk + k) for k, row in enumerate(CHOSEN[chunk : chunk + 8])]
    wrong = native_cases.check(native_cases.program(ones), ones)
    assert not wrong, "\n".join(wrong)
    assert host.launched


@pytest.mark.parametrize("name", sample(sorted(CASES), 12, "control on the host"))
def test_control_flow(name: str, host: HostDriver) -> None:
    """Branches and loops of the entry read their predicates on the device; a second call may be recorded."""
    case = CASES[name]
    exe = test_control_native.compiled(case.fn, *case.args, target="cuda")
    for _ in range(2):
        test_control_native.same(exe(*case.args), case.reference(*case.args))
