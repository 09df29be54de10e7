"""Checks and prints of compiled programs: order, number, where they are, what they raise; interrupts of loops."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.frontend.tracing import trace
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.context import _host, _poll
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.locks import once
from mlc.runtime.matching import assert_matches
from mlc.runtime.parallel import library
from mlc.runtime.soft_float import _library

NEAR = Tolerance(ulp=16, sums=16)

F = np.float32
X = np.array([1.5, -2, 0.25], F)


def compiled(fn: Callable[..., Any], *args: Any) -> Compiled:
    return compile_module(trace(fn, args, "main").module)


def prints(fn: Callable[..., Any], args: tuple[Any, ...], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that native code prints, which are those of the interpreter."""
    module = trace(fn, args, "main").module
    Interpreter(module.clone()).call("main", *args)
    want = capsys.readouterr().out
    compile_module(module)(*args)
    assert capsys.readouterr().out == want
    return want.splitlines()


def test_prints_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(x: Any) -> Any:
        mlc.debug_print("first {}", x)
        y = mnp.exp(x)
        mlc.debug_print("sum {:.3f} of {}", y.sum(), y.T)
        mlc.debug_print("no values")
        mlc.debug_print("{0} {1} {0}", x[1], x > 0)
        return y

    lines = prints(fn, (X,), capsys)
    assert lines[0] == "first [ 1.5  -2.    0.25]" and lines[2] == "no values"
    assert lines[3] == "-2.0 [ True False  True] -2.0"


