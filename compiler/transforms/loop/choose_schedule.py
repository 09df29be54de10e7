"""choose-schedule: write a schedule for every kernel, from its shapes, strides and accesses and the machine alone.

The stages of a function are cut into neighbours that share loops: a contraction with what follows it, or rows.
Each part gets its steps, tried on a copy of the function; steps that do not apply there are left out, so that a
schedule always runs: the plain loops are the worst case. The text is what a user would write, edit or tune.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from xdsl.dialects import func
from xdsl.dialects.builtin import StringAttr

from ....dialects.loop.linear import axes_of
from ....dialects.loop.ops import ForOp, JoinOp, StageOp, shape
from ....dialects.loop.queries import members, stages
from ....dialects.nd.dims import size
from ... import settings, tuned
from ...machine import Machine
from ...schedules import FROM, SCHEDULE, TUNED
from .apply_schedule import run_schedule
from .candidates import Tile, schedule_of
from .carries import carrying, first_values, schedule_carry
from .chains import WAYS, chain, schedule_chain
from .classify import Contraction, contraction
from .constants import pack_constant
from .contractions import schedule_contraction
from .dots import dots, offset_steps, schedule_dots
from .few_rows import around, versions
from .grid import schedule_grid
from .own_lanes import pack_own_lanes
from .reorder import TYPICAL
from .rows import ROWS, asked_ahead, parallel_axes, schedule_rows
from .step import LoopStep
from .steptext import element_bytes, extent, step
from .structure import fusable
from .threads import share
from .trials import Trials
from .turned import schedule_turned
from .woven import schedule_woven

LEAST = 16
"""Kernels of fewer points stay plain loops."""


def schedule(f: func.FuncOp, machine: Machine, threads: int = 1, tiles: Mapping[str, Tile] | None = None) -> str:
    """The schedule of a function; the function stays as it is, but its stages and values get names to call them by.

    `tiles`: choices for contractions by their labels, instead of what the rules say.
    """
    name_stages(f)
    name_values(f)
    if machine.kind == "gpu":
        return schedule_grid(f, parts(f), machine)
    if first := offsets(f, machine):
        copy = f.clone()
        for one in first:
            run_schedule(copy, one)
        return ",".join([*first, schedule(copy, machine, threads, tiles)])
    trials = Trials(f)
    steps: list[str] = []
    linked = chain([op for op in f.body.block.ops if isinstance(op, StageOp)])
    if linked:
        steps += chained(trials, linked, machine, threads)
    done = linked if steps else []
    groups = parts(f)
    for part in groups:
        if part[0] in done:
            continue
        first = pack_constant(part, machine) or pack_own_lanes(part, machine)
        if first and trials.after([*steps, *first]) is not None:
            inner, part = packed(trials, first, part)
            steps += accepted(trials, steps, [*first, *steps_of(inner, [], part, machine, threads, tiles)])
        else:
            steps += steps_of(trials, steps, part, machine, threads, tiles)
    for loop in carrying(f):
        steps += accepted(trials, steps, schedule_carry(loop, machine))
    if streams := streamed(f, groups, machine):
        far = [part for part in groups if any(s.label.data in streams for s in part)]
        lines = (part for part in far if not any(contraction(s) or s in done for s in part))
        ahead = [one for part in lines for one in asked_ahead(part, machine)]
        steps += accepted(trials, steps, [step("stream", streams), *ahead])
    return ",".join(steps)


def chained(trials: Trials, linked: list[StageOp], machine: Machine, threads: int) -> list[str]:
    """Steps for a chain in the first way that applies, in a parallel loop if that pays."""
    ways = [partial(schedule_chain, machine=machine, way=way) for way in range(WAYS)]
    for inside in ways:
        if steps := shared(trials, [], linked, inside, machine, threads):
            return steps
    for inside in ways:
        if trials.after(steps := inside(linked)) is not None:
            return steps
    return []


def steps_of(
    trials: Trials,
    before: list[str],
    part: list[StageOp],
    machine: Machine,
    threads: int,
    tiles: Mapping[str, Tile] | None,
) -> list[str]:
    """Steps for one part behind others: of each of its versions, if it is worth several."""

    def inside(group: list[StageOp]) -> list[str]:
        return choose(group, machine, tiles)

    found = versions(part, machine)
    if found is None or trials.after([*before, *found.steps]) is None:
        return shared(trials, before, part, inside, machine, threads) or accepted(trials, before, inside(part))
    inner, _ = packed(trials, found.steps, part)
    state = inner.after([])
    assert state is not None
    named = {s.label.data: s for s in stages(state)}
    many, *few = ([named[name] for name in group] for group in found.groups)
    steps = shared(inner, [], many, inside, machine, threads) or accepted(inner, [], inside(many))
    for group in (*few, *([s] for s in named.values() if around(s))):
        steps += accepted(inner, [], inside(group))
    return accepted(trials, before, [*found.steps, *steps])


def packed(trials: Trials, steps: list[str], part: list[StageOp]) -> tuple[Trials, list[StageOp]]:
    """The function after some steps, and the stages of a part in it; of one that is cut, the first piece."""
    state = trials.after(steps)
    assert state is not None
    found: dict[str, StageOp] = {}
    for stage in stages(state):
        found.setdefault(stage.label.data, stage)
    return Trials(state), [found[s.label.data] for s in part]


def shared(
    trials: Trials,
    before: list[str],
    group: list[StageOp],
    inside: Callable[[list[StageOp]], list[str]],
    machine: Machine,
    threads: int,
) -> list[str]:
    """A parallel loop over blocks around the group and the steps for what is in a block; empty: it does not pay."""
    found = share(group, machine, threads)
    if found is None:
        return []
    names = [s.label.data for s in group]
    first = found.step(names)
    state = trials.after([*before, first])
    if state is None:
        return []
    loop = next(op for op in state.walk() if isinstance(op, ForOp) and names[0] in [s.label.data for s in members(op)])
    steps = [first, *inside(stages(loop, names))]
    return steps if trials.after([*before, *steps]) is not None else []


def offsets(f: func.FuncOp, machine: Machine) -> list[str]:
    """The steps that give the factors of contractions the signs that the machine's instructions want."""
    found = (contraction(op) for op in f.body.block.ops if isinstance(op, StageOp))
    return [one for c in found if c is not None for one in offset_steps(c, machine)]


