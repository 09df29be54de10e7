"""The short way into a program: for arguments that need no conversion, by the shapes they have.

A `FastCall` holds what a call with certain shapes needs: what is compared of each argument, the results to make, the
sizes that the program is told. Each comparison that fails leads to the general way, which converts or explains.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .abi import DTYPES, Program, count, evaluate, row_major
from .arena import ARENAS, allocate

Array = np.ndarray[Any, Any]


def signature(program: Program) -> Any:
    """`mlc_call` for ctypes: arrays, slots, then constants, sizes, arena and context."""
    kinds = [ctypes.py_object] * (len(program.arguments) + len(program.slots))
    return ctypes.CFUNCTYPE(ctypes.c_int32, *kinds, *[ctypes.c_void_p] * 4)


class FastCall:
    """A program for one choice of its symbols; `run` returns None where the general way must be taken."""

    __slots__ = ("arena", "call", "checks", "constants", "outputs", "single", "sizes", "slots")

    def __init__(self, program: Program, symbols: Mapping[str, int], call: Any, constants: Any) -> None:
        shapes = [tuple(evaluate(s, symbols) for s in a.shape) for a in program.arguments]
        kinds = [np.dtype(DTYPES[a.dtype]) for a in program.arguments]
        steps = [a.strides if a.strides is not None else row_major(s) for a, s in zip(program.arguments, shapes)]
        strides = [tuple((n or 0) * k.itemsize for n in s) for s, k in zip(steps, kinds)]
        self.checks = list(zip(kinds, shapes, strides))
        numbers = [symbols[s] for s in program.symbols]
        self.sizes: Any = (ctypes.c_int64 * len(numbers))(*numbers) if numbers else None
        self.call, self.constants = call, constants
        self.arena = evaluate(program.arena, symbols)
        self.slots: list[tuple[tuple[int, ...], np.dtype[Any], bool]] = []
        self.outputs: list[int] = []
        for result in program.results:
            if result.source == "argument":
                self.outputs.append(result.index - len(program.arguments))
                continue
            shape = tuple(evaluate(s, symbols) for s in result.shape)
            self.slots.append((shape, np.dtype(DTYPES[result.dtype]), program.slots[result.index].aligned))
            self.outputs.append(result.index)
        self.single = self.outputs[0] if len(self.outputs) == 1 else None

    def run(self, arrays: Sequence[Any]) -> Any:
        for array, (dtype, shape, strides) in zip(arrays, self.checks):
            if (
                type(array) is not np.ndarray
                or array.dtype is not dtype
                or array.shape != shape
                or array.strides != strides
            ):
                return None
        slots = [allocate(*slot) for slot in self.slots]
        block = ARENAS.take(self.arena) if self.arena else None
        status = self.call(*arrays, *slots, self.constants, self.sizes, block.address if block else None, None)
        if block:
            ARENAS.give(block)
        if status:
            return None
        if self.single is not None:
            return slots[self.single] if self.single >= 0 else arrays[self.single]
        return tuple([slots[k] if k >= 0 else arrays[k] for k in self.outputs])


def possible(program: Program) -> bool:
    """Is every result a slot of its own, in order, or the whole of a donated argument? No run-time strides, then."""
    slots = 0
    for result in program.results:
        if result.strides is not None or result.offset != 0:
            return False
        if result.source == "slot":
            if result.index != slots:
                return False
            slots += 1
            width = np.dtype(DTYPES[result.dtype]).itemsize
            static = [n for n in result.shape if isinstance(n, int)]
            size = program.slots[result.index].bytes
            if len(static) == len(result.shape) and isinstance(size, int) and count(static) * width != size:
                return False
        elif result.source != "argument" or not _whole(program, result.index, result.shape, result.dtype):
            return False
    runtime = any(None in (a.strides or ()) for a in program.arguments)
    aligned = any(a.aligned for a in program.arguments)
    return slots == len(program.slots) and not runtime and not aligned


def _whole(program: Program, index: int, shape: Sequence[Any], dtype: str) -> bool:
    argument = program.arguments[index]
    return argument.donated and argument.strides is None and argument.shape == shape and argument.dtype == dtype
