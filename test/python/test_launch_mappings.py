"""What statements become on a GPU: right in the interpreter of launches at sizes that no block divides, and never one
thread for much."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from device_on_host import HostDriver, on_host
from mlc.compiler import driver, pipelines
from mlc.compiler.compile import compile_module
from mlc.compiler.parsing import parse_module
from mlc.dialects.gpu import LaunchOp
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.elementwise import Elementwise
from mlc.dialects.nd.op import OPS, Array, Tolerance, building, sizes
from mlc.lowering.barriers import single
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from native_cases import TEMPLATES, One, Template
from test_ops_native import values
from xdsl.dialects import scf
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, f32, i1
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Operation, Region, SSAValue

NAMED = {str(t): t for t in TEMPLATES}
SYMBOLS = symbol("n"), symbol("m")
MANY = 1 << 30
"""Iterations of a loop whose bounds are not constants."""

MOST = 1024
"""Points that one thread may work through."""

ONE_THREAD: dict[str, str] = {}
"""Templates that have such a launch, and why."""


def traced(one: One) -> ModuleOp:
    """The program of one op."""
    block = Block(arg_types=one.types)
    with building(block):
        result = one.build(*map(Array, block.args)).value
    block.add_op(ReturnOp(result))
    f = FuncOp("main", ([a.type for a in block.args], [result.type]), Region(block))
    return ModuleOp([f])


def lowered(one: One) -> ModuleOp:
    """The same at the vector level of a GPU."""
    module = traced(one)
    driver.run(module, pipelines.specs(pipelines.CUDA_VECTOR), driver.from_environment())
    return module


def element_of(template: Template) -> Any:
    found = list(template.elements)
    return next((e for e in (f32, i1) if e in found), found[-1])


def checked(name: str, shape: tuple[int, ...], symbolic: bool = False) -> list[int]:
    """Check an op's result in the interpreter; the threads of its launches."""
    template = NAMED[name]
    dtype = element_of(template)
    types = template.types(shape, dtype)
    xs = values(types, 1)
    given: Any = SYMBOLS[: len(shape)] if symbolic else shape
    one = One(name, template.build, template.types(given, dtype), xs, [None] * len(xs))
    symbols = {str(s): n for s, n in zip(SYMBOLS, shape)} if symbolic else {}
    module = lowered(one)
    want, op, operands = one.expect(xs, symbols)
    (got,) = Interpreter(module).call("main", *[x.copy() for x in xs], symbols=symbols or None)
    with sizes(symbols):
        assert_matches(op, got, want, inputs=operands)
    return [number(op.block_x) for op in module.walk() if isinstance(op, LaunchOp)]


def number(value: SSAValue) -> int:
    """A constant, or MANY."""
    owner = value.owner
    found = owner.properties.get("value") if isinstance(owner, Operation) else None
    return found.value.data if isinstance(found, IntegerAttr) else MANY


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("reduce sum whole", (300, 401)),
        ("reduce max whole", (100003,)),
        ("reduce all whole", (40009,)),
        ("reduce sum last", (2, 40961)),
        ("reduce min first", (5000, 8)),
        ("argmax", (40009,)),
        ("softmax", (2, 40960)),
        ("softmax", (3, 4099)),
        ("variance", (3, 1031)),
        ("layer_norm", (2, 2053)),
    ],
)
def test_reductions(name: str, shape: tuple[int, ...]) -> None:
    assert max(checked(name, shape)) >= 32


@pytest.mark.parametrize("shape", [(3, 70), (0, 5), (5, 0), (260, 2)])
@pytest.mark.parametrize(
    "name", ["reduce sum last", "reduce sum first", "softmax", "argmax", "tanh", "cumulative sum 0", "argsort -1"]
)
def test_sizes_known_at_run_time(name: str, shape: tuple[int, ...]) -> None:
    if name != "argmax" or shape != (5, 0):
        checked(name, shape, symbolic=True)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("name", [n for n, t in NAMED.items() if t.op == "contract" and t.rank])
def test_contractions_over_nothing(name: str, shape: tuple[int, ...]) -> None:
    checked(name, shape)


@pytest.mark.parametrize("shape", [(1,), (33,), (3, 70), (2, 131), (300, 2)])
@pytest.mark.parametrize("name", ["sort -1", "sort 0 descending", "argsort 0", "argsort -1 descending"])
def test_sorts(name: str, shape: tuple[int, ...]) -> None:
    assert max(checked(name, shape)) == 256


