"""The short way into a program: for arguments that need no conversion, by the shapes they have.

A `FastCall` holds what a call with certain shapes needs: what is compared of each argument, the results to make, the
sizes that the program is told. Each comparison that fails leads to the general way, which converts or explains. What is
called often is offered to the native way (`native_call`), which makes the same comparisons.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import poison
from .abi import ALIGNMENT, REFUSED, Argument, Program, Result, count, evaluate, numpy_type, row_major
from .results import address_of

if TYPE_CHECKING:
    from .executable import Executable

Array = np.ndarray[Any, Any]

HOT, AGAIN = 3, 64
"""The number of the call after which the native way is set up, and after how many calls it is again, where too many
other shapes came between."""


def signature(program: Program, address: int) -> tuple[Any, Any]:
    """`mlc_call` for ctypes, without and with the interpreter's lock: arrays, slots, then constants, sizes, arena and
    context."""
    kinds = [ctypes.py_object] * (len(program.arguments) + len(program.slots)) + [ctypes.c_void_p] * 4
    return ctypes.CFUNCTYPE(ctypes.c_int32, *kinds)(address), ctypes.PYFUNCTYPE(ctypes.c_int32, *kinds)(address)


class FastCall:
    """A program for one choice of its symbols; `run` returns None where the general way must be taken."""

    __slots__ = (
        "__weakref__",
        "arena",
        "call",
        "calls",
        "cell",
        "checks",
        "constants",
        "context",
        "hold",
        "lent",
        "long",
        "outputs",
        "owner",
        "record",
        "single",
        "sizes",
        "slots",
    )

    def __init__(self, owner: Executable, symbols: Mapping[str, int], calls: tuple[Any, Any], constants: Any) -> None:
        program = owner.program
        shapes = [tuple(evaluate(s, symbols) for s in a.shape) for a in program.arguments]
        kinds = [numpy_type(a.dtype) for a in program.arguments]
        self.checks = [
            (kind, shape, _strides(argument, shape, kind))
            for argument, shape, kind in zip(program.arguments, shapes, kinds, strict=True)
        ]
        numbers = [symbols[s] for s in program.symbols]
        self.sizes: Any = (ctypes.c_int64 * len(numbers))(*numbers) if numbers else None
        self.owner, self.constants = owner, constants
        self.hold, self.long = owner.short(symbols)
        self.call = calls[self.hold]
        self.calls = 0
        self.record: bytes | None = None
        """What the native way knows of it."""
        self.lent: Any = None
        self.cell: Any = None
        """The context of native calls, and where the pointer to it lies that they take."""
        self.context = self.long or owner.contexts.always
        self.arena = evaluate(program.arena, symbols)
        self.slots: list[tuple[tuple[int, ...], np.dtype[Any], bool]] = []
        self.outputs: list[int] = []
        for result in program.results:
            if result.source == "argument":
                self.outputs.append(result.index - len(program.arguments))
                continue
            shape = tuple(evaluate(s, symbols) for s in result.shape)
            self.slots.append((shape, numpy_type(result.dtype), program.slots[result.index].aligned))
            self.outputs.append(result.index)
        self.single = self.outputs[0] if len(self.outputs) == 1 else None

    def run(self, arrays: Sequence[Any], out: Any = None) -> Any:
        """`out`: the caller's memory for the results."""
        for array, (dtype, shape, strides) in zip(arrays, self.checks):
            if (
                type(array) is not np.ndarray
                or array.dtype is not dtype
                or array.shape != shape
                or array.strides != strides
            ):
                return None
        memory = self.owner.memory
        slots = [memory.allocate(*slot) for slot in self.slots] if out is None else self._given(arrays, out)
        if slots is None:
            return None
        block = memory.take(self.arena) if self.arena else None
        address = block.address if block else None
        if self.context:
            status = self._with_context(arrays, slots, address)
        elif memory is poison:
            status = self._watched(arrays, slots, address)
        else:
            status = self.call(*arrays, *slots, self.constants, self.sizes, address, None)
        if block:
            memory.give(block)
        if status == REFUSED:
            return None
        if status:
            self.owner.stopped(status, None)
        self.calls = calls = self.calls + 1
        if calls % AGAIN == HOT:
            with contextlib.suppress(ImportError):  # of an interpreter that ends
                from .native_call import offer

                offer(self)
        if out is not None:
            return slots[0] if self.single is not None else tuple(slots)
        if self.single is not None:
            return slots[self.single] if self.single >= 0 else arrays[self.single]
        return tuple([slots[k] if k >= 0 else arrays[k] for k in self.outputs])

    def _given(self, arrays: Sequence[Any], out: Any) -> list[Array] | None:
        """The caller's arrays if every result can be written where one lies, and nothing else lies there."""
        given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
        if len(given) != len(self.slots) or self.outputs != list(range(len(given))):
            return None
        others = [*arrays, *self.owner.weights]
        for array, (shape, dtype, aligned) in zip(given, self.slots):
            if type(array) is not np.ndarray or array.dtype is not dtype or array.shape != shape:
                return None
            flags = array.flags
            if not (flags.c_contiguous and flags.behaved) or (aligned and address_of(array) % ALIGNMENT):
                return None
            if any(np.may_share_memory(array, other) for other in others):
                return None
            others.append(array)
        return given

    def _with_context(self, arrays: Sequence[Any], slots: Sequence[Array], address: int | None) -> int:
        contexts = self.owner.contexts
        context = contexts.take(self.long)
        lent = None if context is None else ctypes.byref(context)
        if self.owner.memory is poison:
            status = self._watched(arrays, slots, address, lent)
        else:
            status = self.call(*arrays, *slots, self.constants, self.sizes, address, lent)
        if status not in (0, REFUSED):
            self.owner.stopped(status, context)
        if context is not None:
            contexts.give(context)
        return status

    def _watched(self, arrays: Sequence[Any], slots: Sequence[Array], address: int | None, context: Any = None) -> int:
        """A call whose memory and arguments are compared after it."""
        seals = poison.seal(arrays)
        status = self.call(*arrays, *slots, self.constants, self.sizes, address, context)
        if not status:
            poison.check(arrays, seals, [a.donated for a in self.owner.program.arguments], slots)
        return status


