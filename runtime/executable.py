"""A compiled program as a Python function of NumPy arrays.

    exe = Executable(program, objects)
    y = exe(x, w)                 exe(x, w, out=y)

Arguments that lie in memory as the program expects are used in place; others are copied first (`copies` counts them).
Wrong count, dtype, rank or sizes raise CompileError and name the argument. A donated argument's buffer becomes a
result's; it is returned as that. Results own their memory or are read-only views of
arguments or constants. Calls from several
threads may overlap: each has its own arena and runs without the interpreter's lock.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from .abi import (
    ALIGNMENT,
    CALL,
    DTYPES,
    ENTRY,
    Argument,
    Program,
    Result,
    Size,
    count,
    evaluate,
    names,
    row_major,
    text,
)
from .arena import ARENAS, Block, allocate
from .fast_call import FastCall, possible, signature

if TYPE_CHECKING:
    from .jit import Linked

Array = np.ndarray[Any, Any]
PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
MOST_SHAPES = 256
"""Of the symbols' values for which the short way is kept."""

DATA_FIELD = 16
"""Offset of the data pointer in NumPy's array object, part of its C ABI."""


def _slow_address(array: Array) -> int:
    return array.ctypes.data


def _fast_address(array: Array, pointer: Any = ctypes.c_void_p.from_address) -> int:
    return pointer(id(array) + DATA_FIELD).value or 0


_probe = np.empty(3)
address_of = _fast_address if _fast_address(_probe) == _slow_address(_probe) else _slow_address


def fail(message: str, notes: Sequence[str] = ()) -> NoReturn:
    from ..dialects.errors import CompileError

    raise CompileError(message, None, notes)


class Expected:
    """What is checked of one argument, computed once."""

    __slots__ = ("dtype",)

    def __init__(self, argument: Argument) -> None:
        self.dtype = np.dtype(DTYPES[argument.dtype])


