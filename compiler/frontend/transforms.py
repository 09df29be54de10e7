"""jvp, vjp, grad, value_and_grad, vmap of Python functions: trace, transform the block, emit at the current place.

They nest (grad of grad, forward over reverse, vmap of grad), because what they emit is ordinary `nd` IR. Called on
concrete arrays outside of a trace, they compile the transformed function and run it. Signatures are JAX's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np
from xdsl.ir import Block

from ...dialects.errors import CompileError
from ...dialects.nd import op as core
from ...dialects.nd.constant import full
from ...dialects.nd.dims import Dim
from ...dialects.nd.functions import moveaxis
from ...dialects.nd.gradient import stop_gradient as _stop_gradient
from ...dialects.nd.op import Array, expand, zeros_like
from ...dialects.nd.types import is_complex, is_float, shape_of, tensor
from ..transforms import jvp as _jvp
from ..transforms import linearize as _linearize
from ..transforms import vmap as _vmap
from .locations import user_location
from .pytree import Structure, broadcast_prefix, flatten, unflatten
from .tracing import lift, trace_flat

Fn = Callable[..., Any]


def tracing() -> bool:
    """Is a block being built?"""
    return bool(core.open_places())


def staged(run: Fn) -> Fn:
    """Outside of a trace, compile the transformed function and run it."""
    compiled: list[Any] = []

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        if tracing():
            return run(*args, **kwargs)
        if not compiled:
            from .jit import jit

            compiled.append(jit(run))
        return compiled[0](*args, **kwargs)

    return call


def _trace(fn: Fn, args: tuple[Any, ...]) -> tuple[Block, list[Array], Structure, Structure]:
    """The body of `fn` on these arguments, the arguments' leaves, both structures."""
    leaves, structure = flatten(args)
    arrays = [lift(x) for x in leaves]
    block, out = trace_flat(fn, structure, [a.type for a in arrays])
    return block, arrays, structure, out


def _alike(what: str, want: Structure, tree: Any, like: Sequence[Array]) -> list[Array]:
    """The leaves of `tree`, which must have this structure and these types."""
    leaves, found = flatten(tree)
    if found != want:
        raise CompileError(f"{what}: expected the structure {want}, found {found}", user_location())
    arrays = [lift(x) for x in leaves]
    for a, b in zip(arrays, like, strict=True):
        if a.type != b.type:
            raise CompileError(f"{what}: expected {b.type}, found {a.type}", user_location())
    return arrays


