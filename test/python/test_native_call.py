"""The native way into a program: what it takes, what it leaves to the other ways, references, memory, threads."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.compile import Compiled
from mlc.dialects.errors import CheckError, CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime import arena, native_call, parallel
from mlc.runtime.executable import Executable
from mlc.runtime.fast_call import HOT, FastCall
from mlc.runtime.matching import assert_matches

Array = np.ndarray[Any, Any]
X = np.arange(8, dtype=np.float32).reshape(2, 4)
Y = np.full((2, 4), 10, np.float32)


@pytest.fixture(autouse=True, scope="module")
def plain() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_POISON", "0")
        yield


def warm(exe: Compiled, *arrays: Any) -> Compiled:
    """The executable, called until the native way takes these arrays."""
    for _ in range(HOT):
        exe(*arrays)
    assert exe.direct(*arrays) is not NotImplemented
    return exe


def native_of() -> native_call.Native:
    native = native_call.load(Executable, FastCall)
    assert native is not None
    return native


def spec_of(array: Array) -> Any:
    return mlc.spec(array.shape, array.dtype.name)


def compiled(fn: Callable[..., Any], *arrays: Array, **options: Any) -> Compiled:
    return mlc.compile(fn, *map(spec_of, arrays), **options)


@pytest.fixture(scope="module")
def add() -> Compiled:
    return warm(compiled(lambda x, y: x + y, X, Y), X, Y)


def staged(x: Any, y: Any) -> Any:
    """Several kernels, with values between them in the arena; exact for small integers."""
    rows = x.sum(axis=1, keepdims=True)
    z = (x - rows) * y
    return z, z.sum(axis=0), z.T @ y


# ---- what it takes
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int8", "uint16", "bool", "complex64"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 5), (2, 3, 4, 5), (0, 3)])
def test_types_and_ranks(dtype: str, shape: tuple[int, ...]) -> None:
    x = np.asarray(np.random.default_rng(0).random(shape) * 9).astype(dtype)
    y, which = np.zeros_like(x), np.asarray(np.random.default_rng(1).random(shape) < 0.5)
    exe = warm(compiled(mnp.where, which, x, y), which, x, y)
    result = exe.direct(which, x, y)
    assert result.flags.owndata and result.flags.writeable and result.dtype is x.dtype
    assert_matches(EXACT, result, np.where(which, x, y))


def test_types_of_ml_dtypes() -> None:
    x = np.arange(6).astype(mnp.bfloat16)
    exe = warm(compiled(lambda x: x + x, x), x)
    assert_matches(EXACT, exe.direct(x), x + x)


def test_several_results_and_an_arena() -> None:
    exe = warm(compiled(staged, X, Y), X, Y)
    for got, want in zip(exe.direct(X, Y), staged(X, Y), strict=True):
        assert_matches(EXACT, got, want)


def test_constants() -> None:
    table = np.arange(32, dtype=np.float32).reshape(8, 4)
    exe = warm(compiled(lambda x: mnp.asarray(table)[2:4] * x, X), X)
    assert_matches(EXACT, exe.direct(X), table[2:4] * X)


def test_sizes_in_turn() -> None:
    """More than the native way looks through."""
    exe = mlc.compile(lambda x, y: x + y, mlc.spec(("b", 4)), mlc.spec(("b", 4)))
    arrays = [(np.full((n, 4), n, np.float32), np.ones((n, 4), np.float32)) for n in range(12)]
    for _ in range(200):
        for x, y in arrays:
            assert_matches(EXACT, exe(x, y), x + y)
    assert len(exe.latest) == native_call.MOST_RECORDS


def test_many_sizes() -> None:
    exe = mlc.compile(lambda x: x + 1, mlc.spec("n"))
    for n in range(1, 400):
        for _ in range(HOT + 1):
            assert exe(np.zeros(n, np.float32))[n - 1] == 1
    assert len(exe._fast) <= 256


def test_work_without_the_lock() -> None:
    x = np.random.default_rng(0).random((128, 128), np.float32)
    exe = compiled(lambda x: x @ x, x)
    want = exe(x)
    assert not warm(exe, x).latest[0].hold
    assert_matches(EXACT, exe.direct(x), want)


def test_large_results_come_from_the_pool() -> None:
    x = np.ones(1 << 16, np.float32)
    exe = warm(compiled(lambda x: x + 1, x), x)
    first = exe.direct(x)
    address = first.ctypes.data
    del first
    second = exe.direct(x)
    third = exe.direct(x)
    assert second.ctypes.data == address != third.ctypes.data
    assert second.min() == third.max() == 2


def test_strides_of_the_program() -> None:
    f = mlc.jit(lambda x, y: x + y)
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    for a in (x.T, x[::-1], np.broadcast_to(x[0], (4, 6))):
        b = np.ones(a.shape, np.float32)
        exe = warm(f.compile(a, b), a, b)
        assert_matches(EXACT, exe.direct(a, b), a + b)
        assert exe.direct(a.copy(), b) is NotImplemented
        assert_matches(EXACT, exe(a.copy(), b), a + b)


# ---- what it does not take
def misfits() -> dict[str, Any]:
    wide = np.zeros((4, 8), np.float32)
    wide[::2, ::2] = X
    shifted = np.zeros(33, np.uint8)[1:].view(np.float32).reshape(2, 4)
    shifted[...] = X
    return {
        "column-major": np.asfortranarray(X),
        "sliced": wide[::2, ::2],
        "broadcast": np.broadcast_to(X[0], (2, 4)),
        "unaligned": shifted,
        "byte-swapped": X.astype(">f4"),
        "lists": X.tolist(),
        "subclass": X.view(np.recarray),
        "memory map": np.ndarray.__new__(np.memmap, (2, 4), np.float32, X.tobytes()),
        "own type object": X.astype(np.dtype("float32", metadata={"a": 1})),
        "masked": np.ma.array(X),
        "dtype": X.astype(np.float64),
        "rank": X[0],
        "size": X[:1],
        "no array": None,
    }


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return type(error), str(error), getattr(error, "notes", None)


@pytest.mark.parametrize("name", misfits())
@pytest.mark.parametrize("position", [0, 1])
def test_what_does_not_fit_goes_the_general_way(add: Compiled, name: str, position: int) -> None:
    """With the result or the error that a program has which was never called before."""
    arrays: list[Any] = [X, Y]
    arrays[position] = misfits()[name]
    assert add.direct(*arrays) is NotImplemented
    got, want = outcome(lambda: add(*arrays)), outcome(lambda: Executable._call(add, *arrays))
    if isinstance(want, tuple):
        assert got == want and want[0] is CompileError
    else:
        assert_matches(EXACT, got, want)


def test_sizes_of_one_have_any_stride_and_arguments_may_be_read_only(add: Compiled) -> None:
    x = X[:1].copy()
    one = warm(compiled(lambda x: x + x, x), x)
    odd = np.lib.stride_tricks.as_strided(X, (1, 4), (400, 4))
    assert_matches(EXACT, one.direct(odd), odd + odd)
    frozen = X.copy()
    frozen.flags.writeable = False
    assert_matches(EXACT, add.direct(frozen, Y), X + Y)


@pytest.mark.parametrize("arrays", [(), (X,), (X, Y, Y)])
def test_wrong_counts(add: Compiled, arrays: tuple[Array, ...]) -> None:
    with pytest.raises(CompileError, match=f"expected 2 arguments .*, found {len(arrays)}"):
        add(*arrays)


def test_unknown_keywords(add: Compiled) -> None:
    for keywords in ({"where": X}, {"out": None, "where": X}):
        with pytest.raises(TypeError, match="unexpected keyword argument 'where'"):
            add(X, Y, **keywords)


def test_other_objects_are_refused_by_the_method(add: Compiled) -> None:
    with pytest.raises(TypeError):
        Executable.__call__(X, Y)  # pyright: ignore


# ---- out
def test_out(add: Compiled) -> None:
    for given in (lambda o: o, lambda o: (o,)):
        out = np.full((2, 4), np.nan, np.float32)
        assert add.direct(X, Y, out=given(out)) is out
        assert_matches(EXACT, out, X + Y)
    assert_matches(EXACT, add.direct(X, Y, out=None), X + Y)


def test_out_of_several_results() -> None:
    exe = warm(compiled(staged, X, Y), X, Y)
    outs = tuple(np.full(w.shape, np.nan, np.float32) for w in staged(X, Y))
    got = exe.direct(X, Y, out=outs)
    for result, out, want in zip(got, outs, staged(X, Y), strict=True):
        assert result is out
        assert_matches(EXACT, out, want)
    for wrong in (outs[0], outs[:2], (outs[0], outs[0], outs[2]), (*outs[:2], None)):
        assert exe.direct(X, Y, out=wrong) is NotImplemented


def test_out_that_cannot_be_written_as_it_lies(add: Compiled) -> None:
    x, out = X.copy(), np.zeros((2, 4), np.float32)
    frozen = out.copy()
    frozen.flags.writeable = False
    memory = np.zeros(12, np.float32)
    inside = memory[:8].reshape(2, 4)
    odd = np.zeros(33, np.uint8)[1:].view(np.float32).reshape(2, 4)
    column = np.zeros((4, 2), np.float32).T
    for other in (x, frozen, odd, column, [out], (out, out), (None,), (), out.astype(np.float64), out[:1], "no"):
        assert add.direct(x, Y, out=other) is NotImplemented
    assert add.direct(inside, Y, out=memory[4:].reshape(2, 4)) is NotImplemented
    assert add.direct(inside, Y, out=memory[4:12].reshape(2, 4)) is NotImplemented
    want = x + Y
    assert add(x, Y, out=x) is x
    assert_matches(EXACT, x, want)
    assert add(X, Y, out=column) is column
    assert_matches(EXACT, column, X + Y)
    with pytest.raises(CompileError, match="expected a writable array"):
        add(X, Y, out=frozen)


def test_neighbours_are_apart(add: Compiled) -> None:
    memory = np.arange(24, dtype=np.float32)
    x, y, out = (memory[8 * k : 8 * k + 8].reshape(2, 4) for k in range(3))
    want = x + y
    assert add.direct(x, y, out=out) is out
    assert_matches(EXACT, out, want)


# ---- donation
@pytest.fixture(scope="module")
def update() -> Compiled:
    exe = compiled(lambda p, g: (p - g, g.sum()), X, Y, donate=(0,))
    return warm(exe, X.copy(), Y)


def test_a_donated_argument_is_the_result(update: Compiled) -> None:
    p = X.copy()
    new, total = update.direct(p, Y)
    assert new is p and total == Y.sum()
    assert_matches(EXACT, p, X - Y)


@pytest.mark.parametrize("case", ["same", "overlap", "read-only", "out"])
def test_a_donated_argument_that_must_not_be_written(update: Compiled, case: str) -> None:
    memory = np.arange(16, dtype=np.float32)
    p, g = memory[:8].reshape(2, 4), Y.copy()
    if case == "same":
        g = p
    elif case == "overlap":
        g = memory[4:12].reshape(2, 4)
    elif case == "read-only":
        p.flags.writeable = False
    keywords = {"out": (np.zeros_like(X), np.zeros((), np.float32))} if case == "out" else {}
    before, other = p.copy(), g.copy()
    assert update.direct(p, g, **keywords) is NotImplemented
    assert_matches(EXACT, p, before)
    assert_matches(EXACT, update(p, g, **keywords)[0], before - other)


# ---- errors
def test_a_failed_check() -> None:
    def fn(x: Any) -> Any:
        mlc.check(x < 10, "expected small numbers")
        return x + x

    good, bad = np.ones(4, np.float32), np.full(4, 11, np.float32)
    exe = warm(compiled(fn, good), good)
    count = sys.getrefcount(bad)
    for _ in range(100):
        with pytest.raises(CheckError, match="expected small numbers"):
            exe.direct(bad)
    assert sys.getrefcount(bad) == count
    assert_matches(EXACT, exe.direct(good), good + good)


@pytest.mark.parametrize("elements, place, refused", [
    (1 << 16, "LEASE", 0), (1 << 21, "ALLOCATE", 0), (1 << 16, "LEASE", 1), (1 << 21, "ALLOCATE", 1),
])  # fmt: skip
def test_no_memory_for_a_result(elements: int, place: str, refused: int) -> None:
    """The first or the second: what was made before it goes, and an exception comes."""
    x = np.ones(elements, np.float32)
    exe = warm(compiled(lambda x: (x + 1, x + 2, x.sum()), x), x)
    native, kept = native_of(), [exe.direct(x) for _ in range(native_call.MOST_LEASES)] if place == "LEASE" else []
    calls: list[int] = []

    def refuse(*given: Any) -> Any:
        calls.append(0)
        if len(calls) % (refused + 1):
            return native.lease(*given) if place == "LEASE" else arena.allocate(*given)
        raise MemoryError

    at, fast = native_call.STATE.index(place), exe.latest[0]
    before, count = native.state[at], sys.getrefcount(fast)
    native.state[at] = id(refuse)
    try:
        for n in range(1, 4):
            with pytest.raises(MemoryError):
                for _ in range(4):
                    kept.append(exe.direct(x))
            assert len(calls) >= n
    finally:
        native.state[at] = before
    assert sys.getrefcount(fast) == count
    assert exe.direct(x)[0][0] == 2


# ---- references and memory
def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
def test_references_and_memory_over_many_calls(add: Compiled, update: Compiled) -> None:
    several = warm(compiled(staged, X, Y), X, Y)
    out, outs, p = X.copy(), tuple(np.zeros_like(w) for w in staged(X, Y)), X.copy()
    column, wrong = np.asfortranarray(X), X[0]
    held = [X, Y, out, *outs, p, column, wrong, X.dtype, add.latest[0], several.latest[0], NotImplemented, "out"]

    def calls(n: int) -> None:
        for _ in range(n):
            add(X, Y)
            add(X, Y, out=out)
            several(X, Y)
            several(X, Y, out=outs)
            update(p, Y)
            assert add.direct(column, Y) is NotImplemented
            assert add.direct(X, Y, out=X) is NotImplemented
            assert add.direct(wrong, Y) is NotImplemented

    calls(100)
    gc.collect()
    counts, memory = [sys.getrefcount(x) for x in held], resident()
    calls(10_000)
    assert [sys.getrefcount(x) for x in held] == counts
    assert resident() - memory < 1 << 20


def test_an_executable_is_collected() -> None:
    exe = warm(compiled(lambda x: x + 3, X), X)
    gone = weakref.ref(exe)
    del exe
    gc.collect()
    assert gone() is None


def test_results_are_apart(add: Compiled) -> None:
    results = [add.direct(X, np.full((2, 4), k, np.float32)) for k in range(50)]
    for k, result in enumerate(results):
        assert_matches(EXACT, result, X + k)


# ---- arenas
def test_arenas_are_few_and_bounded() -> None:
    native = native_of()
    for size in (100, 1 << 20, native_call.LENT - 1000, native_call.LENT + 1, 64, *range(1000, 40_000, 1000)):
        native.lend(size)
        assert len(native.blocks) <= native_call.MOST_ARENAS
        assert sum(b.size for b in native.blocks.values()) <= native_call.LENT
    taken: list[int] = []
    while address := native.take(1):
        taken.append(address)
    assert set(taken) == set(native.blocks)
    native.lend(1 << 25)
    assert len(native.blocks) <= native_call.MOST_ARENAS  # what is in use stays
    for address in taken:
        native.give(address, native.blocks[address].size)
    assert native.take(1 << 40) is None


# ---- blocks of large results
def test_blocks_of_results_are_few_and_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    native, most = native_of(), native_call.MOST_LEASES
    monkeypatch.setattr(arena, "RESULTS", pool := arena.FreeList())
    sizes = [1 << 15, 1 << 16, 3 << 17, 1 << 21]
    arrays = [np.full(n, n, np.float32) for n in sizes]
    exes = [warm(compiled(lambda x: x + 1, x), x) for x in arrays]
    results = [exe.direct(x) for exe, x in zip(exes, arrays) for _ in range(10)]
    assert len(native.leases) >= 30
    for k, result in enumerate(results):
        assert result[0] == result[-1] == sizes[k // 10] + 1
        assert result.flags.writeable and result.flags.c_contiguous and result.ctypes.data % 64 == 0
    del result
    results.reverse()
    while results:
        results.pop()
    assert len(native.leases) == most
    assert pool.held == sum(size * len(found) for size, found in pool.blocks.items()) > 0
    assert sum(b.size for _, b in native.leases.values()) <= most * native_call.LEASED


def test_an_array_that_goes_leaves_an_exception_alone() -> None:
    x = np.ones(1 << 16, np.float32)
    exe = warm(compiled(lambda x: x - 1, x), x)

    def fail(results: list[Array]) -> None:
        raise ValueError("mine")

    for _ in range(3):
        with pytest.raises(ValueError, match="mine"):
            fail([exe.direct(x) for _ in range(native_call.MOST_LEASES + 5)])


def test_a_program_ends_with_results_alive() -> None:
    code = """
