"""`mlc.jit`: a function compiled for the structure, shapes, element types and memory order of its arguments.

    f = jit(step, static=("training",), donate=("parameters",))
    f(parameters, x, training=True)

Every new combination is traced and compiled once. An array that is dense in any order of its axes, reversed or
broadcast, is passed as it lies; any other is copied. Inside another trace the function is inlined.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce, update_wrapper
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from xdsl.dialects.builtin import f32, i1, i64
from xdsl.ir import Attribute

from ...dialects.errors import CompileError
from ...dialects.nd import op as core
from ...dialects.nd.types import FLOAT, INTEGER
from ...runtime.locks import ForkLock
from . import eager
from .leaves import in_place, in_rows, is_array, is_dense, on_device
from .locations import user_location
from .pytree import Structure, flatten, unflatten

if TYPE_CHECKING:
    from ..compile import Compiled

Layout = tuple[int, ...] | None
"""Strides in elements; None is row-major."""
Signature = tuple[Hashable, ...]


HOT, AGAIN = 5, 64
"""The number of the call after which the short way is looked for, and after how many calls it is again; an executable's
native way is there before."""

MOST_SHORT = 4


class CacheInfo(NamedTuple):
    hits: int
    misses: int
    entries: int


@dataclass
class Entry:
    """One compiled combination."""

    executable: Compiled
    results: Structure
    contiguous: tuple[int, ...]
    """Leaves that are copied to rows before the call."""
    calls: int = 0
    short: Callable[[tuple[Any, ...]], Any] | None = None
    """The short way for such arguments, once it is looked for."""


def layout_of(x: Any) -> Layout | str:
    """None for rows; strides, if dense but for order, direction and repetition of axes; else "copy"."""
    if is_dense(x):
        return None
    size = x.itemsize
    if any(s % size for s in x.strides) or not x.size:
        return "copy"
    strides = tuple(s // size for s in x.strides)
    step = 1
    for stride, extent in sorted((abs(s), n) for s, n in zip(strides, x.shape) if n > 1 and s):
        if stride != step:
            return "copy"
        step *= extent
    return strides


def signature_of(leaf: Any) -> Hashable:
    """What of a leaf a program depends on."""
    if type(leaf) is np.ndarray:
        return leaf.shape, leaf.dtype, layout_of(leaf)
    if isinstance(leaf, bool | int | float):
        return type(leaf)
    if on_device(leaf):
        return leaf.shape, leaf.dtype, layout_of(leaf)
    from .tracing import type_of

    return type_of(leaf)


def _adopted(leaves: Sequence[Any]) -> list[Any]:
    """Python numbers as scalars of the type that the arrays of their kind have together, which they would adopt: a
    float beside f64 arrays keeps all its digits, one beside f16 arrays leaves them f16, an int beside i8 arrays is i8.
    """
    from .tracing import spec, type_of

    numbers = [type(x) in (bool, int, float) for x in leaves]  # a NumPy scalar is not weak, though a float
    if not any(numbers):
        return list(leaves)
    found = dict.fromkeys(type_of(x).element_type for x, number in zip(leaves, numbers, strict=True) if not number)
    adopted = {bool: i1, int: _together(found, INTEGER, i64), float: _together(found, FLOAT, f32)}
    return [spec((), adopted[type(x)]) if number else x for x, number in zip(leaves, numbers, strict=True)]


def _together(found: Iterable[Attribute], kind: Sequence[Attribute], otherwise: Attribute) -> Attribute:
    """The type that those of a kind promote to; `otherwise` if there is none."""
    from ...dialects.nd.promotion import common_dtype

    try:
        return reduce(common_dtype, [t for t in found if t in kind] or [otherwise])
    except CompileError:
        return otherwise


OPTIONS = ("schedule", "numerics", "threads", "vector_bytes", "target", "arch", "saturate", "memory_limit")


@dataclass
class Jit:
    """A function that compiles itself for its arguments; see the module's docstring."""

    fn: Callable[..., Any]
    static: tuple[int | str, ...] = ()
    donate: tuple[int | str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    entries: dict[Signature, Entry] = field(default_factory=dict[Signature, Entry])
    hits: int = 0
    copies: int = 0
    """Arrays that had to be copied before a call, so far."""

    def __post_init__(self) -> None:
        update_wrapper(self, self.fn)
        self.name = str(getattr(self.fn, "__name__", "function"))
        self._static = self._positions(self.static, "static")
        self._donate = self._positions(self.donate, "donate")
        self._compiling = ForkLock()
        unknown = [name for name in self.options if name not in OPTIONS]
        if unknown:
            raise CompileError(f"jit: expected options {', '.join(OPTIONS)}, found {unknown[0]!r}")
        self._short: tuple[Callable[[tuple[Any, ...]], Any], ...] = ()
        """Short ways of the entries that were called often, the latest first."""
        self._signature: inspect.Signature | None = None
        self._keywords: tuple[str, ...] = ()
        """The keyword-only parameters, whose arguments follow those that have a position."""
        self._count: int | None = None
        """How many arguments fill every parameter; None before the first look, or if that is no fixed number."""

    def _positions(self, given: Sequence[int | str], what: str) -> frozenset[int]:
        if not given:
            return frozenset()
        names = list(inspect.signature(self.fn).parameters)
        out: set[int] = set()
        for item in given:
            if isinstance(item, str):
                if item not in names:
                    raise CompileError(
                        f"jit: {what}: expected a parameter of {self.name} ({', '.join(names)}), found {item!r}"
                    )
                out.add(names.index(item))
            else:
                if names and not -len(names) <= item < len(names):
                    raise CompileError(f"jit: {what}: expected a position from 0 to {len(names) - 1}, found {item}")
                out.add(item % len(names))
        return frozenset(out)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if core.open_places() or eager.active():
            return self.fn(*args, **kwargs)
        if not kwargs:
            for short in self._short:
                out = short(args)
                if out is not NotImplemented:
                    self.hits += 1
                    return out
        given, args = args, self._bound(args, kwargs)
        entry, leaves = self._entry(args)
        entry.calls += 1
        if entry.calls % AGAIN == HOT and given is args:
            with contextlib.suppress(ImportError):  # of an interpreter that ends
                self._shorten(entry, args)
        for k in entry.contiguous:
            leaves[k] = in_rows(leaves[k])
            self.copies += 1
        out = entry.executable(*leaves)
        if entry.results.kind == "leaf":
            return out
        many = len(entry.executable.program.results) != 1
        return unflatten(entry.results, out if many else [out])

    def _shorten(self, entry: Entry, args: tuple[Any, ...]) -> None:
        """Look at this entry first in calls to come, if its program can be called natively."""
        from .shortcuts import shortcut

        if entry.short is None:
            _, structure = flatten(tuple(a for k, a in enumerate(args) if k not in self._static))
            fixed = {k: args[k] for k in self._static if k < len(args)}
            entry.short = shortcut(structure, fixed, entry.executable, entry.results)
        if entry.short is not None:
            self._short = (entry.short, *[s for s in self._short if s is not entry.short][: MOST_SHORT - 1])

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Keywords and defaults at their positions."""
        if not kwargs and (len(args) == self._count or not (self._static or self._donate)):
            return args
        if self._signature is None:
            self._signature = inspect.signature(self.fn)
            kinds = [p.kind for p in self._signature.parameters.values()]
            plain = all(
                k in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in kinds
            )
            self._count = len(kinds) if plain else None
            if inspect.Parameter.VAR_POSITIONAL not in kinds:
                keyword = inspect.Parameter.KEYWORD_ONLY
                self._keywords = tuple(n for n, p in self._signature.parameters.items() if p.kind == keyword)
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise CompileError(f"{self.name}: {error}") from None
        bound.apply_defaults()
        if others := [name for name in bound.kwargs if name not in self._keywords]:
            names = ", ".join(others)
            raise CompileError(f"{self.name}: expected arguments of named parameters, found {names}")
        return (*bound.args, *bound.kwargs.values())

    def _run(self, *args: Any) -> Any:
        """`fn` on what `_bound` returns."""
        positional = len(self._signature.parameters) - len(self._keywords) if self._signature else len(args)
        if not self._keywords or len(args) <= positional:
            return self.fn(*args)
        return self.fn(*args[:positional], **dict(zip(self._keywords, args[positional:], strict=True)))

    def _entry(self, args: tuple[Any, ...]) -> tuple[Entry, list[Any]]:
        fixed = tuple(args[k] for k in sorted(self._static) if k < len(args))
        dynamic = args if not self._static else tuple(a for k, a in enumerate(args) if k not in self._static)
        leaves, structure = flatten(dynamic)
        leaves = in_place(leaves)
        kinds = tuple(map(type, fixed))  # 1, 1.0 and True are equal, but not the same program
        key: Signature = (structure, fixed, kinds, *map(signature_of, leaves))
        try:
            entry = self.entries.get(key)
        except TypeError:
            raise self._unhashable(fixed) from None
        if entry is None:
            with self._compiling:  # several threads may ask for the same
                entry = self.entries.get(key)
                if entry is None:
                    entry = self.entries[key] = self._compile(args, fixed, leaves)
        else:
            self.hits += 1
        return entry, leaves

    def _unhashable(self, fixed: Sequence[Any]) -> CompileError:
        """Names the static argument that no program can be kept under."""
        names = list(inspect.signature(self.fn).parameters)
        for k, value in zip(sorted(self._static), fixed):
            try:
                hash(value)
            except TypeError:
                name, found = names[k] if k < len(names) else k, type(value).__name__
                message = f"{self.name}: static argument {name}: expected a hashable value, found a {found}"
                return CompileError(f"{message}; pass a tuple for a list", user_location())
        return CompileError(f"{self.name}: expected hashable arguments", user_location())

    def _traced(self, args: tuple[Any, ...], fixed: tuple[Any, ...]) -> Any:
        from .tracing import trace

        positions = sorted(self._static)
        leaves, structure = flatten(tuple(a for k, a in enumerate(args) if k not in self._static))
        given = unflatten(structure, _adopted(in_place(leaves)))

        def dynamic(*xs: Any) -> Any:
            filled = list(xs)
            for k, value in zip(positions, fixed):
                filled.insert(k, value)
            return self._run(*filled)

        if not positions and not self._keywords:
            return trace(self.fn, given)
        parameters = [p for k, p in enumerate(inspect.signature(self.fn).parameters.values()) if k not in self._static]
        dynamic.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
        dynamic.__name__ = self.name
        return trace(dynamic, given)

    def _compile(self, args: tuple[Any, ...], fixed: tuple[Any, ...], leaves: list[Any]) -> Entry:
        from ..compile import compile_module
        from .layouts import set_layouts

        traced = self._traced(args, fixed)
        donated: list[int] = []
        k = 0
        for position, arg in enumerate(args):
            if position in self._static:
                continue
            count = len(flatten(arg)[0])
            if position in self._donate:
                donated += range(k, k + count)
            k += count
        layouts = [layout_of(x) if is_array(x) else None for x in leaves]
        copied = tuple(i for i, at in enumerate(layouts) if at == "copy" or (i in donated and at is not None))
        set_layouts(
            traced.func, [at if i not in copied and isinstance(at, tuple) else None for i, at in enumerate(layouts)]
        )
        executable = compile_module(traced.module, entry=traced.name, donate=donated, **self.options)
        return Entry(executable, traced.results, copied)

    def compile(self, *args: Any, **kwargs: Any) -> Compiled:
        """The executable for such arguments (arrays or specs), without running it."""
        bound = self._bound(args, kwargs)
        return self._entry(bound)[0].executable

    def lower(self, *args: Any, **kwargs: Any) -> str:
        """The program for such arguments as text of the tensor level."""
        from ..printing import print_ir

        bound = self._bound(args, kwargs)
        return print_ir(self._traced(bound, tuple(bound[k] for k in sorted(self._static) if k < len(bound))).module)

    def cache_info(self) -> CacheInfo:
        """Calls that found their program, programs compiled, programs kept."""
        return CacheInfo(self.hits, len(self.entries), len(self.entries))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """A method: `self` is an argument like any other."""
        if instance is None:
            return self
        return partial(self, instance)


def jit(
    fn: Callable[..., Any] | None = None,
    *,
    static: int | str | Sequence[int | str] = (),
    donate: int | str | Sequence[int | str] = (),
    **options: Any,
) -> Any:
    """Compile `fn` when it is called.

    `static`: positions or names of arguments that are Python values, part of what is compiled; `donate`: of arguments
    whose arrays the program may overwrite and return. Further keywords: schedule, numerics, threads, vector_bytes,
    target, arch, saturate, memory_limit (see `mlc.compile`).
    """
    if fn is None:
        return lambda f: jit(f, static=static, donate=donate, **options)  # pyright: ignore
    one = lambda x: (x,) if isinstance(x, int | str) else tuple(x)  # pyright: ignore
    return Jit(fn, one(static), one(donate), options)  # pyright: ignore
