"""Arrays of every kind as arguments and as `out`: right, or an error that names the argument. Results are the caller's.

Each case runs through both ways into a program (with and without `out=`), against NumPy on copies made before.
"""

from __future__ import annotations

import array as stdlib_array
import ctypes
from collections.abc import Callable
from typing import Any

import mlc
import numpy as np
import pytest
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches
from numpy.lib.stride_tricks import as_strided

Array = np.ndarray[Any, Any]
F = "tensor<4x8xf32>"
TWO = f"""func.func @main(%x: {F}, %y: {F}) -> ({F}, {F}) {{
  %0 = nd.sub %x, %y : {F}
  %1 = nd.mul %x, %y : {F}
  func.return %0, %1 : {F}, {F}
}}"""
ONE = f"""func.func @main(%x: {F}, %y: {F}) -> {F} {{
  %0 = nd.sub %x, %y : {F}
  func.return %0 : {F}
}}"""


def program(text: str, **options: Any) -> Compiled:
    return compile_module(parse_module(text, "<test>"), **options)


@pytest.fixture(scope="module")
def one() -> Compiled:
    return program(ONE)


@pytest.fixture(scope="module")
def two() -> Compiled:
    return program(TWO)


@pytest.fixture(scope="module")
def donating() -> Compiled:
    return program(TWO, donate=(0,))


@pytest.fixture(scope="module")
def updating() -> Compiled:
    return program(ONE, donate=(0,))


X = np.arange(32, dtype=np.float32).reshape(4, 8)
Y = (X * X % 7 - 3).astype(np.float32)


def filled(target: Array, x: Array = X) -> Array:
    target[...] = x
    return target


def memory(n: int = 4096) -> Array:
    return np.zeros(n, np.float32)


# ---- arguments


class Subclass(np.ndarray[Any, Any]):
    pass


class WithInterface:
    def __init__(self, x: Array) -> None:
        self.x = x
        self.__array_interface__ = x.__array_interface__


class WithArray:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return X.copy()


class WithDlpack:
    def __dlpack__(self, **options: Any) -> Any:
        return X.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return X.__dlpack_device__()


class Failing:
    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        raise RuntimeError("on another device")


def unaligned() -> Array:
    return filled(np.zeros(4 * 32 + 1, np.uint8)[1:].view(np.float32).reshape(4, 8))


def read_only() -> Array:
    x = X.copy()
    x.flags.writeable = False
    return x


def _memory_map() -> Array:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        X.tofile(file)
        file.flush()
        return np.memmap(file.name, np.float32, "r", 0, (4, 8))


