"""One file -> what became of it. Nothing that a file does is an exception here.

pass          every check holds, and kernels were launched unless the result is a constant
wrong         a check does not hold
folded        nothing was launched although a result depends on an argument
unsupported   a located error
crash         a fault of the compiler, or the end of the process
timeout       no end within the time that a file has
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from ...compiler.compile import compile_module
from ...compiler.parsing import parse_module
from ...compiler.verify import verify
from ...dialects.errors import SOURCES, CheckError, CompileError
from ..diagnostics import split
from .checked import Checked, functions, take_apart

PASS, WRONG, FOLDED, UNSUPPORTED, CRASH, TIMEOUT = "pass", "wrong", "folded", "unsupported", "crash", "timeout"
STATUSES = (PASS, WRONG, FOLDED, UNSUPPORTED, CRASH, TIMEOUT)

_COMMENT = re.compile(r"//.*")


@dataclass(frozen=True)
class Outcome:
    """`detail`: the first line of what is wrong; `launches`: of kernels in all functions; `seconds`: all of it."""

    name: str
    status: str
    detail: str = ""
    launches: int = 0
    seconds: float = 0.0


def judge(path: Path, name: str) -> Outcome:
    """What became of a file; of several parts, the first that fails decides."""
    start = time.perf_counter()
    try:
        found = _judge(path.read_text(), name)
    except (OSError, UnicodeDecodeError) as error:
        found = Outcome(name, UNSUPPORTED, f"cannot read it: {error}")
    return replace(found, seconds=time.perf_counter() - start)


def _judge(text: str, name: str) -> Outcome:
    launches, checked = 0, 0
    for part in split(text):
        if not _COMMENT.sub("", part).strip():
            continue
        try:
            for entry in functions(_parsed(part, name)):
                found = _function(part, name, entry)
                launches, checked = launches + found.launches, checked + 1
                if found.status != PASS:
                    return replace(found, launches=launches)
        except CompileError as error:
            return Outcome(name, UNSUPPORTED, _line(error), launches)
        except CheckError as error:
            return Outcome(name, WRONG, _line(error), launches)
        except Exception as error:
            return Outcome(name, CRASH, f"{type(error).__name__}: {_line(error)}", launches)
        finally:
            SOURCES.pop(name, None)
    if not checked:
        return Outcome(name, UNSUPPORTED, "expected a function that checks something, found none")
    return Outcome(name, PASS, "", launches)


def _parsed(text: str, name: str) -> ModuleOp:
    module = parse_module(text, name)
    verify(module)
    return module


def _function(text: str, name: str, entry: str) -> Outcome:
    """Compile and run one function that checks itself."""
    program = take_apart(_parsed(text, name), entry, constants=True)
    try:
        return _run(program, name)
    except CompileError:
        if not program.given:
            raise
    # What is known to be a constant may be supported where an argument is not.
    return _run(take_apart(_parsed(text, name), entry, constants=False), name)


def _run(program: Checked, name: str) -> Outcome:
    exe = compile_module(program.module, entry=program.entry)
    got = exe(*program.arguments)
    results: list[Any] = [*got] if type(got) is tuple else [got]
    launches = sum(kernel["calls"] for kernel in exe.report()["kernels"])
    for k, (check, result) in enumerate(zip(program.checks, results, strict=True)):
        if (found := check.differs(result)) is not None:
            which = f"check {k + 1}: " if len(program.checks) > 1 else ""
            return Outcome(name, WRONG, which + found, launches)
    if not launches and not all(check.constant for check in program.checks):
        return Outcome(name, FOLDED, "no kernel was launched although the result is not a constant")
    return Outcome(name, PASS, "", launches)


def _line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def failed(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in outcomes if o.status != PASS]
