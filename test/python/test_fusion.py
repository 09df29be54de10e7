"""graph-fuse and graph-outline: which ops share a kernel, what stays outside; the program computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from graph_cases import apply, check, inputs_of, kernels, program, random_program
from mlc.dialects.graph.ops import LAYOUT, KernelOp, LaunchOp
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.op import OPS, Array, bind
from mlc.dialects.nd.types import tensor
from mlc.runtime.interpreter import Interpreter
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.dialects.func import FuncOp

X, ROW, COLUMN, SQUARE = (tensor(s, f32) for s in ((6, 8), (6,), (8,), (8, 8)))


def spread(rows: Array, like: Array) -> Array:
    return F.broadcast_to(F.expand_dims(rows, 1), like.shape)


def layer_norm(x: Array, g: Array) -> Array:
    d = x - spread(F.mean(x, 1), x)
    return d * spread(F.rsqrt(F.mean(d * d, 1) + 1e-5), x) * F.broadcast_to(g, x.shape)


def diamond(x: Array) -> list[Array]:
    """e goes into a sum over rows and, through a sum over columns, into the end: one kernel would be a cycle."""
    e = F.exp(x)
    return [e + F.broadcast_to(F.tanh(F.sum_(e, 0)), x.shape) * spread(F.sum_(e, 1), x)]


FUSED: list[Any] = [
    pytest.param([X], F.softmax, ["max_sub_exp_div_mul"], id="softmax"),
    pytest.param([X], F.log_softmax, ["max_sub_exp_log_sub"], id="log_softmax"),
    pytest.param([X, X], lambda x, t: bind(OPS["cross_entropy"], x, t), ["max_sub_exp_sum_neg"], id="cross_entropy"),
    pytest.param([X, COLUMN], layer_norm, ["sum_mul_sub_mul"], id="layer_norm"),
    pytest.param([X], lambda x: F.variance(x, 1), ["sum_mul_sub_sum_mul"], id="variance"),
    pytest.param([X, SQUARE, COLUMN], lambda x, w, b: F.relu(x @ w + b), ["matmul_add_max"], id="bias relu"),
    pytest.param([X, SQUARE], lambda x, w: F.gelu(x @ w), ["matmul_mul_add_add_mul"], id="gelu"),
    pytest.param([X] * 4, lambda a, b, c, d: d + (a + b) * c, ["add_mul_add"], id="muladd"),
    pytest.param([X], lambda x: [F.exp(x), F.exp(x) * 2.0], ["exp_mul"], id="two results"),
    pytest.param([SQUARE], lambda x: F.exp(x) + F.exp(x).T, ["exp", "exp", "add"], id="transposed"),
    pytest.param([X, SQUARE], lambda x, w: F.softmax(x @ w), ["matmul", "max_sub_exp_div_mul"], id="matmul softmax"),
    pytest.param([X, SQUARE], lambda x, w: F.exp(x) @ w, ["exp", "matmul"], id="no prologue of a product"),
    pytest.param([X], lambda x: [F.sum_(x, 0), F.sum_(x, 1)], ["sum", "sum"], id="other rows"),
    pytest.param([X], lambda x: x / F.broadcast_to(F.sum_(x), x.shape), ["sum_div"], id="whole sum"),
]


@pytest.mark.parametrize(("types", "build", "names"), FUSED)
def test_what_shares_a_kernel(types: list[Any], build: Callable[..., Any], names: list[str]) -> None:
    module = apply(program(types, build), "decompose", "canonicalize", "cse", "dce")
    check(module, inputs_of(module), ("graph-fuse",))
    found = kernels(module)
    if len(names) == 1:
        assert len(found) == 1
    else:
        assert len(found) in (len(names), len(names) - 1)
    assert found[0].split("_")[0] == names[0].split("_")[0] and found[-1].split("_")[-1] == names[-1].split("_")[-1]


def test_no_cycle() -> None:
    module = program([X], diamond)
    check(module, inputs_of(module), ("graph-fuse",), ("graph-outline", "graph-plan", "nd-to-loop"))
    seen: set[str] = set()
    main = main_of(module)
    for op in main.body.block.ops:
        assert all(id(v.owner) in seen or v in main.body.block.args for v in op.operands)
        seen.add(id(op))  # pyright: ignore


def test_what_only_another_kernel_reads_moves_there() -> None:
    """The product e is in memory for its own sake; e * e is not."""

    def build(x: Array, w: Array) -> list[Array]:
        e = x @ w
        return [e, F.sum_(e * e)]

    module = program([X, SQUARE], build)
    check(module, inputs_of(module), ("graph-fuse",))
    assert kernels(module) == ["matmul", "mul_sum"]


VIEWS: list[Any] = [
    pytest.param([X], lambda x: x.T, id="transpose"),
    pytest.param([X], lambda x: x[1::2, ::-1], id="slice"),
    pytest.param([X], lambda x: F.flip(x, 0), id="reverse"),
    pytest.param([COLUMN], lambda b: F.broadcast_to(b, (6, 8)), id="broadcast"),
    pytest.param([X], lambda x: F.reshape(x, (2, 24)), id="reshape"),
    pytest.param([X], lambda x: [x, x], id="argument"),
]


@pytest.mark.parametrize(("types", "build"), VIEWS)
def test_views_alone_need_no_kernel(types: list[Any], build: Callable[..., Any]) -> None:
    module = program(types, build)
    check(module, inputs_of(module), ("graph-fuse",), ("graph-outline", "graph-plan"))
    assert not launches(module)


def test_results_that_must_be_made() -> None:
    def build(x: Array) -> list[Array]:
        return [F.zeros((2, 3)), F.constant(np.arange(4, dtype=np.float32)), F.reshape(x.T, (48,))]

    module = program([X], build)
    check(module, inputs_of(module), ("graph-fuse",), ("graph-outline", "graph-plan", "nd-to-loop"))
    assert len(launches(module)) == 3


def test_strided_arguments_carry_their_layout() -> None:
    module = apply(program([X], lambda x: F.exp(x.T)), "graph-fuse", "graph-outline")
    kernel = next(op for op in module.body.block.ops if isinstance(op, FuncOp) and op.sym_name.data == "exp")
    assert str(kernel.arg_attrs.data[0].data[LAYOUT]) == "strided<[1, 8]>"  # pyright: ignore


def test_symbolic_transposes_move_into_the_kernel() -> None:
    n, m = symbol("n"), symbol("m")
    module = program([tensor((n, m), f32)], lambda x: F.exp(x.T))
    args = inputs_of(module, {"n": 3, "m": 5})
    check(module, args, ("graph-fuse",), ("graph-outline", "graph-plan", "nd-to-loop"))
    assert "nd.transpose" not in str(main_of(module))


def test_a_kernel_knows_its_symbols() -> None:
    """The kernel reads only a tensor of 2*n elements; n comes from another argument."""
    n = symbol("n")
    module = program(
        [tensor((n,), f32)],
        lambda x: F.sum_(F.concatenate([x, x]) * F.concatenate([x, F.exp(x)])) / F.sum_(F.ones((n,))),
    )
    check(module, inputs_of(module, {"n": 3}), ("graph-fuse",), ("graph-outline", "graph-plan", "nd-to-loop"))


def test_equal_kernels_are_one_function() -> None:
    def build(x: Array, y: Array, w: Array) -> list[Array]:
        h = F.relu(x @ w)
        return [F.relu(h @ w), F.relu(y @ w), x @ w.T]

    module = program([X, X, SQUARE], build)
    check(module, inputs_of(module), ("decompose", "graph-fuse"), ("graph-outline",))
    names = [op.kernel for op in launches(module)]
    assert names.count("matmul_max") == 3 and names.count("matmul") == 1


def test_constants_become_arguments_only_to_make_kernels_equal() -> None:
    module = program([X, X], lambda x, y: [x * 2.0, y * 3.0])
    check(module, inputs_of(module), ("graph-fuse",), ("graph-outline",), ("graph-plan", "nd-to-loop"))
    found = launches(module)
    assert [op.kernel for op in found] == ["mul", "mul"] and len(found[0].args) == 2
    alone = apply(program([X], lambda x: x * 2.0), "graph-fuse", "graph-outline")
    assert len(launches(alone)[0].args) == 1


def test_layouts_keep_kernels_apart() -> None:
    module = apply(program([SQUARE, SQUARE], lambda x, y: [F.exp(x), F.exp(y.T)]), "graph-fuse", "graph-outline")
    assert [op.kernel for op in launches(module)] == ["exp", "exp_1"]


@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("seed", range(24))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_programs(seed: int, symbolic: bool) -> None:
    module = random_program(seed, symbolic)
    args = inputs_of(module, {"n": (0, 1, 3, 7)[seed % 4]}, seed)
    first = ("decompose", "canonicalize", "cse", "dce") if seed % 2 else ("decompose",)
    check(module, args, first, ("graph-fuse",), ("graph-outline",), ("graph-plan",), ("nd-to-loop",))


@pytest.mark.parametrize("seed", range(4))
def test_fusion_is_deterministic(seed: int) -> None:
    texts = [str(apply(random_program(seed), "decompose", "graph-fuse", "graph-outline", "graph-plan")) for _ in "ab"]
    assert texts[0] == texts[1]


def test_locations_and_names_are_kept() -> None:
    from mlc.compiler.parsing import parse_module

    text = str(program([X, SQUARE], lambda x, w: F.softmax(F.relu(x @ w)), ["x", "w"]))
    module = apply(parse_module(text, "a.mlir"), "decompose", "graph-fuse", "graph-outline", "graph-plan", "nd-to-loop")
    for op in module.walk():
        if not isinstance(op, ModuleOp):
            assert "a.mlir" in str(op.location), op
    assert main_of(module).body.block.args[0].name_hint == "x"


def main_of(module: ModuleOp) -> FuncOp:
    found = next(op for op in module.body.block.ops if isinstance(op, FuncOp))
    assert found.sym_name.data == "main"
    return found


def launches(module: ModuleOp) -> list[LaunchOp]:
    ops = list(main_of(module).body.block.ops)
    assert not any(isinstance(op, KernelOp) for op in ops)
    return [op for op in ops if isinstance(op, LaunchOp)]


def test_the_interpreter_runs_kernels() -> None:
    module = apply(program([X], F.softmax), "decompose", "graph-fuse")
    (x,) = inputs_of(module)
    (got,) = Interpreter(module).call("main", x)
    assert got.shape == x.shape and abs(got.sum() - 6) < 1e-5
