"""Tensors of other libraries in native calls, by DLPack's table of C functions: what is taken, what goes other ways."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from exchange_library import Base, library
from mlc.compiler.compile import Compiled
from mlc.dialects.errors import CheckError, CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime import exchange, native_call, native_tensors
from mlc.runtime.abi import numpy_named
from mlc.runtime.fast_call import HOT
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
    """The executable, called until the native way takes these arguments."""
    for _ in range(HOT):
        exe(*arrays)
    assert exe.direct(*arrays) is not NotImplemented
    return exe


def compiled(fn: Any, *arrays: Array, **options: Any) -> Compiled:
    return mlc.compile(fn, *[mlc.spec(a.shape, a.dtype.name) for a in arrays], **options)


TENSOR = library()


@pytest.fixture
def kind() -> Any:
    """A type that is known."""
    exchange.meet(TENSOR(X), X)
    return TENSOR


@pytest.fixture(scope="module")
def subtract() -> Compiled:
    return warm(compiled(lambda x, y: x - y, X, Y), X, Y)


# ---- what is taken
def test_tensors_are_read_in_place(kind: Any, subtract: Compiled) -> None:
    x, y = kind(X.copy()), kind(Y.copy())
    for given in ((x, y), (x, Y), (X, y), (x, x), (kind(X), x)):
        arrays = [g.array if isinstance(g, Base) else g for g in given]
        asked = kind.asked
        assert_matches(EXACT, subtract.direct(*given), arrays[0] - arrays[1])
        assert kind.asked == asked + sum(isinstance(g, Base) for g in given)
    x.array[...] = 7
    result = subtract.direct(x, y)
    assert_matches(EXACT, result, x.array - Y)
    assert type(result) is np.ndarray and subtract.copies == 0


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "bfloat16", "float8_e5m2", "int64", "uint8", "bool", "complex64"]
)
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 5), (0, 3)])
def test_types_and_ranks(kind: Any, dtype: str, shape: tuple[int, ...]) -> None:
    x = np.asarray(np.random.default_rng(0).random(shape) * 9).astype(numpy_named(dtype))
    exe, lent = compiled(lambda x: mnp.concatenate((x[None], x[None])), x), kind.lent
    for _ in range(HOT):
        assert_matches(EXACT, exe(kind(x)), np.stack((x, x)))
    assert_matches(EXACT, exe.direct(kind(x)), np.stack((x, x)))
    assert kind.lent == lent


def test_strides_of_the_program(kind: Any) -> None:
    f = mlc.jit(lambda x, y: x + y)
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    for a in (x.T, x[::-1], np.broadcast_to(x[0], (4, 6))):
        b = np.ones(a.shape, np.float32)
        exe = warm(f.compile(a, b), a, b)
        assert_matches(EXACT, exe.direct(kind(a), kind(b)), a + b)
        assert exe.direct(kind(a.copy()), kind(b)) is NotImplemented


SAME: dict[str, dict[str, Any]] = {
    "an offset": {"data": X.ctypes.data - 16, "offset": 16},
    "no strides": {"strides": None},
    "another number of the device": {"device": 3},
    "strides where they do not matter": {},
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_said_otherwise(kind: Any, subtract: Compiled, name: str) -> None:
    x = kind(X)
    x.says = SAME[name]
    assert_matches(EXACT, subtract.direct(x, Y), X - Y)


def test_sizes_of_one_have_any_stride(kind: Any) -> None:
    x = X[:1].copy()
    exe, odd = warm(compiled(lambda x: x + x, x), x), kind(x)
    odd.says = {"steps": (99, 1)}
    assert_matches(EXACT, exe.direct(odd), x + x)


# ---- what is not
MISFITS: dict[str, dict[str, Any]] = {
    "code": {"code": 0},
    "no such code": {"code": 200},
    "bits": {"bits": 64},
    "no power of two": {"bits": 96},
    "lanes": {"lanes": 2},
    "rank": {"rank": 1},
    "negative rank": {"rank": -1},
    "size": {"sizes": (4, 2)},
    "negative size": {"sizes": (2, -4)},
    "columns": {"steps": (1, 2)},
    "reversed": {"steps": (-4, 1)},
    "device": {"device_type": 2},
    "pinned memory": {"device_type": 3},
    "no memory": {"data": None},
    "no memory but an offset": {"data": None, "offset": 64},
    "unaligned": {"offset": 1},
}


@pytest.mark.parametrize("name", MISFITS)
@pytest.mark.parametrize("position", [0, 1])
def test_what_does_not_fit_goes_the_general_way(kind: Any, subtract: Compiled, name: str, position: int) -> None:
    """Where the tensor is read as NumPy reads it, whatever the table says."""
    given, arrays = [kind(X), kind(Y)], [X, Y]
    given[position].says = MISFITS[name]
    assert subtract.direct(*given) is NotImplemented
    assert_matches(EXACT, subtract(*given), arrays[0] - arrays[1])


def test_a_function_that_fails(kind: Any, subtract: Compiled) -> None:
    x = kind(X)
    x.fails = True
    for _ in range(10):
        assert subtract.direct(x, Y) is NotImplemented
        assert_matches(EXACT, subtract(x, Y), X - Y)
    out = kind(Y.copy())
    out.fails = True
    assert subtract.direct(X, Y, out=out) is NotImplemented


HIDDEN: dict[str, dict[str, Any]] = {
    "requires_grad": {"requires_grad": False},
    "is_neg": {"is_neg": lambda self: False},
    "is_conj": {"is_conj": lambda self: False},
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_table_does_not_say(name: str) -> None:
    cls = library(**HIDDEN[name])
    z = (X + 1j * Y).astype(np.complex64)
    exe = warm(compiled(lambda x: x + x, z), cls(z))
    for value in (True, None, 1):
        setattr(cls, name, value if name == "requires_grad" else lambda self, value=value: value)
        assert exe.direct(cls(z)) is NotImplemented
    setattr(cls, name, property(lambda self: 1 / 0))
    assert exe.direct(cls(z)) is NotImplemented
    delattr(cls, name)
    assert exe.direct(cls(z)) is NotImplemented


def test_errors_are_those_of_arrays(kind: Any, subtract: Compiled) -> None:
    wrong = (X[0], X.T.copy(), X.astype(np.float64), X.astype(object))
    for array in wrong:
        with pytest.raises(CompileError) as want:
            subtract(X, array)
        with pytest.raises(CompileError) as got:
            subtract(X, kind(array))
        assert str(got.value).partition(";")[0] == str(want.value).partition(";")[0]


def test_many_dimensions(kind: Any) -> None:
    for rank in (native_tensors.RANK, native_tensors.RANK + 1):
        x = np.arange(4, dtype=np.float32).reshape((1,) * (rank - 2) + (2, 2))
        exe = warm(compiled(lambda x: x.reshape(4) * 2, x), x)
        assert (exe.direct(kind(x)) is NotImplemented) == (rank > native_tensors.RANK)
        assert_matches(EXACT, exe(kind(x)), x.reshape(4) * 2)


# ---- tables
TABLES: dict[str, tuple[dict[str, Any], bool]] = {
    "usual": ({}, True),
    "without a function": ({"borrowed": False}, True),
    "without the other function": ({"owned": False}, False),
    "another name": ({"name": b"another"}, False),
    "version": ({"major": 2}, False),
    "version 0": ({"major": 0}, False),
    "version and none before": ({"major": 3, "previous": library(major=2)}, False),
    "version after another": ({"major": 2, "previous": library()}, True),
    "a chain": ({"major": 3, "previous": library(major=2, previous=library())}, True),
    "a circle": ({"major": 2, "previous": "itself"}, False),
}


@pytest.mark.parametrize("name", TABLES)
def test_which_tables_are_used(name: str) -> None:
    options, good = TABLES[name]
    cls = library(**options)
    exe, x = compiled(lambda x, y: x * y, X, Y), cls(X)
    for _ in range(HOT + 1):
        assert_matches(EXACT, exe(x, Y), X * Y)
    assert (cls in exchange.known) == good and (exe.direct(x, Y) is not NotImplemented) == good
    assert cls.lent == 0


def test_something_else_than_a_table(subtract: Compiled) -> None:
    cls = type("Tensor", (Base,), {"__dlpack_c_exchange_api__": 1})
    assert_matches(EXACT, subtract(cls(X), Y), X - Y)
    assert cls not in exchange.known


@pytest.mark.parametrize("says", [*MISFITS.values(), {"major": 2}])
def test_a_table_that_is_wrong_is_found(subtract: Compiled, says: dict[str, Any]) -> None:
    cls = library()
    x = cls(X)
    x.says = says
    assert_matches(EXACT, subtract(x, Y), X - Y)
    assert cls not in exchange.known and cls.lent == 0
    assert_matches(EXACT, subtract(cls(X), Y), X - Y)
    assert cls in exchange.known


def test_a_tensor_that_says_too_little(subtract: Compiled) -> None:
    """An array of one element has no order in memory."""
    cls = library()
    one = np.array(3, np.float32)
    assert compiled(lambda x: x + x, one)(cls(one)) == 6 and cls not in exchange.known


def test_subclasses_are_read_as_ever(kind: Any, subtract: Compiled) -> None:
    inner = type("Parameter", (kind,), {})
    assert subtract.direct(inner(X), Y) is NotImplemented
    assert_matches(EXACT, subtract(inner(X), Y), X - Y)
    assert subtract.direct(inner(X), Y) is NotImplemented


def test_few_types_are_known(subtract: Compiled) -> None:
    types = [library() for _ in range(exchange.MOST + 2)]
    for cls in types:
        assert_matches(EXACT, subtract(cls(X), Y), X - Y)
    assert [cls in exchange.known for cls in types] == [False] * 2 + [True] * exchange.MOST
    assert subtract.direct(types[0](X), Y) is NotImplemented
    assert_matches(EXACT, subtract(types[0](X), Y), X - Y)
    assert_matches(EXACT, subtract.direct(types[0](X), types[-1](Y)), X - Y)


# ---- descriptions that are given back
def test_without_the_shorter_function() -> None:
    cls = library(borrowed=False)
    exe = warm(compiled(lambda x, y: x - y, X, Y), cls(X), cls(Y))
    assert_matches(EXACT, exe.direct(cls(X), cls(Y)), X - Y)
    other = cls(X)
    for says in ({"major": 2}, {"code": 0}):
        other.says = says
        assert exe.direct(cls(X), other) is NotImplemented
    assert cls.lent == 0


def test_a_failed_check() -> None:
    def fn(x: Any) -> Any:
        mlc.check(x < 10, "expected small numbers")
        return x + x

    cls = library(borrowed=False)
    exe = warm(compiled(fn, X), cls(X))
    for _ in range(3):
        with pytest.raises(CheckError, match="expected small numbers"):
            exe.direct(cls(Y))
    assert cls.lent == 0


# ---- out and donation
def test_out(kind: Any, subtract: Compiled) -> None:
    for x, given in ((X, lambda o: o), (kind(X), lambda o: o), (X, lambda o: (o,)), (kind(X), lambda o: [o])):
        out = kind(np.full((2, 4), np.nan, np.float32))
        assert subtract(x, Y, out=given(out)) is out
        assert_matches(EXACT, out.array, X - Y)
    out.array[...] = np.nan
    counts = sys.getrefcount(out), kind.lent
    assert subtract.direct(kind(X), Y, out=out) is out
    assert_matches(EXACT, out.array, X - Y)
    assert (sys.getrefcount(out), kind.lent) == counts


def test_out_of_several_results(kind: Any) -> None:
    exe = warm(compiled(lambda x, y: (x + y, x - y), X, Y), X, Y)
    one, other = kind(np.zeros_like(X)), np.zeros_like(X)
    for out in ((one, other), (other, one), (one, None)):
        results = exe(kind(X), Y, out=out)
        assert all(r is o for r, o in zip(results, out, strict=True) if o is not None)
        for got, want in zip(results, (X + Y, X - Y), strict=True):
            assert_matches(EXACT, np.asarray(got), want)


def test_out_that_cannot_be_written_as_it_lies(kind: Any, subtract: Compiled) -> None:
    x = kind(X.copy())
    assert subtract.direct(x, Y, out=x) is NotImplemented  # the same memory
    assert subtract(x, Y, out=x) is x
    assert_matches(EXACT, x.array, X - Y)
    column = np.zeros((4, 2), np.float32).T
    unaligned = np.zeros(33, np.uint8)[1:].view(np.float32).reshape(2, 4)
    for out in (kind(column), kind(unaligned)):
        assert subtract.direct(X, Y, out=out) is NotImplemented
        assert subtract(X, Y, out=out) is out
        assert_matches(EXACT, out.array, X - Y)


def test_out_that_is_refused(kind: Any, subtract: Compiled) -> None:
    frozen = kind(Y.copy())
    frozen.array.flags.writeable = False
    assert subtract.direct(X, Y, out=frozen) is NotImplemented
    with pytest.raises(CompileError, match=r"out\[0\]: expected a writable array, found a read-only one"):
        subtract(X, Y, out=frozen)
    with pytest.raises(CompileError, match=r"out\[0\]: expected float32\[2, 4\], found float64\[2, 4\]"):
        subtract(X, Y, out=kind(Y.astype(np.float64)))
    assert kind.lent == 0
    strange = library(is_neg=lambda self: True)
    with pytest.raises(CompileError, match=r"out\[0\]: expected memory that can be written, .* found is_neg"):
        subtract(X, Y, out=strange(Y.copy()))


def test_a_donated_argument_goes_the_general_way(kind: Any) -> None:
    exe = warm(compiled(lambda p, g: p - g, X, Y, donate=(0,)), X.copy(), Y)
    p = kind(X.copy())
    assert exe.direct(p, Y) is NotImplemented
    result = exe(p, kind(Y))
    assert type(result) is np.ndarray and np.shares_memory(result, p.array)
    assert_matches(EXACT, p.array, X - Y)
    assert_matches(EXACT, exe.direct(X.copy(), kind(Y)), X - Y)  # what is not donated


# ---- capsules
def test_capsules_are_read_and_not_used_up(kind: Any) -> None:
    exe, capsule = compiled(lambda x: x + x + x, X), kind(X).__dlpack__()
    for _ in range(3):
        assert_matches(EXACT, exe(capsule), 3 * X)
    del capsule
    gc.collect()
    assert kind.lent == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "device": ({"device_type": 2}, "expected an array of the host, found one on DLPack's device 2"),
    "memory": ({"data": None}, "expected an array in memory, found none"),
    "lanes": ({"lanes": 2}, "expected elements of one number"),
    "version": ({"major": 2}, "expected DLPack 1, found 2.3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_capsules_that_are_refused(kind: Any, subtract: Compiled, name: str) -> None:
    says, message = REFUSED[name]
    x = kind(X)
    x.says = says
    with pytest.raises(CompileError, match=rf"argument 1 \(%y\): expected an array, found PyCapsule: .*{message}"):
        subtract(X, x.__dlpack__())


# ---- jitted functions
def test_jitted_functions(kind: Any) -> None:
    f = mlc.jit(lambda tree, y: {"sum": tree["x"] + y})
    for _ in range(80):
        assert_matches(EXACT, f({"x": kind(X)}, kind(Y))["sum"], X + Y)
    asked = kind.asked
    assert f._short and f.cache_info().misses == 1
    assert_matches(EXACT, f({"x": kind(X)}, Y)["sum"], X + Y)
    assert kind.asked == asked + 1  # nothing but the table was asked
    assert_matches(EXACT, f({"x": kind(X.T)}, kind(Y.T))["sum"], (X + Y).T)
    assert f.copies == 0


# ---- references, memory, threads
def test_references_over_many_calls(kind: Any, subtract: Compiled) -> None:
    owner = library(borrowed=False, requires_grad=False, is_neg=lambda self: False)
    x, y, z, out, wrong = kind(X), kind(Y), owner(Y.copy()), kind(Y.copy()), kind(X[0])
    subtract(X, z)
    held = [x, y, z, out, wrong, X, Y, X.dtype, False, kind, owner, subtract.latest[0]]

    def calls(n: int) -> None:
        for _ in range(n):
            subtract(x, y)
            subtract(x, z)
            subtract(x, y, out=out)
            assert subtract.direct(wrong, y) is NotImplemented

    calls(100)
    gc.collect()
    counts = [sys.getrefcount(o) for o in held]
    calls(500)
    gc.collect()
    assert [sys.getrefcount(o) for o in held] == counts
    assert kind.lent == owner.lent == 0


def test_threads(kind: Any, subtract: Compiled) -> None:
    failures: list[int] = []

    def work(k: int) -> None:
        y = kind(np.full((2, 4), k, np.float32))
        for n in range(300):
            if not np.array_equal(subtract(kind(X), y), X - k):
                failures.append(n)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_calls_at_the_end_of_a_process() -> None:
    code = """
import atexit, mlc, numpy as np
from exchange_library import library
x = library()(np.ones((2, 4), np.float32))
exe = mlc.compile(lambda a, b: a + b, x.array, x.array)
def late():
    for _ in range(10):
        assert exe(x, x)[0, 0] == 2
late()
assert exe.direct(x, x) is not NotImplemented
import mlc.runtime.native_tensors
atexit.register(late)
"""
    folder = os.path.dirname(__file__)
    environment = {**os.environ, "MLC_POISON": "0", "PYTHONPATH": os.pathsep.join([*sys.path, folder])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_without_the_native_way(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_call, "_loaded", [None])
    exe = compiled(lambda x, y: x - y - y, X, Y)
    out = kind(np.zeros_like(X))
    for _ in range(HOT + 2):
        assert_matches(EXACT, exe(kind(X), kind(Y)), X - Y - Y)
        assert exe(kind(X), Y, out=out) is out
    assert exe.latest == ()
    assert_matches(EXACT, out.array, X - Y - Y)


def test_poisoned_memory(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_POISON", "1")
    exe = compiled(lambda x, y: x * y, X, Y)
    for _ in range(HOT + 2):
        assert_matches(EXACT, exe(kind(X), kind(Y)), X * Y)
    assert exe.latest == ()
