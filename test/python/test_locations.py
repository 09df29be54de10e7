"""Where things come from: no op loses its place on the way down, and errors name the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlc.compiler.driver import Options, run
from mlc.compiler.parsing import parse_module
from mlc.dialects.errors import CompileError, position
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

ROOT = Path(__file__).resolve().parents[2]


def unknown(module: ModuleOp) -> list[str]:
    """The ops, and the arguments of the functions that a user wrote, without a place."""
    found = [op.name for op in module.walk() if isinstance(op.location, UnknownLoc)]
    for function in module.body.block.ops:
        if isinstance(function, FuncOp) and function.sym_visibility is None:
            arguments = function.body.block.args
            found += [f"argument {a.index}" for a in arguments if isinstance(a.location, UnknownLoc)]
    return found


@pytest.mark.parametrize("name", ["mlp.mlir", "layout.mlir"])
def test_no_pass_loses_a_place(name):
    text = (ROOT / "examples" / name).read_text()
    module = parse_module(text, name)
    assert unknown(module) == []

    def check(pass_: ModulePass, now: ModuleOp) -> None:
        assert unknown(now) == [], f"after {pass_.name}"
        for op in now.walk():
            where = position(op.location)
            assert where is not None and where[0] == name and 0 < where[1] <= text.count("\n"), f"after {pass_.name}"

    run(module, "cpu", Options(observer=check))


def test_places_of_everything_in_a_text():
    module = parse_module(
        "func.func @f(%a: i32,\n"
        "             %b: i1) -> i32 {\n"
        "  cf.cond_br %b, ^one(%a : i32), ^two\n"
        "^one(%c: i32):\n"
        "  func.return %c : i32\n"
        "^two:\n"
        '  %r, %s = "test.op"() ({\n'
        '    "test.termop"() : () -> ()\n'
        "  }) : () -> (i32, i32)\n"
        "  func.return %r : i32\n"
        "}\n",
        "f.mlir",
    )
    places = [(op.name, *(position(op.location) or ())[1:]) for op in module.walk()]
    assert places == [
        ("builtin.module", 1, 1),
        ("func.func", 1, 1),
        ("cf.cond_br", 3, 3),
        ("func.return", 5, 3),
        ("test.op", 7, 3),
        ("test.termop", 8, 5),
        ("func.return", 10, 3),
    ]
    function = module.body.block.first_op
    assert function is not None
    arguments = [a for b in function.regions[0].blocks for a in b.args]
    assert [(position(a.location) or ())[1:] for a in arguments] == [(1, 14), (2, 14), (4, 6)]


def test_a_text_that_states_its_places_keeps_them():
    module = parse_module('func.func @f() {\n  func.return loc("model.py":7:9)\n}\n', "f.mlir")
    assert [position(op.location) for op in module.walk()][2] == ("model.py", 7, 9)


def test_an_error_in_a_pass_names_the_line_and_the_pass():
    module = parse_module((ROOT / "examples/layout.mlir").read_text(), "layout.mlir")
    with pytest.raises(CompileError) as caught:
        run(module, ["loop-tile{axis=nowhere size=4}"])
    assert any("in pass loop-tile{axis=nowhere size=4}" in n for n in caught.value.notes)
