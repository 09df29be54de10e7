"""Tracing of control flow: trees, captured values, weak numbers, symbols, errors and places."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.frontend.tracing import trace
from mlc.compiler.printing import print_ir
from mlc.dialects.errors import position
from mlc.dialects.nd.op import EXACT
from mlc.runtime.matching import assert_matches
from test_control import interpret

X = np.arange(4, dtype=np.float32)


def text(fn: Any, *args: Any) -> str:
    return print_ir(trace(fn, args, "main").module)


# Captured values.


def test_captured_values_become_operands_once() -> None:
    def f(x: Any, y: Any) -> Any:
        z = x * y
        return mlc.cond(x.sum() > 0, lambda a: a + z + z, lambda a: a - y, x)

    (line,) = [line for line in text(f, X, X).splitlines() if "nd.if" in line]
    assert re.search(r"nd\.if %\d+ \(%\d+ = %0, %\d+ = %y, %a = %x\) ->", line)
    assert_matches(EXACT, interpret(f, X, X)[0], X + 2 * X * X)


def test_captured_through_two_levels() -> None:
    def f(x: Any) -> Any:
        return mlc.scan(lambda c, r: (mlc.scan(lambda d, s: (d + s * x[1], None), c, x)[0] + r, None), 0.0, x)[0]

    assert interpret(f, X)[0] == 4 * X.sum() * X[1] + X.sum()


def test_a_result_from_around() -> None:
    """A branch may give a captured value as it is, and a region may read nothing of its arguments."""
    f = lambda x, y: mlc.cond(x[0] > 0, lambda: (x, y), lambda: (y, x))
    a, b = interpret(f, X, X + 1)
    assert_matches(EXACT, a, X + 1)
    assert_matches(EXACT, b, X)


def test_numpy_arrays_from_around_are_constants() -> None:
    table = np.arange(12.0).reshape(3, 4)
    f = lambda x: mlc.scan(lambda c, r: (c + r * table[1], None), x, table)[0]
    assert_matches(EXACT, interpret(f, np.zeros(4))[0], table.sum(0) * table[1])


def test_a_value_that_outlives_its_region() -> None:
    kept: list[Any] = []

    def step(c: Any, x: Any) -> Any:
        kept.append(c)
        return c + x, None

    def f(x: Any) -> Any:
        c, _ = mlc.scan(step, x[0], x)
        return c + kept[0]

    with pytest.raises(mlc.CompileError, match="used outside of the trace that made it"):
        trace(f, [X])

    def g(x: Any) -> Any:
        c, _ = mlc.scan(step, x[0], x)
        return mlc.cond(c > 0, lambda: kept[-1], lambda: c)

    with pytest.raises(mlc.CompileError, match="used outside of the trace that made it"):
        trace(g, [X])


# Trees.


class Pair(NamedTuple):
    a: Any
    b: Any


def test_trees_of_any_kind() -> None:
    def step(c: Any, x: Any) -> Any:
        return Pair(c.a + x["u"], {"n": c.b["n"] + 1, "none": None}), [x["v"], (c.a,)]

    def f(x: Any) -> Any:
        return mlc.scan(step, Pair(x[0], {"n": 0, "none": None}), {"u": x, "v": x * 2})

    carry, ys = trace(f, [X]).results.parts
    assert carry.kind is Pair and ys.kind is list
    a, n, v, u = interpret(f, X)
    assert a == X.sum() and n == 4
    assert_matches(EXACT, v, 2 * X)
    assert_matches(EXACT, u, np.cumsum(X) - X)


def test_nothing_carried_and_nothing_given() -> None:
    assert_matches(EXACT, interpret(lambda x: mlc.scan(lambda c, r: (c, r * 2), None, x)[1], X)[0], 2 * X)
    assert interpret(lambda x: mlc.scan(lambda c, r: (c + r, None), 0.0, x)[0], X)[0] == 6


# Weak numbers.


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_a_number_as_start_takes_the_bodys_type(dtype: str) -> None:
    x = np.arange(4, dtype=dtype)
    assert interpret(lambda x: mlc.scan(lambda c, r: (c + r, None), 0, x)[0], x)[0].dtype == dtype
    assert interpret(lambda x: mlc.fori_loop(0, 3, lambda i, c: c * 2 + x[1], 0), x)[0].dtype == dtype
    f = lambda x: mlc.while_loop(lambda c: c[1] < 3, lambda c: (c[0] + x[1], c[1] + 1), (0, 0))
    total, trips = interpret(f, x)
    assert total.dtype == dtype and trips.dtype == np.int64 and total == 3


def test_a_number_from_one_branch_takes_the_others_type() -> None:
    f = lambda x: mlc.cond(x[0] > 0, x.sum, lambda: 0)
    assert interpret(f, X.astype(np.float64))[0].dtype == np.float64
    assert interpret(lambda x: mlc.cond(x[0] > 0, lambda: 1, lambda: 2.5), X)[0] == np.float32(2.5)
    assert interpret(lambda x: mlc.cond(x[0] > 0, lambda: True, lambda: False), X)[0].dtype == np.bool_


def test_a_float_is_no_integer() -> None:
    with pytest.raises(mlc.CompileError, match=r"expected result of one type, found tensor<f32> from true_fn"):
        trace(lambda x: mlc.cond(x[0] > 0, lambda: 0.5, lambda: x[0]), [np.arange(3)])
    with pytest.raises(mlc.CompileError, match=r"expected init to keep its type tensor<f32>, found tensor<i64>"):
        trace(lambda x: mlc.scan(lambda c, r: (r, None), 0.5, x)[0], [np.arange(3)])


def test_what_is_an_array_keeps_its_type() -> None:
    with pytest.raises(
        mlc.CompileError, match=r"expected init\.1 to keep its type tensor<f32>, found tensor<f64>"
    ) as e:
        trace(lambda x: mlc.scan(lambda c, r: ((c[0], c[1] + r), None), (x, np.float32(0)), x)[0], [np.zeros(3)])
    assert "test_control_tracing.py" in str(e.value)


# Lengths.


def test_symbolic_lengths() -> None:
    def f(x: Any) -> Any:
        c, ys = mlc.scan(lambda c, r: (c + r, c), 0.0, x)
        return c, ys, mlc.fori_loop(0, x.shape[0] + 1, lambda i, c: c + i, 0)

    module = trace(f, [mlc.spec("n")], "main").module
    assert "nd.scan n carry" in print_ir(module) and "nd.scan n + 1 carry" in print_ir(module)
    from mlc.runtime.interpreter import Interpreter

    for n in (0, 1, 5):
        c, ys, count = Interpreter(module).call("main", np.arange(n, dtype=np.float32))
        assert c == n * (n - 1) / 2 and ys.shape == (n,) and count == n * (n + 1) / 2


def test_fori_loop_with_traced_bounds() -> None:
    f = lambda a, b: mlc.fori_loop(a, b, lambda i, c: c + i, 0)
    assert interpret(f, np.int64(2), np.int64(5))[0] == 9 and interpret(f, np.int64(2), np.int64(1))[0] == 0
    assert "nd.while" in text(f, np.int64(2), np.int64(5))
    assert interpret(lambda b: mlc.fori_loop(0, b, lambda i, c: c + i, 0), np.int32(4))[0] == 6
    assert interpret(lambda x: mlc.fori_loop(5, 2, lambda i, c: c + i, x), np.int64(7))[0] == 7


ERRORS: dict[str, tuple[Any, str]] = {
    "lengths differ": (
        lambda x: mlc.scan(lambda c, r: (c, r), 0, (x, x[:2])),
        r"scan: expected xs\.1 of length 4 in its first dimension, found tensor<2xf32>",
    ),
    "no dimension": (
        lambda x: mlc.scan(lambda c, r: (c, r), 0, x[0]),
        r"scan: expected xs with a dimension to go along, found tensor<f32>",
    ),
    "no length": (lambda x: mlc.scan(lambda c, r: (c, r), 0, None), "scan: expected xs or a length, found neither"),
    "negative length": (
        lambda x: mlc.scan(lambda c, r: (c, None), 0, None, length=-1),
        "scan: expected a length of at least 0, found -1",
    ),
    "no pair": (lambda x: mlc.scan(lambda c, r: c, x, x), r"scan: expected f to return \(carry, y\), found Array"),
    "carried structure": (
        lambda x: mlc.scan(lambda c, r: ((c, c), None), 0.0, x),
        r"scan: f: expected the carried structure \*, found tuple\(0: \*, 1: \*\)",
    ),
    "carried shape": (
        lambda x: mlc.while_loop(lambda c: c["s"].sum() < 9, lambda c: {"s": c["s"] + x}, {"s": x[:1]}),
        r"while_loop: body_fn: expected init\.s to keep its type tensor<1xf32>, found tensor<4xf32>",
    ),
    "condition of a shape": (
        lambda x: mlc.while_loop(lambda c: c > 0, lambda c: c, x),
        r"while_loop: the result of cond_fn: expected a scalar, found tensor<4xi1>; reduce it",
    ),
    "condition of two": (
        lambda x: mlc.while_loop(lambda c: (c, c), lambda c: c, x),
        r"while_loop: cond_fn: expected one result, found tuple",
    ),
    "predicate of a shape": (
        lambda x: mlc.cond(x > 0, lambda: x, lambda: x),
        r"cond: the condition: expected a scalar, found tensor<4xi1>",
    ),
    "branches of two structures": (
        lambda x: mlc.cond(x[0] > 0, lambda: x, lambda: (x, x)),
        r"cond: expected results of one structure, found \* from true_fn and tuple",
    ),
    "branches of two types": (
        lambda x: mlc.cond(x[0] > 0, lambda: {"a": x}, lambda: {"a": x[:2]}),
        r"cond: expected result\.a of one type, found tensor<4xf32> from true_fn and tensor<2xf32> from false_fn",
    ),
    "a branch that gives no array": (
        lambda x: mlc.cond(x[0] > 0, lambda: "a", lambda: x),
        "cond: true_fn: expected arrays as results, found str",
    ),
    "index": (
        lambda x: mlc.switch(x[0], [lambda: x]),
        r"switch: expected an integer scalar as index, found tensor<f32>",
    ),
    "no branches": (lambda x: mlc.switch(0, []), "switch: expected at least one branch, found none"),
    "bounds": (
        lambda x: mlc.fori_loop(0, x[0], lambda i, c: c, x),
        r"fori_loop: expected bounds that are integer scalars, found tensor<f32>",
    ),
    "fields": (
        lambda x: mlc.debug_print("{} {}", x),
        "debug_print: expected one field for each of the 1 values, found 2",
    ),
    "python if": (lambda x: x if x[0] > 0 else -x, "the truth of a traced value"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_where_and_what(name: str) -> None:
    fn, message = ERRORS[name]
    with pytest.raises(mlc.CompileError, match=message) as error:
        trace(fn, [X])
    where = position(error.value.location)
    assert where is not None and where[0] == __file__


def test_places_of_ops_in_regions() -> None:
    """Every op in a region has the place of its line."""

    def f(x: Any) -> Any:
        return mlc.scan(lambda c, r: (mnp.sin(c) + r, None), 0.0, x)[0]

    module = trace(f, [X]).module
    for op in module.walk():
        where = position(op.location)
        assert where is not None and where[0] == __file__, op.name


# Outside of a trace, and eager.


def test_checks_and_prints_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    mlc.debug_print("x = {:.1f}", np.float64(2))
    with mlc.eager():
        mlc.debug_print("{}", mnp.asarray(X) + 1)
        with pytest.raises(mlc.CheckError, match="large") as error:
            mlc.check(mnp.asarray(X) > 2, "large")
    assert position(error.value.location) is not None and "test_control_tracing.py" in str(error.value)
    assert capsys.readouterr().out == "x = 2.0\n[1. 2. 3. 4.]\n"
    with pytest.raises(mlc.CheckError, match="large"):
        mlc.check(X > 2, "large")


def test_gradient_of_loops_in_eager_mode() -> None:
    f = lambda x: mlc.scan(lambda c, r: (mnp.sin(c) * r, None), x, np.arange(1.0, 4))[0]
    with mlc.eager():
        got = float(mlc.grad(f)(mnp.asarray(0.5, "float64")))
    assert abs(got - interpret(mlc.grad(f), np.float64(0.5))[0]) < 1e-12


def test_jit_inside_of_a_region_is_inlined() -> None:
    inner = mlc.jit(lambda x: mlc.cond(x > 0, lambda: x * 2, lambda: x))
    out = text(lambda x: mlc.map(inner, x), X)
    assert "func.call" not in out and "nd.if" in out
    assert_matches(EXACT, interpret(lambda x: mlc.map(inner, x), X)[0], 2 * X)
