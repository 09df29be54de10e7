"""Bit generators with an explicit state, by XLA's layouts of state and results: what `rng_bit_generator` computes.

    state, bits = generate("three_fry", state, (3, 5), ui32)

A state is two words of 64 bits, the key and a counter; Philox may have the counter's upper word as a third one, which
else is the key. Every
block of random words takes one number of the counter, which the new state has moved past. Threefry gives two words of
32 bits, the halves along the first even dimension (the longest one without); Philox four, one after the other.
Numbers of 8 and 16 bits are the lower ones of 32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from xdsl.dialects.builtin import f32, i64
from xdsl.ir import Attribute

from . import functions as F
from . import philox, threefry
from .array import Array
from .bits import bitcast
from .constant import iota
from .dims import Dim, Sym
from .promotion import fail
from .selection import convert
from .special_functions import erf_inv, next_after
from .threefry import fraction_bits, unit_floats
from .types import INTEGER, is_float, tensor, ui8, ui16, ui32, ui64, width

UNSIGNED_OF = {8: ui8, 16: ui16, 32: ui32, 64: ui64}
ALGORITHMS = ("three_fry", "philox", "default")
"""The default is Philox, as XLA's is on CPUs."""


def generate(algorithm: str, state: Array, shape: Sequence[Dim], dtype: Attribute) -> tuple[Array, Array]:
    """The state after it, and uniform bits of a shape and type."""
    if algorithm not in ALGORITHMS:
        raise fail(f"rng_bit_generator: expected one of {', '.join(ALGORITHMS)} as algorithm, found {algorithm}")
    if dtype not in INTEGER and not is_float(tensor((), dtype)):
        raise fail(f"rng_bit_generator: expected elements of 8 to 64 bits, found {dtype}")
    if any(isinstance(d, Sym) for d in shape):
        raise fail(f"rng_bit_generator: expected a shape of numbers, found {tuple(shape)}")
    three_fry = algorithm == "three_fry"
    if state.dtype != ui64 or state.shape not in ([(2,)] if three_fry else [(2,), (3,)]):
        words = "two" if three_fry else "two or three"
        raise fail(f"rng_bit_generator: expected a state of {words} words, uint64, found {state.type}")
    parts = [F.index(state, k) for k in range(len(state.shape) and int(state.shape[0]))]  # pyright: ignore
    draw = _three_fry if three_fry else _philox
    sizes = tuple(d for d in shape if isinstance(d, int))
    counter, bits = draw(parts[0], parts[1:], sizes, 64 if width(dtype) == 64 else 32)
    bits = convert(bits, UNSIGNED_OF[width(dtype)])
    return F.stack([parts[0], *counter]), bitcast(bits, dtype)


def halves(x: Array) -> tuple[Array, Array]:
    """The lower and the upper word of 64 bits."""
    return convert(x, ui32), convert(x >> 32, ui32)


def joined(low: Array, high: Array) -> Array:
    return convert(low, ui64) | (convert(high, ui64) << 32)


def spread(xs: Sequence[Array], shape: Sequence[int]) -> list[Array]:
    return [F.broadcast_to(x, tuple(shape)) for x in xs]


def count(shape: Sequence[int]) -> int:
    out = 1
    for d in shape:
        out *= d
    return out


def numbers(shape: Sequence[int]) -> Array:
    """The number of each element in row order."""
    return convert(F.reshape(iota((count(shape),), 0, i64), tuple(shape)), ui64)


# Threefry.


def _three_fry(key: Array, counter: Sequence[Array], shape: tuple[int, ...], bits: int) -> tuple[list[Array], Array]:
    def draw(blocks: tuple[int, ...]) -> tuple[Array, Array]:
        inputs = halves(counter[0] + numbers(blocks))
        first, second = (threefry.words(w, spread(halves(key), blocks), inputs) for w in ("first", "second"))
        return first, second

    if bits == 64:
        return [counter[0] + count(shape)], joined(*draw(shape))
    if not shape:
        return [counter[0] + 1], F.reshape(draw((1,))[0], ())
    axis = split_axis(shape)
    before, size, after = shape[:axis], shape[axis], shape[axis + 1 :]
    blocks = (*before, -(-size // 2), *after)
    both = F.reshape(F.stack(draw(blocks), axis + 1), (*before, size + size % 2, *after))
    return [counter[0] + count(blocks)], F.index(both, (*[slice(None)] * axis, slice(0, size)))


def split_axis(shape: Sequence[int]) -> int:
    """The first even dimension, or the longest one."""
    even = [k for k, d in enumerate(shape) if d % 2 == 0]
    return even[0] if even else max(range(len(shape)), key=lambda k: shape[k], default=0)


# Philox.


def _philox(key: Array, counter: Sequence[Array], shape: tuple[int, ...], bits: int) -> tuple[list[Array], Array]:
    total = count(shape)
    blocks = -(-total * (bits // 32) // 4)
    low, high = counter if len(counter) == 2 else (counter[0], key)
    inputs, carried = _sum(spread([low, high], (blocks,)), numbers((blocks,)))
    words = [
        philox.word(name, spread(halves(key), (blocks,)), [*halves(inputs), *halves(carried)]) for name in philox.NAMES
    ]
    if bits == 64:
        words = [joined(words[0], words[1]), joined(words[2], words[3])]
    flat = F.reshape(F.stack(words, 1), (blocks * len(words),))
    after = _sum([low, high], blocks)[: len(counter)]
    return list(after), F.reshape(F.index(flat, slice(0, total)), shape)


def _sum(counter: Sequence[Array], more: Any) -> tuple[Array, Array]:
    """A counter of 128 bits, the lower word first, and a number."""
    low = counter[0] + more
    return low, counter[1] + convert(low < counter[0], ui64)


# Distributions of `stablehlo.rng`.


def distribution(kind: str, a: Array, b: Array, shape: Sequence[int], ordinal: int) -> Array:
    """Uniform from a to below b, integers too, or normal of mean a and standard deviation b.

    The op's definition leaves open what the numbers are. They are those of Threefry with the op's `ordinal` in its
    program as key: others for each op, the same in every run.
    """
    dtype, bits = a.dtype, width(a.dtype)
    state = F.stack([F.zeros((), ui64) + ordinal, F.zeros((), ui64)])
    if dtype in INTEGER:
        drawn = generate("three_fry", state, shape, ui64)[1]
        low, span = convert(a, i64), convert(b, i64) - convert(a, i64)
        return convert(convert(F.rem(drawn, bitcast(span, ui64)), i64) + low, dtype)
    drawn = generate("three_fry", state, shape, UNSIGNED_OF[bits])[1]
    if kind == "uniform":
        return F.minimum(unit_floats(drawn, dtype) * (b - a) + a, next_after(b, a))
    wide = dtype if bits >= 32 else f32
    # halves of the spacing: neither end is met
    middle = convert(unit_floats(drawn, dtype), wide) + 0.5 / (1 << fraction_bits(dtype))
    return convert(erf_inv(middle * 2.0 - 1.0) * math.sqrt(2), dtype) * b + a
