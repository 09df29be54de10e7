"""nd-to-loop: every op and element type means at the loop level what its reference says."""

from __future__ import annotations

from typing import Any

import pytest
from graph_cases import GRAPH, apply, check, inputs_of, program
from mlc.dialects.errors import CompileError
from mlc.dialects.loop.ops import StageOp
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.composite import Composite
from mlc.dialects.nd.dims import symbol
from mlc.dialects.nd.elementwise import Elementwise
from mlc.dialects.nd.op import OPS, Array
from mlc.dialects.nd.types import is_complex, tensor
from mlc.lowering.scalar_rows import ROWS
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from op_cases import CASES, Case, sampled_dtypes, specials, values
from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.dialects.func import FuncOp

ABOVE = ("complex", "real", "imag", "fft")
"""Ops of complex numbers, which expand-complex takes apart above this level."""

EVERY = [
    pytest.param(c, d, id=f"{c.op} {c.label} {d} {c.shapes}")
    for c in CASES
    for d in sampled_dtypes(c, 2)
    if c.op not in ABOVE and not is_complex(d) and not c.label.startswith("complex")  # the type converted to
]


@pytest.mark.parametrize(("case", "dtype"), EVERY)
def test_every_op_and_type(case: Case, dtype: Any) -> None:
    module = program(case.types(dtype), case.build)
    op = case.trace(dtype)
    lowered = apply(module.clone(), *GRAPH, "nd-to-loop")
    assert not any(inner.name.startswith("nd.") for f in kernels_of(lowered) for inner in f.walk())
    # labels of one_hot must be in range; a system with NaN or infinities has no solution
    finite = case.op in ("one_hot", "triangular_solve", "cholesky")
    for inputs in (values(case.types(dtype)), *([] if finite else [specials(case.types(dtype))])):
        want = Interpreter(module).call("main", *inputs)[0]
        got = Interpreter(lowered).call("main", *inputs)[0]
        if isinstance(op, Composite):
            assert_matches(program_tolerance(module, inputs), got, want)
        else:
            assert_matches(op, got, want, inputs=inputs)


def kernels_of(module: ModuleOp) -> list[FuncOp]:
    return [f for f in module.body.block.ops if isinstance(f, FuncOp) and f.sym_name.data != "main"]


def test_every_elementwise_op_has_a_row() -> None:
    for name, cls in OPS.items():
        if issubclass(cls, Elementwise) and not issubclass(cls, Composite) and name not in ABOVE:
            assert cls.name in ROWS, name
    assert all(name.removeprefix("nd.") in OPS for name in ROWS)


def stages_of(module: ModuleOp) -> list[StageOp]:
    return [op for op in module.walk() if isinstance(op, StageOp)]


def lower(types: list[Any], build: Any) -> list[StageOp]:
    module = program(types, build)
    check(module, inputs_of(module, {"n": 5}), ("decompose", "canonicalize", "cse", "dce"), ("nd-to-loop",))
    return stages_of(module)


def test_a_chain_is_one_stage() -> None:
    (stage,) = lower([tensor((4, 6), f32)] * 2, lambda x, y: F.where(x > y, F.exp(x) * y, F.tanh(y)))
    assert len(stage.ins) == 2


def test_what_moves_elements_is_an_access() -> None:
    (stage,) = lower([tensor((4, 6), f32)], lambda x: F.exp(F.flip(x.T, 0)[1::2]))
    assert "5 - i" not in str(stage) and "-2 * i + 4" in str(stage)


def test_softmax_has_three_stages_over_its_elements() -> None:
    stages = lower([tensor((4, 6), f32)], F.softmax)
    assert [s.label.data for s in stages] == ["max", "exp_sum", "div", "mul"]
    *wide, rows = sorted({tuple(a.name for a in s.axes) for s in stages}, key=len, reverse=True)
    assert wide == [("i", "j")] and rows == ("i",)


def test_axes_of_a_product_and_its_epilogue_agree() -> None:
    types = [tensor((4, 6), f32), tensor((6, 5), f32), tensor((5,), f32)]
    product, epilogue = lower(types, lambda x, w, b: F.relu(x @ w + b))
    assert [a.name for a in product.axes] == ["i", "j", "k"] and [a.name for a in epilogue.axes] == ["i", "j"]


def test_a_dear_value_is_computed_once() -> None:
    def build(x: Array) -> list[Array]:
        e = F.exp(x)
        return [F.sum_(e, 1), e * F.broadcast_to(F.expand_dims(F.sum_(e, 1), 1), x.shape)]

    stages = lower([tensor((4, 6), f32)], build)
    assert sum(str(s).count("math.exp") for s in stages) == 1


def test_symbolic_sizes() -> None:
    n = symbol("n")
    types = [tensor((n, 4), f32), tensor((4, 3), f32)]
    module = program(types, lambda x, w: F.mean(F.pad(F.softmax(x @ w), ((1, 2), (0, 0)), 2.0), 0))
    check(module, inputs_of(module, {"n": 5}), ("decompose",), ("graph-fuse", "graph-outline"), ("nd-to-loop",))


@pytest.mark.parametrize("shape", [(24,), (2, 12), (6, 4), (2, 3, 4), (1, 24, 1)])
def test_reshape_by_factors(shape: tuple[int, ...]) -> None:
    lower([tensor((6, 4), f32)], lambda x: F.reshape(F.exp(x), shape) * 2.0)
    lower([tensor(shape, f32)], lambda x: F.exp(F.reshape(x, (6, 4))))


def test_a_reshape_that_does_not_factor_is_refused() -> None:
    module = program([tensor((6, 4), f32)], lambda x: F.reshape(x, (4, 6)) * 2.0)
    with pytest.raises(CompileError, match="reshape"):
        apply(module, "nd-to-loop")


def test_array_constants_must_be_arguments() -> None:
    module = program([tensor((3,), f32)], lambda x: x * F.constant([1.0, 2.0, 3.0]))
    with pytest.raises(CompileError, match="graph-fuse"):
        apply(module.clone(), "nd-to-loop")
    check(module, inputs_of(module), ("graph-fuse", "graph-outline", "graph-plan"), ("nd-to-loop",))
