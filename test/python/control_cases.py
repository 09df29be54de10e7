"""Programs with control flow, each with the same computation as a loop of plain Python and NumPy.

`CASES[name]` holds the program, its arguments and the reference; interpreter, native code and transforms run them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlc
import mlc.numpy as mnp
import numpy as np


@dataclass(frozen=True)
class Case:
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    """Takes the arguments as NumPy arrays, gives one result or a tuple."""


CASES: dict[str, Case] = {}
RNG = np.random.default_rng(11)
X = RNG.standard_normal((6, 4)).astype(np.float32)
V = RNG.standard_normal(4).astype(np.float32)
W = (RNG.standard_normal((4, 4)) / 4).astype(np.float32)
F = np.float32


def case(
    *args: Any, reference: Callable[..., Any], name: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a program under its name."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        CASES[name or fn.__name__] = Case(fn, args, reference)
        return fn

    return add


def both(*args: Any, reference: Callable[..., Any], **variants: tuple[Any, ...]) -> Callable[[Any], Any]:
    """A program with several sets of arguments: `case_variant`."""

    def add(fn: Callable[..., Any]) -> Callable[..., Any]:
        for word, first in variants.items():
            CASES[f"{fn.__name__}_{word}"] = Case(fn, (*first, *args), reference)
        return fn

    return add


# if.


@both(V, reference=lambda p, x: np.exp(x) if p else x * F(2), true=(np.True_,), false=(np.False_,))
def branch(p: Any, x: Any) -> Any:
    return mlc.cond(p, mnp.exp, lambda v: v * 2, x)


@both(V, W, reference=lambda k, x, w: (x + w.sum(0), x) if k > 0 else (x, x - w[0]), one=(F(1),), minus=(F(-1),))
def branch_of_two_results(k: Any, x: Any, w: Any) -> Any:
    """Captured values, and results that are arguments."""
    return mlc.cond(k > 0, lambda: (x + w.sum(axis=0), x), lambda: (x, x - w[0]))


def _nested_if(a: Any, x: Any) -> Any:
    if a > 0:
        return x * F(2) if a > 5 else x + a
    return -x


@both(V, reference=_nested_if, large=(F(7),), small=(F(2),), negative=(F(-2),))
def nested_if(a: Any, x: Any) -> Any:
    return mlc.cond(a > 0, lambda v: mlc.cond(a > 5, lambda: v * 2, lambda: v + a), lambda v: -v, x)


@both(
    V,
    reference=lambda k, x: [x + F(1), x * x, np.sin(x), -x][min(max(int(k), 0), 3)],
    below=(np.int64(-4),),
    first=(np.int64(0),),
    third=(np.int64(2),),
    above=(np.int64(9),),
)
def switch(k: Any, x: Any) -> Any:
    return mlc.switch(k, [lambda v: v + 1, lambda v: v * v, mnp.sin, lambda v: -v], x)


# while.


def _collatz(n: Any) -> Any:
    steps = np.int64(0)
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@both(reference=_collatz, seven=(np.int64(7),), none=(np.int64(1),))
def collatz(n: Any) -> Any:
    """An if in a while; no trips from 1."""

    def body(c: Any) -> Any:
        n, steps = c
        return mlc.cond(n % 2 == 0, lambda: n // 2, lambda: 3 * n + 1), steps + 1

    return mlc.while_loop(lambda c: c[0] != 1, body, (n, 0))[1]


def _newton(a: Any, tolerance: Any) -> Any:
    x, trips = a, np.int64(0)
    while np.max(np.abs(x * x - a)) > tolerance and trips < 50:
        x = F(0.5) * (x + a / x)
        trips += 1
    return x, trips


@case(np.array([1, 4, 9, 2.5], F), F(1e-4), reference=_newton)
def newton(a: Any, tolerance: Any) -> Any:
    """Early exit on a condition over all elements."""

    def test(c: Any) -> Any:
        x, trips = c
        return (mnp.max(abs(x * x - a)) > tolerance) & (trips < 50)

    return mlc.while_loop(test, lambda c: (0.5 * (c[0] + a / c[0]), c[1] + 1), (a, 0))


def _swap(x: Any, y: Any, n: Any) -> Any:
    for _ in range(int(n)):
        x, y = y, x + y
    return x, y


@both(V, V + F(1), reference=lambda n, x, y: _swap(x, y, n), odd=(np.int64(5),), even=(np.int64(4),))
def swapped_carries(n: Any, x: Any, y: Any) -> Any:
    """Carried values that change places: no buffer may be written before it was read."""
    return mlc.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[2], c[1] + c[2]), (0, x, y))[1:]


def _power(w: Any, x: Any) -> Any:
    trips = np.int64(0)
    while np.abs(x).sum() > 0.05 and trips < 20:
        x = w @ x
        trips += 1
    return x, trips


@case(W, V, reference=_power)
def matrix_power(w: Any, x: Any) -> Any:
    def body(c: Any) -> Any:
        x, trips = c
        return w @ x, trips + 1

    return mlc.while_loop(lambda c: (abs(c[0]).sum() > 0.05) & (c[1] < 20), body, (x, 0))


# scan.


def _cumulative(x: Any) -> Any:
    c, out = np.zeros(4, F), []
    for row in x:
        c = c + row
        out.append(c)
    return c, np.stack(out)


@case(X, reference=_cumulative)
def cumulative(x: Any) -> Any:
    def step(c: Any, row: Any) -> Any:
        return c + row, c + row

    return mlc.scan(step, mnp.zeros(4), x)


@case(X, reference=lambda x: tuple(r if r.ndim < 2 else r[::-1] for r in _cumulative(x[::-1])))
def cumulative_reverse(x: Any) -> Any:
    def step(c: Any, row: Any) -> Any:
        return c + row, c + row

    return mlc.scan(step, mnp.zeros(4), x, reverse=True)


def _rnn(w: Any, h: Any, xs: Any) -> Any:
    out = []
    for x in xs:
        h = np.tanh(w @ h + x)
        out.append(h.sum())
    return h, np.array(out, F)


@case(W, V, X, reference=_rnn)
def rnn(w: Any, h: Any, xs: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = mnp.tanh(w @ h + x)
        return h, h.sum()

    return mlc.scan(step, h, xs)


@case(X, reference=lambda x: (x[:0].sum(0), x[:0] * F(2)))
def no_trips(x: Any) -> Any:
    return mlc.scan(lambda c, row: (c + row, row * 2), mnp.zeros(4), x[:0])


def _trees(a: Any, b: Any) -> Any:
    s, n, out = F(0), np.int64(0), []
    for x, y in zip(a, b, strict=True):
        out.append(x * y)
        s, n = s + x @ y, n + 1
    return s, n, np.stack(out), np.arange(len(a))


@case(X, X + F(1), reference=_trees)
def trees(a: Any, b: Any) -> Any:
    """Two sequences, two carried values of different types, two stacked results."""

    def step(c: Any, s: Any) -> Any:
        x, y = s["x"], s["y"]
        return {"s": c["s"] + x @ y, "n": c["n"] + 1}, (x * y, c["n"])

    c, (rows, numbers) = mlc.scan(step, {"s": 0.0, "n": 0}, {"x": a, "y": b})
    return c["s"], c["n"], rows, numbers


@case(V, reference=lambda x: np.stack([x * F(k) for k in range(5)]))
def stacked_only(x: Any) -> Any:
    """No sequences: the length is given."""
    return mlc.scan(lambda k, _: (k + 1, x * k.astype("float32")), 0, None, length=5)[1]


# Loops in loops.


def _fori(x: Any, w: Any) -> Any:
    for i in range(3, 8):
        x = w @ x + F(i)
    return x


@case(V, W, reference=_fori)
def fori_static(x: Any, w: Any) -> Any:
    return mlc.fori_loop(3, 8, lambda i, x: w @ x + i.astype("float32"), x)


@both(V, W, reference=lambda n, x, w: _steps(int(n), x, w), four=(np.int64(4),), none=(np.int64(-2),))
def fori_dynamic(n: Any, x: Any, w: Any) -> Any:
    return mlc.fori_loop(0, n, lambda i, x: w @ x + i.astype("float32"), x)


def _steps(n: int, x: Any, w: Any) -> Any:
    for i in range(n):
        x = w @ x + F(i)
    return x


def _scan_in_while_in_if(p: Any, x: Any, xs: Any) -> Any:
    if not p:
        return x - F(1), np.int64(0)
    trips = np.int64(0)
    while x.sum() < 50 and trips < 9:
        for row in xs:
            x = x + np.abs(row) * F(0.5)
        trips += 1
    return x, trips


@both(V, X, reference=_scan_in_while_in_if, taken=(np.True_,), skipped=(np.False_,))
def scan_in_while_in_if(p: Any, x: Any, xs: Any) -> Any:
    def body(c: Any) -> Any:
        x, trips = c
        return mlc.scan(lambda a, row: (a + abs(row) * 0.5, None), x, xs)[0], trips + 1

    def loop() -> Any:
        return mlc.while_loop(lambda c: (c[0].sum() < 50) & (c[1] < 9), body, (x, 0))

    return mlc.cond(p, loop, lambda: (x - 1, mnp.zeros((), "int64")))


def _scan_in_scan(xs: Any) -> Any:
    out, total = [], F(0)
    for row in xs:
        c, partial = F(0), []
        for v in row:
            c = c + v * total
            partial.append(c)
        total = total + row.sum()
        out.append(partial)
    return total, np.array(out, F)


@case(X, reference=_scan_in_scan)
def scan_in_scan(xs: Any) -> Any:
    def outer(total: Any, row: Any) -> Any:
        def inner(c: Any, v: Any) -> Any:
            c = c + v * total
            return c, c

        return total + row.sum(), mlc.scan(inner, 0.0, row)[1]

    return mlc.scan(outer, 0.0, xs)


def _if_in_scan(xs: Any) -> Any:
    c, out = F(0), []
    for row in xs:
        s = row.sum()
        c = c + s if s > 0 else c * F(0.5)
        out.append(c)
    return c, np.array(out, F)


@case(X, reference=_if_in_scan)
def if_in_scan(xs: Any) -> Any:
    def step(c: Any, row: Any) -> Any:
        s = row.sum()
        c = mlc.cond(s > 0, lambda: c + s, lambda: c * 0.5)
        return c, c

    return mlc.scan(step, 0.0, xs)


def _early(xs: Any, limit: Any) -> Any:
    k, total = np.int64(0), F(0)
    while k < len(xs) and total < limit:
        total = total + np.abs(xs[k]).sum()
        k += 1
    return k, total


@both(X, reference=lambda limit, xs: _early(xs, limit), early=(F(6),), never=(F(1e9),), at_once=(F(-1),))
def early_exit(limit: Any, xs: Any) -> Any:
    """Rows until their sum reaches a limit; the row is picked by a one-hot product."""

    def body(c: Any) -> Any:
        k, total = c
        row = mnp.where((np.arange(6) == k).reshape(6, 1), xs, mnp.zeros((6, 4))).sum(axis=0)
        return k + 1, total + abs(row).sum()

    return mlc.while_loop(lambda c: (c[0] < 6) & (c[1] < limit), body, (0, 0.0))


@case(X, reference=lambda x: np.stack([np.sort(np.abs(r)).sum() * r for r in x]))
def mapped(x: Any) -> Any:
    return mlc.map(lambda row: abs(row).sum() * row, x)


@case(V, reference=lambda x: (x, x * F(3)))
def constant_carries(x: Any) -> Any:
    """A carried value that never changes, and one that nobody reads."""

    def step(c: Any, _: Any) -> Any:
        a, b, unread = c
        return (a, b + a, unread * 2), None

    return mlc.scan(step, (x, x, x), None, length=2)[0][:2]


@case(np.int64(3), reference=lambda n: sum(k * k for k in range(200)) + n)
def long_loop(n: Any) -> Any:
    return mlc.fori_loop(0, 200, lambda i, c: c + i * i, n)
