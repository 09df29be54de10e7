"""Schedules as text: what `mlc-opt --print-schedule` prints, and what `--schedule=FILE` and `schedule=` read.

    // %A: tensor<64x64xf32>, %B: tensor<64x64xf32> -> tensor<64x64xf32>
    // mm [i: 64, j: 64, k: 64] (%A[i, k], %B[k, j]) -> add [i, j]
    @matmul:
      loop-tile{axis=i size=6 only=mm}
      loop-vectorize{axes=i,j only=mm}

    text   = steps | (header steps)*       header = "@" name ":"       steps = (element [","])*

`//` begins a comment. Steps behind a header are of that kernel, and none leave its plain loops; a text without headers
is of every kernel. The elements are those of pipelines (compiler/spec.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp

from ..dialects import errors
from ..dialects.errors import CompileError
from ..dialects.loop.ops import StageOp
from .spec import PassSpec, Reader

SCHEDULE = "loop.schedule"
"""The function attribute that holds a schedule: a pipeline of steps."""
FROM = "loop.schedule_from"
"""The function attribute that says where its schedule comes from, if no rule of the compiler chose it."""
USER, TUNED, AUTOMATIC = "user", "tuned", "automatic"
TEXT = "<schedule>"
"""The name that locations give a schedule that is in no file."""
ENDING = ".schedule"

_PLAIN = re.compile(r"[A-Za-z_$][\w$.-]*")
_NAME = re.compile(r'[A-Za-z_$][\w$.-]*|"(?:\\.|[^"\\\n])*"')


@dataclass(frozen=True)
class Step:
    """One step and where it stands."""

    spec: PassSpec
    location: FileLineColLoc


@dataclass(frozen=True)
class Schedule:
    """The steps of one kernel; `kernel` None: of every one."""

    kernel: str | None
    steps: tuple[Step, ...]
    location: FileLineColLoc

    @property
    def text(self) -> str:
        return ",".join(str(step.spec) for step in self.steps)


class ScheduleReader(Reader):
    """A reader that knows headers and comments."""

    def skip(self) -> None:
        super().skip()
        while self.text.startswith("//", self.at):
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
            super().skip()

    def schedules(self) -> list[Schedule]:
        self.skip()
        if not self.peek("@"):
            return [Schedule(None, self.steps(), self.location(0))]
        found: dict[str, Schedule] = {}
        while self.at < len(self.text):
            start = self.at
            name = self.header()
            if name in found:
                self.at = start
                self.fail(f"expected each kernel once, and @{name} stands twice")
            found[name] = Schedule(name, self.steps(), self.location(start))
        return list(found.values())

    def header(self) -> str:
        """`@matmul:` or `@"a name":`."""
        if not self.take("@"):
            self.fail('expected "@" and the name of a kernel')
        name = self.match(_NAME)
        if name is None:
            self.fail("expected the name of a kernel")
        self.expect(":")
        self.skip()
        return json.loads(name) if name.startswith('"') else name

    def steps(self) -> tuple[Step, ...]:
        out: list[Step] = []
        while self.at < len(self.text) and not self.peek("@"):
            start = self.at
            out += [Step(spec, self.location(start)) for spec in self.element()]
            self.take(",")
            self.skip()
        return tuple(out)


def read_schedules(text: str, name: str = TEXT) -> list[Schedule]:
    """The schedules of a text; CompileError with a caret for wrong syntax."""
    errors.SOURCES[name] = text  # what is refused later is shown with its line
    return ScheduleReader(text, name).schedules()


def read_file(path: str | Path) -> str:
    """The text of a schedule file."""
    from .parsing import decode

    try:
        return decode(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise CompileError(f"schedule: expected a readable file, found {path}: {error.strerror}") from error


def for_every_kernel(text: str) -> bool:
    """Is a schedule's text of every kernel, not of those it names?"""
    reader = ScheduleReader(text)
    reader.skip()
    return not reader.peek("@")


