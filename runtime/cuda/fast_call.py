"""Short ways into a program, by the shapes of its arguments: for arrays on the device, of any library, and for arrays
of the host alone, that need no conversion.

Each comparison that fails leads to the general way, which converts or explains. What remains is the look for the graph
of the addresses, and the results' memory.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from ..abi import row_major
from ..arena import class_of
from ..fast_call import in_order
from ..results import address_of
from . import driver
from .arguments import alignment_of
from .device_array import DeviceArray, imported, is_foreign
from .memory import ALIGNMENT as LEAST

if TYPE_CHECKING:
    from .call import Plan
    from .executable import CudaExecutable

FITS, ADDRESS = attrgetter("fits"), attrgetter("address")


def is_short(exe: CudaExecutable) -> bool:
    """Is every result a slot of its own, and nothing donated?"""
    program = exe.program
    return in_order(program) and not any(a.donated for a in program.arguments)


class FastCall:
    """`run` returns None where the general way must be taken."""

    __slots__ = ("constants", "device", "expected", "graphs", "owner", "plan", "pool", "results", "sizes", "staged")

    def __init__(self, owner: CudaExecutable, plan: Plan) -> None:
        self.owner, self.plan, self.graphs = owner, plan, owner.graphs
        self.device, self.pool = owner.device, owner.device.pool
        self.expected = [
            (dtype, shape, steps, alignment_of(argument, dtype) - 1, owner.device)
            for argument, dtype, shape, steps in zip(owner.program.arguments, owner.dtypes, plan.shapes, plan.steps)
        ]
        """What arguments must be: as an array never changes, one that was found to be so has it as `fits`."""
        self.constants = [a.address for a in owner.places]
        self.sizes = [(class_of(max(size, LEAST)), size) for size in plan.slots]
        self.staged = [*range(len(self.expected)), *(("slot", k) for k in range(len(plan.slots)))]
        """The executable's buffers that hold the arguments and the results."""
        self.results = [(w.shape, row_major(w.shape), w.dtype) for w in plan.results]

    def run(self, arrays: Sequence[Any]) -> Any:
        try:
            known = [*map(FITS, arrays)] == self.expected
        except AttributeError:
            known = False
        if not known:
            found = self.found(arrays)
            if found is None:
                return None
            arrays = found
        device, pool, plan = self.device, self.pool, self.plan
        if driver.forked_child:
            driver.check_process()
        with device.lock:
            if device.depth:
                return None
            if device.left or device.retained:
                with device:
                    pass
            blocks = [*starmap(pool.again, self.sizes)]
            arena: int | None = None
            if plan.arena:
                block = device.arena
                if block is None or block.size < plan.arena:
                    block = self.owner.arena_of(plan.arena)
                arena = block.address if block is not None else None
            key = (*map(ADDRESS, arrays), *self.constants, *map(ADDRESS, blocks), arena, plan.sizes)
            graphs = self.graphs
            graph = graphs.latest if key == graphs.latest_key else graphs.find(key)
            if graph is not None:
                status = graph.replay(graph.at)
                if status:
                    device.driver.fail(status, "cuGraphLaunch")
            else:
                self.launch([*map(ADDRESS, arrays), *self.constants, *map(ADDRESS, blocks)], arena)
        if len(blocks) == 1:
            (block,), (shape, steps, dtype) = blocks, self.results[0]
            return DeviceArray(device, block.address, shape, steps, dtype, block)
        return tuple(
            [
                DeviceArray(device, block.address, shape, steps, dtype, block)
                for block, (shape, steps, dtype) in zip(blocks, self.results)
            ]
        )

    def found(self, arrays: Sequence[Any]) -> list[DeviceArray] | None:
        """Arrays on the device as they are expected. Whoever calls holds them until the work is enqueued."""
        device, found = self.device, list[DeviceArray]()
        if len(arrays) != len(self.expected):
            return None
        for array, expected in zip(arrays, self.expected):
            if type(array) is not DeviceArray:
                if type(array) is ndarray:
                    return None
                try:
                    array = imported(array, device) if is_foreign(array) else None
                except Exception:  # the general way says what it is
                    return None
            if array is None or array.device is not device:
                return None
            dtype, shape, steps, bits, _ = expected
            if array.steps != steps or array.shape != shape or array.dtype is not dtype or array.address & bits:
                return None
            array.fits = expected
            found.append(array)
        return found

    def launch(self, pointers: Sequence[int], arena: int | None) -> None:
        """Behind the device's lock."""
        with self.device as device:
            device.depth += 1
            try:
                self.owner.launch(self.plan, pointers, arena, self.plan.sizes)
            finally:
                device.depth -= 1

    def run_on_host(self, arrays: Sequence[Any]) -> Any:
        """For NumPy's arrays alone, once the executable has its buffers."""
        if len(arrays) != len(self.expected):
            return None
        for array, (dtype, shape, *_) in zip(arrays, self.expected):
            if (
                type(array) is not ndarray
                or array.dtype is not dtype
                or array.shape != shape
                or not array.flags.c_contiguous
            ):
                return None
        device, owner = self.device, self.owner
        outputs = [device.pool.pinned.array(shape, dtype) for shape, _, dtype in self.results]
        with device:
            if device.depth:
                return None
            try:
                blocks = [owner.staged[key] for key in self.staged]
            except KeyError:
                return None
            n, stream = len(arrays), device.stream
            if any(b.size < a.nbytes for a, b in zip([*arrays, *outputs], blocks)):
                return None
            for array, block in zip(arrays, blocks):
                if array.nbytes:
                    device.driver.call("cuMemcpyHtoDAsync_v2", block.address, address_of(array), array.nbytes, stream)
            addresses = [b.address for b in blocks]
            arena = owner.arena_of(self.plan.arena)
            pointers = [*addresses[:n], *self.constants, *addresses[n:]]
            self.launch(pointers, arena.address if arena is not None else None)
            for array, block in zip(outputs, blocks[n:]):
                if array.nbytes:
                    device.driver.call("cuMemcpyDtoHAsync_v2", address_of(array), block.address, array.nbytes, stream)
        owner.wait()
        return outputs[0] if len(outputs) == 1 else tuple(outputs)
