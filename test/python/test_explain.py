"""Trajectories of programs: steps, machines that decide differently, measured times, tables and plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mlc.compiler import explain as explaining
from mlc.compiler import step_times
from mlc.compiler.cost import Cost
from mlc.compiler.driver import passes_of
from mlc.compiler.explain import Row, Trajectory, aligned, explain, record, table
from mlc.compiler.machine import Machine
from mlc.compiler.modules import parse
from mlc.compiler.printing import print_ir
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.types import NUMPY, element, shape_of
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

X, W, Y = "tensor<1x16x28x28xf32>", "tensor<16x16x3x3xf32>", "tensor<1x16x26x26xf32>"
CONV = f"""func.func @main(%x: {X}, %w: {W}) -> {Y} {{
  %0 = nd.contract %x, %w "n c h+k w+l, f c k l -> n f h w" to {Y} : ({X}, {W}) -> {Y}
  %1 = nd.neg %0 : {Y}
  %2 = nd.neg %1 : {Y}
  func.return %2 : {Y}
}}
"""


def arrays(f: FuncOp) -> list[np.ndarray]:
    return [np.ones(shape_of(a.type), NUMPY[element(a.type)]) for a in f.body.block.args]


def labels(t: Trajectory) -> list[str]:
    return [r.label for r in t.rows]


def test_steps_are_the_passes_that_change_the_program() -> None:
    module = parse(CONV)
    before = print_ir(module)
    (t,) = explain(module, ["xeon"])
    assert print_ir(module) == before
    assert labels(t)[:3] == ["input, unfused", "input", "canonicalize"] and "dce" not in labels(t)
    first, second, third = t.rows[:3]
    assert (first.cost.kernels, second.cost.kernels) == (3, 1) and (second.ops, third.ops) == (3, 1)
    assert first.cost.seconds > second.cost.seconds > third.cost.seconds
    assert all(r.measured is None for r in t.rows)


def test_machines_rewrite_their_own_copies() -> None:
    found = explain(parse(CONV), ["compute-poor", "bandwidth-poor", "h100"], "fast")
    assert ["winograd" in labels(t) for t in found] == [True, False, False]
    assert len({t.end for t in found}) == 2 and found[1].end == found[2].end
    assert "different programs at the end: 2 (compute-poor; bandwidth-poor, h100)" in table(found)


def test_given_passes_decide_for_the_machine() -> None:
    text = "canonicalize,winograd,graph-fuse,graph-outline,nd-to-loop"
    one, other = explain(parse(CONV), ["compute-poor", "bandwidth-poor"], pipeline=passes_of([text]))
    assert labels(one)[1:] == ["input", "canonicalize", "winograd", "graph-fuse", "graph-outline"]
    assert labels(other)[1:] == ["input", "canonicalize", "graph-fuse", "graph-outline"]
    assert one.rows[-1].cost == one.rows[-3].cost


def test_rules_of_a_pass_are_steps() -> None:
    x, w, y = "tensor<64x32xf32>", "tensor<32x8xf32>", "tensor<64x8xf32>"
    product = f'"a b, b c -> a c" : ({x}, {w}) -> {y}'
    module = parse(f"""func.func @main(%x: {x}) -> {y} {{
      %u = nd.resource "u", "{"0" * 32}" : {w}
      %v = nd.resource "v", "{"1" * 32}" : {w}
      %0 = nd.contract %x, %u {product}
      %1 = nd.contract %x, %v {product}
      %2 = nd.mul %0, %1 : {y}
      func.return %2 : {y}
    }}""")
    (t,) = explain(module, ["xeon"])
    assert any(label.startswith("optimize: ") for label in labels(t)) and "optimize" not in labels(t)


def test_the_host_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_times, "TURNS", 2)
    host, other = explain(parse(CONV), ["host", "h100"], measure=arrays)
    assert all(0 < r.measured < 1 for r in host.rows[1:] if r.measured is not None)
    assert [r.measured is not None for r in host.rows] == [False] + [True] * (len(host.rows) - 1)
    assert all(r.measured is None for r in other.rows)
    head = table([host, other]).splitlines()[0].split()
    assert head == ["step", "host", "measured", "ops", "kernels", "bytes", "h100", "ops", "kernels", "bytes"]


def test_steps_come_from_any_iterator() -> None:
    t = Trajectory("xeon", Machine.load("xeon"))
    module = parse(CONV)
    record(t, ((label, module) for label in ("a", "b")))
    assert labels(t) == ["input, unfused", "a", "b"]


@pytest.mark.parametrize("others", [("a", "c"), ("a", "x", "b"), ("b", "b"), ()])
def test_rows_keep_the_order_of_every_trajectory(others: tuple[str, ...]) -> None:
    machine = Machine()
    own = [("a", "b", "c"), others, ("a", "b", "b", "c")]
    found = [Trajectory(str(k), machine, [Row(x, Cost(k), 0) for x in row]) for k, row in enumerate(own)]
    rows = aligned(found)
    for k, t in enumerate(found):
        assert [by[k] for _, by in rows if by[k] is not None] == t.rows
        assert all(by[k] is None or by[k].label == label for label, by in rows)


def test_unknown_machines_and_programs_are_refused() -> None:
    with pytest.raises(CompileError, match=r"host or one of .*xeon.*, found xeno"):
        explain(parse(CONV), ["xeno"])
    with pytest.raises(CompileError, match=r"expected ops of the nd dialect, found arith\.constant"):
        explain(parse("func.func @main() {\n%0 = arith.constant 1 : i32\nfunc.return\n}"), ["xeon"])
    with pytest.raises(CompileError, match="expected a function that is not private, found none"):
        explain(ModuleOp([]), ["xeon"])


def test_plots_need_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(CompileError, match=r"expected matplotlib, found none; install mlc\[bench\]"):
        explaining.figures()


def test_a_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = explain(parse(CONV), ["xeon", "compute-poor"])
    explaining.plot(found, str(tmp_path / "steps.svg"))
    assert "compute-poor" in (tmp_path / "steps.svg").read_text()
    with pytest.raises(CompileError, match="cannot write"):
        explaining.plot(found, str(tmp_path / "none" / "steps.svg"))
