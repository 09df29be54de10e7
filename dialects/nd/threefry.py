"""`nd.threefry`: the counter-based random number generator Threefry-2x32 with 20 rounds.

J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). The words of a key and of
a counter give two random words, of which one is the result, or both mixed by exclusive or. All are integer operations,
so the bits are the same on every target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import auto
from typing import ClassVar, TypeVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.ir import Attribute
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.utils.str_enum import StrEnum

from .bits import bitcast
from .elementwise import Elementwise, Np
from .op import EXACT, Array, Linear, bind, op
from .types import NUMPY, finfo, ui32, width

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
ROUNDS = 20
PARITY = 0x1BD11BDA
"""What Skein's key schedule adds to the key's words."""

W = TypeVar("W")


class ThreefryWord(StrEnum):
    first = auto()
    second = auto()
    mixed = auto()


@irdl_attr_definition
class ThreefryWordAttr(EnumAttribute[ThreefryWord]):
    name = "nd.threefry_word"


WORDS = {k.name: ThreefryWordAttr(k) for k in ThreefryWord}


def threefry(
    key: tuple[W, W],
    counter: tuple[W, W],
    add: Callable[[W, W], W],
    xor: Callable[[W, W], W],
    rotate: Callable[[W, int], W],
    constant: Callable[[int], W],
) -> tuple[W, W]:
    """The generator over any words: arrays of NumPy, or values of a program."""
    keys = (*key, xor(xor(key[0], key[1]), constant(PARITY)))
    x, y = add(counter[0], keys[0]), add(counter[1], keys[1])
    for group in range(ROUNDS // 4):
        for distance in ROTATIONS[group % 2]:
            x = add(x, y)
            y = xor(rotate(y, distance), x)
        x = add(x, keys[(group + 1) % 3])
        y = add(y, add(keys[(group + 2) % 3], constant(group + 1)))
    return x, y


@op("threefry", linear=Linear.NEVER, tolerance=EXACT, flops=100, dtypes=(ui32,))
class Threefry(Elementwise):
    """`nd.threefry mixed %key0, %key1, %counter0, %counter1 : tensor<8xui32>`: random words, see the module."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    word = prop_def(ThreefryWordAttr)
    key0 = operand_def(T)
    key1 = operand_def(T)
    counter0 = operand_def(T)
    counter1 = operand_def(T)
    result = result_def(T)
    assembly_format = "$word $key0 `,` $key1 `,` $counter0 `,` $counter1 attr-dict `:` type($result)"

    def reference(self, key0: Np, key1: Np, counter0: Np, counter1: Np) -> Np:
        u = key0.dtype.type
        x, y = threefry(
            (key0, key1),
            (counter0, counter1),
            lambda a, b: a + b,
            lambda a, b: a ^ b,
            lambda a, n: (a << u(n)) | (a >> u(32 - n)),
            u,
        )
        return {"first": x, "second": y}.get(self.word.data.name, x ^ y)


def words(word: str, key: Sequence[Array], counter: Sequence[Array]) -> Array:
    """Bind `nd.threefry`; all operands have one shape."""
    return bind(Threefry, *key, *counter, word=WORDS[word])


def fraction_bits(dtype: Attribute) -> int:
    """Of a float type, beside the leading one."""
    return int(finfo(NUMPY[dtype]).nmant)


def unit_floats(bits: Array, dtype: Attribute) -> Array:
    """In [0, 1): random bits of the type's width as the fraction of a number from 1 to 2."""
    one = int(np.asarray(1, NUMPY[dtype]).view(f"u{width(dtype) // 8}"))
    return bitcast((bits >> (width(dtype) - fraction_bits(dtype))) | one, dtype) - 1.0