class Executable:
    """A program with its native code; `constants`: the bytes of each of its constants, or the array of a resource."""

    def __init__(
        self,
        program: Program,
        objects: Sequence[bytes],
        constants: Sequence[bytes | Array] = (),
        linked: Linked | None = None,
    ) -> None:
        from .jit import Linked

        self.program = program
        self.objects = list(objects)
        self.constants = [_constant(c.dtype, data) for c, data in zip(program.constants, constants, strict=True)]
        self.linked = linked if linked is not None else Linked(objects)
        self.native = PROTOTYPE(self.linked.address(ENTRY))
        self.copies = 0
        self._expected = [Expected(a) for a in program.arguments]
        n = len(program.arguments) + len(program.constants) + len(program.slots)
        self._buffers = ctypes.c_void_p * n
        runtime = sum((a.strides or []).count(None) for a in program.arguments)
        self._sizes = ctypes.c_int64 * (len(program.symbols) + runtime)
        self._static = not program.symbols
        self._fast: dict[Any, FastCall] = {}
        self._call: Any = None
        if self.linked.has(CALL) and possible(program):
            self._call = signature(program)(self.linked.address(CALL))
            self._constants = (ctypes.c_void_p * len(self.constants))(*map(address_of, self.constants))

    # ---- calling
    def __call__(self, *arrays: Any, out: Any = None) -> Any:
        """One result as an array, several as a tuple."""
        if len(arrays) != len(self._expected):
            self._wrong_count(len(arrays))
        if out is None and self._call is not None:
            shapes = None if self._static else tuple([getattr(a, "shape", None) for a in arrays])
            fast = self._fast.get(shapes)
            if fast is None:
                fast = self._add_fast(shapes, arrays)
            result = fast.run(arrays)
            if result is not None:
                return result
        return self._general(arrays, out)

    def _add_fast(self, shapes: Any, arrays: Sequence[Any]) -> FastCall:
        fast = FastCall(self.program, self._bind(arrays), self._call, self._constants)
        if len(self._fast) >= MOST_SHAPES:
            self._fast.clear()
        self._fast[shapes] = fast
        return fast

    def _native(self, pointers: list[int], sizes: Any, arena: int | None) -> None:
        status = self.native(self._buffers(*pointers), sizes, arena, None)
        if status:
            fail(f"{self.program.name}: the program stopped with status {status}")

    def _general(self, arrays: Sequence[Any], out: Any) -> Any:
        program = self.program
        symbols = self._bind(arrays)
        accepted = [self._accept(i, a, symbols) for i, a in enumerate(arrays)]
        accepted = [a if address_of(a) % a.dtype.itemsize == 0 else self._copied(i, a) for i, a in enumerate(accepted)]
        wanted = self._outputs(out, symbols)
        for i, argument in enumerate(program.arguments):
            if argument.donated:
                accepted[i] = self._donated(i, accepted)
        slots = [self._slot(k, accepted, wanted, symbols) for k in range(len(program.slots))]
        sizes = [symbols[s] for s in program.symbols]
        for array, argument in zip(accepted, program.arguments):
            for step, given in zip(array.strides, argument.strides or ()):
                if given is None:
                    sizes.append(step // array.itemsize)
        pointers = [address_of(a) for a in (*accepted, *self.constants, *slots)]
        arena = ARENAS.take(evaluate(program.arena, symbols))
        self._native(pointers, self._sizes(*sizes) if sizes else None, arena.address)
        bases = {"argument": accepted, "constant": self.constants, "slot": slots, "arena": [arena.storage]}
        results = [self._result(r, bases[r.source][r.index], arena, symbols) for r in program.results]
        ARENAS.give(arena)
        for i, (result, target) in enumerate(zip(results, wanted)):
            if target is not None:
                if result is not target and not _same_memory(result, target):
                    np.copyto(target, result)
                results[i] = target
        return results[0] if len(results) == 1 else tuple(results)

    # ---- arguments
    def _name(self, i: int) -> str:
        name = self.program.arguments[i].name
        return f"argument {i} (%{name})" if name else f"argument {i}"

    def _wrong_count(self, found: int) -> NoReturn:
        expected = self.program.arguments
        names = ", ".join(f"%{a.name}: {a.dtype}[{', '.join(text(s) for s in a.shape)}]" for a in expected)
        fail(f"{self.program.name}: expected {len(expected)} arguments ({names}), found {found}")

    def _bind(self, arrays: Sequence[Any]) -> dict[str, int]:
        """The symbols' values: from the first dimension that gives each."""
        symbols: dict[str, int] = {}
        origin: dict[str, str] = {}
        for i, (array, argument) in enumerate(zip(arrays, self.program.arguments)):
            shape = np.shape(array)
            if len(shape) != len(argument.shape):
                self._wrong_shape(i, shape, symbols)
            for d, (found, size) in enumerate(zip(shape, argument.shape)):
                solved = _solve(size, found, symbols)
                if solved is not None:
                    symbols[solved[0]] = solved[1]
                    origin[solved[0]] = f"dimension {d} of {self._name(i)}"
        missing = [s for s in self.program.symbols if s not in symbols]
        if missing:
            fail(f"{self.program.name}: no argument gives the size {missing[0]}")
        for i, (array, argument) in enumerate(zip(arrays, self.program.arguments)):
            if tuple(evaluate(s, symbols) for s in argument.shape) != np.shape(array):
                self._wrong_shape(i, np.shape(array), symbols, origin)
        return symbols

    def _wrong_shape(
        self, i: int, found: Sequence[int], symbols: dict[str, int], origin: dict[str, str] | None = None
    ) -> NoReturn:
        argument = self.program.arguments[i]
        wanted = ", ".join(text(s) for s in argument.shape)
        notes = [f"{s} = {symbols[s]}, from {where}" for s, where in (origin or {}).items() if s in wanted]
        shown = ", ".join(str(s) for s in found)
        fail(f"{self.program.name}: {self._name(i)}: expected shape [{wanted}], found [{shown}]", notes)

    def _accept(self, i: int, given: Any, symbols: dict[str, int]) -> Array:
        """The argument as an array of the right dtype, shape and strides; a copy where needed."""
        argument, e = self.program.arguments[i], self._expected[i]
        array: Array = given if type(given) is np.ndarray else np.asarray(given)
        if array.dtype != e.dtype:
            if _fits(given, e.dtype):
                array = np.array(given, e.dtype)
            elif array.dtype.newbyteorder("=") != e.dtype:
                fail(
                    f"{self.program.name}: {self._name(i)}: expected {e.dtype.name}, found {array.dtype.name}; "
                    f"convert it with .astype({e.dtype.name!r})"
                )
            else:
                array = self._copied(i, array)
        shape = tuple(evaluate(s, symbols) for s in argument.shape)
        if array.shape != shape:
            self._wrong_shape(i, array.shape, symbols)
        wanted = argument.strides if argument.strides is not None else row_major(shape)
        size = array.itemsize
        for extent, step, element in zip(shape, array.strides, wanted):
            if extent > 1 and (step % size if element is None else step != element * size) and count(shape):
                return self._copied(i, array)
        return array

    def _copied(self, i: int, array: Array) -> Array:
        """A copy of native byte order with the strides that the program expects."""
        self.copies += 1
        e, argument = self._expected[i], self.program.arguments[i]
        strides = argument.strides
        if strides is None or None in strides:
            return np.array(array, dtype=e.dtype, order="C", copy=True)
        steps = [s or 0 for s in strides]
        spans = [(n - 1) * s for n, s in zip(array.shape, steps)] if array.size else [0]
        low, high = sum(min(s, 0) for s in spans), sum(max(s, 0) for s in spans)
        memory = np.empty(high - low + 1, e.dtype)
        view = np.ndarray(array.shape, e.dtype, memory, -low * e.dtype.itemsize, [s * e.dtype.itemsize for s in steps])
        np.copyto(view, array)
        return view

    def _donated(self, i: int, arrays: Sequence[Array]) -> Array:
        """A buffer that the program may overwrite: the argument's own, unless something else could notice."""
        array = arrays[i]
        shared = any(np.may_share_memory(array, other) for k, other in enumerate(arrays) if k != i)
        aligned = self.program.arguments[i].aligned
        if shared or not array.flags.writeable or (aligned and address_of(array) % ALIGNMENT):
            self.copies += 1
            fresh = allocate(array.shape, array.dtype, aligned)
            np.copyto(fresh, array)
            return fresh
        return array

    # ---- results
    def _outputs(self, out: Any, symbols: dict[str, int]) -> list[Array | None]:
        results = self.program.results
        if out is None:
            return [None] * len(results)
        given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
        if len(given) != len(results):
            fail(f"{self.program.name}: out: expected {len(results)} arrays, found {len(given)}")
        for i, (array, result) in enumerate(zip(given, results)):
            if array is None:
                continue
            shape, dtype = tuple(evaluate(s, symbols) for s in result.shape), np.dtype(DTYPES[result.dtype])
            if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
                found = (
                    f"{array.dtype.name}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
                )
                fail(f"{self.program.name}: out[{i}]: expected {dtype.name}{list(shape)}, found {found}")
            if not array.flags.writeable:
                fail(f"{self.program.name}: out[{i}]: expected a writable array, found a read-only one")
            if any(o is not None and np.may_share_memory(array, o) for o in given[:i]):
                fail(f"{self.program.name}: out[{i}]: expected arrays apart from each other, found one memory for two")
        return given

    def _slot(
        self, k: int, arguments: Sequence[Array], wanted: Sequence[Array | None], symbols: dict[str, int]
    ) -> Array:
        """The memory of a slot: the caller's `out` if that can be written directly, or new."""
        slot = self.program.slots[k]
        size = evaluate(slot.bytes, symbols)
        for result, target in zip(self.program.results, wanted):
            if result.source != "slot" or result.index != k or result.strides is not None:
                continue
            dtype, shape = np.dtype(DTYPES[result.dtype]), tuple(evaluate(s, symbols) for s in result.shape)
            if count(shape) * dtype.itemsize != size:
                continue
            if target is None:
                return allocate(shape, dtype, slot.aligned)
            apart = not any(np.may_share_memory(target, a) for a in arguments)
            aligned = target.flags.aligned and not (slot.aligned and address_of(target) % ALIGNMENT)
            if target.flags.c_contiguous and aligned and apart:
                return target
        return allocate((size,), np.dtype(np.uint8), slot.aligned)

    def _result(self, result: Result, base: Array, arena: Block, symbols: dict[str, int]) -> Array:
        shape, dtype = tuple(evaluate(s, symbols) for s in result.shape), np.dtype(DTYPES[result.dtype])
        steps: Sequence[Size] = result.strides if result.strides is not None else list(row_major(shape))
        offset, strides = evaluate(result.offset, symbols), tuple(evaluate(s, symbols) * dtype.itemsize for s in steps)
        own = result.source == "slot" or (result.source == "argument" and self.program.arguments[result.index].donated)
        if own and base.dtype == dtype and base.shape == shape and base.strides == strides and not offset:
            return base
        if result.source == "arena":
            return view_of(base, arena.address, dtype, offset, shape, strides, False).copy()
        repeated = any(s == 0 and n > 1 for s, n in zip(strides, shape))
        return view_of(base, address_of(base), dtype, offset, shape, strides, own and not repeated)

    # ---- storing
    def to_bytes(self, extra: dict[str, Any] | None = None) -> bytes:
        """All that a later process needs, resources aside; `extra` is any JSON that goes along."""
        held = zip(self.program.constants, self.constants)
        parts = [*self.objects, *(b"" if c.hash else array.tobytes() for c, array in held)]
        header = {"program": self.program.to_json(), "parts": [len(p) for p in parts], "extra": extra or {}}
        head = json.dumps(header, sort_keys=True).encode()
        return struct.pack("<Q", len(head)) + head + b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes, resources: Mapping[str, Array] | None = None) -> tuple[Self, dict[str, Any]]:
        """The executable and the extra JSON; `resources`: its resources' arrays by hash."""
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        parts: list[bytes] = []
        at = 8 + length
        for size in header["parts"]:
            parts.append(data[at : at + size])
            at += size
        program = Program.from_json(header["program"])
        objects = len(parts) - len(program.constants)
        found = resources or {}
        held = zip(program.constants, parts[objects:], strict=True)
        constants = [found[c.hash] if c.hash else part for c, part in held]
        return cls(program, parts[:objects], constants), header["extra"]


