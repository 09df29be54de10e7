"""Control flow of traced programs: cond, switch, while_loop, scan, fori_loop, map; signatures are JAX's.

    def body(i, x): return x + w * i
    y = mlc.fori_loop(0, 10, body, x)      ->      %i, %y = nd.scan 10 (%w = %w) carry (%i = %c0, %x = %x) -> (...)

Functions take and give trees. The traced values that they use from around become operands, so that regions are closed.
Outside of a trace a call compiles and runs; inside `mlc.eager()` the functions run in a loop of Python.
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import i1, i64

from ...dialects.errors import CompileError
from ...dialects.nd import control
from ...dialects.nd.constant import full, size_value
from ...dialects.nd.dims import Dim, Sym
from ...dialects.nd.functions import clip, index, less, stack, truth
from ...dialects.nd.op import Array, place
from ...dialects.nd.promotion import promote, weak
from ...dialects.nd.types import Type, is_float, shape_of, tensor
from .locations import user_location
from .pytree import Structure, flatten, tree_map, unflatten
from .regions import Region, close, probe, trace_region
from .tracing import lift
from .transforms import staged, tracing

Fn = Callable[..., Any]


def at_once() -> bool:
    """Are operations computed as they are built (`mlc.eager()`)?"""
    return tracing() and place().evaluate is not None


def _lifted(tree: Any) -> Any:
    """The tree with arrays as leaves."""
    return tree_map(lift, tree)


def _predicate(what: str, p: Any) -> Array:
    """A condition as a scalar of i1."""
    p = lift(p)
    if p.shape:
        raise CompileError(f"{what}: expected a scalar, found {p.type}; reduce it (all, any)", user_location())
    return truth(p)


# cond and switch.


def cond(pred: Any, true_fn: Fn, false_fn: Fn, *operands: Any) -> Any:
    """`true_fn(*operands)` where the scalar `pred` is true, else `false_fn(*operands)`; only one of them runs.

    Both give trees of one structure, and leaves of the same types; a Python number takes the other side's type.
    """
    if not tracing():
        return staged(lambda p, xs: cond(p, true_fn, false_fn, *xs))(pred, operands)
    p = _predicate("cond: the condition", pred)
    if at_once():
        return _lifted((true_fn if p else false_fn)(*_lifted(operands)))
    leaves, structure = flatten(operands)
    arrays = [lift(x) for x in leaves]
    types = [a.type for a in arrays]
    then = trace_region("cond: true_fn", true_fn, structure, types)
    orelse = trace_region("cond: false_fn", false_fn, structure, types)
    results = _joined(then, orelse)
    then.finish(results)
    orelse.finish(results)
    captured = close([then, orelse])
    return unflatten(then.out, control.if_(p, [*captured, *arrays], then.block, orelse.block))


def _joined(then: Region, orelse: Region) -> list[Type]:
    """The types of the results of both branches."""
    if then.out != orelse.out:
        raise CompileError(
            f"cond: expected results of one structure, found {then.out} from true_fn and {orelse.out} from false_fn",
            user_location(),
        )
    out: list[Type] = []
    for path, a, b in zip(then.out.paths("result"), then.leaves, orelse.leaves, strict=True):
        x, y = then.type_of(a), orelse.type_of(b)
        if weak(a) and weak(b):
            x = y = x if x == y else then.type_of(a + b)
        elif weak(a) and _holds(y, a):
            x = y
        elif weak(b) and _holds(x, b):
            y = x
        if x != y:
            raise CompileError(
                f"cond: expected {path} of one type, found {x} from true_fn and {y} from false_fn", user_location()
            )
        out.append(x)
    return out


def switch(index: Any, branches: Sequence[Fn], *operands: Any) -> Any:
    """`branches[index](*operands)`; an index outside of the branches takes the nearest one."""
    if not branches:
        raise CompileError("switch: expected at least one branch, found none", user_location())
    if not tracing():
        return staged(lambda k, xs: switch(k, branches, *xs))(index, operands)
    k = lift(index)
    if k.shape or not _is_integer(k.type):
        raise CompileError(f"switch: expected an integer scalar as index, found {k.type}", user_location())
    return _switch(clip(k, 0, len(branches) - 1), list(branches), 0, operands)


def _switch(k: Array, branches: Sequence[Fn], first: int, operands: tuple[Any, ...]) -> Any:
    """Halves the branches that are left, of which `first` is the number of the first."""
    if len(branches) == 1:
        return branches[0](*operands)
    half = len(branches) // 2
    low, high = branches[:half], branches[half:]
    return cond(
        less(k, first + half),
        lambda *xs: _switch(k, low, first, xs),
        lambda *xs: _switch(k, high, first + half, xs),
        *operands,
    )


def _is_integer(t: Type) -> bool:
    return t.element_type != i1 and not is_float(t)


# Loops.


def while_loop(cond_fn: Fn, body_fn: Fn, init: Any) -> Any:
    """Apply `body_fn` as long as `cond_fn` is true, from `init`; what is carried keeps its structure and types.

    Forward mode goes through; reverse mode needs `scan`, or `fori_loop` with static bounds.
    """
    if not tracing():
        return staged(lambda init: while_loop(cond_fn, body_fn, init))(init)
    if at_once():
        value = _lifted(init)
        while _predicate("while_loop: the condition", cond_fn(value)):
            value = body_fn(value)
        return _lifted(value)
    carried = _Carried("while_loop: body_fn", init)
    body = carried.trace(body_fn, (), lambda out: out)
    test = trace_region("while_loop: cond_fn", cond_fn, carried.arguments(()), carried.types)
    test.map_result(lambda p: _predicate("while_loop: the result of cond_fn", p))
    test.finish([control.CONDITION])
    captured = close([test, body])
    return unflatten(carried.structure, control.while_(captured, carried.arrays, test.block, body.block))


def scan(f: Fn, init: Any, xs: Any = None, length: int | Dim | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """`f(carry, x) -> (carry, y)` for each slice of `xs` along its first dimension; the last carry, and all y stacked.

    `xs` may be None if `length` is given. With `reverse` the trips run from the last slice to the first, and each y
    stacks where its x was.
    """
    if not tracing():
        return staged(lambda init, xs: scan(f, init, xs, length, reverse))(init, xs)
    leaves, structure = flatten(xs)
    sequences = [lift(x) for x in leaves]
    trips = _length(sequences, structure, length)
    if at_once():
        return _scan_at_once(f, init, sequences, structure, trips, reverse)
    carried = _Carried("scan: f", init)
    slices = [(structure, [control.slice_type(a.type) for a in sequences])]
    body = carried.trace(f, slices, _pair)
    captured = close([body])
    out = control.scan(trips, captured, carried.arrays, sequences, body.block, reverse)
    count = len(carried.arrays)
    return unflatten(carried.structure, out[:count]), unflatten(body.out.parts[1], out[count:])


def _pair(out: Any) -> Any:
    if not isinstance(out, tuple | list) or len(out) != 2:
        found = f"{len(out)} values" if isinstance(out, tuple | list) else type(out).__name__
        raise CompileError(f"scan: expected f to return (carry, y), found {found}", user_location())
    return tuple(out)


def _length(sequences: Sequence[Array], structure: Structure, length: Any) -> Dim:
    """The number of trips; all sequences agree."""
    for path, a in zip(structure.paths("xs"), sequences, strict=True):
        if not a.shape:
            raise CompileError(f"scan: expected {path} with a dimension to go along, found {a.type}", user_location())
        if length is None:
            length = a.shape[0]
        elif a.shape[0] != length:
            raise CompileError(
                f"scan: expected {path} of length {length} in its first dimension, found {a.type}", user_location()
            )
    if length is None:
        raise CompileError("scan: expected xs or a length, found neither", user_location())
    if isinstance(length, Sym):
        return length
    if isinstance(length, bool) or not isinstance(length, int | np.integer) or length < 0:
        raise CompileError(f"scan: expected a length of at least 0, found {length!r}", user_location())
    return int(length)


def _scan_at_once(
    f: Fn, init: Any, sequences: Sequence[Array], structure: Structure, trips: Dim, reverse: bool
) -> tuple[Any, Any]:
    assert isinstance(trips, int)
    carry, found = _lifted(init), {}
    for t in reversed(range(trips)) if reverse else range(trips):
        carry, y = _pair(f(carry, unflatten(structure, [index(x, t) for x in sequences])))
        found[t] = flatten(y)
    if not found:  # the types of what was never computed
        types = [control.slice_type(a.type) for a in sequences]
        body = _Carried("scan: f", init).trace(f, [(structure, types)], _pair)
        stacked = [full(0, control.stack_type(body.type_of(y), 0)) for y in body.leaves[len(flatten(init)[0]) :]]
        return _lifted(carry), unflatten(body.out.parts[1], stacked)
    rows = [found[t][0] for t in range(trips)]
    return _lifted(carry), unflatten(
        found[0][1], [stack([lift(y) for y in column]) for column in zip(*rows, strict=True)]
    )


def fori_loop(lower: Any, upper: Any, body_fn: Fn, init: Any) -> Any:
    """`init = body_fn(i, init)` for i from `lower` to `upper`, excluded.

    With bounds that are numbers or sizes it is a scan, which reverse mode goes through, else a while_loop. The counter
    is an int64 scalar, or has the type of traced bounds.
    """
    if not tracing():
        return staged(lambda init: fori_loop(lower, upper, body_fn, init))(init)
    if at_once():
        value = _lifted(init)
        for i in range(int(lower), int(upper)):
            value = body_fn(lift(i), value)
        return _lifted(value)
    if _static(lower) and _static(upper):
        trips = upper - lower
        if isinstance(trips, int | np.integer):
            trips = max(int(trips), 0)
        start = size_value(lower, i64) if isinstance(lower, Sym) else full(int(lower), tensor((), i64))

        def step(carry: Any, _: Any) -> Any:
            i, value = carry
            return (i + 1, body_fn(i, value)), None

        return scan(step, (start, init), None, trips)[0][1]
    first, last = lift(lower), lift(size_value(upper, i64) if isinstance(upper, Sym) else upper)
    for x in (first, last):
        if x.shape or not _is_integer(x.type):
            raise CompileError(f"fori_loop: expected bounds that are integer scalars, found {x.type}", user_location())
    start, last = promote(first, last)
    out = while_loop(lambda c: less(c[0], last), lambda c: (c[0] + 1, body_fn(*c)), (start, init))
    return out[1]


def _static(x: Any) -> bool:
    return isinstance(x, int | np.integer | Sym) and not isinstance(x, bool)


def map(f: Fn, xs: Any) -> Any:
    """`f` of each slice of `xs` along its first dimension, one after the other, stacked."""
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


# What loops carry.


class _Carried:
    """The carried values of a loop: what the user gave, and the types that its body makes of it.

    Python numbers in `init` take the type that the body gives them; everything else must keep its type.
    """

    def __init__(self, what: str, init: Any) -> None:
        self.what = what
        self.leaves, self.structure = flatten(init)
        self.arrays = [lift(x) for x in self.leaves]

    @property
    def types(self) -> list[Type]:
        return [a.type for a in self.arrays]

    def arguments(self, more: Sequence[tuple[Structure, list[Type]]]) -> Structure:
        parts = (self.structure, *(s for s, _ in more))
        return Structure(tuple, tuple(range(len(parts))), parts)

    def trace(self, fn: Fn, more: Sequence[tuple[Structure, list[Type]]], shaped: Callable[[Any], Any]) -> Region:
        """The region of `fn(carried, *more)`, of which `shaped` checks the result; it yields the carried first."""
        arguments = self.arguments(more)
        extra = [t for _, types in more for t in types]
        numbers = [k for k, x in enumerate(self.leaves) if weak(x)]
        if numbers:
            self._adopt(numbers, probe(fn, arguments, [*self.leaves], extra, shaped))
        region = self._traced(fn, arguments, extra, shaped)
        for _ in numbers:
            if not self._adopt(numbers, [region.type_of(y) for y in region.leaves[: len(self.arrays)]]):
                break
            region = self._traced(fn, arguments, extra, shaped)
        self._check(region)
        count = len(self.arrays)
        region.finish([*self.types, *(region.type_of(y) for y in region.leaves[count:])])
        return region

    def _traced(self, fn: Fn, arguments: Structure, extra: Sequence[Type], shaped: Callable[[Any], Any]) -> Region:
        region = trace_region(self.what, fn, arguments, [*self.types, *extra], shaped)
        own = region.out if len(arguments.parts) == 1 else region.out.parts[0]
        if own != self.structure:
            raise CompileError(
                f"{self.what}: expected the carried structure {self.structure}, found {own}", user_location()
            )
        return region

    def _adopt(self, numbers: Sequence[int], found: Sequence[Type | None]) -> bool:
        """Give Python numbers the body's types; did one change?"""
        changed = False
        for k, t in zip(numbers, [found[k] if k < len(found) else None for k in numbers], strict=True):
            if t is not None and t != self.arrays[k].type and _holds(t, self.leaves[k]):
                self.arrays[k] = full(self.leaves[k], t)
                changed = True
        return changed

    def _check(self, region: Region) -> None:
        paths = self.structure.paths("init")
        for path, a, y in zip(paths, self.arrays, region.leaves[: len(self.arrays)], strict=True):
            found = region.type_of(y)
            if found != a.type and not (weak(y) and _holds(a.type, y)):
                raise CompileError(
                    f"{self.what}: expected {path} to keep its type {a.type}, found {found}; convert it, or start from "
                    "a value of that type",
                    user_location(),
                )


def _holds(t: Type, number: Any) -> bool:
    """Can a scalar of this type stand for the Python number without loss of its kind?"""
    if shape_of(t):
        return False
    if isinstance(number, bool):
        return True
    return t.element_type != i1 if isinstance(number, int) else is_float(t)
