"""What a user gives as a program, MLIR text, an .mlir file, a module or a function, as a module."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dialects.errors import CompileError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


def parse(source: str | Path) -> ModuleOp:
    """A module from a path that ends in .mlir, or from text."""
    from .parsing import decode, parse_module
    from .verify import verify

    if isinstance(source, Path) or (source.endswith(".mlir") and "\n" not in source):
        path = Path(source)
        if not path.is_file():
            raise CompileError(f"expected an .mlir file, found no file {path}")
        module = parse_module(decode(path.read_bytes(), str(path)), str(path))
    else:
        module = parse_module(source, "<string>")
    verify(module)
    return module


def module_of(program: Any) -> ModuleOp:
    """The module of anything but a function; it is the caller's to change."""
    from xdsl.dialects.builtin import ModuleOp

    if isinstance(program, str | Path):
        return parse(program)
    if isinstance(program, ModuleOp):
        return program.clone()
    found = type(program).__name__
    raise CompileError(f"compile: expected a function, a module, MLIR text or a path, found {found}")


def traced(fn: Any, specs: Sequence[Any], constants: Mapping[str, Any]) -> tuple[ModuleOp, str]:
    """The module of a function, of whose parameters some are constants."""
    from .frontend.pytree import flatten
    from .frontend.tracing import trace
    from .weights import replace as replace_argument

    if not constants:
        found = trace(fn, specs)
        return found.module, found.name
    names = list(inspect.signature(fn).parameters)
    if unknown := [n for n in constants if n not in names]:
        raise CompileError(f"constants: expected parameters ({', '.join(names)}), found {unknown[0]!r}")
    rest = iter(specs)
    args = [constants[n] if n in constants else next(rest, None) for n in names[: len(specs) + len(constants)]]
    found = trace(fn, args)
    k = 0
    for name, arg in zip(names, args):
        for leaf in flatten(arg)[0]:
            argument = found.func.body.block.args[k]
            if name in constants:
                replace_argument(found.func, argument, argument.name_hint or name, leaf)
            else:
                k += 1
    return found.module, found.name
