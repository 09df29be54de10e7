"""Native calls with tensors of other libraries: what `native_call.ll` turns to where there are other arguments than
NumPy's arrays, as soon as `exchange` knows a type of tensors.

    exe(tensor, w, out=other)

A tensor is asked for what its table does not say (`dlpack.HIDDEN`), described by the table, and seen by the native way
as a NumPy array would be: the same comparisons decide. Memory that is written is described by the function that tells
whether it may be; what that makes is given back after the call. What goes the longer way: a tensor that fails in
anything, and a donated one, whose memory would be a result's.
"""

from __future__ import annotations

import ctypes

from . import dlpack, exchange
from .locks import once
from .native_call import ALIGNED, C_CONTIGUOUS, NUMPY, TUPLE_SIZE, WORD, WRITEABLE
from .native_call_text import TENSORS, text_of

SHADOW = max(NUMPY.values()) + WORD
"""The bytes of an array object up to the last of the fields that are read."""

RANK = 16
"""Dimensions that a shadow has room for: tensors of more go the longer way."""


def _places(prefix: str, structure: type[ctypes.Structure]) -> dict[str, int]:
    """Where the fields of a structure lie, and its size."""
    fields = {f"{prefix}_{name}": getattr(structure, name).offset for name, *_ in structure._fields_}
    return {**fields, f"{prefix}_bytes": ctypes.sizeof(structure)}


NUMBERS = {
    **{name: WORD * k for names in (exchange.HEADER, exchange.PRODUCER) for k, name in enumerate(names)},
    **_places("tensor", dlpack.Tensor),
    **_places("managed", dlpack.Versioned),
    **NUMPY,
    "tuple_size": TUPLE_SIZE,
    "KINDS_AT": WORD * exchange.KINDS_AT,
    "PRODUCERS_AT": WORD * exchange.PRODUCERS_AT,
    "producer_bytes": WORD * len(exchange.PRODUCER),
    "producers_bytes": WORD * exchange.MOST * len(exchange.PRODUCER),
    "kinds_of_code": exchange.KINDS,
    "kind_codes": exchange.CODES,
    "shadow_rank": RANK,
    "shadow_strides": SHADOW,
    "shadow_bytes": SHADOW + WORD * RANK,
    "c_contiguous": C_CONTIGUOUS,
    "aligned": ALIGNED,
    "writeable": WRITEABLE,
    "dlpack_major": dlpack.MAJOR,
    "dlpack_cpu": dlpack.CPU,
    "dlpack_complex": dlpack.CODES["complex64"][0],
    "dlpack_read_only": dlpack.READ_ONLY,
}


@once
def load() -> None:
    """Let native calls take tensors."""
    from .jit import Linked, stored_object

    linked = Linked([stored_object(text_of(TENSORS, NUMBERS))])
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(linked))  # programs may be called when all modules are gone
    exchange.words[exchange.HEADER.index("ENTRY")] = linked.address("mlc_direct_of_tensors")
