"""Which algorithm is worth it: seconds of the contraction as it is, and of the products and transforms instead of it.

A transform takes as long as its bytes from the cache that holds them; the products take their operations at peak, or
their bytes, and what the transformed kernel brings from beyond the second cache. So few channels, tiles that a small
image does not fill, and large kernels that only run-time weights have stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ....dialects.nd.dims import Dim, Sym
from ...constancy import Constancy
from ...machine import Machine
from ...report import TYPICAL
from .matching import Convolution
from .matrices import ALGORITHMS, TAPS, Algorithm

SHARE = 0.7
"""Of a cache's bandwidth, what transforms and products reach: half of their accesses are stores."""

TURNED = 2
"""How many times longer the kernel's elements take, which lie in another order than their transform."""

GAIN = 1.15
"""What the products must gain over the contraction."""

ELEMENT = 4
"""Bytes of f32."""


def cheapest(c: Convolution, machine: Machine) -> Algorithm | None:
    """The algorithm that takes the least time, if it pays."""
    constant = Constancy().holds(c.w.value)
    times = {name: seconds(c, by, machine, constant) for name, by in ALGORITHMS.items()}
    found = min(times, key=times.__getitem__)
    return ALGORITHMS[found] if GAIN * times[found] < direct_seconds(c, machine) else None


def direct_seconds(c: Convolution, machine: Machine) -> float:
    """The contraction at peak."""
    taps = TAPS ** len(c.windows)
    results = prod(c.length(w) for w in c.windows)
    return 2 * taps * results * count(c, c.batch) * count(c, c.channels) * count(c, c.features) / machine.flops(ELEMENT)


def seconds(c: Convolution, by: Algorithm, machine: Machine, constant: bool) -> float:
    """The kernel's transform, if it is not `constant`, the input's, the products, and the way back."""
    transforms = sum(transfer(ELEMENT * n, machine) for n in (*of_input(c, by), *of_result(c, by)))
    if not constant:
        transforms += TURNED * sum(transfer(ELEMENT * n, machine) for n in of_kernel(c, by))
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
    others, tiles = count(c, c.batch) * count(c, c.channels), tiles_of(c, by)
    sides = [by.results * t + TAPS - 1 for t in tiles]
    size = others * prod(sides)
    yield 2 * size
    for group in by.groups(len(tiles)):
        for k in group:
            sides[k] = tiles[k] * by.points
        before, size = size, others * prod(sides)
        yield before + size


def of_result(c: Convolution, by: Algorithm) -> Iterator[int]:
    """Elements that each transform moves."""
    tiles = tiles_of(c, by)
    size = count(c, c.batch) * count(c, c.features) * prod(tiles) * by.points ** len(tiles)
    for group in by.groups(len(tiles)):
        before, size = size, size // by.points ** len(group) * by.results ** len(group)
        yield before + size


def of_kernel(c: Convolution, by: Algorithm) -> Iterator[int]:
    """The same of the kernel's."""
    size = count(c, c.channels) * count(c, c.features) * TAPS ** len(c.windows)
    for group in by.groups(len(c.windows)):
        before, size = size, size // TAPS ** len(group) * by.points ** len(group)
        yield before + size


def tiles_of(c: Convolution, by: Algorithm) -> list[int]:
    return [-(-c.length(w) // by.results) for w in c.windows]


def transfer(moved: int, machine: Machine) -> float:
    return moved / (SHARE * machine.bandwidth(moved))


def count(c: Convolution, names: tuple[str, ...]) -> int:
    return prod(known(c.sizes[n]) for n in names)


def known(d: Dim) -> int:
    return TYPICAL if isinstance(d, Sym) else d
