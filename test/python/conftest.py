"""Fixtures of all tests: the tools in this process, with what they print.

A test marked `own_process` runs in a fresh one if JAX is loaded in this one: JAX's threads do not survive a fork, of
which it warns.

Every program runs in poisoned memory (MLC_POISON, see runtime/poison.py), also those of the processes that tests start.
MLC_STRESS=10 runs the stress tests ten times as long as usual.
"""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sampling import FULL

if TYPE_CHECKING:
    from cuda_fake import FakeDriver

os.environ.setdefault("MLC_POISON", "1")
os.environ.setdefault("MLC_TUNED", "0")  # no test depends on what somebody has measured

ROOT = Path(__file__).resolve().parents[2]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if pyfuncitem.get_closest_marker("own_process") is None or "jax" not in sys.modules:
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", pyfuncitem.nodeid]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return True


@dataclass(frozen=True)
class Ran:
    """What a tool did: its exit code and both outputs."""

    code: int
    out: str
    err: str


Tool = Callable[..., Ran]


def run_tool(main: Callable[[list[str]], int], args: tuple[object, ...], text: str | None, monkeypatch, capsys) -> Ran:
    capsys.readouterr()
    if text is not None:
        stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
    try:
        code = main([str(a) for a in args])
    except SystemExit as leave:  # argparse
        code = int(leave.code or 0)
    out = capsys.readouterr()
    return Ran(code, out.out, out.err)


@pytest.fixture
def stress() -> int:
    """How often a stress test repeats what it does: 1, or MLC_STRESS."""
    return max(1, int(os.environ.get("MLC_STRESS", "1")))


@pytest.fixture
def plain_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executables made in this test do not run in poisoned memory: for times, and for what memory is used again."""
    monkeypatch.setenv("MLC_POISON", "0")


@pytest.fixture
def shared_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Programs for several threads share even short loops."""
    from mlc.compiler.machine import detect

    description = tmp_path / "machine.toml"
    description.write_text(dataclasses.replace(detect(), wake_us=1e-6).text())
    monkeypatch.setenv("MLC_MACHINE", str(description))


TARGETS = [(bits, threads) for bits in (128, 256, 512) for threads in (1, 2)]
if not FULL:
    TARGETS = [(128, 2), (256, 1), (512, 1), (512, 2)]
"""Widths of vectors, and threads: each of both, and both of the widest."""


@pytest.fixture(params=TARGETS, ids=[f"{bits}x{threads}" for bits, threads in TARGETS])
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shared_work: None) -> tuple[int, int]:
    """The test runs for each width of vectors and number of threads."""
    bits, threads = request.param
    monkeypatch.setenv("MLC_VECTOR_BITS", str(bits))
    monkeypatch.setenv("MLC_THREADS", str(threads))
    return bits, threads


@pytest.fixture
def opt(monkeypatch, capsys) -> Tool:
    """`opt("file.mlir", "-p", "cse")` or `opt("-p", "cse", text="...")`."""
    from mlc.tools.mlc_opt import main

    return lambda *args, text=None: run_tool(main, args, text, monkeypatch, capsys)


@pytest.fixture
def execute(monkeypatch, capsys) -> Tool:
    """`execute("file.mlir", "--check")`: mlc-run."""
    from mlc.tools.mlc_run import main

    return lambda *args, text=None: run_tool(main, args, text, monkeypatch, capsys)


@pytest.fixture
def compile_file(monkeypatch, capsys) -> Tool:
    """`compile_file("file.mlir", "--emit=obj", "-o", path)`: mlc-compile."""
    from mlc.tools.mlc_compile import main

    return lambda *args, text=None: run_tool(main, args, text, monkeypatch, capsys)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeDriver]:
    """NVIDIA's driver, without a GPU, in the place of the real one; it fails the test where it failed itself."""
    from cuda_fake import FakeDriver
    from cuda_programs import KERNELS
    from mlc.runtime.cuda import driver

    monkeypatch.setenv("MLC_POISON", "0")
    library = FakeDriver(KERNELS)
    with driver.replaced(library):
        yield library
    assert not library.kept or not [e for e in library.kept if isinstance(e, Exception)]
