"""What calls with the same shapes have in common (`Plan`), and the state of one call while it is enqueued (`Call`)."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..abi import Program, Result, count, evaluate, numpy_type, row_major
from ..results import layout
from .device_array import extent
from .dlpack import dense

if TYPE_CHECKING:
    from .device import Device
    from .device_array import DeviceArray
    from .memory import Block


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
    __slots__ = (
        "arena",
        "free",
        "held",
        "long",
        "recordable",
        "results",
        "shapes",
        "sizes",
        "slots",
        "steps",
        "symbols",
    )

    def __init__(self, program: Program, symbols: dict[str, int], long: bool) -> None:
        self.symbols = symbols
        self.shapes = [tuple(evaluate(s, symbols) for s in a.shape) for a in program.arguments]
        self.steps = [
            tuple(a.strides) if a.strides is not None else row_major(shape)
            for a, shape in zip(program.arguments, self.shapes)
        ]
        """Strides in elements; None: any."""
        self.sizes = tuple(symbols[s] for s in program.symbols)
        self.arena = evaluate(program.arena, symbols)
        self.slots = [evaluate(s.bytes, symbols) for s in program.slots]
        self.results = [Wanted(r, symbols) for r in program.results]
        self.long = long
        """Does a call look for signals?"""
        self.held = False
        """May the interpreter's lock be kept? Known after a call."""
        self.free = False
        """Does it wait for nothing, and can be recorded? Known after a call."""
        self.recordable: bool | None = None
        """Can, and should, calls be graphs? None: nobody knows yet."""


class Call:
    __slots__ = (
        "arena",
        "arguments",
        "device",
        "given",
        "on_host",
        "own",
        "pinned",
        "plan",
        "slots",
        "strides",
        "waits",
    )

    def __init__(self, device: Device, plan: Plan, given: Sequence[Any], on_host: bool, own: bool) -> None:
        self.device, self.plan, self.given = device, plan, given
        self.on_host = on_host
        """Do results go to the host if nothing else is said?"""
        self.own = own
        """May it use the executable's buffers, and the device's arena? Not in a print of another program."""
        self.arguments: list[DeviceArray] = []
        self.strides: list[int] = []
        """Those that are passed at run time."""
        self.slots: list[DeviceArray] = []
        self.arena: Block | None = None
        self.pinned = False
        """Is an argument copied by the device itself, some time?"""
        self.waits = False
        """Are there results on the host, which are there when the work is done?"""


Finish = Callable[[], Any]
"""Makes a result of what was copied to the host."""
