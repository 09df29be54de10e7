"""Trees of arrays: dicts (sorted keys) and their subclasses (keys in order), lists, tuples, named tuples, dataclasses,
None; everything else is a leaf.

A `Structure` is hashable, so that programs can be kept by the structure of their arguments.
"""

# Trees and user functions hold anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from ...dialects.errors import CompileError


@dataclass(frozen=True)
class Structure:
    """`kind` is "leaf", "none", "dict" or the class of the node; `keys` name its parts."""

    kind: Any
    keys: tuple[Any, ...] = ()
    parts: tuple[Structure, ...] = ()

    def paths(self, prefix: str = "") -> list[str]:
        """A readable name of every leaf: `p.w1`, `xs.0`."""
        if self.kind == "leaf":
            return [prefix]
        names = (f"{prefix}.{k}" if prefix else str(k) for k in self.keys)
        return [path for name, part in zip(names, self.parts, strict=True) for path in part.paths(name)]

    def __str__(self) -> str:
        if self.kind in ("leaf", "none"):
            return "*" if self.kind == "leaf" else "None"
        inner = ", ".join(f"{k}: {p}" for k, p in zip(self.keys, self.parts, strict=True))
        return f"{self.kind if self.kind == 'dict' else self.kind.__name__}({inner})"


@dataclass(frozen=True)
class DefaultDict:
    """The kind of a `defaultdict`."""

    factory: Callable[[], Any] | None

    @property
    def __name__(self) -> str:
        return "defaultdict"


LEAF = Structure("leaf")
NONE = Structure("none")


def _parts(tree: Any) -> tuple[Any, tuple[Any, ...], list[Any]] | None:
    """Kind, keys and children of an inner node."""
    cls = type(tree)
    if cls is dict:
        try:
            keys = sorted(tree)
        except TypeError:
            raise CompileError(f"expected a dict with keys that can be sorted, found keys {list(tree)}") from None
        return "dict", tuple(keys), [tree[k] for k in keys]
    if isinstance(tree, dict):
        kind = DefaultDict(getattr(tree, "default_factory", None)) if cls is defaultdict else cls
        return kind, tuple(tree), list(tree.values())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return cls, tuple(tree._fields), list(tree)  # pyright: ignore
    if cls is list or cls is tuple:
        return cls, tuple(range(len(tree))), list(tree)
    if is_dataclass(tree) and not isinstance(tree, type) and not getattr(cls, "__mlc_leaf__", False):
        names = tuple(f.name for f in fields(tree) if f.init)
        return cls, names, [getattr(tree, n) for n in names]
    return None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves in order, and the structure."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves)


def _flatten(tree: Any, leaves: list[Any]) -> Structure:
    if tree is None:
        return NONE
    found = None if type(tree) is np.ndarray else _parts(tree)
    if found is None:
        leaves.append(tree)
        return LEAF
    kind, keys, children = found
    return Structure(kind, keys, tuple(_flatten(child, leaves) for child in children))


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The tree of this structure with these leaves."""
    return _build(structure, iter(leaves))


def _build(s: Structure, leaves: Iterator[Any]) -> Any:
    if s.kind == "leaf":
        return next(leaves)
    if s.kind == "none":
        return None
    values = [_build(p, leaves) for p in s.parts]
    if s.kind == "dict":
        return dict(zip(s.keys, values, strict=True))
    if s.kind is list or s.kind is tuple:
        return s.kind(values)
    if isinstance(s.kind, DefaultDict):
        return defaultdict(s.kind.factory, zip(s.keys, values, strict=True))
    if issubclass(s.kind, dict):
        return s.kind(zip(s.keys, values, strict=True))
    return s.kind(**dict(zip(s.keys, values, strict=True)))


def tree_map(fn: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """`fn` on corresponding leaves of trees of one structure."""
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in others:
        found, same = flatten(other)
        if same != structure:
            raise CompileError(f"expected trees of one structure, found {structure} and {same}")
        columns.append(found)
    return unflatten(structure, [fn(*row) for row in zip(*columns, strict=True)])


def broadcast_prefix(prefix: Any, tree: Any, what: str) -> list[Any]:
    """One entry of `prefix` for each leaf of `tree`: a prefix leaf (None included) stands for the whole subtree."""
    found = _parts(prefix) if prefix is not None else None
    if found is None:
        return [prefix] * len(flatten(tree)[0])
    own = _parts(tree) if tree is not None else None
    if own is None or own[1] != found[1]:
        raise CompileError(f"{what}: expected a prefix of {flatten(tree)[1]}, found {prefix!r}")
    return [x for p, t in zip(found[2], own[2], strict=True) for x in broadcast_prefix(p, t, what)]
