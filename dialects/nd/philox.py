"""`nd.philox`: the counter-based random number generator Philox-4x32 with 10 rounds.

J. Salmon, M. Moraes, R. Dror, D. Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). Two words of a key and
four of a counter give four random words, of which one is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import auto
from typing import ClassVar, TypeVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.utils.enum_attribute import EnumAttribute
from xdsl.irdl import VarConstraint, irdl_attr_definition, operand_def, prop_def, result_def
from xdsl.utils.str_enum import StrEnum

from .elementwise import Elementwise, Np
from .op import EXACT, Array, Linear, bind, op
from .types import ui32

ROUNDS = 10
FACTORS = (0xD2511F53, 0xCD9E8D57)
STEPS = (0x9E3779B9, 0xBB67AE85)
"""What each round adds to the key's words (Weyl sequences)."""

W = TypeVar("W")


class PhiloxWord(StrEnum):
    first = auto()
    second = auto()
    third = auto()
    fourth = auto()


@irdl_attr_definition
class PhiloxWordAttr(EnumAttribute[PhiloxWord]):
    name = "nd.philox_word"


WORDS = {k.name: PhiloxWordAttr(k) for k in PhiloxWord}
NAMES = tuple(WORDS)


def philox(
    key: Sequence[W],
    counter: Sequence[W],
    xor: Callable[[W, W], W],
    add: Callable[[W, int], W],
    product: Callable[[W, int], tuple[W, W]],
) -> Sequence[W]:
    """The generator over any words; `product` gives the high and the low word."""
    k0, k1 = key
    x, y, z, w = counter
    for number in range(ROUNDS):
        if number:
            k0, k1 = add(k0, STEPS[0]), add(k1, STEPS[1])
        (high0, low0), (high1, low1) = product(x, FACTORS[0]), product(z, FACTORS[1])
        x, y, z, w = xor(xor(high1, y), k0), low1, xor(xor(high0, w), k1), low0
    return x, y, z, w


@op("philox", linear=Linear.NEVER, tolerance=EXACT, flops=100, dtypes=(ui32,))
class Philox(Elementwise):
    """`nd.philox first %key0, %key1, %counter0, ..., %counter3 : tensor<8xui32>`: a random word, see the module."""

    T: ClassVar = VarConstraint("T", TensorType.constr())
    word = prop_def(PhiloxWordAttr)
    key0 = operand_def(T)
    key1 = operand_def(T)
    counter0 = operand_def(T)
    counter1 = operand_def(T)
    counter2 = operand_def(T)
    counter3 = operand_def(T)
    result = result_def(T)
    assembly_format = (
        "$word $key0 `,` $key1 `,` $counter0 `,` $counter1 `,` $counter2 `,` $counter3 attr-dict `:` type($result)"
    )

    def reference(self, *words: Np) -> Np:
        def product(x: Np, factor: int) -> tuple[Np, Np]:
            whole = x.astype(np.uint64) * np.uint64(factor)
            return (whole >> np.uint64(32)).astype(np.uint32), whole.astype(np.uint32)

        out = philox(words[:2], words[2:], lambda a, b: a ^ b, lambda a, n: a + np.uint32(n), product)
        return out[NAMES.index(self.word.data.name)]


def word(name: str, key: Sequence[Array], counter: Sequence[Array]) -> Array:
    """Bind `nd.philox`; all operands have one shape."""
    return bind(Philox, *key, *counter, word=WORDS[name])
