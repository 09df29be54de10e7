"""Random nested control flow under every transform: modes against each other, batches against loops, effects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np
import pytest
from mlc.runtime.matching import Tolerance, assert_matches
from test_control import interpret

SEEDS = 6
CLOSE = Tolerance(ulp=4096, sums=4096, scale=4)
DIFFERENCES = Tolerance(sums=1e11, scale=1)
SMOOTH = ["sin", "mul", "add", "sum"]


class Generator:
    """Programs on vectors of three elements. A function of a program draws from a seed of its own, so that tracing it
    again gives the same ops."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = kinds

    def program(self, seed: int) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            return sum((v.sum() for v in self.grow(seed, [x, mnp.cos(x)], 2)[-3:]), mnp.zeros((), "float64"))

        return f

    def grow(self, seed: int, values: Sequence[Any], depth: int) -> list[Any]:
        rng, out = np.random.default_rng(seed), list(values)
        kinds = [k for k in self.kinds if depth or k in (*SMOOTH, "print", "check")]
        for _ in range(rng.integers(2, 5)):
            kind, inner = rng.choice(kinds), int(rng.integers(1 << 30))
            a, b = (out[k] for k in rng.integers(0, len(out), 2))
            found = getattr(self, kind)(rng, inner, a, b, out, depth - 1)
            out += [] if found is None else [found]
        return out

    def sin(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        return mnp.sin(a * 1.5)

    def mul(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        return mnp.tanh(a) * b

    def add(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        return (a + b) * 0.5

    def sum(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        return mnp.tanh(a.sum()) + b * 0.25

    def print(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> None:
        mlc.debug_print(f"{seed % 1000}: {{:.6f}}", a.sum())

    def check(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> None:
        mlc.check(a < 1e9, "bounded")

    def cond(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        half = len(out) // 2
        return mlc.cond(
            a.sum() > b.sum() + rng.uniform(-1, 1),
            lambda v: self.grow(seed, [v, *out[:half]], depth)[-1],
            lambda v: self.grow(seed + 1, [v, *out[half:]], depth)[-1],
            b,
        )

    def scan(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        rows = np.asarray(rng.standard_normal((int(rng.integers(0, 4)), 3)))

        def step(c: Any, s: Any) -> Any:
            u, n, v = c
            row, k = s
            found = self.grow(seed, [u, v, row, out[0]], depth)
            return (found[-1], n + k, mnp.where(n > 1, found[-2], v)), found[-1] * found[-2]

        (u, n, v), ys = mlc.scan(step, (a, 0, b), (mnp.sin(rows * b), np.arange(len(rows))), reverse=bool(seed % 2))
        return mnp.tanh(u + v * 0.5 + ys.sum(axis=0) + n * 0.01)

    def fori(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        body = lambda i, v: self.grow(seed, [v, b * mnp.cos(i * 0.3), *out[1:3]], depth)[-1]
        return mlc.fori_loop(1, int(rng.integers(1, 5)), body, a)

    def loop(self, rng: Any, seed: int, a: Any, b: Any, out: Any, depth: int) -> Any:
        """Ends by a counter or by a value, at the latest after five trips."""
        test = lambda c: (c[0] < 5) & (c[1].sum() > b.sum() - 2)
        body = lambda c: (c[0] + 1, self.grow(seed, [c[1] * 0.9, out[0]], depth)[-1])
        return mlc.while_loop(test, body, (0, a))[1]


CONTROL = ["cond", "scan", "fori"]
DIFFERENTIABLE = Generator([*SMOOTH, *CONTROL])
ANY = Generator([*SMOOTH, *CONTROL, "loop"])
CHECKED = Generator([*SMOOTH, *CONTROL, "loop", "check"])
EFFECTS = Generator([*SMOOTH, *CONTROL, "loop", "print", "check"])
KNOWN_EFFECTS = Generator([*SMOOTH, *CONTROL, "print", "check"])


def at(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed + 99).standard_normal(shape)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_modes_agree(seed: int) -> None:
    f, x, dx = DIFFERENTIABLE.program(seed), at(seed, 3), at(seed + 1, 3)
    along = lambda g: lambda x, dx: mlc.jvp(g, (x,), (dx,))[1]
    g = mlc.grad(f)
    (forward,) = interpret(along(f), x, dx)
    assert_matches(CLOSE, np.sum(interpret(g, x)[0] * dx), forward)
    assert_matches(CLOSE, np.sum(interpret(g, x, passes=True)[0] * dx), forward)
    (second,) = interpret(along(g), x, dx)
    assert_matches(CLOSE, interpret(mlc.grad(lambda x: (g(x) * dx).sum()), x, passes=True)[0], second)
    h = 1e-6
    high, low = interpret(f, x + h * dx)[0], interpret(f, x - h * dx)[0]
    assert_matches(DIFFERENCES, forward, (high - low) / (2 * h))


@pytest.mark.parametrize("seed", range(SEEDS, 2 * SEEDS))
def test_batches_are_loops(seed: int) -> None:
    f, xs, dx = CHECKED.program(seed), at(seed, 5, 3), at(seed + 1, 3)
    (got,) = interpret(mlc.vmap(f), xs)
    assert_matches(CLOSE, got, np.stack([interpret(f, x)[0] for x in xs]))
    assert_matches(CLOSE, interpret(mlc.vmap(f), xs, passes=True)[0], got)
    along = lambda x: mlc.jvp(f, (x,), (mnp.asarray(dx),))[1]
    assert_matches(CLOSE, interpret(mlc.vmap(along), xs)[0], np.stack([interpret(along, x)[0] for x in xs]))


@pytest.mark.parametrize("seed", range(2 * SEEDS, 3 * SEEDS))
def test_gradients_of_batches(seed: int) -> None:
    f, xs = DIFFERENTIABLE.program(seed), at(seed, 4, 3)
    want = np.stack([interpret(mlc.grad(f), x)[0] for x in xs])
    assert_matches(CLOSE, interpret(mlc.vmap(mlc.grad(f)), xs)[0], want)
    assert_matches(CLOSE, interpret(mlc.grad(lambda xs: mlc.vmap(f)(xs).sum()), xs, passes=True)[0], want)


@pytest.mark.parametrize("seed", range(3 * SEEDS, 4 * SEEDS))
def test_effects_survive(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """As often, in the same order, with the same values: through passes and both modes."""
    x, forward = at(seed, 3), lambda f: lambda x: mlc.jvp(f, (x,), (x,))
    for generator, derivative in ((EFFECTS, forward), (KNOWN_EFFECTS, mlc.grad)):
        f = generator.program(seed)
        interpret(f, x)
        want = capsys.readouterr().out
        for fn in (f, derivative(f)):
            for passes in (False, True):
                interpret(fn, x, passes=passes)
                assert capsys.readouterr().out == want
