"""What a program says of complex arguments, results and printed values below the tensor level.

There they are real tensors of the same bytes, whose last dimension holds the parts (the pass `expand-complex`). The
attributes number those of a function, or of an `nd.print`, that a caller sees as complex.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Operation

Np = np.ndarray[Any, np.dtype[Any]]

ARGUMENTS, RESULTS = "mlc.complex_arguments", "mlc.complex_results"
PRINTED = "mlc.complex"


def numbered(op: Operation, name: str) -> tuple[int, ...]:
    """The positions that an attribute names."""
    found = op.attributes.get(name)
    return tuple(k.value.data for k in found.data) if isinstance(found, ArrayAttr) else ()  # pyright: ignore


def described(real: Mapping[str, Any]) -> dict[str, Any]:
    """A description (dtype, shape, offset, strides; see runtime/abi.py) with the last dimension as parts."""
    out = {**real, "dtype": f"complex<{real['dtype']}>", "shape": real["shape"][:-1]}
    if real.get("strides") is not None:
        *steps, last = real["strides"]
        assert last == 1, "the parts of a complex number lie side by side"
        out["strides"] = [_half(s) for s in steps]
    if "offset" in real:
        out["offset"] = _half(real["offset"])
    return out


def as_complex(op: Operation, name: str, values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The descriptions of values, of which an attribute of the op numbers those that are complex."""
    places = numbered(op, name)
    return [described(v) if k in places else v for k, v in enumerate(values)]


def _half(size: Any) -> Any:
    """A number, or polynomial, of complex elements from one of parts."""
    if size is None:
        return None
    parts: list[Any] = [[size, []]] if isinstance(size, int) else size
    assert all(c % 2 == 0 for c, _ in parts), "whole complex elements"
    return size // 2 if isinstance(size, int) else [[c // 2, atoms] for c, atoms in size]


def parts_of(x: Any) -> Np:
    """Complex numbers as real ones with a new last dimension."""
    if x.dtype.kind != "c":
        return x
    return np.stack([x.real, x.imag], -1)


def of_parts(x: Np) -> Np:
    """The complex numbers whose parts are the last dimension."""
    out: Any = np.empty(x.shape[:-1], np.complex128 if x.dtype == np.float64 else np.complex64)
    out.real, out.imag = x[..., 0], x[..., 1]
    return out
