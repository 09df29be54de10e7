"""Times of programs at some step of their rewriting, for `mlc-opt --explain --measure`.

    probe = timed(module, machine, arrays)
    probe.turn()
    seconds = probe.value(probe.best)

A program is compiled as it is: passes from fusion on, none that rewrites. It runs on the host, or on the GPU at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from .calibrate import Probe
from .compile import Compiled, build_program, resources_read
from .machine import Machine
from .options import CompileOptions, passes

FUSION = "graph-fuse"
"""The first pass that a program of tensor ops needs to run."""

TOGETHER = 20
"""Calls of a GPU in a row, whose results are waited for in the end."""

Arrays = Callable[[FuncOp], Sequence[Any]]
"""Makes arguments of a function."""


def options_for(machine: Machine, numerics: str = "ieee", entry: str = "main") -> CompileOptions:
    """What programs for a machine are compiled with."""
    if machine.kind == "gpu":
        return CompileOptions(entry, numerics=numerics, target="cuda", arch=machine.arch)
    return CompileOptions(entry, numerics=numerics)


def is_here(machine: Machine) -> bool:
    """Is it the host, or the GPU at hand?"""
    if machine.kind != "gpu":
        return machine == Machine.host()
    from ..runtime.cuda.device import current
    from ..runtime.cuda.driver import DriverError

    try:
        return Machine.gpu(current().properties.sm).name == machine.name
    except (CompileError, DriverError):
        return False


def timed(module: ModuleOp, f: FuncOp, machine: Machine, make: Arrays) -> Probe:
    """What calls the program `f` of a module, with the arguments that `make` makes; the module stays as it is."""
    arrays, exe = make(f), compiled(module.clone(), options_for(machine, entry=f.sym_name.data))
    if machine.kind != "gpu":
        return Probe("", lambda: exe(*arrays), lambda s: s)
    from ..runtime.cuda.device_array import to_device

    there = [to_device(a) for a in arrays]

    def calls() -> None:
        last: Any = [exe(*there) for _ in range(TOGETHER)][-1]
        for r in last if isinstance(last, tuple) else (last,):  # pyright: ignore
            if hasattr(r, "synchronize"):  # pyright: ignore
                r.synchronize()  # pyright: ignore

    return Probe("", calls, lambda s: s / TOGETHER, clock=time.perf_counter)


def compiled(module: ModuleOp, options: CompileOptions) -> Compiled:
    """The program without further rewriting; the module is used up."""
    from .blocks import entry
    from .bounds import bounds_of
    from .weights import resources_of

    todo = passes(options)
    todo = todo[next(k for k, p in enumerate(todo) if p.name == FUSION) :]
    bounds, resources = bounds_of(entry(module, options.entry)), resources_of(module)
    exe, facts = build_program(module, "", options, resources, todo)
    exe.options, exe.facts, exe.bounds = options, facts, bounds
    exe.resources = resources_read(exe.program, resources)
    return exe