def name_stages(f: func.FuncOp) -> None:
    """Steps name stages: a second stage of a label gets a number."""
    seen: set[str] = set()
    for stage in stages(f):
        label, number = stage.label.data, 1
        while label in seen:
            label, number = f"{stage.label.data}_{number}", number + 1
        if label != stage.label.data:
            stage.properties["label"] = StringAttr(label)
        seen.add(label)


def name_values(f: func.FuncOp) -> None:
    """Steps name values: those without a name are called by their stage or place."""
    for k, arg in enumerate(f.body.block.args):
        if arg.name_hint is None:
            arg.name_hint = f"arg{k}"
    for op in f.body.block.ops:
        for k, result in enumerate(op.results):
            if result.name_hint is None:
                name = op.label.data if isinstance(op, StageOp) else op.name.partition(".")[2]
                result.name_hint = f"{name}_{k}" if k else name


def parts(f: func.FuncOp) -> list[list[StageOp]]:
    """Runs of neighbouring stages that may share a loop; a contraction begins a new one."""
    result: list[list[StageOp]] = []
    head: Contraction | None = None
    first = first_values(f)
    for stage in (op for op in f.body.block.ops if isinstance(op, StageOp) and op not in first):
        own = contraction(stage)
        if own is None and result and result[-1][-1].next_op is stage and joins(result[-1], stage, head):
            result[-1].append(stage)
        else:
            result.append([stage])
            head = own
    return result


def joins(group: list[StageOp], stage: StageOp, first: Contraction | None) -> bool:
    """May the stage share a loop with the whole group? Behind a contraction, which is `first` then, one over its
    lanes."""
    both = [*group, stage]
    if not flows(group, stage) and any(spread(s) - set(parallel_axes(both)) for s in both):
        return False
    shared = [first.n] if first is not None else parallel_axes(both)
    if first is not None and first.n not in parallel_axes(both):
        return False
    return any(fusable(list(both), axis) for axis in shared)


def flows(group: list[StageOp], stage: StageOp) -> bool:
    """Does the stage read what the group makes? If not, a shared loop saves something only where all are shared."""
    return any(value.owner in group for value in stage.ins)


def spread(stage: StageOp) -> set[str]:
    """The axes over which results are spread."""
    return {n for t in stage.targets.data for n in axes_of(t.data.access)}