def given(schedule: Any) -> tuple[str | None, str]:
    """What a user may give as `schedule=`, as a text and the name of its source.

    None, a path (or a text that ends in .schedule), a text, or a mapping from kernels to texts or lists of steps.
    """
    match schedule:
        case None:
            return None, ""
        case Path():
            return read_file(schedule), str(schedule)
        case str():
            if schedule.endswith(ENDING) and "\n" not in schedule:
                return read_file(schedule), schedule
            return schedule, TEXT
        case Mapping():
            parts = [f"{header(str(name))}\n{_steps_text(steps)}" for name, steps in schedule.items()]  # pyright: ignore
            return "".join(parts), TEXT
        case _:
            found = type(schedule).__name__
            raise CompileError(f"schedule: expected a text, a path or a mapping from kernels to steps, found {found}")


def _steps_text(steps: Any) -> str:
    if not isinstance(steps, str) and not (isinstance(steps, Sequence) and all(isinstance(s, str) for s in steps)):  # pyright: ignore
        raise CompileError(f"schedule: expected steps as a text or a list of texts, found {steps!r}")
    lines: list[str] = [steps] if isinstance(steps, str) else list(steps)  # pyright: ignore
    return "".join(f"  {line}\n" for line in lines)


def header(name: str) -> str:
    return f"@{name}:" if _PLAIN.fullmatch(name) else f"@{json.dumps(name)}:"


# Printing.


def kernels(module: ModuleOp) -> list[FuncOp]:
    """The functions of a module that have loops to schedule."""
    return [f for f in _functions(module) if any(op.name.startswith("loop.") for op in f.body.block.ops)]


def _functions(module: ModuleOp) -> Iterator[FuncOp]:
    return (f for f in module.walk() if isinstance(f, FuncOp) and f.body.blocks)


def origin(f: FuncOp) -> str:
    """Who wrote a function's schedule: user, tuned or automatic."""
    found = f.attributes.get(FROM)
    return found.data if isinstance(found, StringAttr) else AUTOMATIC


def schedule_of(f: FuncOp) -> str:
    found = f.attributes.get(SCHEDULE)
    return found.data if isinstance(found, StringAttr) else ""


def chosen(module: ModuleOp) -> dict[str, tuple[str, str]]:
    """By kernel: who wrote its schedule, and the schedule."""
    return {f.sym_name.data: (origin(f), schedule_of(f)) for f in _functions(module) if SCHEDULE in f.attributes}


def print_schedules(module: ModuleOp) -> str:
    """The schedules that the kernels of a module carry, in their order."""
    return "\n".join(kernel_text(f) for f in _functions(module) if SCHEDULE in f.attributes)


def kernel_text(f: FuncOp, schedule: str | None = None) -> str:
    """One kernel: comments that say what there is to schedule, the header, a line for each step."""
    from .spec import parse_pipeline

    arguments = ", ".join(f"%{a.name_hint or a.index}: {a.type}" for a in f.body.block.args)
    lines = [f"// {arguments} -> {', '.join(map(str, f.function_type.outputs.data))}"]
    lines += [f"// {stage_text(op)}" for op in f.walk() if isinstance(op, StageOp)]
    if origin(f) != AUTOMATIC and schedule is None:
        lines.append({USER: "// from the user", TUNED: "// tuned"}[origin(f)])
    lines.append(header(f.sym_name.data))
    lines += [f"  {spec}" for spec in parse_pipeline(schedule_of(f) if schedule is None else schedule)]
    return "\n".join(lines) + "\n"


def stage_text(stage: StageOp) -> str:
    """`mm [i: 64, j: 64, k: 64] (%A[i, k], %B[k, j]) -> add [i, j]`: a stage without its body."""
    axes = ", ".join(f"{a.name}: {f'{a.kind} ' if a.kind else ''}{a.extent}" for a in stage.axes)
    reads = ", ".join(
        f"%{value.name_hint}[{'...' if stage.whole(k) else _indices(access)}]"
        for k, (value, access) in enumerate(stage.reads())
    )
    targets = ", ".join(
        (f"{t.data.mode} " if t.data.mode else "") + f"[{_indices(t.data.access)}]" for t in stage.targets.data
    )
    return f"{stage.label.data} [{axes}] ({reads}) -> {targets}"


def _indices(access: Any) -> str:
    return ", ".join(map(str, access))
