"""A compiled program for an NVIDIA GPU as a Python function.

    exe = CudaExecutable(program, [*host objects, *PTX texts])       `program.images` describes the texts
    y = exe(x, w)              arrays of the host: y is NumPy's
    d = exe(dx, w)             an array on the device among them: d is a DeviceArray, and nobody waits

Nothing is loaded, and no driver looked for, before the first call. The host's code is the program's entry as on a CPU,
whose buffers and arena are memory of the device; it enqueues launches through `services`. Arguments on the host are
copied into buffers that the executable keeps, those on the device are read in place. Pointers that a program gets are
multiples of 16, those of slots, constants and the arena of 256 (an argument with a negative stride is at its own
elements' alignment).

One thread at a time enqueues, all in the device's stream, so that every program of the device has the same arena and
memory is used again without waiting. What a call's launches depend on is the key of its graph (`graphs`).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ...dialects.errors import CompileError
from .. import poison
from ..abi import Program, Result, count, evaluate, numpy_type, row_major
from ..arguments import as_array, bind, fail, name_of, wrong_count
from ..context import INTERRUPTED, raise_pending
from ..executable import Executable
from ..results import address_of, check_outputs, folds, layout
from . import graphs
from .device import Device, current
from .device_array import DeviceArray, extent, imported, is_foreign, to_device
from .dlpack import dense
from .driver import OUT_OF_MEMORY, DeviceMemoryError, DriverError
from .memory import Block, is_pinned
from .services import CudaContext, addresses

if TYPE_CHECKING:
    from ..jit import Linked
    from .modules import Module

Array = np.ndarray[Any, Any]

ALIGNMENT = 16
"""Of the arguments' pointers."""

MOST_PLANS = 256
HELD_LAUNCHES = 64
"""Programs with fewer launches, and none that waits, keep the interpreter's lock."""


