"""Kernels with launches, written as text: what the tests of the interpreter of launches share."""

from __future__ import annotations

from typing import Any

import numpy as np
from mlc.compiler.parsing import parse_module
from mlc.compiler.verify import verify
from mlc.dialects.errors import CompileError
from mlc.runtime.interpret_vector import call_kernel
from mlc.runtime.interpreter import Interpreter

Array = np.ndarray[Any, Any]

LINE = "%x: memref<64xf32>, %out: memref<64xf32>"
NUMBERS = (0, 1, 2, 3, 4, 8, 16, 32, 64, 128, 256)


def shared(shape: str) -> str:
    """The type of a memory of a block."""
    return f"memref<{shape}, #gpu.address_space<workgroup>>"


def kernel(arguments: str, body: str, threads: int, blocks: int = 1) -> str:
    """A function `f` with one launch: `%b` is the block, `%t` the thread, `%c4` the number 4."""
    constants = "".join(f"  %c{n} = arith.constant {n} : index\n" for n in NUMBERS)
    return f"""func.func @f({arguments}) {{
{constants}  %grid = arith.constant {blocks} : index
  %size = arith.constant {threads} : index
  gpu.launch blocks(%b, %by, %bz) in (%gx = %grid, %gy = %c1, %gz = %c1)
             threads(%t, %ty, %tz) in (%sx = %size, %sy = %c1, %sz = %c1) {{
{body}
    gpu.terminator
  }}
  func.return
}}"""


def run(text: str, *inputs: Array, seed: int = 0) -> Array:
    """The one result of a kernel."""
    module = parse_module(text)
    verify(module)
    return call_kernel(Interpreter(module, seed=seed), "f", list(inputs))[0]


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Array:
    """Small whole numbers, whose products and sums are exact in every type."""
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def refused(arguments: str, body: str, error: str, *inputs: Array, threads: int = 64, blocks: int = 1) -> None:
    """Check that a kernel has an error."""
    import pytest

    with pytest.raises(CompileError, match=error):
        run(kernel(arguments, body, threads, blocks), *inputs)
