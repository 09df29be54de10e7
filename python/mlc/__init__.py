"""mlc: a multi-level compiler for tensor programs.

    import numpy as np
    import mlc
    import mlc.numpy as mnp

    @mlc.jit
    def f(x, w):
        return mnp.tanh(x @ w).sum()

    x, w = np.ones((4, 8), np.float32), np.ones((8, 2), np.float32)
    f(x, w)                                   # traced, fused, compiled; NumPy in and out
    mlc.jit(mlc.grad(f, argnums=1))(x, w)     # the gradient is a program of its own
    print(f.compile(x, w).mlir("loop"))       # any level, as text

Everything here is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from time import time as _time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import nn, numpy, optim, random, special
    from .compiler.compile import Compiled, compile
    from .compiler.export import to_stablehlo
    from .compiler.frontend.checkpoint import checkpoint, checkpoint_name, checkpoint_policies
    from .compiler.frontend.control import cond, fori_loop, map, scan, switch, while_loop
    from .compiler.frontend.eager import eager
    from .compiler.frontend.effects import check, debug_print
    from .compiler.frontend.from_jax import from_jax
    from .compiler.frontend.jit import jit
    from .compiler.frontend.tracing import spec
    from .compiler.frontend.transforms import grad, jvp, stop_gradient, value_and_grad, vjp, vmap
    from .compiler.saved import load
    from .dialects.errors import CheckError, CompileError
    from .dialects.nd.array import Array
    from .runtime.cuda.device_array import DeviceArray, to_device

__version__ = "0.1.0"

LOADED = _time()
"""When this process began to load the compiler."""

_PLACES = {
    "Array": ".dialects.nd.array",
    "CheckError": ".dialects.errors",
    "CompileError": ".dialects.errors",
    "Compiled": ".compiler.compile",
    "DeviceArray": ".runtime.cuda.device_array",
    "check": ".compiler.frontend.effects",
    "checkpoint": ".compiler.frontend.checkpoint",
    "checkpoint_name": ".compiler.frontend.checkpoint",
    "checkpoint_policies": ".compiler.frontend.checkpoint",
    "compile": ".compiler.compile",
    "cond": ".compiler.frontend.control",
    "debug_print": ".compiler.frontend.effects",
    "eager": ".compiler.frontend.eager",
    "fori_loop": ".compiler.frontend.control",
    "from_jax": ".compiler.frontend.from_jax",
    "grad": ".compiler.frontend.transforms",
    "jit": ".compiler.frontend.jit",
    "jvp": ".compiler.frontend.transforms",
    "load": ".compiler.saved",
    "map": ".compiler.frontend.control",
    "scan": ".compiler.frontend.control",
    "spec": ".compiler.frontend.tracing",
    "stop_gradient": ".compiler.frontend.transforms",
    "switch": ".compiler.frontend.control",
    "to_device": ".runtime.cuda.device_array",
    "to_stablehlo": ".compiler.export",
    "value_and_grad": ".compiler.frontend.transforms",
    "vjp": ".compiler.frontend.transforms",
    "vmap": ".compiler.frontend.transforms",
    "while_loop": ".compiler.frontend.control",
}
_MODULES = ("nn", "numpy", "optim", "random", "special")

__all__ = [
    "Array",
    "CheckError",
    "CompileError",
    "Compiled",
    "DeviceArray",
    "check",
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "compile",
    "cond",
    "debug_print",
    "eager",
    "fori_loop",
    "from_jax",
    "grad",
    "jit",
    "jvp",
    "load",
    "map",
    "nn",
    "numpy",
    "optim",
    "random",
    "scan",
    "spec",
    "special",
    "stop_gradient",
    "switch",
    "to_device",
    "to_stablehlo",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(_PLACES[name], __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module 'mlc' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
