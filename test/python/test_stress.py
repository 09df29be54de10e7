"""The run time under load: threads, forks, signals, memory that is used again.

MLC_STRESS=10 makes the numbers those of a release: 8 threads of 10,000 calls, 100 equal runs.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.compile import Compiled
from mlc.dialects.nd.op import EXACT
from mlc.runtime import arena
from mlc.runtime.arena import Block, FreeList, class_of
from mlc.runtime.executable import HOLD, LONG
from mlc.runtime.matching import assert_matches

Array = np.ndarray[Any, Any]
THREADS = 8


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run it in so many threads at once; the first error of any is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(k: int) -> None:
        start.wait()
        try:
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def small(x: Any, y: Any) -> Any:
    return x * 3 - y


def staged(x: Any, y: Any) -> Any:
    """Several kernels, with values between them in the arena; exact in f32 for small integers."""
    rows = x.sum(axis=1, keepdims=True)
    z = (x - rows) * y
    return z, z.sum(axis=0), (z.T @ y), rows


def mixed(x: Any, w: Any) -> Any:
    return mnp.tanh(x @ w).sum(axis=0) / (1 + mnp.exp(x.T @ x))


@pytest.fixture(scope="module")
def plain() -> tuple[Compiled, Compiled]:
    """A program of one kernel, and one of several, both for any number of rows; their memory is not poisoned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        specs = mlc.spec(("b", 16)), mlc.spec(("b", 16))
        return mlc.compile(small, *specs), mlc.compile(staged, *specs)


def integers(rng: np.random.Generator, rows: int) -> Array:
    return rng.integers(-3, 4, (rows, 16)).astype(np.float32)


# ---- threads


def test_calls_from_threads_give_what_they_should(plain: tuple[Compiled, Compiled], stress: int) -> None:
    """Of one executable, small and large, with and without the interpreter's lock; older results stay as they are."""
    one, several = plain
    rows = (1, 7, 64, 4096)
    rng = np.random.default_rng(0)
    given = [(integers(rng, n), integers(rng, n)) for n in rows]
    wants = [(small(x, y), staged(x, y)) for x, y in given]

    def work(k: int) -> None:
        kept: list[tuple[Array, Array]] = []
        for n in range(1000 * stress):
            which = (n * 7 + k) % 64 % 3 if n % 40 else 3
            (x, y), (want, wants_of_several) = given[which], wants[which]
            if (n + k) % 2:
                got = one(x, y) if n % 5 else one(x, y, out=np.empty_like(x))
                assert_matches(EXACT, got, want)
                kept.append((got, want))
            else:
                for result, expected in zip(several(x, y), wants_of_several, strict=True):
                    assert_matches(EXACT, result, expected)
            if len(kept) > 8:
                for result, expected in kept:
                    assert_matches(EXACT, result, expected)
                kept.clear()

    in_threads(work)


def test_threads_of_poisoned_calls(stress: int) -> None:
    exe = mlc.compile(staged, mlc.spec(("b", 16)), mlc.spec(("b", 16)))
    rng = np.random.default_rng(1)
    given = [(integers(rng, n), integers(rng, n)) for n in (1, 33, 500)]
    wants = [staged(x, y) for x, y in given]

    def work(k: int) -> None:
        for n in range(50 * stress):
            which = (n + k) % 3
            for result, want in zip(exe(*given[which]), wants[which], strict=True):
                assert_matches(EXACT, result, want)

    in_threads(work)


