"""StableHLO text compiled and run by JAX on the CPU: the one place that knows how. JAX is in the extra `test`."""

# JAX has no types for its inner modules.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def compiled(text: str) -> Any:
    """The function `main` of a module, verified and compiled."""
    import jax
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax._src.lib.mlir import ir

    device = jax.devices("cpu")[0]
    with mlir.make_ir_context():
        module = ir.Module.parse(text)
        module.operation.verify()
        options = xla_client.CompileOptions()
        return device.client.compile_and_load(module, xla_client.DeviceList((device,)), options)


def caller(text: str) -> Callable[..., list[Array]]:
    """`main` as a function of arrays."""
    import jax

    executable = compiled(text)

    def call(*inputs: Array) -> list[Array]:
        with jax.enable_x64(True):  # else 64 bits would become 32
            buffers = [jax.device_put(np.asarray(x, order="C"), jax.devices("cpu")[0]) for x in inputs]
        return [np.asarray(y) for y in executable.execute(buffers)]

    return call


def run(text: str, inputs: Sequence[Array]) -> list[Array]:
    """The results of `main` on these arrays, with their element types."""
    return caller(text)(*inputs)
