"""Programs for tests of the graph level: the registry's cases, random programs, and what runs them at each level."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mlc.compiler.context import context
from mlc.compiler.registry import lookup
from mlc.dialects.nd import functions as F
from mlc.dialects.nd.dims import Dim, evaluate, symbol
from mlc.dialects.nd.op import Array, building
from mlc.dialects.nd.types import NUMPY, element, shape_of, tensor
from mlc.runtime.interpreter import Interpreter
from mlc.runtime.matching import assert_matches, program_tolerance
from xdsl.dialects.builtin import FunctionType, ModuleOp, f32, i64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

GRAPH = ("decompose", "graph-fuse", "graph-outline", "graph-plan")


def program(types: Sequence[Any], build: Callable[..., Any], names: Sequence[str] = ()) -> ModuleOp:
    """A module whose @main is what `build` traces."""
    block = Block(arg_types=types)
    for arg, name in zip(block.args, names):
        arg.name_hint = name
    with building(block):
        out = build(*map(Array, block.args))
    results = [a.value for a in (out if isinstance(out, tuple | list) else (out,))]
    block.add_op(ReturnOp.create(operands=results))
    kind = FunctionType.from_lists(types, [r.type for r in results])
    return ModuleOp([FuncOp("main", kind, Region(block))])


def apply(module: ModuleOp, *passes: str) -> ModuleOp:
    """Run passes in place, verifying after each."""
    for name in passes:
        lookup(name)().apply(context(), module)
        module.verify()
    return module


def inputs_of(module: ModuleOp, sizes: dict[str, int] | None = None, seed: int = 0) -> list[Any]:
    """Random arguments for @main."""
    rng = np.random.default_rng(seed)
    main = next(op for op in module.body.block.ops if isinstance(op, FuncOp))
    out: list[Any] = []
    for arg in main.body.block.args:
        shape = [evaluate(d, sizes or {}) for d in shape_of(arg.type)]
        dtype = NUMPY[element(arg.type)]
        x = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 2, shape)
        out.append(np.asarray(x).astype(dtype))
    return out


def check(module: ModuleOp, args: Sequence[Any], *stages: Sequence[str]) -> None:
    """Every stage of passes leaves what the program computes."""
    want = Interpreter(module).call("main", *args)
    tolerance = program_tolerance(module, args)
    for stage in stages:
        apply(module, *stage)
        for got, expected in zip(Interpreter(module).call("main", *args), want, strict=True):
            assert_matches(tolerance, got, expected)


def kernels(module: ModuleOp) -> list[str]:
    """The names of the kernels of @main, in order."""
    main = next(op for op in module.body.block.ops if isinstance(op, FuncOp))
    return [op.label.data for op in main.body.block.ops if op.name == "graph.kernel"]


def random_program(seed: int, symbolic: bool = False) -> ModuleOp:
    """Elementwise ops, reductions, contractions, views and joins over a few matching shapes."""
    pick = random.Random(seed)
    n: Dim = symbol("n") if symbolic else pick.choice([1, 3, 4])
    m = pick.choice([2, 4, 5])
    types = [tensor((n, m), f32), tensor((n, m), f32), tensor((m,), f32), tensor((m, m), f32), tensor((n,), i64)]

    def build(*args: Array) -> list[Array]:
        wide, rows, columns = [args[0], args[1]], [F.sum_(args[0], 1)], [args[2]]
        square = [args[3]]
        wide.append(F.one_hot(args[4], m))
        for _ in range(pick.randrange(3, 12)):
            x, y = pick.choice(wide), pick.choice(wide)
            match pick.randrange(16):
                case 0:
                    wide.append(x + y)
                case 1:
                    wide.append(F.exp(F.tanh(x)))
                case 2:
                    wide.append(F.where(x > y, x, y * 0.5))
                case 3:
                    wide.append(x * F.broadcast_to(pick.choice(columns), x.shape))
                case 4:
                    wide.append(x - F.broadcast_to(F.expand_dims(pick.choice(rows), 1), x.shape))
                case 5:
                    rows.append(F.reduce(pick.choice(["sum", "max", "min"]), x, 1))
                case 6:
                    columns.append(F.reduce(pick.choice(["sum", "max"]), x, 0))
                case 7:
                    wide.append(F.matmul(x, pick.choice(square)))
                case 8:
                    square.append(F.contract("a b, a c -> b c", x, y))
                case 9:
                    wide.append(F.softmax(x))
                case 10:
                    wide.append(F.flip(x, pick.randrange(2)))
                case 11:
                    square.append(pick.choice(square).T + pick.choice(square))
                case 12:
                    wide.append(F.pad(x[:, 1:], ((0, 0), (0, 1))))
                case 13:
                    wide.append(F.concatenate([x[:, :1], y[:, : m - 1]], 1))
                case 14:
                    wide.append(F.reshape(F.reshape(x.T if not symbolic else x, (-1,)) * 2.0, x.shape))
                case _:
                    wide.append(x * F.sum_(y))
        results = [pick.choice(pool) for pool in (wide, rows, columns, square)]
        return [*results, pick.choice(wide).T, pick.choice(wide)]

    return program(types, build)