ACCEPTED: dict[str, Callable[[], Any]] = {
    "plain": X.copy,
    "Fortran order": lambda: np.asfortranarray(X),
    "transposed": lambda: np.ascontiguousarray(X.T).T,
    "every other": lambda: filled(memory().reshape(64, 64)[:8:2, :16:2]),
    "reversed": lambda: filled(memory(32).reshape(4, 8)[::-1, ::-1]),
    "one axis reversed": lambda: filled(memory(32).reshape(4, 8)[:, ::-1]),
    "strides of pages": lambda: filled(np.zeros((4, 1 << 20), np.float32)[:, :8]),
    "strides of elements by pages": lambda: filled(np.zeros((4 * 8, 4096), np.float32)[:, 3].reshape(4, 8)),
    "broadcast": lambda: np.broadcast_to(X[1], (4, 8)),
    "unaligned": unaligned,
    "byte-swapped": lambda: X.astype(">f4"),
    "read-only": read_only,
    "field of records": lambda: filled(np.zeros((4, 8), [("a", "u1"), ("x", "<f4")])["x"]),
    "subclass": lambda: X.copy().view(Subclass),
    "memory map": _memory_map,
    "memoryview": lambda: memoryview(X.copy()),
    "buffer of bytes": lambda: memoryview(bytearray(X.tobytes())).cast("f", (4, 8)),
    "ctypes array": lambda: (ctypes.c_float * 8 * 4).from_buffer_copy(X.tobytes()),
    "array interface": lambda: WithInterface(X.copy()),
    "__array__": WithArray,
    "__dlpack__": WithDlpack,
    "DLPack capsule": lambda: X.copy().__dlpack__(),
    "list of arrays": lambda: [row.copy() for row in X],
}


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("kind", ACCEPTED)
def test_arguments(one: Compiled, kind: str, position: int) -> None:
    """They are read as NumPy reads them, and left alone."""
    for give_out in (False, True):
        given = ACCEPTED[kind]()
        value = np.array(given) if hasattr(given, "__array_interface__") or hasattr(given, "__array__") else X
        operands = [given, Y] if position == 0 else [Y, given]
        values = [value, Y] if position == 0 else [Y, value]
        out = memory(32).reshape(4, 8) if give_out else None
        result = one(*operands, out=out)
        assert_matches(EXACT, result, values[0] - values[1])
        if isinstance(given, np.ndarray):
            assert_matches(EXACT, np.asarray(given), value)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "f64": (lambda: X.astype(np.float64), r"expected float32, found float64; convert it with .astype\('float32'\)"),
    "integers": (lambda: X.astype(np.int64), "expected float32, found int64"),
    "complex": (lambda: X.astype(np.complex64), "expected float32, found complex64"),
    "bool": (lambda: X > 3, "expected float32, found bool"),
    "objects": (lambda: X.astype(object), "expected float32, found object"),
    "text": (lambda: X.astype(str), "expected float32, found str"),
    "dates": (lambda: X.astype("M8[s]"), "expected float32, found datetime64"),
    "records": (lambda: np.zeros((4, 8), [("a", "<f4"), ("b", "u1")]), "expected float32, found records of a, b"),
    "nested lists": (X.tolist, r"expected float32, found float64; convert it with np.asarray\(x, 'float32'\)"),
    "ragged lists": (lambda: [[1.0], [1.0, 2.0]], "expected an array, found list: ValueError"),
    "masked": (lambda: np.ma.masked_array(X, X > 3), r"found a masked one; fill it with .filled\(value\)"),
    "masked without a mask": (lambda: np.ma.masked_array(X), "found a masked one"),
    "rank": (lambda: X[0], r"expected shape \[4, 8\], found \[8\]"),
    "shape": (X.T.copy, r"expected shape \[4, 8\], found \[8, 4\]"),
    "zero size": (lambda: X[:0], r"expected shape \[4, 8\], found \[0, 8\]"),
    "number": (lambda: 1.0, r"expected shape \[4, 8\], found \[\]"),
    "None": (lambda: None, r"expected shape \[4, 8\], found \[\]"),
    "text itself": (lambda: "x", r"expected shape \[4, 8\], found \[\]"),
    "buffer of bytes": (X.tobytes, r"expected shape \[4, 8\], found \[\]"),
    "stdlib array": (lambda: stdlib_array.array("f", X.ravel()), r"expected shape \[4, 8\], found \[32\]"),
    "another device": (Failing, "expected an array, found Failing: RuntimeError: on another device"),
}


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("kind", REFUSED)
def test_refused_arguments(one: Compiled, kind: str, position: int) -> None:
    make, message = REFUSED[kind]
    given = [make(), Y] if position == 0 else [Y, make()]
    for out in (None, memory(32).reshape(4, 8)):
        with pytest.raises(CompileError, match=rf"main: argument {position} \(%{'xy'[position]}\): .*{message}"):
            one(*given, out=out)


# ---- out, and what it may have in common with arguments


def _overlapping(shift: int) -> Callable[[], tuple[Array, Array, Array]]:
    def make() -> tuple[Array, Array, Array]:
        base = memory(128)
        return filled(base[32:64].reshape(4, 8)), Y.copy(), base[32 + shift : 64 + shift].reshape(4, 8)

    return make


def _same() -> tuple[Array, Array, Array]:
    x = X.copy()
    return x, Y.copy(), x


def _same_as_second() -> tuple[Array, Array, Array]:
    y = Y.copy()
    return X.copy(), y, y


def _all_the_same() -> tuple[Array, Array, Array]:
    x = X.copy()
    return x, x, x


def _reversed_self() -> tuple[Array, Array, Array]:
    x = X.copy()
    return x, Y.copy(), x[::-1, ::-1]


