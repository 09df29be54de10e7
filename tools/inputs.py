"""The arguments of an entry function: literal, from `.npy` files, or random with a seed.

Random elements, by element type: floats are standard normal, integers uniform from 0 to 9 (of four bits to 7), i1 fair
coin flips. `.npy` files hold types of `ml_dtypes` as raw bytes of the element's size.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument

from ..compiler.registry import nearest
from ..dialects.errors import CompileError
from ..dialects.nd.dims import Dim, Sym, evaluate, show
from ..dialects.nd.types import NUMPY, element, kind_of, shape_of

Array = np.ndarray[Any, Any]


def entry_function(module: ModuleOp, name: str) -> FuncOp:
    """The function to run; CompileError with the functions that exist."""
    functions = {op.sym_name.data: op for op in module.body.ops if isinstance(op, FuncOp)}
    if name not in functions:
        known = ", ".join("@" + n for n in functions) or "none"
        raise CompileError(f"no function @{name}{nearest(name, functions)}; the module has {known}", module.location)
    if functions[name].is_declaration:
        raise CompileError(f"@{name}: expected a function with a body, found a declaration", functions[name].location)
    return functions[name]


def parse_sizes(texts: Sequence[str]) -> dict[str, int]:
    """`b=7` or `b=7,s=3`, each repeatable."""
    out: dict[str, int] = {}
    for part in (p for text in texts for p in text.split(",")):
        name, _, value = part.partition("=")
        if not value.strip().isdecimal() or not name.strip():
            raise CompileError(f"--size: expected NAME=NUMBER such as b=7, found {part!r}")
        out[name.strip()] = int(value)
    return out


def arguments(func: FuncOp, given: Sequence[str], sizes: dict[str, int], seed: int) -> list[Array]:
    """One array per argument: the given ones first, the rest random. Sizes that inputs show are added to `sizes`."""
    args = func.body.block.args
    if len(given) > len(args):
        raise CompileError(
            f"@{func.sym_name.data}: expected at most {len(args)} --input, found {len(given)}", func.location
        )
    loaded = [load(text, arg) for text, arg in zip(given, args, strict=False)]
    for array, arg in zip(loaded, args, strict=False):
        bind(shape_of(arg.type), array.shape, arg, sizes)
    _check_names(func, sizes)
    rng = np.random.default_rng(seed)
    return [loaded[k] if k < len(loaded) else random(arg, sizes, rng) for k, arg in enumerate(args)]


def load(text: str, arg: BlockArgument) -> Array:
    """A literal, or `@file.npy`, as an array of the argument's element type."""
    dtype = _dtype(arg.type, arg)
    if text.startswith("@"):
        try:
            found: Array = np.load(Path(text[1:]), allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CompileError(f"--input {text}: cannot read it: {error}") from error
        if found.dtype.kind == "V" and found.dtype.itemsize == dtype.itemsize and dtype.isbuiltin != 1:
            found = found.view(dtype)
        if found.dtype != dtype:
            raise CompileError(
                f"{_label(arg)}: expected elements of {dtype}, found {found.dtype} in {text[1:]}", arg.location
            )
        return found
    try:
        given = _literal(text)
        found = np.array(given, dtype=dtype)
        if dtype.isbuiltin != 1 and kind_of(dtype) in "iu" and (found.astype(np.int64) != np.array(given)).any():
            raise OverflowError  # NumPy looks at its own types only
        return found
    except (ValueError, SyntaxError, OverflowError, TypeError) as error:
        raise CompileError(
            f"--input: expected a literal such as [[1, 2], [3, 4]] or @file.npy, found {text!r}"
        ) from error


def _literal(text: str) -> Any:
    """Python's literals with nan, inf, true and false."""
    tree = ast.parse(text.strip(), mode="eval").body

    def value(node: ast.AST) -> Any:
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [value(i) for i in items]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -value(inner)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return value(inner)
            case ast.Name(id="nan" | "inf" as name):
                return float(name)
            case ast.Name(id="true" | "false" as name):
                return name == "true"
            case ast.Constant(value=bool() | int() | float() as constant):
                return constant
            case _:
                raise ValueError(ast.dump(node))

    return value(tree)


def bind(shape: Sequence[Dim], found: Sequence[int], arg: BlockArgument, sizes: dict[str, int]) -> None:
    """Check an array's shape against an argument's, learning the sizes that are bare symbols."""
    if len(shape) != len(found):
        raise CompileError(
            f"{_label(arg)}: expected rank {len(shape)} {show(shape)}, found shape {list(found)}", arg.location
        )
    for d, n in zip(shape, found, strict=True):
        if isinstance(d, Sym) and d.is_symbol():
            sizes.setdefault(str(d), n)
    for axis, (d, n) in enumerate(zip(shape, found, strict=True)):
        if (want := _evaluate(d, sizes, arg)) != n:
            of = "" if isinstance(d, int) else f" ({d})"
            raise CompileError(f"{_label(arg)}: expected size {want}{of} of dimension {axis}, found {n}", arg.location)


def random(arg: BlockArgument, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """Random elements of the argument's type."""
    shape = [_evaluate(d, sizes, arg) for d in shape_of(arg.type)]
    dtype = _dtype(arg.type, arg)
    above = 2 if dtype.kind == "b" else 10 if dtype.itemsize > 1 or dtype.isbuiltin == 1 else 8
    try:
        made = rng.standard_normal(shape) if kind_of(dtype) == "f" else rng.integers(0, above, shape)
        return np.asarray(made).astype(dtype)
    except (MemoryError, ValueError) as error:  # NumPy has a ValueError for sizes beyond 63 bits
        wanted = prod(shape) * dtype.itemsize
        raise CompileError(f"{_label(arg)}: expected {wanted} bytes of memory, found less", arg.location) from error


def symbols(func: FuncOp) -> list[str]:
    """The symbols in the types of a function's arguments, in order of appearance."""
    dims = (d for t in func.function_type.inputs for d in shape_of(t) if isinstance(d, Sym))
    return list(dict.fromkeys(name for d in dims for name in d.names()))


def _check_names(func: FuncOp, sizes: Mapping[str, int]) -> None:
    known = symbols(func)
    for name in sizes:
        if name not in known:
            raise CompileError(
                f"--size: @{func.sym_name.data} has no size {name!r}; its sizes: {', '.join(known) or 'none'}"
            )


def _evaluate(d: Dim, sizes: Mapping[str, int], arg: BlockArgument) -> int:
    for name in d.names() if isinstance(d, Sym) else ():
        if name not in sizes:
            raise CompileError(f"{_label(arg)}: size {name!r} is not known; give it as --size {name}=N", arg.location)
    value = evaluate(d, sizes)
    if value < 0:
        raise CompileError(f"{_label(arg)}: expected a size of at least 0, found {d} = {value}", arg.location)
    return value


def _dtype(type_: Attribute, arg: BlockArgument) -> np.dtype[Any]:
    kind = element(type_) if hasattr(type_, "element_type") else type_
    if kind not in NUMPY:
        raise CompileError(f"{_label(arg)}: expected a tensor of floats, integers or i1, found {type_}", arg.location)
    return NUMPY[kind]


def _label(arg: BlockArgument) -> str:
    return f"argument {arg.index}" + (f" (%{arg.name_hint})" if arg.name_hint else "")


def show_results(results: Sequence[Array], types: Sequence[Attribute]) -> str:
    """`result 0: tensor<2x2xf32>` and the elements as NumPy prints them, at most some hundred."""
    lines: list[str] = []
    with np.printoptions(threshold=200, edgeitems=3, linewidth=120, precision=6, suppress=True):
        for k, (value, type_) in enumerate(zip(results, types, strict=True)):
            lines += [f"result {k}: {type_}", np.array2string(np.asarray(value), separator=", ")]
    return "\n".join(lines) + "\n"
