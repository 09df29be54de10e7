"""Compiled programs as a whole: the native entry, views, symbols, donated arguments, constants, the arena."""

from __future__ import annotations

import numpy as np
import pytest
from mlc.compiler.compile import Compiled, compile_module
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import EXACT, Tolerance
from mlc.runtime.matching import assert_matches

NEAR = Tolerance(ulp=16, sums=16)


def program(text: str, **options: object) -> Compiled:
    return compile_module(parse_module(text, "<test>"), **options)


B, F = "tensor<?x8xf32, #nd.sym<b>>", "tensor<4x8xf32>"
TABLE = np.float32([range(1, 9), [0] * 8, [1] * 8, [2] * 8])
X = np.arange(32, dtype=np.float32).reshape(4, 8)

UPDATE = f"""func.func @main(%p: {F}, %g: {F}) -> ({F}, tensor<f32>) {{
  %0 = nd.sub %p, %g : {F}
  %1 = nd.reduce sum %0 "a b -> " : ({F}) -> tensor<f32>
  func.return %0, %1 : {F}, tensor<f32>
}}"""


@pytest.fixture(scope="module")
def update() -> Compiled:
    return program(UPDATE, donate=(0,))


def test_a_donated_argument_is_updated_in_place(update: Compiled) -> None:
    p, g = X.copy(), np.ones((4, 8), np.float32)
    new, total = update(p, g)
    assert new is p and update.copies == 0
    assert_matches(EXACT, p, X - 1)
    assert total == (X - 1).sum()


@pytest.mark.parametrize("case", ["same", "overlap", "read-only", "unaligned"])
def test_a_donated_argument_that_must_not_be_written_is_copied(update: Compiled, case: str) -> None:
    memory = np.arange(80, dtype=np.float32)
    p, g = memory[:32].reshape(4, 8), np.ones((4, 8), np.float32)
    if case == "same":
        g = p
    elif case == "overlap":
        g = memory[8:40].reshape(4, 8)
    elif case == "read-only":
        p.flags.writeable = False
    else:
        p = np.zeros(129, np.uint8)[1:].view(np.float32).reshape(4, 8)
    before, other, copies = p.copy(), g.copy(), update.copies
    new, _ = update(p, g)
    assert update.copies == copies + 1 and new is not p
    assert_matches(EXACT, new, before - other)
    assert_matches(EXACT, p, before)
    assert_matches(EXACT, g, other)


def test_neighbours_in_one_array_do_not_overlap(update: Compiled) -> None:
    memory = np.arange(64, dtype=np.float32)
    p, g = memory[:32].reshape(4, 8), memory[32:].reshape(4, 8)
    copies = update.copies
    assert update(p, g)[0] is p and update.copies == copies


def test_symbols_and_a_value_between_kernels() -> None:
    exe = program(f"""func.func @main(%x: {B}, %w: tensor<8x8xf32>) -> {B} {{
      %0 = nd.contract %x, %w "a b, b c -> a c" : ({B}, tensor<8x8xf32>) -> {B}
      %1 = nd.contract %0, %w "a b, b c -> a c" : ({B}, tensor<8x8xf32>) -> {B}
      %2 = nd.contract %1, %w "a b, b c -> a c" : ({B}, tensor<8x8xf32>) -> {B}
      func.return %2 : {B}
    }}""")
    w = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    for b in (0, 1, 3, 100):
        x = np.random.default_rng(b).standard_normal((b, 8)).astype(np.float32)
        for _ in range(2):
            assert_matches(NEAR, exe(x, w), x @ w @ w @ w)


def test_views_cost_no_kernel() -> None:
    exe = program(f"""func.func @main(%x: {F}) -> (tensor<8x4xf32>, {F}, tensor<2x8xf32>) {{
      %0 = nd.transpose %x "a b -> b a" : ({F}) -> tensor<8x4xf32>
      %1 = nd.reverse %x [1] : {F}
      %2 = nd.slice %x from [1, 0] step [2, 1] : {F} -> tensor<2x8xf32>
      func.return %0, %1, %2 : tensor<8x4xf32>, {F}, tensor<2x8xf32>
    }}""")
    x = X.copy()
    for got, want in zip(exe(x), (x.T, x[:, ::-1], x[1::2]), strict=True):
        assert_matches(EXACT, got, want)
        assert not np.shares_memory(got, x) and got.flags.writeable
    assert len(exe.objects) == 1


def test_a_constant_of_the_program() -> None:
    exe = program(f"""func.func @main(%x: {F}) -> {F} {{
      %0 = nd.constant {TABLE.tolist()} : {F}
      %1 = nd.add %x, %0 : {F}
      func.return %1 : {F}
    }}""")
    assert_matches(EXACT, exe(X), X + TABLE)


def test_a_program_comes_from_the_cache(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("mlc.runtime.cache.edited", lambda: False)
    first = program(UPDATE)
    monkeypatch.setattr("mlc.compiler.compile.build_program", None)
    second = program(UPDATE)
    assert second.to_bytes() == first.to_bytes()
    assert_matches(EXACT, second(X, X)[0], np.zeros((4, 8), X.dtype))


def test_equal_programs_give_equal_code() -> None:
    assert program(UPDATE).llvm_ir() == program(UPDATE).llvm_ir()
