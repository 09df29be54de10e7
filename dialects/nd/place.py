"""The current place: ops are built at the end of a block, with a location.

Tracing, rules of ops and rewrites open a block by `building`; places nest, and each thread has its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.dialects.builtin import LocationAttr, UnknownLoc
from xdsl.ir import Block, Operation

from ..errors import CompileError


@dataclass
class Place:
    block: Block
    location: LocationAttr | None = None
    """None: ask `locate`, the tracer's hook that names the user's frame."""
    evaluate: Callable[[Operation], None] | None = None
    """Called with every op as it is inserted: execution at once."""


class _Places(threading.local):
    """The blocks that this thread builds, the innermost last."""

    def __init__(self) -> None:
        self.open: list[Place] = []


_places = _Places()
locate: list[Callable[[], LocationAttr]] = [UnknownLoc]


@contextmanager
def building(
    block: Block, location: LocationAttr | None = None, evaluate: Callable[[Operation], None] | None = None
) -> Generator[Place]:
    opened = _places.open
    opened.append(here_ := Place(block, location, evaluate))
    try:
        yield here_
    finally:
        opened.pop()


def open_places() -> list[Place]:
    """What this thread builds, the innermost last."""
    return _places.open


def place() -> Place:
    opened = _places.open
    if not opened:
        raise CompileError(
            "expected to be inside a traced function or an open block, found none; call the function through mlc.jit, "
            "or inside mlc.eager(); return a traced value from its function to use it later",
            locate[0](),
        )
    return opened[-1]


def insert(new: Operation) -> Operation:
    at = place()
    at.block.add_op(new)
    if at.evaluate is not None:
        at.evaluate(new)
    return new


def here() -> LocationAttr:
    """The location of what is built now."""
    opened = _places.open
    return (opened[-1].location if opened else None) or locate[0]()
