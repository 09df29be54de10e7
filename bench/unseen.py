"""Contractions whose shapes nobody has chosen: a seed draws them, and each says which share of the peak it has.

The mean is over those that a core can do fast: at least 64 terms in a sum and 32 columns in the result.
"""

from __future__ import annotations

import math
import random

from . import contraction_runs
from .contraction_cases import Case, Program, Summary
from .peered import Options, in_process
from .problems import Problem
from .results import Row

FAST_TERMS, FAST_COLUMNS = 64, 32
MEAN = Summary("unseen_mean", "fast", "_peak", mean=True)


def shuffled(rng: random.Random, letters: str) -> str:
    return "".join(rng.sample(letters, len(letters)))


def einsum(rng: random.Random, sizes: dict[str, int], x: str, y: str, out: str) -> Problem:
    """With the dimensions of each operand in any order."""
    x, y = shuffled(rng, x), shuffled(rng, y)
    shapes = tuple(tuple(sizes[i] for i in term) for term in (x, y))
    return Problem("einsum", shapes, f"{x},{y}->{out}")


def problems(seed: int) -> dict[str, Problem]:
    """One of each kind."""
    rng = random.Random(seed)
    some = rng.randint
    five = {"b": some(2, 6), "r": some(4, 12), "s": some(5, 24), "k": some(4, 16), "l": some(16, 48)}
    five |= {"n": some(32, 80), "m": some(2, 6)}
    two = {"m": some(60, 400), "k": some(3, 24), "l": some(24, 96), "n": some(32, 400)}
    outer = {"b": some(2, 16), "m": some(50, 300), "n": some(50, 300)}
    each, groups, kernel, dilation = some(32, 72), some(2, 4), rng.choice((3, 5)), some(2, 3)
    size, stride, channels, out = some(24, 60), some(2, 3), some(32, 96), some(32, 96)
    shapes = ((some(1, 2), each * groups, size, size + some(0, 9)), (32 * groups, each, kernel, kernel))
    grouped = Problem("conv", shapes, padding=dilation, dilation=dilation, groups=groups)
    large = size * stride
    transposed = ((1, channels, large, large + stride), (out, channels, kernel, kernel))
    return {
        "einsum_5d": einsum(rng, five, "brskl", "bklmn", "brsmn"),
        "outer_batched": einsum(rng, outer, "bm", "bn", "bmn"),
        "conv_groups_dilated": grouped,
        "conv_transposed": Problem("conv_input", transposed, padding=kernel // 2, stride=stride),
        "two_sums": einsum(rng, two, "mkl", "kln", "mn"),
    }


def columns(p: Problem) -> int:
    """The size of the result's dimension that the second operand brings."""
    if p.kind != "einsum":
        return p.shapes[1][1 if p.kind == "conv_input" else 0] // p.groups
    x, y = p.text.split("->")[0].split(",")
    return math.prod(n for i, n in p.sizes.items() if i in y and i not in x)


def cases(seed: int) -> list[Case]:
    found: list[Case] = []
    for name, p in problems(seed).items():
        fast = p.terms >= FAST_TERMS and columns(p) >= FAST_COLUMNS
        found.append(Case(f"{name}_seed{seed}", ("fast",) if fast else (), Program(p), peers=False))
    return found


def measured(options: Options) -> list[Row]:
    every = [case for seed in options.seeds for case in cases(seed)]
    found = contraction_runs.run(every, options)
    best = contraction_runs.best_rates(found, options.threads)
    out: list[Row] = []
    for m in found:
        p = m.case.program.problem
        (row,) = contraction_runs.rows_of(m, best, options.threads)
        sizes = " x ".join(str(list(s)) for s in p.shapes)
        out.append(Row(row.name, row.value, row.unit, row.times, f"{row.note}  {p.text} {sizes}"))
    return [*out, contraction_runs.summary(MEAN, found, {row.name: row for row in out})]


def rows() -> list[Row]:
    return in_process("unseen")
