"""Convolutions by fewer products against the contraction's own reference, as native code and interpreted."""

from __future__ import annotations

from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from graph_cases import program
from mlc.compiler.context import context
from mlc.compiler.registry import lookup
from mlc.compiler.transforms.winograd.error import error_allowed, growth
from mlc.compiler.transforms.winograd.matching import convolution
from mlc.compiler.transforms.winograd.matrices import ALGORITHMS, TAPS
from mlc.compiler.transforms.winograd import Winograd
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from xdsl.dialects.builtin import ModuleOp, f32

Np = np.ndarray[Any, Any]
Case = tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]

CASES: dict[str, Case] = {
    "channels first": ("n c h+k-1 w+l-1, f c k l -> n f h w", (2, 5, 9, 11), (7, 5, 3, 3), (2, 7, 9, 11)),
    "channels last": ("n h+k-1 w+l-1 c, k l c f -> n h w f", (1, 8, 12, 20), (3, 3, 20, 18), (1, 8, 12, 18)),
    "no padding": ("n h+k w+l c, k l c f -> n h w f", (1, 7, 10, 4), (3, 3, 4, 6), (1, 5, 8, 6)),
    "no padding, channels first": ("n c h+k w+l, f c k l -> n f h w", (2, 4, 7, 6), (3, 4, 3, 3), (2, 3, 5, 4)),
    "wide padding": ("n h+k-4 w+l-3 c, k l c f -> n h w f", (1, 5, 3, 2), (3, 3, 2, 3), (1, 12, 6, 3)),
    "cut": ("n h+k+1 w+l+2 c, k l c f -> n h w f", (1, 9, 9, 3), (3, 3, 3, 4), (1, 5, 4, 4)),
    "one result": ("n h+k w+l c, k l c f -> n h w f", (3, 3, 3, 5), (3, 3, 5, 2), (3, 1, 1, 2)),
    "gradient": ("n f h-k+1 w-l+1, f c k l -> n c h w", (2, 4, 7, 9), (4, 6, 3, 3), (2, 6, 7, 9)),
    "one dimension": ("n h+k-1 c, k c f -> n h f", (3, 13, 6), (3, 6, 17), (3, 13, 17)),
    "no batch": ("c h+k-1 w+l-1, f c k l -> f h w", (3, 6, 6), (4, 3, 3, 3), (4, 6, 6)),
    "more names": ("a b h+k-1 d w+l-1 c, k c e l d f -> a f h b w e", (2, 3, 6, 2, 5, 4), (3, 4, 3, 3, 2, 5), (2, 5, 6, 3, 5, 3)),
    "kernel first": ("f c k l, n c h+k-1 w+l-1 -> n f h w", (5, 3, 3, 3), (1, 3, 6, 7), (1, 5, 6, 7)),
}
ODD = [(1, h, w) for h in (1, 2, 3, 4, 5, 8) for w in (1, 4, 7)]


def module_of(case: Case) -> ModuleOp:
    text, *sides, result = case
    types = [tensor(s, f32) for s in sides]
    return program(types, lambda *xs: contract(xs, parse(text), result))


def the_contraction(module: ModuleOp) -> Contract:
    (op,) = (op for op in module.walk() if isinstance(op, Contract))
    return op


def numbers(case: Case, kind: str) -> list[Np]:
    """Random, or of magnitudes that are far apart."""
    rng = np.random.default_rng(len(case[0]))
    out = [rng.standard_normal(s) for s in case[1:3]]
    if kind == "wild":
        out = [x * np.exp2(rng.integers(-16, 16, x.shape)) for x in out]
    return [x.astype(np.float32) for x in out]


def check(case: Case, tile: int, kind: str, native: bool) -> None:
    module = module_of(case)
    inputs = numbers(case, kind)
    op = the_contraction(module)
    found = convolution(op)
    assert found is not None
    x, w = inputs if found.x.value is op.operands[0] else reversed(inputs)
    want, tolerance = op.reference(*inputs), error_allowed(found, ALGORITHMS[tile], x, w)
    Winograd(tile=tile).apply(context(), module)
    module.verify()
    assert sum(isinstance(op, Contract) for op in module.walk()) == 1 + 3 * len(found.windows)
    got = mlc.compile(module)(*inputs) if native else Interpreter(module).call("main", *inputs)[0]
    assert_matches(tolerance, got, want)


@pytest.mark.parametrize("tile", ALGORITHMS)
@pytest.mark.parametrize("name", CASES)
def test_results_are_within_the_stated_error(name: str, tile: int) -> None:
    check(CASES[name], tile, "normal", native=True)
    check(CASES[name], tile, "wild", native=False)


@pytest.mark.parametrize("tile", ALGORITHMS)
@pytest.mark.parametrize("size", ODD, ids=str)
def test_any_size(size: tuple[int, int, int], tile: int) -> None:
    n, h, w = size
    case = ("n c h+k-1 w+l-1, f c k l -> n f h w", (n, 3, h, w), (4, 3, 3, 3), (n, 4, h, w))
    check(case, tile, "normal", native=False)


@pytest.mark.parametrize("m", ALGORITHMS)
def test_the_matrices_give_sums_of_three_products(m: int) -> None:
    by = ALGORITHMS[m]
    taps, points = np.eye(TAPS), np.eye(m + 2)
    for k in range(TAPS):
        for i in range(m + 2):
            got = by.a @ ((by.g @ taps[k]) * (by.b @ points[i]))
            np.testing.assert_allclose(got, [float(y + k == i) for y in range(m)], atol=1e-12)
    assert growth(by) == pytest.approx({2: 2.24, 4: 9.71}[m], abs=0.01)


DECLINED = {
    "stride": ("n 2*h+k-1 c, k c f -> n h f", (1, 9, 4), (3, 4, 5), (1, 5, 5)),
    "dilation": ("n h+2*k-2 c, k c f -> n h f", (1, 9, 4), (3, 4, 5), (1, 9, 5)),
    "base dilation": ("n (h+k-1)/2 c, k c f -> n h f", (1, 5, 4), (3, 4, 5), (1, 9, 5)),
    "five taps": ("n h+k-2 c, k c f -> n h f", (1, 9, 4), (5, 4, 5), (1, 9, 5)),
    "three dimensions": ("h+k w+l d+m c, k l m c f -> h w d f", (5, 5, 5, 2), (3, 3, 3, 2, 2), (3, 3, 3, 2)),
    "groups": ("n h+k-1 g c, k g c f -> n h g f", (1, 9, 2, 4), (3, 2, 4, 5), (1, 9, 2, 5)),
    "each channel by itself": ("n h+k-1 c, k c -> n h c", (1, 9, 4), (3, 4), (1, 9, 4)),
    "the kernel's gradient": ("n h+k-1 c, n h f -> k c f", (1, 9, 4), (1, 9, 5), (3, 4, 5)),
    "no channels": ("n h+k-1, k f -> n h f", (1, 9), (3, 5), (1, 9, 5)),
    "a product": ("a b, b c -> a c", (4, 3), (3, 5), (4, 5)),
    "one operand": ("n h+k -> n h k", (1, 9), (), (1, 7, 3)),
}


@pytest.mark.parametrize("name", [n for n in DECLINED if n != "one operand"])
def test_others_stay(name: str) -> None:
    module = module_of(DECLINED[name])
    before = str(module)
    Winograd(tile=2).apply(context(), module)
    assert str(module) == before
