"""apply-schedule takes what a schedule was tried on: the same program, and only where the function has not changed."""

from __future__ import annotations

import pytest
from mlc.compiler.machine import Machine
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.schedules import SCHEDULE
from mlc.compiler.transforms.loop import trials, tried
from mlc.compiler.transforms.loop.apply_schedule import ApplySchedule, run_schedule
from mlc.compiler.transforms.loop.choose_schedule import schedule
from mlc.compiler.verify import verify
from mlc.dialects.loop.queries import stages
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr

MM = """
func.func @mm(%A: tensor<37x19xf32>, %B: tensor<19x40xf32>, %b: tensor<40xf32>) -> tensor<37x40xf32> {
  %acc = loop.stage mm [i: 37, j: 40, k: 19] (%a = %A[i, k], %b_1 = %B[k, j]) -> add [i, j] {
    %p = arith.mulf %a, %b_1 : f32
    loop.yield %p : f32
  }
  %C = loop.stage bias [i: 37, j: 40] (%s = %acc[i, j], %t = %b[j]) -> [i, j] {
    %u = arith.addf %s, %t : f32
    loop.yield %u : f32
  }
  func.return %C : tensor<37x40xf32>
}
"""


def chosen() -> tuple[ModuleOp, func.FuncOp]:
    module = parse_module(MM, "mm.mlir")
    f = next(op for op in module.ops if isinstance(op, func.FuncOp))
    f.attributes[SCHEDULE] = StringAttr(schedule(f, Machine(vector_bytes=64, registers=32, has_fma=True)))
    return module, f


def applied(module: ModuleOp, f: func.FuncOp) -> str:
    ApplySchedule().on(f)
    verify(module)
    return print_ir(module, locations=True)


@pytest.fixture
def runs(monkeypatch):
    """How often apply-schedule ran steps itself."""
    from mlc.compiler.transforms.loop import apply_schedule

    seen: list[str] = []
    real = apply_schedule.run_schedule
    monkeypatch.setattr(apply_schedule, "run_schedule", lambda f, text: (seen.append(text), real(f, text)))
    return seen


def test_what_was_tried_is_what_the_steps_make(runs, monkeypatch):
    taken = applied(*chosen())
    assert not runs
    monkeypatch.setattr(tried, "take", lambda f, text: False)
    assert applied(*chosen()) == taken
    assert len(runs) == 1


def test_a_function_that_has_changed_runs_its_steps(runs):
    module, f = chosen()
    stages(f)[1].properties["label"] = StringAttr("bias")  # as it was
    stages(f)[0].results[0].name_hint = "sum"
    assert "%sum" in applied(module, f)
    assert len(runs) == 1


def test_another_schedule_runs_its_steps(runs):
    module, f = chosen()
    f.attributes[SCHEDULE] = StringAttr("loop-tile{axis=i size=5}")
    assert "step 5" in applied(module, f)
    assert len(runs) == 1


def test_a_result_is_taken_once(runs):
    module, f = chosen()
    text = f.attributes[SCHEDULE]
    applied(module, f)
    assert isinstance(text, StringAttr) and not tried.take(f, text.data)


def test_steps_run_once_behind_others_and_again_where_some_were_refused(monkeypatch):
    tile, nest, wrong, wide = (
        "loop-tile{axis=i size=5}",
        "loop-tile{axis=j size=8}",
        "loop-nest{axis=q}",
        "loop-vectorize{axes=j}",
    )
    _, f = chosen()
    text, made, ran = print_ir(f), trials.Trials(f), list[str]()
    monkeypatch.setattr(trials, "run_schedule", lambda f, text: (ran.append(text), run_schedule(f, text)))
    assert made.after([]) is f
    assert made.after([tile]) is not None and made.after([tile, nest]) is not None
    assert ran == [tile, nest]
    for _ in range(2):
        assert made.after([tile, nest, wrong]) is None
        assert ran == [tile, nest, wrong]
    found = made.after([tile, nest, wide])
    assert ran == [tile, nest, wrong, tile, nest, wide]
    assert found is not None and found is made.after([tile, nest, wide])
    copy = f.clone()
    run_schedule(copy, ",".join([tile, nest, wide]))
    assert print_ir(found) == print_ir(copy) and print_ir(f) == text