def _transposed_self() -> tuple[Array, Array, Array]:
    base = memory(64).reshape(8, 8)
    return filled(base[:4]), Y.copy(), base.T[:4]


def _interleaved() -> tuple[Array, Array, Array]:
    base = memory(64)
    return filled(base[::2].reshape(4, 8)), Y.copy(), base[1::2].reshape(4, 8)


def _broadcast_of_out() -> tuple[Array, Array, Array]:
    out = X.copy()
    return np.broadcast_to(out[2], (4, 8)), Y.copy(), out


def _half_a_float() -> tuple[Array, Array, Array]:
    raw = np.zeros(300, np.uint8)
    return filled(raw[:128].view(np.float32).reshape(4, 8)), Y.copy(), raw[2:130].view(np.float32).reshape(4, 8)


ALIASED: dict[str, Callable[[], tuple[Array, Array, Array]]] = {
    **{f"shifted by {k}": _overlapping(k) for k in (-31, -8, -1, 1, 8, 31)},
    "next to it": _overlapping(32),
    "before it": _overlapping(-32),
    "the first argument": _same,
    "the second argument": _same_as_second,
    "both arguments": _all_the_same,
    "the argument reversed": _reversed_self,
    "the argument transposed": _transposed_self,
    "interleaved": _interleaved,
    "an argument broadcast from it": _broadcast_of_out,
    "half an element away": _half_a_float,
}


@pytest.mark.parametrize("kind", ALIASED)
def test_out_and_arguments(one: Compiled, two: Compiled, kind: str) -> None:
    x, y, out = ALIASED[kind]()
    want = x - y
    assert one(x, y, out=out) is out
    assert_matches(EXACT, out, want)
    x, y, out = ALIASED[kind]()
    difference, product = x - y, x * y
    first, second = two(x, y, out=(None, out))
    assert second is out
    assert_matches(EXACT, out, product)
    assert_matches(EXACT, first, difference)


OUTS: dict[str, Callable[[], Array]] = {
    "Fortran order": lambda: np.zeros((4, 8), np.float32, "F"),
    "every other": lambda: memory().reshape(64, 64)[:8:2, :16:2],
    "reversed": lambda: memory(32).reshape(4, 8)[::-1, ::-1],
    "unaligned": unaligned,
    "byte-swapped": lambda: np.zeros((4, 8), ">f4"),
    "field of records": lambda: np.zeros((4, 8), [("a", "u1"), ("x", "<f4")])["x"],
    "subclass": lambda: X.copy().view(Subclass),
    "strides of pages": lambda: np.zeros((4, 1 << 20), np.float32)[:, :8],
}


@pytest.mark.parametrize("kind", OUTS)
def test_out_of_any_kind(one: Compiled, kind: str) -> None:
    out = OUTS[kind]()
    assert one(X, Y, out=out) is out
    assert_matches(EXACT, np.asarray(out).astype(X.dtype), X - Y)


WRONG_OUTS: dict[str, tuple[Callable[[], Any], str]] = {
    "dtype": (lambda: np.zeros((4, 8)), r"expected float32\[4, 8\], found float64\[4, 8\]"),
    "shape": (lambda: np.zeros((8, 4), np.float32), r"expected float32\[4, 8\], found float32\[8, 4\]"),
    "read-only": (read_only, "expected a writable array, found a read-only one"),
    "broadcast": (lambda: np.broadcast_to(X[0], (4, 8)), "expected a writable array, found a read-only one"),
    "writable broadcast": (
        lambda: as_strided(memory(8), (4, 8), (0, 4)),
        r"expected elements apart from each other, found strides \[0, 4\]",
    ),
    "windows": (lambda: as_strided(memory(16), (4, 8), (4, 4)), "expected elements apart from each other"),
    "masked": (lambda: np.ma.zeros((4, 8), np.float32), "expected an array, found a masked one"),
    "list": (lambda: [0.0], r"expected float32\[4, 8\], found float"),
    "memoryview": (lambda: memoryview(X.copy()), r"expected float32\[4, 8\], found memoryview"),
    "too many": (lambda: (X.copy(), X.copy()), "out: expected 1 arrays, found 2"),
}


