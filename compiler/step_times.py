"""How long the programs of rewrite steps take: compiled as they are, and run where a machine is at hand.

The host is at hand if the description is the host's; a GPU if it is here and of the described architecture. All
programs of a machine run in turns, so that a clock that changes meets all; the best time counts. A program whose
resources have no data runs on random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from .machine import Machine
from .options import CompileOptions, passes

FUSION = "graph-fuse"

TURNS = 20
REPLAYS = 20
"""Of a program on a GPU in a turn."""

SPREAD = 0.05
"""Of the normal numbers that stand for missing data: products of them neither vanish nor overflow."""

Arguments = Callable[[FuncOp], list[Any]]


@dataclass(frozen=True)
class Place:
    """Where programs run: `options` compile for it, `times` gives the best seconds of calls."""

    options: CompileOptions
    times: Callable[[Sequence[Callable[[], Any]]], list[float]]
    on: Callable[[Any], Any]
    """An array in the memory of the machine."""


def at_hand(machine: Machine, numerics: str = "ieee") -> Place | None:
    """The place that a description is of, if it is here."""
    if machine.kind == "gpu":
        return _gpu(machine, numerics)
    return Place(CompileOptions(numerics=numerics), _host_times, lambda x: x) if machine == Machine.host() else None


def _host_times(calls: Sequence[Callable[[], Any]]) -> list[float]:
    from .calibrate import Probe

    probes = [Probe("", call, lambda s: s) for call in calls]
    for _ in range(TURNS):
        for probe in probes:
            probe.turn()
    return [probe.best for probe in probes]


def _gpu(machine: Machine, numerics: str) -> Place | None:
    from ..runtime.cuda.device import current
    from ..runtime.cuda.device_array import to_device
    from ..runtime.cuda.driver import DriverError
    from ..runtime.cuda.timing import interleaved

    try:
        device = current()
    except (CompileError, DriverError):
        return None
    if device.properties.sm != machine.arch:
        return None

    def times(calls: Sequence[Callable[[], Any]]) -> list[float]:
        return [min(rounds) for rounds in interleaved(device, calls, REPLAYS, TURNS)]

    return Place(CompileOptions(numerics=numerics, target="cuda", arch=machine.arch), times, to_device)


def with_data(module: ModuleOp) -> ModuleOp:
    """Give resources without data random numbers, equal ones to equal resources."""
    import numpy as np

    from ..dialects.nd.resource import ResourceOp, is_bound, keep
    from ..dialects.nd.types import NUMPY, element, shape_of

    rng, drawn = np.random.default_rng(0), dict[str, Any]()
    for op in module.walk():
        if isinstance(op, ResourceOp) and not is_bound(op):
            found = op.data.data
            if found.hash not in drawn:
                numbers = rng.standard_normal([int(str(d)) for d in shape_of(op.type)])
                drawn[found.hash] = keep((SPREAD * numbers).astype(NUMPY[element(op.type)]), found.name)
            op.properties["data"] = drawn[found.hash]
    return module


def fusion(todo: Sequence[ModulePass]) -> int:
    """Where the passes fuse."""
    return next(k for k, p in enumerate(todo) if p.name == FUSION)


def runnable(module: ModuleOp, make: Arguments, place: Place) -> Callable[[], Any]:
    """A call of the program as it is: passes from fusion on compile it."""
    from .bounds import bounds_of
    from .compile import build_program, resources_read
    from .cost import is_program
    from .weights import resources_of

    clone = module.clone()
    main = next(op for op in clone.ops if isinstance(op, FuncOp) and is_program(op))
    todo = passes(place.options)
    todo = todo[fusion(todo) :]
    arrays, bounds, resources = [*map(place.on, make(main))], bounds_of(main), resources_of(clone)
    options = replace(place.options, entry=main.sym_name.data)
    exe, facts = build_program(clone, "", options, resources, todo)
    exe.options, exe.facts, exe.bounds = options, facts, bounds
    exe.resources = resources_read(exe.program, resources)
    program: Any = exe
    return program.bind(*arrays) if options.target == "cuda" else lambda: program(*arrays)
