"""Convolutions by fewer products against the contraction's own reference, as native code and interpreted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlc
import mlc.nn as nn
import mlc.numpy as mnp
import numpy as np
import pytest
from graph_cases import program
from mlc.compiler.context import context
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.options import CompileOptions, passes
from mlc.compiler.registry import lookup
from mlc.compiler.transforms.winograd import Winograd
from mlc.compiler.transforms.winograd.error import error_allowed, growth
from mlc.compiler.transforms.winograd.matching import convolution
from mlc.compiler.transforms.winograd.matrices import ALGORITHMS, TAPS
from mlc.dialects.nd.contraction import Contract, contract
from mlc.dialects.nd.dimmap import parse
from mlc.dialects.nd.op import Tolerance
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from xdsl.dialects.builtin import ModuleOp, bf16, f16, f32, f64

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
    "more names": (
        "a i0 h+k-1 d w+l-1 c, k c e l d u -> a u h i0 w e",
        (2, 3, 6, 2, 5, 4),
        (3, 4, 3, 3, 2, 5),
        (2, 5, 6, 3, 5, 3),
    ),
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
    assert op.parent is None
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
    assert growth(by) == pytest.approx({2: 2.24, 4: 4.62}[m], abs=0.01)


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
}


@pytest.mark.parametrize("name", DECLINED)
def test_others_stay(name: str) -> None:
    module = module_of(DECLINED[name])
    before = str(module)
    Winograd(tile=2).apply(context(), module)
    assert str(module) == before


@pytest.mark.parametrize("dtype", [f16, bf16, f64], ids=str)
def test_other_types_stay(dtype: Any) -> None:
    types = [tensor((1, 9, 4), dtype), tensor((3, 4, 5), dtype)]
    module = program(types, lambda x, w: contract([x, w], parse("n h+k-1 c, k c f -> n h f"), (1, 9, 5)))
    before = str(module)
    Winograd(tile=2).apply(context(), module)
    assert str(module) == before


def layer(x: Any, w: Any, b: Any, r: Any) -> Any:
    """A convolution with all that follows it in a residual block, channels first."""
    y = nn.conv(x, w, 1, 1, layout="NCHW") + b[:, None, None]
    return mnp.maximum(y + r, 0)


def arrays(c: int, f: int, h: int, w: int) -> list[Np]:
    rng = np.random.default_rng(c)
    shapes = [(2, c, h, w), (f, c, 3, 3), (f,), (2, f, h, w)]
    return [rng.standard_normal(s).astype(np.float32) for s in shapes]


def tiled(fn: Any, xs: list[Np], tile: int) -> tuple[ModuleOp, Tolerance]:
    """A function of a convolution's operands and more, with tiles of this size, and what it may err by."""
    module = trace(fn, xs).module
    lookup("canonicalize")().apply(context(), module)
    found = convolution(the_contraction(module))
    assert found is not None
    allowed = error_allowed(found, ALGORITHMS[tile], *xs[:2])
    Winograd(tile=tile).apply(context(), module)
    return module, replace(allowed, ulp=4)


@pytest.mark.parametrize("tile", ALGORITHMS)
def test_what_follows_is_fused_for_any_vectors_and_threads(tile: int, target: tuple[int, int]) -> None:
    xs = arrays(18, 20, 11, 24)
    module, allowed = tiled(layer, xs, tile)
    want = mlc.compile(layer, *xs)(*xs)
    assert_matches(allowed, mlc.compile(module, entry="layer")(*xs), want)


def test_a_batch_of_any_size() -> None:
    def f(x: Any, w: Any) -> Any:
        return nn.conv(x, w, 1, 1)

    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(s).astype(np.float32) for s in [(3, 6, 7, 8), (3, 3, 8, 9)]]
    module = trace(f, [mlc.spec(("n", 6, 7, 8), "float32"), xs[1]]).module
    Winograd(tile=4).apply(context(), module)
    exe, same = mlc.compile(module, entry="f"), mlc.compile(f, *xs)
    _, allowed = tiled(f, xs, 4)
    for n in (1, 3):
        assert_matches(allowed, exe(xs[0][:n], xs[1]), same(xs[0], xs[1])[:n])


WIDE = Path(__file__).parents[1] / "transforms/loop/wide.toml"


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice does not depend on the host."""
    monkeypatch.setenv("MLC_MACHINE", str(WIDE))


def products(fn: Any, *specs: Any, numerics: str) -> list[int]:
    """Points of the products of each convolution that was rewritten."""
    text = mlc.compile(fn, *specs, numerics=numerics).mlir("nd")
    return [int(n) for n in re.findall(r'"a b c d e f, a b f g -> .*?\(tensor<(\d)x', text)]


def test_only_the_level_fast_allows_it(wide: None) -> None:
    x, w = mlc.spec((1, 56, 56, 64), "float32"), mlc.spec((3, 3, 64, 64), "float32")

    def f(x: Any, w: Any) -> Any:
        return nn.conv(x, w, 1, 1)

    def both(x: Any, w: Any) -> Any:
        return mlc.grad(lambda x: mnp.sum(f(x, w) ** 2))(x)

    assert products(f, x, w, numerics="exact") == products(f, x, w, numerics="ieee") == []
    assert products(f, x, w, numerics="fast") == [6]
    assert products(both, x, w, numerics="fast") == [6, 6]
    for_gpus = passes(CompileOptions(numerics="fast", target="cuda", arch="sm_90a"), "nd")
    assert [p.numerics for p in for_gpus if isinstance(p, Winograd)] == ["ieee"]


def test_a_constant_kernel_is_transformed_before_the_program_runs(wide: None) -> None:
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(np.float32) for s in [(1, 56, 56, 64), (3, 3, 64, 64)])

    def f(x: Any, w: Any) -> Any:
        return nn.conv(x, w, 1, 1)

    exe = mlc.compile(f, x, constants={"w": w}, numerics="fast")
    # a copy with zeros around it, two transforms, the products, two transforms
    assert exe.mlir("graph").count("graph.launch") == 6
    _, allowed = tiled(f, [x, w], 4)
    assert_matches(allowed, exe(x), mlc.compile(f, x, w)(x, w))


def test_what_is_not_finite_reaches_its_tiles_only() -> None:
    case = ("n h+k-1 c, k c f -> n h f", (1, 16, 3), (3, 3, 2), (1, 16, 2))
    module, (x, w) = module_of(case), numbers(case, "normal")
    Winograd(tile=4).apply(context(), module)
    exe = mlc.compile(module)
    spoiled = x.copy()
    spoiled[0, 9, 1] = np.inf  # read by the tile of results 8 to 11, which reads 7 to 12
    want, got = exe(x, w), exe(spoiled, w)
    assert not np.isfinite(got[0, 8:12]).all(axis=-1).any()
    assert_matches(Tolerance(), np.delete(got, slice(8, 12), 1), np.delete(want, slice(8, 12), 1))
