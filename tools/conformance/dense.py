"""The elements of a dense attribute as a NumPy array, read without the importer, whose work is being checked."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ComplexType, DenseIntOrFPElementsAttr, IntegerType, Signedness, f32, f64
from xdsl.ir import Attribute

from ...dialects.errors import CompileError
from ...dialects.nd.types import NUMPY

Array = np.ndarray[Any, Any]


def array_of(attribute: Attribute | None, location: Attribute) -> Array:
    """The array; CompileError for what is not a dense constant."""
    if not isinstance(attribute, DenseIntOrFPElementsAttr):
        raise CompileError(f"expected a dense constant, found {attribute}", location)
    kind: Attribute = attribute.get_element_type()
    shape, data = attribute.get_shape(), attribute.data.data
    dtype = numpy_type(kind)
    if dtype is None:
        raise CompileError(f"expected elements that NumPy or ml_dtypes has, found {kind}", location)
    if isinstance(kind, IntegerType) and kind.width.data < 8:  # a byte each, with whatever sign
        flat = np.frombuffer(data, np.int8) & ((1 << kind.width.data) - 1)
        if kind.width.data > 1 and kind.signedness.data is not Signedness.UNSIGNED:
            half = 1 << (kind.width.data - 1)
            flat = (flat ^ half) - half
        flat = flat.astype(dtype)
    else:
        flat = np.frombuffer(data, dtype)
    try:
        return np.array(np.broadcast_to(flat.reshape(()), shape) if flat.size == 1 else flat.reshape(shape))
    except (MemoryError, ValueError) as error:  # NumPy has a ValueError for sizes beyond 63 bits
        wanted = prod(shape) * dtype.itemsize
        raise CompileError(
            f"expected a constant that fits into memory, found one of {wanted} bytes", location
        ) from error


def numpy_type(kind: Attribute) -> np.dtype[Any] | None:
    """NumPy's or ml_dtypes' type of an element type, or None."""
    if isinstance(kind, ComplexType):
        return {f32: np.dtype(np.complex64), f64: np.dtype(np.complex128)}.get(kind.element_type)
    if isinstance(kind, IntegerType) and kind.width.data == 2:
        import ml_dtypes

        return np.dtype(ml_dtypes.uint2 if kind.signedness.data is Signedness.UNSIGNED else ml_dtypes.int2)
    return NUMPY.get(kind)
