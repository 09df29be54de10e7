"""Running StableHLO text by JAX: the one place that knows how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="jax is not installed: it is in the extra `test`")


def compiled(text: str) -> Any:
    """The function `main` of a module, compiled for the CPU."""
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax._src.lib.mlir import ir

    device = jax.devices("cpu")[0]
    with mlir.make_ir_context():
        module = ir.Module.parse(text)
        module.operation.verify()
        options = xla_client.CompileOptions()
        return device.client.compile_and_load(module, xla_client.DeviceList((device,)), options)


def run(text: str, inputs: Sequence[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """The results of `main` on these arrays, with their element types."""
    executable = compiled(text)
    with jax.enable_x64(True):  # else 64 bits would become 32
        buffers = [jax.device_put(np.asarray(x, order="C"), jax.devices("cpu")[0]) for x in inputs]
    return [np.asarray(y) for y in executable.execute(buffers)]