@pytest.mark.parametrize("shape", [(1, 1), (17, 31), (300, 3)])
@pytest.mark.parametrize(
    "name", ["scatter add lines drop", "scatter set columns drop", "scatter add rows drop", "dynamic_update_slice 2"]
)
def test_scatters(name: str, shape: tuple[int, ...]) -> None:
    assert max(checked(name, shape)) >= 128


@pytest.mark.parametrize("name", ["cumulative sum 0", "cumulative max -1 reverse"])
@pytest.mark.parametrize("shape", [(1, 1), (5, 67), (130, 3), (3, 130), (260, 2)])
def test_loops_that_carry(name: str, shape: tuple[int, ...]) -> None:
    checked(name, shape)


def test_sorts_are_stable_and_put_nan_last() -> None:
    """As NumPy's, which counts all NaN as equal, and zeros of both signs."""
    x = np.random.default_rng(0).integers(-3, 4, (2, 200)).astype(np.float32)
    x[:, ::7], x[:, 1::9] = np.nan, -0.0
    text = """func.func @main(%x: tensor<2x200xf32>) -> tensor<2x200xi64> {
      %0 = nd.argsort %x along [1] : (tensor<2x200xf32>) -> tensor<2x200xi64>
      func.return %0 : tensor<2x200xi64>
    }"""
    module = parse_module(text)
    driver.run(module, pipelines.specs(pipelines.CUDA_VECTOR), driver.from_environment())
    (got,) = Interpreter(module).call("main", x)
    assert np.array_equal(got, np.argsort(x, axis=1, kind="stable"))


# ---- one thread
def points(block: Block) -> int:
    """Iterations of the longest nest of loops."""
    most = 1
    for op in block.ops:
        for region in op.regions:
            for inner in region.blocks:
                trips = -(-(number(op.ub) - number(op.lb)) // number(op.step)) if isinstance(op, scf.ForOp) else 1
                most = max(most, trips * points(inner))
    return most


@pytest.mark.parametrize("shape", [(48, 80), (5009,)])
def test_one_thread_does_not_do_much(shape: tuple[int, ...]) -> None:
    slow: set[str] = set()
    for template in TEMPLATES:
        if template.rank > len(shape) or (len(shape) == 1 and issubclass(OPS[template.op], Elementwise)):
            continue
        one = One(str(template), template.build, template.types(shape, element_of(template)), [], [])
        try:
            module = lowered(one)
        except (IndexError, ValueError):
            continue
        launches = [op for op in module.walk() if isinstance(op, LaunchOp)]
        if any(single(op) and points(op.body.block) > MOST for op in launches):
            slow.add(str(template))
    assert slow == set(ONE_THREAD)


# ---- the whole way
@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[HostDriver]:
    with on_host(monkeypatch) as library:
        yield library


@pytest.mark.parametrize(
    ("name", "shape"), [("cumulative sum -1", (100,)), ("reduce sum whole", (40009,)), ("softmax", (2, 1031))]
)
def test_ops_on_the_host(name: str, shape: tuple[int, ...], host: HostDriver) -> None:
    template = NAMED[name]
    types = template.types(shape, f32)
    one = One(name, template.build, types, values(types, 2), [None])
    exe = compile_module(traced(one), target="cuda")
    want, op, operands = one.expect(one.inputs, {})
    assert_matches(op, np.asarray(exe(*one.inputs)), want, inputs=operands)
    assert host.launched


ANY_SIZE = """func.func @main(%x: tensor<?xf32, #nd.sym<n>>) -> (tensor<?xi64, #nd.sym<n>>, tensor<f32>) {
  %0 = nd.argsort %x along [0] : (tensor<?xf32, #nd.sym<n>>) -> tensor<?xi64, #nd.sym<n>>
  %1 = nd.reduce sum %x "a -> " : (tensor<?xf32, #nd.sym<n>>) -> tensor<f32>
  func.return %0, %1 : tensor<?xi64, #nd.sym<n>>, tensor<f32>
}"""


def test_a_size_known_at_run_time_on_the_host(host: HostDriver) -> None:
    exe = compile_module(parse_module(ANY_SIZE), target="cuda")
    for n in (1, 100, 777):
        x = np.random.default_rng(n).standard_normal(n).astype(np.float32)
        order, total = exe(x)
        assert np.array_equal(np.asarray(order), np.argsort(x, kind="stable"))
        assert_matches(Tolerance(ulp=16, sums=16), np.asarray(total), x.astype("f8").sum().astype("f4"), inputs=[x])
    assert host.launched
