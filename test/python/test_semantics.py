"""What the ops mean at the edges: NaN, zeros, overflow, nothing to reduce; and constants to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.constant import Constant, constant
from mlc.dialects.nd.op import EXACT, Array, Tolerance, building
from mlc.dialects.nd.types import of_numpy, tensor
from mlc.runtime.matching import assert_matches
from op_cases import run_block
from xdsl.ir import Block

NEAR = Tolerance(ulp=16, sums=16)

NAN, INF = np.nan, np.inf
F32, I32, I64 = np.float32, np.int32, np.int64


def run(f: Any, *inputs: Any) -> Any:
    arrays = [np.asarray(x) for x in inputs]
    block = Block(arg_types=[tensor(a.shape, of_numpy(a.dtype)) for a in arrays])
    with building(block):
        out = f(*map(Array, block.args))
    return run_block(block, arrays)[out.value]


def f32(*x: float) -> Any:
    return np.array(x, F32)


def same(got: Any, want: Any) -> None:
    assert_matches(EXACT, got, np.asarray(want))


def test_max_and_min_propagate_nan_and_order_zeros() -> None:
    x, y = f32(NAN, 1, -0.0, 0.0, -0.0, INF), f32(1, NAN, 0.0, -0.0, -0.0, -INF)
    same(run(F.maximum, x, y), f32(NAN, NAN, 0.0, 0.0, -0.0, INF))
    same(run(F.minimum, x, y), f32(NAN, NAN, -0.0, -0.0, -0.0, -INF))
    same(run(lambda v: v.max(), f32(-0.0, -0.0, 0.0)), F32(0.0))
    same(run(lambda v: v.min(), f32(0.0, -0.0)), F32(-0.0))
    same(run(lambda v: v.max(), f32(-0.0, -0.0)), F32(-0.0))
    same(run(lambda v: v.max(), f32(1, NAN, 2)), F32(NAN))
    same(run(F.relu, f32(NAN, -1, -0.0, 2)), f32(NAN, 0, 0.0, 2))


def test_signs() -> None:
    same(run(F.sign, f32(-0.0, 0.0, -3, 2, NAN)), f32(-0.0, 0.0, -1, 1, NAN))
    same(run(F.neg, f32(0.0, -0.0)), f32(-0.0, 0.0))
    same(run(F.floor, f32(-0.0, -0.5, 1.5)), f32(-0.0, -1, 1))
    same(run(F.abs_, f32(-0.0, NAN)), f32(0.0, NAN))


def test_integers_wrap_and_divide_downwards() -> None:
    high, low = np.iinfo(I32).max, np.iinfo(I32).min
    same(run(lambda x: x + 1, np.array([high], I32)), np.array([low], I32))
    same(run(lambda x: -x, np.array([low], I32)), np.array([low], I32))
    same(run(lambda x: x * x, np.array([1 << 20], I32)), np.array([0], I32))
    same(run(lambda x: x.sum(dtype="int32"), np.array([high, 1], I32)), I32(low))
    same(run(lambda x: x.sum(), np.array([high, 1], I32)), I64(1 << 31))
    same(run(lambda x, y: x @ y, np.array([high, 1], I32), np.array([1, 1], I32)), I32(low))
    x, y = np.array([7, -7, 7, -7, 5, low], I32), np.array([2, 2, -2, -2, 0, -1], I32)
    same(run(lambda a, b: a // b, x, y), np.array([3, -4, -4, 3, 0, low], I32))
    same(run(lambda a, b: a % b, x, y), np.array([1, 1, -1, -1, 5, 0], I32))


def test_reductions_over_nothing_give_the_identity() -> None:
    for dtype, low, high in ((F32, -INF, INF), (I64, np.iinfo(I64).min, np.iinfo(I64).max)):
        x = np.zeros((2, 0), dtype)
        same(run(lambda v: v.sum(1), x), np.zeros(2, dtype))
        same(run(lambda v: v.prod(1), x), np.ones(2, dtype))
        same(run(lambda v: v.max(1), x), np.full(2, low, dtype))
        same(run(lambda v: v.min(1), x), np.full(2, high, dtype))
    empty = np.zeros((2, 0), bool)
    same(run(lambda v: v.any(1), empty), np.array([False, False]))
    same(run(lambda v: v.all(1), empty), np.array([True, True]))
    same(run(lambda v: v.mean(1), np.zeros((2, 0), F32)), f32(NAN, NAN))
    same(run(lambda v: v @ v.T, np.zeros((2, 0), F32)), np.zeros((2, 2), F32))


def test_argmax_takes_the_first_and_nan_first_of_all() -> None:
    x = np.array([[1, 3, 3], [NAN, 9, NAN], [2, NAN, 5]], F32)
    same(run(lambda v: v.argmax(1), x), np.array([1, 0, 1]))
    same(run(lambda v: v.argmin(1), x), np.array([0, 0, 1]))
    same(run(lambda v: v.argmax(), np.array([1, 5, 5], I32)), np.int64(1))


def test_conversions_saturate_and_truncate() -> None:
    x = np.array([1.9, -1.9, NAN, INF, -INF, 3e9, -3e9, 2147483647.0], np.float64)
    high, low = np.iinfo(I32).max, np.iinfo(I32).min
    same(run(lambda v: v.astype("int32"), x), np.array([1, -1, 0, high, low, high, low, high], I32))
    big = np.array([2.0**63, -(2.0**63), 1e30, 2.0**62], np.float64)
    high, low = np.iinfo(I64).max, np.iinfo(I64).min
    same(run(lambda v: v.astype("int64"), big), np.array([high, low, high, 2**62], I64))
    same(run(lambda v: v.astype("int32"), np.array([2**32 + 5], I64)), np.array([5], I32))
    same(run(lambda v: v.astype(bool), f32(0.0, -0.0, NAN, 0.5)), np.array([False, False, True, True]))
    same(run(lambda v: v.astype("float32"), np.array([True, False])), f32(1, 0))
    same(run(lambda v: v.astype("float32"), np.array([1e300, -1e-300])), f32(INF, -0.0))


def test_comparisons_with_nan_are_false_but_ne() -> None:
    x, y = f32(NAN, 1, -0.0), f32(NAN, NAN, 0.0)
    for kind, want in {"eq": (0, 0, 1), "ne": (1, 1, 0), "lt": (0, 0, 0), "ge": (0, 0, 1)}.items():
        same(run(lambda a, b, kind=kind: F.compare(kind, a, b), x, y), np.array(want, bool))


def test_one_hot_and_cross_entropy_of_labels() -> None:
    labels, logits = np.array([2, 0], I64), np.array([[1, 2, 3], [0, 0, 0]], F32)
    same(run(lambda v: F.one_hot(v, 3), labels), np.array([[0, 0, 1], [1, 0, 0]], F32))
    got = run(F.cross_entropy, logits, labels)
    assert_matches(NEAR, got, np.array([0.40760596, np.log(3)], got.dtype))
    twice = run(F.cross_entropy, logits, 2 * np.eye(3, dtype=F32)[labels])
    assert_matches(NEAR, twice, 2 * got)


def test_softmax_of_large_numbers() -> None:
    x = np.array([[1000.0, 1000.0], [-1e30, 0.0]], F32)
    same(run(F.softmax, x), np.array([[0.5, 0.5], [0, 1]], F32))
    assert_matches(NEAR, run(F.log_softmax, x), np.array([[-np.log(2)] * 2, [-1e30, 0]], x.dtype))


VALUES = [
    np.array([0.1, 1 / 3, 1e-45, 3.4e38, -0.0, NAN, INF, -INF, 16777217], F32),
    np.array([0.1, 1 / 3, 5e-324, 1.7e308, -0.0, NAN, 123456789.125, 1e22], np.float64),
    np.array([[1, -2], [np.iinfo(I64).min, np.iinfo(I64).max]], I64),
    np.array([True, False, True]),
    np.zeros((2, 0, 3), F32),
    np.zeros((0,), bool),
    np.arange(65, dtype=F32) / 7,
    np.arange(70, dtype=I32).reshape(7, 10) - 35,
    np.arange(70) % 3 == 0,
    np.full((3, 4), 2.5, np.float64),
    np.array(-0.0, F32),
    np.frombuffer(b"\x01\x00\xc0\x7f\x00\x00\x80\x3f", F32),
    np.random.default_rng(0).standard_normal(64).astype(F32),
    np.frombuffer(np.random.default_rng(1).bytes(256), F32),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{v.dtype} {v.shape}")
def test_constants_are_exact_through_text(value: Any) -> None:
    block = Block()
    with building(block):
        made = constant(value)
    op = made.value.owner
    assert isinstance(op, Constant)
    assert op.reference().tobytes() == value.tobytes()
    text = str(op)
    if value.size > 64:
        assert '"0x' in text
    parsed = parse_module(text, "constant.mlir").body.block.first_op
    assert isinstance(parsed, Constant)
    assert parsed.reference().tobytes() == value.tobytes() and parsed.type == op.type
    assert str(parsed) == text


def test_a_splat_prints_as_one_value() -> None:
    block = Block()
    with building(block):
        F.constant(np.full((100, 100), 1.5, F32))
        F.zeros((2,), "int64")
    assert [str(op).split(" = ")[1] for op in block.ops] == [
        "nd.constant 1.5 : tensor<100x100xf32>",
        "nd.constant 0 : tensor<2xi64>",
    ]