@pytest.mark.parametrize("kind", WRONG_OUTS)
def test_refused_out(one: Compiled, kind: str) -> None:
    make, message = WRONG_OUTS[kind]
    with pytest.raises(CompileError, match=message):
        one(X, Y, out=make())


def test_outs_must_be_apart(two: Compiled) -> None:
    base = memory(64)
    for first, second in ((base[:32], base[:32]), (base[:32], base[31:63]), (base[:32], base[:32][::-1])):
        with pytest.raises(CompileError, match=r"out\[1\]: expected arrays apart from each other"):
            two(X, Y, out=(first.reshape(4, 8), second.reshape(4, 8)))
    outs = base[::2].reshape(4, 8), base[1::2].reshape(4, 8)
    two(X, Y, out=outs)
    assert_matches(EXACT, outs[0], X - Y)
    assert_matches(EXACT, outs[1], X * Y)


def test_swapped_outs(two: Compiled) -> None:
    """Each target is the other argument."""
    x, y = X.copy(), Y.copy()
    two(x, y, out=(y, x))
    assert_matches(EXACT, y, X - Y)
    assert_matches(EXACT, x, X * Y)


# ---- donation

DONATED: dict[str, Callable[[], tuple[Any, Array]]] = {
    "alone": lambda: (X.copy(), Y.copy()),
    "itself": lambda: (lambda x: (x, x))(X.copy()),
    "a part of the other": lambda: (lambda b: (filled(b[:32].reshape(4, 8)), b[16:48].reshape(4, 8)))(memory(64)),
    "a view": lambda: (filled(memory(64)[16:48].reshape(4, 8)), Y.copy()),
    "reversed": lambda: (filled(memory(32).reshape(4, 8)[::-1]), Y.copy()),
    "broadcast": lambda: (np.broadcast_to(X[1], (4, 8)), Y.copy()),
    "writable broadcast": lambda: (as_strided(X[1].copy(), (4, 8), (0, 4)), Y.copy()),
    "broadcast to the other": lambda: (lambda x: (x, np.broadcast_to(x[0], (4, 8))))(X.copy()),
    "unaligned": lambda: (unaligned(), Y.copy()),
    "byte-swapped": lambda: (X.astype(">f4"), Y.copy()),
    "read-only": lambda: (read_only(), Y.copy()),
    "subclass": lambda: (X.copy().view(Subclass), Y.copy()),
    "__array__": lambda: (WithArray(), Y.copy()),
}
IN_PLACE = {"alone", "a view", "subclass"}


@pytest.mark.parametrize("kind", DONATED)
def test_donated_arguments(donating: Compiled, updating: Compiled, kind: str) -> None:
    """In place where nobody else can notice; else a copy, and what was given stays as it was."""
    x, y = DONATED[kind]()
    before, other = np.array(np.asarray(x)), y.copy()
    difference, product = donating(x, y)
    assert_matches(EXACT, difference, before - other)
    assert_matches(EXACT, product, before * other)
    assert not np.shares_memory(difference, product)
    assert_matches(EXACT, y, other)
    if kind not in IN_PLACE:
        assert_matches(EXACT, np.asarray(x), before)
    x, y = DONATED[kind]()
    assert np.shares_memory(updating(x, y), x) == (kind in IN_PLACE)


@pytest.mark.parametrize("target", [0, 1])
def test_donated_argument_as_out(donating: Compiled, target: int) -> None:
    x = X.copy()
    outs: list[Any] = [None, None]
    outs[target] = x
    difference, product = donating(x, Y, out=outs)
    assert_matches(EXACT, difference, X - Y)
    assert_matches(EXACT, product, X * Y)
    assert not np.shares_memory(difference, product) and (difference, product)[target] is x


def test_out_in_a_donated_argument(donating: Compiled) -> None:
    """One result is in the donated memory, the other's target overlaps it."""
    for target in (0, 1):
        base = memory(64)
        x = filled(base[:32].reshape(4, 8))
        outs: list[Any] = [None, None]
        outs[target] = base[16:48].reshape(4, 8)
        difference, product = donating(x, Y, out=outs)
        assert_matches(EXACT, difference, X - Y)
        assert_matches(EXACT, product, X * Y)


