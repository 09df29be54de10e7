"""Which algorithm is worth it: seconds of the contraction as it is, and of the products and transforms instead of it.

A transform takes as long as its bytes from the cache that holds them; the products take their operations at peak, or
their bytes, and what the transformed kernel brings from beyond the second cache. So few channels, tiles that a small
image does not fill, and large kernels that only run-time weights have stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from xdsl.ir import Operation, SSAValue

from ....dialects.nd.dims import Dim, Sym
from ...machine import Machine
from ...report import TYPICAL
from ..rewriting import is_pure
from .matching import Convolution
from .matrices import ALGORITHMS, TAPS, Algorithm

SHARE = 0.7
"""Of a cache's bandwidth, what transforms and products reach: half of their accesses are stores."""

GAIN = 1.15
"""What the products must gain over the contraction."""

ELEMENT = 4
"""Bytes of f32."""


def cheapest(c: Convolution, machine: Machine) -> Algorithm | None:
    """The algorithm that takes the least time, if it pays."""
    found = min(ALGORITHMS.values(), key=lambda by: seconds(c, by, machine))
    return found if GAIN * seconds(c, found, machine) < direct_seconds(c, machine) else None


def direct_seconds(c: Convolution, machine: Machine) -> float:
    """The contraction at peak."""
    taps = TAPS ** len(c.windows)
    results = prod(c.length(w) for w in c.windows)
    return 2 * taps * results * count(c, c.batch) * count(c, c.channels) * count(c, c.features) / machine.flops(ELEMENT)


def seconds(c: Convolution, by: Algorithm, machine: Machine) -> float:
    """The kernel's transform, if it is not a constant, the input's, the products, and the way back."""
    moved = [*of_input(c, by), *of_result(c, by), *(() if is_constant(c.w.value) else of_kernel(c, by))]
    transforms = sum(transfer(ELEMENT * n, machine) for n in moved)
    points = by.points ** len(c.windows)
    tiles = count(c, c.batch) * prod(-(-c.length(w) // by.results) for w in c.windows)
    channels, features = count(c, c.channels), count(c, c.features)
    kernel = ELEMENT * points * channels * features
    work = 2 * points * tiles * channels * features / machine.flops(ELEMENT)
    around = transfer(ELEMENT * points * tiles * (channels + features), machine)
    far = transfer(kernel, machine) if kernel > machine.l2_bytes else 0.0
    return transforms + max(work, around) + far


def of_input(c: Convolution, by: Algorithm) -> Iterator[int]:
    """Elements that the copy with zeros around it moves, then each transform."""
    outside, sides = count(c, c.batch) * count(c, c.channels), [by.results * t + TAPS - 1 for t in tiles_of(c, by)]
    yield 2 * outside * prod(sides)
    for k, tiles in enumerate(tiles_of(c, by)):
        before = outside * prod(sides)
        sides[k] = tiles
        outside *= by.points
        yield before + outside * prod(sides)


def of_result(c: Convolution, by: Algorithm) -> Iterator[int]:
    """Elements that each transform moves."""
    size = count(c, c.batch) * count(c, c.features) * prod(tiles_of(c, by)) * by.points ** len(c.windows)
    for _ in c.windows:
        before, size = size, size // by.points * by.results
        yield before + size


def of_kernel(c: Convolution, by: Algorithm) -> Iterator[int]:
    """The same of the kernel's."""
    size = count(c, c.channels) * count(c, c.features) * TAPS ** len(c.windows)
    for _ in c.windows:
        before, size = size, size // TAPS * by.points
        yield before + size


def tiles_of(c: Convolution, by: Algorithm) -> list[int]:
    return [-(-c.length(w) // by.results) for w in c.windows]


def transfer(moved: int, machine: Machine) -> float:
    return moved / (SHARE * machine.bandwidth(moved))


def count(c: Convolution, names: tuple[str, ...]) -> int:
    return prod(known(c.sizes[n]) for n in names)


def known(d: Dim) -> int:
    return TYPICAL if isinstance(d, Sym) else d


def is_constant(value: SSAValue) -> bool:
    """Is a value made of constants alone?"""
    todo, seen = [value], set[SSAValue]()
    while todo:
        v = todo.pop()
        if not isinstance(v.owner, Operation) or v.owner.regions or not is_pure(v.owner):
            return False
        todo += [u for u in v.owner.operands if u not in seen]
        seen |= set(v.owner.operands)
    return True
