"""The texts of native calls, `native_call.ll` and `native_tensors.ll`, with their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

CALL, TENSORS = (Path(__file__).with_name(f"native_{name}.ll") for name in ("call", "tensors"))
GET = re.compile(r"^  (%\S+) = get (\S+) (\S+) \+ (\S+)$", re.MULTILINE)


def text_of(source: Path, numbers: Mapping[str, int]) -> str:
    """LLVM IR, with the offsets of fields in bytes for their names."""
    text = Template(source.read_text()).substitute(numbers)
    return GET.sub(r"  \1.in = getelementptr i8, ptr \3, i64 \4\n  \1 = load \2, ptr \1.in", text)
