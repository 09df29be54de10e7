"""The language in which emitters are written: `Value`, whose operators build StableHLO ops at the current place.

    with building(block, location):
        y = select(x < 0, -x, x)

Operands have one shape and element type; a Python number takes those of the other operand. Nothing broadcasts by
itself. A splat is built once for each block.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, LocationAttr, i1, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...dialects.nd.constant import dense
from ...dialects.nd.dims import Dim
from ...dialects.nd.types import NUMPY, Type, element, is_complex, is_float, is_unsigned, shape_of, tensor
from .attributes import comparison, ints, op_class


@dataclass(frozen=True)
class Value:
    """A tensor of the program that is built."""

    ssa: SSAValue

    @property
    def type(self) -> Type:
        return self.ssa.type  # pyright: ignore[reportReturnType]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.type.get_shape()

    @property
    def dtype(self) -> Attribute:
        return element(self.ssa.type)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def __add__(self, other: Any) -> Value:
        return binary("add", self, other)

    def __sub__(self, other: Any) -> Value:
        return binary("subtract", self, other)

    def __rsub__(self, other: Any) -> Value:
        return binary("subtract", splat(other, self.type), self)

    def __mul__(self, other: Any) -> Value:
        return binary("multiply", self, other)

    def __truediv__(self, other: Any) -> Value:
        return binary("divide", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return binary("divide", splat(other, self.type), self)

    def __and__(self, other: Any) -> Value:
        return binary("and", self, other)

    def __or__(self, other: Any) -> Value:
        return binary("or", self, other)

    def __xor__(self, other: Any) -> Value:
        return binary("xor", self, other)

    def __invert__(self) -> Value:
        return unary("not", self)

    def __neg__(self) -> Value:
        return unary("negate", self)

    def __lt__(self, other: Any) -> Value:
        return compare("LT", self, other)

    def __le__(self, other: Any) -> Value:
        return compare("LE", self, other)

    def __gt__(self, other: Any) -> Value:
        return compare("GT", self, other)

    def __ge__(self, other: Any) -> Value:
        return compare("GE", self, other)

    __radd__, __rmul__ = __add__, __mul__


# The current place.


@dataclass
class Place:
    block: Block
    location: LocationAttr
    splats: dict[tuple[str, Attribute], Value] = field(default_factory=dict[tuple[str, Attribute], Value])


_place: ContextVar[Place] = ContextVar("place")


@contextmanager
def building(block: Block, location: LocationAttr) -> Generator[Place]:
    """Ops are added to the end of this block."""
    token = _place.set(Place(block, location))
    try:
        yield _place.get()
    finally:
        _place.reset(token)


def located(location: LocationAttr) -> None:
    """What is built next comes from this place of the source."""
    _place.get().location = location


def add(
    name: str,
    operands: Sequence[Value],
    types: Sequence[Attribute],
    properties: Mapping[str, Attribute] | None = None,
    regions: Sequence[Region] = (),
) -> list[Value]:
    """An op by its name with the dialect, `stablehlo.add`."""
    at = _place.get()
    op = op_class(name).create(
        operands=[v.ssa for v in operands],
        result_types=types,
        properties=dict(properties or {}),
        regions=regions,
        location=at.location,
    )
    at.block.add_op(op)
    return [Value(r) for r in op.results]


def insert(op: Operation) -> None:
    """An op of another dialect: calls and returns."""
    at = _place.get()
    op.location = at.location
    at.block.add_op(op)


def one(name: str, operands: Sequence[Value], t: Attribute, **properties: Attribute) -> Value:
    """An op of StableHLO with one result."""
    return add("stablehlo." + name, operands, [t], properties)[0]


def body(types: Sequence[Attribute], fn: Callable[..., Sequence[Value]]) -> Region:
    """A region whose block takes values of these types and returns what `fn` makes of them."""
    block = Block(arg_types=types)
    with building(block, _place.get().location):
        add("stablehlo.return", fn(*map(Value, block.args)), [])
    return Region(block)


# Constants.


def constant(x: np.ndarray[Any, Any], dtype: Attribute) -> Value:
    t = tensor(x.shape, dtype)
    if (
        x.size > 1
        and (
            x.reshape(-1).view(np.uint8).reshape(x.size, -1) == np.frombuffer(x.reshape(-1)[:1].tobytes(), np.uint8)
        ).all()
    ):
        return _constant(x.reshape(-1)[:1], t)
    return _constant(x, t)


def _constant(x: np.ndarray[Any, Any], t: Type) -> Value:
    value: Any = dense(x, t)
    if x.dtype.kind == "b" and x.size == 1:
        value = DenseIntOrFPElementsAttr.from_list(t, [int(x.reshape(-1)[0])])
    return one("constant", [], t, value=value)


def splat(value: Any, t: Type) -> Value:
    """One number everywhere."""
    at, key = _place.get(), (repr(value), t)
    if key not in at.splats:
        dtype = NUMPY[t.element_type]
        at.splats[key] = _constant(np.full((1,) if prod(t.get_shape()) else (0,), value, dtype), t)
    return at.splats[key]


def like(value: Any, x: Value) -> Value:
    return value if isinstance(value, Value) else splat(value, x.type)


def iota(shape: Sequence[int], axis: int, dtype: Attribute = i64) -> Value:
    return one("iota", [], tensor(tuple(shape), dtype), iota_dimension=IntegerAttr(axis, i64))


# Elementwise.


def unary(name: str, x: Value) -> Value:
    return one(name, [x], x.type)


def chlo(name: str, x: Value) -> Value:
    return add("chlo." + name, [x], [x.type])[0]


def binary(name: str, x: Value, y: Any) -> Value:
    return one(name, [x, like(y, x)], x.type)


def compare(direction: str, x: Value, y: Any) -> Value:
    kind = "FLOAT" if is_float(x.dtype) or is_complex(x.dtype) else "UNSIGNED" if is_unsigned(x.dtype) else "SIGNED"
    return one("compare", [x, like(y, x)], tensor(x.shape, i1), **comparison(direction, kind))


def equal(x: Value, y: Any) -> Value:
    return compare("EQ", x, y)


def differ(x: Value, y: Any) -> Value:
    return compare("NE", x, y)


def select(p: Value, x: Any, y: Any) -> Value:
    model = x if isinstance(x, Value) else y
    return one("select", [p, like(x, model), like(y, model)], model.type)


def convert(x: Value, dtype: Attribute) -> Value:
    """StableHLO's conversion, which says nothing of values that the other type does not hold."""
    return x if x.dtype == dtype else one("convert", [x], tensor(x.shape, dtype))


