"""Random nested control flow: every level in the interpreter, which follows the memory plan, and native code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graph_cases import inputs_of
from mlc.compiler.compile import compile_module
from mlc.compiler.driver import passes_of, run
from mlc.compiler.printing import print_ir
from mlc.compiler.verify import verify
from mlc.dialects.graph.ops import DONATED
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import EXACT, assert_matches
from random_control import random_control
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, i64

SEEDS = 10


def same(got: Any, want: Any) -> None:
    for g, w in zip(got, want, strict=True):
        assert_matches(EXACT, g + 0, w + 0)  # rewriting may turn -0 into 0


def check(module: ModuleOp, sizes: dict[str, int], native: bool) -> None:
    verify(module)
    args = inputs_of(module, sizes)
    want = [np.array(r) for r in Interpreter(module.clone()).call("main", *args)]
    if native:
        exe = compile_module(module.clone())
        for _ in range(2):
            out = exe(*[a.copy() for a in args])
            same(out, want)
        return
    before = ""
    for pass_ in passes_of("loop"):
        run(module, [pass_])
        text = print_ir(module)
        if text != before:
            same(Interpreter(module).call("main", *args), want)
        before = text


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_level(seed: int, stress: int) -> None:
    for k in range(stress):
        check(random_control(seed + 1000 * k), {}, native=False)


@pytest.mark.parametrize("seed", range(SEEDS, 2 * SEEDS))
def test_native(seed: int, stress: int) -> None:
    for k in range(stress):
        check(random_control(seed + 1000 * k), {}, native=True)


@pytest.mark.parametrize("seed", range(SEEDS // 4))
@pytest.mark.parametrize("n", [0, 1, 5])
def test_symbolic(seed: int, n: int) -> None:
    check(random_control(seed, symbolic=True), {"n": n}, native=True)
    check(random_control(seed, symbolic=True), {"n": n}, native=False)


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_donated(seed: int) -> None:
    module = random_control(seed)
    next(iter(module.ops)).attributes[DONATED] = ArrayAttr([IntegerAttr(k, i64) for k in range(3)])
    check(module.clone(), {}, native=False)
    check(module, {}, native=True)
