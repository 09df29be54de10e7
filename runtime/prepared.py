"""Constants that are made of constants before a program runs: packed weights, converted and scaled ones.

    {"by": "3f..", "of": [{"hash": "9f3c..", "offset": 0, "strides": [1, 64]}]}

says that the preparation 3f.. (a program of its own, named by the hash of its text) makes a constant of the resource
9f3c.. as it is read by these strides; instead of a hash, a source may have `data`, or be `made` itself. What was made
once is a file of the cache, named by that description, and mapped; so it is the same memory in all programs and
processes that use it. Where there is no cache, or no room in it, it is this process's own memory. One constant is made
after the other, and the pages of a mapped source that nothing else reads are given back after it.
"""

from __future__ import annotations

import contextlib
import json
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import cache
from .abi import ALIGNMENT, Argument, Constant, Program, count, evaluate, numpy_type
from .results import address_of, view_of

if TYPE_CHECKING:
    from .executable import Executable

Array = np.ndarray[Any, Any]
Recipe = Mapping[str, Any]

SHARE = 0.75
"""The part of what the cache may hold that the constants of one program take: more would push each other out."""

CACHED, COMPUTED, GIVEN = "cache", "computed", "given"
"""Where a constant comes from: a file of the cache, the preparation, or the file of a saved program."""


@dataclass
class Preparations:
    """Makes the constants of one program."""

    programs: Mapping[str, bytes]
    """By hash: executables as they are stored."""
    resources: Mapping[str, Array]
    loaded: dict[str, Executable] = field(default_factory=dict[str, "Executable"])
    room: float = field(default_factory=lambda: 0.0 if cache.edited() else SHARE * cache.bound())
    """Bytes that may still be kept."""

    def make(self, constant: Constant) -> tuple[Array, str]:
        """The constant's array, read-only, and where it comes from."""
        recipe = constant.made
        assert recipe is not None
        kind, name = numpy_type(constant.dtype), cache.key("constant", json.dumps(recipe, sort_keys=True))
        size = constant.elements * kind.itemsize
        fits = 0 < size <= self.room
        self.room -= size if fits else 0
        found = _mapped(name, kind, size) if fits else None
        if found is not None:
            self._release(recipe)
            return found, CACHED
        array = self._run(recipe)
        self._release(recipe)
        if fits:
            cache.put_mapped(name, array.reshape(-1).view(np.uint8).data)
            found = _mapped(name, kind, size)
        array.flags.writeable = False
        return array if found is None else found, COMPUTED

    def _run(self, recipe: Recipe) -> Array:
        from .executable import Executable

        by = recipe["by"]
        if by not in self.loaded:
            self.loaded[by] = Executable.from_bytes(self.programs[by])[0]
        maker = self.loaded[by].program
        (result,) = maker.results
        shape, kind = [evaluate(d, {}) for d in result.shape], numpy_type(result.dtype)
        size = count(shape) * kind.itemsize
        memory = np.empty(size + ALIGNMENT, np.uint8)  # not from the lists of memory for results, which would keep it
        start = -memory.ctypes.data % ALIGNMENT
        out = memory[start : start + size].view(kind).reshape(shape)
        given = zip(recipe["of"], maker.arguments, strict=True)
        self.loaded[by](*(self._source(s, a) for s, a in given), out=out)
        return out

    def _source(self, source: Recipe, argument: Argument) -> Array:
        """The array that a preparation reads."""
        if "hash" in source:
            base = self.resources[source["hash"]]
        elif "data" in source:
            base = np.frombuffer(bytes.fromhex(source["data"]), numpy_type(argument.dtype))
        else:
            base = self._run(source["made"])
        # a hash is of bytes: its array may be of another type
        flat = np.ascontiguousarray(base).reshape(-1).view(numpy_type(argument.dtype))
        shape = tuple(evaluate(d, {}) for d in argument.shape)
        steps = tuple(s * flat.itemsize for s in source["strides"])
        view = view_of(flat, address_of(flat), flat.dtype, source["offset"], shape, steps)
        view.flags.writeable = False
        return view

    def _release(self, recipe: Recipe) -> None:
        for source in recipe["of"]:
            if "hash" in source:
                release(self.resources[source["hash"]])
            elif "made" in source:
                self._release(source["made"])


def _mapped(name: str, kind: np.dtype[Any], size: int) -> Array | None:
    data = cache.get_mapped(name)
    return None if data is None or len(data) != size else np.frombuffer(data, kind)


def release(array: Array) -> None:
    """Give back the pages of a file that is mapped to be read; they are read again when somebody needs them."""
    base: Any = array
    while isinstance(base, np.ndarray):
        # other mappings may hold changes that are in no file
        if isinstance(base, np.memmap) and base.mode == "r" and isinstance(base.base, mmap.mmap):
            with contextlib.suppress(OSError, AttributeError):
                base.base.madvise(mmap.MADV_DONTNEED)
        base = base.base


def sources(recipe: Recipe) -> list[str]:
    """The hashes of the resources that a constant is made of."""
    found = (([s["hash"]] if "hash" in s else sources(s["made"]) if "made" in s else []) for s in recipe["of"])
    return [h for hashes in found for h in hashes]


def unread(program: Program) -> set[str]:
    """The hashes of resources of which constants are made, and that the program itself does not read."""
    made = {h for c in program.constants if c.made is not None for h in sources(c.made)}
    return made - {c.hash for c in program.constants}
