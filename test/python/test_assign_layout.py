"""assign-layout: chains of convolutions without conversions, what is chosen, and that results stay."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from math import prod
from pathlib import Path
from typing import Any

import mlc
import mlc.nn as nn
import numpy as np
import pytest
from layout_cases import MOBILE, NETWORKS, Layers, mobile
from mlc.compiler.context import context
from mlc.compiler.pipelines import LEVELS
from mlc.compiler.report import format_report
from mlc.compiler.transforms.assign_layout import AssignLayout
from mlc.compiler.transforms.layout.choice import choose
from mlc.compiler.transforms.layout.orders import permuted, read_by_reshape, rows
from mlc.compiler.transforms.layout.problem import Problem, Term
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import Tolerance, assert_matches, program_tolerance

ROOT = Path(__file__).resolve().parents[2]
IMAGE = np.random.default_rng(0).standard_normal((2, 8, 12, 10)).astype(np.float32)


def test_a_chain_of_convolutions_has_no_conversions() -> None:
    x = np.zeros((1, 32, 56, 56), np.float32)
    found = mlc.compile(mobile, x).report()
    assert [k["calls"] for k in found["kernels"]] == [1] * 2 * len(MOBILE) and found["copies"] == 0
    between = [c for c in found["conversions"] if "argument" not in c["why"] and "result" not in c["why"]]
    assert between == []
    padded = [k["name"] for k in found["kernels"] if "pad" in k["name"]]
    assert len(padded) == len(MOBILE) - 1  # each but the first depthwise one finds zeros around what it reads


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    exe = mlc.compile(NETWORKS[name], IMAGE)
    module = exe.module("nd")
    (want,) = Interpreter(module).call(exe.program.name, IMAGE)
    got = exe(IMAGE)
    assert got.flags.c_contiguous
    assert_matches(program_tolerance(module, [IMAGE], exe.program.name), got, want)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_are_laid_out(name: str) -> None:
    """Or else the test above shows nothing."""
    module = mlc.compile(NETWORKS[name], IMAGE).module("nd")
    before = str(module)
    AssignLayout().apply(context(), module)
    module.verify()
    assert str(module) != before


def test_symbolic_batch() -> None:
    layers = Layers(7)

    def net(x: Any) -> Any:
        return layers.pointwise(layers.depthwise(layers.pointwise(x, 32), 2), 8)

    exe = mlc.compile(net, mlc.spec(("n", 8, 14, 14), "float32"))
    assert any("pad" in k["name"] for k in exe.report()["kernels"])
    for n in (1, 3):
        x = np.random.default_rng(n).standard_normal((n, 8, 14, 14)).astype(np.float32)
        layers.rng = np.random.default_rng(7)
        want = mlc.compile(net, x)(x)
        assert_matches(Tolerance(ulp=8, sums=8, scale=8), exe(x), want)


def test_a_convolution_alone_keeps_its_orders() -> None:
    layers = Layers(8)
    exe = mlc.compile(lambda x: layers.conv(x, 16), IMAGE)
    (conversion,) = exe.report()["conversions"]
    assert conversion["why"] == "a result keeps its order"
    assert (conversion["from"], conversion["to"]) == ([0, 2, 3, 1], [0, 1, 2, 3])
    assert conversion["bytes"] == 4 * prod((2, 16, 12, 10))


def test_conversions_in_the_report() -> None:
    def net(x: Any, w: Any) -> Any:
        return nn.linear(x, w.T)

    exe = mlc.compile(net, np.zeros((64, 64), np.float32), np.zeros((64, 64), np.float32))
    (found,) = exe.report()["conversions"]
    assert (found["value"], found["from"], found["to"]) == ("w", [0, 1], [1, 0])
    text = format_report(exe.report())
    assert "conversion %w in matmul: [0, 1] to [1, 0], 16384 bytes: an argument keeps its order\n" in text


def test_gpus_keep_orders() -> None:
    assert not any("assign-layout" in passes for passes in LEVELS["cuda"].values())
    assert "assign-layout" in LEVELS["cpu"]["graph"]


@pytest.mark.parametrize("seed", range(20))
def test_the_choice_is_the_best(seed: int) -> None:
    pick = random.Random(seed)
    count = pick.randint(2, 6)
    orders = [list(itertools.permutations(range(3)))[: pick.randint(1, 3)] for _ in range(count)]
    problem = Problem(orders=orders)
    costs: list[tuple[tuple[int, ...], dict[Any, float]]] = []
    for _ in range(pick.randint(1, 8)):
        scope = tuple(pick.sample(range(count), pick.randint(1, min(3, count))))
        table = {at: pick.uniform(1, 100) for at in itertools.product(*(orders[g] for g in scope))}
        costs.append((scope, table))
        problem.terms.append(Term(scope, lambda found, table=table: table[tuple(found)]))

    def total(chosen: Any) -> float:
        return sum(table[tuple(chosen[g] for g in scope)] for scope, table in costs)

    best = min(total(chosen) for chosen in itertools.product(*orders))
    assert total(choose(problem)) <= best / 0.98


RESHAPES = [
    ((2, 24, 8, 12), (2, 24, 4, 2, 6, 2)),
    ((2, 3, 4), (6, 4)),
    ((6, 4), (2, 3, 4)),
    ((4, 6), (3, 8)),
    ((1, 4, 1, 5), (4, 5)),
    ((4, 5), (4, 1, 5, 1)),
    ((1, 1), ()),
]


@pytest.mark.parametrize(("x", "y"), RESHAPES)
def test_a_reshape_of_another_order(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    value = np.arange(prod(x)).reshape(x)
    kept = 0
    for order in itertools.permutations(range(len(y))):
        source = read_by_reshape(x, y, order)
        if source is not None:
            stored = value.transpose(source).reshape(permuted(y, order))
            assert (stored == value.reshape(y).transpose(order)).all()
            kept += 1
    assert read_by_reshape(x, y, rows(len(y))) is not None and kept >= 1


CHOOSE = """
import sys
sys.path.insert(0, sys.argv[1])
import mlc, numpy as np
from layout_cases import mobile
from mlc.compiler.driver import run
from mlc.compiler.parsing import parse_module
module = parse_module(mlc.jit(mobile).lower(np.zeros((1, 32, 28, 28), np.float32)))
run(module, ["canonicalize", "fold-constants", "dce", "assign-layout"])
print(module)
"""


def test_every_process_chooses_alike() -> None:
    def text(seed: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CHOOSE, str(ROOT / "test" / "python")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    first = text("1")
    assert "nd.pad" in first and first == text("4242")
