"""A compiled program as a Python function of NumPy arrays.

    exe = Executable(program, objects)
    y = exe(x, w)                 exe(x, w, out=y)

Arguments that lie in memory as the program expects are used in place; others are copied first (`copies` counts them).
Wrong count, dtype, rank or sizes raise CompileError and name the argument. Results belong to the caller: nothing else
sees their memory. A donated argument's buffer becomes a result's; it is returned as that.

Calls from several threads may overlap: each has its own arena and context. What takes longer than HOLD runs without the
interpreter's lock; what is longer than LONG looks for signals between its kernels.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from . import arena, poison
from .abi import ALIGNMENT, CALL, ENTRY, Program, count, evaluate, numpy_type, row_major
from .arguments import as_arrays, bind, converted, dtype_of, fail, reordered, wrong_count, wrong_shape
from .context import INTERRUPTED, Context, Contexts, raise_pending
from .effects import Effects
from .fast_call import FastCall, possible, signature
from .results import address_of, check_outputs, handed_back, lent_memory, overlaps, result_of

if TYPE_CHECKING:
    from .jit import Linked

Array = np.ndarray[Any, Any]
ENTRY_TYPES = (ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
HELD, RELEASED = ctypes.PYFUNCTYPE(*ENTRY_TYPES), ctypes.CFUNCTYPE(*ENTRY_TYPES)

HOLD = 10_000_000
"""Picoseconds of estimated work below which a call keeps the interpreter's lock: to give it up and get it back costs
about 1 us, and up to the 5 ms of a switch where another thread takes it."""

LONG = 1_000_000_000
"""Picoseconds of estimated work from which on a call looks for signals."""

MOST_SHAPES = 256
"""Of the symbols' values for which the short way is kept."""


