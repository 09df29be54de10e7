"""The meaning of the loop level in NumPy, independent of any lowering.

A stage is evaluated on the grid of its domain at once: reads are gathers, reductions NumPy's, results scattered where
their index says. A loop runs its body for each iteration and places, combines or carries what it yields. Elements that
nothing writes stay poisoned (NaN, or the least integer), so that a gap shows in the numbers.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects import func
from xdsl.ir import Block, Operation, SSAValue

from ..dialects.errors import CompileError
from ..dialects.loop.attributes import CARRY
from ..dialects.loop.combiners import identity
from ..dialects.loop.linear import Linear, axes_of
from ..dialects.loop.ops import (
    ForOp,
    IfOp,
    IndexOp,
    JoinOp,
    LoadOp,
    ScatterOp,
    SizeOp,
    SortOp,
    StageOp,
    YieldOp,
    element_of,
    shape,
)
from ..dialects.nd.dims import Dim, evaluate
from .interpret_arith import Array, folded, maximum, minimum, numpy_type, poison, unsigned
from .interpret_arith import evaluate as evaluate_scalar
from .interpreter import Frame, handles

POINTS = 1 << 22
"""Points of a domain that are evaluated at once."""

UFUNC: dict[str, np.ufunc] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "maxnan": np.maximum,
    "minnan": np.minimum,
    "maxnum": np.fmax,
    "minnum": np.fmin,
    "min": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
}
UNSIGNED = ("umax", "umin")
Ranges = dict[str, tuple[int, int]]


def combine(mode: str, a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        if a.dtype.kind == "f" and mode in ("max", "min"):
            return (maximum if mode == "max" else minimum)(a, b)
        if mode in UNSIGNED:
            return np.asarray(UFUNC[mode[1:]](unsigned(a), unsigned(b))).view(a.dtype)
        return UFUNC[mode](a, b)


class Evaluator:
    """The values, run-time sizes and loop axes of one call of a kernel."""

    def __init__(self, values: dict[SSAValue, Array], sizes: dict[str, int]) -> None:
        self.values, self.sizes = values, sizes
        self.axes: dict[str, int] = {}

    def size(self, dim: Dim) -> int:
        return evaluate(dim, self.sizes)

    def dims(self, value: SSAValue) -> list[int]:
        return [self.size(d) for d in shape(value)]

    def block(self, block: Block) -> list[Array]:
        """Run a loop's or version's block; returns what it yields."""
        for op in block.ops:
            if isinstance(op, YieldOp):
                return [self.values[v] for v in op.args]
            self.run(op)
        raise AssertionError("a block without loop.yield")

    def run(self, op: Operation) -> None:
        if isinstance(op, StageOp):
            self.stage(op)
        elif isinstance(op, ForOp):
            self.loop(op)
        elif isinstance(op, JoinOp):
            self.join(op)
        elif isinstance(op, ScatterOp):
            self.scatter(op)
        elif isinstance(op, SortOp):
            self.values[op.res] = sort(op, self.values[op.x])
        elif isinstance(op, SizeOp):
            c, k = op.form
            self.sizes[op.symbol.data] = (self.values[op.of].shape[op.dimension] - k) // c
        elif isinstance(op, IfOp):
            region = op.then if self.size(op.extent.data) >= op.threshold else op.other
            self.values.update(zip(op.results, self.block(region.block)))
        else:
            raise CompileError(f"the interpreter of the loop level has no {op.name}", op.location)

    def stage(self, op: StageOp) -> None:
        extents = {a.name: self.size(a.extent) for a in op.axes}
        results = [
            np.full(self.dims(r), identity(t.data.mode, element_of(r)), numpy_type(element_of(r)))
            if t.data.mode
            else poison(self.dims(r), element_of(r))
            for r, t in zip(op.results, op.targets.data)
        ]
        for ranges in chunks(extents):
            self.points(op, ranges, results)
        self.values.update(zip(op.results, results))

    def points(self, op: StageOp, ranges: Ranges, results: list[Array]) -> None:
        """Evaluate the body on a box of the domain and merge what it yields into the results."""
        values = self.body(op, ranges)
        extents = [high - low for low, high in ranges.values()]
        for out, target, value in zip(results, op.targets.data, op.terminator.operands):
            self.merge(out, target.data.mode, target.data.access, np.broadcast_to(values[value], extents), ranges)

    def body(self, op: StageOp | ScatterOp, ranges: Ranges) -> dict[SSAValue, Array]:
        """The values of a body on a box of the domain; they broadcast to the box."""
        order = list(ranges)
        values: dict[SSAValue, Array] = {}
        for k, (arg, (value, access)) in enumerate(zip(op.body.block.args, op.reads())):
            source = self.values[value]
            if op.whole(k):
                values[arg] = source
                continue
            index = tuple(self.grid(form, ranges) for form in access)
            for i, n, form in zip(index, source.shape, access):
                if i.size and (i.min() < 0 or i.max() >= n):
                    found = f"index {form} in [{i.min()}, {i.max()}] of a dimension of {n}"
                    raise CompileError(f"stage {op.label.data}: expected reads in bounds, found {found}", op.location)
            values[arg] = source[index] if index else np.asarray(source).reshape((1,) * len(order))
        for inner in op.body.block.ops:
            if isinstance(inner, IndexOp):
                values[inner.res] = self.grid(inner.linear, ranges)
            elif isinstance(inner, LoadOp):
                values[inner.res] = load(op, inner, values)
            elif not isinstance(inner, YieldOp):
                values[inner.results[0]] = evaluate_scalar(inner, [values[v] for v in inner.operands])
        return values

    def scatter(self, op: ScatterOp) -> None:
        """The updates in the order of the domain."""
        out = self.values[op.res] = np.array(self.values[op.into])
        for ranges in chunks({a.name: self.size(a.extent) for a in op.axes}):
            values = self.body(op, ranges)
            extents = [high - low for low, high in ranges.values()]
            ends = [np.broadcast_to(values[v], extents).reshape(-1) for v in op.terminator.operands]
            kept = ends[1 + op.rank] if op.valid is not None else np.ones(ends[0].size, bool)
            at = [p[kept] for p in ends[1 : 1 + op.rank]]
            for d, (i, n) in enumerate(zip(at, out.shape)):
                if i.size and (i.min() < 0 or i.max() >= n):
                    found = f"positions in [{i.min()}, {i.max()}] of dimension {d} of {n}"
                    raise CompileError(
                        f"scatter {op.label.data}: expected places in bounds, found {found}", op.location
                    )
            flat = np.ravel_multi_index(at, out.shape) if at else np.zeros(int(kept.sum()), np.int64)
            update(op.kind.data, out.reshape(-1), flat, ends[0][kept])

    def merge(self, out: Array, mode: str, access: tuple[Linear, ...], value: Array, ranges: Ranges) -> None:
        kept = axes_of(access)
        reduced = tuple(d for d, name in enumerate(ranges) if name not in kept)
        if mode and reduced:
            with np.errstate(all="ignore"):
                natural = mode in UNSIGNED
                operand, name = (unsigned(value), mode[1:]) if natural else (value, mode)
                value = folded(UFUNC[name], operand, reduced, keepdims=True).view(value.dtype)
        # Where the result has an axis of its own, the grid has it; elsewhere the grid has length 1.
        small: Ranges = {n: r if n in kept else (0, 1) for n, r in ranges.items()}
        index = tuple(self.grid(form, small) for form in access)
        value = value if mode else value[tuple(slice(None) if n in kept else slice(0, 1) for n in ranges)]
        if not index:
            value = value.reshape(())
            out[...] = combine(mode, out, value) if mode else value
        else:
            grid = np.broadcast_shapes(*(i.shape for i in index))
            value = np.broadcast_to(value, grid)
            out[index] = combine(mode, out[index], value) if mode else value

    def grid(self, form: Linear, ranges: Ranges) -> Array:
        """A form at every point of a box: one dimension for each axis, of length 1 where the form is constant."""
        rank = len(ranges)
        total = np.full((1,) * rank, self.size(form.const), np.int64)
        for name, c in form.terms:
            if name in ranges:
                low, high = ranges[name]
                steps = np.arange(low, high, dtype=np.int64) * c
                place = list(ranges).index(name)
                total = total + steps.reshape([-1 if d == place else 1 for d in range(rank)])
            else:
                total = total + self.axes[name] * c
        return total

    def loop(self, op: ForOp) -> None:
        extent, step, axis = self.size(op.extent.data), op.stride, op.axis.data
        targets = [t.data for t in op.targets.data]
        carried = iter([self.values[v] for v in op.inits])
        results = [
            next(carried)
            if t.mode == CARRY
            else np.full(self.dims(r), identity(t.mode, element_of(r)), numpy_type(element_of(r)))
            if t.mode
            else poison(self.dims(r), element_of(r))
            for r, t in zip(op.results, targets)
        ]
        for start in range(0, extent, step):
            self.axes[axis] = start
            if op.while_positive is not None and self.grid(op.while_positive, {}).item() <= 0:
                break
            at = min(start, extent - step) if op.clamped else start
            self.axes[axis] = at
            state = [r for r, t in zip(results, targets) if t.mode == CARRY]
            self.values.update(zip(op.body.block.args, state))
            for k, (tile, target) in enumerate(zip(self.block(op.body.block), targets)):
                if target.mode == CARRY:
                    results[k] = tile
                elif target.mode:
                    results[k] = combine(target.mode, results[k], tile)
                else:
                    places = [self.size(form.const) + form.coef(axis) * at for form in target.access]
                    results[k][tuple(slice(p, p + n) for p, n in zip(places, tile.shape))] = tile
        self.axes.pop(axis, None)
        self.values.update(zip(op.results, results))

    def join(self, op: JoinOp) -> None:
        out = poison(self.dims(op.res), element_of(op.res))
        for k, piece in enumerate(op.pieces):
            value = self.values[piece]
            if value.size:
                where = zip(op.placement(k), value.shape)
                starts = [(self.size(offset), stride, n) for (offset, stride), n in where]
                out[tuple(slice(o, o + s * (n - 1) + 1, s) for o, s, n in starts)] = value
        self.values[op.res] = out


def load(op: StageOp | ScatterOp, inner: LoadOp, values: Mapping[SSAValue, Array]) -> Array:
    """The elements at computed positions."""
    source, index = values[inner.source], tuple(np.asarray(values[p]) for p in inner.positions)
    for d, (i, n) in enumerate(zip(index, source.shape)):
        if i.size and (i.min() < 0 or i.max() >= n):
            found = f"positions in [{i.min()}, {i.max()}] of dimension {d} of {n}"
            raise CompileError(f"stage {op.label.data}: expected loads in bounds, found {found}", inner.location)
    return source[index]


def update(kind: str, out: Array, flat: Array, values: Array) -> None:
    """Combine values with flat places one after the other: in rounds, in each of which every place stands once."""
    order = np.argsort(flat, kind="stable")
    first = np.searchsorted(flat[order], flat[order])
    turn = np.empty(flat.size, np.int64)
    turn[order] = np.arange(flat.size) - first
    by_turn = np.argsort(turn, kind="stable")
    for part in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]) if flat.size else ():
        at = flat[part]
        out[at] = values[part] if kind == "set" else combine(kind, out[at], values[part])


def sort(op: SortOp, x: Array) -> Array:
    """A stable order: by value, of floats first whether it is NaN."""
    keys: Any = x.astype(np.float32) if x.dtype.kind not in "biuf" else x
    if op.unsigned is not None:
        keys = keys.view(f"u{keys.itemsize}")
    if op.descending is not None:
        keys = -keys if keys.dtype.kind == "f" else ~keys
    places = np.argsort(keys, op.along, kind="stable")
    return places.astype(np.int64) if op.positions is not None else np.take_along_axis(x, places, op.along)


def chunks(extents: Mapping[str, int]) -> Iterator[Ranges]:
    """Boxes of at most POINTS points that fill the domain; none if it is empty."""
    if 0 in extents.values():
        return
    names = list(extents)

    def cut(d: int, fixed: Ranges) -> Iterator[Ranges]:
        rest = prod(extents[n] for n in names[d:])
        if rest <= POINTS or d == len(names):
            yield fixed | {n: (0, extents[n]) for n in names[d:]}
            return
        inner = rest // extents[names[d]]
        width = max(1, POINTS // inner)
        for start in range(0, extents[names[d]], width):
            box = fixed | {names[d]: (start, min(start + width, extents[names[d]]))}
            yield from cut(d + 1, box) if inner > POINTS else iter([box | {n: (0, extents[n]) for n in names[d + 1 :]}])

    yield from cut(0, {})


@handles("loop.stage", "loop.for", "loop.join", "loop.sort", "loop.scatter", "loop.if", "loop.size")
def run_op(frame: Frame, op: Operation) -> None:
    Evaluator(frame.values, frame.symbols).run(op)


def call(f: func.FuncOp, *arguments: Any) -> list[Array]:
    """Run a kernel function of the loop level on arrays; returns its results."""
    evaluator = Evaluator({}, {})
    block = f.body.block
    for arg, array in zip(block.args, arguments):
        evaluator.values[arg] = np.asarray(array, numpy_type(arg.type))
    for op in block.ops:
        if isinstance(op, func.ReturnOp):
            return [evaluator.values[v] for v in op.operands]
        evaluator.run(op)
    raise AssertionError("a function without func.return")
