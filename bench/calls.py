"""What a call costs beyond its work: programs that add arrays of 8 x 4, called again and again.

The best of many short rounds, as a call takes less than the noise of a busy machine; less what the loop itself takes.
Rows `call_torch_..` are calls with torch's tensors, where torch is installed.
"""

# torch has no types here, and is not installed for type checks.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import mlc
import numpy as np

from .results import Row
from .timing import interleave

SHAPE = (8, 4)
WARM = 100
ROUNDS, SECONDS = 400, 0.0001
TORCH = ("call_torch_new", "call_torch_out", "call_torch_jit_two", "call_torch_add")

Calls = dict[str, Callable[[], Any]]


def plus(x: Any, y: Any) -> Any:
    return x + y


def total(values: dict[str, Any]) -> Any:
    first, *others = values.values()
    for value in others:
        first = first + value
    return first


def rows() -> list[Row]:
    x, y, out = (np.full(SHAPE, k, np.float32) for k in range(3))
    exe = mlc.compile(plus, mlc.spec(SHAPE), mlc.spec(SHAPE))
    two, tree = mlc.jit(plus), mlc.jit(total)
    ten = {f"w{k}": x for k in range(10)}
    taken = exe.__call__
    calls: Calls = {
        "nothing": lambda: None,
        "call_new": lambda: exe(x, y),
        "call_out": lambda: exe(x, y, out=out),
        "call_out_taken": lambda: taken(x, y, out=out),
        "call_jit_two": lambda: two(x, y),
        "call_jit_dict_of_ten": lambda: tree(ten),
        "call_numpy_add": lambda: np.add(x, y),
    }
    there = find_spec("torch") is not None
    calls |= of_torch(exe, two) if there else {}
    for _ in range(WARM):
        for call in calls.values():
            call()
    taken = exe.__call__  # of the native method, which is there by now
    times = interleave(calls, ROUNDS, SECONDS)
    loop = times.pop("nothing").best
    missing = [] if there else [Row(name, math.nan, "us", note="torch is not installed") for name in TORCH]
    return [*(Row(name, (t.best - loop) * 1e6, "us") for name, t in times.items()), *missing]


def of_torch(exe: Any, two: Any) -> Calls:
    """The same calls with torch's tensors."""
    import torch

    x, y, out = (torch.full(SHAPE, float(k)) for k in range(3))
    calls = (lambda: exe(x, y), lambda: exe(x, y, out=out), lambda: two(x, y), lambda: torch.add(x, y))
    return dict(zip(TORCH, calls, strict=True))
