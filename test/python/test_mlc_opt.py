"""mlc-opt: options, dumps, errors, exit codes."""

from __future__ import annotations

import re

import pytest

ADD = """\
func.func @main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nd.add %x, %y : tensor<4xf32>
  %1 = nd.add %x, %y : tensor<4xf32>
  %2 = nd.mul %0, %1 : tensor<4xf32>
  func.return %2 : tensor<4xf32>
}
"""
WRONG = ADD.replace("nd.mul %0, %1 : tensor<4xf32>", "nd.mul %0, %9 : tensor<4xf32>")


def test_prints_what_it_parses_and_parses_what_it_prints(opt):
    first = opt(text=ADD)
    again = opt(text=first.out)
    assert first.code == again.code == 0
    assert first.out == again.out and "nd.mul %0, %1" in first.out


def test_file_in_and_out(opt, tmp_path):
    (tmp_path / "in.mlir").write_text(ADD)
    ran = opt(tmp_path / "in.mlir", "-o", tmp_path / "out.mlir")
    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "out.mlir").read_text() == opt(text=ADD).out


@pytest.mark.parametrize(
    "how",
    [
        ["-p", "cse"],
        ["--passes", " cse , dce "],
        ["--pass-pipeline", "builtin.module(cse)"],
        ["--pass-pipeline=builtin.module(func.func(cse,dce),any(dce))"],
    ],
)
def test_every_form_of_a_pipeline(opt, how):
    ran = opt(*how, text=ADD)
    assert ran.code == 0 and ran.out.count("nd.add") == 1


def test_generic_form_parses_back(opt):
    generic = opt("--mlir-print-op-generic", text=ADD)
    assert '"nd.add"(%x, %y)' in generic.out
    assert opt(text=generic.out).out == opt(text=ADD).out


def test_locations_are_those_of_the_text_and_parse_back(opt):
    printed = opt("--mlir-print-debuginfo", text=ADD)
    assert '%1 = nd.add %x, %y : tensor<4xf32> loc("<stdin>":3:3)' in printed.out
    assert '%y: tensor<4xf32> loc("<stdin>":1:36)' in printed.out
    assert opt("--mlir-print-debuginfo", text=printed.out).out == printed.out


def test_location_aliases_at_the_end(opt):
    text = (
        "func.func @f() {\n  func.return loc(#loc1)\n} loc(#loc)\n"
        + '#loc = loc("a.py":7:1)\n#loc1 = loc("a.py":8:3)\n'
    )
    ran = opt("--mlir-print-debuginfo", text=text)
    assert 'func.return loc("a.py":8:3)' in ran.out and '} loc("a.py":7:1)' in ran.out


def test_dumps_before_and_after(opt):
    ran = opt("-p", "cse,dce", "--mlir-print-ir-before=cse", "--mlir-print-ir-after=dce", text=ADD)
    heads = re.findall(r"IR Dump (\w+) (\w+)", ran.err)
    assert heads == [("Before", "cse"), ("After", "dce")]
    assert ran.err.count("nd.add") == 2 + 1


def test_dumps_of_all_and_of_changes(opt):
    ran = opt("-p", "cse,cse,dce", "--mlir-print-ir-before-all", "--mlir-print-ir-after-all", text=ADD)
    assert len(re.findall("IR Dump", ran.err)) == 6
    ran = opt("-p", "cse,cse,dce", "--mlir-print-ir-after-change", text=ADD)
    assert re.findall(r"IR Dump After (\w+)", ran.err) == ["cse"]


def test_timing_names_every_pass(opt):
    ran = opt("-p", "cse,dce", "--mlir-timing", text=ADD)
    assert re.search(r"ms +[\d.]+ %  cse\n", ran.err) and "  dce\n" in ran.err and "100.0 %  total" in ran.err


def test_split_input_continues_after_an_error_and_keeps_line_numbers(opt):
    ran = opt("--split-input-file", text=WRONG + "// -----\n" + ADD + "// -----\n" + WRONG)
    assert ran.code == 1
    assert re.findall(r"<stdin>:(\d+):\d+: error", ran.err) == ["4", "18"]
    assert ran.out.count("func.func @main") == 1
    again = opt("--split-input-file", text=ADD + "// -----\n" + ADD)
    assert again.out.count("// -----\n") == 1 and again.code == 0


@pytest.mark.parametrize(
    "comment, line",
    [
        ("// expected-error@+1 {{found %9}}", 4),
        ("// expected-error @below {{found %9}}", 4),
        ("// expected-error@-1 {{found %9}}", 5),
        ("// expected-error @above {{found %9}}", 5),
    ],
)
def test_expected_errors(opt, comment, line):
    lines = WRONG.splitlines()
    lines.insert(line - 1, comment)
    ran = opt("--verify-diagnostics", text="\n".join(lines))
    assert (ran.code, ran.err, ran.out) == (0, "", "")