def _strides(argument: Argument, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """As NumPy has them in bytes; it has its own for arrays without elements."""
    if 0 in shape and argument.strides is None:
        return np.empty(shape, dtype).strides
    steps = argument.strides if argument.strides is not None else row_major(shape)
    return tuple((n or 0) * dtype.itemsize for n in steps)


def possible(program: Program) -> bool:
    """Are results in order, and all arguments used where they lie, if they are in rows?"""
    return in_order(program) and not any(a.aligned for a in program.arguments)


def in_order(program: Program) -> bool:
    """Is every result a slot of its own, in order, or the whole of a donated argument? No run-time strides, then."""
    slots = 0
    whole: set[int] = set()
    for result in program.results:
        if result.strides is not None or result.offset != 0:
            return False
        if result.source == "slot":
            if result.index != slots:
                return False
            slots += 1
            width = numpy_type(result.dtype).itemsize
            static = [n for n in result.shape if isinstance(n, int)]
            size = program.slots[result.index].bytes
            if len(static) == len(result.shape) and isinstance(size, int) and count(static) * width != size:
                return False
        elif result.source != "argument" or result.index in whole or not _whole(program, result):
            return False
        else:
            whole.add(result.index)
    runtime = any(None in (a.strides or ()) for a in program.arguments)
    return slots == len(program.slots) and not runtime


def _whole(program: Program, result: Result) -> bool:
    argument = program.arguments[result.index]
    return (
        argument.donated
        and argument.strides is None
        and argument.shape == result.shape
        and argument.dtype == result.dtype
    )