def test_prints_in_regions(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(x: Any) -> Any:
        def step(c: Any, row: Any) -> Any:
            mlc.cond(c > 0, lambda: mlc.debug_print("row {}", row), lambda: mlc.debug_print("none"))
            return c + row.sum(), None

        out, _ = mlc.scan(step, 0.0, x)
        mlc.debug_print("end {}", out)
        return out

    x = np.arange(6, dtype=F).reshape(3, 2)
    assert prints(fn, (x,), capsys) == ["none", "row [2. 3.]", "row [4. 5.]", "end 15.0"]


def test_prints_of_run_time_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(x: Any, y: Any) -> Any:
        mlc.debug_print("{} and {}", x * 2, y.T)
        return x.sum()

    exe = compiled(fn, mlc.spec(("n",), "float32"), mlc.spec(("m", 2), "int64"))
    for n, m in ((0, 1), (3, 2)):
        exe(np.ones(n, F), np.arange(2 * m).reshape(m, 2))
        assert capsys.readouterr().out == f"{np.full(n, 2, F)} and {np.arange(2 * m).reshape(m, 2).T}\n"


def test_a_failed_check_says_what_and_where(tmp_path: Path) -> None:
    def fn(x: Any) -> Any:
        mlc.check(x > 0, "expected positive numbers")
        return mnp.log(x)

    exe = compiled(fn, X)
    assert_matches(NEAR, exe(abs(X)), np.log(abs(X)))
    with pytest.raises(mlc.CheckError, match="expected positive numbers") as error:
        exe(X)
    assert error.value.message == "expected positive numbers" and "test_effects_native.py" in str(error.value)
    exe.save(tmp_path / "program.mlc")
    again = mlc.load(tmp_path / "program.mlc")
    with pytest.raises(mlc.CheckError, match=r"_native.py:\d+:\d+: check failed: expected positive numbers"):
        again(X)


def test_the_first_check_that_fails_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(n: Any) -> Any:
        def body(i: Any) -> Any:
            mlc.check(i < 3, "at least 3")
            mlc.debug_print("{}", i)
            mlc.check(i < 2, "at least 2")
            return i + 1

        return mlc.while_loop(lambda i: i < n, body, 0)

    exe = compiled(fn, np.int64(5))
    with pytest.raises(mlc.CheckError, match="at least 2"):
        exe(np.int64(5))
    assert capsys.readouterr().out == "0\n1\n2\n"
    assert exe(np.int64(2)) == 2


def test_a_check_in_a_branch_that_is_not_taken() -> None:
    def fn(p: Any, x: Any) -> Any:
        def taken() -> Any:
            mlc.check(x > 0, "positive")
            return mnp.sqrt(x)

        return mlc.cond(p, taken, lambda: x)

    exe = compiled(fn, np.True_, X)
    assert_matches(EXACT, exe(np.False_, X), X)
    with pytest.raises(mlc.CheckError, match="positive"):
        exe(np.True_, X)


def test_effects_are_not_dropped_repeated_or_merged(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(x: Any) -> Any:
        for _ in range(3):
            mlc.debug_print("same {}", x)
        y = mnp.sin(x)
        mlc.check(y <= 1, "unread")
        return x

    assert prints(fn, (X,), capsys) == [f"same {X}"] * 3
    assert compiled(fn, X).mlir("graph").count("nd.check") == 1


def test_what_a_print_raises_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def write(self, text: str) -> None:
            raise OSError("disk full")

    exe = compiled(lambda x: (mlc.debug_print("{}", x), x)[1], X)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Broken())
        with pytest.raises(OSError, match="disk full"):
            exe(X)
    assert_matches(EXACT, exe(X), X)


def test_threads_print_and_fail_apart(capsys: pytest.CaptureFixture[str]) -> None:
    def fn(k: Any) -> Any:
        mlc.debug_print("{}", k)
        mlc.check(k % 2 == 0, "even")
        return k * 10

    exe = compiled(fn, np.int64(0))
    found: dict[int, Any] = {}

    def call(k: int) -> None:
        try:
            found[k] = int(exe(np.int64(k)))
        except mlc.CheckError as error:
            found[k] = error.message

    threads = [threading.Thread(target=call, args=(k,)) for k in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {k: k * 10 if k % 2 == 0 else "even" for k in range(16)}
    assert sorted(map(int, capsys.readouterr().out.split())) == list(range(16))


def test_what_is_loaded_is_loaded_once() -> None:
    """By threads that want it at the same time: what one has an address in is not replaced by what another loads."""
    made: list[object] = []

    @once
    def load() -> object:
        time.sleep(0.01)
        made.append(object())
        return made[-1]

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(load())) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(made) == 1 and found == made * 8
    assert all(hasattr(f, "__wrapped__") and not hasattr(f, "cache_info") for f in (_host, _poll, library, _library))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A process in the background of a shell ignores the signal, and so do those that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("nested", [False, True])
def test_a_signal_ends_a_loop(nested: bool, interruptible: None) -> None:
    """Ctrl-C in a loop that would run for hours."""

    def outer(i: Any) -> Any:
        return mlc.fori_loop(0, 10, lambda _, j: j + 1, i) if nested else i + 1

    exe = compiled(lambda n: mlc.while_loop(lambda i: i < n, outer, 0), np.int64(0))
    assert exe(np.int64(20)) >= 20
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        exe(np.int64(1 << 60))
    assert time.perf_counter() - start < 5
    assert exe(np.int64(3)) >= 3


def test_a_signal_ends_a_loop_that_prints(capsys: pytest.CaptureFixture[str], interruptible: None) -> None:
    def body(i: Any) -> Any:
        mlc.debug_print("{}", i)
        return i + 1

    exe = compiled(lambda n: mlc.while_loop(lambda i: i < n, body, 0), np.int64(0))
    for delay in (0.05, 0.07, 0.1):
        timer = threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            exe(np.int64(1 << 60))
        assert capsys.readouterr().err == ""


def test_other_handlers_raise_what_they_raise() -> None:
    def handler(*_: Any) -> None:
        raise TimeoutError("too long")

    exe = compiled(lambda n: mlc.while_loop(lambda i: i < n, lambda i: i + 1, 0), np.int64(0))
    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(TimeoutError, match="too long"):
            exe(np.int64(1 << 60))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
