"""The benchmarks' declarations: bars name rows, problems mean what they say. Nothing is timed here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import mlc
import numpy as np
import pytest

from bench import __main__ as main
from bench import contraction_cases, gpu, gpu_cases, row_cases, unseen
from bench.__main__ import APART, MODULES, TOPICS
from bench.onnx_models import as_product, operands
from bench.problems import Problem, compiled, given, signed
from bench.programs import suite
from bench.suite.programs import PROGRAMS, SMALL

ROOT = Path(__file__).parents[2]
BARS = tomllib.loads((ROOT / "bench" / "bars.toml").read_text())["bar"]
PRODUCT = Problem("einsum", ((5, 16), (16, 7)), "mk,kn->mn")
CONV = Problem("conv", ((2, 4, 9, 8), (6, 2, 3, 2)), stride=2, padding=1, dilation=2, groups=2)
BLOCK = Problem("mlp", ((4, 8), (8, 16), (16,), (16, 8), (8,)), constant=True)
TINY = {
    "product": PRODUCT,
    "constant": replace(PRODUCT, constant=True),
    "transposed": Problem("einsum", ((16, 5), (7, 16)), "km,nk->mn"),
    "batched": Problem("einsum", ((3, 5, 8), (3, 8, 7)), "bmk,bkn->bmn"),
    "scores": Problem("einsum", ((1, 2, 4, 8), (1, 2, 6, 8)), "bhqd,bhkd->bhqk"),
    "bfloat16": replace(PRODUCT, dtype="bfloat16"),
    "int8": replace(PRODUCT, dtype="int8"),
    "conv": CONV,
    "conv_input": replace(CONV, kind="conv_input"),
    "conv_weight": replace(CONV, kind="conv_weight"),
    "conv_1d": Problem("conv", ((1, 4, 9), (6, 4, 3)), padding=1, constant=True),
    "conv_3d": Problem("conv", ((1, 2, 4, 5, 3), (3, 2, 3, 1, 2))),
    "mlp_tanh": BLOCK,
    "mlp_erf": replace(BLOCK, erf=True),
    "four_bit": Problem("four_bit", ((1, 64), (64, 8))),
}


def written(topic: str) -> list[str]:
    """Patterns of the texts in a topic's module; what is put into a text may be anything."""
    found: list[str] = []
    for node in ast.walk(ast.parse((ROOT / "bench" / f"{MODULES.get(topic, topic)}.py").read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr) and any(isinstance(v, ast.Constant) for v in node.values):
            found.append("".join(re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in node.values))
    return found


@pytest.mark.parametrize("topic", [*TOPICS, *APART])
def test_every_bar_names_a_row(topic: str) -> None:
    bars = [bar for bar in BARS if bar["topic"] == topic]
    assert bars and all(("least" in bar) != ("most" in bar) for bar in bars)
    for bar in bars:
        if topic == "contractions":
            assert bar["row"] in contraction_cases.row_names()
        elif topic == "rows":
            assert bar["row"] in row_cases.row_names()
        elif topic == "gpu":
            assert bar["row"] in gpu.row_names()
        else:
            assert any(re.fullmatch(pattern, bar["row"]) for pattern in written(topic)), bar["row"]


def test_every_bar_has_a_topic() -> None:
    assert {bar["topic"] for bar in BARS} == {*TOPICS, *APART}


def test_summaries_name_groups_and_rows() -> None:
    for every, summaries in (
        (contraction_cases.cases(1 << 27), contraction_cases.SUMMARIES),
        (row_cases.cases((0,)), row_cases.SUMMARIES),
    ):
        names = {name for case in every for name in case.rows()}
        assert len({case.name for case in every}) == len(every)
        for summary in summaries:
            group = [case for case in every if summary.group in case.groups]
            assert group and all(case.name + summary.suffix in names for case in group), summary.name


@pytest.mark.parametrize("name", SMALL)
def test_functions_are_the_programs_of_the_suite(name: str) -> None:
    p = suite()[name]
    arrays = p.arrays()
    p.check(mlc.compile(PROGRAMS[name].path)(*arrays), p.reference(arrays))


@pytest.mark.parametrize("case", list(row_cases.unseen(5)), ids=lambda case: case.name)
def test_drawn_programs(case: row_cases.Case) -> None:
    p = case.program
    arrays = p.arrays()
    want = p.reference(arrays)
    p.check(p.compiled(arrays, 1)(*p.given(arrays)), want)
    with pytest.raises(AssertionError):
        p.check([y + y.dtype.type(1) for y in want], want)


@pytest.mark.parametrize("name", TINY)
def test_mlc_agrees_with_the_reference(name: str) -> None:
    p = TINY[name]
    arrays = p.arrays()
    p.check(compiled(p, arrays)(*given(p, arrays)), p.reference(arrays))


def test_a_wrong_result_is_found() -> None:
    want = PRODUCT.reference(PRODUCT.arrays())
    wrong = want.copy()
    wrong[2, 3] *= 1.001
    with pytest.raises(AssertionError):
        PRODUCT.check(wrong, want)


def test_references_are_sums_of_products() -> None:
    for p in (PRODUCT, TINY["transposed"], TINY["scores"]):
        x, w = p.arrays()
        p.check(p.reference([x, w]), np.einsum(p.text, x, w))
    x, w = TINY["conv_1d"].arrays()
    padded = np.pad(x, [(0, 0), (0, 0), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3, 2)
    TINY["conv_1d"].check(TINY["conv_1d"].reference([x, w]), np.einsum("ncit,oct->noi", windows, w))


def test_gradients_are_transposes_of_the_convolution() -> None:
    """<conv(x, w), g> = <x, conv_input(w, g)> = <w, conv_weight(x, g)>"""
    x, w = CONV.arrays()
    _, g = TINY["conv_input"].arrays()
    inner = lambda a, b: float(np.sum(a.astype(np.float64) * b))
    want = inner(CONV.reference([x, w]), g)
    assert inner(TINY["conv_input"].reference([w, g]), x) == pytest.approx(want, rel=1e-4)
    assert inner(TINY["conv_weight"].reference([x, g]), w) == pytest.approx(want, rel=1e-4)


def test_four_bits() -> None:
    assert signed(np.array([[0x8F, 0x70]], np.uint8)).tolist() == [[-1, -8, 0, 7]]
    p = TINY["four_bit"]
    x, w, scales = p.arrays()
    _, pairs, columns = operands(p, [x, w, scales])
    halves = np.stack([pairs & 15, pairs >> 4], -1).reshape(8, 64).astype(np.float32) - 8
    weights = halves * np.repeat(columns.reshape(8, 2), 32, 1)
    p.check(x @ weights.T, p.reference([x, w, scales]))


def test_which_sums_are_one_matrix_product() -> None:
    assert as_product("mk,kn->mn") == ([0, 1], [0, 1])
    assert as_product("km,nk->mn") == ([1, 0], [1, 0])
    assert as_product("bhqd,bhkd->bhqk") == ([0, 1, 2, 3], [0, 1, 3, 2])
    assert all(as_product(text) is None for text in ("m,n->mn", "md,dhe->hme", "mkl,kln->mn", "mk,kn->nm"))


def test_counts_of_operations() -> None:
    assert PRODUCT.flops == 2 * 5 * 16 * 7
    assert CONV.places == (4, 4) and CONV.flops == 2 * (2 * 6 * 4 * 4) * (2 * 3 * 2)
    assert TINY["conv_weight"].flops == CONV.flops and BLOCK.flops == 2 * 4 * (8 * 16 + 16 * 8)


def test_a_seed_decides_the_shapes() -> None:
    assert unseen.problems(7) == unseen.problems(7) != unseen.problems(8)
    fast = [case for seed in range(5) for case in unseen.cases(seed) if case.groups]
    assert all(c.program.problem.terms >= 64 and unseen.columns(c.program.problem) >= 32 for c in fast)
    assert not any(c.name.startswith("outer") for c in fast) and len(fast) >= 15


def test_gpu_summaries_name_groups_and_peers() -> None:
    every = gpu_cases.cases()
    assert len({case.name for case in every}) == len(every) and set(gpu.COMPILED) <= {case.name for case in every}
    for summary in gpu_cases.SUMMARIES:
        group = [case for case in every if summary.group in case.groups]
        assert group and all(summary.number in ("share", "us", *case.peers) for case in group), summary.name


def test_gpu_rows_compile_without_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--dry", "sm_90a", "softmax_8192x8192", "small_softmax_5"]) == 0
    softmax, small = capsys.readouterr().out.splitlines()
    assert softmax.endswith("1 launches") and small.endswith("5 launches")


def test_gpu_rows_compare_before_they_time(capsys: pytest.CaptureFixture[str]) -> None:
    """On the CPU, with few elements: one case that is right, one that is not, one that cannot be compiled."""
    pytest.importorskip("torch")
    from bench import gpu_places, gpu_runs

    place, case = gpu_places.Host(), gpu_cases.softmaxes(5)
    right = gpu_runs.measure(case, place, ["torch", "graph"])
    assert not right.failed and right.times.keys() == {"mlc", "graph"} and right.host > 0
    wrong = gpu_runs.measure(replace(case, ours=lambda x: x * 2.0), place, [])
    assert wrong.failed["mlc"].startswith("Wrong") and "FAILED" in str(gpu_runs.row_of(wrong, 1))
    broken = gpu_runs.measure(replace(case, ours=lambda x: x @ x[:3]), place, ["graph"])
    assert "mlc" in broken.failed and broken.times.keys() == {"graph"}


@pytest.mark.parametrize("arguments", [("rows", "--bars"), ("--bars", "rows"), ("calls", "--bars")])
def test_bars_of_a_topic(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In any order, also of a topic with options of its own."""
    judged: list[list[str]] = []
    monkeypatch.setattr(main, "judge", lambda topics: (judged.append(topics) or ["met"], True))
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    assert main.main() == 0 and "met" in capsys.readouterr().out
    assert judged == [[a for a in arguments if a != "--bars"]]


@pytest.mark.parametrize(
    ("topic", "option"), [("contractions", "--peers"), ("rows", "--peers"), ("unseen", "--seed"), ("gpu", "--peers")]
)
def test_help(topic: str, option: str) -> None:
    command = [sys.executable, "-m", "bench", topic, "--help"]
    assert option in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
