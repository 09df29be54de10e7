"""Cases of Fourier transforms, for `op_cases`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc.dialects.nd.array import Array
from mlc.dialects.nd.fft import fft
from mlc.dialects.nd.types import is_complex

FORMS = [("fft", (3, 6)), ("ifft", (2, 5)), ("fft", (2, 2, 3)), ("rfft", (3, 6)), ("rfft", (4, 5)), ("irfft", (3, 4))]


def cases(case: Callable[..., Any]) -> list[Any]:
    out: list[Any] = []
    for kind, shape in FORMS:
        lengths = shape[1:] if kind != "irfft" else (2 * shape[-1] - 1,)
        build = lambda x, kind=kind, lengths=lengths: fft(x, kind, lengths)
        out.append(case("fft", [shape], build, label=kind))
    return out


def dtypes_of(label: str, dtypes: Any) -> list[Any]:
    """Only `rfft` takes real numbers."""
    return [d for d in dtypes if is_complex(d) != (label == "rfft")]


def templates(template: Callable[..., Any]) -> list[Any]:
    def transform(x: Array, kind: str) -> Array:
        if not is_complex(x.dtype):
            return fft(x, "rfft", x.shape[-1:])  # pyright: ignore[reportArgumentType]
        n = int(x.shape[-1])  # pyright: ignore[reportArgumentType]
        return fft(x, kind, [2 * n - 1 if kind == "irfft" else n])

    more = {"rank": 1, "symbolic": False}
    return [template("fft", lambda x, kind=kind: transform(x, kind), label=kind, **more) for kind in ("fft", "irfft")]