class Executable:
    """A program with its native code; `constants`: the bytes of each of its constants, or an array that is used as it
    is; `preparations`: the stored executables that make those that are made (runtime/prepared.py), by hash."""

    __slots__ = ("__dict__", "__weakref__", "latest")  # the native way finds latest at a fixed place

    def __init__(
        self,
        program: Program,
        objects: Sequence[bytes],
        constants: Sequence[bytes | Array] = (),
        linked: Linked | None = None,
        preparations: Mapping[str, bytes] | None = None,
    ) -> None:
        self.program = program
        self.objects = list(objects)
        self.preparations = preparations or {}
        self.constants = [_constant(c.dtype, data) for c, data in zip(program.constants, constants, strict=True)]
        self.prepared: dict[int, str] = {}
        """Where constants that are made come from, by their numbers."""
        if self.IN_PLACE:
            self.link(linked)
        self.copies = 0
        self.effects = Effects(program, self.reader())
        self.contexts = Contexts(self.effects.printer, self.CONTEXT)
        if program.threads > 1:
            self.contexts.parallel(program.threads)
        self.memory = poison if poison.on() else arena
        self._dtypes = [dtype_of(program, i) for i in range(len(program.arguments))]
        self._donated = [a.donated for a in program.arguments]
        self.weights = [a for c, a in zip(program.constants, self.constants) if c.hash]
        n = len(program.arguments) + len(program.constants) + len(program.slots)
        self._buffers = ctypes.c_void_p * n
        runtime = sum((a.strides or []).count(None) for a in program.arguments)
        self._sizes = ctypes.c_int64 * (len(program.symbols) + runtime)
        self._static = not program.symbols
        self._fast: dict[Any, FastCall] = {}
        self.latest: tuple[FastCall, ...] = ()
        """What the native way looks through."""
        self._calls: Any = None
        if self.IN_PLACE and self.linked.has(CALL) and possible(program) and not (self.weights and any(self._donated)):
            self._calls = signature(program, self.linked.address(CALL))
            self._constants = (ctypes.c_void_p * len(self.constants))(*map(address_of, self.constants))

    # ---- what is otherwise where the program's memory is not the host's (runtime/cuda)
    CONTEXT = Context
    IN_PLACE = True
    """Is the program given NumPy's arrays as they are, and ready when it is made?"""

    def link(self, linked: Linked | None = None) -> None:
        """Load the native code."""
        from .jit import Linked

        self.linked = linked if linked is not None else Linked(self.native_objects(), self.symbols())
        entry = self.linked.address(ENTRY)
        self._entries = RELEASED(entry), HELD(entry)

    def native_objects(self) -> list[bytes]:
        """The objects that are the host's code."""
        return self.objects

    def symbols(self) -> dict[str, int]:
        """Addresses of functions that the objects call."""
        if self.program.threads == 1:
            return {}
        from . import parallel

        return {parallel.SYMBOL: parallel.address()}

    def reader(self) -> Callable[[int, int], bytes]:
        """What gives bytes of the program's memory, for prints."""
        return ctypes.string_at

    # ---- calling
    def __call__(self, *arrays: Any, out: Any = None) -> Any:
        """One result as an array, several as a tuple."""
        return self._call(*arrays, out=out)  # `native_call` puts a native method in place of this one

    def direct(self, *arrays: Any, out: Any = None) -> Any:
        """The call's result, or NotImplemented where the native way does not take these arrays."""
        return NotImplemented

    def _call(self, *arrays: Any, out: Any = None) -> Any:
        """A call on the ways that Python takes."""
        if len(arrays) != len(self._dtypes):
            wrong_count(self.program, len(arrays))
        if out is not None and (lent := lent_memory(self.program, out)) is not None:
            return handed_back(self._call(*arrays, out=lent), out)
        given = as_arrays(self.program, arrays)
        if self._calls is not None:
            shapes = None if self._static else tuple([a.shape for a in given])
            fast = self._fast.get(shapes)
            if fast is None:
                fast = self._add_fast(shapes, given)
            result = fast.run(given, out)
            if result is not None:
                return result
        return self._general(arrays, given, out)

    def _bind(self, arrays: Sequence[Any]) -> dict[str, int]:
        return bind(self.program, as_arrays(self.program, arrays))

    def _add_fast(self, shapes: Any, arrays: Sequence[Any]) -> FastCall:
        fast = FastCall(self, self._bind(arrays), self._calls, self._constants)
        if len(self._fast) >= MOST_SHAPES:
            self.latest = ()
            self._fast.clear()
        self._fast[shapes] = fast
        return fast

    def short(self, symbols: Mapping[str, int]) -> tuple[bool, bool]:
        """Does a call keep the interpreter's lock; is it so long that it looks for signals?"""
        work = evaluate(self.program.work, symbols)
        return 0 < work < HOLD, not 0 < work < LONG

    def stopped(self, status: int, context: Context | None) -> NoReturn:
        """Raise what a program's status says."""
        if status == INTERRUPTED and context is not None:
            raise_pending(context)
        self.effects.raise_status(status)
        fail(f"{self.program.name}: the program stopped with status {status}")

    def _stopped(self, status: int) -> NoReturn:
        self.stopped(status, None)

    def _native(self, pointers: list[int], sizes: Any, arena: int | None, symbols: Mapping[str, int]) -> None:
        hold, long = self.short(symbols)
        context = self.contexts.take(long)
        status = self._entries[hold](
            self._buffers(*pointers), sizes, arena, None if context is None else ctypes.byref(context)
        )
        if status:
            self.stopped(status, context)
        if context is not None:
            self.contexts.give(context)

    def _general(self, arrays: Sequence[Any], given: Sequence[Array], out: Any) -> Any:
        program, memory = self.program, self.memory
        symbols = bind(program, given)
        accepted = [self._accept(i, x, a, symbols) for i, (x, a) in enumerate(zip(arrays, given))]
        wanted = check_outputs(program, out, symbols, self.weights)
        for i, donated in enumerate(self._donated):
            if donated:
                accepted[i] = self._own(i, accepted, given)
        slots = [self._slot(k, accepted, wanted, symbols) for k in range(len(program.slots))]
        sizes = [symbols[s] for s in program.symbols]
        for array, argument in zip(accepted, program.arguments):
            for step, given_step in zip(array.strides, argument.strides or ()):
                if given_step is None:
                    sizes.append(step // array.itemsize)
        pointers = [address_of(a) for a in (*accepted, *self.constants, *slots)]
        block = memory.take(evaluate(program.arena, symbols))
        seals = poison.seal(accepted) if memory is poison else ()
        self._native(pointers, self._sizes(*sizes) if sizes else None, block.address, symbols)
        if memory is poison:
            poison.check(accepted, seals, self._donated, slots)
        results = self._results(accepted, slots, block, wanted, symbols)
        memory.give(block)
        return results[0] if len(results) == 1 else tuple(results)

    # ---- arguments
    def _accept(self, i: int, given: Any, array: Array, symbols: dict[str, int]) -> Array:
        """The argument with the right dtype, shape, strides and alignment; a copy where needed."""
        argument, dtype = self.program.arguments[i], self._dtypes[i]
        if array.dtype != dtype:
            array = converted(self.program, i, given, array, dtype)
        shape = tuple(evaluate(s, symbols) for s in argument.shape)
        if array.shape != shape:
            wrong_shape(self.program, i, array.shape, symbols)
        wanted = argument.strides if argument.strides is not None else row_major(shape)
        size = array.itemsize
        fits = array.dtype == dtype and (not array.size or address_of(array) % size == 0)
        for extent, step, element in zip(shape, array.strides, wanted):
            if extent > 1 and (step % size if element is None else step != element * size) and array.size:
                fits = False
        if fits:
            return array
        self.copies += 1
        return reordered(array, dtype, argument.strides)

    def _own(self, i: int, arrays: Sequence[Array], given: Sequence[Array]) -> Array:
        """A buffer that the program may overwrite: the donated argument's own, unless something else could notice."""
        array = arrays[i]
        others = [*arrays[:i], *arrays[i + 1 :], *given[:i], *given[i + 1 :], *self.weights]
        aligned = self.program.arguments[i].aligned
        if overlaps(array, others) or not array.flags.writeable or (aligned and address_of(array) % ALIGNMENT):
            self.copies += 1
            fresh = self.memory.allocate(array.shape, array.dtype, aligned)
            np.copyto(fresh, array)
            return fresh
        return array

    # ---- results
    def _slot(
        self, k: int, arguments: Sequence[Array], wanted: Sequence[Array | None], symbols: dict[str, int]
    ) -> Array:
        """The memory of a slot: the caller's `out` if that can be written directly, or new."""
        slot = self.program.slots[k]
        size = evaluate(slot.bytes, symbols)
        for result, target in zip(self.program.results, wanted):
            if result.source != "slot" or result.index != k or result.strides is not None:
                continue
            dtype, shape = numpy_type(result.dtype), tuple(evaluate(s, symbols) for s in result.shape)
            if count(shape) * dtype.itemsize != size:
                continue
            if target is None:
                return self.memory.allocate(shape, dtype, slot.aligned)
            aligned = target.flags.aligned and not (slot.aligned and address_of(target) % ALIGNMENT)
            dense = target.flags.c_contiguous and target.dtype == dtype
            if dense and aligned and not overlaps(target, arguments):
                return target if type(target) is np.ndarray else target.view(np.ndarray)
        return self.memory.allocate((size,), np.dtype(np.uint8), slot.aligned)

    def _results(
        self,
        arguments: Sequence[Array],
        slots: Sequence[Array],
        block: arena.Block,
        wanted: Sequence[Any],
        symbols: dict[str, int],
    ) -> list[Any]:
        """The results in order. The first to use a buffer may have it; a later one, and a view of a buffer that is not
        the call's own, is a copy."""
        bases = {"argument": arguments, "constant": self.constants, "slot": slots}
        used: set[tuple[str, int]] = set()
        results: list[Any] = []
        for result in self.program.results:
            place = result.source, result.index
            if result.source == "arena":
                results.append(result_of(result, block.storage, block.address, False, symbols))
                continue
            base = bases[result.source][result.index]
            mine = result.source == "slot" or (result.source == "argument" and self._donated[result.index])
            results.append(result_of(result, base, address_of(base), mine and place not in used, symbols))
            used.add(place)
        targets = [t for t in wanted if t is not None]
        if targets:  # what goes to a target must not lie in another
            results = [
                r.copy() if overlaps(r, [t for j, t in enumerate(wanted) if t is not None and j != i]) else r
                for i, r in enumerate(results)
            ]
        for i, (result, target) in enumerate(zip(results, wanted)):
            if target is not None:
                if address_of(result) != address_of(target) or result.strides != target.strides:
                    np.copyto(target, result)
                results[i] = target
        return results

    # ---- storing
    def to_bytes(self, extra: dict[str, Any] | None = None) -> bytes:
        """All that a later process needs, resources aside; `extra` is any JSON that goes along."""
        held = zip(self.program.constants, self.constants)
        parts = [*self.objects, *(b"" if c.hash or c.made else array.tobytes() for c, array in held)]
        header = {
            "program": self.program.to_json(),
            "parts": [len(p) for p in (*parts, *self.preparations.values())],
            "preparations": list(self.preparations),
            "extra": extra or {},
        }
        head = json.dumps(header, sort_keys=True).encode()
        return struct.pack("<Q", len(head)) + head + b"".join([*parts, *self.preparations.values()])

    @classmethod
    def from_bytes(
        cls, data: bytes, resources: Mapping[str, Array] | None = None, made: Mapping[int, Array] | None = None
    ) -> tuple[Self, dict[str, Any]]:
        """The executable and the extra JSON; `resources`: its resources' arrays by hash. `made`: constants that need
        not be made, by their numbers."""
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        parts: list[bytes] = []
        at = 8 + length
        for size in header["parts"]:
            parts.append(data[at : at + size])
            at += size
        program = Program.from_json(header["program"])
        names: list[str] = header["preparations"]
        rest = len(parts) - len(names)
        preparations = dict(zip(names, parts[rest:], strict=True))
        objects = rest - len(program.constants)
        found = resources or {}
        held = zip(program.constants, parts[objects:rest], strict=True)
        constants: list[bytes | Array | None] = [
            None if c.made else found[c.hash] if c.hash else part for c, part in held
        ]
        return cls.prepare(program, parts[:objects], constants, preparations, found, made), header["extra"]

    @classmethod
    def prepare(
        cls,
        program: Program,
        objects: Sequence[bytes],
        constants: Sequence[bytes | Array | None],
        preparations: Mapping[str, bytes],
        resources: Mapping[str, Array],
        made: Mapping[int, Array] | None = None,
    ) -> Self:
        """The executable after those of its constants that are None are made."""
        from_: dict[int, str] = {}
        whole: list[bytes | Array] = []
        if preparations:
            from .prepared import GIVEN, Preparations

            makes, given = Preparations(preparations, resources), made or {}
            for k, (constant, data) in enumerate(zip(program.constants, constants, strict=True)):
                if data is None:
                    data, from_[k] = (given[k], GIVEN) if k in given else makes.make(constant)
                whole.append(data)
        exe = cls(program, objects, whole if preparations else constants, preparations=preparations)  # pyright: ignore
        exe.prepared = from_
        return exe


def _constant(dtype: str, data: bytes | Array) -> Array:
    """A resource's array as it is, or aligned to its elements, bytes at an address aligned to 64."""
    if isinstance(data, np.ndarray):
        return data if data.flags.aligned else np.array(data)
    kind = numpy_type(dtype)
    array = arena.allocate((len(data) // kind.itemsize,), kind, True)
    array[...] = np.frombuffer(data, kind)
    array.flags.writeable = False
    return array
