"""`--check` and `--check-each`: does a program still compute what it said, and which pass changed it.

The result of the input module in the interpreter is the truth. After every pass the module, at whatever level it is,
runs in the interpreter again; the first pass after which a result differs beyond the program's tolerance is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from ..dialects.errors import CompileError
from ..runtime.interpreter import Interpreter
from ..runtime.matching import assert_matches, program_tolerance
from .driver import Options, run
from .spec import spec_of

Array = np.ndarray[Any, Any]
Sizes = dict[str, int]


@dataclass(frozen=True)
class Change:
    """The first pass that changed a result, and how."""

    by: str
    message: str

    def __str__(self) -> str:
        return f"{self.by} changes the result: {self.message}"


def reference(module: ModuleOp, entry: str, inputs: Sequence[Array], sizes: Sizes) -> list[Array]:
    """The results in the interpreter, on copies of the inputs."""
    return Interpreter(module).call(entry, *[x.copy() for x in inputs], symbols=dict(sizes) or None)


def differs(
    module: ModuleOp, entry: str, got: Sequence[Array], want: Sequence[Array], inputs: Sequence[Array]
) -> str | None:
    """How results differ beyond the tolerance of the program that `module` is, or None."""
    if len(got) != len(want):
        return f"expected {len(want)} results, found {len(got)}"
    tolerance = program_tolerance(module, inputs, entry)
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        try:
            assert_matches(tolerance, g, w, inputs=inputs)
        except AssertionError as error:
            return f"result {k}: {str(error).strip().splitlines()[0]}"
    return None


def check_each(
    module: ModuleOp,
    passes: Sequence[ModulePass],
    entry: str,
    inputs: Sequence[Array],
    sizes: Sizes,
    progress: Callable[[str], None] = lambda _: None,
) -> Change | None:
    """Run the passes on a copy of the module; the first that changes a result, or None."""
    original, work = module.clone(), module.clone()
    want = reference(original, entry, inputs, sizes)
    found: list[Change] = []

    def observe(pass_: ModulePass, now: ModuleOp) -> None:
        if found:
            return
        by = f"pass {spec_of(pass_)}"
        try:
            message = differs(original, entry, reference(now, entry, inputs, sizes), want, inputs)
        except CompileError as error:
            message = f"the interpreter refuses its output: {error.message}"
        if message is not None:
            found.append(Change(by, message))
        else:
            progress(by)

    for pass_ in passes:
        run(work, [pass_], Options(verify_input=False, observer=observe))
        if found:
            return found[0]
    return None
