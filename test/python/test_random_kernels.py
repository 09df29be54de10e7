"""Random kernels of stages, joins and carried loops, with vec axes anywhere: lowered, they compute what they mean.

The interpreter of the loop level is the reference; the vector level runs in its interpreter and as native code.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mlc.compiler.driver import run
from mlc.compiler.native import run_kernel
from mlc.compiler.parsing import parse_module
from mlc.dialects.nd.op import EXACT
from mlc.runtime.interpret_vector import call_kernel
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
ROWS, COLUMNS = 4, 6
WHOLE, ROW, COLUMN, ONE = (ROWS, COLUMNS), (COLUMNS,), (ROWS,), (1,)
ACCESSES: dict[Shape, list[str]] = {
    WHOLE: ["[i, j]", "[i, j]", "[3 - i, j]", "[i, 5 - j]"],
    ROW: ["[j]", "[5 - j]"],
    COLUMN: ["[i]", "[3 - i]"],
    ONE: ["[0]"],
}
TARGETS: list[tuple[str, Shape]] = [
    ("[i, j]", WHOLE),
    ("[i, j]", WHOLE),
    ("add [i]", COLUMN),
    ("max [j]", ROW),
    ("add [j]", ROW),
    ("min [0]", ONE),
]


def tensor(shape: Shape) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xi32>"


class Writer:
    """Writes one random kernel; `values` are what later ops may read."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = []
        self.values: list[tuple[str, Shape]] = [("x", WHOLE), ("y", ROW), ("w", COLUMN)]

    def value(self, shape: Shape | None = None) -> tuple[str, Shape]:
        return self.r.choice([v for v in self.values if shape in (None, v[1])])

    def axes(self) -> str:
        vec = [self.r.choice(["", "vec "]) for _ in range(2)]
        return f"[i: {vec[0]}{ROWS}, j: {vec[1]}{COLUMNS}]"

    def stage(self, n: int) -> None:
        (a, at), (b, bt) = self.value(), self.value()
        targets = self.r.sample(TARGETS, self.r.choice([1, 1, 2, 3]))
        names = [f"v{n}_{k}" for k in range(len(targets))]
        yielded = [f"%d{n}", f"%a{n}", f"%b{n}"][: len(targets)]
        self.lines.append(
            f"""%{", %".join(names)} = loop.stage s{n} {self.axes()}
    (%a{n} = %{a}{self.r.choice(ACCESSES[at])}, %b{n} = %{b}{self.r.choice(ACCESSES[bt])})
    -> {", ".join(t for t, _ in targets)} {{
    %c{n} = arith.maxsi %a{n}, %b{n} : i32
    %k{n} = arith.constant 3 : i32
    %d{n} = arith.addi %c{n}, %k{n} : i32
    loop.yield {", ".join(yielded)} : {", ".join(["i32"] * len(targets))}
  }}"""
        )
        self.values += [(name, shape) for name, (_, shape) in zip(names, targets)]

    def join(self, n: int) -> None:
        """Two pieces one above the other, or overlapping by all rows but one."""
        (a, _), (b, _) = self.value(WHOLE), self.value(WHOLE)
        start, read = self.r.choice([ROWS, 1]), self.r.choice(["[i, j]", "[i + 1, j]"])
        self.lines.append(
            f"%j{n} = loop.join (%{a} at [0, 0], %{b} at [{start}, 0]) : {tensor((ROWS + start, COLUMNS))}"
        )
        self.lines.append(
            f"%v{n} = loop.stage s{n} {self.axes()} (%a{n} = %j{n}{read}) -> [i, j] {{ loop.yield %a{n} : i32 }}"
        )
        self.values.append((f"v{n}", WHOLE))

    def loop(self, n: int) -> None:
        """A recurrence over rows, whose states are also placed and summed."""
        (a, _), (init, _) = self.value(WHOLE), self.value(ROW)
        vec, read = self.r.choice(["", "vec "]), self.r.choice(ACCESSES[ROW])
        self.lines.append(
            f"""%v{n}, %u{n}, %t{n} = loop.for q = {ROWS} with (%s{n} = %{init}) -> carry [0], [q, 0], add [0] {{
    %n{n} = loop.stage f{n} [j: {vec}{COLUMNS}] (%a{n} = %s{n}{read}, %b{n} = %{a}[q, j]) -> [j] {{
      %c{n} = arith.addi %a{n}, %b{n} : i32
      loop.yield %c{n} : i32
    }}
    %o{n} = loop.stage g{n} [j: {vec}{COLUMNS}] (%e{n} = %{self.r.choice("ns")}{n}[j]) -> [0, j] {{
      loop.yield %e{n} : i32
    }}
    loop.yield %n{n}, %o{n}, %n{n} : {tensor(ROW)}, {tensor((1, COLUMNS))}, {tensor(ROW)}
  }}"""
        )
        self.values += [(f"v{n}", ROW), (f"u{n}", WHOLE), (f"t{n}", ROW)]

    def kernel(self) -> str:
        for n in range(self.r.randint(1, 6)):
            self.r.choice([self.stage] * 4 + [self.join, self.loop])(n)
        outs = self.r.sample(self.values, min(len(self.values), self.r.randint(1, 3)))
        outs += [self.values[-1], *self.r.choice([[], [], outs[:1]])]
        types = ", ".join(tensor(shape) for _, shape in outs)
        arguments = ", ".join(f"%{name}: {tensor(shape)}" for name, shape in (("x", WHOLE), ("y", ROW), ("w", COLUMN)))
        body = "\n  ".join(self.lines)
        names = ", ".join(f"%{name}" for name, _ in outs)
        return f"func.func @f({arguments}) -> ({types}) {{\n  {body}\n  func.return {names} : {types}\n}}"


def interpret(module: ModuleOp, inputs: list[Array]) -> list[Array]:
    return call_kernel(Interpreter(module), "f", inputs)


def native(module: ModuleOp, inputs: list[Array]) -> list[Array]:
    return run_kernel(next(op for op in module.walk() if isinstance(op, FuncOp)), inputs)


BACKENDS: dict[str, Callable[[ModuleOp, list[Array]], list[Array]]] = {"interpreter": interpret, "native": native}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("chunk", range(4))
def test_random_kernels_compute_what_they_mean(chunk: int, backend: str) -> None:
    for seed in range(15 * chunk, 15 * chunk + 15):
        text = Writer(seed).kernel()
        r = np.random.default_rng(seed)
        inputs = [r.integers(-50, 50, shape).astype("i4") for shape in (WHOLE, ROW, COLUMN)]
        wanted = Interpreter(parse_module(text, "kernel.mlir")).call("f", *inputs)
        module = parse_module(text, "kernel.mlir")
        run(module, ["lower-loop"])
        for k, (got, want) in enumerate(zip(BACKENDS[backend](module, inputs), wanted, strict=True)):
            try:
                assert_matches(EXACT, got, want)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, result {k}:\n{text}") from error
