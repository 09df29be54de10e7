"""A compiled program for an NVIDIA GPU as a Python function.

    exe = CudaExecutable(program, [*host objects, *PTX texts])       `program.images` describes the texts
    y = exe(x, w)              arrays of the host: y is NumPy's
    d = exe(dx, w)             an array on the device among them: d is a DeviceArray, and nobody waits

Nothing is loaded, and no driver looked for, before the first call. The host's code is the program's entry as on a CPU,
whose buffers and arena are memory of the device; it enqueues launches through `services`. Arguments on the host are
copied into buffers that the executable keeps, those on the device are read in place if they lie at multiples of what
the program says. Slots, constants and the arena begin at multiples of 256, but for memory that the caller gives.

One thread at a time enqueues, all in the device's stream, so that every program of the device has the same arena and
memory is used again without waiting. What a call's launches depend on is the key of its graph (`graphs`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy import ndarray

from .. import poison
from ..abi import Program
from ..arguments import as_array, bind, wrong_count
from ..context import INTERRUPTED, raise_pending
from ..executable import Executable
from ..results import address_of
from . import graphs
from .arguments import given_array, own, placed
from .bound import Bound
from .call import Call, Plan
from .device import Device, current
from .device_array import DeviceArray
from .driver import OUT_OF_MEMORY, DeviceMemoryError, DriverError
from .fast_call import FastCall, is_short
from .memory import Block, is_pinned
from .results import hand_out, slot_of, targets_of
from .services import CudaContext, addresses

if TYPE_CHECKING:
    from ..jit import Linked
    from .modules import Module

Array = np.ndarray[Any, Any]


def switch(name: str, default: str) -> bool:
    return os.environ.get(name, default).strip().lower() not in ("", "0", "no", "off", "false")


MOST_PLANS = 256
HELD_LAUNCHES = 64
"""Programs with fewer launches, and none that waits, keep the interpreter's lock."""


