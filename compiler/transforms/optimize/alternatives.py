"""Rules that are worth it or not: each offers alternatives for an op and what is around it, and costs decide.

    @rules.on(Contract, level="ieee")
    def merge_products(op):
        \"\"\"f(x, u), f(x, v) -> f(x, [u v]) cut in two\"\"\"
        ...
        yield lambda: [(old, new), ...]

An alternative builds ops at the current place when it is called, and answers which new value stands for which old one.
Both have one type. Nothing is built for an alternative that is not called, so that a rule may end early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xdsl.ir import Operation, SSAValue

from ....dialects.nd.array import Array
from ..rewriting import LEVELS

Answer = Sequence[tuple[SSAValue, Array]]
Alternative = Callable[[], Answer]
Find = Callable[[Any], Iterator[Alternative]]


@dataclass(frozen=True)
class Choice:
    """One rule: from which ops it starts, and what it finds there. `equation` is its docstring."""

    name: str
    group: str
    ops: tuple[type[Operation], ...]
    level: str
    equation: str
    find: Find


class Alternatives:
    """The rules of one topic, filled by the decorator `on`."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.choices: list[Choice] = []

    def on(self, *ops: type[Operation], level: str) -> Callable[[Find], Find]:
        assert level in LEVELS

        def add(fn: Find) -> Find:
            self.choices.append(Choice(fn.__name__, self.group, ops, level, fn.__doc__ or "", fn))
            return fn

        return add
