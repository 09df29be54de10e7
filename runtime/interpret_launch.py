"""Launches in the interpreter: blocks one after the other, the threads of a block together, op by op.

What a card would not tell is an error at its place: races (`interpret_races`), reads of shared memory that nobody wrote
and indices out of bounds (`interpret_thread_memory`), barriers that some threads do not reach, shuffles from threads
that do not take part, copies that are read too early (`interpret_copies`). Blocks run in a shuffled order, so that a
kernel that needs an order of its blocks shows it.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from math import prod

import numpy as np
from xdsl.dialects import scf
from xdsl.ir import Operation

from ..dialects.errors import CompileError
from ..dialects.gpu import LaunchOp, ShuffleOp
from . import interpret_thread_memory
from .interpret_arith import Array
from .interpret_threads import Lanes, Launch, Threads, in_launch
from .interpreter import Frame, handler_of, handles

WARP = 32
MOST_THREADS = 1024

interpret_thread_memory.register()


@handles("gpu.launch")
def _launch(frame: Frame, op: Operation) -> None:
    assert isinstance(op, LaunchOp)
    if isinstance(frame, Threads):
        raise CompileError(f"{op.name}: expected a launch outside of other launches", op.location)
    sizes = [int(frame[v]) for v in op.operands]
    grid, threads = sizes[:3], sizes[3:]
    count = prod(threads)
    if not 1 <= count <= MOST_THREADS:
        raise CompileError(f"{op.name}: expected 1 to {MOST_THREADS} threads in a block, found {count}", op.location)
    launch = Launch(op)
    order = np.random.default_rng(frame.interpreter.seed).permutation(prod(grid))
    everyone = np.arange(count)
    own = [Lanes(v) if n > 1 else np.int64(0) for v, n in zip(unraveled(everyone, threads), threads)]
    for number in order[: frame.interpreter.most_blocks]:
        block = unraveled(number, grid)
        inner = Threads(frame, launch, count, ", ".join(map(str, block[: 1 if prod(grid[1:]) == 1 else 3])))
        inner.run(op.body.block, [*block, *own, *map(np.int64, sizes)])


def unraveled(number: Array, sizes: list[int]) -> list[Array]:
    """The coordinates x, y, z of a number; x runs fastest."""
    x, y, _ = sizes
    return [number % x, number // x % y, number // (x * y)]


@handles("gpu.barrier", "gpu.shuffle")
def _outside(frame: Frame, op: Operation) -> None:
    raise CompileError(f"{op.name}: expected it in a gpu.launch", op.location)


# ---- control flow
@in_launch("scf.if")
def _if(frame: Threads, op: Operation) -> None:
    assert isinstance(op, scf.IfOp)
    if not isinstance(frame[op.cond], Lanes):
        return handler_of(op)(frame, op)
    condition = frame.lanes(op.cond)
    chosen = condition[frame.active]
    if chosen.all() or not chosen.any():
        region = op.true_region if chosen.all() else op.false_region
        return frame.set(op, frame.run(region.block, []) if region.blocks else [])
    out: list[list[object]] = []
    for region, where in ((op.true_region, condition), (op.false_region, ~condition)):
        with frame.only(where):
            out.append(frame.run(region.block, []) if region.blocks else [])
    frame.set(op, [frame.merged(condition, a, b) for a, b in zip(*out)])


@in_launch("scf.for")
def _for(frame: Threads, op: Operation) -> None:
    assert isinstance(op, scf.ForOp)
    bounds = frame.get((op.lb, op.ub, op.step))
    if not any(isinstance(b, Lanes) for b in bounds):
        return handler_of(op)(frame, op)
    step = int(frame.uniform(op, op.step, "step"))
    if step <= 0:
        raise CompileError(f"{op.name}: expected a positive step, found {step}", op.location)
    end, values, passed = frame.lanes(op.ub), frame.get(op.iter_args), np.int64(0)
    while True:
        i = Lanes(bounds[0].data + passed) if isinstance(bounds[0], Lanes) else bounds[0] + passed
        running = (i.data if isinstance(i, Lanes) else i) < end
        if not (chosen := running[frame.active]).any():
            break
        if chosen.all():
            values = frame.run(op.body.block, [i, *values])
        else:
            with frame.only(running):
                new = frame.run(op.body.block, [i, *values])
            values = [frame.merged(running, a, b) for a, b in zip(new, values, strict=True)]
        passed += step
    frame.set(op, values)


# ---- what threads do together
@in_launch("gpu.barrier")
def _barrier(frame: Threads, op: Operation) -> None:
    if not frame.all_run:
        missing = int(np.setdiff1d(frame.everyone, frame.active)[0])
        raise CompileError(
            f"{op.name}: divergent barrier: expected all {frame.count} threads of the block, found "
            f"{len(frame.active)}; thread {missing} of block {frame.block} does not reach it",
            op.location,
        )
    frame.launch.clock.barrier()


@in_launch("gpu.shuffle")
def _shuffle(frame: Threads, op: Operation) -> None:
    assert isinstance(op, ShuffleOp)
    active = frame.active
    whole_warps(frame, op, "divergent shuffle")
    offset, width = (np.broadcast_to(frame.of_active(v), active.shape).astype(np.int64) for v in (op.offset, op.width))
    source, valid = shuffled(op.mode.data, active % WARP, offset, width)
    source += active - active % WARP
    runs = np.zeros(max(frame.count, int(source.max()) + 1), np.bool_)
    runs[active] = True
    if not (ok := runs[source]).all():
        k = int(np.argmin(ok))
        raise CompileError(
            f"{op.name}: thread {active[k]} of block {frame.block} reads the value of thread {source[k]}, which is not "
            "active here",
            op.location,
        )
    flags = np.zeros(frame.count, np.bool_)
    flags[active] = valid
    value = frame[op.value]
    if isinstance(value, Lanes):
        out = value.data.copy()
        out[active] = value.data[source]
        value = Lanes(out)
    frame.set(op, [value, Lanes(flags)])


def whole_warps(frame: Threads, op: Operation, problem: str) -> None:
    """Check that of no warp a part runs: what its threads do together, all must do."""
    running = np.bincount(frame.active // WARP, minlength=-(-frame.count // WARP))
    whole = np.minimum(frame.count - WARP * np.arange(len(running)), WARP)
    if (part := (running != 0) & (running != whole)).any():
        warp = int(np.argmax(part))
        raise CompileError(
            f"{op.name}: {problem}: expected all {whole[warp]} threads of a warp, found {running[warp]} of those from "
            f"{warp * WARP} in block {frame.block}",
            op.location,
        )


def shuffled(mode: str, lane: Array, offset: Array, width: Array) -> tuple[Array, Array]:
    """The lane whose value a lane gets, its own where that is none of its group of `width`; and whether it is one."""
    first = lane // width * width
    wanted = {"xor": lane ^ offset, "up": lane - offset, "down": lane + offset, "idx": first + offset}[mode]
    valid = (wanted >= first) & (wanted < first + width)
    return np.where(valid, wanted, lane), valid
