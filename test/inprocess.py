"""lit's test format here: the RUN lines of a test run inside of lit's worker, where everything is imported already.

Two processes a line would take 0.6 s of start; so a test takes a few hundredths. Lines may use mlc-opt, mlc-run,
mlc-compile, FileCheck, not, cat, pipes, `2>&1` and `2>/dev/null`; a test with anything else runs in a shell as usual,
and all do with `lit --param external=1`. After `not` a program must refuse (exit code 1 or 2), not fail (3).
"""

from __future__ import annotations

import io
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lit.formats
import lit.Test

RUN = re.compile(r"RUN:\s*((?:.*\\\n.*RUN:)*.*)")
DIRECTIVES = re.compile(r"\b(REQUIRES|XFAIL|UNSUPPORTED|ALLOW_RETRIES):")
SECONDS = 60


class NotHere(Exception):
    """A line that needs a shell."""


@dataclass(frozen=True)
class Command:
    """One stage of a pipe; `errors`: where standard error goes (None: to the log)."""

    words: tuple[str, ...]
    negated: bool
    errors: str | None


class InProcess(lit.formats.ShTest):
    def __init__(self) -> None:
        super().__init__(execute_external=False)

    def execute(self, test, lit_config):
        source = Path(test.getSourcePath())
        text = source.read_text()
        if "external" in lit_config.params or DIRECTIVES.search(text):
            return super().execute(test, lit_config)
        try:
            lines = [re.sub(r"\\\n.*?RUN:", "", m[1]) for m in RUN.finditer(text)]
            pipes = [parse(line, source, test.config.test_source_root) for line in lines]
        except NotHere:
            return super().execute(test, lit_config)
        if not pipes:
            return lit.Test.Result(lit.Test.UNRESOLVED, "expected a RUN line, found none")
        for line, pipe in zip(lines, pipes, strict=True):
            failed, log = run(pipe)
            if failed:
                return lit.Test.Result(lit.Test.FAIL, f"RUN: {line}\n{log}")
        return lit.Test.Result(lit.Test.PASS, "")


def parse(line: str, source: Path, root: str) -> list[Command]:
    """The stages of a RUN line."""
    for mark, value in {
        "%s": str(source),
        "%S": str(source.parent),
        "%examples": str(Path(root).parent / "examples"),
        "%test": root,
    }.items():
        line = re.sub(rf"{mark}\b", lambda _, value=value: value, line)
    if "%" in re.sub(r"\"[^\"]*\"|'[^']*'", "", line):
        raise NotHere(line)
    stages: list[Command] = []
    for stage in split(line):
        negated, errors = stage[0] == "not", None
        words = stage[1:] if negated else stage
        if words[-1] in (BOTH, QUIET):
            errors, words = words[-1], words[:-1]
        if words[0] not in PROGRAMS:
            raise NotHere(line)
        stages.append(Command(tuple(words), negated, errors))
    return stages


BOTH, QUIET = "\0both", "\0quiet"


def split(line: str) -> list[list[str]]:
    """Words, split at pipes."""
    line = line.replace("2>&1", BOTH).replace("2>/dev/null", QUIET)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>&;")
    lexer.whitespace_split = True
    lexer.commenters = ""
    out: list[list[str]] = [[]]
    for word in lexer:
        if word == "|":
            out.append([])
        elif word and set(word) <= set("|<>&;"):
            raise NotHere(line)
        else:
            out[-1].append(word)
    if not all(out):
        raise NotHere(line)
    return out


def run(pipe: Sequence[Command]) -> tuple[bool, str]:
    """Did a stage fail, and what was said?"""
    data, log = "", io.StringIO()
    for command in pipe:
        out = io.StringIO()
        errors = {None: log, BOTH: out, QUIET: io.StringIO()}[command.errors]
        code = call(command.words, data, out, errors)
        if code not in ((1, 2) if command.negated else (0,)):
            log.write(f"{' '.join(command.words)}: exit code {code}\n")
            return True, log.getvalue() + out.getvalue()
        data = out.getvalue()
    return False, ""


def call(words: Sequence[str], data: str, out: io.StringIO, errors: io.StringIO) -> int:
    saved = sys.stdin, sys.stdout, sys.stderr, sys.argv
    sys.stdin = io.TextIOWrapper(io.BytesIO(data.encode()), encoding="utf-8")
    sys.stdout, sys.stderr, sys.argv = out, errors, list(words)
    try:
        with limit(SECONDS):
            return PROGRAMS[words[0]](list(words[1:])) or 0
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException:  # what a process of its own would die of
        errors.write(traceback.format_exc())
        return 134
    finally:
        sys.stdin, sys.stdout, sys.stderr, sys.argv = saved


@contextmanager
def limit(seconds: int):
    """Raise TimeoutError after so long."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"expected an end within {seconds} s, found none")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def opt(argv: list[str]) -> int:
    from mlc.tools.mlc_opt import main

    return main(argv)


def execute(argv: list[str]) -> int:
    from mlc.tools.mlc_run import main

    return main(argv)


def compile(argv: list[str]) -> int:
    from mlc.tools.mlc_compile import main

    return main(argv)


def check(argv: list[str]) -> None:
    from filecheck.main import main

    main(["FileCheck", *argv])


def cat(argv: list[str]) -> None:
    for path in argv:
        sys.stdout.write(Path(path).read_text())


PROGRAMS: dict[str, Callable[[list[str]], int | None]] = {
    "mlc-opt": opt,
    "mlc-run": execute,
    "mlc-compile": compile,
    "FileCheck": check,
    "cat": cat,
}
