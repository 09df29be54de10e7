"""Cases of Fourier transforms, for `op_cases`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd.fft import fft
from mlc.dialects.nd.types import is_complex

FORMS = [("fft", (3, 6)), ("ifft", (2, 5)), ("fft", (2, 2, 3)), ("rfft", (3, 6)), ("rfft", (4, 5)), ("irfft", (3, 4))]


def cases(case: Callable[..., Any]) -> list[Any]:
    out: list[Any] = []
    for kind, shape in FORMS:
        lengths = shape[1:] if kind != "irfft" else (2 * shape[-1] - 1,)
        build = lambda x, kind=kind, lengths=lengths: fft(x, kind, lengths)  # noqa: E731
        out.append(case("fft", [shape], build, label=kind))
    return out


def dtypes_of(label: str, dtypes: Any) -> list[Any]:
    """Only `rfft` takes real numbers."""
    return [d for d in dtypes if is_complex(d) != (label == "rfft")]
