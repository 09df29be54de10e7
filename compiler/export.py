"""`mlc.to_stablehlo`: a function, module, text or file as the text of a StableHLO module, whose entry is `@main`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dialects.errors import CompileError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

PASSES = ("stablehlo-to-nd", "inline", "symbol-dce", "canonicalize", "cse", "dce")
"""What makes a program small before it is written."""

MAIN = "main"
"""The entry of a StableHLO module, which other compilers look for."""


def to_stablehlo(program: Any, *specs: Any, entry: str = MAIN, effects: str = "error", locations: bool = False) -> str:
    """The program as StableHLO text, which JAX, XLA and IREE take.

    `program`: a function of arrays that `specs` describe, as for `mlc.compile`, or a module, MLIR text, or a path.
    Sizes must be numbers. Prints and checks are an error, or left out with `effects="drop"`. `locations`: ops say
    which line they come from. Values are named as MLIR names them, and equal programs are equal texts.
    """
    from ..lowering.nd_to_stablehlo.convert import NdToStablehlo
    from . import driver
    from .pipelines import specs as pipeline
    from .printing import print_ir
    from .registry import PASSES as KNOWN
    from .registry import build

    module, name = _module(program, specs, entry)
    _only(module, name)
    passes = [build(p) for p in pipeline([p for p in PASSES if p in KNOWN])]
    driver.run(module, [*passes, NdToStablehlo(effects)], driver.from_environment())
    return print_ir(module, locations=locations)


def _module(program: Any, specs: Sequence[Any], entry: str) -> tuple[ModuleOp, str]:
    from xdsl.dialects.builtin import ModuleOp

    from .frontend.tracing import trace
    from .modules import parse

    if callable(program):
        traced = trace(program, specs)
        return traced.module, traced.name
    if specs:
        raise CompileError(f"to_stablehlo: expected arguments only for a function, found {len(specs)}")
    if isinstance(program, str | Path):
        return parse(program), entry
    if isinstance(program, ModuleOp):
        return program.clone(), entry
    found = type(program).__name__
    raise CompileError(f"to_stablehlo: expected a function, a module, MLIR text or a path, found {found}")


def _only(module: ModuleOp, name: str) -> None:
    """The entry is called `main`; what cannot be reached from it goes later, being private."""
    from xdsl.dialects.builtin import StringAttr
    from xdsl.dialects.func import FuncOp

    from .blocks import entry

    f = entry(module, name)
    for other in module.ops:
        if not isinstance(other, FuncOp) or other is f:
            continue
        if other.sym_name.data == MAIN:
            raise CompileError(f"to_stablehlo: expected no other function @{MAIN} beside @{name}", other.location)
        other.properties["sym_visibility"] = StringAttr("private")
    f.properties["sym_name"] = StringAttr(MAIN)
    f.properties["sym_visibility"] = StringAttr("public")
