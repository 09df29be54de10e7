"""Which spacing a module's text had: printers of before 2025 put two blanks before the words of enumerations.

stablehlo.compare  LT, %a, %b,  FLOAT        the older, which is also that of modules made here
stablehlo.compare LT, %a, %b, FLOAT          the newer; modules read from it are in NARROW

With the newer, truth values in hex are a byte each, with the older a bit.
"""

from __future__ import annotations

import math
import re
from weakref import WeakSet

from xdsl.dialects.builtin import ModuleOp

NARROW: WeakSet[ModuleOp] = WeakSet()

_NARROW = re.compile(r"stablehlo\.compare [A-Z]|, (?:type|algorithm|distribution) = [A-Z]|^(?:  )+cond \{", re.M)
_TRUTHS = re.compile(r'dense<"0x([0-9A-F]*)"> : tensor<((?:[0-9]+x)+)i1>')


def note(module: ModuleOp, text: str) -> None:
    """Remember the spacing of the text that a module was read from."""
    found = _TRUTHS.search(text)
    bytewise = found is not None and len(found[1]) // 2 == math.prod(map(int, found[2].split("x")[:-1]))
    if bytewise or _NARROW.search(text):
        NARROW.add(module)