def test_runs_are_bitwise_equal_under_load(plain: tuple[Compiled, Compiled], stress: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        exe = mlc.compile(mixed, mlc.spec((64, 48)), mlc.spec((48, 48)))
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((64, 48)).astype(np.float32), rng.standard_normal((48, 48)).astype(np.float32)
    first = exe(x, w).tobytes()
    load = np.ones((512, 16), np.float32)

    def work(k: int) -> None:
        for _ in range(10 * stress):
            assert exe(x, w).tobytes() == first
            plain[1](load, load)

    in_threads(work)


def test_threads_compile_at_once() -> None:
    """The same function, and different ones, also while another thread traces: each thread has its own trace."""
    shared = mlc.jit(lambda x, y: mnp.exp(x - x) * x + y)
    x = np.arange(6, dtype=np.float32)

    def work(k: int) -> None:
        own = mlc.jit(lambda x: x * k + shared(x, x))
        for n in (2, 3, 4 + k % 2):
            assert_matches(EXACT, shared(x[:n], x[:n]), x[:n] * 2)
            assert_matches(EXACT, own(x[:n]), x[:n] * k + x[:n] * 2)
            with mlc.eager():
                assert_matches(EXACT, np.asarray(mlc.jit(lambda x: x + 1)(x)), x + 1)

    in_threads(work)
    assert shared.cache_info().entries == 4


def test_a_trace_is_seen_by_its_own_thread_only() -> None:
    """While one thread traces, another one's call of a compiled function runs it, and does not join the trace."""
    f = mlc.jit(lambda x: x + 1)
    x = np.ones(3, np.float32)
    f(x)
    results: list[Any] = []

    def model(y: Any) -> Any:
        thread = threading.Thread(target=lambda: results.append(f(x)))
        thread.start()
        thread.join()
        return y * 2

    assert_matches(EXACT, mlc.jit(model)(x), x * 2)
    assert isinstance(results[0], np.ndarray)
    assert_matches(EXACT, results[0], x + 1)


# ---- the interpreter's lock


@pytest.fixture(scope="module")
def long() -> tuple[Compiled, Array]:
    """Many kernels of some milliseconds each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        x = np.full((600, 600), 0.001, np.float32)

        def program(x: Any) -> Any:
            for _ in range(150):
                x = mnp.tanh(x @ x)
            return x

        return mlc.compile(program, x), x


def test_short_calls_keep_the_lock_and_long_ones_do_not(long: tuple[Compiled, Array]) -> None:
    tiny = mlc.compile(small, mlc.spec((4, 4)), mlc.spec((4, 4)))
    medium = mlc.compile(small, mlc.spec((1 << 18,)), mlc.spec((1 << 18,)))
    any_size = mlc.compile(small, mlc.spec(("b", 4)), mlc.spec(("b", 4)))
    assert tiny.program.work < HOLD and tiny.short({}) == (True, False)
    assert medium.short({}) == (False, False) and HOLD < medium.program.work < LONG
    assert long[0].short({}) == (False, True)
    assert [any_size.short({"b": b}) for b in (1, 1 << 16, 1 << 30)] == [(True, False), (False, False), (False, True)]


def test_other_threads_run_during_a_long_call(long: tuple[Compiled, Array]) -> None:
    exe, x = long
    done = threading.Event()

    def work() -> None:
        exe(x)
        done.set()

    thread = threading.Thread(target=work)
    steps = 0
    thread.start()
    while not done.is_set():
        steps += 1
        time.sleep(0.001)
    thread.join()
    assert steps > 20


# ---- signals

INTERRUPT = """
import signal, sys, time
import numpy as np, mlc, mlc.numpy as mnp
x = np.full((600, 600), 0.001, np.float32)
def program(x):
    for _ in range(80):
        x = mnp.tanh(x @ x)
    return x
exe = mlc.compile(program, x)
exe(x[:], out=x.copy())
print("ready", flush=True)
start = time.monotonic()
try:
    while time.monotonic() < start + 60:
        exe(x)
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
assert np.isfinite(exe(x)).all()
print("again")
"""


def test_ctrl_c_stops_a_long_call() -> None:
    process = subprocess.Popen([sys.executable, "-c", INTERRUPT], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    word, when = out.splitlines()[0].split()
    assert word == "interrupted" and out.endswith("again\n") and process.returncode == 0
    assert float(when) - sent < 1.0  # 0.1 s on a machine that does nothing else


class Stop(Exception):
    pass


def test_handlers_run_during_a_call_and_their_exceptions_come_back(long: tuple[Compiled, Array]) -> None:
    exe, x = long
    want = exe(x)
    seen: list[float] = []
    old = signal.signal(signal.SIGALRM, lambda *_: seen.append(time.monotonic()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        assert_matches(EXACT, exe(x), want)
        ended = time.monotonic()
        assert len(seen) == 1 and seen[0] < ended

        def stop(*_: object) -> None:
            raise Stop("enough")

        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        with pytest.raises(Stop, match="enough") as error:
            exe(x)
        assert error.traceback[-1].name == "stop"
        assert_matches(EXACT, exe(x), want)
        signal.signal(signal.SIGALRM, lambda *_: seen.append(float(exe(x)[0, 0])))  # a call within a call
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        assert_matches(EXACT, exe(x), want)
        assert seen[-1] == float(want[0, 0])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_calls_of_other_threads_go_on(long: tuple[Compiled, Array]) -> None:
    """Signals are the main thread's."""
    exe, x = long
    want = exe(x)
    old = signal.signal(signal.SIGALRM, lambda *_: None)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        in_threads(lambda k: assert_matches(EXACT, exe(x), want), 2)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


# ---- forks


def child_status(work: Callable[[], None]) -> int:
    """Fork; the exit status of the child, which has 60 s for its work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads
        pid = os.fork()
    if not pid:
        signal.alarm(60)
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.own_process
def test_a_fork_in_the_middle(plain: tuple[Compiled, Compiled], stress: int) -> None:
    """While other threads call and compile: the child calls what there is, and compiles.

    All modules are loaded before: a child that is forked in the middle of an import waits for it forever, in any Python
    program.
    """
    one, several = plain
    rng = np.random.default_rng(3)
    x, y = integers(rng, 4096), integers(rng, 4096)
    stop = threading.Event()
    errors: list[BaseException] = []

    def call(k: int) -> None:
        try:
            while not stop.is_set():
                assert_matches(EXACT, several(x, y)[0], staged(x, y)[0])
                assert_matches(EXACT, one(x, y), small(x, y))
        except BaseException as error:
            errors.append(error)

    def compile(k: int) -> None:
        n = 0
        try:
            while not stop.is_set():
                n += 1
                assert mlc.jit(lambda x, n: x * n + k, static=1)(x, n).shape == x.shape
        except BaseException as error:
            errors.append(error)

    def work() -> None:
        for _ in range(3):
            assert_matches(EXACT, one(x, y), small(x, y))
            assert_matches(EXACT, several(x, y)[2], staged(x, y)[2])
        assert_matches(EXACT, mlc.jit(lambda x: x * 5 - 3)(x), x * 5 - 3)
        in_threads(lambda k: assert_matches(EXACT, mlc.jit(lambda x: x - k)(x), x - k), 2)

    work()
    threads = [threading.Thread(target=f, args=(k,)) for k in range(2) for f in (call, compile)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3 * stress):
            time.sleep(0.02)
            assert child_status(work) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors


@pytest.mark.own_process
def test_a_fork_while_calls_run_in_parallel(stress: int) -> None:
    """Executables with threads of their own, called from several; the child starts new ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        exe = mlc.compile(mixed, mlc.spec((512, 256)), mlc.spec((256, 256)), threads=2)
    rng = np.random.default_rng(4)
    x, w = (rng.standard_normal((n, 256)).astype(np.float32) for n in (512, 256))
    want = exe(x, w).tobytes()
    stop = threading.Event()
    errors: list[bool] = []

    def call() -> None:
        while not stop.is_set():
            errors.extend([True] * (exe(x, w).tobytes() != want))

    def work() -> None:
        for _ in range(3):
            assert exe(x, w).tobytes() == want

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2 * stress):
            time.sleep(0.02)
            assert child_status(work) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors


