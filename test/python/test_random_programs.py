"""Random programs of the tensor level: native code against the interpreter.

6 to 12 ops that compute, reduce, contract, move, pad, join and put in order, on f32, f64 and i32 apart and converted to
each other.
Ops on floats are continuous, so that an error that is allowed stays small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlc.compiler.compile import compile_module
from mlc.compiler.parsing import parse_module
from mlc.compiler.printing import print_ir
from mlc.compiler.transforms.jvp import entry
from mlc.compiler.verify import verify
from mlc.dialects.nd import dialect as dialect
from mlc.dialects.nd import functions as F
from mlc.dialects.nd import movement
from mlc.dialects.nd.convolution import window_count
from mlc.dialects.nd.cumulative import cumulative
from mlc.dialects.nd.op import Array, building
from mlc.dialects.nd.sorting import sort
from mlc.dialects.nd.types import is_float, tensor
from mlc.dialects.nd.window import reduce_window
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import EXACT, assert_matches, program_tolerance
from op_cases import values
from xdsl.dialects.builtin import ModuleOp, f32, f64, i32
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

Draw = Callable[..., Any]
SHAPES = [(), (5,), (1,), (17,), (3, 4), (8, 17), (0, 3), (2, 3, 5), (4, 1, 9), (2, 2, 3, 2)]
DTYPES = [f32, f64, i32]
LARGEST = 4000
"""Elements of a value."""

UNARY: list[Callable[[Array], Array]] = [F.tanh, F.sin, F.cos, F.relu]
EITHER: list[Callable[[Array], Array]] = [F.neg, F.abs_, F.flip, F.transpose, F.relu]
BINARY: list[Callable[[Array, Array], Array]] = [F.add, F.sub, F.mul, F.maximum, F.minimum]


def elementwise(draw: Draw, x: Array, values: list[Array]) -> Array:
    mates = [v for v in values if v.type == x.type]
    if draw(st.booleans()):
        y = draw(st.sampled_from(mates))
        return draw(st.sampled_from(BINARY))(x, y)
    return draw(st.sampled_from([*UNARY, F.softmax] if is_float(x.type) and x.ndim else EITHER))(x)


def stretched(draw: Draw, x: Array, values: list[Array]) -> Array:
    """An op on x and a row of it, broadcast."""
    if not x.ndim or not x.shape[0]:
        return F.neg(x)
    return draw(st.sampled_from(BINARY))(x, x[draw(st.integers(0, x.shape[0] - 1))])


def reduced(draw: Draw, x: Array, values: list[Array]) -> Array:
    if not x.ndim or 0 in x.shape:
        return F.sum_(x)
    axis = draw(st.sampled_from([None, *range(x.ndim)]))
    kinds = [F.sum_, F.max_, F.min_, *([F.mean] if is_float(x.type) else [])]
    return draw(st.sampled_from(kinds))(x, axis, draw(st.booleans()))


def contracted(draw: Draw, x: Array, values: list[Array]) -> Array:
    """With a value of a fitting dimension, or with itself."""
    if not x.ndim:
        return F.mul(x, x)
    mates = [v for v in values if v.ndim in (1, 2) and v.dtype == x.dtype and v.shape[0] == x.shape[-1]]
    if not mates:
        return F.einsum("...a,...a->...", x, x) if x.ndim > 1 else F.einsum("a,b->ab", x, x)
    return F.matmul(x, draw(st.sampled_from(mates)))


def moved(draw: Draw, x: Array, values: list[Array]) -> Array:
    if not x.ndim:
        return F.broadcast_to(x, (draw(st.integers(0, 9)),))
    kind = draw(st.sampled_from(["transpose", "reshape", "slice", "flip", "broadcast"]))
    match kind:
        case "transpose":
            return F.transpose(x, draw(st.permutations(range(x.ndim))))
        case "reshape":
            return F.reshape(x, draw(st.sampled_from([(-1,), (1, *x.shape), (*x.shape, 1)])) if x.size else x.shape)
        case "slice":
            step = draw(st.sampled_from([1, 2, 3, -1, -2]))
            return x[..., ::step] if draw(st.booleans()) else x[1:]
        case "flip":
            return F.flip(x, draw(st.integers(0, x.ndim - 1)))
        case _:
            return F.broadcast_to(x, (2, *x.shape))


def padded(draw: Draw, x: Array, values: list[Array]) -> Array:
    wide = [draw(st.lists(st.integers(0, 3), min_size=x.ndim, max_size=x.ndim)) for _ in range(3)]
    return movement.pad(x, draw(st.integers(-1, 2)), *wide)


def joined(draw: Draw, x: Array, values: list[Array]) -> Array:
    if not x.ndim:
        return F.stack([x, x])
    axis = draw(st.integers(0, x.ndim - 1))

    def fits(v: Array) -> bool:
        return v.dtype == x.dtype and v.ndim == x.ndim and drop(v.shape, axis) == drop(x.shape, axis)

    mates = [v for v in values if fits(v)]
    return F.concatenate([x, *draw(st.lists(st.sampled_from(mates), min_size=1, max_size=2))], axis)


def drop(shape: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    return (*shape[:axis], *shape[axis + 1 :])


def converted(draw: Draw, x: Array, values: list[Array]) -> Array:
    """To a float, or from f64 to f32; from floats to integers by the sign alone would jump."""
    return F.convert(x, draw(st.sampled_from([f32, f64])) if x.dtype != f64 else f32)


def in_order(draw: Draw, x: Array, values: list[Array]) -> Array:
    """Along one dimension: cumulative, sorted, or by windows."""
    if not x.ndim:
        return F.neg(x)
    axis = draw(st.integers(0, x.ndim - 1))
    backwards = draw(st.booleans())
    match draw(st.sampled_from(["cumulative", "sort", "window"])):
        case "cumulative":
            return cumulative(draw(st.sampled_from(["sum", "max", "min"])), x, axis, backwards)
        case "sort":
            return sort(x, axis, backwards)
        case _:
            at: Any = lambda value, other: [value if k == axis else other for k in range(x.ndim)]
            size, stride, low, high = (draw(st.integers(*r)) for r in ((1, 3), (1, 2), (0, 1), (0, 1)))
            count = window_count(x.shape[axis], size, stride, low, high, 1, 1)
            out = (*x.shape[:axis], count, *x.shape[axis + 1 :])
            kind = draw(st.sampled_from(["sum", "max", "min"])) if size > low + high else "sum"
            ones = [1] * x.ndim
            return reduce_window(kind, x, at(size, 1), at(stride, 1), at((low, high), (0, 0)), ones, ones, out)


FAMILIES = [elementwise, elementwise, stretched, reduced, contracted, moved, moved, padded, joined, converted, in_order]


@st.composite
def programs(draw: Draw) -> str:
    """A program of at least 6 ops whose results are all values that nothing reads."""
    count = draw(st.integers(2, 4))
    types = [tensor(draw(st.sampled_from(SHAPES)), draw(st.sampled_from(DTYPES))) for _ in range(count)]
    block = Block(arg_types=types)
    known = list(map(Array, block.args))
    with building(block):
        wanted = draw(st.integers(6, 12))
        while len(list(block.ops)) < wanted:
            x = draw(st.sampled_from([*known, *known[-3:]]))
            y = draw(st.sampled_from(FAMILIES))(draw, x, known)
            if np.prod(y.shape) <= LARGEST and y.ndim <= 5:
                known.append(y)
    results = [r for op in block.ops for r in op.results if not r.uses]
    block.add_op(ReturnOp(*results))
    f = FuncOp("main", (types, [r.type for r in results]), Region(block))
    return print_ir(ModuleOp([f]))


@settings(derandomize=True, max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(programs())
def test_native_code_agrees_with_the_interpreter(text: str) -> None:
    module = parse_module(text, "random.mlir")
    verify(module)
    inputs = values(entry(module, "main").function_type.inputs.data)
    want = Interpreter(module).call("main", *inputs)
    tolerance = program_tolerance(module, inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_CACHE", "0")
        got = compile_module(module.clone())(*inputs)
    got = got if isinstance(got, tuple) else (got,)
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        try:
            assert_matches(tolerance if w.dtype.kind == "f" else EXACT, g, w)
        except AssertionError as error:
            raise AssertionError(f"result {k}: {error}") from None
