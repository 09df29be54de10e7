"""Derivatives and batching of control flow: against finite differences, both modes, loops over examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.compiler.driver import run
from mlc.compiler.frontend.tracing import trace
from mlc.dialects.errors import CheckError, CompileError
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import Tolerance, assert_matches
from test_control import interpret

RNG = np.random.default_rng(17)
CLOSE = Tolerance(ulp=256, sums=256, scale=4)
DIFFERENCES = Tolerance(sums=2e10, scale=1)
"""Central differences with step 1e-5 err by about 1e-9 here; eps is 2e-16."""
W = RNG.standard_normal((3, 3)) / 3
XS = RNG.standard_normal((5, 3))
BATCH = RNG.standard_normal((4, 3))


def scan_carry(x: Any) -> Any:
    return mlc.scan(lambda c, row: (mnp.sin(c) * row + x, None), x, XS)[0].sum()


def rnn(x: Any) -> Any:
    """An invariant matrix, stacked outputs, and residuals of every kind."""
    w = mnp.tanh(W * x)

    def step(h: Any, row: Any) -> Any:
        h = mnp.tanh(w @ h + row * x)
        return h, (h * h).sum()

    h, losses = mlc.scan(step, mnp.zeros(3, "float64"), XS)
    return losses.sum() + h[0]


def reverse(x: Any) -> Any:
    def step(c: Any, row: Any) -> Any:
        return c * mnp.cos(row) + x, c

    c, ys = mlc.scan(step, x, XS * x, reverse=True)
    return (ys * XS).sum() + c.sum()


def ints_beside(x: Any) -> Any:
    """A counter that is carried has no tangent."""

    def body(i: Any, c: Any) -> Any:
        return c * 0.5 + mnp.sin(x * i.astype("float64"))

    return mlc.fori_loop(0, 4, body, x).sum()


def activated_later(x: Any) -> Any:
    """The third carried value becomes active in the third trip."""

    def step(c: Any, _: Any) -> Any:
        a, b, d = c
        return (mnp.sin(a), a * b, b * d), None

    one = mnp.ones(3, "float64")
    return mlc.scan(step, (x, one, one), None, length=3)[0][2].sum()


def branches(x: Any) -> Any:
    return mlc.cond(x.sum() > 0, lambda v: mnp.exp(v) * x, lambda v: mnp.sin(v) / (x * x + 1), x * 2).sum()


def one_active_branch(x: Any) -> Any:
    y, z = mlc.cond(x[0] > -100, lambda: (x * x, x * 0 + 1), lambda: (mnp.ones(3, "float64"), x))
    return (y * z).sum()


def switched(x: Any) -> Any:
    def step(c: Any, k: Any) -> Any:
        return mlc.switch(k, [mnp.sin, lambda v: v * x, lambda v: v], c), None

    return mlc.scan(step, x, np.array([0, 1, 2, 1, 0]))[0].sum()


def nested(x: Any) -> Any:
    """A scan in an if in a scan."""

    def outer(c: Any, row: Any) -> Any:
        def inner(a: Any, v: Any) -> Any:
            return a * mnp.cos(v) + x[0], a * v

        def long() -> Any:
            a, ys = mlc.scan(inner, c.sum(), row)
            return a + ys.sum()

        return c + mlc.cond(row[0] > 0, long, (row * x).sum), c[1]

    c, ys = mlc.scan(outer, x, XS)
    return (c * c).sum() + ys.sum()


def known_while(x: Any) -> Any:
    """A while that nothing active enters."""
    n = mlc.while_loop(lambda k: k < 4, lambda k: k * 2, 1)
    return (mnp.sin(x) * n.astype("float64")).sum()


REVERSE: dict[str, Callable[[Any], Any]] = {
    f.__name__: f
    for f in (
        scan_carry,
        rnn,
        reverse,
        ints_beside,
        activated_later,
        branches,
        one_active_branch,
        switched,
        nested,
        known_while,
    )
}


def looped(x: Any) -> Any:
    def body(c: Any) -> Any:
        k, v, u = c
        return k + 1, mnp.sin(v) + x, u + v * 0.1

    _, v, u = mlc.while_loop(lambda c: (c[0] < 7) & (c[1].sum() < 30), body, (0, x, mnp.zeros(3, "float64")))
    return (v * u).sum()


def if_in_while(x: Any) -> Any:
    def body(c: Any) -> Any:
        k, v = c
        return k + 1, mlc.cond(k % 2 == 0, lambda: mnp.sin(v) * x, lambda: v + x)

    return mlc.while_loop(lambda c: c[0] < 5, body, (0, x))[1].sum()


FORWARD = {**REVERSE, "looped": looped, "if_in_while": if_in_while}


def at(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(3), rng.standard_normal(3)


def directional(f: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, dx: mlc.jvp(f, (x,), (dx,))[1]


@pytest.mark.parametrize("name", FORWARD)
def test_forward_is_differences(name: str) -> None:
    f, (x, dx), h = FORWARD[name], at(), 1e-5
    (along,) = interpret(directional(f), x, dx)
    (high,), (low,) = interpret(f, x + h * dx), interpret(f, x - h * dx)
    assert_matches(DIFFERENCES, along, (high - low) / (2 * h))


@pytest.mark.parametrize("name", REVERSE)
def test_reverse_is_forward(name: str) -> None:
    f, (x, dx) = REVERSE[name], at(1)
    value, g = interpret(mlc.value_and_grad(f), x)
    assert_matches(CLOSE, value, interpret(f, x)[0])
    assert_matches(CLOSE, np.sum(g * dx), interpret(directional(f), x, dx)[0])


@pytest.mark.parametrize("name", FORWARD)
def test_passes_keep_derivatives(name: str) -> None:
    """What transforms emit is ordinary IR: simplified, it computes the same."""
    f, (x, dx) = FORWARD[name], at(3)
    programs: list[tuple[Any, ...]] = [(directional(f), x, dx), (mlc.vmap(f), BATCH)]
    if name in REVERSE:
        g = mlc.grad(f)
        programs += [(g, x), (directional(g), x, dx), (mlc.vmap(g), BATCH)]
        programs += [(mlc.grad(lambda xs: mlc.vmap(f)(xs).sum()), BATCH)]
    for program in programs:
        assert_matches(CLOSE, interpret(*program, passes=True)[0], interpret(*program)[0])


@pytest.mark.parametrize("name", REVERSE)
def test_second_order(name: str) -> None:
    """Reverse over reverse, forward over reverse and reverse over forward agree."""
    f, (x, dx) = REVERSE[name], at(2)
    g = mlc.grad(f)
    (reverse,) = interpret(mlc.grad(lambda x: (g(x) * dx).sum()), x)
    (forward,) = interpret(directional(g), x, dx)
    (mixed,) = interpret(mlc.grad(lambda x: directional(f)(x, dx)), x)
    h = 1e-5
    differences = (interpret(g, x + h * dx)[0] - interpret(g, x - h * dx)[0]) / (2 * h)
    assert_matches(DIFFERENCES, forward, differences)
    assert_matches(CLOSE, reverse, forward)
    assert_matches(CLOSE, mixed, forward)


@pytest.mark.parametrize("name", FORWARD)
def test_vmap_is_a_loop(name: str) -> None:
    f = FORWARD[name]
    (got,) = interpret(mlc.vmap(f), BATCH)
    assert_matches(CLOSE, got, np.stack([interpret(f, x)[0] for x in BATCH]))


@pytest.mark.parametrize("name", REVERSE)
def test_vmap_and_grad(name: str) -> None:
    f = REVERSE[name]
    want = np.stack([interpret(mlc.grad(f), x)[0] for x in BATCH])
    assert_matches(CLOSE, interpret(mlc.vmap(mlc.grad(f)), BATCH)[0], want)
    assert_matches(CLOSE, interpret(mlc.grad(lambda xs: mlc.vmap(f)(xs).sum()), BATCH)[0], want)


def test_second_axis_of_batched_sequences() -> None:
    """A batched sequence has the batch in front; the loop goes along the dimension after it."""
    f = lambda xs: mlc.scan(lambda c, x: (c + x, c * x), 0.0, xs)
    xs = RNG.standard_normal((4, 5))
    last, stacked = interpret(mlc.vmap(f), xs)
    rows = [interpret(f, x) for x in xs]
    assert_matches(CLOSE, last, np.stack([r[0] for r in rows]))
    assert_matches(CLOSE, stacked, np.stack([r[1] for r in rows]))
    last, stacked = interpret(mlc.vmap(f, in_axes=1, out_axes=(0, 1)), xs)
    rows = [interpret(f, x) for x in xs.T]
    assert_matches(CLOSE, stacked, np.stack([r[1] for r in rows], axis=1))


@pytest.mark.parametrize("n", [0, 1, 4])
def test_symbolic_lengths(n: int) -> None:
    """One program for every length: its derivatives and its batches."""

    def f(x: Any, xs: Any) -> Any:
        c, ys = mlc.scan(lambda c, row: (mnp.sin(c) * row, c * c), x, xs)
        return c.sum() + ys.sum()

    x, xs = at()[0], np.random.default_rng(n).standard_normal((n, 3))
    g = mlc.grad(f, argnums=(0, 1))
    module = trace(g, [x, mlc.spec(("n", 3), "float64")], "main").module
    for passes in ([], ["nd"]):
        for name in passes:
            run(module, name)
        for got, want in zip(Interpreter(module).call("main", x, xs), interpret(g, x, xs), strict=True):
            assert_matches(CLOSE, got, want)
    batch = mlc.vmap(lambda x, xs: g(x, xs)[0], in_axes=(0, None))
    module = trace(batch, [mlc.spec(("b", 3), "float64"), mlc.spec(("n", 3), "float64")], "main").module
    got = Interpreter(module).call("main", BATCH, xs)[0]
    assert_matches(CLOSE, got, np.stack([interpret(g, row, xs)[0] for row in BATCH]))


@pytest.mark.parametrize("name", ["rnn", "nested", "switched"])
def test_native_derivatives(name: str) -> None:
    f, (x, dx) = REVERSE[name], at(4)
    g = mlc.grad(f)
    for program, args in ((g, (x,)), (mlc.vmap(g), (BATCH,)), (directional(g), (x, dx))):
        assert_matches(CLOSE, mlc.jit(program)(*args), interpret(program, *args)[0])


# Masks.


def countdown(n: Any, y: Any) -> Any:
    """The inner loop ends only for elements whose outer loop goes on: n is at least 1 there."""

    def body(c: Any) -> Any:
        n, y = c
        y = mlc.while_loop(lambda y: y > 0, lambda y: y - n, y)
        return n - 1, y + 10

    return mlc.while_loop(lambda c: c[0] > 0, body, (n, y))[1]


def test_finished_elements_start_no_inner_loop() -> None:
    n, y = np.array([0, 3, 1]), np.array([5, 9, 4])
    (got,) = interpret(mlc.vmap(countdown), n, y)
    assert list(got) == [interpret(countdown, *e)[0] for e in zip(n, y, strict=True)]


def test_a_branch_that_is_not_taken_starts_no_loop() -> None:
    """The loop of the branch would never end for n = 0."""
    f = lambda n: mlc.cond(n > 0, lambda: mlc.while_loop(lambda y: y < 20, lambda y: y + n, n * 0), lambda: n)
    n = np.array([0, 3, 7])
    (got,) = interpret(mlc.vmap(f), n)
    assert list(got) == [0, 21, 21]
    g = lambda n, m: mlc.cond(n > 0, lambda: mlc.while_loop(lambda y: y < 20, lambda y: y + m, m * 0), lambda: n)
    (got,) = interpret(mlc.vmap(g, in_axes=(0, None)), np.array([0, -1]), np.int64(0))
    assert list(got) == [0, -1]


def test_checks_under_vmap() -> None:
    def f(x: Any) -> Any:
        mlc.check(x > 0, "positive")
        return x * 2

    assert list(interpret(mlc.vmap(f), np.array([1.0, 2.0]))[0]) == [2.0, 4.0]
    with pytest.raises(CheckError, match="positive"):
        interpret(mlc.vmap(f), np.array([1.0, -2.0]))


def test_a_check_in_a_branch_asks_the_elements_that_take_it() -> None:
    def taken(x: Any) -> Any:
        mlc.check(x < 10, "small")
        return x * 2

    f = lambda x: mlc.cond(x > 0, taken, lambda x: x, x)
    assert list(interpret(mlc.vmap(f), np.array([1.0, -20.0]))[0]) == [2.0, -20.0]
    with pytest.raises(CheckError, match="small"):
        interpret(mlc.vmap(f), np.array([11.0, -2.0]))


def test_prints_under_vmap(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        mlc.debug_print("x = {}", x)
        return x

    interpret(mlc.vmap(f), np.array([1.0, 2.0]))
    assert capsys.readouterr().out == "x = [1. 2.]\n"
    with pytest.raises(CompileError, match="whose condition differs between elements"):
        interpret(mlc.vmap(lambda x: mlc.cond(x > 0, f, lambda x: x, x)), np.array([1.0, 2.0]))


def test_a_branch_that_is_not_taken_gives_no_nan() -> None:
    """Neither 0 / 0 nor the derivative of the root at 0 reaches an element that takes the other branch."""
    f = lambda x: mlc.cond(x > 0, lambda: mnp.sqrt(x) + x / x, lambda: x * 3)
    x = np.array([4.0, 0.0, -1.0])
    for g in (mlc.vmap(mlc.grad(f)), mlc.grad(lambda x: mlc.vmap(f)(x).sum())):
        for passes in (False, True):
            assert_matches(CLOSE, interpret(g, x, passes=passes)[0], np.array([0.25, 3.0, 3.0]))


def test_stop_gradient() -> None:
    f = lambda x: (x * mlc.stop_gradient({"k": mnp.sin(x)})["k"]).sum()
    x = np.array([0.5, 2.0])
    assert_matches(CLOSE, interpret(mlc.grad(f), x)[0], np.sin(x))


# Effects and errors under differentiation.


def test_effects_happen_once_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    def step(c: Any, x: Any) -> Any:
        mlc.debug_print("c {}", c)
        mlc.check(c < 100, "small")
        return mnp.sin(c) * x, None

    def f(c: Any) -> Any:
        mlc.debug_print("start")
        c = mlc.scan(step, c, np.arange(3.0))[0]
        mlc.debug_print("end {}", c)
        return c

    x = np.float64(0.5)
    interpret(f, x)
    plain = capsys.readouterr().out
    assert plain.splitlines()[0] == "start" and len(plain.splitlines()) == 5
    for g in (mlc.grad(f), mlc.grad(mlc.grad(f)), lambda x: mlc.jvp(f, (x,), (x,))):
        interpret(g, x)
        assert capsys.readouterr().out == plain


def test_reverse_mode_of_a_while_says_what_to_use() -> None:
    with pytest.raises(CompileError, match=r"use mlc\.scan, or mlc\.fori_loop with bounds that are numbers") as error:
        interpret(mlc.grad(looped), np.ones(3))
    assert "test_control_transforms.py" in str(error.value)
