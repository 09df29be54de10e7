"""What each rewrite step of a program is worth, by machine: `mlc-opt --explain`.

    step               xeon  ops  kernels    bytes  bandwidth-poor  ops  kernels    bytes
    input, unfused  2.01 ms    2       10  19.4 MB         3.74 ms    2       10  19.4 MB
    input           1.57 ms    2        1   1.8 MB         1.62 ms    2        1   1.8 MB
    decompose       1.57 ms   10        1   1.8 MB         1.62 ms   10        1   1.8 MB
    winograd         999 us   17        9  19.0 MB               -

A trajectory is a machine's list of steps. A machine rewrites its own copy of the program, since passes decide by cost,
and every step is a row: a pass that changed the program, or a rule that it applied, if it has `steps`. Rows of machines
that do the same are one. `record` takes steps from any iterator of labels and modules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..dialects.graph.ops import LaunchOp
from .constancy import Constancy
from .cost import TERMS, Cost, estimate, in_units, is_program
from .driver import Options, run
from .fingerprint import fingerprint
from .machine import Machine
from .options import CompileOptions, passes
from .report import works
from .step_times import Arguments, Place, at_hand, fusion, runnable, with_data

IMPORTS = ("stablehlo-to-nd", "inline", "symbol-dce", "expand-complex")
"""Passes that make a program of tensor ops: they run before the first row."""

LOOPS = "nd-to-loop"
"""Where every pipeline ends, as estimates read tensor ops; the default one ends at fusion, as estimates fuse anyway."""

ORDERS = "assign-layout"
"""Chooses orders in memory, not another program."""

UNFUSED, INPUT = "input, unfused", "input"

Step = tuple[str, ModuleOp]


@dataclass
class Row:
    """A program after a step: its estimate, its ops that work; seconds where it was measured."""

    label: str
    cost: Cost
    ops: int
    measured: float | None = None


@dataclass
class Trajectory:
    """The steps of a program on one machine."""

    name: str
    machine: Machine
    rows: list[Row] = field(default_factory=list[Row])
    end: str = ""
    """Equal for machines that end at equal programs, whatever the orders of dimensions in memory."""


def explain(
    module: ModuleOp,
    machines: Sequence[str],
    numerics: str = "ieee",
    pipeline: Sequence[ModulePass] | None = None,
    measure: Arguments | None = None,
) -> list[Trajectory]:
    """A trajectory for each machine, by name, file or architecture; the module stays as it is.

    `pipeline`: passes instead of those down to fusion at this level of `numerics`. `measure` makes arguments of a
    function: then programs run where their machine is at hand. Raises CompileError for machines and programs that are
    none.
    """
    main_of(module)
    if measure is not None:
        module = with_data(module.clone())
    found: list[Trajectory] = []
    for name in machines:
        machine = Machine.load(name)
        t = Trajectory(name, machine)
        todo = default_passes(machine, numerics) if pipeline is None else list(pipeline)
        place = at_hand(machine, numerics) if measure is not None else None
        record(t, steps(module.clone(), [for_machine(p, name) for p in todo], t), measure, place)
        found.append(t)
    return found


def default_passes(machine: Machine, numerics: str) -> list[ModulePass]:
    """Those of the machine's target before fusion."""
    options = CompileOptions(numerics=numerics)
    if machine.kind == "gpu":
        options = CompileOptions(numerics=numerics, target="cuda", arch=machine.arch)
    found = passes(options, "graph")
    return found[: fusion(found)]


def for_machine(pass_: ModulePass, name: str) -> ModulePass:
    """The pass with the machine that it decides for, if it asks for one."""
    if all(f.name != "machine" for f in dataclasses.fields(pass_)):
        return pass_
    return dataclasses.replace(pass_, **{"machine": name})


def steps(module: ModuleOp, todo: Sequence[ModulePass], t: Trajectory) -> Iterator[Step]:
    """Run the passes on the module; after each that changed it, what it was and the module."""
    quiet = Options(verify_input=False)
    imports = [k for k, p in enumerate(todo) if p.name in IMPORTS and all(q.name in IMPORTS for q in todo[:k])]
    run(module, todo[: len(imports)], quiet)
    yield INPUT, module
    before = t.end = fingerprint(module)
    for pass_ in todo[len(imports) :]:
        if pass_.name == LOOPS:
            break
        if by_rule := getattr(pass_, "steps", None):
            for rule, state in by_rule(module):
                yield f"{pass_.name}: {rule}", state
        run(module, [pass_], quiet)
        if (after := fingerprint(module)) != before:
            before = after
            t.end = t.end if pass_.name == ORDERS else after
            if by_rule is None:
                yield pass_.name, module


def record(t: Trajectory, found: Iterable[Step], measure: Arguments | None = None, place: Place | None = None) -> None:
    """Add the rows of steps, whose modules may change afterwards; `measure` makes the arguments to run them at a
    place."""
    timed: list[Row] = []
    calls: list[Callable[[], Any]] = []
    for label, module in found:
        if not t.rows and is_unfused(module):
            cost = estimate(module, machine=t.machine, fuse=False)
            t.rows.append(Row(UNFUSED, cost, working(module)))
        row = Row(label, estimate(module, machine=t.machine), working(module))
        t.rows.append(row)
        if measure is not None and place is not None and is_unfused(module):
            timed.append(row)
            calls.append(runnable(module, measure, place))
    for row, seconds in zip(timed, place.times(calls) if place is not None else ()):
        row.measured = seconds


