"""mlc-tune: its candidates are right, the search finds what is faster, later compilations take what was recorded."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import mlc
import pytest
from conftest import Ran, run_tool
from mlc.compiler import tuned, tuner
from mlc.compiler.machine import Machine
from mlc.compiler.parsing import parse_module
from mlc.compiler.transforms.loop.candidates import ORDERS, Tile, neighbours
from mlc.compiler.transforms.loop.choose_schedule import schedule
from mlc.dialects.errors import CompileError
from mlc.runtime import cache
from mlc.tools.mlc_tune import arrays_for, main

MATMUL = """\
func.func @main(%x: tensor<13x70xf32>, %w: tensor<70x37xf32>, %b: tensor<37xf32>) -> tensor<13x37xf32> {
  %0 = nd.contract %x, %w "a c, c b -> a b" : (tensor<13x70xf32>, tensor<70x37xf32>) -> tensor<13x37xf32>
  %1 = nd.broadcast %b "b -> a b" : tensor<37xf32> -> tensor<13x37xf32>
  %2 = nd.add %0, %1 : tensor<13x37xf32>
  func.return %2 : tensor<13x37xf32>
}
"""
TRANSPOSED = """\
func.func @main(%x: tensor<3x9x40xf32>, %w: tensor<3x33x40xf32>) -> tensor<3x9x33xf32> {
  %0 = nd.contract %x, %w "n a c, n b c -> n a b"
    : (tensor<3x9x40xf32>, tensor<3x33x40xf32>) -> tensor<3x9x33xf32>
  func.return %0 : tensor<3x9x33xf32>
}
"""
SYMBOLIC = MATMUL.replace("tensor<13x70xf32>", "tensor<?x70xf32, #nd.sym<n>>").replace(
    "tensor<13x37xf32>", "tensor<?x37xf32, #nd.sym<n>>"
)
STEPS = "loop-tile{axis=i size=2 only=mm,add},loop-vectorize{axes=i,j only=mm,add}"


def kernel_of(text: str, threads: int = 1, machine: Machine | None = None, **sizes: int) -> tuner.Kernel:
    module = parse_module(text, "tuned.mlir")
    machine = machine or Machine.host()
    (kernel,) = tuner.kernels_to_tune(module, machine, threads, sizes, lambda f: arrays_for(f, sizes, 0))
    return kernel


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache of the test's own, whose records count."""
    monkeypatch.setenv("MLC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MLC_TUNED", "1")
    monkeypatch.setattr(cache, "edited", lambda: False)


@pytest.fixture
def tune(monkeypatch, capsys) -> Any:
    """`tune("file.mlir", "--seconds", 1)`: mlc-tune."""
    return lambda *args, text=None: run_tool(main, args, text, monkeypatch, capsys)


@pytest.mark.parametrize("text", [MATMUL, TRANSPOSED, SYMBOLIC], ids=["epilogue", "transposed", "symbolic"])
def test_candidates_are_right(text: str):
    kernel = kernel_of(text, n=13)
    ((label, (_, followed)),) = kernel.contractions().items()
    want = tuner.trial(kernel, {}, schedule(kernel.function, kernel.machine), None).results
    tiles = [Tile(4, 16, 32, packed, order) for order in ORDERS for packed in ((), ("lanes",), ("lanes", "rows"))]
    tiles += [Tile(3, 32, 0, ("rows",), order) for order in ORDERS[:2]]
    seen: set[str] = set()
    for tile in tiles:
        steps = schedule(kernel.function, kernel.machine, 1, {label: tile})
        if steps not in seen:
            seen.add(steps)
            tuner.trial(kernel, {}, steps, want)
    assert len(seen) > 4 and followed == (text != TRANSPOSED)
    assert any(re.search(r"tile{axis=[kl] size=32", steps) for steps in seen) and any(
        "pack_" in steps for steps in seen
    )


def test_neighbours_differ_in_one_respect():
    kernel = kernel_of(MATMUL)
    c, _ = kernel.contractions()["mm"]
    at = Tile(6, 32, 32)
    found = neighbours(c, at, kernel.machine)
    assert [len({(t.rows, t.lanes, t.block, t.packed, t.order, t.role) for t in tiles}) for tiles in found] == [
        len(tiles) for tiles in found
    ]
    assert at not in [t for tiles in found for t in tiles]
    assert all(replace(t, block=32) == at for t in found[2]) and all(replace(t, order=at.order) == at for t in found[4])


