"""Schedules as data: read, printed, refused with their place; given to `mlc.compile`, `mlc.jit` and the tools."""

from __future__ import annotations

from pathlib import Path

import mlc
import numpy as np
import pytest
from mlc.compiler.schedules import given, read_schedules
from mlc.compiler.spec import parse_pipeline
from mlc.dialects.errors import CompileError
from mlc.runtime.matching import assert_matches

TWO = """\
func.func @main(%x: tensor<6x40xf32>, %w: tensor<40x32xf32>) -> tensor<6xf32> {
  %0 = nd.contract %x, %w "a c, c b -> a b" : (tensor<6x40xf32>, tensor<40x32xf32>) -> tensor<6x32xf32>
  %1 = nd.reduce sum %0 "a b -> a" : (tensor<6x32xf32>) -> tensor<6xf32>
  func.return %1 : tensor<6xf32>
}
"""
ARRAYS = [np.random.default_rng(3).standard_normal(shape).astype(np.float32) for shape in ((6, 40), (40, 32))]
STEPS = ["loop-tile{axis=i size=2}", "loop-vectorize{axes=j}"]
KERNEL = "@matmul:\n  loop-tile{axis=i size=2}\n  loop-vectorize{axes=j}\n"


def schedules_of(exe: mlc.compiler.compile.Compiled) -> dict[str, tuple[str, list[str]]]:
    return {k["name"]: (k["schedule_from"], k["schedule"]) for k in exe.report()["kernels"]}


def test_a_text_has_kernels_steps_comments_and_commas():
    text = '// first\n@matmul:\n  loop-nest{axis=i}, // one\n  loop-tile{axis=j\n size=6}\n@"a b": @sum.1:\n'
    found = read_schedules(text)
    assert [(s.kernel, s.text) for s in found] == [
        ("matmul", "loop-nest{axis=i},loop-tile{axis=j size=6}"),
        ("a b", ""),
        ("sum.1", ""),
    ]
    assert [s.location.line.data for s in found] == [2, 6, 6]
    assert [step.location.line.data for step in found[0].steps] == [3, 4]
    assert [s.kernel for s in read_schedules("loop-nest{axis=i}")] == [None]


def test_quoted_texts_keep_their_lines():
    (spec,) = parse_pipeline('set-schedule{steps="a\\n  \\"b\\" \\\\n"}')
    assert spec.options["steps"] == ('a\n  "b" \\n',)
    assert parse_pipeline(str(spec)) == [spec] and "\n" not in str(spec)


def test_what_is_printed_is_read_and_printed_again(opt, tmp_path: Path):
    model, file = tmp_path / "model.mlir", tmp_path / "model.schedule"
    model.write_text(TWO)
    first = opt(model, "--print-schedule")
    file.write_text(first.out)
    again = opt(model, "--print-schedule", "--schedule", file)
    assert (first.code, again.code) == (0, 0) and first.out.count("@") == 2
    assert again.out.replace("// from the user\n", "") == first.out
    assert again.out.count("// from the user") == 2


def test_programs_without_kernels_print_nothing(opt):
    ran = opt(
        "--print-schedule",
        text="func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> { func.return %x : tensor<4xf32> }",
    )
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (KERNEL.replace("axis=i", "axis=q"), (2, 3), "expected an axis of @matmul, one of i, j, k, found q"),
        (KERNEL.replace("size=2", "size=0"), (2, 3), "expected a size of at least 1 for axis i, found 0"),
        (KERNEL.replace("loop-vec", "loop-vek"), (3, 3), "expected steps of the loop level, found loop-vektorize"),
        ("@matmul:\n\n  cse\n", (3, 3), "schedule: expected steps of the loop level, found cse"),
        ("@matmul: set-schedule", (1, 10), "schedule: expected steps of the loop level, found set-schedule"),
        (KERNEL.replace("size", "sze"), (2, 3), "pass loop-tile has no option 'sze'; did you mean 'size'?"),
        (KERNEL.replace("size=2", "size=x"), (2, 3), "option 'size' expected int, found x"),
        ("@matmul:\n  loop-tile{axis=i", (2, 19), 'expected the name of an option or "}", found the end'),
        ("@matmul\n  loop-tile{axis=i}", (2, 3), 'expected ":", found "loop-tile{axis=i}"'),
        ("@: loop-nest{axis=i}", (1, 2), 'expected the name of a kernel, found ": loop-nest{axis=i}"'),
        (KERNEL.replace("matmul", "matmu"), (1, 1), "one of @matmul, @sum, found @matmu; did you mean 'matmul'?"),
        (KERNEL + KERNEL, (4, 1), 'expected each kernel once, and @matmul stands twice, found "@matmul:"'),
        ("loop-nest{axis=q}", (1, 1), "expected an axis of @matmul, one of i, j, k, found q"),
    ],
)
def test_errors_name_the_place_in_the_schedule(opt, tmp_path: Path, text: str, place: tuple[int, int], message: str):
    file = tmp_path / "user.schedule"
    file.write_text(text)
    ran = opt("--pipeline=loop", "--schedule", file, text=TWO)
    assert ran.code == 1 and "Traceback" not in ran.err
    lines = ran.err.splitlines()
    assert lines[0].startswith(f"{file}:{place[0]}:{place[1]}: error: ") and message in lines[0]
    assert lines[2] == " " * (place[1] + 1) + "^"
    with pytest.raises(CompileError) as refused:
        mlc.compile(TWO, schedule=file)
    assert str(refused.value).splitlines()[0] == lines[0]


