"""Programs for GPUs, their functions run on the host: results against the interpreter's, whole calls through the run
time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from device_on_host import HostDriver, on_host
from mlc.compiler.compile import compile_module
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.matching import assert_matches
from test_ptxas import PROGRAMS

NEAR = Tolerance(ulp=16, sums=16)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDriver]:
    with on_host(monkeypatch) as library:
        yield library


def compiled(text: str, target: str):
    return compile_module(parse_module(text, "<test>"), target=target)


@pytest.mark.parametrize("name", ["elementwise", "softmax", "contraction", "sum"])
def test_programs(name: str, host: HostDriver) -> None:
    text = PROGRAMS[name]
    cpu, gpu = (compiled(text, t) for t in ("cpu", "cuda"))
    rng = np.random.default_rng(0)
    args = [
        rng.standard_normal(a.shape).astype(a.dtype if a.dtype != "f32" else np.float32) for a in cpu.program.arguments
    ]
    assert_matches(NEAR, np.asarray(gpu(*args)), cpu(*args))
    assert host.launched
