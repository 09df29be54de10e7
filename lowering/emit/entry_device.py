"""The entry of a program for a GPU: host code over buffers and an arena that are the device's memory.

    %0 = graph.copy %x ..          call void @mlc_gpu_copy(ptr %context, ptr %v1, ptr %b0, i64 4096)
    nd.if %p ..                    call void @mlc_gpu_read(ptr %context, ptr %read, ptr %v2, i64 1)
                                   %v3 = load i8, ptr %read ..

Sizes, offsets and trips of loops are the host's numbers, as on a CPU; a predicate is read from the device after all
work before it. What a print shows lies in the device's memory, too: the host's part of it reads it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument, OpResult, SSAValue

from ...dialects.graph.ops import LaunchOp, PrepareOp
from ...dialects.graph.place import Place
from ...dialects.graph.regions import carried, places_of, region_of
from ...dialects.graph.views import layout_of, view_of
from ...dialects.nd.constant import Constant
from ...dialects.nd.dims import Dim, Sym
from ...dialects.nd.resource import ResourceOp
from .entry import Entry
from .entry_pointers import ALIGNMENT, width_of

READ = "  %read = alloca i8"


class DeviceEntry(Entry):
    """Emits a program for a GPU op by op."""

    def transfer(self, target: str, source: str, count: Dim) -> None:
        if count != 0:
            self.declare("void", "mlc_gpu_copy", "ptr", "ptr", "ptr", "i64")
            number = self.number(count)
            self.line(f"call void @mlc_gpu_copy(ptr %context, ptr {target}, ptr {source}, i64 {number})")

    def truth(self, pointer: str) -> str:
        self.declare("void", "mlc_gpu_read", "ptr", "ptr", "ptr", "i64")
        if READ not in self.scopes[0]:
            self.scopes[0].insert(0, READ)
        self.line(f"call void @mlc_gpu_read(ptr %context, ptr %read, ptr {pointer}, i64 1)")
        return self.op(f"icmp ne i8 {self.op('load i8, ptr %read')}, 0")

    def call(self) -> str:
        """NumPy's arrays are not in the device's memory."""
        return ""

    def interface(self) -> dict[str, Any]:
        found = super().interface()
        for buffer in (*found["arguments"], *found["slots"]):
            buffer["aligned"] = buffer.get("strides") is None
        images = [(code.name, code.device) for code in self.kernels.values() if code.device is not None]
        found["images"] = [
            {"kernel": name, "entries": list(device.names), "shared": list(device.shared)} for name, device in images
        ]
        return found


def alignments(main: FuncOp, launches: Sequence[LaunchOp]) -> dict[str, tuple[int, ...]]:
    """By kernel: what the address of each argument is a multiple of in every launch, if buffers, and the arena, begin
    at multiples of ALIGNMENT. Arguments of the program that have strides begin anywhere."""
    found: dict[str, tuple[int, ...]] = {}
    for op in launches:
        views = [view_of(v) for v in op.args]
        given = [gcd(_base(v.base), _multiple(v.offset) * width_of(x)) for v, x in zip(views, op.args, strict=True)]
        given += [_base(r) for r in op.res]
        before = found.get(op.kernel, tuple(given))
        found[op.kernel] = tuple(map(gcd, before, given))
    return found


def _base(value: SSAValue) -> int:
    owner: Any = value.owner
    if isinstance(owner, PrepareOp | ResourceOp | Constant):
        return ALIGNMENT
    if isinstance(value, BlockArgument):
        loop = region_of(value)
        if loop is None:
            return ALIGNMENT if layout_of(value) is None else width_of(value)
        position = carried(value)
    else:
        assert isinstance(value, OpResult)
        loop, position = value.op, value.index
    places = places_of(loop)
    assert places is not None and position is not None
    return _place(places[position])


def _place(place: Place) -> int:
    return gcd(ALIGNMENT, _multiple(place.number if place.base == "arena" else place.at))


def _multiple(dim: Dim) -> int:
    """A number that every value of a size is a multiple of."""
    return gcd(*(k for _, k in dim.terms)) if isinstance(dim, Sym) else dim


__all__ = ["DeviceEntry", "alignments"]
