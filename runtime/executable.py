"""A compiled program as a Python function of NumPy arrays.

    exe = Executable(program, objects)
    y = exe(x, w)                 exe(x, w, out=y)

Arguments that lie in memory as the program expects are used in place; others are copied first (`copies` counts them).
Wrong count, dtype, rank or sizes raise CompileError and name the argument. A donated argument's buffer becomes a
result's; it is returned as that. Results own their memory or are read-only views of arguments. Calls from several
threads may overlap: each has its own arena and runs without the interpreter's lock.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .abi import DTYPES, ENTRY, Argument, Program, Result, Size, count, evaluate, row_major, text
from .arena import ARENAS, allocate

if TYPE_CHECKING:
    from .jit import Linked

Array = np.ndarray[Any, Any]
PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
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

    __slots__ = ("argument", "dtype", "shape", "strides")

    def __init__(self, argument: Argument) -> None:
        self.argument = argument
        self.dtype = np.dtype(DTYPES[argument.dtype])
        static = all(isinstance(s, int) for s in argument.shape)
        self.shape: tuple[int, ...] | None = (
            tuple(int(s) for s in argument.shape if isinstance(s, int)) if static else None
        )
        self.strides: tuple[int, ...] | None = None
        if argument.strides is None:
            if self.shape is not None:
                self.strides = tuple(s * self.dtype.itemsize for s in row_major(self.shape))
        elif None not in argument.strides:
            self.strides = tuple(s * self.dtype.itemsize for s in argument.strides if s is not None)


class Executable:
    """A program with its native code. `llvm_ir` and the like are attached by whoever compiled it."""

    def __init__(self, program: Program, objects: Sequence[bytes], linked: Linked | None = None) -> None:
        from .jit import Linked

        self.program = program
        self.objects = list(objects)
        self.linked = linked if linked is not None else Linked(objects)
        self.native = PROTOTYPE(self.linked.address(ENTRY))
        self.copies = 0
        self._expected = [Expected(a) for a in program.arguments]
        self._buffers = ctypes.c_void_p * (len(program.arguments) + len(program.slots))
        runtime = [a for a in program.arguments if a.strides is not None and None in a.strides]
        self._sizes = ctypes.c_int64 * (len(program.symbols) + sum((a.strides or []).count(None) for a in runtime))
        self._static = not program.symbols and not runtime
        self._plain = self._static and all(
            s.donor is None
            and r.source == "slot"
            and r.index == i
            and r.strides is None
            and isinstance(s.elements, int)
            for i, (s, r) in enumerate(zip(program.slots, program.results, strict=False))
        )
        self._plain = self._plain and len(program.slots) == len(program.results)
        self._fresh = (
            [(tuple(r.shape), np.dtype(DTYPES[r.dtype]), program.slots[r.index].aligned) for r in program.results]
            if self._plain
            else []
        )
        self._arena = program.arena if isinstance(program.arena, int) else None

    # ---- calling
    def __call__(self, *arrays: Any, out: Any = None) -> Any:
        """One result as an array, several as a tuple."""
        expected = self._expected
        if len(arrays) != len(expected):
            self._wrong_count(len(arrays))
        if out is not None or not self._plain:
            return self._general(arrays, out)
        pointers: list[int] = []
        keep: list[Array] = []
        for i, (array, e) in enumerate(zip(arrays, expected)):
            if (
                type(array) is not np.ndarray
                or array.dtype is not e.dtype
                or array.shape != e.shape
                or array.strides != e.strides
            ):
                array = self._accept(i, array, {})
                keep.append(array)
            pointer = address_of(array)
            if pointer % e.dtype.itemsize:
                array = self._copied(i, array)
                keep.append(array)
                pointer = address_of(array)
            pointers.append(pointer)
        results = [allocate(*fresh) for fresh in self._fresh]
        pointers += [address_of(r) for r in results]
        self._run(pointers, None, self._arena or 0)
        return results[0] if len(results) == 1 else tuple(results)

    def _run(self, pointers: list[int], sizes: Any, arena: int) -> None:
        buffers = self._buffers(*pointers)
        if arena:
            block = ARENAS.take(arena)
            status = self.native(ctypes.addressof(buffers), sizes, block.address, None)
            ARENAS.give(block)
        else:
            status = self.native(ctypes.addressof(buffers), sizes, None, None)
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
        pointers = [address_of(a) for a in (*accepted, *slots)]
        self._run(pointers, self._sizes(*sizes) if sizes else None, evaluate(program.arena, symbols))
        results = [self._result(r, accepted, slots, symbols) for r in program.results]
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
            if type(given) is not np.ndarray and array.ndim == 0:
                array = array.astype(e.dtype)  # a Python number
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
        aligned = any(s.donor == i and s.aligned for s in self.program.slots)
        if shared or not array.flags.writeable or (aligned and address_of(array) % 64):
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
        """The memory of a slot: a donated argument's, the caller's `out` if that can be written directly, or new."""
        slot = self.program.slots[k]
        if slot.donor is not None:
            return arguments[slot.donor]
        dtype, elements = np.dtype(DTYPES[slot.dtype]), evaluate(slot.elements, symbols)
        for result, target in zip(self.program.results, wanted):
            if (
                target is not None
                and (result.source, result.index, result.strides) == ("slot", k, None)
                and target.flags.c_contiguous
                and target.flags.aligned
                and not (slot.aligned and address_of(target) % 64)
                and not any(np.may_share_memory(target, a) for a in arguments)
            ):
                return target
        return allocate((elements,), dtype, slot.aligned)

    def _result(
        self, result: Result, arguments: Sequence[Array], slots: Sequence[Array], symbols: dict[str, int]
    ) -> Array:
        shape = tuple(evaluate(s, symbols) for s in result.shape)
        if result.source == "slot":
            base, slot = slots[result.index], self.program.slots[result.index]
            if result.strides is None and evaluate(result.offset, symbols) == 0:
                if slot.donor is not None and base.shape == shape:
                    return base
                return base if base.shape == shape else base.reshape(shape)
            writeable = True
        else:
            base, writeable = arguments[result.index], False
        steps: Sequence[Size] = result.strides if result.strides is not None else list(row_major(shape))
        strides = tuple(evaluate(s, symbols) * base.itemsize for s in steps)
        if any(s == 0 and n > 1 for s, n in zip(strides, shape)):
            writeable = False
        return view_of(base, evaluate(result.offset, symbols), shape, strides, writeable)

    # ---- storing
    def to_bytes(self, extra: dict[str, Any] | None = None) -> bytes:
        """Everything that a later process needs; `extra` is any JSON that goes along."""
        header = {"program": self.program.to_json(), "objects": [len(o) for o in self.objects], "extra": extra or {}}
        head = json.dumps(header, sort_keys=True).encode()
        return struct.pack("<Q", len(head)) + head + b"".join(self.objects)

    @staticmethod
    def from_bytes(data: bytes) -> tuple[Executable, dict[str, Any]]:
        """The executable and the extra JSON."""
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        objects: list[bytes] = []
        at = 8 + length
        for size in header["objects"]:
            objects.append(data[at : at + size])
            at += size
        return Executable(Program.from_json(header["program"]), objects), header["extra"]


class _Window:
    """Memory of an array, seen with other strides."""

    def __init__(self, base: Array, interface: dict[str, Any]) -> None:
        self.base = base
        self.__array_interface__ = interface


def view_of(base: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], writeable: bool) -> Array:
    """`offset` in elements from the base's element 0, strides in bytes."""
    if not count(shape):
        return np.empty(shape, base.dtype)
    interface = {
        "data": (address_of(base) + offset * base.itemsize, not (writeable and base.flags.writeable)),
        "shape": shape,
        "strides": strides,
        "typestr": base.dtype.str,
        "version": 3,
    }
    return np.asarray(_Window(base, interface))


def _same_memory(a: Array, b: Array) -> bool:
    return address_of(a) == address_of(b) and a.strides == b.strides


def _solve(size: Size, found: int, symbols: dict[str, int]) -> tuple[str, int] | None:
    """The value of the one unknown symbol of a polynomial that is linear in it."""
    if isinstance(size, int):
        return None
    unknown = {s for _, powers in size for s, _ in powers if s not in symbols}
    if len(unknown) != 1:
        return None
    (name,) = unknown
    rest, factor = 0, 0
    for coefficient, powers in size:
        others = [(s, p) for s, p in powers if s != name]
        value = evaluate([[coefficient, others]], symbols)
        power = next((p for s, p in powers if s == name), 0)
        if power > 1:
            return None
        rest, factor = (rest + value, factor) if power == 0 else (rest, factor + value)
    if factor == 0 or (found - rest) % factor or (found - rest) // factor < 0:
        return None
    return name, (found - rest) // factor
