"""Programs share engines: each has a library of its own, and lives as long as it is held."""

from __future__ import annotations

import ctypes

import pytest
from mlc.runtime import jit

CALL = ctypes.CFUNCTYPE(ctypes.c_int64)


def linked(number: int) -> jit.Linked:
    return jit.Linked([jit.compile_object(f"define i64 @f() {{ ret i64 {number} }}")])


def called(program: jit.Linked) -> int:
    return CALL(program.address("f"))()


def test_equal_names_do_not_meet():
    programs = {k: linked(k) for k in range(jit.SHARED + 3)}
    assert {k: called(p) for k, p in programs.items()} == {k: k for k in programs}
    assert len({id(p.engine) for p in programs.values()}) in (2, 3)  # the first may have been begun by others


def test_programs_end_in_any_order():
    programs = {k: linked(k) for k in range(6)}
    for gone in (3, 0, 5):
        del programs[gone]
        more = linked(100 + gone)
        assert called(more) == 100 + gone
        assert {k: called(p) for k, p in programs.items()} == {k: k for k in programs}


def test_a_name_that_is_not_there():
    program = linked(1)
    assert program.has("f") and not program.has("g")
    with pytest.raises(KeyError, match="g"):
        program.address("g")
