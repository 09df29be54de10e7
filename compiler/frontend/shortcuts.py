"""The short way from the arguments of a jitted function to its program, for arguments like those of a call before.

    short = shortcut(structure, fixed, executable, results)
    short(args)                       the function's result, or NotImplemented: not such arguments

A shortcut takes the trees apart as the structure says and leaves all that regards the arrays to `Executable.direct`,
which refuses every array that the program was not compiled for.
"""

# Trees hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .pytree import Structure, unflatten

if TYPE_CHECKING:
    from ..compile import Compiled

Reader = Callable[[Any, list[Any]], bool]
"""Adds the leaves of a tree; False: the tree has another structure."""

VALUES = (bool, int, float, str, bytes, type(None))
"""Static arguments of these types are compared; others take the way through the dictionary of programs."""


def shortcut(
    structure: Structure, fixed: Mapping[int, Any], executable: Compiled, results: Structure
) -> Callable[[tuple[Any, ...]], Any] | None:
    """`structure`: of the tuple of the arguments that are not static; `fixed`: the static ones by their positions. None
    where there is no shorter way."""
    parts = list(structure.parts)
    if not executable.latest or any(type(value) not in VALUES for value in fixed.values()):
        return None
    leaves_only = not fixed and all(p.kind == "leaf" for p in parts)
    build = _builder(results, len(executable.program.results))
    direct = executable.direct
    if leaves_only and build is None:
        return lambda args: direct(*args)
    try:
        readers = [_reader(p) for p in parts]
    except KeyError:
        return None
    count, positions = len(parts) + len(fixed), [k for k in range(len(parts) + len(fixed)) if k not in fixed]
    steps = list(zip(positions, readers, strict=True))
    values = [(k, value, type(value)) for k, value in fixed.items()]

    def run(args: tuple[Any, ...]) -> Any:
        if len(args) != count:
            return NotImplemented
        for k, value, kind in values:
            if type(args[k]) is not kind or args[k] != value:
                return NotImplemented
        leaves: list[Any] = []
        for k, read in steps:
            if read is None:
                leaves.append(args[k])
            elif not read(args[k], leaves):
                return NotImplemented
        out = direct(*leaves)
        return out if build is None or out is NotImplemented else build(out)

    return run


def _reader(s: Structure) -> Reader | None:
    """None for a leaf; KeyError where a node is of another kind than those known here."""
    if s.kind == "leaf":
        return None
    if s.kind == "none":
        return lambda tree, leaves: tree is None
    if s.kind == "dict":
        return _reader_of_dict(s)
    if s.kind is not list and s.kind is not tuple:
        raise KeyError(s.kind)
    return _reader_of_sequence(s)


def _reader_of_dict(s: Structure) -> Reader:
    count = len(s.keys)
    inner = _reader_of_parts(s)
    if count == 0:
        return lambda tree, leaves: type(tree) is dict and not tree
    take = itemgetter(*s.keys)

    def read(tree: Any, leaves: list[Any]) -> bool:
        if type(tree) is not dict or len(tree) != count:
            return False
        try:
            return inner(take(tree) if count > 1 else (take(tree),), leaves)
        except KeyError:
            return False

    return read


def _reader_of_sequence(s: Structure) -> Reader:
    inner, kind, count = _reader_of_parts(s), s.kind, len(s.keys)
    return lambda tree, leaves: type(tree) is kind and len(tree) == count and inner(tree, leaves)


def _reader_of_parts(s: Structure) -> Reader:
    """For as many trees as the node has parts."""
    readers = [_reader(p) for p in s.parts]
    if not any(readers):

        def extend(trees: Any, leaves: list[Any]) -> bool:
            leaves += trees
            return True

        return extend

    def each(trees: Any, leaves: list[Any]) -> bool:
        for tree, read in zip(trees, readers):
            if read is None:
                leaves.append(tree)
            elif not read(tree, leaves):
                return False
        return True

    return each


def _builder(s: Structure, results: int) -> Callable[[Any], Any] | None:
    """From what the executable returns to the tree; None: it is the tree."""
    flat = all(p.kind == "leaf" for p in s.parts)
    if s.kind == "leaf" or (s.kind is tuple and flat and results != 1):
        return None
    if s.kind == "dict" and flat and results != 1:
        keys = s.keys
        return lambda out: dict(zip(keys, out))
    return lambda out: unflatten(s, out if results != 1 else [out])
