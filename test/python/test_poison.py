"""Poisoned memory finds programs that write where they may not, and shows what they did not write."""

from __future__ import annotations

import mlc
import numpy as np
import pytest
from mlc.runtime import jit, poison
from mlc.runtime.abi import Argument, Program, Result, Slot
from mlc.runtime.executable import Executable

# stores 1.0 at one place: `buffer` 0 is the argument, 1 the result, and `arena` the arena
STORE = """
define i32 @mlc_entry(ptr %buffers, ptr %sizes, ptr %arena, ptr %context) {{
  %x = load ptr, ptr %buffers
  %at = getelementptr ptr, ptr %buffers, i64 1
  %result = load ptr, ptr %at
  %place = getelementptr float, ptr %{base}, i64 {index}
  store float 1.0, ptr %place
  ret i32 0
}}
"""
CALL = """
define i32 @mlc_call(ptr %a, ptr %b, ptr %constants, ptr %sizes, ptr %arena, ptr %context) {
  %buffers = alloca [2 x ptr]
  %fa = getelementptr i8, ptr %a, i64 16
  %fb = getelementptr i8, ptr %b, i64 16
  %da = load ptr, ptr %fa
  %db = load ptr, ptr %fb
  %second = getelementptr ptr, ptr %buffers, i64 1
  store ptr %da, ptr %buffers
  store ptr %db, ptr %second
  %status = call i32 @mlc_entry(ptr %buffers, ptr null, ptr %arena, ptr %context)
  ret i32 %status
}
"""
X = np.zeros(4, np.float32)


def program(base: str, index: int, call: bool, work: int = 1) -> Executable:
    description = Program(
        "main", [Argument("x", "f32", [4])], [Slot(16)], [Result("f32", [4], "slot", 0)], arena=64, work=work
    )
    return Executable(description, [jit.compile_object(STORE.format(base=base, index=index) + (CALL if call else ""))])


@pytest.mark.parametrize("work", [0, 1])
@pytest.mark.parametrize("call", [False, True])
@pytest.mark.parametrize(
    ("base", "index", "message"),
    [
        ("result", 4, "outside of result 0 of 16 bytes: 0 bytes after its end"),
        ("result", 19, "outside of result 0 of 16 bytes: 60 bytes after its end"),
        ("result", -1, "outside of result 0 of 16 bytes: 4 bytes before it"),
        ("result", -16, "outside of result 0 of 16 bytes: 64 bytes before it"),
        ("arena", 16, "outside of the arena of 64 bytes: 0 bytes after its end"),
        ("arena", -1, "outside of the arena of 64 bytes: 4 bytes before it"),
        ("x", 2, "wrote to argument 0, which is not donated"),
    ],
)
def test_stores_outside_are_found(base: str, index: int, message: str, call: bool, work: int) -> None:
    exe = program(base, index, call, work)
    assert exe.memory is poison and bool(exe._calls) == call
    with pytest.raises(AssertionError, match=message):
        exe(X.copy())


@pytest.mark.parametrize("call", [False, True])
def test_what_is_not_written_is_nan(call: bool) -> None:
    exe = program("result", 1, call)
    for _ in range(3):
        result = exe(X)
        assert result[1] == 1 and np.isnan(result[[0, 2, 3]]).all()


def test_results_are_no_better_aligned_than_they_must_be() -> None:
    assert program("result", 0, True)(X).ctypes.data % 64 == 4
    aligned = poison.allocate((4,), np.dtype(np.float64), True)
    assert aligned.ctypes.data % 64 == 0 and np.isnan(aligned).all()


def test_it_is_on_in_tests_and_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mlc.compile(lambda x: x + 1, mlc.spec(3)).memory is poison
    for text in ("0", "off", ""):
        monkeypatch.setenv("MLC_POISON", text)
        assert mlc.compile(lambda x: x + 1, mlc.spec(3)).memory is not poison
