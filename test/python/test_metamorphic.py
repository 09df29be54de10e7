"""Metamorphic test: programs grown by rules applied backwards compile to what they were, at each level that is allowed.

A sample in a usual run, all 500 with MLC_TEST_FULL=1: every tenth as native code, the others at the tensor level.
"""

from __future__ import annotations

from typing import Any

import pytest
from mlc.compiler.compile import compile_module
from mlc.compiler.driver import run
from mlc.compiler.options import CompileOptions, passes
from mlc.compiler.transforms.rewriting import LEVELS
from mlc.dialects.nd.elementwise import Add, Sub
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from random_rules import Grown, body, grown
from sampling import sample
from xdsl.dialects.builtin import ModuleOp

PROGRAMS = 500
IN_A_RUN = 12
NATIVE = 10


def compiled(module: ModuleOp, level: str, inputs: list[Any], native: bool) -> Any:
    """What a program gives, compiled at a numerics level."""
    if native:
        out = compile_module(module, numerics=level)(*inputs)
        return out if isinstance(out, tuple) else (out,)
    run(module, passes(CompileOptions(numerics=level), "nd"))
    return Interpreter(module).call("main", *inputs)


def check(program: Grown, native: bool) -> None:
    given = program.inputs[: len(body(program.before).args)]
    want = Interpreter(program.before).call("main", *given)
    tolerance = program_tolerance(program.before, given).then(program_tolerance(program.after, program.inputs))
    for level in LEVELS[LEVELS.index(program.level) :]:
        got = compiled(program.after.clone(), level, program.inputs, native)
        for g, w in zip(got, want, strict=True):
            try:
                assert_matches(tolerance, g + 0, w + 0)  # rewriting may turn -0 into 0
            except AssertionError as error:
                raise AssertionError(f"at {level}, by {', '.join(program.rules)}: {error}\n{program.after}") from None


@pytest.mark.parametrize("seed", sample(range(PROGRAMS), IN_A_RUN, "metamorphic"))
def test_a_grown_program_is_what_it_was(seed: int) -> None:
    program = grown(seed)
    assert program.rules
    check(program, native=seed % NATIVE == 0)


def test_a_wrong_program_is_noticed() -> None:
    """Planted: an op of a grown program becomes another one."""
    program = grown(6)
    op = next(op for op in body(program.after).ops if type(op) is Add)
    op.results[0].replace_all_uses_with(wrong := Sub.create(operands=op.operands, result_types=[op.type]).results[0])
    body(program.after).insert_op_before(wrong.owner, op)
    with pytest.raises(AssertionError, match="at fast, by "):
        check(program, native=False)
