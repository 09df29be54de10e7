"""Tracing: a Python function over trees of arrays becomes a `func.func` of `nd` ops.

    def f(p, x): return tanh(x @ p["w"])      ->   func.func @f(%p_w: tensor<..>, %x: tensor<..>) -> tensor<..>

While the function runs, its arguments are `Array`s of the block being built. A value that outlives its trace, or
belongs to another one, is refused where it is used.
"""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Region, SSAValue

from ...dialects.errors import CompileError
from ...dialects.nd.dims import Dim, Sym, symbol
from ...dialects.nd.op import Array, building
from ...dialects.nd.promotion import as_dtype, asarray
from ...dialects.nd.types import Type, dtype_of, tensor
from ..blocks import return_, terminator
from .leaves import is_array
from .locations import user_location
from .pytree import Structure, flatten, unflatten


@dataclass(frozen=True)
class Traced:
    """A traced function: its module, the name of its function, the structures of arguments and results."""

    module: ModuleOp
    name: str
    arguments: Structure
    results: Structure

    @property
    def func(self) -> FuncOp:
        f = self.module.body.block.first_op
        assert isinstance(f, FuncOp)
        return f


@dataclass(frozen=True)
class Spec:
    """Shape and element type of an argument; a size that is a text is a symbol."""

    type: Type
    __mlc_leaf__ = True


def spec(shape: Sequence[int | str | Dim] | int, dtype: Any = "float32") -> Spec:
    """Describe an argument: `mlc.spec(("b", 784), "float32")` has a symbolic first size.

    Raises CompileError for a size that is negative or no number, and for a symbol that is no name.
    """
    sizes = (shape,) if isinstance(shape, int | str) else tuple(shape)
    return Spec(tensor(tuple(_size(d) for d in sizes), as_dtype(dtype)))


def _size(d: Any) -> Dim:
    if isinstance(d, str):
        if re.fullmatch(r"[A-Za-z_]\w*", d, re.ASCII) is None:
            raise CompileError(f"spec: expected a symbol of letters, digits and _, found {d!r}", user_location())
        return symbol(d)
    if isinstance(d, Sym):
        return d
    try:
        number = operator.index(d)
    except TypeError:
        number = -1
    if number < 0 or isinstance(d, bool):
        raise CompileError(f"spec: expected sizes of 0 or more, or symbols, found {d!r}", user_location())
    return number


def type_of(x: Any) -> Type:
    """The tensor type of a leaf: an array, a number, a spec."""
    if isinstance(x, Spec):
        return x.type
    if isinstance(x, Array):
        return x.type
    if isinstance(x, TensorType):
        return x  # pyright: ignore[reportUnknownVariableType]
    if isinstance(x, bool | int | float):
        return tensor((), as_dtype(type(x)))
    try:
        value = x if is_array(x) else np.asarray(x)
        return tensor(value.shape, dtype_of(value))
    except (ValueError, TypeError) as error:
        raise CompileError(f"expected an array, a number or a spec as argument, found {x!r}: {error}") from None


def lift(x: Any) -> Array:
    """A leaf of a result as an `Array`: numbers and NumPy arrays become constants."""
    if isinstance(x, Array):
        return x
    try:
        return asarray(x)
    except (ValueError, TypeError) as error:
        raise CompileError(f"expected arrays as results, found {type(x).__name__}: {error}", user_location()) from None


def function_name(fn: Callable[..., Any]) -> str:
    """A symbol name from a Python name: a lambda is `lambda`."""
    return re.sub(r"\W", "", getattr(fn, "__name__", type(fn).__name__)) or "main"


def trace_flat(fn: Callable[..., Any], structure: Structure, types: Sequence[Type]) -> tuple[Block, Structure]:
    """Run `fn` on a tree of block arguments; the block, ended, and the structure of the result."""
    block = Block(arg_types=types)
    where = user_location()
    with building(block):
        try:
            leaves, out = flatten(fn(*unflatten(structure, [*map(Array, block.args)])))
        except RecursionError:
            message = f"{function_name(fn)}: expected calls that end while it is traced, found one of itself in itself"
            raise CompileError(f"{message}; use mlc.while_loop or mlc.scan to repeat", where) from None
        return_([lift(y) for y in leaves])
    for arg in block.args:
        arg.location = where
    refuse_leaks(block)
    return block, out


def trace(fn: Callable[..., Any], args: Sequence[Any], name: str | None = None) -> Traced:
    """Trace `fn` on trees of arrays or specs (only types matter) into a module with one function."""
    leaves, structure = flatten(tuple(args))
    block, out = trace_flat(fn, structure, [type_of(x) for x in leaves])
    for arg, hint in zip(block.args, argument_names(fn, structure), strict=True):
        arg.name_hint = hint
    name = name or function_name(fn)
    f = FuncOp(name, (list(block.arg_types), [v.type for v in terminator(block).operands]), Region(block))
    f.location = user_location()
    module = ModuleOp([f])
    module.location = f.location
    return Traced(module, name, structure, out)


def argument_names(fn: Callable[..., Any], structure: Structure) -> list[str]:
    """A readable SSA name for each leaf: parameter and path, `p_w1`, `xs0`."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names: list[str] = []
    for k, part in enumerate(structure.parts):
        last = parameters[min(k, len(parameters) - 1)] if parameters else None
        own = f"arg{k}" if last is None else last.name
        if (
            last is not None
            and last.kind is inspect.Parameter.VAR_POSITIONAL
            and len(structure.parts) >= len(parameters)
        ):
            own = f"{last.name}{k - len(parameters) + 1}"
        names += [ssa_name(path) or f"arg{k}" for path in part.paths(own)]
    return names


def ssa_name(path: str) -> str:
    """`p.w` as `p_w`, `xs.0` as `xs0`: the printer takes an underscore and digits at the end for its own.

    SSA names are of ASCII and start with no digit: of other letters nothing is left, and a caller has its own name.
    """
    name = re.sub(r"\W+", "_", re.sub(r"\.(\d)", r"\1", path), flags=re.ASCII).strip("_")
    return "" if name[:1].isdigit() else name


def refuse_leaks(block: Block) -> None:
    """Every value that the block's ops read was made in it, or in the block around it that is still open."""
    from ...dialects.nd import op as core

    open_blocks = {id(p.block) for p in core.open_places()}
    for op in block.ops:
        for value in op.operands:
            if owner_block(value) is not block and id(owner_block(value)) not in open_blocks:
                raise CompileError(
                    f"a traced value of type {value.type} is used outside of the trace that made it; "
                    "return it from the traced function, or pass it as an argument",
                    op.location,
                )


def owner_block(value: SSAValue) -> Block | None:
    owner = value.owner
    return owner if isinstance(owner, Block) else owner.parent
