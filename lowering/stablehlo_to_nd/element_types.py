"""Element types of the source that `nd` holds in another one: integers of two bits in eight, quantised ones stored."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType, LocationAttr, Signedness, i8, i64
from xdsl.ir import Attribute

from ...dialects.errors import CompileError
from ...dialects.nd.types import ANY, ui8


def element_type(dtype: Attribute, location: LocationAttr) -> Attribute:
    """The type in nd of elements of a type that is not one of nd's; CompileError where there is none."""
    if dtype in ANY:
        return dtype
    if isinstance(dtype, IntegerType) and dtype.width.data == 2:
        return ui8 if dtype.signedness.data is Signedness.UNSIGNED else i8
    if dtype.name == "index":
        return i64
    if dtype.name.startswith("quant."):
        from .quantized import storage_of

        return element_type(storage_of(dtype), location)
    raise CompileError(f"expected elements of a type that nd has, found {dtype}", location)