def test_a_seed_decides_the_order_of_candidates():
    kernel = kernel_of(MATMUL)
    orders: list[list[Tile]] = []
    for seed in (1, 1, 2):
        candidates = tuner.descent(kernel, {"mm": Tile(6, 32)}, random.Random(seed))
        orders.append([tiles["mm"] for tiles in islice(candidates, 80)])
    assert orders[0] == orders[1] != orders[2] and len(orders[0]) == 80


def test_the_search_goes_where_it_is_faster(monkeypatch: pytest.MonkeyPatch):
    """Times are made up: each row away from 3 and each kind of block but 32 costs."""
    kernel = kernel_of(MATMUL)
    real = tuner.trial

    def cost(steps: str) -> float:
        rows = re.search(r"axis=i size=(\d+)", steps)
        return 1 + abs(int(rows[1]) - 3 if rows else 9) + (0 if "axis=k size=32" in steps else 5)

    def trial(kernel: tuner.Kernel, tiles: Any, steps: str, want: Any) -> tuner.Trial:
        made = real(kernel, tiles, steps, want)
        return replace(made, call=lambda: cost(steps))  # pyright: ignore

    def interleaved(a: Any, b: Any, rounds: int = 1) -> tuner.Compared:
        return tuner.Compared(a(), b(), b() / a())

    monkeypatch.setattr(tuner, "trial", trial)
    monkeypatch.setattr(tuner, "interleaved", interleaved)
    monkeypatch.setattr(tuner, "JUMPS", 0)
    monkeypatch.setattr(
        tuner, "neighbours", lambda c, at, machine: [t[:4] for t in neighbours(c, at, machine)[:3]] + [[]] * 3
    )
    found = tuner.search(kernel, 60, seed=1)
    assert found.better and found.best_seconds == 1 and not found.wrong
    assert "axis=i size=3" in found.best and "axis=k size=32" in found.best


def test_wrong_results_never_win(monkeypatch: pytest.MonkeyPatch):
    kernel = kernel_of(MATMUL)
    real = tuner.compiled
    first = schedule(kernel.function, kernel.machine)

    def compiled(kernel: tuner.Kernel, steps: str) -> Any:
        call, native, results = real(kernel, steps)

        def wrong() -> None:
            call()
            results[0][0, 0] += 1

        return (call if steps == first else wrong), native, results

    monkeypatch.setattr(tuner, "compiled", compiled)
    monkeypatch.setattr(tuner, "JUMPS", 0)
    monkeypatch.setattr(tuner, "neighbours", lambda c, at, machine: [t[:1] for t in neighbours(c, at, machine)])
    found = tuner.search(kernel, 60)
    assert found.wrong and found.tried == 1 and found.best == first and not found.better


def test_kernels_are_known_by_what_they_compute_and_where():
    kernel = kernel_of(MATMUL)
    known = tuned.identity(kernel.function, kernel.machine, 1)
    other = kernel_of(MATMUL.replace("%x", "%rows").replace("%w", "%w.1").replace("@main", "@model"))
    same = tuned.identity(other.function, kernel.machine, 1)
    assert same.key == known.key and same.names != known.names
    assert "value=rows axes=k,i only=mm}" in same.named(known.numbered("loop-pack{value=x axes=k,i only=mm}"))
    assert same.named(known.numbered("loop-split{axis=k size=4 only=pack_x,mm}")) == (
        "loop-split{axis=k size=4 only=pack_rows,mm}"
    )
    assert known.named(known.numbered(STEPS)) == STEPS
    keys = {
        known.key,
        tuned.identity(kernel.function, kernel.machine, 2).key,
        tuned.identity(kernel.function, replace(kernel.machine, l2_bytes=1), 1).key,
        *(tuned.identity(kernel_of(t, n=3).function, kernel.machine, 1).key for t in (SYMBOLIC, TRANSPOSED)),
        tuned.identity(kernel_of(MATMUL.replace("f32", "f64")).function, kernel.machine, 1).key,
        tuned.identity(kernel_of(MATMUL.replace("13x", "14x")).function, kernel.machine, 1).key,
    }
    assert len(keys) == 7


