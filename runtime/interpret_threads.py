"""The frame of one block of a launch: all its threads run op by op together.

A value that may differ between threads is `Lanes`, an array with an axis of threads in front; any other is the same for
all, and costs what it costs outside of a launch. `mask` says which threads run; ops without effects run for all. The
table `IN_LAUNCH` has what ops do that touch memory or other threads; everything else is a function of `PURE`.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ..dialects.errors import CompileError
from ..dialects.gpu import LOCKSTEP
from .interpret_arith import Array
from .interpret_guards import Guards
from .interpret_races import Accesses, Clock
from .interpret_values import PURE, Pure, shape_of
from .interpreter import Frame, Handler, handler_of


class Lanes(NamedTuple):
    """The values of all threads of a block."""

    data: Array


InLaunch = Callable[["Threads", Operation], None]
IN_LAUNCH: dict[str, InLaunch] = {}
UNCHANGED = ("memref.dealloc", "memref.dim", "memref.extract_strided_metadata")
"""Ops that do in a launch what they do outside."""
WARP_WIDE = ("nvgpu.ldmatrix", "nvgpu.mma.sync")


def in_launch(*names: str) -> Callable[[InLaunch], InLaunch]:
    """Put a function into the table."""

    def register(f: InLaunch) -> InLaunch:
        IN_LAUNCH.update(dict.fromkeys(names, f))
        return f

    return register


class Launch:
    """What the blocks of one launch share."""

    def __init__(self, op: Operation) -> None:
        self.op = op
        self.clock = Clock(lockstep=LOCKSTEP in op.attributes)
        self.accesses: dict[tuple[int, int], Accesses] = {}
        """Of global memory: by the address of the allocation and the bytes of an element."""
        self.guards = Guards()


class Threads(Frame):
    """The values of one block's threads; those from outside of the launch are the outer frame's."""

    def __init__(self, outer: Frame, launch: Launch, count: int, block: str) -> None:
        super().__init__(outer.interpreter, outer.symbols)
        self.values = outer.values
        self.launch, self.count, self.block = launch, count, block
        self.everyone = np.arange(count)
        self.active = self.everyone
        """The numbers of the threads that run."""
        self.shared: dict[Any, Any] = {}
        """State of the block that a kind of ops keeps, by a name of its own."""
        launch.clock.enter(block)

    @property
    def all_run(self) -> bool:
        return len(self.active) == self.count

    def lanes(self, value: SSAValue) -> Array:
        """One value for each thread, running or not."""
        found = self.values[value]
        if isinstance(found, Lanes):
            return found.data
        found = np.asarray(found)
        return np.broadcast_to(found, (self.count, *found.shape))

    def of_active(self, value: SSAValue, rank: int = 0) -> Array:
        """The values of the threads that run, or the one of all; `rank` axes follow those of threads."""
        found = self.values[value]
        if not isinstance(found, Lanes):
            return np.asarray(found)
        data = found.data if self.all_run else found.data[self.active]
        return data.reshape((*data.shape, *(1,) * rank))

    def uniform(self, op: Operation, value: SSAValue, what: str) -> Any:
        """A value that must be the same in all threads that run."""
        found = self.of_active(value)
        if not isinstance(self.values[value], Lanes):
            return self.values[value]
        if (found != found[0]).any():
            raise CompileError(
                f"{op.name}: expected the same {what} in all threads, found {set_of(found)}", op.location
            )
        return found[0]

    @contextmanager
    def only(self, chosen: Array):
        """Run what follows for those of the running threads that are `chosen` (one truth value for each thread)."""
        before = self.active
        self.active = before[chosen[before]]
        try:
            yield
        finally:
            self.active = before

    def merged(self, chosen: Array, a: Any, b: Any) -> Lanes:
        """`a` in the chosen threads, `b` in the others."""
        x, y = (v.data if isinstance(v, Lanes) else np.asarray(v)[None] for v in (a, b))
        return Lanes(np.where(chosen.reshape((-1, *(1,) * (x.ndim - 1))), x, y))

    def handler(self, op: Operation) -> Handler:
        if op.name.startswith("nvgpu.") and op.name not in IN_LAUNCH:
            import_module(".interpret_tensor_cores" if op.name in WARP_WIDE else ".interpret_copies", __package__)
        if (found := IN_LAUNCH.get(op.name)) is not None:
            return found  # type: ignore[return-value]
        if (f := PURE.get(op.name)) is not None:
            return of_many_threads(f)
        if op.name in UNCHANGED:
            return handler_of(op)
        raise CompileError(f"{op.name}: the interpreter has no meaning for it in a launch", op.location)

    def run(self, block: Block, args: Sequence[Any]) -> list[Any]:
        return super().run(block, args)


def of_many_threads(f: Pure) -> Any:
    """What an op does that makes a value from values: once where all threads have the same."""

    def run(frame: Threads, op: Operation) -> None:
        values = frame.get(op.operands)
        if any(isinstance(v, Lanes) for v in values):
            frame.set(op, [Lanes(f(op, [frame.lanes(v) for v in op.operands], (frame.count,)))])
        else:
            frame.set(op, [f(op, values, ())])

    return run


def set_of(values: Array) -> str:
    """A few different values, for messages."""
    found = np.unique(values)
    return ", ".join(map(str, found[:3])) + (" ..." if len(found) > 3 else "")


__all__ = ["IN_LAUNCH", "Lanes", "Launch", "Threads", "in_launch", "set_of", "shape_of"]
