"""Control flow and effects: programs in the interpreter, eager mode and tracing's errors."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from control_cases import CASES
from mlc.compiler.driver import run
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.verify import verify
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import Tolerance, assert_matches

CLOSE = Tolerance(ulp=64, sums=64, scale=8)


def interpret(fn: Any, *args: Any, passes: bool = False) -> list[Any]:
    """The results of a function, traced and interpreted; with `passes`, after those of the tensor level."""
    module = trace(fn, args, "main").module
    if passes:
        run(module, "nd")
    else:
        verify(module)
    return Interpreter(module).call("main", *leaves(args))


def leaves(out: Any) -> list[Any]:
    from mlc.compiler.frontend.pytree import flatten

    return flatten(out)[0]


@pytest.mark.parametrize("name", CASES)
def test_interpreter(name: str) -> None:
    case = CASES[name]
    for got, want in zip(interpret(case.fn, *case.args), leaves(case.reference(*case.args)), strict=True):
        assert_matches(CLOSE, got, np.asarray(want, got.dtype))


@pytest.mark.parametrize("name", CASES)
def test_text_reads_back(name: str) -> None:
    module = trace(CASES[name].fn, CASES[name].args, "main").module
    text = print_ir(module)
    again = parse_module(text, "text")
    verify(again)
    assert print_ir(again) == text


@pytest.mark.parametrize("name", CASES)
def test_eager(name: str) -> None:
    case = CASES[name]
    with mlc.eager():
        got = [np.asarray(x) for x in leaves(case.fn(*map(mnp.asarray, case.args)))]
    for g, want in zip(got, leaves(case.reference(*case.args)), strict=True):
        assert_matches(CLOSE, g, np.asarray(want, g.dtype))


PASSES = ["canonicalize", "cse", "fold-constants", "dce", "decompose", "apply-rules"]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("passes", [*PASSES, "canonicalize,decompose,canonicalize,cse,fold-constants,dce"])
def test_passes_keep_programs(passes: str, name: str) -> None:
    case = CASES[name]
    module = trace(case.fn, case.args, "main").module
    want = Interpreter(module).call("main", *case.args)
    run(module, passes.split(","))
    for got, w in zip(Interpreter(module).call("main", *case.args), want, strict=True):
        assert_matches(CLOSE, got, w)