def test_compilations_take_what_is_recorded(records: None, monkeypatch: pytest.MonkeyPatch):
    def compiled() -> tuple[str, str]:
        (kernel,) = mlc.compile(MATMUL.replace("%x", "%y")).report()["kernels"]
        return kernel["schedule_from"], ",".join(kernel["schedule"])

    automatic = compiled()
    assert automatic[0] == "automatic" and tuned.state() == ""
    kernel = kernel_of(MATMUL)
    assert tuned.record(kernel.function, kernel.machine, 1, STEPS)
    assert compiled() == ("tuned", STEPS)
    exe = mlc.compile(MATMUL)
    assert tuned.record(kernel.function, kernel.machine, 1, "loop-tile{axis=i size=5 only=mm,add}")
    assert "step 2" in exe.mlir("loop")  # what its code was made of
    assert "step 5" in mlc.compile(MATMUL).mlir("loop")
    assert tuned.record(kernel.function, kernel.machine, 1, STEPS)
    exe = mlc.compile(MATMUL, schedule={"matmul_add": "loop-nest{axis=i}"})
    assert exe.report()["kernels"][0]["schedule_from"] == "user"
    monkeypatch.setenv("MLC_TUNED", "0")
    assert compiled() == automatic
    monkeypatch.setenv("MLC_TUNED", "1")
    assert compiled() == ("tuned", STEPS)
    # What does not apply is no schedule.
    assert tuned.record(kernel.function, kernel.machine, 1, "loop-tile{axis=z size=2}")
    assert compiled() == automatic
    assert tuned.record(kernel.function, kernel.machine, 1, None) and tuned.records() == {}
    monkeypatch.setattr(cache, "edited", lambda: True)
    assert not tuned.record(kernel.function, kernel.machine, 1, STEPS) and tuned.records() == {}


def test_the_tool_prints_writes_and_records(records: None, tune: Any, opt: Any, tmp_path: Path, monkeypatch):
    model, file = tmp_path / "model.mlir", tmp_path / "model.schedule"
    model.write_text(SYMBOLIC)
    real = tuner.search

    def better(kernel: tuner.Kernel, seconds: float, *rest: Any) -> tuner.Found:
        found = real(kernel, seconds, *rest)
        return replace(found, best=STEPS, better=True)

    monkeypatch.setattr("mlc.tools.mlc_tune.search", better)
    ran: Ran = tune(model, "--seconds", "0.2", "--size", "n=13", "--output", file)
    assert (ran.code, ran.err) == (0, "")
    head, row, steps = ran.out.splitlines()
    assert head.split() == ["kernel", "automatic", "us", "best", "us", "speed-up", "tried", "refused"]
    assert row.startswith("matmul_add ") and steps == f"  {STEPS}"
    printed = opt(model, "--print-schedule", "--schedule", file)
    assert printed.code == 0 and printed.out.replace("// from the user\n", "") == file.read_text()
    assert "// tuned\n@matmul_add:\n" in opt(model, "--print-schedule").out


def test_the_tool_refuses_with_reasons(tune: Any):
    assert "size 'n' is not known; give it as --size n=N" in tune(text=SYMBOLIC).err
    assert "--kernel: expected a kernel with a contraction, one of matmul_add, found matmul_ad; did you mean" in (
        tune("--kernel", "matmul_ad", text=MATMUL).err
    )
    assert "--size: @main has no size 'k'; its sizes: none" in tune("--size", "k=2", text=MATMUL).err
    assert tune("--seconds", "0", text=MATMUL).code == 2
    nothing = tune(
        text="func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = nd.exp %x : tensor<4xf32>\n"
        "  func.return %0 : tensor<4xf32>\n}"
    )
    assert (nothing.code, nothing.out) == (0, "no kernel has a contraction to tune\n")
    with pytest.raises(CompileError, match="expected an axis"):
        tuner.trial(kernel_of(MATMUL), {}, "loop-nest{axis=z}", None)


def test_times_are_taken_in_turns():
    calls: list[str] = []
    found = tuner.interleaved(lambda: calls.append("a"), lambda: calls.append("b"), 3)
    assert found.old > 0 and found.new > 0 and calls[:3] == ["a", "a", "b"]
    order = re.sub(r"(.)\1*", r"\1", "".join(calls[3:]))
    assert order == "abab"  # a b, b a, a b
