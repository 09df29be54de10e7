"""Effects of traced programs: `debug_print` and `check`, in the order in which the program states them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...dialects.errors import CheckError, CompileError
from ...dialects.nd import effects
from ...dialects.nd.functions import truth
from .locations import user_location
from .tracing import lift
from .transforms import tracing


def debug_print(fmt: str, *xs: Any) -> None:
    """Print a line when the program runs: `{}` in `fmt` stands for the next value, as in `str.format`."""
    try:
        effects.fields(fmt, len(xs))
    except ValueError as error:
        raise CompileError(f"debug_print: {error}", user_location()) from None
    if not tracing():
        sys.stdout.write(effects.formatted(fmt, [np.asarray(x) for x in xs]) + "\n")
        return
    effects.print_(fmt, [lift(x) for x in xs])


def check(p: Any, message: str) -> None:
    """Stop the program with a `CheckError` that says `message` and where, unless all elements of `p` are true."""
    if not tracing():
        if not np.all(p):
            raise CheckError(message, user_location())
        return
    effects.check(truth(lift(p)), message)
