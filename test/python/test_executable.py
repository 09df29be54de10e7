"""Executables: what arrays they accept, what they return, who owns the memory, what wrong calls say."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import numpy as np
import pytest
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.op import EXACT
from mlc.runtime import jit
from mlc.runtime.abi import Argument, Constant, Program, Result, Slot
from mlc.runtime.executable import Executable
from mlc.runtime.matching import assert_matches

B = [[1, ["b"]]]
B4 = [[16, ["b"]]]

# out[i] = x[i] + y[i] for n elements; pointers and strides are in elements
ADD = """
define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {{
entry:
  %x = load ptr, ptr %buffers
  %py = getelementptr ptr, ptr %buffers, i64 1
  %y = load ptr, ptr %py
  %po = getelementptr ptr, ptr %buffers, i64 {out}
  %o = load ptr, ptr %po
  {size}
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %j = mul i64 %i, {step}
  %ax = getelementptr float, ptr %x, i64 %j
  %ay = getelementptr float, ptr %y, i64 %i
  %ao = getelementptr float, ptr %o, i64 %i
  %vx = load float, ptr %ax
  %vy = load float, ptr %ay
  %s = fadd float %vx, %vy
  store float %s, ptr %ao
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i32 0
}}
"""

# the same as mlc_call: the data pointers of two arguments and a result, no check of alignment
CALL = """
define i32 @mlc_call(ptr %a, ptr %b, ptr %c, ptr %constants, ptr %sizes, ptr %arena, ptr %context) {
  %buffers = alloca [3 x ptr]
  %fa = getelementptr i8, ptr %a, i64 16
  %fb = getelementptr i8, ptr %b, i64 16
  %fc = getelementptr i8, ptr %c, i64 16
  %da = load ptr, ptr %fa
  %db = load ptr, ptr %fb
  %dc = load ptr, ptr %fc
  %b1 = getelementptr ptr, ptr %buffers, i64 1
  %b2 = getelementptr ptr, ptr %buffers, i64 2
  store ptr %da, ptr %buffers
  store ptr %db, ptr %b1
  store ptr %dc, ptr %b2
  %ia = ptrtoint ptr %da to i64
  %odd = and i64 %ia, 3
  %no = icmp ne i64 %odd, 0
  br i1 %no, label %refuse, label %run
refuse:
  ret i32 -1
run:
  %status = call i32 @mlc_entry(ptr %buffers, ptr null, ptr %arena, ptr %context)
  ret i32 %status
}
"""


def build(program: Program, size: str = "%n = add i64 8, 0", step: str = "1", out: int = 2) -> Executable:
    return Executable(program, [jit.compile_object(ADD.format(size=size, step=step, out=out))])


def plain(**changes: Any) -> Program:
    arguments = [Argument("x", "f32", [2, 4]), Argument("y", "f32", [2, 4])]
    parts: dict[str, Any] = {
        "name": "main",
        "arguments": arguments,
        "slots": [Slot(32)],
        "results": [Result("f32", [2, 4], "slot", 0)],
    }
    return Program(**{**parts, **changes})


@pytest.fixture(scope="module", params=["buffers", "arrays"])
def add(request: pytest.FixtureRequest) -> Executable:
    """Through each of the two forms of the entry."""
    if request.param == "buffers":
        return build(plain())
    code = ADD.format(size="%n = add i64 8, 0", step="1", out=2) + CALL
    return Executable(plain(), [jit.compile_object(code)])


@pytest.fixture(scope="module")
def symbolic() -> Executable:
    program = plain(
        arguments=[Argument("x", "f32", [B, 4]), Argument("y", "f32", [B, 4])],
        slots=[Slot(B4)],
        results=[Result("f32", [B, 4], "slot", 0)],
        symbols=["b"],
    )
    return build(program, "%b = load i64, ptr %sizes\n  %n = mul i64 %b, 4")


X = np.arange(8, dtype=np.float32).reshape(2, 4)
Y = np.full((2, 4), 10, np.float32)


def test_plain_call(add: Executable) -> None:
    assert_matches(EXACT, add(X, Y), X + Y)
    assert add.copies == 0


def arrangements() -> dict[str, np.ndarray]:
    wide = np.zeros((4, 8), np.float32)
    wide[::2, ::2] = X
    raw = np.zeros(33, np.uint8)
    shifted = raw[1:].view(np.float32).reshape(2, 4)
    shifted[...] = X
    return {
        "column-major": np.asfortranarray(X),
        "sliced": wide[::2, ::2],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "broadcast": np.broadcast_to(X[0], (2, 4)),
        "unaligned": shifted,
        "byte-swapped": X.astype(">f4"),
        "nested lists": X.tolist(),
    }


@pytest.mark.parametrize("name", [n for n in arrangements() if n != "nested lists"])
def test_any_arrangement_of_an_argument(add: Executable, name: str) -> None:
    """What does not lie in memory as expected is copied, and the caller's array is left alone."""
    x = arrangements()[name]
    before = x.copy()
    copies = add.copies
    assert_matches(EXACT, add(x, Y), x + Y)
    assert add.copies == copies + 1
    assert_matches(EXACT, x, before)


