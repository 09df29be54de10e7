"""collapse-axes: programs mean what they meant, at the loop level and as native code, with fewer axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc import nn
from mlc.compiler.driver import run
from mlc.compiler.modules import traced
from mlc.compiler.parsing import parse_module
from mlc.compiler.pipelines import LOOP
from mlc.compiler.verify import verify
from mlc.dialects.loop.queries import stages
from mlc.dialects.nd.op import Tolerance
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import ModuleOp

Array = np.ndarray[Any, Any]
BEFORE = LOOP[: LOOP.index("collapse-axes")]


@dataclass(frozen=True)
class Case:
    """A program; its stages that have fewer axes afterwards, with the extents that they have."""

    fn: Callable[..., Any]
    shapes: tuple[tuple[Any, ...], ...]
    merged: dict[str, list[Any]]
    sizes: tuple[int, ...] = (3,)


def pointwise(x: Any, w: Any, b: Any, r: Any) -> Any:
    return mnp.maximum(nn.conv(x, w, layout="NCHW") + b.reshape(1, -1, 1, 1) + r, 0)


def scanned(x: Any, w: Any) -> Any:
    return mlc.scan(lambda c, _: (mnp.tanh(mnp.einsum("bij,jk->bik", c, w)), None), x, length=3)[0]


CASES = {
    "pointwise": Case(
        pointwise, ((2, 8, 5, 7), (6, 8, 1, 1), (6,), (2, 6, 5, 7)), {"mm": [2, 6, 35, 8], "max": [2, 6, 35]}
    ),
    "channels_last": Case(lambda x, w: nn.conv(x, w, layout="NHWC"), ((2, 5, 7, 8), (1, 1, 8, 6)), {"mm": [70, 6, 8]}),
    "rows": Case(lambda x, w: mnp.einsum("bij,jk->bik", x, w), ((3, 5, 8), (8, 20)), {"mm": [15, 20, 8]}),
    "batches": Case(
        lambda x, w: mnp.einsum("abij,abjk->abik", x, w), ((2, 3, 5, 8), (2, 3, 8, 9)), {"mm": [6, 5, 9, 8]}
    ),
    "two_reduced": Case(lambda x, w: mnp.einsum("imn,mnj->ij", x, w), ((5, 3, 4), (3, 4, 20)), {"mm": [5, 20, 12]}),
    "broadcast": Case(lambda x, b: mnp.tanh(x) * b.reshape(1, -1, 1, 1), ((2, 3, 5, 7), (3,)), {"mul": [2, 3, 35]}),
    "sums": Case(lambda x: x.sum((2, 3)), ((2, 3, 5, 7),), {"sum": [6, 35]}),
    "everything": Case(lambda x, y: (x * y).sum(), ((4, 5, 7), (4, 5, 7)), {"sum": [140]}),
    "softmax": Case(lambda x: nn.softmax(x, -1), ((2, 3, 5, 7),), {"mul": [30, 7]}),
    "run_time_rows": Case(lambda x, w: mnp.einsum("bij,jk->bik", x, w), (("b", 5, 8), (8, 20)), {}, sizes=(1, 2, 3, 9)),
    "run_time_elements": Case(lambda x, y: x * y + 1, (("b", 5, 7), ("b", 5, 7)), {}, sizes=(1, 3, 4, 50)),
    "in_a_loop": Case(scanned, ((3, 5, 8), (8, 8)), {}),
    "chain": Case(
        lambda x, w: nn.conv(mnp.tanh(nn.conv(x, w, layout="NCHW")), w, layout="NCHW"),
        ((2, 8, 5, 7), (8, 8, 1, 1)),
        {"mm": [2, 8, 35, 8]},
    ),
    "reshaped": Case(lambda x, y: x.reshape(6, 20) + y, ((2, 3, 4, 5), (6, 20)), {"add": [120]}),
}
KEPT = {
    "window": Case(lambda x, w: nn.conv(x, w, layout="NCHW"), ((2, 8, 5, 7), (6, 8, 3, 3)), {}),
    "transposed": Case(lambda x, y: mnp.transpose(x, (1, 0)) + y, ((7, 5), (5, 7)), {}),
    "column": Case(lambda x, y: x + y.reshape(-1, 1), ((5, 7), (5,)), {}),
    "positions": Case(lambda x: x + mnp.arange(7, dtype="float32"), ((5, 7),), {}),
    "joined": Case(lambda x, y: mnp.concatenate([x, y], 1), ((5, 3), (5, 4)), {}),
    "part": Case(lambda x: x[:, 1:] * 2, ((5, 7),), {}),
    "running_sums": Case(lambda x: mnp.cumulative_sum(x, axis=1), ((5, 7),), {}),
    "sorted": Case(lambda x: mnp.sort(x, axis=1), ((5, 7),), {}),
}


def module_of(case: Case) -> tuple[ModuleOp, str]:
    return traced(case.fn, [mlc.spec(s) for s in case.shapes], {})


def arguments(case: Case) -> list[list[Array]]:
    """Arrays for every size that is tried."""
    r = np.random.default_rng(1)
    sizes = case.sizes if any("b" in s for s in case.shapes) else (0,)
    return [
        [r.standard_normal([n if d == "b" else d for d in s]).astype(np.float32) for s in case.shapes] for n in sizes
    ]


def lowered(case: Case, *passes: str) -> ModuleOp:
    module, _ = module_of(case)
    run(module, [*BEFORE, *passes])
    return module


def extents(module: ModuleOp) -> dict[str, list[Any]]:
    return {s.label.data: [a.extent for a in s.axes] for s in stages(module)}


@pytest.mark.parametrize("name", [*CASES, *KEPT])
def test_a_program_means_the_same(name):
    """In the interpreter of the loop level, and as native code."""
    case = CASES.get(name) or KEPT[name]
    module, entry = module_of(case)
    exe = mlc.compile(case.fn, *[mlc.spec(s) for s in case.shapes])
    merged = lowered(case, "collapse-axes")
    verify(merged)
    for args in arguments(case):
        tolerance = program_tolerance(module, args, entry)
        (want,) = Interpreter(module).call(entry, *args)
        assert_matches(tolerance, Interpreter(merged).call(entry, *args)[0], want)
        assert_matches(tolerance, exe(*args), want)


@pytest.mark.parametrize("name", CASES)
def test_neighbours_are_one_axis(name):
    case = CASES[name]
    found = extents(lowered(case, "collapse-axes"))
    for label, axes in case.merged.items():
        assert [str(e) for e in found[label]] == [str(e) for e in axes]


@pytest.mark.parametrize("name", KEPT)
def test_other_axes_stay(name):
    case = KEPT[name]
    assert str(lowered(case, "collapse-axes")) == str(lowered(case))


@pytest.mark.parametrize("name", [*CASES, *KEPT])
def test_once_is_enough_and_every_time_the_same(name):
    case = CASES.get(name) or KEPT[name]
    once = str(lowered(case, "collapse-axes"))
    assert str(lowered(case, "collapse-axes", "collapse-axes")) == once == str(lowered(case, "collapse-axes"))


def test_an_argument_is_overwritten_in_place():
    """A donated argument and the result that replaces it have one shape."""
    exe = mlc.compile(lambda w, g: w - 0.5 * g, mlc.spec((6, 7)), mlc.spec((6, 7)), donate=(0,))
    assert exe.report()["copies"] == 0
    r = np.random.default_rng(0)
    w, g = (r.standard_normal((6, 7)).astype(np.float32) for _ in range(2))
    want = w - 0.5 * g
    assert_matches(Tolerance(ulp=1), exe(w, g), want)


def test_places_and_names_stay():
    """The program's results live where they did; stages keep names, labels and locations."""
    case = CASES["pointwise"]
    before, after = lowered(case), lowered(case, "collapse-axes")
    for f, g in zip(before.ops, after.ops, strict=True):
        assert f.attributes == g.attributes
    launches = [[op for op in m.walk() if op.name == "graph.launch"] for m in (before, after)]
    assert [op.attributes for op in launches[0]] == [op.attributes for op in launches[1]]
    for s, t in zip(stages(before), stages(after), strict=True):
        assert s.label == t.label and s.location == t.location
        assert [r.name_hint for r in s.results] == [r.name_hint for r in t.results]


def test_kernels_of_the_loop_level_keep_their_axes():
    """Who writes a kernel's stages also writes its schedule."""
    text = """
    func.func @main(%x: tensor<8x50xf32>) -> tensor<8x50xf32> {
      %y = loop.stage twice [i: 8, j: 50] (%a = %x[i, j]) -> [i, j] {
        %b = arith.addf %a, %a : f32
        loop.yield %b : f32
      }
      func.return %y : tensor<8x50xf32>
    }"""
    module = parse_module(text, "twice.mlir")
    run(module, [*BEFORE, "collapse-axes"])
    assert extents(module) == {"twice": [8, 50]}
    x = np.arange(400, dtype=np.float32).reshape(8, 50)
    exe = mlc.compile(text, schedule="loop-tile{axis=j size=10},loop-vectorize{axes=j}")
    assert_matches(Tolerance(ulp=0), exe(x), x + x)
