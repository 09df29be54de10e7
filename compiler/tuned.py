"""Schedules that were found by measuring, on disk: what `mlc-tune` records and choose-schedule consults.

One file of the cache (runtime/cache.py) holds all of them, for one CPU and one source of the compiler. A record's key
is the text of the kernel before it is scheduled (axes, sizes, element types, accesses), the description of the machine,
and the number of threads. Names of arguments and stages do not count: they are numbered in the key, and in the steps.
MLC_TUNED=0 turns it off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..runtime import cache
from . import settings

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp
    from xdsl.ir import SSAValue

    from .machine import Machine
    from .spec import PassSpec, Value

PACKED = "pack_"
_parsed: dict[str, dict[str, str]] = {}
"""The last file that was read, by its digest."""


def _file() -> bytes | None:
    return cache.get(cache.key("tuned")) if settings.TUNED.on() else None


def state() -> str:
    """What programs that consult the records depend on: the same text as long as no record changes."""
    data = _file()
    return hashlib.blake2b(data, digest_size=16).hexdigest() if data else ""


def records() -> dict[str, str]:
    """Steps by key."""
    data = _file()
    if not data:
        return {}
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    if digest not in _parsed:
        _parsed.clear()
        _parsed[digest] = json.loads(data)
    return _parsed[digest]


@dataclass(frozen=True)
class Identity:
    """What a kernel is known by, and the numbers of its names."""

    key: str
    names: Mapping[str, str]

    def numbered(self, steps: str) -> str:
        return _all_renamed(steps, self.names)

    def named(self, steps: str) -> str:
        return _all_renamed(steps, {number: name for name, number in self.names.items()})


def identity(f: FuncOp, machine: Machine, threads: int) -> Identity:
    """Of a kernel whose stages and values have names, before it is scheduled."""
    from xdsl.dialects.builtin import ModuleOp, StringAttr

    from ..dialects.loop.ops import StageOp
    from .printing import print_ir
    from .schedules import FROM, SCHEDULE

    copy = f.clone()
    names: dict[str, str] = {}

    def number(kind: str, name: str) -> str:
        return names.setdefault(name, f"{kind}{len(names)}")

    def rename(value: SSAValue) -> None:
        value.name_hint = number("v", value.name_hint) if value.name_hint else None

    for arg in copy.body.block.args:
        rename(arg)
    for op in copy.body.block.ops:
        if isinstance(op, StageOp):
            op.properties["label"] = StringAttr(number("s", op.label.data))
        for result in op.results:
            rename(result)
        for inner in op.walk():
            for value in (
                *(r for r in inner.results if inner is not op),
                *(a for g in inner.regions for a in g.block.args),
            ):
                value.name_hint = None
    copy.properties["sym_name"] = StringAttr("kernel")
    for name in (SCHEDULE, FROM):
        copy.attributes.pop(name, None)
    text = f"{print_ir(ModuleOp([copy]))}\n{machine.text()}threads {threads}\n"
    return Identity(hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), names)


def _all_renamed(steps: str, names: Mapping[str, str]) -> str:
    from .spec import parse_pipeline

    return ",".join(str(_renamed(spec, names)) for spec in parse_pipeline(steps))


def _renamed(spec: PassSpec, names: Mapping[str, str]) -> PassSpec:
    def one(value: Value) -> Value:
        if not isinstance(value, str):
            return value
        if value not in names and value.startswith(PACKED):
            return PACKED + str(one(value.removeprefix(PACKED)))
        return names.get(value, value)

    options = {k: tuple(map(one, v)) if k in ("only", "value") else v for k, v in spec.options.items()}
    return replace(spec, options=options)


def lookup(f: FuncOp, machine: Machine, threads: int) -> str | None:
    """The recorded steps of a kernel, whose stages and values have names."""
    found = records()
    if not found:
        return None
    known = identity(f, machine, threads)
    steps = found.get(known.key)
    return None if steps is None else known.named(steps)


def record(f: FuncOp, machine: Machine, threads: int, steps: str | None) -> bool:
    """Keep the steps of a kernel, or forget what was kept (None); whether the cache holds it now."""
    if cache.edited():
        return False
    known = identity(f, machine, threads)
    name = cache.key("tuned")
    kept: dict[str, str] = json.loads(cache.get(name) or b"{}")
    kept.pop(known.key, None)
    if steps is not None:
        kept[known.key] = known.numbered(steps)
    cache.put(name, json.dumps(kept, sort_keys=True).encode())
    return json.loads(cache.get(name) or b"{}") == kept
