"""Runs passes over a module: builds them, verifies between them, dumps, times, and says whose fault a failure is.

A wrong program raises CompileError. A pass that fails in any other way, or leaves invalid IR, raises InternalError,
which names the pass and a file that reproduces the failure: the input with its command line.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import DiagnosticException

from ..dialects.errors import CompileError, memory_wanted
from . import settings
from .collecting import seldom
from .context import context
from .pipelines import named, specs
from .printing import print_ir
from .registry import build, lookup
from .spec import PassSpec, text_of
from .verify import verify

Observer = Callable[[ModulePass, ModuleOp], None]


class InternalError(Exception):
    """A fault of the compiler, not of the program: the pass, what happened, and a reproducer."""


ALL = "*"
"""In `Options.print_before` and `print_after`: every pass."""


MOST_SHOWN = 120
"""Passes whose text is longer are named in errors without their options."""


@dataclass
class Options:
    """What the driver does besides running passes; `print_*` hold names of passes, or ALL."""

    verify_input: bool = True
    verify_each: bool = True
    print_before: frozenset[str] = frozenset()
    print_after: frozenset[str] = frozenset()
    print_after_change: bool = False
    generic: bool = False
    locations: bool = False
    dump: TextIO | None = None
    """Where dumps go; None is standard error."""
    observer: Observer | None = None
    """Called with every pass that ran and the module after it."""
    source: str | Callable[[], str] | None = None
    """The input's text, for a reproducer."""
    stop_after: str | None = None
    """The pass after which the pipeline ends."""


@dataclass
class Timing:
    """Seconds per pass in order; None is the verifier after it."""

    rows: list[tuple[ModulePass | None, float]] = field(default_factory=list[tuple[ModulePass | None, float]])

    def __str__(self) -> str:
        total = sum(seconds for _, seconds in self.rows)
        lines = [
            f"{seconds * 1e3:10.2f} ms {100 * seconds / (total or 1):5.1f} %  {text_of([p]) if p else 'verify'}"
            for p, seconds in self.rows
        ]
        return "\n".join(["time of passes", *lines, f"{total * 1e3:10.2f} ms 100.0 %  total"])


def from_environment() -> Options:
    """The options that MLC_DUMP and MLC_VERIFY ask for; for `mlc.jit` and `mlc.compile`."""
    options = Options(verify_input=False, verify_each=settings.VERIFY.on())
    for word in settings.DUMP.get().split(","):
        if word == "all":
            options.print_after = frozenset({ALL})
        elif word == "changed":
            options.print_after_change = True
        elif word:
            lookup(word)
            options.print_after |= {word}
    return options


def passes_of(pipeline: str | Sequence[str | PassSpec | ModulePass]) -> list[ModulePass]:
    """A named pipeline, or texts, specs and passes in a row, as passes."""
    if isinstance(pipeline, str):
        return [build(s) for s in named(pipeline)]
    out: list[ModulePass] = []
    for item in pipeline:
        if isinstance(item, str):
            out += [build(s) for s in specs([item])]
        else:
            out.append(build(item) if isinstance(item, PassSpec) else item)
    return out


@seldom()
def run(
    module: ModuleOp,
    pipeline: str | Sequence[str | PassSpec | ModulePass],
    options: Options | None = None,
    ctx: Context | None = None,
) -> Timing:
    """Run the passes on the module in place."""
    options, ctx = options or Options(), ctx or context()
    passes, timing = passes_of(pipeline), Timing()
    if options.verify_input:
        verify(module)
    before = print_ir(module) if options.print_after_change else ""
    for index, pass_ in enumerate(passes):
        _dump(module, "Before", pass_, options, _wants(options.print_before, pass_.name))
        start = time.perf_counter()
        _apply(ctx, module, passes[: index + 1], options)
        timing.rows.append((pass_, time.perf_counter() - start))
        if options.verify_each:
            start = time.perf_counter()
            _check(module, passes[: index + 1], options)
            timing.rows.append((None, time.perf_counter() - start))
        changed = False
        if options.print_after_change:
            after = print_ir(module)
            changed, before = after != before, after
        _dump(module, "After", pass_, options, changed or _wants(options.print_after, pass_.name))
        if options.observer is not None:
            options.observer(pass_, module)
        if options.stop_after == pass_.name:
            break
    if settings.TIME.on():
        print(timing, file=sys.stderr)
    return timing


def _wants(names: frozenset[str], name: str) -> bool:
    return ALL in names or name in names


def _apply(ctx: Context, module: ModuleOp, passes: Sequence[ModulePass], options: Options) -> None:
    pass_ = passes[-1]
    try:
        pass_.apply(ctx, module)
    except CompileError as error:
        text = text_of([pass_])
        note = f"in pass {text if len(text) <= MOST_SHOWN else pass_.name}"
        raise (
            error if note in error.notes else CompileError(error.message, error.location, (*error.notes, note))
        ) from error
    except DiagnosticException as error:
        message = str(error).strip().split("\n")[0]
        raise CompileError(f"pass {pass_.name}: {message}", module.location) from error
    except MemoryError as error:
        raise CompileError(f"pass {pass_.name}: {memory_wanted(error)}", module.location) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        raise InternalError(f"pass {pass_.name} failed: {reason}{_reproducer(passes, options)}") from error


def _check(module: ModuleOp, passes: Sequence[ModulePass], options: Options) -> None:
    try:
        verify(module)
    except CompileError as error:
        raise InternalError(f"pass {passes[-1].name} left invalid IR: {error}{_reproducer(passes, options)}") from error


def _dump(module: ModuleOp, when: str, pass_: ModulePass, options: Options, wanted: bool) -> None:
    if wanted:
        out = options.dump or sys.stderr
        out.write(f"// -----// IR Dump {when} {text_of([pass_])} //----- //\n")
        out.write(print_ir(module, generic=options.generic, locations=options.locations) + "\n")


def _reproducer(passes: Sequence[ModulePass], options: Options) -> str:
    """Write the input and the passes so far to a file; a line that names it, or nothing without a source."""
    if options.source is None:
        return ""
    source = options.source if isinstance(options.source, str) else options.source()
    text = f"// RUN: mlc-opt %s -p '{text_of(passes)}'\n{source}"
    folder = Path(settings.CRASH_DIR.get() or tempfile.gettempdir())
    path = folder / f"mlc-crash-{hashlib.sha256(text.encode()).hexdigest()[:12]}.mlir"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        return f"\nno reproducer written: {error.strerror or error} ({os.fspath(path)})"
    return f"\nreproducer: {path}"