def test_expected_error_on_its_own_line(opt):
    lines = WRONG.splitlines()
    lines[3] += " // expected-error {{found %9}}"
    assert opt("--verify-diagnostics", text="\n".join(lines)).code == 0


def test_expected_errors_that_differ(opt):
    missing = opt("--verify-diagnostics", text="// expected-error@+1 {{nothing is wrong}}\n" + ADD)
    assert missing.code == 1 and '<stdin>:2: error: expected error "nothing is wrong" was not produced' in missing.err
    unexpected = opt("--verify-diagnostics", text=WRONG)
    assert unexpected.code == 1 and "unexpected <stdin>:4:" in unexpected.err
    elsewhere = opt("--verify-diagnostics", text="// expected-error@+1 {{found %9}}\n" + WRONG)
    assert elsewhere.code == 1 and "unexpected" in elsewhere.err and "was not produced" in elsewhere.err


@pytest.mark.parametrize(
    "args, code, message",
    [
        (["-p", "cs"], 1, "unknown pass 'cs'; did you mean 'cse'?"),
        (["-p", "cse{x=1}"], 1, "pass cse has no option 'x'; its options: none"),
        (["-p", "cse{"], 1, "<pipeline>:1:5: error: expected the name of an option"),
        (["-p", "cse dce"], 1, '<pipeline>:1:5: error: expected "," or the end of the pipeline, found "dce"'),
        (["--pass-pipeline", "gpu.module(cse)"], 1, "expected one of builtin.module, func.func, any"),
        (["-p", "loop-tile{axis=i size=big}"], 1, "pass loop-tile: option 'size' expected int, found big"),
        (["-p", "loop-tile{axis=i}"], 1, "pass loop-tile needs option 'size', found none"),
        (["-p", "loop-tile{axis=i axis=j}"], 1, "expected each option once"),
        (["--pipeline", "lop"], 1, "unknown pipeline 'lop'; did you mean 'loop'?; expected one of nd, graph"),
        (["--mlir-print-ir-after", "cs"], 1, "unknown pass 'cs'"),
        (["--mlir-timin"], 2, "did you mean '--mlir-timing'?"),
        (["--verify-each=maybe"], 2, "expected 0, 1, true or false, found 'maybe'"),
        (["nothing.mlir"], 1, "cannot read nothing.mlir: No such file or directory"),
        (["-o", "/nowhere/x.mlir"], 1, "cannot write /nowhere/x.mlir"),
    ],
)
def test_wrong_command_lines(opt, args, code, message):
    ran = opt(*args, text=ADD)
    assert ran.code == code and message in ran.err and "Traceback" not in ran.err


def test_an_error_has_line_source_and_caret(opt):
    ran = opt(text=WRONG)
    assert ran.err == (
        "<stdin>:4:19: error: expected a value that is defined, found %9\n"
        "    %2 = nd.mul %0, %9 : tensor<4xf32>\n"
        "                    ^\n"
    )


def test_a_failing_pass_is_an_internal_error_with_a_reproducer(opt, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_CRASH_DIR", str(tmp_path))
    (tmp_path / "bad.py").write_text(
        "from xdsl.passes import ModulePass\n"
        "class Boom(ModulePass):\n    name = 'boom'\n    def apply(self, ctx, op):\n        raise KeyError('lost')\n"
        "class Drop(ModulePass):\n    name = 'drop'\n    def apply(self, ctx, op):\n"
        "        op.body.block.first_op.body.block.last_op.detach()\n"
        "PASSES = [Boom, Drop]\n"
    )
    ran = opt("--load", tmp_path / "bad.py", "-p", "cse,boom", text=ADD)
    assert ran.code == 3 and ran.err.startswith("internal error: pass boom failed: KeyError: 'lost'\nreproducer: ")
    written = (tmp_path / ran.err.split("reproducer: ")[1].split("/")[-1].strip()).read_text()
    assert written == "// RUN: mlc-opt %s -p 'cse,boom'\n" + ADD
    ran = opt("--load", tmp_path / "bad.py", "-p", "drop", text=ADD)
    assert ran.code == 3 and "pass drop left invalid IR" in ran.err and "expected a terminator" in ran.err
    assert opt("--load", tmp_path / "bad.py", "-p", "drop", "--verify-each=0", text=ADD).code == 0


def test_lists(opt):
    passes = opt("--list-passes")
    assert passes.code == 0 and "\nloop-tile{axis=str size=int" in passes.out
    env = opt("--help-env")
    assert env.code == 0 and "MLC_CACHE_DIR" in env.out