def jvp(fn: Fn, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Results of `fn` at `primals` and their change along `tangents` (trees like `primals`).

    Outside of a trace each call compiles; to keep the program, jit a function that calls this.
    """

    def run(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        block, args, structure, out = _trace(fn, primals)
        given = _alike("jvp: tangents", structure, tangents, args)
        flags = [is_float(a.type) for a in args]
        ys, ts = _jvp.jvp(block, args, [t if f else None for t, f in zip(given, flags, strict=True)])
        filled = [t if t is not None else zeros_like(y) for y, t in zip(ys, ts, strict=True)]
        return unflatten(out, ys), unflatten(out, filled)

    return staged(run)(tuple(primals), tuple(tangents))


def vjp(fn: Fn, *primals: Any, has_aux: bool = False) -> Any:
    """`(results, back)`, or `(results, back, aux)`: `back(cotangents)` gives a tuple of cotangents like `primals`.

    Inside a traced function the backward part joins the program. Outside, each call of `vjp` compiles, and `back` runs
    forward and backward as one program.
    """
    if tracing():
        return _vjp(fn, primals, has_aux)
    from .jit import jit

    def both(primals: tuple[Any, ...], cotangents: Any) -> Any:
        return _vjp(fn, primals, has_aux)[1](cotangents)

    backward, results = jit(both), jit(fn)(*primals)

    def back(cotangents: Any) -> Any:
        return backward(primals, cotangents)

    return (results[0], back, results[1]) if has_aux else (results, back)


def _vjp(fn: Fn, primals: tuple[Any, ...], has_aux: bool) -> Any:
    aux: list[Any] = []
    block, args, structure, out = _trace(fn, primals)
    ys, backward = _linearize.vjp(block, args, [is_float(a.type) for a in args])
    results = unflatten(out, ys)
    if has_aux:
        if not isinstance(results, tuple) or len(results) != 2:  # pyright: ignore[reportUnknownArgumentType]
            raise CompileError("has_aux: expected a function that returns (result, aux)", user_location())
        results, extra = results  # pyright: ignore[reportUnknownVariableType]
        aux.append(extra)
    own, own_structure = flatten(results)

    def back(cotangents: Any) -> Any:
        given = _alike("vjp: cotangents", own_structure, cotangents, own)
        filled = [*given, *(zeros_like(y) if is_float(y.type) else y for y in ys[len(own) :])]
        cts = backward(filled)
        return unflatten(structure, [c if c is not None else zeros_like(a) for c, a in zip(cts, args, strict=True)])

    return (results, back, aux[0]) if has_aux else (results, back)


def value_and_grad(fn: Fn, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Fn:
    """A function that gives `(fn(*args), gradients)`; with `has_aux`, `fn` returns `(value, aux)` and so does this.

    `argnums`: the arguments to differentiate; a tuple of them gives a tuple of gradients.
    """
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        chosen = [_position(fn, n, len(args)) for n in numbers]

        def only(*xs: Any) -> Any:
            filled = list(args)
            for n, x in zip(chosen, xs, strict=True):
                filled[n] = x
            return fn(*filled, **kwargs)

        for n in chosen:
            for leaf in flatten(args[n])[0]:
                if not is_float(lift(leaf).type):
                    raise CompileError(
                        f"grad: expected float arrays in argument {n}, found {lift(leaf).type}; convert it, or "
                        "choose other arguments with argnums",
                        user_location(),
                    )
        found = _vjp(only, tuple(args[n] for n in chosen), has_aux)
        value, back = found[0], found[1]
        if not isinstance(value, Array) or value.shape or not is_float(value.type) or is_complex(value.type):
            shown = value.type if isinstance(value, Array) else flatten(value)[1]
            raise CompileError(
                f"grad: expected a function with a float scalar as result, found {shown}", user_location()
            )
        gradients = back(full(1, value.type))
        own = gradients if not isinstance(argnums, int) else gradients[0]
        return ((value, found[2]), own) if has_aux else (value, own)

    return staged(run)


def _position(fn: Fn, n: int, count: int) -> int:
    if not isinstance(n, int | np.integer) or not -count <= n < count:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CompileError(f"argnums: expected an argument from 0 to {count - 1}, found {n!r}", user_location())
    return n % count


def grad(fn: Fn, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Fn:
    """A function that gives the gradient of the scalar function `fn`; with `has_aux`, `(gradient, aux)`."""
    both = value_and_grad(fn, argnums, has_aux)

    @wraps(fn)
    def run(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return staged(run)


def vmap(fn: Fn, in_axes: Any = 0, out_axes: Any = 0) -> Fn:
    """`fn` over one more axis of its arguments.

    `in_axes`: the axis of each argument (an int, None for none), one for all or a tuple with a prefix of each
    argument's tree; `out_axes`: where the axis goes in the results.
    """

    @wraps(fn)
    def run(*args: Any) -> Any:
        axes = in_axes if isinstance(in_axes, tuple | list) else (in_axes,) * len(args)  # pyright: ignore
        if len(axes) != len(args):  # pyright: ignore[reportUnknownArgumentType]
            raise CompileError(f"vmap: expected in_axes for {len(args)} arguments, found {len(axes)}", user_location())  # pyright: ignore
        flat_axes: list[Any] = broadcast_prefix(tuple(axes), args, "vmap: in_axes")  # pyright: ignore
        leaves, structure = flatten(args)
        arrays = [lift(x) for x in leaves]
        moved = [_to_front(a, axis) for a, axis in zip(arrays, flat_axes, strict=True)]
        flags = [axis is not None for axis in flat_axes]
        size = _batch_size(moved, flags)
        rows = [tensor(a.shape[1:], a.dtype) if f else a.type for a, f in zip(moved, flags, strict=True)]
        block, out = trace_flat(fn, structure, rows)
        ys, got = _vmap.vmap(block, moved, flags, size)
        targets = broadcast_prefix(out_axes, unflatten(out, ys), "vmap: out_axes")
        return unflatten(out, [_placed(y, axis, g, size) for y, axis, g in zip(ys, targets, got, strict=True)])

    return staged(run)


def _to_front(a: Array, axis: int | None) -> Array:
    if axis is None:
        return a
    if not isinstance(axis, int | np.integer) or not -a.ndim <= axis < a.ndim:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise CompileError(f"vmap: expected an axis of {a.type}, found {axis!r}", user_location())
    return a if axis % a.ndim == 0 else moveaxis(a, axis, 0)


def _placed(y: Array, axis: int | None, batched: bool, size: Dim) -> Array:
    """A result with its mapped axis, which stands in front if it has one, where `out_axes` wants it."""
    if axis is None:
        if batched:
            raise CompileError(
                "vmap: expected an axis in out_axes for a result that varies, found None", user_location()
            )
        return y
    full_y = y if batched else expand(y, size)
    return full_y if axis == 0 else moveaxis(full_y, 0, axis)


def _batch_size(arrays: Sequence[Array], flags: Sequence[bool]) -> Dim:
    sizes = [shape_of(a.type)[0] for a, f in zip(arrays, flags, strict=True) if f]
    if not sizes:
        raise CompileError("vmap: expected an argument with an axis in in_axes, found none", user_location())
    for s in sizes:
        if s != sizes[0]:
            raise CompileError(f"vmap: expected one size of the mapped axes, found {sizes[0]} and {s}", user_location())
    return sizes[0]


def stop_gradient(tree: Any) -> Any:
    """The tree, as a constant for derivatives."""
    if not tracing():
        return tree
    leaves, structure = flatten(tree)
    return unflatten(structure, [_stop_gradient(lift(x)) for x in leaves])
