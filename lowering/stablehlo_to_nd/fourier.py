"""StableHLO to nd: Fourier transforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.ir import Operation

from ...dialects.nd.array import Array
from ...dialects.stablehlo.access import ints, word
from .table import converter

if TYPE_CHECKING:
    from .conversion import Conversion


@converter("stablehlo.fft")
def fft_(op: Operation, xs: list[Array], c: Conversion) -> Array:
    from ...dialects.nd.fft import fft

    return fft(xs[0], word(op, "fft_type").lower(), ints(op, "fft_length"))
