"""Random programs of nested branches and loops over few values, so that buffers are tight and lifetimes overlap.

All arithmetic is exact (sums, differences, halves, extrema of f32; integers), so that native code, the interpreter and
every level in between must agree to the bit, whatever the order.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from mlc.dialects.nd import effects
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.control import if_, region, scan, while_
from mlc.dialects.nd.dims import Dim, symbol
from mlc.dialects.nd.op import Array, building
from mlc.dialects.nd.types import tensor
from xdsl.dialects.builtin import FunctionType, ModuleOp, f32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

M = 4
DEPTH = 3


class Generator:
    """Values by kind: rows of M, tables of n rows, scalars, counters."""

    def __init__(self, seed: int, symbolic: bool) -> None:
        self.pick = random.Random(seed)
        self.n: Dim = symbol("n") if symbolic else self.pick.choice([0, 1, 2, 3, 3, 3])
        self.types = {
            "row": tensor((M,), f32),
            "table": tensor((self.n, M), f32),
            "scalar": tensor((), f32),
            "count": tensor((), i64),
        }
        self.checks = 0

    def program(self) -> ModuleOp:
        kinds = ["row", "row", "table", "scalar", "count"]
        types = [self.types[k] for k in kinds]
        block = Block(arg_types=types)
        with building(block):
            pool = self.pool(kinds, list(map(Array, block.args)))
            self.fill(pool, 0, 8)
            results = [self.result(pool, k) for k in ("row", "row", "table", "scalar", "count")]
        values = [r.value for r in results]
        block.add_op(ReturnOp.create(operands=values))
        return ModuleOp([FuncOp("main", FunctionType.from_lists(types, [v.type for v in values]), Region(block))])

    def pool(self, kinds: Sequence[str], values: Sequence[Array]) -> dict[str, list[Array]]:
        pool: dict[str, list[Array]] = {k: [] for k in self.types}
        for kind, value in zip(kinds, values, strict=True):
            pool[kind].append(value)
        if not pool["count"]:
            pool["count"].append(F.constant(self.pick.randrange(4), i64))
        if not pool["row"]:
            pool["row"].append(F.full(0.5, self.types["row"]))
        if not pool["scalar"]:
            pool["scalar"].append(F.max_(pool["row"][0]))
        if not pool["table"]:
            pool["table"].append(F.broadcast_to(pool["row"][0], (self.n, M)))
        return pool

    def fill(self, pool: dict[str, list[Array]], depth: int, most: int) -> None:
        for _ in range(self.pick.randrange(2, most)):
            if depth < DEPTH and self.pick.random() < 0.3:
                self.control(pool, depth)
            else:
                self.simple(pool)

    def result(self, pool: dict[str, list[Array]], kind: str) -> Array:
        """An argument, the latest value, or one that depends on several."""
        if (choice := self.pick.randrange(10)) == 0:
            return pool[kind][0]
        out = pool[kind][-1]
        for _ in range(0 if choice == 1 else 2):
            other = pool[kind][self.pick.randrange(len(pool[kind]))]
            mixed = out - other if self.pick.randrange(2) else other + F.flip(out, 0) if out.ndim else out + other
            out = mixed if kind == "count" else mixed * 0.5
        return out

    def any(self, pool: dict[str, list[Array]], kind: str) -> Array:
        """Late values more often, so that early ones die."""
        values = pool[kind]
        return values[-1 - min(self.pick.randrange(len(values)), self.pick.randrange(len(values)))]

    def simple(self, pool: dict[str, list[Array]]) -> None:
        row, other, table = self.any(pool, "row"), self.any(pool, "row"), self.any(pool, "table")
        scalar, count = self.any(pool, "scalar"), self.any(pool, "count")
        match self.pick.randrange(13):
            case 0:
                pool["row"].append((row + other) * 0.5)
            case 1:
                pool["row"].append(F.flip(row, 0) - other)
            case 2:
                pool["row"].append(F.maximum(row, F.broadcast_to(scalar, (M,))))
            case 3:
                pool["row"].append(F.max_(table, 0))
            case 4:
                pool["table"].append(F.minimum(table, F.broadcast_to(row, table.shape)))
            case 5:
                pool["table"].append(F.flip(table, self.pick.randrange(2)))
            case 6:
                pool["scalar"].append(F.max_(row) * 0.5)
            case 7:
                pool["scalar"].append(row[self.pick.randrange(M)])
            case 8:
                pool["count"].append(count + 1)
            case 9:
                pool["count"].append(self.any(pool, "count") - count)
            case 10:
                pool["row"].append(F.concatenate([row[2:], other[:2]], 0))
            case 11:
                pool["row"].append(F.where(row > other, row, other * 0.5))
            case _:
                self.checks += 1
                effects.check(F.logical_not(row < F.minimum(row, other)), f"check {self.checks}")

    def operands(self, pool: dict[str, list[Array]], least: int = 0) -> tuple[list[str], list[Array]]:
        kinds = [self.pick.choice(list(self.types)) for _ in range(self.pick.randrange(least, 4))]
        return kinds, [self.any(pool, k) for k in kinds]

    def body(self, kinds: Sequence[str], wanted: Sequence[str], depth: int, first: Any = None) -> Block:
        def build(*args: Array) -> list[Array]:
            pool = self.pool(kinds, args)
            self.fill(pool, depth, 7)
            out = [self.result(pool, k) for k in wanted]
            return out if first is None else [first(*args), *out]

        return region(build, [self.types[k] for k in kinds])

    def control(self, pool: dict[str, list[Array]], depth: int) -> None:
        kinds, values = self.operands(pool)
        match self.pick.randrange(4):
            case 0:
                wanted, _ = self.operands(pool, 1)
                predicate = self.any(pool, "count") > self.pick.randrange(-1, 4)
                then, orelse = (self.body(kinds, wanted, depth + 1) for _ in range(2))
                self.add(pool, wanted, if_(predicate, values, then, orelse))
            case 1:
                carried, inits = self.operands(pool)
                most, at = self.pick.choice([0, 1, 3, 4]), len(kinds)

                def condition(*args: Array) -> list[Array]:
                    return [args[at] < most]

                types = [self.types[k] for k in (*kinds, "count", *carried)]
                body = self.body([*kinds, "count", *carried], carried, depth + 1, lambda *a: a[at] + 1)
                start = F.constant(0, i64)
                out = while_(values, [start, *inits], region(condition, types), body)
                self.add(pool, ["count", *carried], out)
            case _:
                carried, inits = self.operands(pool, 1)
                over_rows = self.pick.random() < 0.6
                sequences = [self.any(pool, "table") for _ in range(self.pick.randrange(3))] if over_rows else []
                length = self.n if over_rows else self.pick.choice([0, 1, 3, 4])
                stacked = ["row"] * self.pick.randrange(3) if over_rows else []
                inside = [*kinds, *carried, *["row"] * len(sequences)]
                body = self.body(inside, [*carried, *stacked], depth + 1)
                out = scan(length, values, inits, sequences, body, reverse=self.pick.random() < 0.3)
                self.add(pool, [*carried, *["table"] * len(stacked)], out)

    def add(self, pool: dict[str, list[Array]], kinds: Sequence[str], values: Sequence[Array]) -> None:
        for kind, value in zip(kinds, values, strict=True):
            pool[kind].append(value)


def random_control(seed: int, symbolic: bool = False) -> ModuleOp:
    return Generator(seed, symbolic).program()
