"""What rewriting graphs gains: rules and fusion against none, and every group of rules by itself.

resblock_rules_over_none       the residual block with constant weights: all rules against none, both fused
resblock_both_over_neither     rules and fusion against neither
resblock_fast_over_none        rules of level fast, among them fewer products, against none
transformer_16                 the transformer block with constant weights, 16 rows: merged products against three
ablation_P_G                   program P without the rules of group G, against all rules; only where G fires in P
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import mlc
import mlc.nn as nn
import numpy as np
from mlc.compiler.compile import Compiled
from mlc.compiler.cost import estimate
from mlc.compiler.driver import run
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.machine import Machine
from mlc.compiler.transforms.rules.catalogue import catalogue
from tqdm import tqdm
from xdsl.dialects.func import FuncOp

from .compile import specs, transformer
from .graph_variants import Subject, Variant
from .results import Row, ratio
from .suite.programs import PROGRAMS
from .timing import Timing, interleave

ROUNDS = 9
SECONDS = 0.1
"""Of each competitor in a round."""
LENGTHS = (16, 64, 128, 512)
"""Rows of the transformer block."""
NEEDED = {"decompose"}
"""Groups without which nothing compiles."""
LIMIT = 0.6
"""The share of its memory in which a training step runs."""
TOLERATED = 0.02
"""The share by which a group may seem slower, or twice the spread of the rounds."""
CONSTANT = ("resblock_64x56", "transformer_128x768")
"""Programs that are measured with constant weights, too."""


def everything() -> frozenset[str]:
    return frozenset(e.group for e in catalogue().values()) - NEEDED


def timed(subject: Subject, variants: Mapping[str, Variant]) -> tuple[dict[str, Timing], dict[str, Compiled]]:
    """Times of the variants in turn, and their programs; they write where the caller says."""
    given, programs = subject.given, {name: subject.compiled(v) for name, v in variants.items()}
    runs = {name: partial(exe, *given, out=exe(*given)) for name, exe in programs.items()}
    return interleave(runs, ROUNDS, SECONDS), programs


def residual() -> list[Row]:
    subject, off = Subject.of("resblock_64x56", constant=True), everything()
    variants = {
        "rules": Variant(),
        "none": Variant(off),
        "neither": Variant(off, apart=True),
        "fast": Variant(numerics="fast"),
    }
    times, programs = timed(subject, variants)
    some, none = (programs[name].report() for name in ("rules", "none"))
    kernels = f"{len(some['kernels'])} kernels"
    return [
        ratio("resblock_rules_over_none", times, "rules", "none", kernels),
        ratio("resblock_both_over_neither", times, "rules", "neither"),
        ratio("resblock_fast_over_none", times, "fast", "none"),
        Row("resblock_operations", some["after"]["ops"] / none["after"]["ops"], "x", note="left by the rules"),
    ]


def block(length: int) -> Row:
    subject = Subject.of("transformer_128x768", constant=True, sizes=("128", str(length)))
    times, programs = timed(subject, {"merged": Variant(), "apart": Variant(frozenset({"merging"}))})
    calls = [k for k in programs["merged"].report()["kernels"] if k["name"].startswith("matmul")]
    return ratio(f"transformer_{length}", times, "merged", "apart", f"{sum(k['calls'] for k in calls)} products")


def limited() -> Row:
    """A step of gradient descent in less memory."""

    def step(parameters: Any, x: Any) -> Any:
        loss, gradients = mlc.value_and_grad(lambda p: nn.mse(transformer(p, x), x))(parameters)
        return loss, [{k: p[k] - 0.1 * g[k] for k in p} for p, g in zip(parameters, gradients, strict=True)]

    layers, x = specs()
    given = [layers[:4], x]
    whole = mlc.compile(step, *given)
    arena = whole.report()["arena_bytes"]
    less = mlc.compile(step, *given, memory_limit=int(LIMIT * arena))
    rng = np.random.default_rng(0)
    numbers = [(0.05 * rng.standard_normal(a.shape)).astype(np.float32) for a in whole.program.arguments]
    runs = {"limited": lambda: less(*numbers), "whole": lambda: whole(*numbers)}
    share = f"{less.report()['arena_bytes'] / arena:.3f} of {arena / 1e6:.1f} MB"
    return ratio("limited_training_step", interleave(runs, ROUNDS, SECONDS), "limited", "whole", share)


def rewriting() -> list[Row]:
    """Seconds of the passes that rewrite a graph of 2,000 ops."""
    layers, x = specs()
    module = trace(transformer, (layers * 2, x)).module
    run(module, ["canonicalize", "decompose", "canonicalize"])
    ops = sum(len(f.body.block.ops) for f in module.ops if isinstance(f, FuncOp))
    found: list[Row] = []
    for name, passes in (
        ("greedy", ["canonicalize", "optimize"]),
        ("saturated", ["saturate{numerics=fast}", "optimize"]),
    ):
        copy = module.clone()
        start = time.perf_counter()
        run(copy, passes)
        found.append(Row(f"{name}_2000", time.perf_counter() - start, "s", note=f"{ops} ops"))
    return found


@dataclass(frozen=True)
class Ablation:
    """A program with all rules against it without a group; `estimated` is the ratio of the estimates."""

    row: Row
    estimated: float


def ablation(subject: Subject) -> list[Ablation]:
    """One for each group that fires and changes the program."""
    whole, host = Variant(), Machine.host()
    module, groups = subject.fused(whole)
    found: list[Ablation] = []
    name = f"{subject.name}{'_constant' if subject.constant else ''}"
    for group in (g for g in groups if g not in NEEDED):
        without = Variant(frozenset({group}))
        other = subject.fused(without)[0]
        if str(other) == str(module):
            continue
        times, _ = timed(subject, {"all": whole, "without": without})
        estimated = estimate(other, machine=host).seconds / estimate(module, machine=host).seconds
        row = ratio(f"ablation_{name}_{group}", times, "all", "without", f"estimated {estimated:.3f}")
        found.append(Ablation(row, round(estimated, 3)))
        tqdm.write(str(row), file=sys.stderr)
    return found


def slower(row: Row) -> float:
    """Percent by which all rules seem slower than without a group, beyond what the rounds vary by."""
    spread = max(t.median / t.best - 1 for t in row.times.values())
    return 100 * (1 / row.value - 1 - max(TOLERATED, 2 * spread))


def summary(found: Sequence[Ablation]) -> list[Row]:
    worst = max((a.row for a in found), key=slower)
    estimated = min(found, key=lambda a: a.estimated)
    return [
        Row("ablation_slower_maximum", slower(worst), "%", note=worst.name),
        Row("ablation_estimate_minimum", estimated.estimated, "x", note=estimated.row.name),
        Row("ablation_mean", statistics.geometric_mean(a.row.value for a in found), "x"),
    ]


def rows() -> list[Row]:
    lengths = [block(n) for n in LENGTHS]
    least = min(lengths[1:], key=lambda r: r.value)
    found = [
        *residual(),
        *lengths,
        Row("transformer_minimum", least.value, "x", note=least.name),
        limited(),
        *rewriting(),
    ]
    subjects = [*(Subject.of(p) for p in PROGRAMS), *(Subject.of(p, constant=True) for p in CONSTANT)]
    ablated = [a for s in tqdm(subjects, desc="ablation", unit="program", disable=None) for a in ablation(s)]
    return [*found, *(a.row for a in ablated), *summary(ablated)]
