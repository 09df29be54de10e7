"""Which spacing a module's text had: printers of before 2025 put two blanks before the words of enumerations.

stablehlo.compare  LT, %a, %b,  FLOAT        the older, which is also that of modules made here
stablehlo.compare LT, %a, %b, FLOAT          the newer; modules read from it are in NARROW
"""

from __future__ import annotations

import re
from weakref import WeakSet

from xdsl.dialects.builtin import ModuleOp

NARROW: WeakSet[ModuleOp] = WeakSet()

_NARROW = re.compile(r"stablehlo\.compare [A-Z]|, (?:type|algorithm|distribution) = [A-Z]")


def note(module: ModuleOp, text: str) -> None:
    """Remember the spacing of the text that a module was read from."""
    if _NARROW.search(text):
        NARROW.add(module)