import mlc, numpy as np
exe = mlc.compile(lambda x: x + 1, mlc.spec(1 << 16))
x = np.ones(1 << 16, np.float32)
class Late:
    def __init__(self): self.results = [exe(x) for _ in range(30)]
    def __del__(self): self.results.clear()
late = Late()
cycle = [late, exe(x)]
cycle.append(cycle)
np.late = Late()
assert exe.latest
"""
    environment = {**os.environ, "MLC_POISON": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr


# ---- threads and processes
def test_eight_threads() -> None:
    x = np.random.default_rng(0).integers(-3, 4, (96, 96)).astype(np.float32)
    one = warm(compiled(lambda x, y: x + y, X, Y), X, Y)
    several, product = compiled(staged, X, Y), compiled(lambda x: x @ x + staged(x, x)[2], x)
    want = warm(product, x)(x)
    warm(several, X, Y)
    failures: list[Any] = []

    def work(k: int) -> None:
        y = np.full((2, 4), k, np.float32)
        expected = staged(X, y)
        for n in range(400):
            good = np.array_equal(one(X, y), X + k)
            good &= all(map(np.array_equal, several(X, y), expected))
            if n % 4 == 0:
                good &= np.array_equal(product(x), want)
            if not good:
                failures.append((k, n))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.own_process
def test_a_forked_child_calls() -> None:
    exe = warm(compiled(staged, X, Y), X, Y)
    child = os.fork()
    if child == 0:
        good = all(all(map(np.array_equal, exe.direct(X, Y), staged(X, Y))) for _ in range(100))
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert all(map(np.array_equal, exe.direct(X, Y), staged(X, Y)))


# ---- programs for several threads
needs_pool = pytest.mark.skipif(parallel.kind() == "serial", reason="no futexes on this system")


@pytest.fixture(scope="module")
def shared() -> tuple[Compiled, Array, Array]:
    """For two threads, with the work of each call done by both or, where they are busy, by one."""
    x = np.random.default_rng(0).integers(0, 9, (300, 2000)).astype(np.float32)
    exe = compiled(lambda a: mnp.sqrt(a * a) + 1, x, threads=2)
    assert exe.program.threads == 2
    return warm(exe, x), x, x + 1


@needs_pool
def test_a_pool_of_threads(shared: tuple[Compiled, Array, Array]) -> None:
    exe, x, want = shared
    (fast,) = exe.latest
    for _ in range(50):
        assert_matches(EXACT, exe.direct(x), want)
    lent, fast.cell.value = fast.cell.value, 0
    assert lent
    assert exe.direct(x) is NotImplemented  # in use
    assert_matches(EXACT, exe(x), want)
    fast.cell.value = lent
    assert exe.direct(x) is not NotImplemented


@needs_pool
def test_threads_call_programs_for_several(shared: tuple[Compiled, Array, Array]) -> None:
    exe, x, want = shared
    failures: list[int] = []

    def work() -> None:
        for n in range(100):
            if not np.array_equal(exe(x), want):
                failures.append(n)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and exe.direct(x) is not NotImplemented


@needs_pool
@pytest.mark.own_process
def test_a_forked_child_has_other_threads(shared: tuple[Compiled, Array, Array]) -> None:
    exe, x, want = shared
    child = os.fork()
    if child == 0:
        refused = exe.direct(x) is NotImplemented
        good = all(np.array_equal(exe(x), want) for _ in range(100))
        os._exit(0 if refused and good and exe.direct(x) is not NotImplemented else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert_matches(EXACT, exe.direct(x), want)


@needs_pool
def test_calls_at_exit() -> None:
    code = """
