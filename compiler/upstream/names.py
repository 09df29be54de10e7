"""The names of values, in the order and with the counters of MLIR's printer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Block, Operation, Region, SSAValue


class Names:
    """The names of all values."""

    def __init__(self, root: Operation, generic: bool) -> None:
        self.generic = generic
        self.of: dict[SSAValue, str] = {}
        self.groups: dict[Operation, list[int]] = {}
        """Where the results of an op are several groups: the indices at which these begin."""
        self.next_value = self.next_argument = self.next_conflict = 0
        # Region, counters, names in use around it.
        self.used: set[str] = set()
        scopes: list[tuple[Region, int, int, int, set[str]]] = []
        self.number_op(root)
        scopes += [(r, 0, 0, 0, self.used) for r in root.regions]
        while scopes:
            region, self.next_value, self.next_argument, self.next_conflict, used = scopes.pop()
            self.used = used
            inner = self.number_region(region)
            counters = (self.next_value, self.next_argument, self.next_conflict)
            scopes += [(r, *counters, self.used) for r in inner]

    def number_region(self, region: Region) -> list[Region]:
        inner: list[Region] = []
        fresh: set[str] | None = None
        parent = region.parent
        given = () if self.generic or parent is None else argument_names(parent)
        for index, block in enumerate(region.blocks):
            if block.args or block.ops:
                if fresh is None:
                    self.used = fresh = set(self.used) if self.used else set()
                self.arguments(block, index == 0, given)
            for op in block.ops:
                self.number_op(op)
                if op.regions:
                    inner += op.regions
        return inner

    def arguments(self, block: Block, entry: bool, given: Sequence[str]) -> None:
        for index, arg in enumerate(block.args):
            if entry and given:
                self.of[arg] = self.unique(given[min(index, len(given) - 1)])
            elif entry:
                self.of[arg] = self.unique(f"arg{self.next_argument}")
                self.next_argument += 1
            else:
                self.of[arg] = self.fresh()

    def number_op(self, op: Operation) -> None:
        if not op.results:
            return
        names = () if self.generic else result_names(op)
        if names:
            for result, name in zip(op.results, names, strict=False):
                self.of[result] = self.unique(name)
            if len(names) > 1:
                self.groups[op] = list(range(len(names)))
            return
        first = self.fresh()
        if len(op.results) == 1:
            self.of[op.results[0]] = first
        else:
            for index, result in enumerate(op.results):
                self.of[result] = f"{first}#{index}"

    def fresh(self) -> str:
        self.next_value += 1
        return str(self.next_value - 1)

    def unique(self, name: str) -> str:
        found = name
        while found in self.used:
            found = f"{name}_{self.next_conflict}"
            self.next_conflict += 1
        self.used.add(found)
        return found


CONSTANTS = frozenset(("stablehlo.constant", "chlo.constant"))


def result_names(op: Operation) -> Sequence[str]:
    """The names that an op asks for."""
    if op.name in CONSTANTS:
        kind = cast(Any, op.results[0].type)
        element = kind.get_element_type() if hasattr(kind, "get_element_type") else kind
        return ("c",) if isinstance(element, IntegerType) else ("cst",)
    return getattr(op, "RESULT_NAMES", ())


def argument_names(op: Operation) -> Sequence[str]:
    """The names that an op asks for the arguments of its regions; the last one is for all that follow."""
    return getattr(op, "ARGUMENT_NAMES", ())