@pytest.mark.own_process
def test_processes_of_multiprocessing() -> None:
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_in_process, range(4)) == [float(6 * k) for k in range(4)]


def _in_process(k: int) -> float:
    return float(mlc.jit(lambda x: (x * k).sum())(np.ones(6, np.float32)))


def test_a_process_ends_while_threads_call() -> None:
    code = """
import threading, time, numpy as np, mlc
exe = mlc.compile(lambda x, y: (x @ y).sum(axis=0), mlc.spec((300, 300)), mlc.spec((300, 300)))
x = np.ones((300, 300), np.float32)
def work():
    while True:
        exe(x, x)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


# ---- memory


def test_a_free_list_is_right_under_threads(stress: int) -> None:
    """A block has one user at a time, what is held is counted and bounded."""
    limit = 1 << 22
    blocks = FreeList(limit)
    users: dict[int, int] = {}

    def work(k: int) -> None:
        rng = np.random.default_rng(k)
        mine: list[Block] = []
        for n in rng.integers(1, 1 << 18, 2000 * stress):
            block = blocks.take(int(n))
            assert block.size >= n and users.setdefault(id(block), k) == k
            mine.append(block)
            if len(mine) > 6:
                gone = mine.pop(int(rng.integers(len(mine))))
                del users[id(gone)]
                blocks.give(gone)
        for block in mine:
            del users[id(block)]
            blocks.give(block)

    in_threads(work)
    assert blocks.held == sum(size * len(found) for size, found in blocks.blocks.items()) <= limit
    blocks.clear()
    assert blocks.held == 0 and not blocks.blocks


def test_sizes_fall_into_few_classes() -> None:
    sizes = [int(1.01**k) for k in range(1, 3000)]
    classes = {class_of(size) for size in sizes if size < 1 << 40}
    assert all(size <= class_of(size) <= size * 1.125 + 64 for size in sizes) and len(classes) < 340


def test_results_that_are_gone_leave_their_memory(plain_memory: None) -> None:
    """In any order, from any thread, and from cycles that the collector finds."""
    arena.RESULTS.clear()
    exe = mlc.compile(lambda x: x + 1, mlc.spec("n"))
    limit = arena.RESULTS.limit

    def work(k: int) -> None:
        for n in range(200):
            x = np.zeros(40_000 + 1000 * ((n + k) % 7), np.float32)
            result = exe(x)
            if n % 3 == 0:
                cycle: list[Any] = [result]
                cycle.append(cycle)
            part = result[5:9]
            del result
            assert part.sum() == 4

    in_threads(work, 4)
    gc.collect()
    held = arena.RESULTS.held
    assert 0 < held <= limit
    assert held == sum(size * len(found) for size, found in arena.RESULTS.blocks.items())
    assert len(arena.RESULTS.blocks) <= 7


def test_the_pool_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, limit in (("0", 0), ("1.5", 3 << 19), ("nonsense", 1 << 30), ("", 1 << 30), ("-1", 0)):
        monkeypatch.setenv("MLC_POOL_SIZE", text)
        assert arena.pool_limit() == limit
    nothing = FreeList(0)
    nothing.give(nothing.take(100))
    assert nothing.held == 0


def test_memory_is_bounded_over_many_shapes(plain_memory: None) -> None:
    """Neither shapes nor results pile up."""
    exe = mlc.compile(lambda x: x + 1, mlc.spec("n"))
    for n in range(1, 2000):
        exe(np.zeros(n, np.float32))
    assert len(exe._fast) <= 256
    for n in range(40_000, 60_000, 16):
        exe(np.zeros(n, np.float32))
    assert arena.lease_type.cache_info().currsize < 200
