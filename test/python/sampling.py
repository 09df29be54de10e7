"""Which part of a large set of cases a test run takes: a fixed sample, or all with MLC_TEST_FULL=1."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
FULL = os.environ.get("MLC_TEST_FULL") == "1"


def sample(items: Sequence[T], count: int, seed: str) -> list[T]:
    """`count` of the items, in their order, the same ones for a seed in every run."""
    if FULL or len(items) <= count:
        return list(items)
    chosen = random.Random(seed).sample(range(len(items)), count)
    return [items[k] for k in sorted(chosen)]
