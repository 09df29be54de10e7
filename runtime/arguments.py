"""What a caller passes -> arrays that a program can read, and the values of its symbols.

Anything that NumPy or DLPack can read is an argument; what it must not be silently is a CompileError that names the
argument: another dtype or shape, a masked array, something that is no array.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from .abi import Program, Size, evaluate, names, numpy_type, text

Array = np.ndarray[Any, Any]

TABLE = "__dlpack_c_exchange_api__"
"""What a type has whose tensors native calls may read (`exchange`)."""


def fail(message: str, notes: Sequence[str] = ()) -> NoReturn:
    from ..dialects.errors import CompileError

    raise CompileError(message, None, notes)


def name_of(program: Program, i: int) -> str:
    name = program.arguments[i].name
    return f"{program.name}: argument {i} (%{name})" if name else f"{program.name}: argument {i}"


def wrong_count(program: Program, found: int) -> NoReturn:
    expected = program.arguments
    names = ", ".join(f"%{a.name}: {a.dtype}[{', '.join(text(s) for s in a.shape)}]" for a in expected)
    fail(f"{program.name}: expected {len(expected)} arguments ({names}), found {found}")


def array_of(given: Any) -> Array:
    """NumPy's own array of what NumPy or DLPack can read, without a copy where that is possible."""
    if type(given) is np.ndarray:
        return given
    array = _read(given)
    if hasattr(type(given), TABLE):
        _meet()(given, array)
    return array


@functools.cache
def _meet() -> Any:
    from .exchange import meet

    return meet


def _read(given: Any) -> Array:
    exported = hasattr(given, "__dlpack__")
    if type(given).__name__ == "PyCapsule" or (exported and not hasattr(given, "__array__")):
        from . import dlpack

        return dlpack.array_of(given)
    try:
        return np.asarray(given)
    except TypeError as error:  # of elements that NumPy has no name for
        if not exported:
            raise
        from . import dlpack

        try:
            return dlpack.array_of(given)
        except Exception:  # whatever the object's own methods raise
            raise error from None


def as_array(program: Program, i: int, given: Any) -> Array:
    """The argument as NumPy's own array."""
    if type(given) is np.ndarray:
        return given
    if isinstance(given, np.ma.MaskedArray):
        fail(f"{name_of(program, i)}: expected an array, found a masked one; fill it with .filled(value)")
    try:
        return array_of(given)
    except Exception as error:  # whatever the object's own methods raise
        found = type(given).__name__
        fail(f"{name_of(program, i)}: expected an array, found {found}: {type(error).__name__}: {error}")


def as_arrays(program: Program, arrays: Sequence[Any]) -> Sequence[Array]:
    """All arguments as NumPy's own arrays."""
    for given in arrays:
        if type(given) is not np.ndarray:
            return [as_array(program, i, a) for i, a in enumerate(arrays)]
    return arrays


def bind(program: Program, arrays: Sequence[Array]) -> dict[str, int]:
    """The symbols' values: from the first dimension that gives each; all shapes are compared with the program's."""
    symbols: dict[str, int] = {}
    origin: dict[str, str] = {}
    for i, (array, argument) in enumerate(zip(arrays, program.arguments)):
        shape = array.shape
        if len(shape) != len(argument.shape):
            wrong_shape(program, i, shape, symbols)
        for d, (found, size) in enumerate(zip(shape, argument.shape)):
            solved = _solve(size, found, symbols)
            if solved is not None:
                symbols[solved[0]] = solved[1]
                origin[solved[0]] = f"dimension {d} of argument {i}" + (f" (%{argument.name})" if argument.name else "")
    missing = [s for s in program.symbols if s not in symbols]
    if missing:
        fail(f"{program.name}: no argument gives the size {missing[0]}")
    for i, (array, argument) in enumerate(zip(arrays, program.arguments)):
        if tuple(evaluate(s, symbols) for s in argument.shape) != array.shape:
            wrong_shape(program, i, array.shape, symbols, origin)
    return symbols


def wrong_shape(
    program: Program, i: int, found: Sequence[int], symbols: dict[str, int], origin: dict[str, str] | None = None
) -> NoReturn:
    argument = program.arguments[i]
    wanted = ", ".join(text(s) for s in argument.shape)
    notes = [f"{s} = {symbols[s]}, from {where}" for s, where in (origin or {}).items() if s in wanted]
    shown = ", ".join(str(s) for s in found)
    fail(f"{name_of(program, i)}: expected shape [{wanted}], found [{shown}]", notes)


def converted(program: Program, i: int, given: Any, array: Array, dtype: np.dtype[Any]) -> Array:
    """The argument with the program's dtype, where that is a matter of byte order or of a Python number."""
    if _fits(given, dtype):
        return np.array(given, dtype)
    if type(given) is int and dtype.kind in "iu":
        fail(f"{name_of(program, i)}: expected a number that {dtype.name} holds, found {given}")
    if array.dtype.newbyteorder("=") == dtype:
        return array
    found = array.dtype.name if array.dtype.names is None else f"records of {', '.join(array.dtype.names)}"
    how = f".astype({dtype.name!r})" if isinstance(given, np.ndarray) else f"np.asarray(x, {dtype.name!r})"
    fail(f"{name_of(program, i)}: expected {dtype.name}, found {found}; convert it with {how}")


def reordered(array: Array, dtype: np.dtype[Any], strides: Sequence[int | None] | None) -> Array:
    """A copy in the host's byte order, with these strides in elements (None: rows)."""
    if strides is None or None in strides:
        return np.array(array, dtype=dtype, order="C", copy=True)
    steps = [s or 0 for s in strides]
    spans = [(n - 1) * s for n, s in zip(array.shape, steps)] if array.size else [0]
    low, high = sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)
    memory = np.empty(high - low + 1, dtype)
    view = np.ndarray(array.shape, dtype, memory, -low * dtype.itemsize, [s * dtype.itemsize for s in steps])
    np.copyto(view, array)
    return view


def dtype_of(program: Program, i: int) -> np.dtype[Any]:
    return numpy_type(program.arguments[i].dtype)


def _fits(given: Any, dtype: np.dtype[Any]) -> bool:
    """Is it a Python number that the dtype holds?"""
    kinds = {bool: "biuf", int: "iuf", float: "f"}.get(type(given), "")
    if ("f" if "float" in dtype.name else dtype.kind) not in kinds:
        return False
    return dtype.kind not in "iu" or np.iinfo(dtype).min <= given <= np.iinfo(dtype).max


def _solve(size: Size, found: int, symbols: dict[str, int]) -> tuple[str, int] | None:
    """The value of the one unknown symbol of a polynomial that is linear in it."""
    unknown = {n for n in names(size) if n not in symbols}
    if isinstance(size, int) or len(unknown) != 1:
        return None
    (name,) = unknown
    rest, factor = 0, 0
    for coefficient, atoms in size:
        others = [a for a in atoms if a != name]
        if any(name in names(a[0]) for a in others if not isinstance(a, str)) or len(atoms) - len(others) > 1:
            return None
        value = evaluate([[coefficient, others]], symbols)
        rest, factor = (rest + value, factor) if len(others) == len(atoms) else (rest, factor + value)
    if factor == 0 or (found - rest) % factor or (found - rest) // factor < 0:
        return None
    return name, (found - rest) // factor