def _constant(dtype: str, data: bytes | Array) -> Array:
    """A resource's array as it is, bytes at an address aligned to 64."""
    if isinstance(data, np.ndarray):
        return data
    kind = np.dtype(DTYPES[dtype])
    array = allocate((len(data) // kind.itemsize,), kind, True)
    array[...] = np.frombuffer(data, kind)
    array.flags.writeable = False
    return array


class _Window:
    """Memory of an array, seen with other strides."""

    def __init__(self, base: Array, interface: dict[str, Any]) -> None:
        self.base = base
        self.__array_interface__ = interface


def view_of(
    owner: Array,
    address: int,
    dtype: np.dtype[Any],
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    writeable: bool,
) -> Array:
    """Elements of an owner's memory: `offset` in elements from `address`, strides in bytes."""
    if not count(shape):
        return np.empty(shape, dtype)
    interface = {
        "data": (address + offset * dtype.itemsize, not (writeable and owner.flags.writeable)),
        "shape": shape,
        "strides": strides,
        "typestr": dtype.str,
        "version": 3,
    }
    return np.asarray(_Window(owner, interface))


def _fits(given: Any, dtype: np.dtype[Any]) -> bool:
    """Is it a Python number that the dtype holds?"""
    kinds = {bool: "bif", int: "if", float: "f"}.get(type(given), "")
    if dtype.kind not in kinds:
        return False
    return dtype.kind != "i" or np.iinfo(dtype).min <= given <= np.iinfo(dtype).max


def _same_memory(a: Array, b: Array) -> bool:
    return address_of(a) == address_of(b) and a.strides == b.strides


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
