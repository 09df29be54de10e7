"""The memory of results: arrays that the caller gives (`out`), and views of what the program wrote.

A result is an array of its own: it can be written, and nothing else sees its memory, so that it never changes by
itself. The one exception is asked for: a donated argument is returned as it is.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from .abi import Program, Result, count, evaluate, numpy_type, row_major
from .arena import no_memory
from .arguments import fail

Array = np.ndarray[Any, Any]

DATA_FIELD = 16
"""Offset of the data pointer in NumPy's array object, part of its C ABI."""


def _slow_address(array: Array) -> int:
    return array.ctypes.data


def _fast_address(array: Array, pointer: Any = ctypes.c_void_p.from_address) -> int:
    return pointer(id(array) + DATA_FIELD).value or 0


_probe = np.empty(3)
address_of = _fast_address if _fast_address(_probe) == _slow_address(_probe) else _slow_address


def overlaps(array: Array, others: Sequence[Array]) -> bool:
    """Has the array a byte in common with one of the others? Also where that is too hard to find out."""
    return any(np.may_share_memory(array, other) and _shares(array, other) for other in others)


def _shares(a: Array, b: Array, exactly: Any = np.shares_memory) -> bool:
    try:
        return exactly(a, b, max_work=10_000)
    except np.exceptions.TooHardError:
        return True


def folds(array: Array) -> bool:
    """May two of the array's own elements lie in one place?"""
    reach = array.itemsize
    for step, extent in sorted((abs(s), n) for s, n in zip(array.strides, array.shape) if n > 1):
        if step < reach:
            return array.size > 0
        reach += step * (extent - 1)
    return False


def lent_memory(program: Program, out: Any) -> Any:
    """`out` with arrays in the memory of other libraries' tensors; None if there are none."""
    given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
    others = [i for i, a in enumerate(given) if hasattr(a, "__dlpack__") and not isinstance(a, np.ndarray)]
    if not others:
        return None
    from .dlpack import array_of

    for i in others:
        try:
            given[i] = array_of(given[i])
        except Exception as error:  # whatever the object's own methods raise
            found = f"{type(given[i]).__name__}: {type(error).__name__}: {error}"
            fail(f"{program.name}: out[{i}]: expected memory that can be written, found {found}")
    return given if isinstance(out, tuple | list) else given[0]


def handed_back(results: Any, out: Any) -> Any:
    """The results with what the caller gave for them."""
    given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
    if not isinstance(results, tuple):
        return given[0]
    return tuple([r if a is None else a for r, a in zip(results, given, strict=True)])


def check_outputs(program: Program, out: Any, symbols: dict[str, int], constants: Sequence[Array]) -> list[Any]:
    """The caller's arrays, one for each result or None; CompileError for one that cannot hold its result."""
    results = program.results
    if out is None:
        return [None] * len(results)
    given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
    if len(given) != len(results):
        fail(f"{program.name}: out: expected {len(results)} arrays, found {len(given)}")
    for i, (array, result) in enumerate(zip(given, results)):
        if array is None:
            continue
        where = f"{program.name}: out[{i}]"
        shape, dtype = tuple(evaluate(s, symbols) for s in result.shape), numpy_type(result.dtype)
        if not isinstance(array, np.ndarray):
            fail(f"{where}: expected {dtype.name}{list(shape)}, found {type(array).__name__}")
        if isinstance(array, np.ma.MaskedArray):
            fail(f"{where}: expected an array, found a masked one; pass its .data")
        if array.shape != shape or array.dtype.newbyteorder("=") != dtype:
            fail(f"{where}: expected {dtype.name}{list(shape)}, found {array.dtype.name}{list(array.shape)}")
        if not array.flags.writeable:
            fail(f"{where}: expected a writable array, found a read-only one")
        if folds(array):
            fail(f"{where}: expected elements apart from each other, found strides {list(array.strides)}")
        if overlaps(array, [o for o in given[:i] if o is not None]):
            fail(f"{where}: expected arrays apart from each other, found one memory for two")
        if overlaps(array, constants):
            fail(f"{where}: expected memory apart from the program's constants, found some of theirs")
    return given


class _Window:
    """Memory of an owner's as an array."""

    def __init__(self, owner: Any, interface: dict[str, Any]) -> None:
        self.owner = owner
        self.__array_interface__ = interface


def array_at(
    address: int, read_only: bool, dtype: np.dtype[Any], shape: tuple[int, ...], strides: tuple[int, ...], owner: Any
) -> Array:
    """Memory of an owner's as an array; strides in bytes."""
    if not count(shape):
        return np.empty(shape, dtype)
    interface = {
        "data": (address, read_only),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str if dtype.isbuiltin == 1 else f"|V{dtype.itemsize}",
        "version": 3,
    }
    found = np.asarray(_Window(owner, interface))
    return found if found.dtype == dtype else found.view(dtype)


def view_of(
    owner: Array, address: int, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> Array:
    """Elements of an owner's memory: `offset` in elements from `address`, strides in bytes."""
    return array_at(address + offset * dtype.itemsize, not owner.flags.writeable, dtype, shape, strides, owner)


def layout(result: Result, symbols: dict[str, int]) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Offset in elements, shape, strides in bytes."""
    shape = tuple(evaluate(s, symbols) for s in result.shape)
    size = numpy_type(result.dtype).itemsize
    steps = result.strides if result.strides is not None else row_major(shape)
    return evaluate(result.offset, symbols), shape, tuple(evaluate(s, symbols) * size for s in steps)


def result_of(result: Result, base: Array, start: int, owned: bool, symbols: dict[str, int]) -> Array:
    """A result in the memory of `base`, whose bytes begin at `start`: a view if it may have it for its own, a copy."""
    offset, shape, strides = layout(result, symbols)
    dtype = numpy_type(result.dtype)
    if owned and base.dtype == dtype and base.shape == shape and base.strides == strides and not offset:
        return base
    view = view_of(base, start, dtype, offset, shape, strides)
    if owned and view.nbytes == base.nbytes and not folds(view):
        return view
    try:
        return view.copy()
    except MemoryError:
        raise no_memory(view.nbytes) from None
