"""The vector level in the interpreter: loops, memory and n-D vectors as upstream defines them.

A memref is a flat array with a place, sizes and strides; every access is checked against both, so that a wrong index
raises instead of reading a neighbour. A vector is an array, an `index` an integer; ops on values alone are in
`interpret_values`. Arrays that a caller passes for memrefs are laid out as the memref's type says; those that it wants
results in are written in place.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func, memref, scf, vector
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IntAttr,
    MemRefType,
    StridedLayoutAttr,
    StringAttr,
    VectorType,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.parser import Parser

from ..dialects.errors import CompileError
from ..dialects.nd.attributes import parse_dim
from ..dialects.nd.dims import Dim, Sym
from ..dialects.nd.dims import evaluate as dim_value
from ..dialects.vector.ops import GatherOp
from .interpret_arith import Array, poison
from .interpret_values import PURE, Pure
from .interpreter import Frame, Handler, Interpreter, handles

SIZES = "mlc.sizes"


@dataclass(frozen=True)
class Buffer:
    """A memref: element `i` lies at `flat[start + sum(i[d] * strides[d])]`; `base` is where its allocation begins."""

    flat: Array
    base: int
    start: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    def positions(self, op: Operation, index: Sequence[Array]) -> Array:
        """Where elements lie; raises for an index out of bounds."""
        total: Any = np.int64(self.start)
        for d, (i, n, s) in enumerate(zip(index, self.sizes, self.strides, strict=True)):
            if np.size(i) and not 0 <= np.min(i) <= np.max(i) < n:
                found = f"{np.min(i)}" if np.size(i) == 1 else f"{np.min(i)} to {np.max(i)}"
                raise CompileError(f"{op.name}: expected index {d} in [0, {n}), found {found}", op.location)
            total = total + i * s
        if np.size(total) and not 0 <= np.min(total) <= np.max(total) < self.flat.size:
            found = f"{np.min(total)} to {np.max(total)}"
            raise CompileError(
                f"{op.name}: expected elements [0, {self.flat.size}) of the buffer, found {found}", op.location
            )
        return total


def row_major(sizes: Sequence[int]) -> tuple[int, ...]:
    return tuple(prod(sizes[d + 1 :]) for d in range(len(sizes)))


def laid_out(array: Array, kind: Attribute) -> Buffer:
    """An array as the memory that a memref type describes: the array's own where it lies so already."""
    assert isinstance(kind, MemRefType)
    array = array.view(np.int8) if array.dtype == np.bool_ else array
    layout = kind.layout
    sizes, strides = array.shape, row_major(array.shape)
    if isinstance(layout, StridedLayoutAttr):
        own = tuple(s // array.itemsize for s in array.strides)
        strides = tuple(s.data if isinstance(s, IntAttr) else own[d] for d, s in enumerate(layout.strides.data))
    if strides == row_major(sizes) and array.flags.c_contiguous:
        return Buffer(array.reshape(-1), 0, 0, sizes, strides)
    reach = [(n - 1) * s for n, s in zip(sizes, strides)] if array.size else []
    start = -sum(r for r in reach if r < 0)
    flat = poison([start + sum(r for r in reach if r > 0) + 1], kind.element_type)
    buffer = Buffer(flat, start, start, sizes, strides)
    if array.size:
        grid = np.meshgrid(*(np.arange(n) for n in sizes), indexing="ij", sparse=True)
        flat[sum((g * s for g, s in zip(grid, strides)), start=np.int64(start))] = array
    return buffer


def buffer_of(frame: Frame, value: SSAValue) -> Buffer:
    """A memref's memory; an argument's array is laid out when it is first used."""
    found = frame[value]
    if not isinstance(found, Buffer):
        found = frame[value] = laid_out(found, value.type)
    return found


def integers(frame: Frame, values: Sequence[SSAValue]) -> list[int]:
    return [int(frame[v]) for v in values]


# ---- values
def of_one_thread(f: Pure) -> Handler:
    def run(frame: Frame, op: Operation) -> None:
        frame.set(op, [f(op, frame.get(op.operands), ())])

    return run


for _name, _f in PURE.items():
    handles(_name)(of_one_thread(_f))


# ---- scf
@handles("scf.for")
def _for(frame: Frame, op: Operation) -> None:
    assert isinstance(op, scf.ForOp)
    values = frame.get(op.iter_args)
    for i in range(*integers(frame, (op.lb, op.ub, op.step))):
        values = frame.run(op.body.block, [np.int64(i), *values])
    frame.set(op, values)


@handles("scf.parallel")
def _parallel(frame: Frame, op: Operation) -> None:
    assert isinstance(op, scf.ParallelOp) and not op.results
    bounds = zip(*(integers(frame, v) for v in (op.lowerBound, op.upperBound, op.step)))
    spans = [range(*b) for b in bounds]
    for point in np.ndindex(*map(len, spans)):
        frame.run(op.body.block, [np.int64(span[i]) for i, span in zip(point, spans)])


@handles("scf.if")
def _if(frame: Frame, op: Operation) -> None:
    assert isinstance(op, scf.IfOp)
    region = op.true_region if frame[op.cond] else op.false_region
    frame.set(op, frame.run(region.block, []) if region.blocks else [])


# ---- memref
@handles("memref.alloc", "memref.alloca")
def _alloc(frame: Frame, op: Operation) -> None:
    assert isinstance(op, memref.AllocOp | memref.AllocaOp)
    kind = op.results[0].type
    assert isinstance(kind, MemRefType)
    dynamic = iter(integers(frame, op.dynamic_sizes))
    sizes = tuple(next(dynamic) if s == DYNAMIC_INDEX else s for s in kind.get_shape())
    frame.set(op, [Buffer(poison([prod(sizes)], kind.element_type), 0, 0, sizes, row_major(sizes))])


@handles("memref.dealloc")
def _dealloc(frame: Frame, op: Operation) -> None:
    """Memory goes with the frame."""


@handles("memref.dim")
def _dim(frame: Frame, op: Operation) -> None:
    frame.set(op, [np.int64(buffer_of(frame, op.operands[0]).sizes[int(frame[op.operands[1]])])])


def mixed(frame: Frame, static: DenseArrayBase, dynamic: Sequence[SSAValue]) -> tuple[int, ...]:
    """A list of which some numbers stand in the op, some are operands."""
    values = iter(integers(frame, dynamic))
    numbers = cast("tuple[int, ...]", cast(Any, static).get_values())
    return tuple(next(values) if v == DYNAMIC_INDEX else v for v in numbers)


@handles("memref.reinterpret_cast")
def _reinterpret_cast(frame: Frame, op: Operation) -> None:
    assert isinstance(op, memref.ReinterpretCastOp)
    source = buffer_of(frame, op.source)
    (offset,) = mixed(frame, op.static_offsets, op.offsets)
    sizes = mixed(frame, op.static_sizes, op.sizes)
    strides = mixed(frame, op.static_strides, op.strides)
    frame.set(op, [replace(source, start=source.base + offset, sizes=sizes, strides=strides)])


@handles("memref.extract_strided_metadata")
def _metadata(frame: Frame, op: Operation) -> None:
    source = buffer_of(frame, op.operands[0])
    base = replace(source, start=source.base, sizes=(), strides=())
    frame.set(op, [base, np.int64(source.start - source.base), *source.sizes, *source.strides])


@handles("memref.load")
def _load(frame: Frame, op: Operation) -> None:
    buffer = buffer_of(frame, op.operands[0])
    frame.set(op, [buffer.flat[buffer.positions(op, frame.get(op.operands[1:]))]])


@handles("memref.store")
def _store(frame: Frame, op: Operation) -> None:
    buffer = buffer_of(frame, op.operands[1])
    buffer.flat[buffer.positions(op, frame.get(op.operands[2:]))] = frame[op.operands[0]]


# ---- transfers
def places(op: Operation, buffer: Buffer, first: Sequence[Any], amap: AffineMap, sizes: Sequence[int]) -> Array:
    """Positions of the elements of a vector; the dimensions of the map that are 0 have length 1."""
    index: list[Any] = [np.asarray(i, np.int64) for i in first]
    for v, (expression, n) in enumerate(zip(amap.results, sizes, strict=True)):
        if isinstance(expression, AffineDimExpr):
            steps = np.arange(n, dtype=np.int64).reshape([n if k == v else 1 for k in range(len(sizes))])
            index[expression.position] = index[expression.position] + steps
    return buffer.positions(op, index)


def transferred(op: vector.TransferReadOp | vector.TransferWriteOp, value: SSAValue) -> Sequence[int]:
    """The shape of the vector that a plain transfer reads or writes."""
    if op.mask is not None or not all(b.value.data for b in op.in_bounds):
        raise CompileError(f"{op.name}: expected a transfer in bounds and without mask", op.location)
    assert isinstance(value.type, VectorType)
    return value.type.get_shape()


def _transfer(
    frame: Frame, op: vector.TransferReadOp | vector.TransferWriteOp, value: SSAValue
) -> tuple[Buffer, Array, Sequence[int]]:
    """The buffer, where the vector's elements lie in it, and the vector's shape."""
    buffer, sizes = buffer_of(frame, op.source), transferred(op, value)
    return buffer, places(op, buffer, frame.get(op.indices), op.permutation_map.data, sizes), sizes


@handles("vector.transfer_read")
def _transfer_read(frame: Frame, op: Operation) -> None:
    assert isinstance(op, vector.TransferReadOp)
    buffer, at, sizes = _transfer(frame, op, op.result)
    frame.set(op, [np.broadcast_to(buffer.flat[at], sizes)])


@handles("vector.transfer_write")
def _transfer_write(frame: Frame, op: Operation) -> None:
    assert isinstance(op, vector.TransferWriteOp)
    buffer, at, _ = _transfer(frame, op, op.vector)
    buffer.flat[at] = frame[op.vector]


@handles("vector.gather")
def _gather(frame: Frame, op: Operation) -> None:
    assert isinstance(op, GatherOp)
    mask, out = np.asarray(frame[op.mask], bool), np.array(frame[op.pass_thru])
    at = np.asarray(frame[op.offset]) + np.asarray(frame[op.indices])
    if isinstance(op.base.type, MemRefType):
        buffer = buffer_of(frame, op.base)
        out[mask] = buffer.flat[buffer.positions(op, [at[mask]])]
    else:
        out[mask] = np.asarray(frame[op.base])[at[mask]]
    frame.set(op, [out])


# ---- calling a kernel
def call_kernel(interpreter: Interpreter, name: str, inputs: Sequence[Array]) -> list[Array]:
    """Run a function that writes its results to its last arguments, on poisoned memory; returns these results.

    Results are the arguments behind the inputs; their run-time sizes are those that the argument's `mlc.sizes` names.
    """
    f = interpreter.function(name)
    sizes = run_time_sizes(f, inputs)
    outs: list[Array] = []
    for n, arg in enumerate(f.body.block.args):
        kind = arg.type
        assert isinstance(kind, MemRefType)
        if n >= len(inputs):
            dynamic = iter(sizes[n])
            shape = [next(dynamic) if s == DYNAMIC_INDEX else s for s in kind.get_shape()]
            outs.append(poison(shape, kind.element_type))
    interpreter.run(f, [*inputs, *outs])
    return outs


def run_time_sizes(f: func.FuncOp, inputs: Sequence[Array]) -> list[list[int]]:
    """The values of each argument's run-time sizes, from the inputs' shapes."""
    env: dict[str, int] = {}
    named = [dims_of(f, n) for n in range(len(f.body.block.args))]
    for dims, array, kind in zip(named, inputs, f.function_type.inputs):
        assert isinstance(kind, MemRefType)
        found = [n for n, s in zip(np.shape(array), kind.get_shape()) if s == DYNAMIC_INDEX]
        env.update({str(d): n for d, n in zip(dims, found) if isinstance(d, Sym) and d.is_symbol()})

    return [[dim_value(d, env) for d in dims] if n >= len(inputs) else [] for n, dims in enumerate(named)]


def dims_of(f: func.FuncOp, n: int) -> list[Dim]:
    """The expressions of an argument's run-time sizes."""
    text = f.arg_attrs.data[n].data.get(SIZES) if f.arg_attrs is not None else None
    if not isinstance(text, StringAttr):
        return []
    parser = Parser(Context(), text.data)
    return parser.parse_comma_separated_list(parser.Delimiter.NONE, lambda: parse_dim(parser))