def bitcast(x: Value, dtype: Attribute) -> Value:
    return x if x.dtype == dtype else one("bitcast_convert", [x], tensor(x.shape, dtype))


# Movement.


def broadcast(x: Value, dims: Sequence[int], shape: Sequence[int]) -> Value:
    """Dimension k of x is dimension dims[k] of the result."""
    if tuple(shape) == x.shape and list(dims) == list(range(x.ndim)):
        return x
    return one("broadcast_in_dim", [x], tensor(tuple(shape), x.dtype), broadcast_dimensions=ints(dims))


def reshape(x: Value, shape: Sequence[int]) -> Value:
    return x if tuple(shape) == x.shape else one("reshape", [x], tensor(tuple(shape), x.dtype))


def transpose(x: Value, permutation: Sequence[int]) -> Value:
    """Dimension k of the result is dimension permutation[k] of x."""
    if list(permutation) == list(range(x.ndim)):
        return x
    t = tensor(tuple(x.shape[k] for k in permutation), x.dtype)
    return one("transpose", [x], t, permutation=ints(permutation))


def slice_(x: Value, start: Sequence[int], stop: Sequence[int], step: Sequence[int]) -> Value:
    shape = tuple(max(0, -((a - b) // t)) for a, b, t in zip(start, stop, step, strict=True))
    if shape == x.shape:
        return x
    properties = {"start_indices": ints(start), "limit_indices": ints(stop), "strides": ints(step)}
    return one("slice", [x], tensor(shape, x.dtype), **properties)


def reverse(x: Value, axes: Sequence[int]) -> Value:
    return one("reverse", [x], x.type, dimensions=ints(axes)) if axes else x


def pad(x: Value, value: Value, low: Sequence[int], high: Sequence[int], interior: Sequence[int]) -> Value:
    shape = tuple(lo + hi + d + max(d - 1, 0) * k for d, lo, hi, k in zip(x.shape, low, high, interior, strict=True))
    properties = {"edge_padding_low": ints(low), "edge_padding_high": ints(high), "interior_padding": ints(interior)}
    return one("pad", [x, value], tensor(shape, x.dtype), **properties)


def concatenate(xs: Sequence[Value], axis: int) -> Value:
    if len(xs) == 1:
        return xs[0]
    total = sum(x.shape[axis] for x in xs)
    shape = (*xs[0].shape[:axis], total, *xs[0].shape[axis + 1 :])
    return one("concatenate", xs, tensor(shape, xs[0].dtype), dimension=IntegerAttr(axis, i64))


def dynamic_slice(x: Value, starts: Sequence[Value], sizes: Sequence[int]) -> Value:
    return one("dynamic_slice", [x, *starts], tensor(tuple(sizes), x.dtype), slice_sizes=ints(sizes))


def dynamic_update_slice(x: Value, update: Value, starts: Sequence[Value]) -> Value:
    return one("dynamic_update_slice", [x, update, *starts], x.type)


# Reductions.


def reduce(name: str, x: Value, start: Any, axes: Sequence[int]) -> Value:
    """Combine by the op of this name along some dimensions."""
    if not axes:
        return x
    scalar = tensor((), x.dtype)
    t = tensor(tuple(d for k, d in enumerate(x.shape) if k not in axes), x.dtype)
    region = combiner(name, x.dtype)
    return add("stablehlo.reduce", [x, splat(start, scalar)], [t], {"dimensions": ints(axes)}, [region])[0]


def combiner(name: str, dtype: Attribute) -> Region:
    """The region of a reduction: the op of this name; without one, the second element."""

    def combined(x: Value, y: Value) -> list[Value]:
        return [binary(name, x, y) if name else y]

    scalar = tensor((), dtype)
    return body([scalar, scalar], combined)


def number(d: Dim) -> int:
    """A size; symbols have been refused."""
    assert isinstance(d, int)
    return d


def shape_numbers(t: Attribute) -> tuple[int, ...]:
    return tuple(map(number, shape_of(t)))