import atexit, mlc, numpy as np
x = np.ones((300, 2000), np.float32)
exe = mlc.compile(lambda a: mlc.numpy.sqrt(a) + 1, x, threads=2)
assert exe.program.threads == 2
def late():
    for _ in range(100):
        assert exe(x)[0, 0] == 2
import mlc.runtime.parallel
atexit.register(late)
late()
assert exe.latest
class Late:
    def __del__(self, late=late): late()
exe.extra = Late()
atexit.register(late)
"""
    environment = {**os.environ, "MLC_POISON": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr


# ---- the look at the layout
@pytest.mark.parametrize("field", native_call.NUMPY)
def test_another_layout_of_arrays_is_found(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert native_call._arrays_are_known()
    monkeypatch.setitem(native_call.NUMPY, field, native_call.NUMPY[field] + 8 if field != "array_flags" else 24)
    assert not native_call._arrays_are_known()
    assert native_call._load(Executable, FastCall) is None


def test_without_the_native_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_call, "_loaded", [None])
    exe = compiled(lambda x, y: x - y, X, Y)
    for _ in range(HOT + 2):
        assert_matches(EXACT, exe(X, Y), X - Y)
    assert exe.latest == () and exe.direct(X, Y) is NotImplemented


def test_names_of_words_are_no_two_things() -> None:
    names = [*native_call.HEADER, *native_call.DESCRIBED, *native_call.STATE]
    assert len(set(names)) == len(names)


def test_poisoned_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_POISON", "1")
    exe = compiled(lambda x, y: x * y, X, Y)
    for _ in range(HOT + 2):
        assert_matches(EXACT, exe(X, Y), X * Y)
    assert exe.latest == ()