def choose(group: list[StageOp], machine: Machine, tiles: Mapping[str, Tile] | None = None) -> list[str]:
    """Steps for one part."""
    points = max(points_of(s) for s in group)
    if points < LEAST:
        return []
    found = contraction(group[0])
    if found is not None and tiles and found.label in tiles:
        return schedule_of(found, group, batch_axes(found, group), tiles[found.label], machine)
    if found is not None and found.along:
        return schedule_turned(found, group, batch_axes(found, group), machine)
    if found is not None and (by := dots(found, machine)) is not None:
        return schedule_dots(found, by, group, batch_axes(found, group), machine)
    if found is not None and found.inner:
        return schedule_woven(found, group, batch_axes(found, group), machine)
    if found is not None:
        return schedule_contraction(found, group, batch_axes(found, group), machine)
    return schedule_rows(group, machine)


def points_of(stage: StageOp) -> int:
    total = 1
    for axis in stage.axes:
        total *= axis.extent if isinstance(axis.extent, int) else TYPICAL
    return total


def batch_axes(c: Contraction, group: list[StageOp]) -> list[str]:
    return [a for a in parallel_axes(group) if a not in (c.m, c.n, c.along, *c.inner)]


def accepted(trials: Trials, before: list[str], steps: list[str]) -> list[str]:
    """The steps if they apply behind the others, else as many of them as do."""
    if not steps or trials.after([*before, *steps]) is not None:
        return steps
    kept: list[str] = []
    for one in steps:
        if trials.after([*before, *kept, one]) is not None:
            kept.append(one)
    return kept


def streamed(f: func.FuncOp, groups: list[list[StageOp]], machine: Machine) -> list[str]:
    """Results too large for the caches. Where an operand of the same type would be made in their own memory, which
    streaming evicts, its lines must be few enough to be made in the second cache."""
    group_of = {stage: group for group in groups for stage in group}
    last = f.body.block.last_op
    assert last is not None
    names: list[str] = []
    for value in last.operands:
        elements = size(shape(value))
        pieces = value.owner.pieces if isinstance(value.owner, JoinOp) else [value]
        for piece in pieces:
            stage = piece.owner
            if not isinstance(stage, StageOp) or contraction(stage) is not None:
                continue
            big = isinstance(elements, int) and elements * element_bytes([stage]) >= machine.stream_bytes
            inherits = any(isinstance(v.owner, StageOp) and v.type == piece.type for v in stage.ins)
            every = all(a.name in axes_of(t.data.access) for t in stage.targets.data for a in stage.axes)
            apart = not inherits or line_bytes(stage, group_of.get(stage, [stage])) <= machine.l2_bytes // 2
            if big and every and apart and not piece.has_more_than_one_use():
                names.append(stage.label.data)
    return names


def line_bytes(stage: StageOp, group: list[StageOp]) -> int:
    """Bytes of what lies inside of the loops that a group shares, for as many lines as are worked on at once."""
    shared = parallel_axes(group)
    inner = size(extent(stage, a.name) for a in stage.axes if a.name not in shared)
    assert isinstance(inner, int)
    return inner * ROWS * element_bytes(group)


@dataclass(frozen=True)
class ChooseSchedule(LoopStep):
    """Write `loop.schedule` on every function of loop stages that has none.

        func.func @f(%x: tensor<1024xf32>) -> tensor<1024xf32> {
          %y = loop.stage s [i: 1024] (%a = %x[i]) -> [i] {..}
    becomes
        func.func @f(%x: tensor<1024xf32>) -> tensor<1024xf32>
            attributes {loop.schedule = "loop-tile{axis=i size=64 only=s},loop-vectorize{axes=i only=s}"} {
          %y = loop.stage s [i: 1024] (%a = %x[i]) -> [i] {..}

    `machine` names a machine description; the default is the host, with vectors of `vector_bytes` if that is not 0.
    With several `threads` (0: MLC_THREADS), what is worth it gets parallel loops. What mlc-tune has recorded of
    a kernel comes first, unless MLC_TUNED=0.
    """

    name = "choose-schedule"

    machine: str = ""
    threads: int = 0
    vector_bytes: int = 0

    def on(self, f: func.FuncOp) -> None:
        if SCHEDULE in f.attributes or not stages(f):
            return
        machine = Machine.load(self.machine) if self.machine else Machine.host()
        machine, threads = machine.with_vectors(self.vector_bytes), settings.threads(self.threads or None)
        name_stages(f)
        name_values(f)
        steps = tuned.lookup(f, machine, threads)
        if steps is not None and Trials(f).after([steps]) is not None:
            f.attributes[FROM] = StringAttr(TUNED)
        else:
            steps = schedule(f, machine, threads)
        f.attributes[SCHEDULE] = StringAttr(steps)
