"""Memory of a program: offsets, orders of steps, what holds the peak, limits."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from graph_cases import apply, program
from mlc.compiler.memory import draw, memory_of
from mlc.compiler.memory_limit import bytes_of
from mlc.compiler.options import options_of, passes
from mlc.compiler.report import format_report, report
from mlc.compiler.transforms.order_search import Problem, Step, peak, search
from mlc.compiler.transforms.plan_offsets import Need, gap, most_at_once, pack
from mlc.dialects.errors import CompileError
from mlc.dialects.nd.control import region, scan
from mlc.dialects.nd.op import Array
from mlc.dialects.nd.types import tensor
from mlc.runtime.matching import EXACT, assert_matches
from mlc.tools.mlc_compile import main as mlc_compile
from mlc.tools.mlc_run import main as mlc_run
from xdsl.dialects.builtin import f32
from xdsl.dialects.func import FuncOp

PASSES = ("graph-fuse", "graph-outline", "graph-plan")


def needs(seed: int, count: int, twice: float) -> list[Need]:
    """Most buffers die soon, some late; a share `twice` is in use in two stretches."""
    pick = random.Random(seed)
    out: list[Need] = []
    for _ in range(count):
        first = pick.randrange(count)
        last = first + (pick.randrange(1, 4) if pick.random() < 0.7 else pick.randrange(1, count + 1))
        times = [(first, last)]
        if pick.random() < twice:
            times.append((last + 3, last + 5))
        out.append(Need(64 * pick.randrange(1, 200), tuple(times)))
    return out


def meet(a: Need, b: Need) -> bool:
    return any(x[0] <= y[1] and y[0] <= x[1] for x in a.times for y in b.times)


@pytest.mark.parametrize("count", [1, 5, 12, 40])
@pytest.mark.parametrize("twice", [0.0, 0.1])
@pytest.mark.parametrize("seed", range(3))
def test_offsets(seed: int, count: int, twice: float) -> None:
    given = needs(seed, count, twice)
    offsets, total, bound = pack(given)
    assert bound == most_at_once(given)[0] <= total <= (1.1 if twice else 1.02) * bound
    for k, (a, at) in enumerate(zip(given, offsets)):
        assert at % 64 == 0 and at >= 0 and at + a.bytes <= total
        for b, other in zip(given[:k], offsets):
            assert not meet(a, b) or at + a.bytes <= other or other + b.bytes <= at
    assert pack(given) == (offsets, total, bound)


def test_offsets_of_thousands_of_buffers() -> None:
    """A network of 2000 kernels whose backward part reads what the forward part made."""
    count = 1000
    given = [Need(64 * (1 + k % 7), ((k, 2 * count - k),)) for k in range(count)]
    given += [Need(64 * (1 + k % 5), ((k, k + 1),)) for k in range(2 * count)]
    start = time.process_time()
    _, total, bound = pack(given)
    assert total <= 1.02 * bound and time.process_time() - start < 3  # 0.2 s where nothing else runs


def test_a_gap_below_the_end() -> None:
    given, offsets = [Need(64, ((0, 1),)), Need(64, ((0, 3),))], [0, 128]
    assert gap(given, offsets, 192, Need(64, ((1, 2),))) == 64
    assert gap(given, offsets, 192, Need(128, ((2, 2),))) == 0
    assert gap(given, offsets, 192, Need(128, ((1, 2),))) is None


def problem(seed: int, count: int) -> Problem:
    pick = random.Random(seed)
    steps: list[Step] = []
    for k in range(count):
        reads = tuple({pick.randrange(max(k - 8, 0), k) for _ in range(pick.randrange(3))} if k else ())
        over = tuple((r, k) for r in reads if pick.random() < 0.2)
        steps.append(Step(reads, (k,), over, pick.choice([0, 0, 0, 500]), (k - 5,) if k % 9 == 5 else ()))
    sizes = [pick.choice([64, 128, 1024]) for _ in range(count)]
    sizes = [max(sizes) if any(r == v for s in steps for r, _ in s.over) else n for v, n in enumerate(sizes)]
    return Problem(steps, sizes, frozenset({count - 1}))


@pytest.mark.parametrize("seed", range(20))
def test_orders_respect_what_steps_need_and_are_never_worse(seed: int) -> None:
    given = problem(seed, 30)
    order, least = search(given)
    assert sorted(order) == list(range(30)) and least == peak(given, order) <= peak(given, range(30))
    at = {s: k for k, s in enumerate(order)}
    assert all(at[r] < at[s] for s, step in enumerate(given.steps) for r in (*step.reads, *step.after))


def test_an_order_that_halves_the_peak() -> None:
    large = [Step((), (k,)) for k in range(8)]
    small = [Step((k,), (8 + k,)) for k in range(8)]
    order, least = search(Problem([*large, *small], [1000] * 8 + [1] * 8, frozenset(range(8, 16))))
    assert least == 1000 + 8 and order[:4] == [0, 8, 1, 9]


def main_of(types: list[Any], build: Any, names: tuple[str, ...] = ()) -> FuncOp:
    module = apply(program(types, build, names), *PASSES)
    return next(op for op in module.body.block.ops if isinstance(op, FuncOp))


def test_what_holds_the_peak() -> None:
    def build(x: Array) -> Array:
        h, g = x @ x, x.T @ x
        h.value.name_hint, g.value.name_hint = "h", "g"
        return (h @ g) @ x

    found = memory_of(main_of([tensor((16, 16), f32)], build))
    assert [m.bytes for m in found.moments] == [1024, 2048, 3072, 1024] and found.peak.bytes == 3072
    assert found.peak.at == 2 and [h.name for h in found.peak.holders][:2] == ["h", "g"]
    assert all(h.bytes == 1024 and h.type == "tensor<16x16xf32>" for h in found.peak.holders)


def test_what_a_loop_carries_holds_memory_as_long_as_it_runs() -> None:
    def build(x: Array) -> Array:
        body = region(lambda c: [c @ c], [x.type])
        return scan(4, [], [x @ x], [], body)[0] @ x

    found = memory_of(main_of([tensor((16, 16), f32)], build))
    assert [m.bytes for m in found.moments] == [1024, 2048, 2048]
    assert [h.bytes for h in found.peak.holders] == [2048], "one value in two places"


def test_the_chart() -> None:
    x = tensor((16, 16), f32)
    found = report(apply(program([x, x], lambda x, w: (x @ w) @ (w @ x) @ x), *PASSES))
    json.dumps(found)
    lines = draw(found["memory"])
    assert lines[0] == f"  1024 {'#' * 14:40} matmul" and lines[2] == f"  3072 {'#' * 40} matmul  <- peak"
    assert lines[4] == "held at the peak:" and len(lines) == 8
    assert "\n".join(lines) in format_report(found)


def test_a_chart_of_many_kernels_shows_the_fullest_of_several() -> None:
    kernels = [[f"k{n}", 100 if n == 70 else 50] for n in range(100)]
    lines = draw({"kernels": kernels, "peak": 70, "holders": [{"name": "", "type": "T", "bytes": 100, "source": ""}]})
    assert len(lines) == 25 + 2 and sum("k70 (of 4)  <- peak" in line for line in lines) == 1
    assert lines[-1] == "  T, 100 bytes"


@pytest.mark.parametrize(("text", "number"), [("64MiB", 64 << 20), ("1.5 kB", 1500), (0, 0), ("12", 12)])
def test_bytes(text: int | str, number: int) -> None:
    assert bytes_of(text) == number


@pytest.mark.parametrize("wrong", ["64 apples", "-1", -1, True, 1.5, ""])
def test_wrong_bytes(wrong: Any) -> None:
    with pytest.raises(CompileError, match="memory_limit: expected bytes such as 1000000 or '64MiB', found"):
        bytes_of(wrong)


def apart(x: Any, y: Any, w: Any, v: Any) -> Any:
    """Two large products, which are each reduced to a small one."""
    large, other = x @ w, y @ w
    return (large @ v).T @ (other @ v)


RNG = np.random.default_rng(0)
ARGUMENTS = [RNG.standard_normal(s).astype(np.float32) for s in ((64, 64), (64, 64), (64, 64), (64, 2))]


def test_a_limit_reorders_kernels() -> None:
    usual = mlc.compile(apart, *ARGUMENTS)
    limit = usual.report()["arena_bytes"] * 6 // 10
    found = mlc.compile(apart, *ARGUMENTS, memory_limit=limit)
    assert usual.report()["arena_bytes"] == usual.report()["live_bytes_max"] == 2 * 16384 + 512
    assert found.report()["arena_bytes"] <= limit and found.options.memory_limit == limit
    assert_matches(EXACT, found(*ARGUMENTS), usual(*ARGUMENTS))


def test_a_limit_that_is_kept_changes_nothing() -> None:
    usual = mlc.compile(apart, *ARGUMENTS)
    found = mlc.compile(apart, *ARGUMENTS, memory_limit="1MiB")
    assert found.llvm_ir() == usual.llvm_ir() and found.mlir("graph") == usual.mlir("graph")


def test_a_limit_that_is_too_small_is_refused_with_the_smallest_that_works() -> None:
    with pytest.raises(CompileError) as error:
        mlc.jit(apart, memory_limit=1000)(*ARGUMENTS)
    text = str(error.value)
    assert "expected a program within 1000 bytes, found none; the smallest limit that works is 1" in text
    assert "tensor<64x64xf32>, 16384 bytes" in text and f"{__file__}:" in text
    smallest = int(text.split("the smallest limit that works is ")[1].split()[0])
    assert smallest % 64 == 0
    assert mlc.compile(apart, *ARGUMENTS, memory_limit=smallest).report()["arena_bytes"] == smallest
    with pytest.raises(CompileError, match=f"smallest limit that works is {smallest}"):
        mlc.compile(apart, *ARGUMENTS, memory_limit=smallest - 1)


def test_a_limit_needs_sizes_that_are_known() -> None:
    with pytest.raises(CompileError, match=r"memory_limit: expected a program of sizes that are known, found an arena"):
        mlc.compile(lambda x: mnp.sum(x @ x.T @ x), mlc.spec(("b", 16), np.float32), memory_limit=64)


def test_limits_of_the_tools(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "apart.mlir"
    path.write_text(mlc.compile(apart, *ARGUMENTS).source)
    entry = ["--entry", "apart"]
    assert mlc_run([str(path), *entry, "--memory-limit", "20kB", "--check", "--report"]) == 0
    out = capsys.readouterr().out
    assert "check passed" in out and "held at the peak:" in out and "<- peak" in out
    assert mlc_run([str(path), *entry, "--memory-limit", "10kB"]) == 1
    assert "the smallest limit that works is" in capsys.readouterr().err
    assert mlc_compile([str(path), "--memory-limit", "10kB"]) == 1
    assert "expected a program within 10000 bytes" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        mlc_compile([str(path), "--memory-limit", "10kB", "-p", "cse"])
    assert "--memory-limit: expected no --passes" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_a_limit_is_one_pass_between_the_tensor_level_and_fusion(target: str) -> None:
    options = options_of(target=target, arch="sm_80" if target == "cuda" else None, memory_limit=1000)
    names = [p.name for p in passes(options, "graph")]
    assert names.count("limit-memory") == 1 and names[-1] == "graph-plan"
    assert "limit-memory" not in [p.name for p in passes(options, "nd")]
    assert names[: names.index("limit-memory")] == [p.name for p in passes(options, "nd")]
