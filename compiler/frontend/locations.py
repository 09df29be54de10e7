"""The user's place: the first frame outside of mlc, as file:line:col, cached by instruction."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import CodeType

from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, StringAttr, UnknownLoc

from ...dialects.nd.op import locate

_ROOT = Path(__file__).parents[2]
_INSIDE = tuple(
    f"{base}/{folder}/"
    for base in dict.fromkeys((str(_ROOT), str(_ROOT.resolve()), str(Path(__file__).resolve().parents[2])))
    for folder in ("compiler", "dialects", "lowering", "runtime", "tools", "python/mlc")
)
_inside: dict[str, bool] = {}
_locations: dict[tuple[int, int], tuple[CodeType, LocationAttr]] = {}
"""By id of the code object, which is kept, and instruction: hashing a code object walks its bytes."""


def is_inside(filename: str) -> bool:
    """Is this a file of mlc itself, or of the decorators around its functions?"""
    known = _inside.get(filename)
    if known is None:
        known = _inside[filename] = filename.startswith((*_INSIDE, "<frozen", contextlib.__file__))
    return known


def user_location() -> LocationAttr:
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        code = frame.f_code
        if not is_inside(code.co_filename):
            key = (id(code), frame.f_lasti)
            found = _locations.get(key)
            if found is None:
                line, _, column, _ = list(code.co_positions())[frame.f_lasti // 2]
                place = FileLineColLoc(
                    StringAttr(code.co_filename), IntAttr(line or frame.f_lineno), IntAttr((column or 0) + 1)
                )
                found = _locations[key] = code, place
            return found[1]
        frame = frame.f_back
    return UnknownLoc()


locate[0] = user_location
