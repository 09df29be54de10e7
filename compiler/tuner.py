"""Search for faster schedules of kernels by running them: what `mlc-tune` does.

    for kernel in kernels_to_tune(module, machine, threads, sizes, seed):
        found = search(kernel, seconds, seed, progress)

A search begins with the schedule that the rules choose and goes from the best one so far to its neighbours, one respect
after the other (coordinate descent), then to some further away. A candidate is compiled, its results are compared with
those of the first one, and it is timed in turns with the best one so far; medians decide. What a seed decides is the
order of the candidates: two runs try the same ones as long as the same ones win.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp

from ..dialects.errors import CompileError
from ..dialects.nd.dims import evaluate
from ..dialects.nd.types import shape_of
from ..runtime import jit
from ..runtime.matching import assert_matches, program_tolerance
from . import driver
from .machine import Machine, detect
from .native import NativeKernel, compile_kernel
from .pipelines import KERNELS
from .schedules import SCHEDULE, kernels
from .transforms.loop.candidates import Tile, neighbours, start
from .transforms.loop.choose_schedule import name_stages, name_values, parts, schedule
from .transforms.loop.classify import Contraction, contraction

Array = np.ndarray[Any, Any]
AFTER = ("apply-schedule", "loop-copies", "lower-loop", "expand-math")

ROUNDS = 7
"""Times of each of two candidates, taken in turns."""
SAMPLE = 500e-6
"""Seconds that one time should take at least; shorter kernels are called several times."""
RESPECTS = 6
"""The respects in which `neighbours` differ."""
JUMPS = 16
"""Choices in several respects that are tried where no neighbour is new."""
FAR = 1.3
"""A candidate that takes so many times as long in a first round is not timed again."""
BETTER = 0.985
"""A candidate that takes more of the best one's time is no better: times vary."""
WORTH = 0.97
"""A winner that takes more of the first one's time is not worth a record."""


@dataclass
class Kernel:
    """A function of the loop level, with arguments to run it on."""

    function: FuncOp
    machine: Machine
    threads: int
    inputs: list[Array]
    shapes: list[tuple[int, ...]]
    """Of the results."""
    tolerance: Any

    @property
    def name(self) -> str:
        return self.function.sym_name.data

    def contractions(self) -> dict[str, tuple[Contraction, bool]]:
        """Those that the search may change, by label, and whether other stages share their loops."""
        groups = parts(self.function)
        found = {g[0].label.data: (contraction(g[0]), len(g) > 1) for g in groups}
        return {label: (c, more) for label, (c, more) in found.items() if c is not None and not c.along}


@dataclass
class Trial:
    """A schedule that compiles and gives the right results."""

    steps: str
    tiles: dict[str, Tile]
    call: Callable[[], None]
    kernel: NativeKernel
    results: list[Array]


@dataclass
class Found:
    """What a search found."""

    name: str
    first: str
    best: str
    first_seconds: float = 0.0
    best_seconds: float = 0.0
    tried: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list[str])
    """Schedules whose results were not those of the first one: faults of the compiler."""
    better: bool = False
    """Is the best one worth a record?"""


def kernels_to_tune(
    module: ModuleOp, machine: Machine, threads: int, sizes: dict[str, int], make: Callable[[FuncOp], list[Array]]
) -> list[Kernel]:
    """The kernels of a module that have contractions; the module is used up. `make` makes arguments of a function."""
    driver.run(module, KERNELS[machine.kind])
    before = {f.sym_name.data: f.clone() for f in module.walk() if isinstance(f, FuncOp) and f.body.blocks}
    driver.run(module, ["nd-to-loop", "collapse-axes"])
    found: list[Kernel] = []
    for f in kernels(module):
        name_stages(f)
        name_values(f)
        types = f.function_type.inputs.data
        given = make(before[f.sym_name.data])
        inputs = [a.reshape([int(evaluate(d, sizes)) for d in shape_of(t)]) for a, t in zip(given, types, strict=True)]
        shapes = [tuple(int(evaluate(d, sizes)) for d in shape_of(t)) for t in f.function_type.outputs.data]
        kernel = Kernel(f, machine, threads, inputs, shapes, None)
        if not kernel.contractions():
            continue
        kernel.tolerance = tolerance_of(before[f.sym_name.data], kernel, given)
        found.append(kernel)
    return found


def tolerance_of(f: FuncOp, kernel: Kernel, inputs: list[Array]) -> Any:
    """What results of two schedules may differ by; `inputs` of the function as it was at the tensor level."""
    from ..dialects.nd.op import Tolerance

    if any(op.name.startswith("loop.") for op in f.body.block.ops):  # the interpreter would run every point
        terms = max(
            int(np.prod([e if isinstance(e := s.extent(a), int) else 1 for a in c.k]))
            for c, _ in kernel.contractions().values()
            for s in [c.stage]
        )
        return Tolerance(ulp=4, sums=4 * terms**0.5)
    return program_tolerance(ModuleOp([f.clone()]), inputs, f.sym_name.data)


def compiled(kernel: Kernel, steps: str) -> tuple[Callable[[], None], NativeKernel, list[Array]]:
    """A kernel with a schedule: what runs it, and the arrays into which it does."""
    f = kernel.function.clone()
    f.attributes[SCHEDULE] = StringAttr(steps)
    module = ModuleOp([f])
    driver.run(module, AFTER, driver.Options(verify_input=False, verify_each=False))
    lowered = next(op for op in module.body.ops if isinstance(op, FuncOp))
    width = kernel.machine.vector_bytes
    features = jit.features_for(width) if width < detect().vector_bytes else None
    native = compile_kernel(lowered, width, features=features, threads=kernel.threads)
    outs = [
        aligned(shape, dtype)
        for shape, dtype in zip(kernel.shapes, dtypes_of(kernel.function.function_type.outputs.data), strict=True)
    ]
    return native.bound(*kernel.inputs, *outs), native, outs


