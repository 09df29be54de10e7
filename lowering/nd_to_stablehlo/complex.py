"""Complex numbers, which StableHLO has, and transforms of them: all go through as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...dialects.nd.op import NdOp
from ...dialects.nd.types import complex_of, part_of, tensor
from ...dialects.stablehlo.words import FftType
from . import build as b
from .attributes import ints
from .build import Value


def complex_(op: NdOp, re: Value, im: Value) -> Value:
    return b.one("complex", [re, im], tensor(re.shape, complex_of(re.dtype)))


def part(name: str) -> Callable[[NdOp, Value], Value]:
    def emit(op: NdOp, z: Value) -> Value:
        return b.one(name, [z], tensor(z.shape, part_of(z.dtype)))

    return emit


def fft(op: NdOp, x: Value) -> Value:
    kind: Any = op.properties["kind"]
    lengths: Any = op.properties["lengths"]
    if not x.size:
        return b.splat(0, op.type)
    return b.one(
        "fft", [x], op.type, fft_type=FftType(kind.data.name.upper()), fft_length=ints([int(n) for n in lengths.data])
    )


ROWS: dict[str, Callable[..., Value]] = {
    "complex": complex_,
    "real": part("real"),
    "imag": part("imag"),
    "fft": fft,
}