def test_read_only_arguments(add: Executable) -> None:
    x = X.copy()
    x.flags.writeable = False
    copies = add.copies
    assert_matches(EXACT, add(x, Y), X + Y)
    assert add.copies == copies


WRONG = {
    "count": ((X,), r"expected 2 arguments \(%x: f32\[2, 4\], %y: f32\[2, 4\]\), found 1"),
    "dtype": ((X.astype(np.float64), Y), r"argument 0 \(%x\): expected float32, found float64; convert it with"),
    "shape": ((X, Y[:1]), r"argument 1 \(%y\): expected shape \[2, 4\], found \[1, 4\]"),
    "rank": ((X[0], Y), r"argument 0 \(%x\): expected shape \[2, 4\], found \[4\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls(add: Executable, case: str) -> None:
    arrays, message = WRONG[case]
    with pytest.raises(CompileError, match=message):
        add(*arrays)


@pytest.mark.parametrize("dtype, number, right", [
    ("f32", 2, True), ("f32", 0.1, True), ("i32", 3, True), ("i32", 1.5, False), ("i32", 1 << 31, False),
    ("i1", True, True), ("i1", 1, False), ("f32", np.float64(1), False),
])  # fmt: skip
def test_python_numbers(dtype: str, number: Any, right: bool) -> None:
    program = Program("main", [Argument("x", dtype, [])], [], [Result(dtype, [], "argument", 0)])
    exe = Executable(
        program, [jit.compile_object("define i32 @mlc_entry(ptr %a, ptr %b, ptr %c, ptr %d) {\n ret i32 0\n}")]
    )
    if right:
        assert exe(number) == np.array(number, exe(number).dtype)
    else:
        with pytest.raises(CompileError, match=r"argument 0 \(%x\): expected"):
            exe(number)


def test_symbols_come_from_the_arguments(symbolic: Executable) -> None:
    for b in (0, 1, 7, 100):
        x, y = np.random.rand(2, b, 4).astype(np.float32)
        assert_matches(EXACT, symbolic(x, y), x + y)


def test_symbols_must_agree(symbolic: Executable) -> None:
    with pytest.raises(CompileError, match=r"argument 1 \(%y\): expected shape \[b, 4\], found \[3, 4\]") as error:
        symbolic(np.zeros((2, 4), np.float32), np.zeros((3, 4), np.float32))
    assert error.value.notes == ("b = 2, from dimension 0 of argument 0 (%x)",)


def test_polynomials_are_solved() -> None:
    size = [[2, ["b"]], [2, []]]
    program = plain(
        arguments=[Argument("x", "f32", [size]), Argument("y", "f32", [size])],
        slots=[Slot([[8, ["b"]], [8, []]])],
        results=[Result("f32", [size], "slot", 0)],
        symbols=["b"],
    )
    exe = build(program, "%b = load i64, ptr %sizes\n  %b1 = add i64 %b, 1\n  %n = mul i64 %b1, 2")
    x = np.arange(8, dtype=np.float32)
    assert_matches(EXACT, exe(x, x), x + x)
    with pytest.raises(CompileError, match="main: no argument gives the size b"):
        exe(x[:7], x[:7])


def test_out(add: Executable) -> None:
    out = np.full((2, 4), np.nan, np.float32)
    assert add(X, Y, out=out) is out
    assert_matches(EXACT, out, X + Y)


def test_out_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that can be written as it is, and nothing else."""
    code = ADD.format(size="%n = add i64 8, 0", step="1", out=2) + CALL
    add = Executable(plain(), [jit.compile_object(code)])
    add(X, Y)
    monkeypatch.setattr(add, "_general", lambda *_: "general")
    out = np.full((2, 4), np.nan, np.float32)
    assert add(X, Y, out=out) is out and add(X, Y, out=(out,)) is out
    assert_matches(EXACT, out, X + Y)
    x, frozen = X.copy(), out.copy()
    frozen.flags.writeable = False
    odd = np.zeros(33, np.uint8)[1:].view(np.float32).reshape(2, 4)
    for other in (x, frozen, odd, out.T, out[::-1], [out, out], (None,)):
        assert add(x, Y, out=other) == "general"


def test_out_in_any_arrangement(add: Executable) -> None:
    out = np.full((4, 2), np.nan, np.float32).T
    assert add(X, Y, out=out) is out
    assert_matches(EXACT, out, X + Y)


def test_out_may_overlap_an_argument(add: Executable) -> None:
    memory = np.arange(12, dtype=np.float32)
    x, out = memory[:8].reshape(2, 4), memory[4:].reshape(2, 4)
    want = x + Y
    add(x, Y, out=out)
    assert_matches(EXACT, out, want)


@pytest.mark.parametrize(
    "out, message",
    [
        (np.zeros((2, 3), np.float32), r"out\[0\]: expected float32\[2, 4\], found float32\[2, 3\]"),
        (np.zeros((2, 4)), r"out\[0\]: expected float32\[2, 4\], found float64\[2, 4\]"),
        ((X.copy(), X.copy()), r"out: expected 1 arrays, found 2"),
        (np.broadcast_to(X[0], (2, 4)), "expected a writable array, found a read-only one"),
    ],
)
def test_wrong_out(add: Executable, out: Any, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        add(X, Y, out=out)


# ---- donation
@pytest.fixture(scope="module")
def updating() -> Executable:
    arguments = [Argument("x", "f32", [2, 4], donated=True), Argument("y", "f32", [2, 4])]
    return build(plain(arguments=arguments, slots=[], results=[Result("f32", [2, 4], "argument", 0)]), out=0)


def test_donated_arguments_become_results(updating: Executable) -> None:
    x = X.copy()
    result = updating(x, Y)
    assert result is x
    assert_matches(EXACT, x, X + Y)


def test_a_donated_argument_that_another_sees_is_copied(updating: Executable) -> None:
    x = X.copy()
    result = updating(x, x)
    assert_matches(EXACT, result, 2 * X)
    assert_matches(EXACT, x, X)


def test_a_donated_argument_that_cannot_be_written_is_copied(updating: Executable) -> None:
    x = X.copy()
    x.flags.writeable = False
    assert_matches(EXACT, updating(x, Y), X + Y)
    assert_matches(EXACT, x, X)


# ---- results that are views
def test_views_of_slots() -> None:
    results = [Result("f32", [4, 2], "slot", 0, 0, [1, 4]), Result("f32", [2], "slot", 0, 7, [-1])]
    a, b = build(plain(results=results))(X, Y)
    assert_matches(EXACT, a, (X + Y).T)
    assert_matches(EXACT, b, (X + Y).ravel()[7:5:-1])
    assert a.flags.writeable


def test_views_of_arguments_are_copied() -> None:
    results = [Result("f32", [2, 4], "slot", 0), Result("f32", [4], "argument", 0, 4, [1])]
    x = X.copy()
    _, row = build(plain(results=results))(x, Y)
    x[...] = 0
    row += 1
    assert_matches(EXACT, row, X[1] + 1)
    assert not x.any()


def test_results_in_the_arena_are_copied_out() -> None:
    results = [Result("f32", [2, 4], "slot", 0), Result("f32", [4], "arena", 0, 0, [1])]
    _, row = build(plain(results=results, arena=64))(X, Y)
    assert row.shape == (4,) and row.flags.owndata


def test_constants() -> None:
    data = Y.tobytes()
    program = plain(arguments=[Argument("x", "f32", [2, 4])], constants=[Constant("f32", 8)])
    code = [jit.compile_object(ADD.format(size="%n = add i64 8, 0", step="1", out=2))]
    exe = Executable(program, code, [data])
    assert_matches(EXACT, exe(X), X + Y)
    assert_matches(EXACT, Executable.from_bytes(exe.to_bytes())[0](X), X + Y)


def test_broadcast_results() -> None:
    results = [Result("f32", [3, 8], "slot", 0, 0, [0, 1])]
    result = build(plain(results=results))(X, Y)
    assert_matches(EXACT, result, np.broadcast_to((X + Y).ravel(), (3, 8)))
    result[0] = 0
    assert_matches(EXACT, result[1], (X + Y).ravel())


# ---- layouts
@pytest.mark.parametrize("strides", [[3], [None]])
def test_strided_arguments_are_read_in_place(strides: list[int | None]) -> None:
    program = plain(
        arguments=[Argument("x", "f32", [8], strides), Argument("y", "f32", [8])],
        results=[Result("f32", [8], "slot", 0)],
    )
    read = "%step = load i64, ptr %sizes\n  " if strides == [None] else "%step = add i64 3, 0\n  "
    exe = build(program, read + "%n = add i64 8, 0", "%step")
    base = np.arange(40, dtype=np.float32)
    y = np.ones(8, np.float32)
    assert_matches(EXACT, exe(base[:24:3], y), base[:24:3] + 1)
    assert exe.copies == 0
    for x in (base[:8], base[30:6:-3]):
        assert_matches(EXACT, exe(x, y), x + 1)
    assert exe.copies == (0 if strides == [None] else 2)


# ---- memory and threads
def test_results_stay_valid_and_memory_is_used_again(plain_memory: None) -> None:
    n = 1 << 16
    program = plain(
        arguments=[Argument("x", "f32", [n]), Argument("y", "f32", [n])],
        slots=[Slot(4 * n, aligned=True)],
        results=[Result("f32", [n], "slot", 0)],
    )
    exe = build(program, f"%n = add i64 {n}, 0")
    x, one = np.arange(n, dtype=np.float32), np.ones(n, np.float32)
    first, second = exe(x, one), exe(x, x)
    part = first[5:]
    assert first.ctypes.data % 64 == 0
    address = first.ctypes.data
    del first
    gc.collect()
    third = exe(one, one)
    assert_matches(EXACT, part, x[5:] + 1)
    assert_matches(EXACT, second, 2 * x)
    assert third.ctypes.data != address
    del part
    assert exe(one, one).ctypes.data == address


def test_calls_from_threads(symbolic: Executable) -> None:
    failures: list[int] = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            x, y = rng.random((2, int(rng.integers(0, 50)), 4), np.float32)
            if not np.array_equal(symbolic(x, y), x + y):
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_stored_and_loaded(symbolic: Executable) -> None:
    loaded, extra = Executable.from_bytes(symbolic.to_bytes({"note": [1, 2]}))
    x = np.ones((3, 4), np.float32)
    assert_matches(EXACT, loaded(x, x), x + x)
    assert extra == {"note": [1, 2]} and loaded.to_bytes(extra) == symbolic.to_bytes(extra)


@pytest.mark.parametrize("form", ["buffers", "arrays"])
def test_a_call_costs_little(form: str, plain_memory: None) -> None:
    """Checks, result and call together: a few microseconds, with room for a busy machine."""
    code = ADD.format(size="%n = add i64 8, 0", step="1", out=2) + (CALL if form == "arrays" else "")
    add = Executable(plain(work=1), [jit.compile_object(code)])
    best = 1.0
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(100):
            add(X, Y)
        best = min(best, (time.perf_counter() - start) / 100)
    assert best < (2e-5 if add._calls else 2e-4)
