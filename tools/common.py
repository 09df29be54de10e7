"""What the command-line tools share: reading inputs, printing errors without tracebacks, exit codes.

0  done    1  the program is wrong, or a check of it failed    2  the command line is wrong    3  the compiler failed
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ..compiler import settings
from ..compiler.collecting import seldom
from ..compiler.driver import InternalError
from ..compiler.parsing import decode
from ..compiler.registry import nearest
from ..dialects.errors import CheckError, CompileError, memory_wanted

WRONG_PROGRAM, WRONG_USAGE, INTERNAL = 1, 2, 3


def read_input(path: str) -> tuple[str, str]:
    """The name that locations give an input and its text; `-` is standard input."""
    try:
        if path == "-":
            return "<stdin>", decode(sys.stdin.buffer.read(), "<stdin>")
        return path, decode(Path(path).read_bytes(), path)
    except OSError as error:
        raise CompileError(f"cannot read {path}: {error.strerror}") from error


def write_output(path: str, text: str) -> None:
    """Write to a file; `-` is standard output."""
    if path == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        Path(path).write_text(text)
    except OSError as error:
        raise CompileError(f"cannot write {path}: {error.strerror}") from error


def guarded(body: Callable[[], int]) -> int:
    """Run a tool's body: an exit code always, a traceback only with MLC_TRACEBACK=1."""
    try:
        with seldom():
            return body()
    except (CompileError, CheckError) as error:
        return report_error(error)
    except InternalError as error:
        return report_error(error)
    except BrokenPipeError:
        # The reader has gone: let the interpreter's own flush at exit find nothing to do.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    except RecursionError:
        print("error: expected nesting that Python's stack can hold, found deeper", file=sys.stderr)
        return WRONG_PROGRAM
    except MemoryError as error:
        print(f"error: {memory_wanted(error)}", file=sys.stderr)
        return WRONG_PROGRAM
    except Exception as error:
        # Whatever nobody foresaw is the compiler's fault and still no traceback.
        return report_error(InternalError(f"{type(error).__name__}: {error}".split("\n")[0]), error)


def report_error(error: CompileError | CheckError | InternalError, cause: Exception | None = None) -> int:
    """Print one error; its exit code."""
    internal = isinstance(error, InternalError)
    print(f"internal error: {error}" if internal else str(error), file=sys.stderr)
    if settings.TRACEBACK.on():
        traceback.print_exception(cause or error)
    return INTERNAL if internal else WRONG_PROGRAM


class Arguments(argparse.ArgumentParser):
    """A tool's parser: its help is the docstring as it is, and it suggests the nearest option for an unknown one."""

    def __init__(self, name: str, description: str | None) -> None:
        shown = argparse.RawDescriptionHelpFormatter
        super().__init__(name, description=description, formatter_class=shown, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments: "):
            options = [o for a in self._actions for o in a.option_strings]
            wrong = message.split(": ", 1)[1].split()[0].split("=")[0]
            message += nearest(wrong, options)
        self.exit(WRONG_USAGE, f"{self.prog}: error: {message} ({self.prog} --help lists the options)\n")


class HelpEnv(argparse.Action):
    """`--help-env`: print the table of environment variables and leave."""

    def __init__(self, option_strings: list[str], dest: str, **_: object) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the environment variables and leave")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(settings.describe())
        parser.exit()
