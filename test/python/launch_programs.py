"""Random programs of many kernels on buffers of unequal sizes that live for unequal times, with branches and loops."""

from __future__ import annotations

import random
from typing import Any

from graph_cases import program
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.control import if_, region, scan
from mlc.dialects.nd.op import Array
from mlc.dialects.nd.types import tensor
from xdsl.dialects.builtin import ModuleOp, f32, i1

WIDTH = 16


def random_launches(seed: int, count: int = 40, control: bool = True) -> ModuleOp:
    """About `count` kernels on tables of 16 columns; early values are read late now and then."""
    pick = random.Random(seed)
    weights = tensor((WIDTH, WIDTH), f32)
    rows = [pick.choice([40, 100, 256, 300, 512]) for _ in range(4)]

    def fill(pool: list[Array], w: Array, flag: Array | None, count: int) -> None:
        for _ in range(count):
            late = pick.random() < 0.8
            x = pool[-1 - pick.randrange(min(3, len(pool)))] if late else pick.choice(pool)
            n = x.shape[0]
            like = [y for y in pool if y.shape == x.shape]
            match pick.randrange(8 if flag is not None else 6):
                case 0 | 1:
                    pool.append(x @ w)
                case 2:
                    pool.append((x + pick.choice(like)) * 0.5)
                case 3 if isinstance(n, int) and n >= 80:
                    pool.append(x[: n // 2] @ w)
                case 4 if isinstance(n, int) and n < 1000:
                    pool.append(F.concatenate([x @ w, pick.choice(pool)], 0))
                case 5:
                    pool.append(F.flip(x, 0) @ w)
                case 6:
                    assert flag is not None
                    then, orelse = (body(x, w, pick.randrange(1, 5)) for _ in range(2))
                    pool += if_(flag, [x, w], then, orelse)
                case 7:
                    pool += scan(3, [w], [x], [], body(w, x, pick.randrange(1, 5), swap=True))
                case _:
                    pool.append(F.softmax(x @ w))

    def body(a: Array, b: Array, count: int, swap: bool = False) -> Any:
        """A region of a table and weights, in this order or the other, that yields a table of the same size."""

        def build(*args: Array) -> list[Array]:
            x, w = reversed(args) if swap else args
            pool = [x @ w]
            fill(pool, w, None, count)
            return [next(y for y in reversed(pool) if y.shape == x.shape) + x]

        return region(build, [a.type, b.type])

    def build(flag: Array, w: Array, *tables: Array) -> list[Array]:
        pool = [t @ w for t in tables]
        fill(pool, w, flag if control else None, count)
        return [F.sum_(y) for y in pool[-6:]]

    return program([tensor((), i1), weights, *(tensor((n, WIDTH), f32) for n in rows)], build)