class Wanted:
    """A result for one choice of the symbols."""

    __slots__ = ("dense", "dtype", "high", "index", "low", "offset", "shape", "size", "source", "steps")

    def __init__(self, result: Result, symbols: Mapping[str, int]) -> None:
        self.source, self.index = result.source, result.index
        self.dtype = numpy_type(result.dtype)
        self.offset, self.shape, strides = layout(result, dict(symbols))
        self.steps = tuple(s // self.dtype.itemsize for s in strides)
        self.low, self.high = extent(self.shape, self.steps)
        self.dense, self.size = dense(self.shape, self.steps), count(self.shape)


class Plan:
    """What calls with the same shapes have in common."""

    __slots__ = ("arena", "held", "long", "results", "shapes", "sizes", "slots", "steps", "symbols")

    def __init__(self, owner: CudaExecutable, symbols: dict[str, int]) -> None:
        program = owner.program
        self.symbols = symbols
        self.shapes = [tuple(evaluate(s, symbols) for s in a.shape) for a in program.arguments]
        self.steps = [
            tuple(a.strides) if a.strides is not None else row_major(shape)
            for a, shape in zip(program.arguments, self.shapes)
        ]
        self.sizes = tuple(symbols[s] for s in program.symbols)
        self.arena = evaluate(program.arena, symbols)
        self.slots = [evaluate(s.bytes, symbols) for s in program.slots]
        self.results = [Wanted(r, symbols) for r in program.results]
        self.long = owner.short(symbols)[1]
        self.held = False
        """May the interpreter's lock be kept? Known after a call."""


class Call:
    """The state of one call while it is enqueued."""

    def __init__(self, device: Device, plan: Plan, on_host: bool, own: bool) -> None:
        self.device, self.plan = device, plan
        self.on_host = on_host
        """Do results go to the host if nothing else is said?"""
        self.own = own
        """May it use the executable's buffers, and the device's arena? Not in a print of another program."""
        self.pointers: list[int] = []
        self.strides: list[int] = []
        self.arguments: list[DeviceArray] = []
        self.slots: list[DeviceArray] = []
        self.kept: list[Any] = []
        """Of others, until the work is done."""
        self.pinned = False
        """Is an argument copied by the device itself, some time?"""
        self.finish: list[Callable[[], Any]] = []
        """Makes the results when the work is done, if it is waited for."""


class CudaExecutable(Executable):
    """A program with its host code and its code for the device, which is `device`, or MLC_CUDA_DEVICE's."""

    CONTEXT = CudaContext
    IN_PLACE = False

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
        self.blocking = os.environ.get("MLC_CUDA_SYNC", "0").strip().lower() not in ("", "0", "no", "off", "false")
        self._cells: dict[str, Any] = {
            f"mlc.{image.kernel}.launch{j}": ctypes.c_void_p()
            for image in program.images
            for j in range(len(image.entries))
        }
        self._names: dict[int, str] = {}
        """Kernels by the handle of their function."""
        self._plans: dict[Any, Plan] = {}
        self._staged: dict[Any, Block] = {}
        self._places: list[DeviceArray] = []
        """The constants on the device."""
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
            self._places = self._upload_constants(device)
            self._graphs = graphs.Graphs(device)
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
    def _call(self, *arrays: Any, out: Any = None) -> Any:
        if len(arrays) != len(self._dtypes):
            wrong_count(self.program, len(arrays))
        device = self.device
        with device:
            device.depth += 1
            try:
                call, results = self._enqueue(device, arrays, out)
            finally:
                device.depth -= 1
        if call.finish or call.pinned or self.blocking:
            device.synchronize(f"{self.program.name} (MLC_CUDA_SYNC=1 finds the kernel)")
        if call.finish:
            results = [make() for make in call.finish]
        return results[0] if len(results) == 1 else tuple(results)

    def _enqueue(self, device: Device, arrays: Sequence[Any], out: Any) -> tuple[Call, list[Any]]:
        given = [self._given(i, x, device) for i, x in enumerate(arrays)]
        shapes = tuple([a.shape for a in given])
        plan = self._plans.get(shapes)
        if plan is None:
            plan = Plan(self, bind(self.program, given))
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[shapes] = plan
        host = not any(type(a) is DeviceArray for a in given)
        call = Call(device, plan, host, device.depth == 1)
        for i, (x, a) in enumerate(zip(arrays, given)):
            call.arguments.append(self._argument(call, i, x, a))
        targets = self._targets(call, out)
        for i, donated in enumerate(self._donated):
            if donated:
                call.arguments[i] = self._own_array(call, i)
        call.slots = [self._slot_array(call, k, size, targets) for k, size in enumerate(plan.slots)]
        call.pointers = [a.address for a in (*call.arguments, *self._places, *call.slots)]
        arena = self._arena(call)
        if self.memory is poison:
            for slot in (*call.slots, *([arena] if arena else ())):
                size = slot.size if isinstance(slot, Block) else slot.nbytes
                device.fill(slot.address, poison.NAN, size)
        self._launch(call, arena)
        results = self._hand_out(call, arena, given, targets)
        call.kept += [a.owner for a in call.arguments if not isinstance(a.owner, Block)]
        if call.kept and not call.finish:
            device.retain(call.kept)
        return call, results

    def _arena(self, call: Call) -> Block | None:
        size, device = call.plan.arena, call.device
        if not size:
            return None
        if not call.own:
            return device.pool.take(size)
        if device.arena is None or device.arena.size < size:
            device.arena = None
            device.arena = device.pool.take(size)
        return device.arena

    def _launch(self, call: Call, arena: Block | None) -> None:
        plan, pointers = call.plan, call.pointers
        sizes = (*plan.sizes, *call.strides)
        address = arena.address if arena else None
        numbers = (ctypes.c_int64 * len(sizes))(*sizes) if sizes else None

        def run(stream: int) -> bool:
            context: Any = self.contexts.take(plan.long)
            context.restart()
            context.cuda_stream, context.blocking = stream, self.blocking
            entry = self._entries[plan.held]
            status = entry(self._buffers(*pointers), numbers, address, ctypes.byref(context))
            if status or context.failed:
                self._failed(call.device, status, context)
            plan.held = not context.waits and not self._prints and context.launches < HELD_LAUNCHES
            may = not context.waits and not self._prints and context.launches >= graphs.LEAST_LAUNCHES
            self.contexts.give(context)
            return may

        if self._prints or self.blocking or not graphs.on():
            run(call.device.stream)
        else:
            self._graphs.run((*pointers, address, sizes), run)

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

    # ---- arguments
    def _given(self, i: int, x: Any, device: Device) -> Any:
        """NumPy's array, or one on the device."""
        if type(x) is np.ndarray:
            return x
        if type(x) is not DeviceArray:
            try:
                if not is_foreign(x):
                    return as_array(self.program, i, x)
                x = imported(x, device)
            except CompileError as error:
                if error.message.startswith(self.program.name):
                    raise
                fail(f"{name_of(self.program, i)}: {error.message}", error.notes)
            except Exception as error:  # whatever the object's own methods raise
                found = type(x).__name__
                fail(f"{name_of(self.program, i)}: expected an array, found {found}: {type(error).__name__}: {error}")
        if x.device is not device:
            wanted = f"expected an array on device {device.ordinal}, found one on device {x.device.ordinal}"
            fail(f"{name_of(self.program, i)}: {wanted}")
        return x

    def _argument(self, call: Call, i: int, x: Any, given: Any) -> DeviceArray:
        """The argument on the device, with the right element type, shape and strides."""
        plan = call.plan
        if type(given) is not DeviceArray:
            array = self._accept(i, x, given, plan.symbols)
            placed = self._upload(call, i, array)
        else:
            placed = self._placed(call, i, given)
        declared = self.program.arguments[i].strides
        if declared is not None and None in declared:
            call.strides += [s for s, d in zip(placed.steps, declared) if d is None]
        return placed

    def _upload(self, call: Call, key: Any, array: Array) -> DeviceArray:
        """A copy of an array of the host, in a buffer of the executable's."""
        width = array.itemsize
        steps = tuple(s // width for s in array.strides)
        low, high = extent(array.shape, steps)
        size = (high - low + 1) * width
        block = self._buffer(call, key, size)
        start = address_of(array) + low * width
        call.device.copy_in(block.address, start, size)
        if size and not call.on_host and is_pinned(call.device, start):
            call.pinned = True
        return DeviceArray(call.device, block.address - low * width, array.shape, steps, array.dtype, block)

    def _buffer(self, call: Call, key: Any, size: int) -> Block:
        if not call.own:
            return call.device.pool.take(size)
        block = self._staged.get(key)
        if block is None or block.size < size:
            self._staged.pop(key, None)
            block = self._staged[key] = call.device.pool.take(size)
        return block

    def _placed(self, call: Call, i: int, array: DeviceArray) -> DeviceArray:
        """An array on the device that the program can read; a copy where needed."""
        dtype, plan = self._dtypes[i], call.plan
        if array.dtype != dtype:
            found = array.dtype.name
            fail(f"{name_of(self.program, i)}: expected {dtype.name}, found {found} on the device; convert it there")
        wanted, low = plan.steps[i], array.span()[0]
        fits = not (low % ALIGNMENT)
        for extent_, step, element in zip(array.shape, array.steps, wanted):
            fits = fits and (extent_ <= 1 or element is None or step == element)
        if fits or not array.size:
            return array
        self.copies += 1
        low_, high = extent(array.shape, array.steps)
        same = all(n <= 1 or w is None or s == w for n, s, w in zip(array.shape, array.steps, wanted))
        if same and high - low_ + 1 == array.size:
            copy = array.copy()
            call.kept.append(array.owner)
            return copy
        from ..arguments import reordered

        return self._upload(call, i, reordered(array.numpy(), dtype, self.program.arguments[i].strides))

    def _own_array(self, call: Call, i: int) -> DeviceArray:
        """A donated argument's memory, if nothing else can notice that it is written."""
        array = call.arguments[i]
        others = [a for k, a in enumerate(call.arguments) if k != i and a.size]
        if array.read_only or any(array.overlaps(o) for o in others):
            self.copies += 1
            call.kept.append(array.owner)
            return array.copy()
        return array

    # ---- results
    def _targets(self, call: Call, out: Any) -> list[Any]:
        """The caller's arrays for results, or None."""
        plan = call.plan
        if out is None:
            return [None] * len(plan.results)
        given: list[Any] = [*out] if isinstance(out, tuple | list) else [out]
        foreign = [type(t) is DeviceArray or (not isinstance(t, np.ndarray) and is_foreign(t)) for t in given]
        hosts = check_outputs(
            self.program, [None if f else t for t, f in zip(given, foreign)], plan.symbols, self.weights
        )
        targets: list[Any] = []
        for i, (t, f, host, wanted) in enumerate(zip(given, foreign, hosts, plan.results)):
            if not f:
                targets.append(host)
                continue
            array = t if type(t) is DeviceArray else imported(t, call.device)
            where = f"{self.program.name}: out[{i}]"
            if array.shape != wanted.shape or array.dtype != wanted.dtype:
                found = f"{array.dtype.name}{list(array.shape)}"
                fail(f"{where}: expected {wanted.dtype.name}{list(wanted.shape)}, found {found}")
            if array.read_only or not array.dense:
                fail(f"{where}: expected a writable array in rows, found another")
            if array.device is not call.device:
                fail(f"{where}: expected an array on device {call.device.ordinal}, found one on {array.device.ordinal}")
            if any(array.overlaps(o) for o in targets if isinstance(o, DeviceArray)):
                fail(f"{where}: expected arrays apart from each other, found one memory for two")
            if not isinstance(array.owner, Block):
                call.kept.append(array.owner)
            targets.append(array)
        return targets

    def _slot_array(self, call: Call, k: int, size: int, targets: Sequence[Any]) -> DeviceArray:
        """The memory of a slot: the caller's, the executable's where the result goes on to the host, or new."""
        device = call.device
        mine = [(w, t) for w, t in zip(call.plan.results, targets) if w.source == "slot" and w.index == k]
        for wanted, target in mine:
            whole = wanted.dense and not wanted.offset and wanted.size * wanted.dtype.itemsize == size
            if not isinstance(target, DeviceArray) or not whole or target.address % ALIGNMENT:
                continue
            if not any(target.overlaps(a) for a in call.arguments):
                return target
        fetched = all(isinstance(t, np.ndarray) or (t is None and call.on_host) for _, t in mine)
        block = self._buffer(call, ("slot", k), size) if fetched else device.pool.take(size)
        return DeviceArray(device, block.address, (size,), (1,), np.dtype(np.uint8), block)

    def _hand_out(self, call: Call, arena: Block | None, given: Sequence[Any], targets: Sequence[Any]) -> list[Any]:
        """The results in order; those that go to the host are in `call.finish`, with all others. The first to use a
        buffer on the device may have it; a later one, and a view of what is not the call's own, is a copy."""
        bases: dict[str, list[Any]] = {"argument": call.arguments, "constant": self._places, "slot": call.slots}
        used: set[tuple[str, int]] = set()
        results: list[Any] = []
        waits = False
        for wanted, target in zip(call.plan.results, targets):
            place = wanted.source, wanted.index
            base: Any = arena if wanted.source == "arena" else bases[wanted.source][wanted.index]
            address = base.address + wanted.offset * wanted.dtype.itemsize
            owner = base if isinstance(base, Block) else base.owner
            view = DeviceArray(call.device, address, wanted.shape, wanted.steps, wanted.dtype, owner)
            if isinstance(target, np.ndarray) or (target is None and call.on_host):
                if target is None and wanted.source == "argument":
                    target = self._donated_target(wanted, given)
                results.append(self._fetch(call, wanted, view, target))
                waits = True
            elif target is not None:
                results.append(self._store(view, target))
            else:
                donated = wanted.source == "argument" and self._donated[wanted.index]
                whole = donated and place not in used and self._is_whole(view, given[wanted.index])
                mine = (wanted.source == "slot" or donated) and place not in used
                folded = wanted.high - wanted.low + 1 < wanted.size
                results.append(given[wanted.index] if whole else view if mine and not folded else view.copy())
            used.add(place)
        if waits:
            call.finish = [r if callable(r) and not isinstance(r, DeviceArray) else _constant(r) for r in results]
        return results

    def _is_whole(self, view: DeviceArray, given: Any) -> bool:
        same = type(given) is DeviceArray and given.address == view.address
        return same and (given.shape, given.steps, given.dtype) == (view.shape, view.steps, view.dtype)

    def _donated_target(self, wanted: Wanted, given: Sequence[Any]) -> Array | None:
        """A donated array of the host, if the result is all of it."""
        array = given[wanted.index]
        if not self._donated[wanted.index] or type(array) is not np.ndarray or not wanted.dense or wanted.offset:
            return None
        same = array.shape == wanted.shape and array.dtype == wanted.dtype
        return array if same and array.flags.c_contiguous and array.flags.writeable else None

    def _fetch(self, call: Call, wanted: Wanted, view: DeviceArray, target: Array | None) -> Callable[[], Array]:
        """Enqueue the copy to the host; what makes the result of it."""
        device, width = call.device, wanted.dtype.itemsize
        pinned = device.pool.pinned
        if wanted.dense:
            direct = target is not None and target.flags.c_contiguous and target.dtype == wanted.dtype
            array = target if direct and target is not None else pinned.array(wanted.shape, wanted.dtype)
            device.copy_out(address_of(array), view.address, array.nbytes)
            raw, low = array, 0
        else:
            low = wanted.low
            raw = pinned.array((wanted.high - low + 1,), wanted.dtype)
            device.copy_out(address_of(raw), view.address + low * width, raw.nbytes)

        def finish() -> Array:
            found = raw if wanted.dense else np.ndarray(wanted.shape, wanted.dtype, raw, -low * width, view.strides)
            if target is None:
                return found.copy() if folds(found) or found.nbytes != raw.nbytes else found
            if found is not target:
                np.copyto(target, found)
            return target

        return finish

    def _store(self, view: DeviceArray, target: DeviceArray) -> DeviceArray:
        """Copy a result into the caller's array on the device, if it is not there."""
        if view.address == target.address and view.dense:
            return target
        source = view if view.dense else to_device(np.ascontiguousarray(view.numpy()), view.device)
        view.device.copy(target.address, source.address, target.nbytes)
        return target


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
