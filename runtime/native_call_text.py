"""The text of the native method that calls programs, `native_call.ll`, with its numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

SOURCE = Path(__file__).with_name("native_call.ll")
GET = re.compile(r"^  (%\S+) = get (\S+) (\S+) \+ (\S+)$", re.MULTILINE)


def text_of(numbers: Mapping[str, int]) -> str:
    """LLVM IR, with the offsets of fields in bytes for their names."""
    text = Template(SOURCE.read_text()).substitute(numbers)
    return GET.sub(r"  \1.in = getelementptr i8, ptr \3, i64 \4\n  \1 = load \2, ptr \1.in", text)