def test_weights_are_not_overwritten() -> None:
    w = X.copy()
    exe = mlc.compile(TWO, donate=(0,), constants={"y": w})
    view = as_strided(w, writeable=False)
    assert_matches(EXACT, exe(view)[0], np.zeros((4, 8), X.dtype))
    assert_matches(EXACT, w, X)


def test_weights_are_no_place_for_results() -> None:
    w = np.ones((100, 100), np.float32)
    alias = w.view()  # can be written still
    exe = mlc.compile(lambda x, w: x - w, mlc.spec((100, 100)), constants={"w": w})
    with pytest.raises(CompileError, match=r"out\[0\]: expected memory apart from the program's constants"):
        exe(np.zeros((100, 100), np.float32), out=alias)
    assert (w == 1).all()


# ---- results


def test_results_are_never_shared() -> None:
    """One value returned twice, as views, and as it came in."""
    types = f"{F}, {F}, tensor<8x4xf32>, tensor<2x8xf32>, {F}, tensor<3x4x8xf32>"
    exe = program(f"""func.func @main(%x: {F}) -> ({types}) {{
      %0 = nd.mul %x, %x : {F}
      %1 = nd.transpose %0 "a b -> b a" : ({F}) -> tensor<8x4xf32>
      %2 = nd.slice %0 from [1, 0] step [2, 1] : {F} -> tensor<2x8xf32>
      %3 = nd.broadcast %0 "a b -> c a b" : {F} -> tensor<3x4x8xf32>
      func.return %0, %0, %1, %2, %x, %3 : {types}
    }}""")
    x = X.copy()
    square = x * x
    wants = [square, square, square.T, square[1::2], X, np.broadcast_to(square, (3, 4, 8))]
    results = exe(x)
    x[...] = -1
    for k, (result, want) in enumerate(zip(results, wants, strict=True)):
        assert_matches(EXACT, result, want)
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in (x, *results[:k]))
        result[...] = -2
        if k + 1 < len(results):
            assert_matches(EXACT, results[k + 1], wants[k + 1])


def test_results_stay_when_the_program_runs_again(one: Compiled) -> None:
    results = [one(X * k, Y) for k in range(20)]
    for k, result in enumerate(results):
        assert_matches(EXACT, result, X * k - Y)


def test_constants_that_are_returned_are_copies() -> None:
    exe = mlc.compile(lambda x: (x + 1, np.arange(8, dtype=np.float32)), mlc.spec(3))
    x = np.zeros(3, np.float32)
    _, first = exe(x)
    first[...] = 0
    assert_matches(EXACT, exe(x)[1], np.arange(8, dtype=np.float32))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1,), (1, 1)])
def test_small_shapes(shape: tuple[int, ...]) -> None:
    exe = mlc.compile(lambda x, y: (x - y, x), mlc.spec(shape), mlc.spec(shape))
    x, y = np.full(shape, 3, np.float32), np.ones(shape, np.float32)
    out = np.zeros(shape, np.float32)
    for given in (x, x.copy("F"), x.astype(">f4"), x[::-1] if shape else x, np.broadcast_to(x, shape)):
        difference, same = exe(given, y)
        assert_matches(EXACT, difference, x - y)
        assert difference.shape == shape
        assert_matches(EXACT, same, x)
        assert exe(given, y, out=(out, None))[0] is out
        assert_matches(EXACT, out, x - y)
    if shape == ():
        assert exe(3.0, 1)[0] == 2


# ---- memory that there is not


def test_too_large_results_and_arenas_are_memory_errors() -> None:
    exe = mlc.compile(
        lambda x, y: (x[:, None] * y[None, :], (x[:, None] + y[None, :]).sum()), mlc.spec("n"), mlc.spec("m")
    )
    one = np.ones(1, np.float32)
    for n, m in ((1 << 24, 1 << 24), (1 << 40, 1 << 40)):
        x, y = as_strided(one, (n,), (0,)), as_strided(one, (m,), (0,))
        with pytest.raises((MemoryError, CompileError)):
            exe(x, y)
    assert exe(np.ones(2, np.float32), np.ones(3, np.float32))[0].shape == (2, 3)