def is_unfused(module: ModuleOp) -> bool:
    return not any(isinstance(op, LaunchOp) or op.name == "graph.kernel" for op in module.walk())


def working(module: ModuleOp) -> int:
    """Ops that compute something when the program runs; what depends on constants alone is computed before."""
    constancy = Constancy()
    return sum(works(op) and not constancy.holds(op.results[0]) for op in module.walk())


def main_of(module: ModuleOp) -> FuncOp:
    """The first program of the module."""
    for op in module.ops:
        if isinstance(op, FuncOp) and is_program(op):
            return op
    raise CompileError("explain: expected a function that is not private, found none", module.location)


# Text.


def aligned(found: Sequence[Trajectory]) -> list[tuple[str, list[Row | None]]]:
    """Rows of all trajectories by label, in an order that keeps each trajectory's own."""
    labels: list[str] = []
    at: list[list[int]] = []
    """Of each trajectory: which of the labels its rows have."""
    for t in found:
        own = [r.label for r in t.rows]
        merged: list[str] = []
        old: list[int] = []
        new: list[int] = []
        for tag, a, b, c, d in SequenceMatcher(None, labels, own, autojunk=False).get_opcodes():
            old += range(len(merged), len(merged) + b - a)
            new += range(len(merged), len(merged) + b - a) if tag == "equal" else ()
            merged += labels[a:b]
            if tag != "equal":
                new += range(len(merged), len(merged) + d - c)
                merged += own[c:d]
        labels, at = merged, [*([old[k] for k in places] for places in at), new]
    rows = [dict(zip(places, t.rows)) for places, t in zip(at, found)]
    return [(label, [by.get(k) for by in rows]) for k, label in enumerate(labels)]


def table(found: Sequence[Trajectory]) -> str:
    """The steps by machine, then what the last programs are made of."""
    measured = [any(r.measured is not None for r in t.rows) for t in found]
    head = ["step"]
    for t, m in zip(found, measured):
        head += [t.name, *(["measured"] if m else []), "ops", "kernels", "bytes"]
    lines = [head]
    for label, rows in aligned(found):
        line = [label]
        for row, m in zip(rows, measured):
            line += cells(row, m) if row is not None else ["-"] + [""] * (3 + m)
        lines.append(line)
    return "\n".join([*columns(lines), "", *terms(found), *ends(found)]) + "\n"


def cells(row: Row, measured: bool) -> list[str]:
    time = [] if not measured else [duration(row.measured) if row.measured is not None else ""]
    return [duration(row.cost.seconds), *time, str(row.ops), f"{row.cost.kernels:g}", size(row.cost.bytes)]


def columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells below each other, the first to the left and the others to the right."""
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    out: list[str] = []
    for first, *others in lines:
        text = first.ljust(widths[0]) + "".join("  " + c.rjust(w) for c, w in zip(others, widths[1:]))
        out.append(text.rstrip())
    return out


def terms(found: Sequence[Trajectory]) -> list[str]:
    """What the last program's time is made of, on each machine."""
    lines = [["at the end", "", *TERMS]]
    for t in found:
        cost = t.rows[-1].cost
        lines.append([t.name, duration(cost.seconds), *(duration(cost.terms[name]) for name in TERMS)])
    return columns(lines)


def ends(found: Sequence[Trajectory]) -> list[str]:
    """Which machines end at the same program."""
    groups: dict[str, list[str]] = {}
    for t in found:
        groups.setdefault(t.end, []).append(t.name)
    if len(found) < 2:
        return []
    return ["", f"different programs at the end: {len(groups)} ({'; '.join(', '.join(g) for g in groups.values())})"]


def duration(seconds: float) -> str:
    """`12.3 us`."""
    value, unit = in_units(seconds)
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}" if seconds else "0"


def size(n: float) -> str:
    """`33.8 MB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= scale:
            return f"{n / scale:.1f} {unit}"
    return f"{n:.0f} B"


def figures() -> Any:
    """matplotlib's class of figures; CompileError where there is none."""
    try:
        from matplotlib.figure import Figure  # pyright: ignore
    except ImportError as error:
        raise CompileError("--explain-plot: expected matplotlib, found none; install mlc[bench]") from error
    return Figure  # pyright: ignore


def plot(found: Sequence[Trajectory], path: str) -> None:
    """Draw the estimated and measured time after each step, relative to the first, into an .svg or .png file.

    Raises CompileError where matplotlib is missing or cannot write the file.
    """
    figure: Any = figures()(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot(ylabel="time relative to the input with each op a kernel")
    rows = aligned(found)
    for k, t in enumerate(found):
        own = [(x, by[k]) for x, (_, by) in enumerate(rows) if by[k] is not None]
        base = t.rows[0].cost.seconds
        (line,) = axes.plot([x for x, _ in own], [r.cost.seconds / base for _, r in own if r], "o-", label=t.name)
        if timed := [(x, r.measured / base) for x, r in own if r and r.measured]:
            axes.plot(*zip(*timed), "x--", color=line.get_color(), label=f"{t.name}, measured")
    axes.set_xticks(range(len(rows)), [label for label, _ in rows], rotation=30, ha="right")
    axes.set_ylim(bottom=0)
    axes.legend()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise CompileError(f"--explain-plot: cannot write {path}: {error}") from error
