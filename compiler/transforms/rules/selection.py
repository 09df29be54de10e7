"""Which rules apply and what is told of them: `--disable-rules` and `--trace-rules`, as a context of running passes.

    with selected(Selection(disabled=frozenset({"factor", "movement"}), trace=Trace(print))):
        run(module, passes)

`rewriting.rewrite` asks once for a run: an op or a rule costs nothing where nothing is selected. A pass that decides by
itself whether a rule applies asks `enabled(rule)`, and says why one did not:

    if (trace := tracing()) is not None:
        trace.declined(rule, op, "the estimate does not fall")

Rules of both sorts have a name and a group, and need nothing else here.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from xdsl.ir import Operation

from ....dialects.errors import position

if TYPE_CHECKING:
    from ..rewriting import Rewrite


class Named(Protocol):
    """A rule of either sort."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...


@dataclass
class Trace:
    """Tells what rules do, one line each: `model.mlir:4:8: nd.contract: rule merge_two_products fired`.

    An op is looked at again when something around it changes, so a reason to decline is told once for each place.
    """

    write: Callable[[str], None]
    told: set[str] = field(default_factory=set[str])

    def fired(self, rule: Named, op: Operation) -> None:
        """Told before the op is replaced."""
        self.write(f"{_where(op)}: {op.name}: rule {rule.name} fired")

    def declined(self, rule: Named, op: Operation, why: str) -> None:
        """The op is one that the rule looked for, and something else kept it from firing."""
        line = f"{_where(op)}: {op.name}: rule {rule.name} declined: {why}"
        if line not in self.told:
            self.told.add(line)
            self.write(line)


@dataclass(frozen=True)
class Selection:
    """`disabled` holds names of rules and of groups."""

    disabled: frozenset[str] = frozenset()
    trace: Trace | None = None

    def enables(self, rule: Named) -> bool:
        return rule.name not in self.disabled and rule.group not in self.disabled

    def of(self, rules: Mapping[type[Operation], Sequence[Rewrite]]) -> Mapping[type[Operation], Sequence[Rewrite]]:
        """The rewrites of a table that are enabled, each telling when it fires."""
        return {kind: [self._told(r) for r in some if self.enables(r)] for kind, some in rules.items()}

    def _told(self, rewrite: Rewrite) -> Rewrite:
        trace = self.trace
        if trace is None:
            return rewrite

        def apply(op: Any) -> Any:
            answer = rewrite.apply(op)
            if answer is not None:
                trace.fired(rewrite, op)
            return answer

        return replace(rewrite, apply=apply)


_current: ContextVar[Selection | None] = ContextVar("selection", default=None)


@contextmanager
def selected(selection: Selection | None) -> Generator[None]:
    """Passes in this context follow the selection; None: all rules, untold."""
    token = _current.set(selection)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def untold() -> Generator[None]:
    """The same rules, in silence: for programs that are only tried."""
    found = selection()
    with selected(None if found is None else replace(found, trace=None)):
        yield


def selection() -> Selection | None:
    """What was selected, or None."""
    return _current.get()


def tracing() -> Trace | None:
    """Where to tell what rules do, if anybody listens."""
    found = _current.get()
    return None if found is None else found.trace


def enabled(rule: Named) -> bool:
    """Was the rule left on?"""
    found = _current.get()
    return found is None or found.enables(rule)


def _where(op: Operation) -> str:
    place = position(op.location)
    return "unknown" if place is None else ":".join(map(str, place))