def dtypes_of(types: Sequence[Any]) -> list[np.dtype[Any]]:
    from ..dialects.nd.types import NUMPY, element

    return [NUMPY[element(t)] for t in types]


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Memory for a result, at a line of the caches, as streaming stores need it."""
    size = int(np.prod(shape)) * dtype.itemsize
    space = np.zeros(size + 64, np.uint8)
    at = -space.ctypes.data % 64
    return space[at : at + size].view(dtype).reshape(shape)


def trial(kernel: Kernel, tiles: dict[str, Tile], steps: str, want: Sequence[Array] | None) -> Trial:
    """Compile and check a schedule; CompileError if it does not apply, AssertionError if its results are others."""
    call, native, results = compiled(kernel, steps)
    call()
    for got, expected in zip(results, want or (), strict=want is not None):
        assert_matches(kernel.tolerance, got, expected)
    return Trial(steps, tiles, call, native, results)


@dataclass(frozen=True)
class Compared:
    """Median seconds of a call of two candidates, and the median of their ratio in a round: what all feel cancels."""

    old: float
    new: float
    ratio: float


def interleaved(a: Callable[[], None], b: Callable[[], None], rounds: int = ROUNDS) -> Compared:
    """Both timed in turns."""

    def timed(call: Callable[[], None], count: int) -> float:
        begin = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - begin) / count

    once = max(min(timed(a, 1), timed(a, 1)), 1e-7)
    count = max(1, round(SAMPLE / once))
    timed(b, 1)
    times: tuple[list[float], list[float]] = ([], [])
    for k in range(rounds):
        for which in (0, 1) if k % 2 == 0 else (1, 0):
            times[which].append(timed((a, b)[which], count))
    ratios = [new / old for old, new in zip(*times, strict=True)]
    return Compared(statistics.median(times[0]), statistics.median(times[1]), statistics.median(ratios))


def search(
    kernel: Kernel, seconds: float, seed: int = 0, progress: Callable[[float, str], None] = lambda _, __: None
) -> Found:
    """The best schedule that is found within some seconds."""
    begin = time.perf_counter()
    end = begin + seconds
    steps = schedule(kernel.function, kernel.machine, kernel.threads)
    first = trial(kernel, {}, steps, None)
    want = [r.copy() for r in first.results]
    best = first
    found = Found(kernel.name, steps, steps, tried=1)
    leader = {label: start(c, kernel.machine, more) for label, (c, more) in kernel.contractions().items()}
    seen = {steps}
    for tiles in descent(kernel, leader, random.Random(seed)):
        now = time.perf_counter()
        progress(now - begin, f"{kernel.name} {found.tried} tried")
        if now >= end:
            break
        text = schedule(kernel.function, kernel.machine, kernel.threads, tiles)
        if text in seen:
            continue
        seen.add(text)
        try:
            candidate = trial(kernel, tiles, text, want)
        except CompileError:
            found.refused += 1
            continue
        except AssertionError:
            found.wrong.append(text)
            continue
        found.tried += 1
        if interleaved(best.call, candidate.call, 1).ratio > FAR:
            continue
        if interleaved(best.call, candidate.call).ratio < BETTER:
            best = candidate
            leader.update(tiles)
    last = interleaved(first.call, best.call, 3 * ROUNDS)
    found.best, found.first_seconds, found.best_seconds = best.steps, last.old, last.new
    found.better = best is not first and last.ratio < WORTH
    progress(time.perf_counter() - begin, kernel.name)
    return found


def descent(kernel: Kernel, leader: dict[str, Tile], order: random.Random) -> Iterator[dict[str, Tile]]:
    """Choices around the best one so far, which the caller keeps in `leader`, one respect of one contraction after the
    other; when none of them is new, some that differ in several respects, until those are known too."""
    contractions = {label: c for label, (c, _) in kernel.contractions().items()}
    tried: set[tuple[tuple[str, Tile], ...]] = set()

    def unknown(choice: dict[str, Tile]) -> bool:
        key = tuple(choice.items())
        new = key not in tried
        tried.add(key)
        return new

    def jump() -> dict[str, Tile]:
        choice = dict(leader)
        for label, k in order.choices([(label, k) for label in leader for k in range(RESPECTS)], k=RESPECTS):
            tiles = neighbours(contractions[label], choice[label], kernel.machine)[k]
            choice[label] = order.choice(tiles) if tiles else choice[label]
        return choice

    yield dict(leader)
    while True:
        respects = [(label, k) for label in leader for k in range(RESPECTS)]
        order.shuffle(respects)
        new = False
        for label, k in respects:
            for tile in neighbours(contractions[label], leader[label], kernel.machine)[k]:
                choice = {**leader, label: tile}
                if unknown(choice):
                    new = True
                    yield choice
        if not new:
            far = [choice for choice in (jump() for _ in range(JUMPS)) if unknown(choice)]
            if not far:
                return
            yield from far


def schedule_text(kernel: Kernel, steps: str) -> str:
    """The kernel with a schedule, as --schedule reads it."""
    from .schedules import kernel_text

    return kernel_text(kernel.function, steps)