def test_passes_without_choose_schedule_take_no_schedule(opt, tmp_path: Path):
    (tmp_path / "user.schedule").write_text(KERNEL)
    ran = opt("--pipeline=graph", "--schedule", tmp_path / "user.schedule", text=TWO)
    assert ran.code == 1 and "--schedule: expected passes with choose-schedule" in ran.err
    ran = opt("--pipeline=loop", "--schedule", tmp_path / "none.schedule", text=TWO)
    assert ran.code == 1 and "No such file" in ran.err
    with pytest.raises(CompileError, match="schedule: expected a readable file, found none"):
        mlc.compile(TWO, schedule="none.schedule")
    with pytest.raises(CompileError, match="expected a text, a path or a mapping from kernels to steps, found int"):
        given(3)
    with pytest.raises(CompileError, match="expected steps as a text or a list of texts, found 3"):
        given({"matmul": 3})


def test_named_kernels_get_the_users_steps_and_others_stay_automatic(tmp_path: Path):
    file = tmp_path / "user.schedule"
    file.write_text(KERNEL)
    plain = mlc.compile(TWO)
    automatic = schedules_of(plain)
    assert {origin for origin, _ in automatic.values()} == {"automatic"}
    want = plain(*ARRAYS)
    for schedule in (file, str(file), KERNEL, {"matmul": STEPS}, {"matmul": ",".join(STEPS)}):
        exe = mlc.compile(TWO, schedule=schedule)
        assert schedules_of(exe) == {"matmul": ("user", STEPS), "sum": automatic["sum"]}
        assert "loop.for i0 = 6 step 2" in exe.mlir("loop")
        tolerance = mlc.runtime.matching.program_tolerance(exe.module("nd"), ARRAYS)
        assert_matches(tolerance, exe(*ARRAYS), want, inputs=ARRAYS)


def test_a_text_without_names_is_of_every_kernel():
    exe = mlc.compile(TWO, schedule="loop-vectorize{axes=j}")
    assert schedules_of(exe) == dict.fromkeys(("matmul", "sum"), ("user", ["loop-vectorize{axes=j}"]))
    assert schedules_of(mlc.compile(TWO, schedule="")) == dict.fromkeys(("matmul", "sum"), ("user", []))


def test_schedules_are_part_of_cache_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "user.schedule"
    for size in (2, 3, 2):
        file.write_text(KERNEL.replace("size=2", f"size={size}"))
        assert f"step {size}" in mlc.compile(TWO, schedule=file).mlir("loop")
        assert schedules_of(mlc.compile(TWO, schedule=file))["matmul"][1][0] == f"loop-tile{{axis=i size={size}}}"


def test_jit_takes_schedules():
    f = mlc.jit(lambda x, w: x @ w, schedule={"matmul": STEPS})
    assert_matches(mlc.runtime.matching.Tolerance(sums=4), f(*ARRAYS), ARRAYS[0] @ ARRAYS[1])
    assert schedules_of(f.compile(*ARRAYS)) == {"matmul": ("user", STEPS)}
    wrong = mlc.jit(lambda x, w: x @ w, schedule={"matmul": "loop-nest{axis=z}"})
    with pytest.raises(CompileError, match="expected an axis of @matmul, one of i, j, k, found z"):
        wrong(*ARRAYS)


def test_saved_programs_keep_their_schedule(tmp_path: Path):
    mlc.compile(TWO, schedule={"matmul": STEPS}).save(tmp_path / "model.mlcx")
    assert schedules_of(mlc.load(tmp_path / "model.mlcx"))["matmul"] == ("user", STEPS)
