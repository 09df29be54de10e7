"""Leaves of a jitted function's arguments that are arrays: NumPy's, those on a GPU, and tensors, of any library.

Nothing of the run time for GPUs is loaded before there is such an array.
"""

# Leaves are anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np

from ...runtime.arguments import TABLE, array_of

ON_DEVICE = (2, 13)
"""DLPack's devices of CUDA."""
MODULE = "mlc.runtime.cuda.device_array"


def is_array(x: Any) -> bool:
    """Does it lie somewhere, in an order that a program can be compiled for?"""
    return type(x) is np.ndarray or on_device(x)


def on_device(x: Any) -> bool:
    module = sys.modules.get(MODULE)
    return module is not None and type(x) is module.DeviceArray


def in_place(leaves: list[Any]) -> list[Any]:
    """Arrays of other libraries on a GPU as this package's, so that nobody copies them to ask what they are; tensors
    that native calls read by their library's table as NumPy's."""
    for k, x in enumerate(leaves):
        if type(x) is np.ndarray:
            continue
        find = getattr(x, "__dlpack_device__", None)
        if (find is not None and find()[0] in ON_DEVICE) or (find is None and hasattr(x, "__cuda_array_interface__")):
            from ...runtime.cuda.device_array import DeviceArray, imported

            leaves[k] = x if type(x) is DeviceArray else imported(x)
        elif hasattr(type(x), TABLE):
            with contextlib.suppress(Exception):  # what no program takes is explained when its type is asked for
                leaves[k] = array_of(x)
    return leaves


def is_dense(x: Any) -> bool:
    """Is an array stored in rows?"""
    return x.flags.c_contiguous if type(x) is np.ndarray else x.dense


def in_rows(x: Any) -> Any:
    """A copy in rows, if it is not."""
    return np.ascontiguousarray(x) if type(x) is np.ndarray or not on_device(x) else x.rows()