class CudaExecutable(Executable):
    """A program with its host code and its code for the device, which is `device`, or MLC_CUDA_DEVICE's."""

    CONTEXT = CudaContext
    IN_PLACE = False
    bounds: tuple[Any, ...] = ()
    """What is checked of the sizes of arguments (`compiler.compile`)."""

    def __init__(
        self,
        program: Program,
        objects: Sequence[bytes],
        constants: Sequence[bytes | Array] = (),
        linked: Linked | None = None,
        preparations: Mapping[str, bytes] | None = None,
        device: int | None = None,
    ) -> None:
        assert len(objects) > len(program.images)
        self._state: list[Device] = []
        self._ordinal = device
        super().__init__(program, objects, constants, linked, preparations)
        self.modules: list[Module] = []
        self.blocking = self.recording = False
        self._cells: dict[str, Any] = {
            f"mlc.{image.kernel}.launch{j}": ctypes.c_void_p()
            for image in program.images
            for j in range(len(image.entries))
        }
        self._names: dict[int, str] = {}
        """Kernels by the handle of their function."""
        self._plans: dict[Any, Plan] = {}
        self.staged: dict[Any, Block] = {}
        """Buffers of arguments and results of the host."""
        self.places: list[DeviceArray] = []
        """The constants on the device."""
        self.short_calls: dict[Any, FastCall] = {}
        self._short = False
        """Is there a short way (`fast_call`)?"""
        self.dtypes, self.donated = self._dtypes, self._donated
        self._prints = any(e.kind == "print" for e in program.effects)

    # ---- hooks of the base class
    def native_objects(self) -> list[bytes]:
        return self.objects[: len(self.objects) - len(self.program.images)]

    def symbols(self) -> dict[str, int]:
        cells = {name: ctypes.addressof(cell) for name, cell in self._cells.items()}
        return {**super().symbols(), **addresses(self._state[0].driver), **cells}

    def reader(self) -> Callable[[int, int], bytes]:
        state = self._state

        def read(address: int, size: int) -> bytes:
            return state[0].read(address, size)

        return read

    def _bind(self, arrays: Sequence[Any]) -> dict[str, int]:
        shaped = [a if hasattr(a, "shape") else as_array(self.program, i, a) for i, a in enumerate(arrays)]
        return bind(self.program, shaped)

    # ---- loading
    @property
    def device(self) -> Device:
        """Where the program runs; found at the first call, from when on everything is loaded."""
        return self._state[0] if self._state else self._start()

    def ptx(self) -> dict[str, str]:
        """The text of each kernel's code."""
        texts = self.objects[len(self.objects) - len(self.program.images) :]
        return {i.kernel: t.decode() for i, t in zip(self.program.images, texts, strict=True)}

    def _start(self) -> Device:
        from .modules import load

        device = current(self._ordinal)
        with device:
            if self._state:
                return device
            texts = self.objects[len(self.objects) - len(self.program.images) :]
            self.modules = load(device, self.program.images, texts)
            for module in self.modules:
                for j, function in enumerate(module.functions):
                    self._cells[f"mlc.{module.image.kernel}.launch{j}"].value = function
                    self._names[function] = module.image.kernel
            self.places = self._upload_constants(device)
            self.graphs = graphs.Graphs(device)
            self.blocking = switch("MLC_CUDA_SYNC", "0")
            self.recording = switch("MLC_CUDA_GRAPHS", "1") and not self.blocking and not self._prints
            self._short = is_short(self) and self.memory is not poison and not self.blocking and not self._prints
            self._state.append(device)
            try:
                self.link()
            except BaseException:
                self._state.clear()
                raise
        return device

    def _upload_constants(self, device: Device) -> list[DeviceArray]:
        places: list[DeviceArray] = []
        for array in self.constants:
            block = device.pool.take(array.nbytes, exact=True)
            dense_array = np.ascontiguousarray(array)
            device.copy_in(block.address, address_of(dense_array), array.nbytes)
            if is_pinned(device, address_of(dense_array)):
                device.synchronize()
            places.append(DeviceArray(device, block.address, (array.size,), (1,), array.dtype, block))
        return places

    # ---- calling
    def __call__(self, *arrays: Any, out: Any = None) -> Any:
        """One result as an array, several as a tuple."""
        if self._short and out is None:
            fast = self.short_calls.get(None if self._static else tuple([getattr(a, "shape", None) for a in arrays]))
            if fast is not None:
                host = not arrays or type(arrays[0]) is ndarray
                result = fast.run_on_host(arrays) if host else fast.run(arrays)
                if result is not None:
                    return result
        return self._call(*arrays, out=out)

    def _call(self, *arrays: Any, out: Any = None) -> Any:
        if len(arrays) != len(self.dtypes):
            wrong_count(self.program, len(arrays))
        device = self.device
        with device:
            device.depth += 1
            try:
                call, results = self._enqueue(device, arrays, out)
            finally:
                device.depth -= 1
        if call.waits or call.pinned or self.blocking:
            self.wait()
        if call.waits:
            results = [r if type(r) is DeviceArray else r() for r in results]
        return results[0] if len(results) == 1 else tuple(results)

    def bind(self, *arrays: Any, out: Any = None) -> Bound:
        """The program bound to the memory of arrays on the device: a call of it is one replay (`bound`)."""
        if len(arrays) != len(self.dtypes):
            wrong_count(self.program, len(arrays))
        return Bound(self, arrays, out)

    def wait(self) -> None:
        """Until all work is done; what went wrong in it is raised."""
        self.device.synchronize(f"{self.program.name} (with MLC_CUDA_SYNC=1 the error names the kernel)")

    def _enqueue(self, device: Device, arrays: Sequence[Any], out: Any) -> tuple[Call, list[Any]]:
        given = [a if type(a) is np.ndarray else given_array(self, i, a, device) for i, a in enumerate(arrays)]
        plan = self.plan_of(given)
        on_host = not any([type(a) is DeviceArray for a in given])  # noqa: C419
        call = Call(device, plan, given, on_host, device.depth == 1)
        call.arguments = [placed(self, call, i, x) for i, x in enumerate(arrays)]
        targets = targets_of(self.program, call, out, self.weights)
        if True in self.donated:
            call.arguments = [own(self, call, i) if d else call.arguments[i] for i, d in enumerate(self.donated)]
        call.slots = [slot_of(self, call, k, targets) for k in range(len(plan.slots))]
        call.arena = self.arena_of(plan.arena, call.own)
        if self.memory is poison:
            for slot in call.slots:
                device.fill(slot.address, poison.NAN, slot.nbytes)
            if call.arena is not None:
                device.fill(call.arena.address, poison.NAN, call.arena.size)
        pointers = [a.address for a in call.arguments + self.places + call.slots]
        arena = call.arena.address if call.arena is not None else None
        self.launch(plan, pointers, arena, (*plan.sizes, *call.strides))
        return call, hand_out(self, call, targets)

    def plan_of(self, given: Sequence[Any]) -> Plan:
        shapes = tuple([a.shape for a in given])
        plan = self._plans.get(shapes)
        if plan is None:
            symbols = bind(self.program, given)
            plan = Plan(self.program, symbols, self.short(symbols)[1])
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
                self.short_calls.clear()
            self._plans[shapes] = plan
            if self._short:
                self.short_calls[None if self._static else shapes] = FastCall(self, plan)
        return plan

    def arena_of(self, size: int, own: bool = True) -> Block | None:
        """The device's, which is what all programs work in, one after the other."""
        device = self.device
        if not size:
            return None
        if not own:
            return device.pool.take(size)
        if device.arena is None or device.arena.size < size:
            device.arena = None
            device.arena = device.pool.take(size)
        return device.arena

    def launch(self, plan: Plan, pointers: Sequence[int], arena: int | None, sizes: tuple[int, ...]) -> None:
        """Enqueue the program, as a graph if there is one; behind the device's lock."""
        if self.recording and plan.recordable is not False:
            run = partial(self.enqueue, plan, pointers, arena, sizes)
            self.graphs.run((*pointers, arena, sizes), run)
        else:
            self.enqueue(plan, pointers, arena, sizes, self.device.stream)

    def enqueue(
        self, plan: Plan, pointers: Sequence[int], arena: int | None, sizes: tuple[int, ...], stream: int
    ) -> bool:
        """Let the program's entry launch its kernels; may they be recorded, and is that worth it?"""
        numbers = (ctypes.c_int64 * len(sizes))(*sizes) if sizes else None
        context: Any = self.contexts.take(plan.long)
        context.restart(stream, self.blocking)
        status = self._entries[plan.held](self._buffers(*pointers), numbers, arena, ctypes.byref(context))
        if status or context.failed:
            self._failed(self.device, status, context)
        free = not context.waits and not self._prints
        plan.free = free
        plan.held = free and context.launches < HELD_LAUNCHES
        plan.recordable = may = free and context.launches >= graphs.LEAST_LAUNCHES
        self.contexts.give(context)
        return may

    def _failed(self, device: Device, status: int, context: Any) -> NoReturn:
        """Raise what went wrong in a call: on the device first, then what the program's status says."""
        code = context.failed
        if not code:
            self.stopped(status, context)
        if status == INTERRUPTED:
            raise_pending(context)
        name = self._names.get(context.function or 0)
        if name is None and code == OUT_OF_MEMORY:
            raise DeviceMemoryError(
                f"{self.program.name}: expected {context.grid} bytes of memory on device {device.ordinal}, "
                f"found {device.free_bytes()} free"
            )
        if name is None:
            device.driver.fail(code, self.program.name)
        how = f"{context.grid} blocks of {context.block} threads with {context.shared} bytes of shared memory"
        try:
            device.driver.fail(code, f"{self.program.name}: kernel {name}, {how}")
        except DeviceMemoryError as error:
            raise DriverError(code, f"{self.program.name}: kernel {name}, {how}: {error.notes[0]}") from None
