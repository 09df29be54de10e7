"""The one xDSL context: every dialect by name, loaded when the text or a pass first needs it.

`DIALECTS` is the only list. xDSL's own factories are not used, since some of its dialects are replaced by ours.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from xdsl.context import Context
from xdsl.ir import Dialect

DIALECTS: dict[str, str] = {
    "affine": "xdsl.dialects.affine:Affine",
    "arith": "mlc.dialects.vector.dialect:Arith",
    "builtin": "xdsl.dialects.builtin:Builtin",
    "cf": "xdsl.dialects.cf:Cf",
    "check": "mlc.dialects.stablehlo.check:CheckDialect",
    "chlo": "mlc.dialects.chlo.dialect:Chlo",
    "func": "xdsl.dialects.func:Func",
    "gpu": "mlc.dialects.gpu.dialect:Gpu",
    "graph": "mlc.dialects.graph.dialect:Graph",
    "linalg": "xdsl.dialects.linalg:Linalg",
    "loop": "mlc.dialects.loop:Loop",
    "math": "xdsl.dialects.math:Math",
    "memref": "xdsl.dialects.memref:MemRef",
    "nd": "mlc.dialects.nd.dialect:Nd",
    "nvgpu": "mlc.dialects.nvgpu.dialect:NvGpu",
    "quant": "mlc.dialects.quant.dialect:Quant",
    "scf": "mlc.dialects.vector.parallel:Scf",
    "sdy": "mlc.dialects.sdy.dialect:Sdy",
    "stablehlo": "mlc.dialects.stablehlo.dialect:Stablehlo",
    "tensor": "xdsl.dialects.tensor:Tensor",
    "test": "xdsl.dialects.test:Test",
    "vector": "mlc.dialects.vector.dialect:Vector",
}
"""Dialect name -> "module:object"."""

OWN = ("nd", "graph", "loop", "vector")
"""The dialects that mlc defines, from the top level down."""


def dialect(name: str) -> Dialect:
    """Import one dialect."""
    module, _, attribute = DIALECTS[name].partition(":")
    return getattr(import_module(module), attribute)


def context() -> Context:
    """A new context that knows every dialect and has loaded only `builtin` and `func`."""
    out = Context()
    for name in DIALECTS:
        out.register_dialect(name, _factory(name))
    for name in ("builtin", "func"):
        out.load_registered_dialect(name)
    return out


def _factory(name: str) -> Callable[[], Dialect]:
    return lambda: dialect(name)
